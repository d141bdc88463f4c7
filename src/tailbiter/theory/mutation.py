# SPDX-License-Identifier: MIT
"""Models mixed with the even law, and batches with human items: moments, and the law of each count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._counts import binomials, with_fresh

__all__ = [
    "EVEN",
    "FIRST",
    "HUMAN",
    "REFERENCE",
    "Counts",
    "Mixed",
    "Pull",
    "first_counts",
    "mixed",
    "wrong",
]

Floats = npt.NDArray[np.float64]


HELD = 2e7  # probabilities that are kept from one step to the next
REFERENCE, FIRST, HUMAN, EVEN = range(4)
"""Rows of the laws that are mixed: the reference, generation 1's items, later human ones, the even law."""


class Mixed(NamedTuple):
    """Moments of the models of generations 0 to T.

    Attributes
    ----------
    shares : float64[T + 1, 4]
        Shares in the mean model: of the reference, of the law of generation 1's items, of that of later human
        items and of the even law.
    squares : float64[T + 1]
        Mean of the sum of squared probabilities.
    """

    shares: Floats
    squares: Floats


def mixed(
    samples: Floats, human: Floats, even: Floats, products: Floats, *, crawl: bool, copies: int = 1
) -> Mixed:
    """Step the moments from one generation to the next.

    Parameters
    ----------
    samples : float64[T]
        Items of the training set of generations 1 to T.
    human : float64[T]
        Human share of each batch, of the first 1.
    even : float64[T]
        Share ``u`` of the even law in each model: ``kK / (N + kK)`` under add-k.
    products : float64[4, 4]
        Inner products of the laws that are mixed, in the order of `Mixed.shares`.
    crawl : bool
        Whether each item is human with this probability, and not a fixed number of them.
    copies : int, default 1
        Of each of generation 1's items; what is left over is filled with single ones.

    Returns
    -------
    Mixed
        Exact at every size.

    Notes
    -----
    A batch is a multinomial one about ``v = h r + (1 - h) p`` with r the law of human items, or two of fixed
    sizes; its moments are those of the model before, and ``p' = (1 - u) c/N + u/K``.

    Examples
    --------
    >>> laws = np.array([[0.5, 0.5, 0, 0]] * 3 + [[0.25] * 4])
    >>> half = np.full(2, 0.5)
    >>> found = mixed(np.full(2, 10.0), np.array([1.0, 0.0]), half, laws @ laws.T, crawl=False)
    >>> found.shares[:, FIRST].tolist()
    [0.0, 0.5, 0.25]
    """
    shares, squares = np.zeros((len(samples) + 1, 4)), np.zeros(len(samples) + 1)
    shares[0, REFERENCE], squares[0] = 1.0, products[REFERENCE, REFERENCE]
    flat = products[EVEN, EVEN]
    for t, (n, h, u) in enumerate(zip(samples.tolist(), human.tolist(), even.tolist(), strict=True)):
        source = HUMAN if t else FIRST
        mean, before, own = shares[t].copy(), squares[t], products[source, source]
        centre = h * h * own + 2 * h * (1 - h) * float(mean @ products[source]) + (1 - h) ** 2 * before
        spread = 1 - centre if crawl else h * (1 - own) + (1 - h) * (1 - before)
        batch = centre + spread * (1.0 / n if t else _per_item(int(n), copies))
        mean *= 1 - h
        mean[source] += h
        shares[t + 1] = (1 - u) * mean
        shares[t + 1, EVEN] += u
        squares[t + 1] = (1 - u) ** 2 * batch + (1 - (1 - u) ** 2) * flat
    return Mixed(shares, squares)


def _per_item(items: int, copies: int) -> float:
    """Variance of a share in a set of copies, over that of one item."""
    several, single = divmod(items, copies)
    return (copies * copies * several + single) / items**2


def wrong(human: Floats, rate: float) -> Floats:
    """Mean share of the training set that lies outside the reference, for generations 0 to T.

    Parameters
    ----------
    human : float64[T]
        Human share of the batch of generations 1 to T, of the first 1.
    rate : float
        Share of what models put out that goes wrong.

    Returns
    -------
    float64[T + 1]
        ``w' = (1 - h)(e + (1 - e) w)``, exact.

    Examples
    --------
    >>> wrong(np.array([1.0, 0.0, 0.0]), 0.5).tolist()
    [0.0, 0.0, 0.5, 0.75]
    """
    out = np.zeros(len(human) + 1)
    for t, h in enumerate(human.tolist()):
        out[t + 1] = (1 - h) * (rate + (1 - rate) * out[t])
    return out


class Pull(NamedTuple):
    """How the count of one category, of several kinds side by side, follows from the count before.

    Given c of n items, the next count is ``Bin(synthetic, base + slope c/n) + Bin(human, mass)``.

    Attributes
    ----------
    synthetic, human : int
        Items of the batch.
    base : float64[Q]
        Chance of an item to be of the category whatever was there before.
    slope : float
        Share of the items drawn by what was there before.
    mass : float64[Q]
        Chance of a human item.
    """

    synthetic: int
    human: int
    base: Floats
    slope: float
    mass: Floats


def first_counts(items: int, mass: Floats, *, copies: int = 1) -> Floats:
    """Law of the count of a category in generation 1's batch.

    Parameters
    ----------
    items : int
        Of the batch.
    mass : float64[Q]
        Chance of an item.
    copies : int, default 1
        Of every item; what is left over is filled with single ones.

    Returns
    -------
    float64[Q, items + 1]

    Examples
    --------
    >>> first_counts(3, np.array([0.5]), copies=3).round(12).tolist()
    [[0.5, 0.0, 0.0, 0.5]]
    """
    several = binomials(items // copies, mass)
    spaced = np.zeros((len(mass), items // copies * copies + 1))
    spaced[:, ::copies] = several
    return with_fresh(spaced, binomials(items % copies, mass), items)


class Counts:
    """Laws of the counts of categories, several kinds side by side, from one generation to the next.

    Parameters
    ----------
    law : float64[Q, n + 1]
        Of their counts now.

    Attributes
    ----------
    law : float64[Q, n + 1]
        Exact at every size, with mutation, crawls and errors.

    Examples
    --------
    >>> counts = Counts(first_counts(2, np.array([0.5])))
    >>> counts.step(Pull(2, 0, np.zeros(1), 1.0, np.zeros(1)))
    >>> counts.law.round(12).tolist()
    [[0.375, 0.25, 0.375]]
    """

    def __init__(self, law: Floats) -> None:
        self.law = law
        self._made: dict[tuple[int, int, float, float], Floats] = {}

    def step(self, pull: Pull) -> None:
        """Go on to the next generation."""
        out = np.empty((len(self.law), pull.synthetic + 1))
        for base in np.unique(pull.base).tolist():  # under add-k all are alike
            alike = pull.base == base
            out[alike] = self.law[alike] @ self._chances(pull.synthetic, base, pull.slope)
        items = pull.synthetic + pull.human
        self.law = with_fresh(out, binomials(pull.human, pull.mass), items) if pull.human else out

    def _chances(self, synthetic: int, base: float, slope: float) -> Floats:
        """Probability of each count after each; kept as long as they are few, for steps are often alike."""
        before = self.law.shape[1] - 1
        key = (before, synthetic, base, slope)
        if key not in self._made:
            if len(self._made) * float(before * synthetic) > HELD:
                self._made.clear()
            shares = np.arange(before + 1) / before
            self._made[key] = binomials(synthetic, np.clip(base + slope * shares, 0.0, 1.0))
        return self._made[key]

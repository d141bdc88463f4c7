# SPDX-License-Identifier: MIT
"""First and second moments where models are mixed with the even law, and batches with human items."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Mixed", "mixed", "wrong"]

Floats = npt.NDArray[np.float64]


class Mixed(NamedTuple):
    """Moments of the models of generations 0 to T, float64[T + 1].

    Attributes
    ----------
    reference : float64[T + 1]
        Share of the reference in the mean model; the rest of it is even.
    squares : float64[T + 1]
        Mean of the sum of squared probabilities.
    """

    reference: Floats
    squares: Floats


def mixed(
    samples: Floats, human: Floats, even: Floats, squares: float, categories: int, *, crawl: bool
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
    squares : float
        Sum of the squared probabilities of the reference.
    categories : int
        How many it has.
    crawl : bool
        Whether each item is human with this probability, and not a fixed number of them.

    Returns
    -------
    Mixed
        Exact at every size.

    Notes
    -----
    A batch is a multinomial one about ``v = h q + (1 - h) p``, or two of fixed sizes; its moments are those
    of the model before, and ``p' = (1 - u) c/N + u/K``.

    Examples
    --------
    >>> half = np.full(2, 0.5)
    >>> mixed(np.full(2, 10.0), np.array([1.0, 0.0]), half, 0.5, 4, crawl=False).reference.tolist()
    [1.0, 0.5, 0.25]
    """
    reference, sums = np.ones(len(samples) + 1), np.full(len(samples) + 1, squares)
    for t, (n, h, u) in enumerate(zip(samples.tolist(), human.tolist(), even.tolist(), strict=True)):
        share, before = reference[t], sums[t]
        cross = share * squares + (1 - share) / categories
        centre = h * h * squares + 2 * h * (1 - h) * cross + (1 - h) ** 2 * before
        spread = 1 - centre if crawl else h * (1 - squares) + (1 - h) * (1 - before)
        batch = centre + spread / n
        reference[t + 1] = (1 - u) * (h + (1 - h) * share)
        sums[t + 1] = (1 - u) ** 2 * batch + (1 - (1 - u) ** 2) / categories
    return Mixed(reference, sums)


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

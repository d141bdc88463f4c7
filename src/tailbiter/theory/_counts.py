# SPDX-License-Identifier: MIT
"""The law of one category's count, forward: a check of the dual, and means of anything at small sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

from ..errors import SpecError
from ._result import Floats, Predicted
from ._schedule import masses, schedule

if TYPE_CHECKING:
    from ._schedule import Schedule

__all__ = ["CountSums", "binomials", "count_laws", "count_sums", "transition_matrix", "with_fresh"]

_MOST = 2048  # items whose counts are followed one by one
_HELD = 50_000_000  # numbers handed out at most


@dataclass(frozen=True, eq=False)
class CountSums:
    """Means, over replicates, of sums over categories: ``[len(at)]`` each.

    Attributes
    ----------
    entropy : Predicted
        ``E -sum p_t ln p_t``, nats.
    total_variation : Predicted
        ``E sum |p_t - q| / 2``.
    kl : Predicted
        ``E sum p_t ln(p_t/q)``, nats.
    """

    entropy: Predicted
    total_variation: Predicted
    kl: Predicted


def transition_matrix(before: int, after: int, mass: float = 0.0, *, fresh: int = 0) -> Floats:
    """Full transition matrix of the count of one category, from one training set to the next.

    Statement: given c of `before` items, the next count is ``Bin(after - fresh, c/before) + Bin(fresh,
    mass)``. Kind: exact. Validity: `Replace` (no fresh items), `Anchored` with fresh ones, human data alone
    (all fresh); up to 2048 items.

    Parameters
    ----------
    before, after : int
        Sizes of the two training sets.
    mass : float
        Reference probability of the category.
    fresh : int
        Fresh human items in the second.

    Returns
    -------
    float64[before + 1, after + 1]
        ``[c, d]``: probability of count d after count c.

    Raises
    ------
    SpecError
        Sizes out of range.

    References
    ----------
    Theory sheet, 1 and 2.1.

    Examples
    --------
    >>> print(transition_matrix(2, 2))
    [[1.   0.   0.  ]
     [0.25 0.5  0.25]
     [0.   0.   1.  ]]
    """
    _check_size(max(before, after))
    if not 0 <= fresh <= after:
        raise SpecError("fresh", fresh, f"is outside 0 to {after}", "ask for no more than the batch holds")
    synthetic = binomials(after - fresh, np.arange(before + 1) / before)
    return with_fresh(synthetic, binomials(fresh, masses("mass", mass)), after)


def _check_size(size: int) -> None:
    if not 1 <= size <= _MOST:
        raise SpecError("samples", size, f"is outside 1 to {_MOST}", "follow presence only, by `absence`")


def binomials(trials: int, p: Floats) -> Floats:
    """``[i, k]``: P(Bin(trials, p[i]) = k)."""
    k = np.arange(trials + 1)
    ways = gammaln(trials + 1.0) - gammaln(k + 1.0) - gammaln(trials - k + 1.0)
    law = np.exp(ways + xlogy(k, p[:, None]) + xlogy(trials - k, 1.0 - p[:, None]))
    return np.asarray(law / law.sum(axis=1, keepdims=True))


def with_fresh(synthetic: Floats, fresh: Floats, size: int) -> Floats:
    """Law of the sum of two counts, row by row."""
    total = np.zeros((len(synthetic), size + 1))
    for k in range(fresh.shape[1]):
        total[:, k : k + synthetic.shape[1]] += fresh[:, k, None] * synthetic
    return total


def _laws(mass: Floats, plan: Schedule) -> Iterator[tuple[int, int, Floats]]:
    """Generation, size and count laws ``[i, c]``, from generation 1 on."""
    law = binomials(int(plan.samples[0]), mass)
    step, shape = np.empty((0, 0)), (0, 0)
    for t in range(1, int(plan.at.max()) + 1):
        size = int(plan.samples[t - 1])
        if t > 1:
            fresh = int(plan.fresh[t - 1])
            before = law.shape[1] - 1
            if shape != (before, size - fresh):
                shape = before, size - fresh
                step = binomials(size - fresh, np.arange(before + 1) / before)
            law = law @ step
            if fresh:
                law = with_fresh(law, binomials(fresh, mass), size)
        yield t, size, law


def count_laws(
    mass: npt.ArrayLike, samples: npt.ArrayLike, at: npt.ArrayLike, *, fresh: npt.ArrayLike | None = None
) -> Floats:
    """Law of the count of a category in each recorded training set, by the full chain.

    Statement and validity: as `transition_matrix`, applied from generation 1's binomial law on. Kind: exact.

    Parameters
    ----------
    mass : array_like
        Reference probabilities.
    samples : array_like of int
        Size of the training set of each generation, at most 2048.
    at : array_like of int
        Recorded generations, ascending, from 1.
    fresh : array_like of int, optional
        Fresh human items in the batch of each generation.

    Returns
    -------
    float64[len(at), len(mass), max(samples) + 1]
        Probability of each count.

    Raises
    ------
    SpecError
        Sizes out of range, or a result that would not fit in memory.

    References
    ----------
    Theory sheet, 1 and 2.1.

    Examples
    --------
    >>> count_laws([0.5], [2, 2], [2])[0, 0]
    array([0.375, 0.25 , 0.375])
    """
    sets, plan = masses("mass", mass), schedule(samples, at, fresh)
    _check_size(int(plan.samples.max()))
    if plan.at[0] < 1:
        raise SpecError("at", 0, "has no counts", "begin at generation 1")
    result = (len(plan.at), len(sets), int(plan.samples.max()) + 1)
    if np.prod(result, dtype=float) > _HELD:
        raise SpecError("at", len(plan.at), f"generations need more than {_HELD:.0e} numbers", "record fewer")
    laws = np.zeros(result)
    for t, size, law in _laws(sets, plan):
        laws[plan.at == t, :, : size + 1] = law
    return laws


def count_sums(
    mass: npt.ArrayLike,
    copies: npt.ArrayLike,
    samples: npt.ArrayLike,
    at: npt.ArrayLike,
    *,
    fresh: npt.ArrayLike | None = None,
) -> CountSums:
    """Mean entropy, total variation and divergence from the reference, by the full chain of each category.

    Statement: each is a sum of functions of one category's share. Kind: exact. Validity: `Replace`,
    `Anchored` with fresh items, human data alone, at maximum likelihood; sizes up to 2048.

    Parameters
    ----------
    mass, copies : array_like
        Distinct probabilities of categories, and how many share each.
    samples, at, fresh
        As in `count_laws`; generation 0 is the reference.

    Returns
    -------
    CountSums
        ``[len(at)]`` each.

    Raises
    ------
    SpecError
        Sizes out of range.

    References
    ----------
    Theory sheet, 1 and 2.1.

    Examples
    --------
    >>> count_sums([0.5], [2], [2, 2], [0, 1]).total_variation.values
    array([0.  , 0.25])
    """
    sets, plan = masses("mass", mass), schedule(samples, at, fresh)
    many = np.asarray(copies, dtype=float)
    _check_size(int(plan.samples.max()))
    values = np.zeros((3, len(plan.at)))
    values[0, plan.at == 0] = -many @ xlogy(sets, sets)
    for t, size, law in _laws(sets, plan):
        if t not in plan.at:
            continue
        p = np.arange(size + 1) / size
        share = law @ p
        entropy = law @ -xlogy(p, p)
        apart = np.sum(law * np.abs(p - sets[:, None]), axis=1) / 2
        sums = many @ np.stack([entropy, apart, -entropy - xlogy(share, sets)], axis=1)
        values[:, plan.at == t] = sums[:, None]
    names = ("entropy in nats", "total variation from the reference", "divergence from the reference in nats")
    how = "full chain of each category's count (theory sheet, 1 and 2.1)"
    return CountSums(
        *(Predicted(row, "exact", f"mean {name}; {how}") for name, row in zip(names, values, strict=True))
    )

# SPDX-License-Identifier: MIT
"""First and second moments of every regime that is linear in its sources.

Two items are drawn, with replacement, from the model of generation t. They descend from one human item, with
probability ``v_t``, or from two. That number, `identity`, is all there is to second moments: the model's mean
is the reference ``q`` at every t, and

- the variance of the share of any set of reference mass m is ``m (1 - m) v_t``;
- ``E (1 - sum p_t^2) = (1 - sum q^2) (1 - v_t)``;
- ``E sum (p_t - q)^2 = (1 - sum q^2) v_t``.

The model is the maximum-likelihood one: frequencies of the training set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from .._checks import whole
from ..errors import SpecError
from ..samples import MAX_SAMPLES
from ._pools import all_batches, pooled, subsampled, windowed
from ._result import Floats, Predicted
from ._scan import falling, from_zero, recorded, running_sum, two_ends

if TYPE_CHECKING:
    from .._compose import Composition

__all__ = [
    "Identity",
    "best_weight",
    "brier",
    "brier_sd",
    "diversity",
    "gini_simpson",
    "gini_simpson_sd",
    "identity",
    "share_sd",
    "share_variance",
    "weighted_identity",
]


@dataclass(frozen=True, eq=False)
class Identity(Predicted):
    """Whether two items drawn from one model descend from one human item.

    Attributes
    ----------
    values : float64[n]
        Probability ``v_t`` that they do; 0 at t = 0.
    apart : float64[n]
        ``1 - v_t``, computed apart from it, so that neither loses digits where it is small.
    """

    apart: Floats = field(kw_only=True)


def identity(composition: Composition, at: npt.ArrayLike | None = None) -> Identity:
    """Return the chance that two items of a generation's model descend from one human item.

    Statement: backward in time two items have one parent with the chance that their batch's composition
    gives, else two; steps of that chain, summed from the first generation on. Replace:
    ``1 - v_t = prod_s (1 - 1/N_s)``; Accumulate with equal batches: ``prod_j (1 - 1/(N j^2))``.

    Kind: exact, to about 1e-13 of ``v`` and of ``1 - v``.

    Validity: every regime, with maximum likelihood and nothing between the model and its sample. Time is
    linear in T; for a window of k batches T k, and T k^2 if ages weigh differently.

    References: Wright 1931 (Replace); 2404.01413 and 2410.22812 (Accumulate); 2410.16713
    (AccumulateSubsample).

    Parameters
    ----------
    composition : Composition
        What every generation is trained on (``spec.composition``).
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Raises
    ------
    SpecError
        For a window of more than 10,000 batches in a longer run.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=100, generations=3)
    >>> identity(spec.composition).values.round(6).tolist()
    [0.0, 0.01, 0.0199, 0.029701]
    """
    same, apart = _identity(composition)
    statement = "chance v_t that two items of the model descend from one human item (Wright 1931)"
    if at is not None:  # all of ten million need not be copied
        rows = recorded(at, len(same) - 1)
        same, apart = same[rows], apart[rows]
    return Identity(same, "exact", statement, apart=apart)


def _identity(made: Composition) -> tuple[Floats, Floats]:
    """v and 1 - v at all generations."""
    human = made.fresh.any() or made.from_kept.any()
    if made.draw is None and made.ages.size == 1 and not human:
        return falling(1.0 / made.samples[:-1])
    sizes, fresh = made.samples[:-1].astype(np.float64), made.fresh[:-1].astype(np.float64)
    if made.draw is not None:
        return subsampled(sizes, made.draw[:-1].astype(np.float64))
    if all_batches(made.ages, len(sizes)):
        return pooled(sizes, fresh)
    if len(made.ages) > 1:
        return windowed(made.ages.astype(np.float64), sizes, fresh)
    return _newest(made, sizes, fresh)


def _newest(made: Composition, sizes: Floats, fresh: Floats) -> tuple[Floats, Floats]:
    """Training sets that are the newest batch: items drawn from the model, fresh and kept human ones."""
    kept = made.from_kept[:-1].astype(np.float64)
    counts = np.stack([sizes - fresh - kept, fresh, kept])
    # A source without items has no share, whatever is divided by.
    one = 1.0 / np.maximum(counts, 1.0)
    share = _shares(made, counts)
    low, high = np.sum(share**2 * one, axis=0), np.sum((share**2 * (1.0 - one))[1:], axis=0)
    s, f, k = share
    high += 2.0 * f * (s + k)
    if kept.any():
        x, y = _with_kept(made.kept, sizes[0], share)
        low += 2.0 * s * k * x
        high += 2.0 * s * k * y
    return two_ends(s**2 * (1.0 - one[0]), low, high)


def _shares(made: Composition, counts: Floats) -> Floats:
    """Weight of each source in the training set, ``[source, t]``; each adds to 1 over the sources."""
    weights = counts if made.item_weights is None else counts * made.item_weights[:-1].T.astype(np.float64)
    return weights / weights.sum(axis=0)


def _with_kept(kept: int, first: float, share: Floats) -> tuple[Floats, Floats]:
    """Identity of an item of generation t-1's model and one of the kept set, and its complement; 0 at t=1.

    Generation 1's batch and the kept set are prefixes of one stream of human items.
    """
    stay, fresh, again = share.copy()
    stay[0], fresh[0], again[0] = 0.0, 0.0, 1.0
    one = np.full_like(stay, 1.0 / kept)
    one[0] = 1.0 / max(kept, first)
    low, high = again * one, fresh + again * (1.0 - one)
    x, y = two_ends(stay, low, high)
    return x[:-1], y[:-1]


def diversity(probabilities: Floats) -> float:
    """Return ``1 - sum q^2``, without cancellation where one category has nearly everything.

    Kind: exact.

    Examples
    --------
    >>> diversity(np.array([0.5, 0.25, 0.25]))
    0.625
    """
    q = np.asarray(probabilities, dtype=np.float64)
    return float(q @ (1.0 - q))


def gini_simpson(shared: Identity, spread: float) -> Predicted:
    """Return ``E (1 - sum p_t^2)`` at the generations of ``shared``.

    Statement: ``(1 - sum q^2) (1 - v_t)``. Kind: exact. Validity and references: those of `identity`.

    Parameters
    ----------
    shared : Identity
        From `identity`.
    spread : float
        ``1 - sum q^2`` of the reference, from `diversity`.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=100, generations=3)
    >>> gini_simpson(identity(spec.composition), 0.9).values.round(6).tolist()
    [0.9, 0.891, 0.88209, 0.873269]
    """
    statement = "E(1 - sum p^2) = (1 - sum q^2)(1 - v_t), any regime linear in its sources (Wright 1931)"
    return Predicted(spread * shared.apart, "exact", statement)


def brier(shared: Identity, spread: float) -> Predicted:
    """Return ``E sum (p_t - q)^2`` at the generations of ``shared``.

    Statement: ``(1 - sum q^2) v_t``. Kind: exact. Validity, references and parameters: those of
    `gini_simpson`.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=100, generations=3)
    >>> brier(identity(spec.composition), 0.9).values.round(6).tolist()
    [0.0, 0.009, 0.01791, 0.026731]
    """
    statement = "E sum (p - q)^2 = (1 - sum q^2) v_t, any regime linear in its sources (Wright 1931)"
    return Predicted(spread * shared.values, "exact", statement)


def share_variance(shared: Identity, mass: npt.ArrayLike) -> Predicted:
    """Return the variance of the model's share of a set of categories.

    Statement: ``m (1 - m) v_t`` for every set of reference mass m; the mean is m. Kind: exact. Validity and
    references: those of `identity`.

    Parameters
    ----------
    shared : Identity
        From `identity`.
    mass : float array
        Reference masses.

    Returns
    -------
    Predicted
        Values of shape ``[n, *mass.shape]``.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=100, generations=2)
    >>> share_variance(identity(spec.composition), [0.1, 0.5]).values.round(6).tolist()
    [[0.0, 0.0], [0.0009, 0.0025], [0.001791, 0.004975]]
    """
    m = np.asarray(mass, dtype=np.float64)
    statement = "Var p(set) = m(1 - m) v_t, any regime linear in its sources (Wright 1931)"
    return Predicted(np.multiply.outer(shared.values, m * (1.0 - m)), "exact", statement)


def share_sd(shared: Identity, mass: npt.ArrayLike) -> Predicted:
    """Return the standard deviation of the model's share of a set: the root of `share_variance`.

    Kind: exact. Validity, references and parameters: those of `share_variance`.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=100, generations=2)
    >>> share_sd(identity(spec.composition), 0.5).values.round(4).tolist()
    [0.0, 0.05, 0.0705]
    """
    variance = share_variance(shared, mass)
    return Predicted(np.sqrt(variance.values), "exact", "root of: " + variance.statement)


def gini_simpson_sd(
    samples: npt.ArrayLike, probabilities: npt.ArrayLike, at: npt.ArrayLike | None = None
) -> Predicted:
    """Return the standard deviation of ``1 - sum p_t^2`` under Replace.

    Statement: with ``s_k = sum q^k``, ``Var sum p_t^2 = c_t (1 - s_2)^2 + (2/3) a_t (s_3 - s_2^2) +
    (2/3) b_t s_2 (1 - s_2)``. Of four items drawn with replacement from the model, ``a_t`` is the chance of
    exactly one pair with one human ancestor, ``b_t`` of two such pairs, and ``c_t`` the covariance of items 1
    and 2 having one and 3 and 4 having one. All three follow from steps backward.

    Kind: exact, to about 1e-13. Validity: Replace with maximum likelihood.

    References: four lineages in Wright's chain; derived here, checked by enumeration.

    Parameters
    ----------
    samples : int array [T]
        Batch sizes of generations 1 to T.
    probabilities : float array
        The reference.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Examples
    --------
    >>> gini_simpson_sd([100, 100, 100], [0.5, 0.3, 0.2]).values.round(5).tolist()
    [0.0, 0.02554, 0.03658, 0.04534]
    """
    q = np.asarray(probabilities, dtype=np.float64)
    four = _four_lineages(np.asarray(samples, dtype=np.float64))
    square, spread = float(q @ q), diversity(q)
    pairs = 2.0 / 3.0 * (four.one_pair * _skewed(q) + four.two_pairs * square * spread)
    statement = "sd(1 - sum p^2) from four lineages of Wright's chain, Replace"
    variance = four.covariance * spread**2 + pairs
    return Predicted(np.sqrt(variance[recorded(at, len(variance) - 1)]), "exact", statement)


def brier_sd(
    samples: npt.ArrayLike, probabilities: npt.ArrayLike, at: npt.ArrayLike | None = None
) -> Predicted:
    """Return the standard deviation of ``sum (p_t - q)^2`` under Replace.

    Statement: with c and b of `gini_simpson_sd` and ``d_t`` the chance that all four items have one human
    ancestor, the variance is ``c_t (1 - s_2)^2 + (2/3) b_t (s_2 + s_2^2 - 2 s_3) + 4 d_t (s_3 - s_2^2)``.

    Kind, validity, references and parameters: those of `gini_simpson_sd`.

    Examples
    --------
    >>> brier_sd([100, 100, 100], [0.5, 0.3, 0.2]).values.round(5).tolist()
    [0.0, 0.00637, 0.01258, 0.01866]
    """
    q = np.asarray(probabilities, dtype=np.float64)
    four = _four_lineages(np.asarray(samples, dtype=np.float64))
    square = float(q @ q)
    unlike = float(q**2 @ ((1.0 - q) ** 2 + (square - q**2)))  # s_2 + s_2^2 - 2 s_3
    pairs = 2.0 / 3.0 * four.two_pairs * unlike + 4.0 * four.all_one * _skewed(q)
    statement = "sd of sum (p - q)^2 from four lineages of Wright's chain, Replace"
    variance = four.covariance * diversity(q) ** 2 + pairs
    return Predicted(np.sqrt(variance[recorded(at, len(variance) - 1)]), "exact", statement)


def _skewed(q: Floats) -> float:
    """``s_3 - s_2^2``: the variance of the probability of an item."""
    return float(q @ (q - q @ q) ** 2)


class _Four(NamedTuple):
    """What four items of the model descend from; arrays of shape [T + 1]."""

    covariance: Floats  # of 1 and 2 having one human ancestor, and 3 and 4
    one_pair: Floats
    two_pairs: Floats
    all_one: Floats


def _four_lineages(size: Floats) -> _Four:
    one = 1.0 / size
    with np.errstate(divide="ignore"):
        two = np.log1p(-one)
        three = two + np.log1p(np.maximum(-2.0 * one, -1.0))
        four = three + np.log1p(np.maximum(-3.0 * one, -1.0))
    merge2, merge3, merge4 = one, np.exp(two) * one, np.exp(three) * one  # one given pair merges, no other
    both = merge3 * one  # of 4: two given pairs merge, or three given items
    same2, apart2 = (end[:-1] for end in two_ends(np.exp(two), merge2, np.zeros_like(one)))
    apart3 = np.exp(np.append(0.0, running_sum(three)))[:-1]
    # Two pairs that share an item, then two without one: covariance of being apart, and of having merged.
    shared = from_zero(three, merge3 * apart2 * same2)[:-1]
    same3 = from_zero(three, 3.0 * merge3 * same2 + one**2)[:-1]
    # One pair has merged, and now the other two items do.
    second = from_zero(three, merge3 * apart2)[:-1]
    return _Four(
        covariance=from_zero(four, 4.0 * merge4 * shared + 2.0 * both * apart2 * same2),
        one_pair=from_zero(four, 6.0 * merge4 * apart3),
        two_pairs=from_zero(four, 6.0 * merge4 * second + 3.0 * both * apart2),
        all_one=from_zero(four, 6.0 * merge4 * same3 + 7.0 * both * same2 + one**3),
    )


def weighted_identity(
    weight: npt.ArrayLike, human: int, synthetic: int, *, generations: int | None = None
) -> Predicted:
    """Return ``v`` where human data weigh a constant share in training, whatever their number.

    Statement: with weight w on ``n`` fresh human items and 1 - w on ``m`` synthetic ones,
    ``v_{t+1} = w^2/n + (1-w)^2 (v_t + (1 - v_t)/m)`` and ``v_1 = 1/(n+m)``; stationary
    ``(w^2/n + (1-w)^2/m) / (1 - (1-w)^2 (1 - 1/m))``.

    Kind: exact. Validity: Mix of Fresh and Synthetic with constant sizes and weights.

    References: 2502.18049.

    Parameters
    ----------
    weight : float array
        w, in [0, 1].
    human, synthetic : int
        n and m.
    generations : int, optional
        t; the stationary value if left out.

    Examples
    --------
    >>> weighted_identity([0.5, 0.618], 1000, 1000).values.round(7).tolist()
    [0.0006664, 0.0006179]
    """
    w = np.asarray(weight, dtype=np.float64)
    n, m = _group("human", human), _group("synthetic", synthetic)
    t = None if generations is None else _later("generations", generations)
    if not np.all((w >= 0.0) & (w <= 1.0)):
        raise SpecError("weight", weight, "is outside [0, 1]", "give a share such as 0.618")
    statement = "v where human data weigh w, recursion of second moments (arXiv 2502.18049)"
    return Predicted(np.asarray(_weighted(w, n, m, t), dtype=np.float64), "exact", statement)


def best_weight(human: int, synthetic: int, *, generations: int | None = None) -> Predicted:
    """Return the constant weight on human data that makes the model's variance least.

    Statement: the least of `weighted_identity` over w in [0, 1], found by a search over w and then a root of
    the derivative. In the stationary state it is ``1 - w = 2 / (1+r+k + sqrt((1-r+k)^2 + 4 r k))`` with
    ``k = n/m`` and ``r = 1 - 1/m`` (so, for large n = m, the golden ratio's .618).

    Kind: exact, to about 1e-13. Validity: that of `weighted_identity`; the same w for every second moment.

    References: 2502.18049 (large n; the finite form is derived here).

    Parameters
    ----------
    human, synthetic : int
        n fresh human and m synthetic items in every batch.
    generations : int, optional
        The generation, 2 or later, whose variance is made least; the stationary state if left out.

    Examples
    --------
    >>> round(float(best_weight(10**6, 10**6).values), 5), round(float(best_weight(10, 10).values), 3)
    (0.61803, 0.607)
    """
    n, m = _group("human", human), _group("synthetic", synthetic)
    t = None if generations is None else _later("generations", generations)
    grid = np.linspace(0.0, 1.0, 2001)
    best = int(np.argmin(_weighted(grid, n, m, t)))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, 2000)]
    weight = low
    if (
        _slope(low, n, m, t) < 0.0
    ):  # else the run is so short, and generation 1 so good, that it needs no more
        from scipy.optimize import brentq

        weight = brentq(_slope, low, high, args=(n, m, t), xtol=1e-15)
    statement = "least of v over the weight of human data, any second moment (arXiv 2502.18049)"
    return Predicted(np.asarray(weight, dtype=np.float64), "exact", statement)


def _weighted(w: npt.NDArray[np.inexact], n: int, m: int, t: int | None) -> npt.NDArray[np.inexact]:
    stay, gain = (1.0 - w) ** 2 * (1.0 - 1.0 / m), w**2 / n + (1.0 - w) ** 2 / m
    if t is None:
        return gain / (w * (2.0 - w) + (1.0 - w) ** 2 / m)
    # The sum of stay^k needs no division, so w = 0 with m in the billions loses nothing.
    total, power = _geometric(stay, t - 1)
    return gain * total + power / (n + m)


def _geometric(x: npt.NDArray[np.inexact], count: int) -> tuple[npt.NDArray[np.inexact], ...]:
    """``sum_{k < count} x^k`` and ``x^count``, by doubling."""
    if count == 0:
        return np.zeros_like(x), np.ones_like(x)
    total, power = _geometric(x, count // 2)
    total, power = total * (1.0 + power), power * power
    return (1.0 + x * total, x * power) if count % 2 else (total, power)


def _slope(w: float, n: int, m: int, t: int | None) -> float:
    """Derivative by a step along the imaginary axis: no difference is taken, so none is rounded."""
    return float(_weighted(np.asarray(w + 1e-30j), n, m, t).imag / 1e-30)


def _group(name: str, value: int) -> int:
    return whole(value, name, 1, MAX_SAMPLES, "give a number of items such as 1000")


def _later(name: str, value: int) -> int:
    return whole(value, name, 2, 10**9, "give 2 or more: generation 1 is human whatever the weight")

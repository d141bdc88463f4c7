# SPDX-License-Identifier: MIT
"""A Gaussian fitted to samples of a Gaussian, again and again.

Everything is told in units of the reference: variances over its own, distances over its standard deviation.
``ddof`` is the divisor's: the fitted variance divides by M - ddof, M the size of the training set. With
``ddof=0`` it is maximum likelihood, with ``ddof=1`` unbiased for one sample. They part at once: 100
generations of 100 samples leave 37 % of the variance with the one, 100 % with the other.

`spread` holds for every regime. All else (`power_mean`, `log_det`, `wasserstein`, `exceeds`) needs the law of
a product of chi-squares, which only Replace gives; `refits` says whether a composition is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._checks import number, whole
from ..errors import SpecError
from ._log_gamma import log_mean, log_moment, product_tail
from ._result import Floats, Predicted
from ._scan import recorded, running_sum
from ._spread import spread_and_drift
from .moments import identity

if TYPE_CHECKING:
    from .._compose import Composition

__all__ = [
    "LogDet",
    "Spread",
    "exceeds",
    "exceeds_at_most",
    "log_det",
    "power_mean",
    "refits",
    "spread",
    "wasserstein",
]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Spread(Predicted):
    """How wide the model is, and how far it has drifted.

    Attributes
    ----------
    values : float64[n]
        ``E Sigma_t`` over ``Sigma_0``: one number for the whole matrix.
    drift : float64[n]
        ``E |mu_t - mu_0|^2`` over the trace of ``Sigma_0``.
    """

    drift: Floats = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class LogDet(Predicted):
    """Logarithm of the fitted covariance's determinant over the reference's.

    Attributes
    ----------
    values, variance : float64[n]
        Its mean and its variance.
    """

    variance: Floats = field(kw_only=True)


def spread(composition: Composition, ddof: int, at: npt.ArrayLike | None = None) -> Spread:
    """Return the expected covariance over the reference's, and the mean's expected squared drift.

    Statement: ddof=0: ``E Sigma_t = Sigma_0 (1 - v_t)`` and ``E |mu_t - mu_0|^2 = v_t tr Sigma_0``, with v
    from `moments.identity`. ddof=1: expected squared distances among batches, models, kept set and reference
    step linearly. Replace: ``E Sigma_t = Sigma_0``, drift ``sum_s 1/N_s``. Accumulate with equal batches n:
    ``prod_{j=2}^t (1 - 1/(j (j n - 1)))``.

    Kind: exact, to about 1e-13 (ddof=0), or 1e-15 a generation (ddof=1).

    Validity: any number of dimensions (at N <= d too: a singular covariance has an expectation like any
    other); ddof=0: every regime; ddof=1: every regime whose items all weigh the same, and training sets of
    two items or more.

    References: 2305.17493 (Replace); 2404.01413, 2410.22812 (Accumulate); 2410.16713 (AccumulateSubsample).

    Parameters
    ----------
    composition : Composition
        What every generation is trained on (``spec.composition``).
    ddof : {0, 1}
        The fitted covariance divides by M - ddof.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Raises
    ------
    SpecError
        With ddof=1 and items of different weights, which have no one unbiased divisor, or a training set of
        one item.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(2), regime=tb.Accumulate(), samples=100, generations=100)
    >>> [round(float(spread(spec.composition, ddof, [100]).values[0]), 4) for ddof in (0, 1)]
    [0.9837, 0.9936]
    """
    statement = "E Sigma_t / Sigma_0, any regime linear in its sources, from second moments"
    index = recorded(at, len(composition.samples) - 1)
    if _divisor(ddof) == 0:
        shared = identity(composition)
        own, drift = shared.apart, shared.values
    else:
        _check_alike(composition)
        own, drift = _unbiased(composition)
    return Spread(own[index], "exact", statement, drift=drift[index])


def refits(composition: Composition, what: str) -> Floats:
    """Return the sizes of the batches, if each generation is fitted to its own batch of the last model.

    Only then is the fitted variance a product of independent chi-squares, so only then is ``what`` known.

    Raises
    ------
    SpecError
        For any other regime.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(2), regime=tb.Accumulate(), samples=100, generations=3)
    >>> refits(spec.composition, "E sigma_t")
    Traceback (most recent call last):
    ...
    tailbiter.errors.SpecError: regime: 'E sigma_t' is not known where training sets are not single batches...
    """
    other = (
        composition.draw is not None
        or composition.fresh[:-1].any()
        or composition.from_kept[:-1].any()
        or (len(composition.samples) > 2 and len(composition.ages) != 1)
    )
    if other:
        problem = "is not known where training sets are not single batches of the last model"
        raise SpecError("regime", what, problem, "use Replace, or ask for spread, which every regime has")
    return composition.samples[:-1].astype(np.float64)


def power_mean(power: float, samples: npt.ArrayLike, ddof: int, at: npt.ArrayLike | None = None) -> Predicted:
    """Return ``E (sigma_t / sigma_0)^(2 power)`` of one dimension: 1/2 for the standard deviation's mean.

    Statement: ``prod_s (2/(N_s - ddof))^p G((N_s - 1)/2 + p) / G((N_s - 1)/2)``; with p = 1/2 and ddof=1 that
    is ``c4(N)^t``.

    Kind: exact; its logarithm to about 1e-13 of itself.

    Validity: Replace, one dimension; powers above ``-(N - 1)/2`` of every batch.

    References: section 2 of 2305.17493; 2412.17646.

    Parameters
    ----------
    power : float
        p. 1/2: the standard deviation; 1: the variance; 2: its square.
    samples : int array [T]
        Batch sizes, 2 or more.
    ddof : {0, 1}
        The fitted variance divides by N - ddof.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Examples
    --------
    >>> power_mean(0.5, [10, 10, 10], 1).values.round(6).tolist()
    [1.0, 0.972659, 0.946066, 0.9202]
    """
    _divisor(ddof)
    sizes = _sizes(samples, 1)
    p = number(power, "power", "give a number such as 0.5")
    if 2.0 * p <= 1.0 - sizes.min():
        problem = f"has no finite expectation with batches of {int(sizes.min()):,}"
        raise SpecError("power", p, problem, f"give a power above {(1.0 - sizes.min()) / 2:g}")
    values = np.exp(_log_power(p, sizes, ddof, recorded(at, len(sizes))))
    return Predicted(values, "exact", "E sigma_t^(2p), Replace: a product of chi-square moments")


def log_det(
    samples: npt.ArrayLike, ddof: int, at: npt.ArrayLike | None = None, *, dimensions: int = 1
) -> LogDet:
    """Return the mean and the variance of ``ln det Sigma_t - ln det Sigma_0``.

    Statement: mean ``sum_s sum_{j=1}^d [psi((N_s - j)/2) - ln((N_s - ddof)/2)]``, variance
    ``sum_s sum_j psi'((N_s - j)/2)``; with d = 1 the law of ``ln sigma_t^2``.

    Kind: exact, to about 1e-13 of each.

    Validity: Replace with N > d in every batch; at N <= d the fitted covariance is singular at once.

    References: Bartlett's decomposition of a Wishart matrix; 2305.17493.

    Parameters
    ----------
    samples : int array [T]
        Batch sizes, more than ``dimensions``.
    ddof : {0, 1}
        The fitted covariance divides by N - ddof.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.
    dimensions : int, default 1
        d.

    Examples
    --------
    >>> log_det([10] * 100, 1, [0, 100]).values.round(4).tolist()
    [0.0, -11.5206]
    """
    d = whole(dimensions, "dimensions", 1, 10**6, "give a number of dimensions")
    _divisor(ddof)
    sizes = _sizes(samples, d)
    distinct, which = np.unique(sizes, return_inverse=True)
    mean, variance = np.zeros(len(distinct)), np.zeros(len(distinct))
    from scipy.special import polygamma

    for j in range(1, d + 1):
        half = (distinct - j) / 2.0
        mean += log_mean(half) + np.log1p(-(j - ddof) / (distinct - ddof))
        variance += polygamma(1, half)
    index = recorded(at, len(sizes))
    statement = "ln det Sigma_t, Replace: sums of digamma and trigamma (Bartlett)"
    return LogDet(_sums(mean[which])[index], "exact", statement, variance=_sums(variance[which])[index])


def wasserstein(
    samples: npt.ArrayLike, ddof: int, at: npt.ArrayLike | None = None, *, variances: npt.ArrayLike = 1.0
) -> Predicted:
    """Return ``E W_2^2`` between the model and the reference.

    Statement: one dimension: ``sigma_0^2 [D_t + E r_t + 1 - 2 E sqrt(r_t)]`` with D the mean's drift and r
    the ratio of variances; with ddof=1 ``sigma_0^2 [t/n + 2 (1 - c4^t)]``. In d dimensions W is at least what
    the axes make of it one by one (the sum of the above over the eigenvalues of ``Sigma_0``), and at most
    what the coupling of one normal vector z as ``L_0 z`` and ``L_t z`` gives, ``L_t = L_0 T_1 ... T_t`` with
    Bartlett's triangular factors: the same with ``(E chi_{n-j})^t`` for the j-th largest eigenvalue in place
    of the first's.

    Kind: exact in one dimension; else bound: the two sides' middle, and half of their distance.

    Validity: Replace; N > d.

    References: 2305.17493; the bounds are derived here (Gelbrich's formula; Bartlett's decomposition).

    Parameters
    ----------
    samples : int array [T]
        Batch sizes, more than the dimensions.
    ddof : {0, 1}
        The fitted covariance divides by N - ddof.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.
    variances : float array [d], default 1.0
        Eigenvalues of the reference's covariance.

    Examples
    --------
    >>> wasserstein([100] * 200, 1, [1, 200]).values.round(5).tolist()
    [0.01504, 2.79304]
    """
    scale = np.sort(np.atleast_1d(np.asarray(variances, dtype=np.float64)))[::-1]
    if not np.all(scale >= 0.0):
        raise SpecError("variances", variances, "holds a negative eigenvalue", "give eigenvalues of Sigma_0")
    _divisor(ddof)
    sizes = _sizes(samples, len(scale))
    index = recorded(at, len(sizes))
    log_ratio = _sums(np.log1p(-(1.0 - ddof) / sizes))  # of E Sigma
    carried = np.exp(log_ratio[:-1])
    drift = np.append(0.0, running_sum(carried / sizes))[index]
    base = drift + np.expm1(log_ratio[index])
    # Largest eigenvalue first, where the degrees of freedom are most: so the bound is least.
    shrink = [-2.0 * np.expm1(_log_root(sizes, ddof, j, index)) for j in range(1, len(scale) + 1)]
    low = scale.sum() * (base + shrink[0])
    statement = "E W_2^2 to the reference, Replace"
    if len(scale) == 1:
        return Predicted(low, "exact", statement + ", one dimension")
    high = scale.sum() * base + np.einsum("j,jt->t", scale, np.array(shrink))
    middle = statement + ": between the sum over axes and Bartlett's coupling"
    return Predicted((low + high) / 2.0, "bound", middle, error=(high - low) / 2.0)


def exceeds(
    threshold: npt.ArrayLike, samples: npt.ArrayLike, ddof: int, at: npt.ArrayLike | None = None
) -> Predicted:
    """Return ``P(sigma_t > threshold sigma_0)`` of one dimension.

    Statement: ``sigma_t^2 / sigma_0^2`` is a product of independent chi-squares with ``N_s - 1`` degrees of
    freedom over ``N_s - ddof``; its law by inverting its moments along a line through the saddle point.

    Kind: exact; the smaller of the probability and its complement to about 1e-11 of itself.

    Validity: Replace, one dimension.

    References: 2412.17646 (bounds, and runs that this reproduces).

    Parameters
    ----------
    threshold : float array
        Positive.
    samples : int array [T]
        Batch sizes, 2 or more.
    ddof : {0, 1}
        The fitted variance divides by N - ddof.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Returns
    -------
    Predicted
        Values of shape ``[n, *threshold.shape]``.

    Examples
    --------
    >>> exceeds(0.1, [10] * 200, 1, [10, 50, 200]).values.round(5).tolist()
    [0.98214, 0.37554, 0.00404]
    """
    _divisor(ddof)
    level, sizes = _levels(threshold), _sizes(samples, 1)
    index = recorded(at, len(sizes))
    out = np.empty((len(index), level.size))
    for row, t in enumerate(index.tolist()):
        if t == 0:
            out[row] = level.ravel() < 0.0
            continue
        distinct, copies = np.unique(sizes[:t], return_counts=True)
        half, count = (distinct - 1.0) / 2.0, copies.astype(np.float64)
        shift = (1 - ddof) * float(count @ np.log1p(-1.0 / distinct))
        out[row] = [product_tail(half, count, 2.0 * x - shift) for x in level.ravel().tolist()]
    statement = "P(sigma_t > x), Replace, one dimension: a product of chi-squares"
    return Predicted(out.reshape(len(index), *level.shape), "exact", statement)


def exceeds_at_most(
    threshold: npt.ArrayLike, samples: npt.ArrayLike, ddof: int, at: npt.ArrayLike | None = None
) -> Predicted:
    """Bound ``P(sigma_t > threshold sigma_0)`` by Markov's inequality, in closed form.

    Statement: at most ``E sigma_t / threshold``; with ddof=1 and equal batches ``c4(n)^t / threshold``,
    itself at most ``exp(-t/(4n - 1)) / threshold``. Kind: bound: half of it, within half of it. Validity and
    parameters: those of `exceeds`. References: 2412.17646 (the second form).

    Examples
    --------
    >>> most = exceeds_at_most(0.1, [10] * 200, 1, [50, 200])
    >>> (most.values + most.error).round(5).tolist()
    [1.0, 0.0391]
    """
    level = _levels(threshold)
    root = power_mean(0.5, samples, ddof, at).values
    half = np.minimum(np.multiply.outer(root, np.exp(-level)), 1.0) / 2.0
    return Predicted(half, "bound", "P(sigma_t > x) <= E sigma_t / x, Replace (arXiv 2412.17646)", error=half)


def _divisor(ddof: int) -> int:
    return whole(ddof, "ddof", 0, 1, "give 0 (maximum likelihood) or 1 (unbiased)")


def _check_alike(made: Composition) -> None:
    """Refuse what ddof=1 does not define."""
    weighted = made.item_weights is not None or (
        made.ages.size > 1 and bool(np.any(made.ages != made.ages[0]))
    )
    if weighted:
        problem = "is not defined where training items weigh differently (each has its own unbiased divisor)"
        raise SpecError("ddof", 1, problem, "use ddof=0, or weigh all items alike")
    sizes = made.samples[:-1] if made.draw is None else made.draw[:-1]
    alone = np.flatnonzero(sizes == 1)
    batches = 1 if made.draw is not None or made.ages.size == 1 else 2
    single = alone if batches == 1 else alone[alone == 0]
    if single.size:
        problem = f"leaves no variance to fit: generation {int(single[0]) + 1} is trained on one item"
        raise SpecError("ddof", 1, problem, "use ddof=0, or two samples or more")


def _unbiased(made: Composition) -> tuple[Floats, Floats]:
    human = made.fresh.any() or made.from_kept.any()
    if made.draw is None and made.ages.size == 1 and not human:
        sizes = made.samples[:-1].astype(np.float64)
        return np.ones(len(sizes) + 1), np.append(0.0, running_sum(1.0 / sizes))
    return spread_and_drift(made, 1)


def _sizes(samples: npt.ArrayLike, dimensions: int) -> Floats:
    sizes = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    low = np.flatnonzero(~(sizes > dimensions))
    if low.size:
        at = int(low[0])
        problem = f"leaves a singular covariance in {dimensions} dimension(s) (generation {at + 1})"
        raise SpecError("samples", float(sizes[at]), problem, f"give {dimensions + 1} samples or more")
    return sizes


def _levels(threshold: npt.ArrayLike) -> Floats:
    value = np.asarray(threshold, dtype=np.float64)
    if not np.all((value > 0.0) & np.isfinite(value)):
        raise SpecError("threshold", threshold, "is not positive and finite", "give a share such as 0.1")
    return np.log(value)


def _sums(steps: Floats) -> Floats:
    """Sums of the first t steps, t = 0 .. T."""
    return np.append(0.0, running_sum(steps))


def _log_power(power: float, sizes: Floats, ddof: int, index: Indices) -> Floats:
    distinct, which = np.unique(sizes, return_inverse=True)
    step = log_moment((distinct - 1.0) / 2.0, power) + power * (1 - ddof) * np.log1p(-1.0 / distinct)
    return _sums(np.asarray(step[which], dtype=np.float64))[index]


def _log_root(sizes: Floats, ddof: int, j: int, index: Indices) -> Floats:
    """``ln prod E chi_{N-j} / sqrt(N - ddof)``: the j-th diagonal entry of Bartlett's factors."""
    distinct, which = np.unique(sizes, return_inverse=True)
    half = (distinct - j) / 2.0
    step = log_moment(half, 0.5) + 0.5 * np.log1p(-(j - ddof) / (distinct - ddof))
    return _sums(np.asarray(step[which], dtype=np.float64))[index]

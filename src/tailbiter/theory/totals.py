# SPDX-License-Identifier: MIT
"""Laws with one parameter, their mean, that are fitted by a sum: Poisson and exponential.

The variance of an item is a quadratic in its mean, ``V(m) = a + b m + c m^2`` (Morris 1982): ``m`` for the
Poisson law (c = 0), ``m^2`` for the exponential (c = 1); one category's indicator has ``m - m^2`` (c = -1).
Fits are means of training sets, so that the model's mean is a martingale, and c alone decides how its
variance grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._checks import within
from ..errors import SpecError
from ._log_gamma import log_mean
from ._pools import all_batches, check_window
from ._result import Floats, Predicted
from ._scan import from_zero, recorded, running_sum

if TYPE_CHECKING:
    from .._compose import Composition

__all__ = ["CURVATURE", "LogScale", "absorbed", "log_scale", "spread"]

CURVATURE = {"bernoulli": -1, "poisson": 0, "exponential": 1}
"""The coefficient c of an item's variance, by law."""


@dataclass(frozen=True, eq=False)
class LogScale(Predicted):
    """Logarithm of the fitted scale over the reference's.

    Attributes
    ----------
    values, variance : float64[n]
        Its mean and its variance.
    """

    variance: Floats = field(kw_only=True)


def spread(composition: Composition, law: str, at: npt.ArrayLike | None = None) -> Predicted:
    """Return ``Var m_t / V(m_0)``: the variance of the model's mean, over that of one human item.

    Statement: a batch of n from a model of mean m has a mean of variance ``V(m)/n``, and
    ``E V(m_t) = V(m_0) (1 + c U_t)``, U what is returned; so U steps linearly. Replace: ``1 + c U_t =
    prod_s (1 + c/N_s)``, and ``sum_s 1/N_s`` where c = 0. With c = -1 it is `moments.identity`.

    Kind: exact, to about 1e-13 of itself.

    Validity: every regime but AccumulateSubsample and a hoard of which a part is drawn.

    References: Morris 1982 (doi:10.1214/aos/1176345690) for the variances.

    Parameters
    ----------
    composition : Composition
        What every generation is trained on (``spec.composition``).
    law : {"poisson", "exponential", "bernoulli"}
        Of the items.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Raises
    ------
    SpecError
        For another law or regime, and for a window of more than 10,000 batches in a longer run.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Poisson(3.0), samples=100, generations=200)
    >>> [round(float(spread(spec.composition, law, [200]).values[0]), 4) for law in CURVATURE]
    [0.866, 2.0, 6.316]
    """
    if law not in CURVATURE:
        known = ", ".join(CURVATURE)
        raise SpecError("law", law, "is not a law with a quadratic variance known here", f"give {known}")
    index = recorded(at, len(composition.samples) - 1)
    statement = "Var m_t over that of one item, any regime linear in its sources (Morris 1982)"
    return Predicted(_spread(composition, CURVATURE[law])[index], "exact", statement)


def _spread(made: Composition, c: int) -> Floats:
    sizes, fresh = made.samples[:-1].astype(np.float64), made.fresh[:-1].astype(np.float64)
    drawn = made.from_kept[:-1]
    if made.draw is not None or ((drawn > 0) & (drawn < made.kept)).any():
        problem = "is not known where items are drawn from past ones"
        raise SpecError("regime", "Var m_t", problem, "use another regime")
    if all_batches(made.ages, len(sizes)):
        total = np.cumsum(sizes)
        old, square = total - fresh, total**2
        return _steps((old**2 + c * (sizes - fresh)) / square, sizes / square)
    if len(made.ages) > 1:
        check_window(len(made.ages))
        return np.array([0.0, *_windowed(made.ages.astype(np.float64), sizes, fresh, c)])
    return _newest(made, sizes, fresh, c)


def _steps(stay: Floats, gain: Floats) -> Floats:
    """Step ``u <- stay u + gain`` from 0."""
    with np.errstate(divide="ignore"):
        return from_zero(np.log(stay), gain)


def _newest(made: Composition, sizes: Floats, fresh: Floats, c: int) -> Floats:
    """Training sets that are the newest batch: items drawn from the model, fresh and kept human ones."""
    kept = made.from_kept[:-1].astype(np.float64)
    counts = np.stack([sizes - fresh - kept, fresh, kept])
    shares = counts if made.item_weights is None else counts * made.item_weights[:-1].T.astype(np.float64)
    shares = shares / shares.sum(axis=0)
    s, _, k = shares
    one = shares**2 / np.maximum(counts, 1.0)
    gain = one.sum(axis=0)
    if made.kept:
        # With the kept set's mean: generation 1's batch and the set are prefixes of one stream.
        stay, shared = s.copy(), k / made.kept
        stay[0], shared[0] = 0.0, 1.0 / max(made.kept, sizes[0])
        gain += 2.0 * s * k * _steps(stay, shared)[:-1]
    return _steps(s**2 + c * one[0], gain)


def _windowed(ages: Floats, sizes: Floats, fresh: Floats, c: int) -> Iterator[float]:
    """The table of covariances of the last batches, in a ring."""
    span = len(ages)
    table, cross, own = np.zeros((span, span)), np.zeros(span), 0.0
    for t, (size, human) in enumerate(zip(sizes.tolist(), fresh.tolist(), strict=True)):
        here, born = t % span, size - human
        share = born / size
        table[here] = table[:, here] = share * cross
        table[here, here] = share**2 * own + (born * (1.0 + c * own) + human) / size**2
        alive = np.arange(min(t + 1, span))
        weight = np.zeros(span)
        weight[(t - alive) % span] = ages[alive] * sizes[t - alive]
        weight /= weight.sum()
        cross = table @ weight
        own = float(cross @ weight)
        yield own


def absorbed(composition: Composition, rate: float, at: npt.ArrayLike | None = None) -> Predicted:
    """Return the chance that the model of a generation has a Poisson rate of 0.

    Statement: given the model before, the sum of a batch is Poisson, so its generating function is iterated
    backward: with constant batches ``P(rate_t = 0) = exp(-N rate_0 g_t)``, ``g_1 = 1``,
    ``g_{t+1} = 1 - exp(-g_t)``. Fresh human items add their share of the exponent at every step. With all
    batches in training only the first can decide.

    Kind: exact, to about 1e-13.

    Validity: Replace, fresh human items in any share and weight, Accumulate.

    References: Harris 1963, The Theory of Branching Processes, chapter I (the iteration).

    Parameters
    ----------
    composition : Composition
        What every generation is trained on (``spec.composition``).
    rate : float
        Mean count of a human item.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Raises
    ------
    SpecError
        For a window, a kept set or a subsample.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Poisson(0.1), samples=20, generations=50)
    >>> absorbed(spec.composition, 0.1, [1, 10, 50]).values.round(4).tolist()
    [0.1353, 0.7086, 0.9261]
    """
    mean = within(rate, "rate", 0.0, 1e6, "give a mean count such as 2.5")
    index = recorded(at, len(composition.samples) - 1)
    if composition.draw is not None or composition.kept or composition.ages.size > 1:
        problem = "is not known where models share items of the past"
        raise SpecError("regime", "P(rate = 0)", problem, "use Replace, fresh human items or Accumulate")
    exponent = _pooled_exponent(composition) if not composition.ages.size else _exponent(composition, index)
    exponent = exponent[index] if not composition.ages.size else exponent
    statement = "P(rate_t = 0), the generating function of a Poisson sum iterated backward"
    values = np.where(index > 0, np.exp(-mean * exponent), 0.0)
    return Predicted(values, "exact", statement)


def _pooled_exponent(made: Composition) -> Floats:
    """Human items so far: none of them may hold an event, then no model does."""
    human = made.fresh[:-1].astype(np.float64)
    human[0] = made.samples[0]
    return np.append(0.0, np.cumsum(human))


def _exponent(made: Composition, index: npt.NDArray[np.int64]) -> Floats:
    """``-ln P(rate_t = 0) / rate_0`` for all asked generations, step by step backward."""
    fresh = made.fresh[:-1].astype(np.float64)
    born = made.samples[:-1] - fresh
    weights = np.ones((len(fresh), 2))
    if made.item_weights is not None:
        weights = made.item_weights[:-1, :2].astype(np.float64)
    total = weights[:, 0] * born + weights[:, 1] * fresh
    out, slope = np.zeros(len(index)), np.zeros(len(index))  # of rate_0 and of the model's mean, in exponents
    for t in range(int(index.max(initial=0)), 0, -1):
        with np.errstate(divide="ignore"):
            # The event itself: every item of some weight must be 0, as a slope without end would have it.
            here = np.where(index == t, np.inf, slope)
        active = index >= t
        share = [_lost(here, weights[t - 1, source] / total[t - 1]) for source in (0, 1)]
        out[active] += (fresh[t - 1] * share[1])[active]
        slope[active] = (born[t - 1] * share[0])[active]
    return out + slope  # generation 1's batch is human


def _lost(slope: Floats, weight: float) -> Floats:
    """``1 - exp(-slope weight)``; nothing for items of no weight."""
    return -np.expm1(-slope * weight) if weight > 0.0 else np.zeros_like(slope)


def log_scale(samples: npt.ArrayLike, at: npt.ArrayLike | None = None) -> LogScale:
    """Return the mean and the variance of ``ln(scale_t / scale_0)`` of an exponential law.

    Statement: the scale is multiplied by Gamma(N)/N each generation, so the mean is
    ``sum_s [psi(N_s) - ln N_s]``, about ``-t/(2 N)``, and the variance ``sum_s psi'(N_s)``.

    Kind: exact, to about 1e-13 of each.

    Validity: Replace.

    References: none beyond the gamma law.

    Parameters
    ----------
    samples : int array [T]
        Batch sizes.
    at : int array, optional
        Generations, 0 allowed; 0 to T if left out.

    Examples
    --------
    >>> log_scale([1] * 100, [0, 100]).values.round(4).tolist()  # Euler's constant a generation
    [0.0, -57.7216]
    """
    from scipy.special import polygamma

    sizes = np.atleast_1d(np.asarray(samples, dtype=np.float64))
    if sizes.ndim != 1 or not len(sizes) or not np.all(sizes >= 1):
        raise SpecError("samples", samples, "is not a row of batch sizes", "give one a generation")
    distinct, which = np.unique(sizes, return_inverse=True)
    index = recorded(at, len(sizes))
    mean, variance = -log_mean(distinct)[which], polygamma(1, distinct)[which]
    statement = "ln scale_t, Replace: sums of digamma and trigamma"
    values, squares = (np.append(0.0, running_sum(x))[index] for x in (mean, variance))
    return LogScale(0.0 - values, "exact", statement, variance=squares)

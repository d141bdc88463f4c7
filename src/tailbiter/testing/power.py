# SPDX-License-Identifier: MIT
"""The probability with which an assertion catches a given rival, bounded from below."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from scipy.stats import binom

from .._checks import within
from ..errors import SpecError
from ._evidence import SIZES, Floats, cdf_allowance, checked_law
from ._sequence import Rates, looks

__all__ = ["cdf_power", "law_power"]


def law_power(
    law: npt.ArrayLike,
    rival: npt.ArrayLike,
    *,
    effect: float,
    false_failure: float = 1e-9,
    missed: float = 1e-6,
    most: int = 1_000_000,
) -> float:
    """Bound from below the probability that `assert_law` fails when a rival law is the true one.

    Parameters
    ----------
    law, rival : float array, shape [K]
        Probabilities of all outcomes under the law asserted and under the true one (0 where one excludes
        them).
    effect, false_failure, missed, most
        As given to `assert_law`. The rival must lie at a total variation of ``effect`` or more.

    Returns
    -------
    float
        A lower bound on the probability, proved at every size: no limit theorem.

    Raises
    ------
    SpecError
        If the rival lies nearer than the effect, where nothing is promised, or either is no law.

    Notes
    -----
    The assertion does not fail only if it passes (probability at most ``missed``) or if after ``most``
    outcomes the evidence is below ``1/false_failure``. The mixture is at least its component with
    parameters 1/2, over its weight, and that is never further from the rival's own likelihood than from the
    best fit, so than at a corner of the simplex, where its regret is largest (Xie & Barron 2000,
    doi:10.1109/18.825803). What is left is a sum of independent log-likelihood ratios, for which ``P(sum <=
    x) <= exp(s x) (sum_i rival_i^(1-s) law_i^s)^n`` for every s in (0, 1) (Chernoff 1952).

    Examples
    --------
    >>> law_power([0.5, 0.5], [0.47, 0.53], effect=0.03) > 0.999
    True
    """
    rates = Rates(false_failure, missed, most)
    p = checked_law("law", law)
    other = checked_law("rival", rival, len(p))
    distance = float(np.abs(p - other).sum() / 2)
    if distance < effect * (1 - 1e-12):
        raise SpecError(
            "rival", distance, "is its total variation from the law, below the effect", "lower the effect"
        )
    n, k = rates.most, int(np.count_nonzero(p))
    needed = rates.fail_at + math.log(len(SIZES) + 1) + _largest_regret(k, n)
    both = (p > 0) & (other > 0)
    if not both.any():  # the first outcome is impossible under the law
        return 1.0 - rates.missed
    return max(0.0, 1.0 - rates.missed - _chance_below(p[both], other[both], n, needed))


def _largest_regret(k: int, n: int) -> float:
    """Log likelihood that the mixture with parameters 1/2 loses where all outcomes seen are one."""
    return float(gammaln(k / 2 + n) - gammaln(k / 2) - gammaln(n + 0.5) + gammaln(0.5))


def _chance_below(p: Floats, other: Floats, n: int, x: float) -> float:
    """Bound the chance under ``other`` that no outcome is impossible and the log ratio is at most x."""

    def log_bound(s: float) -> float:
        return s * x + n * math.log(float(np.sum(other ** (1 - s) * p**s)))

    best = minimize_scalar(log_bound, bounds=(0.0, 1.0), method="bounded")
    return math.exp(min(0.0, float(best.fun)))


def cdf_power(
    expected: float,
    rival: float,
    *,
    false_failure: float = 1e-9,
    missed: float = 1e-6,
    most: int = 1_000_000,
) -> float:
    """Bound from below the probability that `assert_cdf` fails when a rival law is the true one.

    Parameters
    ----------
    expected, rival : float
        Both distribution functions at one point; the bound is best where they differ most.
    false_failure, missed, most
        As given to `assert_cdf`, with an effect of at most the Kolmogorov distance of the two laws.

    Returns
    -------
    float
        A lower bound on the probability.

    Raises
    ------
    SpecError
        If either is no probability.

    Notes
    -----
    It does not fail only if it passes, or if at the last look the share of values up to the point lies within
    `cdf_allowance` of ``expected``; that share is binomial.

    Examples
    --------
    >>> cdf_power(0.5, 0.52) > 0.999 > cdf_power(0.5, 0.52, most=10_000)
    True
    """
    expected = within(expected, "expected", 0, 1, "give a probability")
    rival = within(rival, "rival", 0, 1, "give a probability")
    rates = Rates(false_failure, missed, most)
    allowed = cdf_allowance(rates.most, sum(1 for _ in looks(rates.most)), rates.false_failure)
    n = rates.most
    first, last = math.ceil(n * (expected - allowed)), math.floor(n * (expected + allowed))
    near = float(binom.cdf(last, n, rival) - binom.cdf(first - 1, n, rival))
    return max(0.0, 1.0 - rates.missed - near)

# SPDX-License-Identifier: MIT
"""Decisions about samples: each states its rate of false alarms, and the smallest effect it would see.

No limit theorem stands behind the false-alarm rates unless a function says so: they are bounds that hold at
every sample size. ``effect`` is the smallest departure that a test of this size finds with probability
`POWER`; a test declares the effect it needs and `require` refuses a design that cannot see it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import rel_entr
from scipy.stats import ncx2, norm

FALSE_ALARM = 1e-9
POWER = 0.999
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What a test found.

    Attributes
    ----------
    statistic, threshold
        The law is rejected when the first exceeds the second.
    effect
        Smallest departure found with probability `POWER`, in the units that the test states.
    what
        The departure seen, in words.
    """

    statistic: float
    threshold: float
    effect: float
    what: str

    @property
    def rejected(self) -> bool:
        """Whether the sample contradicts the law."""
        return not self.statistic <= self.threshold


def require(verdict: Verdict, *, effect: float, name: str = "") -> None:
    """Fail if the law is rejected, or if the design could not have seen a departure of size `effect`.

    Raises
    ------
    AssertionError
        With what was seen, or what the design can see.
    """
    text = f"{name}: {verdict.what}; statistic {verdict.statistic:.6g}, threshold {verdict.threshold:.6g}"
    assert verdict.effect <= effect, f"{name}: this design sees {verdict.effect:.3g}, not {effect:.3g}"
    assert not verdict.rejected, text


def g_threshold(cells: int, rate: float) -> float:
    """Value that ``G = 2 n KL(observed || law)`` exceeds with probability at most `rate`, whatever n and the
    law.

    ``E exp(s n KL) <= (1-s)^-(cells-1)`` (Agrawal 2020, "Finite-sample concentration of the multinomial in
    relative entropy"), hence ``P(n KL >= x) <= exp(-x) (e x / (cells-1))^(cells-1)``. For two cells the two
    Chernoff bounds of the binomial are used when they are sharper.
    """
    free = cells - 1
    limit = np.log(rate)

    def excess(x: float) -> float:
        return float(-x + free * (1.0 + np.log(x / free)) - limit)

    bound = brentq(excess, free, 20.0 * free - 4.0 * limit)
    return 2.0 * (min(bound, np.log(2.0) - limit) if free == 1 else bound)


def noncentrality(threshold: float, free: int) -> float:
    """Noncentrality at which a chi-square on `free` degrees exceeds `threshold` with rate `POWER`."""

    def missing(shift: float) -> float:
        return float(ncx2.cdf(threshold, free, shift) - (1.0 - POWER))

    return float(brentq(missing, 1e-6, 100.0 * threshold + 1000.0))


def g_test(observed: ArrayLike, law: ArrayLike, *, tests: int = 1) -> Verdict:
    """Compare counts of independent outcomes with their law. Effect: ``sqrt(sum (p' - p)^2 / p)``.

    Parameters
    ----------
    observed
        How often each outcome was seen.
    law
        Its probability. They must add up to 1; what is seen where the law says 0 is rejected outright.
    tests
        Number of tests that share the false-alarm rate.
    """
    seen, p = np.asarray(observed, dtype=float), np.asarray(law, dtype=float)
    assert seen.shape == p.shape, f"{seen.shape} outcomes against {p.shape} probabilities"
    assert abs(p.sum() - 1.0) < 1e-9, f"the law adds up to {p.sum()}"
    n, free = seen.sum(), int(np.count_nonzero(p)) - 1
    threshold = g_threshold(free + 1, FALSE_ALARM / tests) if free else 1e-3
    g = 2.0 * n * float(rel_entr(seen / n, p).sum())
    effect = float(np.sqrt(noncentrality(threshold, free) / n)) if free else 0.0
    worst = int(np.argmax(np.abs(seen - n * p) / np.sqrt(n * p + 1e-300)))
    cell = f"cell {worst}: {seen[worst]:.0f} seen, {n * p[worst]:.1f} expected"
    return Verdict(g, threshold, effect, f"G = {g:.1f} on {free} df; {cell}")


def count_test(successes: ArrayLike, n: int, p: ArrayLike, *, tests: int | None = None) -> Verdict:
    """Compare binomial counts with their probabilities, each by the Chernoff bounds. Effect: difference of p.

    The counts need not be independent of one another: the rate is divided among them, and among `tests` if
    more.
    """
    seen, law = np.atleast_1d(np.asarray(successes, float)) / n, np.atleast_1d(np.asarray(p, float))
    limit = np.log(2.0 * max(tests or 0, law.size) / FALSE_ALARM)
    distance = n * (rel_entr(seen, law) + rel_entr(1.0 - seen, 1.0 - law))
    # Rounding in a law that says 0 or 1 is not a departure, unless an outcome contradicts it.
    distance[np.abs(seen - law) < 1e-12] = 0.0
    worst = np.unravel_index(int(np.argmax(distance)), distance.shape)
    sd = np.sqrt(law * (1.0 - law) / n).max()
    effect = sd * (np.sqrt(2.0 * limit) + norm.isf(1.0 - POWER)) + limit / n
    what = f"at {tuple(map(int, worst))} share {seen[worst]:.6g} seen, {law[worst]:.6g} expected"
    return Verdict(float(distance[worst]), float(limit), float(effect), what)


def mean_test(
    values: ArrayLike,
    mean: ArrayLike,
    *,
    variance: ArrayLike | None = None,
    span: float,
    tests: int | None = None,
) -> Verdict:
    """Compare means over replicates (axis 0) with expectations. Effect: difference of the mean.

    Bernstein's inequality where the variance of one value is known; Maurer and Pontil's (2009), which uses
    the sample's own, where it is not. The statistic is the distance over the allowed distance, so the
    threshold is 1.

    Parameters
    ----------
    values
        One row a replicate: independent, within an interval of length `span`.
    mean, variance
        Expectation and variance (or a bound on it) of each column.
    tests
        Number of tests that share the false-alarm rate, if more than the columns.
    """
    sample = np.asarray(values, dtype=float).reshape(len(np.asarray(values)), -1)
    n, expected = len(sample), np.broadcast_to(np.ravel(mean), sample.shape[1:])
    known = variance is not None
    var = np.broadcast_to(np.ravel(variance), expected.shape) if known else sample.var(axis=0, ddof=1)
    limit = np.log((2.0 if known else 4.0) * max(tests or 0, expected.size) / FALSE_ALARM)
    slack = span * limit * (1.0 / (3.0 * n) if known else 7.0 / (3.0 * (n - 1)))
    # Sums of floating-point outputs carry rounding that the inequality knows nothing of.
    allowed = np.sqrt(2.0 * var * limit / n) + slack + 1e-12 * span
    distance = np.abs(sample.mean(axis=0) - expected)
    worst = int(np.argmax(distance / allowed))
    effect = float((allowed + norm.isf(1.0 - POWER) * np.sqrt(var / n)).max())
    z = distance[worst] / np.sqrt(var[worst] / n) if var[worst] > 0 else 0.0
    seen = sample[:, worst].mean()
    what = f"column {worst}: mean {seen:.8g} seen, {expected[worst]:.8g} expected, z = {z:.2f}"
    return Verdict(float(distance[worst] / allowed[worst]), 1.0, effect, what)


def normal_test(values: ArrayLike, mean: float, variance: float) -> Verdict:
    """As `mean_test`, for a value that is itself a sum of very many weakly dependent terms, so close to
    normal.

    The false-alarm rate then leans on the normal law; the threshold 7 (where that law has 2.6e-12) leaves
    room for a skewness of the sample mean up to .05: the Edgeworth factor ``exp(skewness z^3 / 6)`` is 17
    there. Effect: difference of the mean.
    """
    sample = np.asarray(values, dtype=float)
    sd = float(np.sqrt(variance / len(sample)))
    z = float((sample.mean() - mean) / sd)
    what = f"mean {sample.mean():.8g} seen, {mean:.8g} expected, z = {z:.2f}"
    return Verdict(abs(z), 7.0, sd * (7.0 + norm.isf(1.0 - POWER)), what)

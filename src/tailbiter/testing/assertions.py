# SPDX-License-Identifier: MIT
"""Assertions about random values: each declares how often it is wrong, and stops as soon as it knows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from .._checks import number
from ..errors import SpecError
from ._evidence import (
    Floats,
    Known,
    Sums,
    cdf_allowance,
    cdf_distance,
    cells,
    checked_sums,
    law_evidence,
    law_radius,
    margin,
    optional_cells,
)
from ._sequence import Draw, Rates, Verdict, draw_up_to, failure, inconclusive, looks

__all__ = ["assert_cdf", "assert_law", "assert_mean"]

_NUMBERS_AT_A_TIME = 4_000_000
_ROWS_AT_A_TIME = 1_000_000


def assert_mean(
    draw: Draw,
    expected: npt.ArrayLike,
    *,
    effect: npt.ArrayLike,
    bounds: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    sd: npt.ArrayLike | None = None,
    error: npt.ArrayLike = 0.0,
    false_failure: float = 1e-9,
    missed: float = 1e-6,
    most: int = 1_000_000,
) -> Verdict:
    """Assert that independent values have an expected mean, or vectors of them expected means.

    Parameters
    ----------
    draw : callable
        ``draw(start, stop)`` returns values number ``start`` to ``stop - 1``: ``float[stop - start,
        ...cells]``. `replicates_of` makes one of a Spec.
    expected : float or array, shape [...cells]
        The means asserted. The cells of one value may depend on each other in any way.
    effect : float or array
        The smallest departure that must be seen, by cell.
    bounds : (low, high), optional
        Bounds of the values, by cell. They, or ``sd``, must be given; with both the test sees more.
    sd : float or array, optional
        The standard deviation of one value or a bound on it from above, by cell.
    error : float or array, default 0
        Departures up to this are no failure: for expectations that are known so well only.
    false_failure : float, default 1e-9
        Probability of a failure, however long it runs and over all cells together, though all means are
        right.
    missed : float, default 1e-6
        Probability of a pass though a mean is off by its effect or more.
    most : int, default 1,000,000
        Values it may use.

    Returns
    -------
    Verdict
        What was seen.

    Raises
    ------
    AssertionError
        If a mean is not the expected one.
    InconclusiveError
        If ``most`` values do not tell. (It is an AssertionError too.)
    SpecError
        For arguments or values that make no sense.

    Notes
    -----
    The numbers of values at which it looks grow by half each time. It fails when the mean over cells of the
    e-values of `mean_evidence` reaches ``1/false_failure``: that mean is a supermartingale too, so no rate
    need be divided among cells. It passes when, in every cell, the evidence against means below ``expected
    - effect`` and against those above ``expected + effect`` both reach ``1/missed``: the confidence
    sequence then lies inside.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> coin = lambda start, stop: rng.random(stop - start) < 0.5
    >>> assert_mean(coin, 0.5, effect=0.02, bounds=(0, 1)).values > 1000
    True
    >>> assert_mean(coin, 0.6, effect=0.02, bounds=(0, 1))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: mean: 0.6 expected, 0.5... seen after ...
    """
    rates = Rates(false_failure, missed, most)
    test = _Means(expected, effect, bounds, sd, error)
    shown_effect = f"{float(np.min(test.effect)):g}"
    seen = 0
    for n in looks(rates.most):
        for values in draw_up_to(draw, seen, n, max(1, _NUMBERS_AT_A_TIME // test.cells)):
            test.add(values)
        seen = n
        verdict = test.verdict(rates)
        if verdict.log_evidence >= rates.fail_at:
            raise failure(verdict, rates, shown_effect)
        if test.excluded() >= rates.pass_at:
            return verdict
    raise inconclusive(verdict, rates, shown_effect)


class _Means:
    """The values so far of `assert_mean`."""

    def __init__(self, expected: Any, effect: Any, bounds: Any, sd: Any, error: Any) -> None:
        shape = np.shape(expected)
        self.expected = cells("expected", expected, shape)
        self.effect = cells("effect", effect, shape)
        self.error = cells("error", error, shape)
        self.cells = max(1, self.expected.size)
        if not self.expected.size:
            raise SpecError("expected", expected, "is empty", "give at least one mean")
        if (self.error < 0).any() or (self.effect <= self.error).any():
            problem = f"is not above error = {float(self.error.max()):g} >= 0"
            raise SpecError(
                "effect", float(self.effect.min()), problem, "give the smallest departure to be seen"
            )
        low, high = _pair(bounds)
        self.low, self.high = optional_cells("bounds", low, shape), optional_cells("bounds", high, shape)
        deviation = optional_cells("sd", sd, shape)
        self.known = Known(self.low, self.high, *self._variance(deviation))
        self._check_known(deviation)
        self.by = self.error + margin(self.expected, self.low, self.high)
        self.sums = Sums(0, np.zeros(shape), np.zeros(shape))

    def _variance(self, deviation: Floats | None) -> tuple[Floats | None, Floats | None]:
        """The variance, and the bets at which a departure of the effect shows fastest."""
        if deviation is None:
            return None, None
        variance = deviation**2
        return variance, self.effect / np.maximum(variance, (1e-3 * self.effect) ** 2)

    def _check_known(self, deviation: Floats | None) -> None:
        if deviation is None and (self.low is None or self.high is None):
            remedy = "give bounds=(low, high), or sd="
            raise SpecError("bounds", None, "is not given on both sides, and no sd either", remedy)
        if deviation is not None and (deviation < 0).any():
            raise SpecError(
                "sd", float(deviation.min()), "is negative", "give the standard deviation of one value"
            )
        if self.low is None or self.high is None:
            return
        if (self.low >= self.high).any():
            raise SpecError(
                "bounds", [float(self.low.max()), float(self.high.min())], "are no interval", "low < high"
            )
        outside = (self.expected < self.low) | (self.expected > self.high)
        if outside.any():
            value = float(self.expected[outside].flat[0])
            raise SpecError("expected", value, "is outside of the bounds", "no mean can lie there")

    def add(self, values: Any) -> None:
        """Take values in."""
        try:
            sample = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise SpecError(
                "draw", values, "is what it returned: no array of numbers", "return numbers"
            ) from None
        if sample.shape[1:] != self.expected.shape:
            problem = f"is the shape of one drawn value, not {self.expected.shape} as expected"
            raise SpecError("draw", sample.shape[1:], problem, "give as many expectations as cells")
        self.sums += checked_sums(sample, self.expected, self.low, self.high)

    def verdict(self, rates: Rates) -> Verdict:
        """Evidence over all cells, and the words for the worst of them."""
        evidence = np.asarray(self.known.apart(self.sums, self.expected, self.by))
        mean = self.sums.total / self.sums.n
        off = np.abs(mean) / self.effect
        overall = float(logsumexp(evidence)) - math.log(self.cells)
        leading = overall >= rates.fail_at
        at = np.unravel_index(int(np.argmax(evidence if leading else off)), off.shape) if off.ndim else ()
        where = f" of cell {tuple(map(int, at))}" if at else ""
        seen = f"{float((self.expected + mean)[at]):.8g} seen"
        what = f"mean{where}: {float(self.expected[at]):.8g} expected, {seen}"
        return Verdict(self.sums.n, what, overall, float(np.abs(mean)[at]))

    def excluded(self) -> float:
        """Least evidence, over cells, against departures of the effect or more."""
        above = self.known.above(self.sums, self.expected, -self.effect)
        below = self.known.below(self.sums, self.expected, -self.effect)
        if self.low is not None and self.high is not None:
            above = np.where(self.expected - self.effect < self.low, np.inf, above)
            below = np.where(self.expected + self.effect > self.high, np.inf, below)
        return float(np.minimum(above, below).min())


def _pair(bounds: Any) -> tuple[Any, Any]:
    if bounds is None:
        return None, None
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise SpecError("bounds", bounds, "are not two", "give bounds=(low, high)") from None
    return low, high


def assert_law(
    draw: Draw,
    law: Mapping[Hashable, float],
    *,
    effect: float,
    false_failure: float = 1e-9,
    missed: float = 1e-6,
    most: int = 1_000_000,
) -> Verdict:
    """Assert that independent outcomes follow a law that was enumerated.

    Parameters
    ----------
    draw : callable
        ``draw(start, stop)`` returns outcomes number ``start`` to ``stop - 1``: an array, a row of which
        (as a tuple) is an outcome, or any other sequence of hashable outcomes. `counts_of` makes one of a
        Spec.
    law : mapping of outcome to probability
        All outcomes that are possible; the probabilities sum to 1.
    effect : float
        The smallest total variation between the true law and this one that must be seen: the largest
        difference that they make to the probability of any event.
    false_failure, missed, most
        As for `assert_mean`.

    Returns
    -------
    Verdict
        What was seen.

    Raises
    ------
    AssertionError
        If the law is another, or an outcome is seen that it excludes.
    InconclusiveError
        If ``most`` outcomes do not tell.
    SpecError
        For arguments that make no sense.

    Notes
    -----
    It fails when the Dirichlet-mixture e-process of `law_evidence` reaches ``1/false_failure``, and passes
    when every law at a total variation of ``effect`` or more is outside of the confidence sequence of
    `law_radius`. The number of values needed is about ``(outcomes + 12)/effect**2``.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> heads = lambda start, stop: rng.binomial(2, 0.5, stop - start)
    >>> assert_law(heads, {0: 1 / 4, 1: 1 / 2, 2: 1 / 4}, effect=0.03).values > 1000
    True
    >>> assert_law(heads, {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}, effect=0.03)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: law: outcome 1 expected with probability 0.33..., seen with share 0.5...
    """
    rates = Rates(false_failure, missed, most)
    share = _effect(effect)
    outcomes, p = _as_law(law)
    place = {outcome: index for index, outcome in enumerate(outcomes)}
    counts = np.zeros(len(p))
    seen = 0
    for n in looks(rates.most):
        for drawn in draw_up_to(draw, seen, n, _ROWS_AT_A_TIME):
            for outcome, times in _tally(drawn):
                if outcome not in place or p[place[outcome]] == 0:
                    raise AssertionError(
                        f"law: outcome {outcome!r} seen, which is impossible (within {n:,} values)"
                    )
                counts[place[outcome]] += times
        seen = n
        verdict = _law_verdict(outcomes, counts, p)
        if verdict.log_evidence >= rates.fail_at:
            raise failure(verdict, rates, f"{share:g} in total variation")
        if verdict.distance + law_radius(counts, p, rates.missed) < share:
            return verdict
    raise inconclusive(verdict, rates, f"{share:g} in total variation")


def _law_verdict(outcomes: list[Hashable], counts: Floats, p: Floats) -> Verdict:
    n = int(counts.sum())
    apart = counts / n - p
    worst = int(np.argmax(apart**2 / np.where(p > 0, p, 1.0)))
    expected = f"outcome {outcomes[worst]!r} expected with probability {p[worst]:.6g}"
    what = f"law: {expected}, seen with share {counts[worst] / n:.6g}"
    return Verdict(n, what, law_evidence(counts, p), float(np.abs(apart).sum() / 2))


def _effect(effect: object) -> float:
    remedy = "give a difference of probabilities such as 0.01"
    value = number(effect, "effect", remedy)
    if not 0 < value < 1:
        raise SpecError("effect", value, "is outside (0, 1)", remedy)
    return value


def _as_law(law: Mapping[Hashable, float]) -> tuple[list[Hashable], Floats]:
    if not isinstance(law, Mapping) or not law:
        raise SpecError(
            "law", law, "is not a mapping of outcomes to probabilities", "give {outcome: probability}"
        )
    for outcome, p in law.items():
        try:
            good = 0 <= float(p) <= 1
        except (TypeError, ValueError):
            good = False
        if not good:
            raise SpecError(f"law[{outcome!r}]", p, "is not a probability", "give a number from 0 to 1")
    chances = np.array([float(p) for p in law.values()])
    if abs(chances.sum() - 1) > 1e-9:
        raise SpecError(
            "law",
            float(chances.sum()),
            "is the sum of its probabilities",
            "name every outcome: they sum to 1",
        )
    return list(law), chances / chances.sum()


def _tally(drawn: Any) -> Iterator[tuple[Hashable, int]]:
    """Outcomes, and how often each was drawn."""
    if not isinstance(drawn, np.ndarray):
        try:
            return iter(Counter(drawn).items())
        except TypeError:
            remedy = "return numbers, texts, tuples of them, or an array"
            raise SpecError("draw", drawn, "holds outcomes that cannot be told apart", remedy) from None
    rows = drawn.reshape(len(drawn), -1) if drawn.ndim > 1 else drawn
    names, times = np.unique(rows, axis=0, return_counts=True)
    listed = names.tolist()
    outcomes = map(tuple, listed) if drawn.ndim > 1 else listed
    return zip(outcomes, times.tolist(), strict=True)


def assert_cdf(
    draw: Draw,
    cdf: Callable[[Floats], npt.ArrayLike],
    *,
    effect: float,
    false_failure: float = 1e-9,
    missed: float = 1e-6,
    most: int = 1_000_000,
) -> Verdict:
    """Assert that independent numbers follow a law given by its distribution function.

    Parameters
    ----------
    draw : callable
        ``draw(start, stop)`` returns values number ``start`` to ``stop - 1``: ``float[stop - start]``.
    cdf : callable
        ``cdf(x)`` is the probability of a value of at most x, for an array of x. The law may be continuous,
        discrete or both: the function is asked just before each value, too, so jumps must be where they
        are.
    effect : float
        The smallest Kolmogorov distance (largest difference between the distribution functions) that must
        be seen.
    false_failure, missed, most
        As for `assert_mean`.

    Returns
    -------
    Verdict
        What was seen. In place of an e-value it holds the reciprocal of a p-value that is valid at any time.

    Raises
    ------
    AssertionError
        If the law is another.
    InconclusiveError
        If ``most`` values do not tell.
    SpecError
        For arguments that make no sense.

    Notes
    -----
    `cdf_allowance` bounds the distance between the shares seen and the true law at all looks together. It
    fails when the distance from the law asserted exceeds it, and passes when distance and allowance (at the
    rate ``missed``) together stay below the effect: after about ``20/effect**2`` values.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> square = lambda start, stop: rng.random(stop - start) ** 2
    >>> assert_cdf(square, np.sqrt, effect=0.05).values > 1000
    True
    >>> assert_cdf(square, lambda x: x, effect=0.05)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: cdf: 0.2... from the law expected after ...
    """
    rates = Rates(false_failure, missed, most)
    furthest = _effect(effect)
    if not callable(cdf):
        raise SpecError(
            "cdf", cdf, "cannot be called", "give a function of an array, such as scipy.stats.norm.cdf"
        )
    values = np.empty(0)
    log_p = 0.0
    for look, n in enumerate(looks(rates.most), 1):
        fresh = [_numbers(drawn) for drawn in draw_up_to(draw, len(values), n, _ROWS_AT_A_TIME)]
        values = np.sort(np.concatenate([values, *fresh]))
        at, before = _at(cdf, values), _at(cdf, np.nextafter(values, -np.inf))
        distance = cdf_distance(values, at, before)
        log_p = min(log_p, math.log(2.0 * look * (look + 1)) - 2.0 * n * distance**2)
        what = f"cdf: {distance:.6g} from the law expected"
        verdict = Verdict(n, what, -log_p, distance)
        if verdict.log_evidence >= rates.fail_at:
            raise failure(verdict, rates, f"{furthest:g}")
        if distance + cdf_allowance(n, look, rates.missed) < furthest:
            return verdict
    raise inconclusive(verdict, rates, f"{furthest:g}")


def _numbers(drawn: Any) -> Floats:
    try:
        values = np.asarray(drawn, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpecError("draw", drawn, "is what it returned: no array of numbers", "return numbers") from None
    if values.ndim != 1 or np.isnan(values).any():
        problem = "is the shape of what it returned" if values.ndim != 1 else "is among what it returned"
        raise SpecError(
            "draw", values.shape if values.ndim != 1 else math.nan, problem, "return one number each"
        )
    return values


def _at(cdf: Callable[[Floats], npt.ArrayLike], points: Floats) -> Floats:
    p = np.asarray(cdf(points), dtype=np.float64)
    good = p.shape == points.shape and bool(np.all((p >= -1e-12) & (p <= 1 + 1e-12)))
    if not good or np.any(np.diff(p) < -1e-12):
        problem = (
            "gave no probabilities that rise" if p.shape == points.shape else f"gave the shape {p.shape}"
        )
        raise SpecError(
            "cdf", cdf, problem, "give a function from an array of numbers to their probabilities"
        )
    return p

# SPDX-License-Identifier: MIT
"""The smallest level at which enough is kept: by theory where that is exact, else by tests of levels.

Tests rest on one assumption, which is said of every answer: that more of the field keeps more. Each level is
tested with lineages of its own, which had no part in choosing it (so words are not shared between levels),
and the k-th test may err with probability ``(1 - confidence)/(k (k + 1))``: these add up to ``1 -
confidence``, so that all verdicts hold together with the confidence stated, however levels were chosen and
whenever the search stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tailbiter.errors import SpecError

from ._axis import Axis
from ._levels import KEPT, NOT_KEPT, UNDECIDED, Expected, Level, expected
from ._target import Part

__all__ = ["Found", "Search", "UnreachableError"]

MOST_TESTS = 24
# Of fewer categories, shares are too coarse for quantiles of a few lineages.
COARSE = 30
# How far tests lie from the guess, in widths of the interval that is asked for.
ASIDE = 0.45
# What it takes to go on narrowing, in the same.
WORTH = 0.25
# Levels around the answer that theory is asked for, as ratios to it.
AROUND = (1 / 8, 1 / 4, 1 / 2, 1 / 1.4, 1.4, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    low : int or None
        Largest level shown not to keep enough; None where the first of all keeps enough, or nothing is shown.
    value : int
        Smallest level that keeps enough: the answer, or the best guess.
    high : int
        Smallest level shown to keep enough.
    kind : {"exact", "bound", "simulated"}
        What shows it.
    """

    low: int | None
    value: int
    high: int
    kind: str


class UnreachableError(SpecError):
    """A target that no level reaches; ``kind`` says what shows it, as in `Found`."""

    kind = "simulated"


class _UnknownError(Exception):
    """Theory has no exact answer at some level."""


@dataclass
class Search:
    """Finds the smallest level at which enough is kept.

    Parameters
    ----------
    axis : Axis
        Levels of the field.
    part : Part
        What is to be kept.
    confidence : float
        Of all verdicts together.
    tolerance : float
        Width of the interval that is asked for, relative to its lower end.
    most : int
        Lineages that a test may take.
    threads : int or None
        As for `simulate`.
    tell : callable
        Told what is being done.
    start : int, optional
        Level near which the answer is thought to lie.
    """

    axis: Axis
    part: Part
    confidence: float
    tolerance: float
    most: int
    threads: int | None
    tell: Callable[[str], None]
    start: int | None = None
    levels: dict[int, Level] = field(default_factory=dict)
    theory: dict[int, Expected | None] = field(default_factory=dict)
    tests: int = 0

    def run(self) -> Found:
        """Find it."""
        try:
            if self.part.target.probability is None or self.part.single:
                return self._by_theory()
        except _UnknownError:
            pass
        return self._by_tests()

    # By theory ---------------------------------------------------------------------------------------------

    def expected(self, level: int) -> Expected | None:
        """What theory says of a level, asked for once."""
        if level not in self.theory:
            self.tell(f"theory at {self.axis.name} = {self.axis.value(level):g}")
            self.theory[level] = expected(self.part, self.axis.spec(level))
        return self.theory[level]

    def _sign(self, level: int) -> int:
        """1 where enough is kept for certain, -1 where it is not, 0 where theory's error hides it."""
        known, threshold = self.expected(level), self.part.target.threshold
        if known is None:
            raise _UnknownError
        return int(known.mean - known.error >= threshold) - int(known.mean + known.error < threshold)

    def _by_theory(self) -> Found:
        axis = self.axis
        if self._sign(axis.low) > 0:
            self._refuse_falling()
            self._look_around(axis.low)
            return Found(None, axis.low, axis.low, self._kind())
        if self._sign(axis.high) <= 0:
            self._impossible()
        high = self._first(lambda level: self._sign(level) > 0)
        sure = self._sign(axis.low) < 0
        low = self._first(lambda level: self._sign(level) >= 0) - 1 if sure else None
        self._look_around(high)
        return Found(low, high, high, self._kind())

    def _kind(self) -> str:
        errors = [known.error for known in self.theory.values() if known is not None]
        return "bound" if any(errors) else "exact"

    def _first(self, good: Callable[[int], bool], fine: float = 0.0) -> int:
        """First good level, or one nearly so, where the lowest is not good and the highest is taken to be."""
        low, high = self._bracket(good)
        while high - low > 1 and high > max(low, 1) * (1 + fine):
            middle = between(low, high)
            low, high = (low, middle) if good(middle) else (middle, high)
        return high

    def _bracket(self, good: Callable[[int], bool]) -> tuple[int, int]:
        """Levels on both sides of the first good one, by ever longer steps from where it is thought to be."""
        low, high, step = self.axis.low, self.axis.high, 1 + self.tolerance
        if self.start is None or not low < self.start < high:
            return low, high
        if good(self.start):
            high = self.start
            while low < (level := int(high / step)) < high:
                if not good(level):
                    return level, high
                high, step = level, step * step
            return low, high
        low = self.start
        while low < (level := math.ceil(low * step)) < high:
            if good(level):
                return low, level
            low, step = level, step * step
        return low, high

    def _look_around(self, answer: int) -> None:
        """Ask theory for the curve near the answer, which must not turn back."""
        for ratio in AROUND:
            level = round(max(answer, 1) * ratio)
            if self.axis.low <= level <= self.axis.high and self.expected(level) is not None:
                wrong = self._sign(level) * (1 if level >= answer else -1) < 0
                if wrong:
                    self._not_monotone(*sorted([level, answer]))

    def _refuse_falling(self) -> None:
        if self._sign(self.axis.high) < 0:
            self._not_monotone(self.axis.low, self.axis.high)

    # By tests ----------------------------------------------------------------------------------------------

    def level(self, level: int) -> Level:
        """Lineages at a level."""
        if level not in self.levels:
            spec = self.axis.spec(level)
            self.levels[level] = Level(self.part.at(spec), spec, self.most, self.threads)
        return self.levels[level]

    def _by_tests(self) -> Found:
        self._scout()
        while self.tests < MOST_TESTS and (level := self._next()) is not None:
            self._test(level)
        if self.high is None:
            problem = "lineages a level do not tell where enough is kept"
            raise SpecError("plan.most", self.most, problem, "give more, or ask for another probability")
        if self.high == self.axis.low:
            self._test(self.axis.high)  # a field that falls would show here
        low = self.low
        least = self.axis.low if low is None else low + 1
        value = min(max(round(self._guess()), least), self.high)
        return Found(low, value, self.high, "simulated")

    @property
    def low(self) -> int | None:
        """Largest level shown not to keep enough."""
        return max((n for n, level in self.levels.items() if level.verdict == NOT_KEPT), default=None)

    @property
    def high(self) -> int | None:
        """Smallest level shown to keep enough."""
        return min((n for n, level in self.levels.items() if level.verdict == KEPT), default=None)

    def _test(self, number: int) -> None:
        self.tests += 1
        level = self.level(number)
        value = self.axis.value(number)
        self.tell(f"testing {self.axis.name} = {value:g}")
        level.test((1 - self.confidence) / (self.tests * (self.tests + 1)))
        if self.low is not None and self.high is not None and self.high < self.low:
            self._not_monotone(self.high, self.low)
        if number == self.axis.high and level.verdict == NOT_KEPT:
            self._impossible()

    def _scout(self) -> None:
        """Look at levels by halves, with theory's mean or few lineages, for a first guess."""
        if self._score(self.axis.low) < 0:
            self._first(lambda level: self._score(level) >= 0, fine=self.tolerance / 2)

    def _score(self, number: int) -> float:
        """By how much enough seems to be kept."""
        level = self.level(number)
        known = self.expected(number) if self._graded else None
        if known is None or math.isnan(known.sd):
            self.tell(f"looking at {self.axis.name} = {self.axis.value(number):g}")
            level.glance()
        return self._centre(number) - self._offset() - self._aim

    @property
    def _graded(self) -> bool:
        """Whether the guess goes by shares and their quantile, not by how many lineages keep enough."""
        part = self.part
        return part.target.probability is not None and (part.size >= COARSE or part.target.of == "coverage")

    @property
    def _aim(self) -> float:
        return self.part.target.keep if self._graded else self.part.target.threshold

    def _centre(self, number: int) -> float:
        """Mean share kept, or share of lineages that keep enough."""
        level = self.levels[number]
        if not self._graded:
            return float(level.part.values(level.shares).mean())
        known = self.theory.get(number)
        return known.mean if known is not None else float(level.shares.mean())

    def _offset(self) -> float:
        """How far the quantile that has to reach the aim lies below the mean, where most is known of it."""
        if not self._graded:
            return 0.0
        probability = self.part.target.probability or 0.5
        tested = [level for level in self.levels.values() if len(level.tested)]
        if tested:
            shares = tested[-1].tested
            return float(shares.mean() - np.quantile(shares, 1 - probability))
        number = next(reversed(self.levels))
        known = self.theory.get(number)
        sd = float(self.levels[number].shares.std()) if known is None or math.isnan(known.sd) else known.sd
        return float(normal_quantile(np.asarray(probability))) * sd

    def _guess(self) -> float:
        """Level at which enough is thought to be kept, from tests where there are some."""
        tested = {n: level for n, level in self.levels.items() if len(level.tested)}
        fitted = fitted_crossing(
            np.log([max(n, 0.5) for n in tested]),
            [level.values for level in tested.values()],
            self.part.target.threshold,
            counted=self.part.target.probability is not None,
        )
        return self._crossing() if fitted is None else math.exp(fitted)

    def _crossing(self) -> float:
        """Level at which the score crosses zero, between the neighbours that show it."""
        seen = sorted(n for n, level in self.levels.items() if len(level.shares) or self.theory.get(n))
        offset = self._offset()
        score = [self._centre(n) - offset - self._aim for n in seen]
        below = [i for i, s in enumerate(score) if s < 0]
        if not below:
            return seen[0]
        i = below[-1]
        if i == len(seen) - 1:
            return min(self.axis.high, seen[-1] * (1 + self.tolerance) + 1)
        left, right = math.log(max(seen[i], 0.5)), math.log(seen[i + 1])
        return math.exp(left + (right - left) * -score[i] / (score[i + 1] - score[i]))

    def _next(self) -> int | None:
        """The level to test next; None when the interval is narrow enough, or cannot be narrowed."""
        low, high = self.low, self.high
        if high == self.axis.low or (high is not None and low is not None and high - low <= 1):
            return None
        open_ = [n for n, level in self.levels.items() if level.verdict == UNDECIDED]
        guess = self._guess()
        # After three undecided levels, twice as far with each: near zero, a level is no way.
        aside, times = ASIDE * self.tolerance, 2 ** min(max(len(open_) - 2, 0), 6)
        if high is None:
            if guess <= self.axis.low and self.axis.low not in open_:
                return self.axis.low
            start = max([guess, *open_, *([] if low is None else [low])])
            return self._untested(math.ceil(start * (1 + aside) ** times), 1)
        if low is None:
            start = min([guess, *open_, high])
            return self._untested(math.floor(start * (1 - aside) ** times), -1)
        if high <= low * (1 + self.tolerance):
            return None
        return self._inside(low, high, open_ or [min(max(round(guess), low), high)])

    def _untested(self, number: int, step: int) -> int | None:
        """A level, or the next one in a direction that was not tested; None where there is none."""
        number = min(max(number, self.axis.low), self.axis.high)
        while self.axis.low <= number <= self.axis.high:
            if number not in self.levels or not self.levels[number].verdict:
                return number
            number += step
        return None

    def _inside(self, low: int, high: int, zone: list[int]) -> int | None:
        """The middle of the wider gap between what is decided and what is not, if that is worth it."""
        gaps = [(low, min(zone)), (max(zone), high)]
        gaps.sort(key=lambda gap: gap[1] / max(gap[0], 1), reverse=True)
        for left, right in gaps:
            wide = right - left > 1 and right > max(left, 1) * (1 + WORTH * self.tolerance)
            if wide:
                return between(left, right)
        return None

    # What cannot be ----------------------------------------------------------------------------------------

    def _impossible(self) -> None:
        axis, target = self.axis, self.part.target
        known = self.theory.get(axis.high)
        level = self.levels.get(axis.high)
        mean = known.mean if known is not None else float(level.shares.mean()) if level is not None else 0.0
        problem = f"cannot be reached: with {axis.name} at {axis.value(axis.high):g}, the most there may be, "
        problem += f"{100 * mean:.4g} % is kept on average"
        kind = "simulated" if known is None or (level is not None and level.verdict) else self._kind()
        error = UnreachableError("plan.keep", target.keep, problem, "ask for less, or for fewer generations")
        error.kind = kind
        raise error

    def _not_monotone(self, kept: int, lost: int) -> None:
        values = [f"{self.axis.value(level):g}" for level in (kept, lost)]
        problem = f"does not keep more the larger it is: {values[0]} keeps enough, {values[1]} does not"
        raise SpecError("plan.vary", self.axis.name, problem, "give between= where it does")


def between(low: int, high: int) -> int:
    """A level strictly between two, by ratio."""
    return min(max(math.isqrt(max(low, 1) * high), low + 1), high - 1)


def fitted_crossing(
    x: np.ndarray, values: Sequence[np.ndarray], threshold: float, *, counted: bool
) -> float | None:
    """Where a line through means of values crosses a threshold, on the probit scale where they are counted.

    None where there are fewer than two levels, the line does not rise, or it crosses beyond all of them.
    """
    if len(values) < 2:
        return None
    sizes = np.array([len(v) for v in values], dtype=float)
    means = np.array([v.mean() for v in values])
    if counted:
        inside = (means * sizes + 0.5) / (sizes + 1)
        y, aim = normal_quantile(inside), float(normal_quantile(np.asarray(threshold)))
        weight = sizes * np.exp(-(y**2)) / (inside * (1 - inside))
    else:
        y, aim = means, threshold
        weight = sizes / np.maximum([v.var() for v in values], 1e-12)
    weight = weight / weight.sum()
    centre = float(weight @ x)
    spread = float(weight @ (x - centre) ** 2)
    slope = float(weight @ ((x - centre) * y)) / spread if spread > 0 else 0.0
    if slope <= 0:
        return None
    crossing = centre + (aim - float(weight @ y)) / slope
    return crossing if x.min() <= crossing <= x.max() else None


def normal_quantile(probability: np.ndarray) -> np.ndarray:
    """Quantiles of the normal law."""
    from scipy.special import ndtri

    return np.asarray(ndtri(probability))

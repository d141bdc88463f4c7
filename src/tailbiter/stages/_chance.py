# SPDX-License-Identifier: MIT
"""What chance alone does to a human sample: most that it may be, by inequalities that hold at any size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tailbiter.judgement import Stages

FALSE_ALARM = 1e-6
"""Most that the chance may be that a lineage of human samples reaches a stage, over all its records."""
SCORE = "cross_entropy_floor_1e_9"
# A rise of risk lies as many standard deviations above its expectation.
_DEVIATIONS = 3.0


class Human:
    """What human samples are expected to have, and the chance that one of them crosses a bound.

    Parameters
    ----------
    about : dict
        As `tailbiter.human_sample.describe` made it; empty where nothing is known.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        self.expected: dict[str, float] = about.get("expected", {})
        self.chance: dict[str, dict[str, Any]] = about.get("chance", {})
        self.fewest = int(about.get("fewest", 0))

    def knows(self, name: str) -> bool:
        """Whether the law of a human sample's value is known."""
        return name in self.chance

    def first(self, name: str) -> float:
        """Expected of generation 1."""
        return self.expected[name]

    def fewer(self, name: str, left: float) -> float:
        """Coverage below a share of the first sample's: Chernoff's bound."""
        return self._chernoff(name, self._mean(name) - left * self.first(name))

    def scored(self, rise: float) -> float:
        """Held-out cross-entropy above the first sample's: Chernoff's bound."""
        return self._chernoff(SCORE, self.first(SCORE) + math.log1p(rise) - self._mean(SCORE))

    def concentrated(self, left: float) -> float:
        """Gini-Simpson index below a share of the first sample's: McDiarmid's bound or Cantelli's."""
        name, bound = "gini_simpson", left * self.first("gini_simpson")
        far = math.sqrt(1.0 - bound) - math.sqrt(1.0 - self._mean(name))
        return min(self._norm(far), self._cantelli(name, self._mean(name) - bound))

    def catastrophic(self, share: float) -> float:
        """Brier distance far on its way to that of one category: McDiarmid's bound or Cantelli's."""
        first, mean = self.first("brier"), self._mean("brier")
        bound = first + share * (self.chance["gini_simpson"]["reference"] - first)
        return min(self._norm(math.sqrt(bound) - math.sqrt(mean)), self._cantelli("brier", bound - mean))

    def raised(self, by: Stages) -> float:
        """Brier distance from which on it counts as risen."""
        above = self._mean("brier") + _DEVIATIONS * self.chance["brier"]["sd"]
        return max((1.0 + by.risk_rise) * self.first("brier"), above)

    def risen(self, by: Stages) -> float:
        """Brier distance above that: Cantelli's bound."""
        return self._cantelli("brier", self.raised(by) - self._mean("brier"))

    def moved(self, share: float) -> float:
        """Total variation on its way to 1: McDiarmid's bound, an item moves it by 1/n."""
        first = self.first("total_variation")
        return self._mcdiarmid(first + share * (1.0 - first) - self._mean("total_variation"), 1.0)

    def narrowed(self, left: float) -> float:
        """Effective number below a share of the first sample's: an item moves entropy by (1 + ln n)/n."""
        down = self._mean("entropy") - self.first("entropy") - math.log(left) if left else math.inf
        return self._mcdiarmid(down, 1.0 + math.log(self.fewest))

    def dominated(self, share: float) -> float:
        """Largest probability on its way to 1: Chernoff's bound of any category, summed."""
        q = self._mean("largest_share")
        x = q + share * (1.0 - q)
        if self.fewest * (x - q) < 1.0 - q:
            return 1.0
        apart = x * math.log(x / q) + ((1.0 - x) * math.log((1.0 - x) / (1.0 - q)) if x < 1.0 else 0.0)
        return min(1.0, math.exp(-self.fewest * apart) / q)

    def _mean(self, name: str) -> float:
        """Expected of the smallest sample."""
        return float(self.chance[name]["mean"])

    def _chernoff(self, name: str, far: float) -> float:
        if far <= 0:
            return 1.0
        known = self.chance[name]
        return math.exp(min(0.0, float(np.min(np.array(known["logs"]) - far * np.array(known["rates"])))))

    def _cantelli(self, name: str, far: float) -> float:
        if far <= 0:
            return 1.0
        variance = self.chance[name]["sd"] ** 2
        return float(variance / (variance + far * far))

    def _mcdiarmid(self, far: float, step: float) -> float:
        return math.exp(-2.0 * self.fewest * (far / step) ** 2) if far > 0 else 1.0

    def _norm(self, far: float) -> float:
        """Of the Euclidean norm of shares, which an item moves by sqrt(2)/n."""
        return self._mcdiarmid(far, math.sqrt(2.0))


def in_a_row(chance: float, most: float) -> float:
    """Records in a row that happen by chance at most so often; infinity where any number does.

    Examples
    --------
    >>> in_a_row(0.1, 2e-5)
    5.0
    """
    if chance <= most:
        return 1.0
    return math.ceil(math.log(most) / math.log(chance)) * 1.0 if chance < 1 else math.inf


def beyond_all(others: int, most: float, limit: int) -> float:
    """Records in a row that lie beyond as many others of one law: 1 in (others + m over m) for m of them.

    Examples
    --------
    >>> beyond_all(32, 5e-9, 200)
    9.0
    """
    found = (m for m in range(1, limit + 1) if math.comb(others + m, m) * most >= 1)
    return float(next(found, math.inf))

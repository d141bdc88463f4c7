# SPDX-License-Identifier: MIT
"""What all assertions share: how much is drawn and when it is looked at, what is said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .._checks import number, whole
from ..errors import SpecError, TailbiterError

__all__ = ["FIRST_LOOK", "Draw", "InconclusiveError", "Rates", "Verdict", "draw_up_to", "looks"]

Draw = Callable[[int, int], Any]
"""``draw(start, stop)`` returns values ``start`` to ``stop - 1`` of an endless row of independent ones."""

FIRST_LOOK = 256
_GROWTH = 1.5
_MOST = 10**12


class InconclusiveError(TailbiterError, AssertionError):
    """An assertion that used up its values without an answer: no failure of what was tested, and no pass."""


@dataclass(frozen=True)
class Rates:
    """What an assertion promises; checked on construction.

    Attributes
    ----------
    false_failure : float
        It fails with at most this probability if what it asserts is true.
    missed : float
        It passes with at most this probability if the truth differs by the effect or more.
    most : int
        Values that it may use.
    """

    false_failure: float
    missed: float
    most: int

    def __post_init__(self) -> None:
        for name in ("false_failure", "missed"):
            remedy = "give a probability such as 1e-9"
            value = number(getattr(self, name), name, remedy)
            if not 0 < value <= 0.5:
                raise SpecError(name, value, "is outside (0, 0.5]", remedy)
        most = whole(self.most, "most", 1, _MOST, "give a number of values such as 1e6")
        object.__setattr__(self, "most", most)

    @property
    def fail_at(self) -> float:
        """Log evidence at which the assertion fails."""
        return -math.log(self.false_failure)

    @property
    def pass_at(self) -> float:
        """Log evidence against every departure of the effect or more at which it passes."""
        return -math.log(self.missed)


@dataclass(frozen=True, eq=False)
class Verdict:
    """What an assertion that passed has seen.

    Attributes
    ----------
    values : int
        Values it used.
    what : str
        What was expected and what was seen.
    log_evidence : float
        Natural logarithm of the e-value against what was asserted; it failed to reach
        ``log(1/false_failure)``.
    distance : float
        Departure seen, in the units of the effect; the largest of all cells.
    """

    values: int
    what: str
    log_evidence: float
    distance: float

    def __str__(self) -> str:
        return f"{self.what} after {self.values:,} values; e-value {shown(self.log_evidence)}"


def shown(log_evidence: float) -> str:
    """An e-value that may be too large for a double."""
    if math.isinf(log_evidence):
        return "infinite" if log_evidence > 0 else "0"
    if abs(log_evidence) < 600:
        return f"{math.exp(log_evidence):.3g}"
    return f"1e{log_evidence / math.log(10):.0f}"


def declared(rates: Rates, effect: str) -> str:
    """What was promised, for messages."""
    return f"false-failure rate {rates.false_failure:g}, smallest effect {effect}"


def failure(verdict: Verdict, rates: Rates, effect: str) -> AssertionError:
    """The error of an assertion that does not hold."""
    return AssertionError(f"{verdict} ({declared(rates, effect)})")


def inconclusive(verdict: Verdict, rates: Rates, effect: str) -> InconclusiveError:
    """The error of an assertion without an answer."""
    hint = "give a larger effect, or more values (most=)"
    return InconclusiveError(f"inconclusive: {verdict} ({declared(rates, effect)}); {hint}")


def looks(most: int) -> Iterator[int]:
    """Numbers of values at which to look: 256, then half as many again each time, and ``most`` at last."""
    n = FIRST_LOOK
    while n < most:
        yield n
        n = math.ceil(n * _GROWTH)
    yield most


def draw_up_to(draw: Draw, start: int, stop: int, rows: int) -> Iterator[Any]:
    """Values ``start`` to ``stop - 1``, at most ``rows`` at a time."""
    if not callable(draw):
        remedy = "give draw(start, stop), which returns values number start to stop - 1"
        raise SpecError("draw", draw, "cannot be called", remedy)
    while start < stop:
        end = min(stop, start + rows)
        values = draw(start, end)
        got = len(values) if hasattr(values, "__len__") else None
        if got != end - start:
            problem = f"is what draw({start}, {end}) returned: not {end - start} values"
            raise SpecError(
                "draw", f"{got} values" if got is not None else values, problem, "return one a number"
            )
        yield values
        start = end

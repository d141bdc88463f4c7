# SPDX-License-Identifier: MIT
"""Values between two ends, by steps alike or by one ratio; the same doubles on every machine."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tailbiter._checks import SET, Described, choice, number, whole
from tailbiter.errors import SpecError
from tailbiter.regime import exact

__all__ = ["MAX_CELLS", "Range"]

MAX_CELLS = 1_000_000
_DIGITS = 12  # kept of a value that is no decimal of its own: 100, not 99.99999999999999


class Range(Described, frozen=True):
    """Values from ``start`` to ``stop``, both included.

    Parameters
    ----------
    start, stop : float
        The ends; ``start`` is below ``stop``. With ``scale="log"`` both are positive.
    count : int, optional
        How many values, from 2 on.
    step : float, optional
        Instead: how far one is from the next, and the last may fall short of ``stop``. Not on a log scale.
    scale : {"linear", "log"}, default "linear"
        Differences alike, or ratios alike.

    Raises
    ------
    SpecError
        For ends the wrong way round, or a count that makes no range.

    Notes
    -----
    On a linear scale, values are the decimals that one would write: worked out as fractions. On a log scale
    they are rounded to 12 digits. Where a field takes whole numbers, they are rounded to these, half up, and
    what then stands twice is left out. A Latin hypercube or a Sobol design takes the ends alone.

    Examples
    --------
    >>> Range(0, 0.3, count=4).values()
    (0.0, 0.1, 0.2, 0.3)
    >>> Range(1, 1000, count=4, scale="log").values(whole=True)
    (1, 10, 100, 1000)
    """

    start: float
    stop: float
    count: int | None = None
    step: float | None = None
    scale: str = "linear"

    def __post_init__(self) -> None:
        remedy = "give a number such as 0.1"
        SET(self, "start", number(self.start, "range.start", remedy))
        SET(self, "stop", number(self.stop, "range.stop", remedy))
        if self.start >= self.stop:
            problem = f"is not above its start, {self.start:g}: the range is empty"
            raise SpecError("range.stop", self.stop, problem, "give a larger stop")
        if self.count is not None:
            SET(
                self,
                "count",
                whole(self.count, "range.count", 2, MAX_CELLS, "give a number of values such as 10"),
            )
        choice(self.scale, "range.scale", ("linear", "log"))
        if self.scale == "log" and self.start <= 0:
            raise SpecError(
                "range.start", self.start, "is not positive, on a log scale", "give a positive start"
            )
        self._check_step()

    def _check_step(self) -> None:
        if self.step is None:
            return
        if self.count is not None or self.scale == "log":
            beside = "count" if self.count is not None else 'scale = "log"'
            raise SpecError("range.step", self.step, f"cannot stand beside {beside}", "give one of the two")
        SET(self, "step", number(self.step, "range.step", "give a step such as 0.1"))
        most = MAX_CELLS * self.step
        if not 0 < self.stop - self.start <= most:
            problem = f"makes no range of 2 to {MAX_CELLS:,} values"
            raise SpecError("range.step", self.step, problem, "give a positive step, not too small")

    def values(self, *, whole: bool = False) -> tuple[float, ...]:
        """Return the values, ascending; whole numbers, each once, if asked for."""
        start, stop = exact(self.start), exact(self.stop)
        if self.step is not None:
            step = exact(self.step)
            exactly = [start + i * step for i in range(int((stop - start) / step) + 1)]
        elif self.count is None:
            problem = "has neither count nor step"
            raise SpecError("range", f"{self.start:g} to {self.stop:g}", problem, "give count = 10, say")
        elif self.scale == "log":
            return self.at(np.arange(self.count) / (self.count - 1), whole=whole)
        else:
            exactly = [start + (stop - start) * i / (self.count - 1) for i in range(self.count)]
        return _once(_rounded_half_up(x) for x in exactly) if whole else tuple(float(x) for x in exactly)

    def at(self, shares: npt.NDArray[np.float64], *, whole: bool = False) -> tuple[float, ...]:
        """Return the values at shares of the way, from 0 (start) to 1 (stop); ends are met exactly."""
        from tailbiter._core import fmath

        if self.scale == "log":
            low, high = fmath.log_array(np.array([self.start, self.stop])).tolist()
            points = fmath.exp_array(low + (high - low) * shares)
        else:
            points = self.start + (self.stop - self.start) * shares
        decimals = [float(f"{x:.{_DIGITS}g}") for x in points.tolist()]
        ends = {0.0: self.start, 1.0: self.stop}
        values = [ends.get(share, x) for share, x in zip(shares.tolist(), decimals, strict=True)]
        return _once(_rounded_half_up(exact(x)) for x in values) if whole else tuple(values)

    def spread(self, shares: npt.NDArray[np.float64], *, whole: bool = False) -> tuple[float, ...]:
        """Return one value for every share, as a design needs them: what stands twice stays."""
        values = self.at(shares)
        return tuple(_rounded_half_up(exact(x)) for x in values) if whole else values


def _rounded_half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _once(values: object) -> tuple[int, ...]:
    return tuple(dict.fromkeys(values))  # type: ignore[call-overload]  # an iterable of int

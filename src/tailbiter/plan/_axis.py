# SPDX-License-Identifier: MIT
"""The field that varies: the levels that differ in what is run, and their Specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from tailbiter._checks import is_list, number
from tailbiter.errors import SpecError
from tailbiter.regime import Anchored, Replace, exact
from tailbiter.spec import Spec
from tailbiter.sweep import is_whole, known_fields, refuse_unknown, replaced, takes_numbers

__all__ = ["Axis", "axis_of"]

SHARES = ("real", "share")
COUNTS = ("real_count", "count")
# What other real fields are told apart by.
STEP = 10**6
_BETWEEN = "give two values, the smaller one first"
# What measures or repeats a run, and makes none of its law.
NO_LAW = ("generations", "replicates", "seed", "bands", "tail_mass", "held_out", "groups", "stages")


@dataclass(frozen=True)
class Axis:
    """Levels ``low`` to ``high`` of a field, in whole numbers.

    Attributes
    ----------
    base : Spec
        What does not vary.
    name : str
        The field, by dotted name.
    low, high : int
        First and last level.
    unit : int
        A level over this is the field's value: of shares the size of a batch, so that no two levels make the
        same number of human items; 0 where the field itself is a whole number.
    """

    base: Spec
    name: str
    low: int
    high: int
    unit: int

    def value(self, level: int) -> float | int:
        """Return the field's value at a level, in as few decimals as tell it."""
        if self.unit == 0:
            return level
        for digits in range(1, 17):
            short = float(f"{level / self.unit:.{digits}g}")
            if _level(exact(short), self.unit) == level and (level == 0 or short > 0):
                return short
        return level / self.unit

    def level(self, value: float) -> int:
        """Return the level that a value comes to."""
        return _level(exact(value), self.unit) if self.unit else round(value)

    def spec(self, level: int) -> Spec:
        """Return the Spec at a level."""
        return _with(self.base, self.name, self.value(level))


def _level(value: Fraction, unit: int) -> int:
    return int((2 * value * unit + 1) // 2)


def _with(base: Spec, name: str, value: Any) -> Spec:
    made = replaced(base, [(name.split("."), value)])
    if not isinstance(made, Spec):
        raise TypeError("fields of a Spec make a Spec")
    return made


def axis_of(base: Spec, vary: str, between: Sequence[float] | None) -> Axis:
    """Return the levels of a field, checked.

    Parameters
    ----------
    base : Spec
        Its words are not shared with other Specs: levels must not depend on each other.
    vary : str
        The field, by dotted name.
    between : two numbers, optional
        Least and largest value; by default all that the field takes: shares 0 to 1, counts of human items up
        to the smallest batch, samples up to the most there may be.

    Raises
    ------
    SpecError
        For an unknown field, one that is no number or no part of the law, and ends that make no
        range.
    """
    base = _ready(base, vary)
    try:
        refuse_unknown(base, vary)
    except SpecError as error:
        raise SpecError("plan.vary", vary, error.problem, error.remedy) from error
    if vary.partition(".")[0] in NO_LAW:
        options = [name for name in known_fields(base) if name.partition(".")[0] not in NO_LAW]
        problem = "is no part of the law that a plan seeks a value of"
        if vary == "generations":
            problem = "is how long a plan looks, whatever it varies"
        raise SpecError("plan.vary", vary, problem, f"vary one of {', '.join(options[1:])}")
    if not takes_numbers(base, vary):
        raise SpecError("plan.vary", vary, "is no number", "vary a field that is one")
    wholes = is_whole(base, vary)
    unit = 0 if wholes else _unit(base, vary)
    low, high = _default(base, vary, wholes) if between is None else _ends(between)
    made = Axis(base, vary, 0, 0, unit)
    if wholes and not (float(low).is_integer() and float(high).is_integer()):
        raise SpecError("plan.between", [low, high], f"is not in whole numbers, as {vary} is", _BETWEEN)
    made = Axis(base, vary, made.level(low), made.level(high), unit)
    if made.low >= made.high:
        raise SpecError("plan.between", [low, high], "holds no two levels of the field", _BETWEEN)
    return _runnable(made) if between is None else made


def _ready(base: Spec, vary: str) -> Spec:
    """Without common random numbers; and Replace as the Anchored regime with no human items, which it is."""
    if base.common_random_numbers:
        base = base.replace(common_random_numbers=False)
    if isinstance(base.regime, Replace) and vary in ("regime.real", "regime.real_count"):
        return base.replace(regime=Anchored(real=0.0) if vary == "regime.real" else Anchored(real_count=0))
    return base


def _unit(base: Spec, vary: str) -> int:
    """Of shares, the smallest batch: a positive share must not round to nothing anywhere."""
    if vary.rpartition(".")[2] in SHARES:
        return _smallest_batch(base)
    return STEP


def _smallest_batch(base: Spec) -> int:
    return int(np.min(base.composition.samples[: base.generations]))


def _default(base: Spec, vary: str, wholes: bool) -> tuple[float, float]:
    last = vary.rpartition(".")[2]
    if vary == "samples":
        return 1, base.reference.traits.most_samples
    if last in COUNTS:
        return 0, _smallest_batch(base)
    if not wholes:
        return 0.0, 1.0
    raise SpecError("plan.between", None, f"is missing: {vary} has no ends of its own", _BETWEEN)


def _ends(between: Sequence[float]) -> tuple[float, float]:
    if not is_list(between) or len(between) != 2:
        raise SpecError("plan.between", between, "is not two values", _BETWEEN)
    low, high = (number(value, f"plan.between[{i}]", _BETWEEN) for i, value in enumerate(between))
    if low >= high:
        raise SpecError("plan.between", [low, high], "is the wrong way round, or empty", _BETWEEN)
    return low, high


def _runnable(axis: Axis) -> Axis:
    """The same from the first level that can be run; 1 % of 20 samples is no item."""
    if _runs(axis, axis.low):
        return axis
    low, high = axis.low, axis.high
    axis.spec(high)  # says why, if nothing can be
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _runs(axis, middle) else (middle, high)
    return Axis(axis.base, axis.name, high, axis.high, axis.unit)


def _runs(axis: Axis, level: int) -> bool:
    try:
        axis.spec(level)
    except SpecError:
        return False
    return True

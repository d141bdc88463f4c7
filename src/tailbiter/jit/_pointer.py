# SPDX-License-Identifier: MIT
"""Users' rules as machine code that the core calls by address, in every thread and without the GIL."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numba
import numpy as np
from numba import types

from tailbiter import _core
from tailbiter.errors import SpecError
from tailbiter.jit import _compile
from tailbiter.jit._rehearsal import rehearse

if TYPE_CHECKING:
    from tailbiter.program import Program

__all__ = ["Engine", "Pointer", "pointer_to"]

_WEIGHTS = types.Array(types.float64, 1, "C")
_RANKS = types.Array(types.uint32, 1, "C", readonly=True)
_ARGUMENTS = (_WEIGHTS, _RANKS, types.int64, types.float64, types.int64)
_carray: Any = numba.carray  # type: ignore[attr-defined]  # Numba does not say that it exports it
_pointer: Any = types.CPointer
# As tb_rule_t in csrc/tailbiter.h.
_CALLED = types.int32(
    _pointer(types.float64),
    _pointer(types.uint32),
    types.uintp,
    types.float64,
    _pointer(types.float64),
    types.uint32,
)
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.POINTER(ctypes.c_double),
    ctypes.POINTER(ctypes.c_uint32),
    ctypes.c_size_t,
    ctypes.c_double,
    ctypes.POINTER(ctypes.c_double),
    ctypes.c_uint32,
)
GAVE_UP, WRONG_WEIGHT = 1, 2  # what is left: nothing is
_MOST = 800  # as in csrc/rule.c: sums of so large weights, and shares of a sum so small, are doubles


class Pointer:
    """A compiled rule; its code lives as long as this.

    Parameters
    ----------
    function : callable
        What to compile.
    field : str
        Where it stands, for messages.

    Attributes
    ----------
    address : int
        Where the code begins.
    """

    def __init__(self, function: Callable[..., Any], field: str) -> None:
        self._function = _compile.compiled(function, _ARGUMENTS, field, "number")
        self._code = numba.cfunc(_CALLED)(_called(self._function))
        self.address = int(self._code.address or 0)

    def retold(self, told: list[Exception]) -> Any:
        """Return a slow twin for ctypes that calls the rule from Python and lists what it raises."""

        def call(weight: Any, rank: Any, length: int, others: float, other: Any, generation: int) -> int:
            weights, ranks = (np.ctypeslib.as_array(column, (length,)) for column in (weight, rank))
            ranks.flags.writeable = False
            try:
                other[0] = self._function(weights, ranks, int(others), other[0], generation)
            except Exception as error:  # noqa: BLE001  # a user's function may raise anything
                told.append(error)
                return 1
            return 0

        return _CALLBACK(call)


pointer_to = lru_cache(maxsize=64)(Pointer)  # who runs one holds it: none is freed under way


def _called(function: Any) -> Any:
    """What the core calls. Ranks are the core's own: the function gets them read-only."""

    @numba.njit(types.float64(*_ARGUMENTS), **_compile.OPTIONS | _compile.INNER)
    def guarded(weights: Any, ranks: Any, others: Any, other: Any, generation: Any) -> Any:
        return function(weights, ranks, others, other, generation)

    def call(weight: Any, rank: Any, length: Any, others: Any, other: Any, generation: Any) -> Any:
        weights, ranks = _carray(weight, (length,)), _carray(rank, (length,))
        rest = _carray(other, (1,))
        raised = 0
        try:
            rest[0] = guarded(weights, ranks, np.int64(others), rest[0], np.int64(generation))
        except Exception:  # noqa: BLE001  # Numba knows no other; what it was, `retold` finds out
            raised = 1
        return raised

    return call


def _called_last(program: Program) -> tuple[int, int]:
    """Last generation whose model is fitted, and last whose model is surely sampled."""
    last = len(program.samples) - 1
    return last, max(last - 1, 1)


class Engine(_core.Engine):
    """The core's engine where a user's rules run in it.

    Parameters
    ----------
    program : Program
        What to run; its rules are compiled and rehearsed here.

    Raises
    ------
    SpecError
        If a rule does not compile, or reaches outside an array.
    """

    def __new__(cls, program: Program) -> Self:
        """Hand the core the addresses of the rules, 0 for none."""
        for rule, last in zip(program.levers.rules, _called_last(program), strict=True):
            if rule is not None:
                items = int(program.samples[:-1].min())
                rehearse(rule, program.categories, items, last, wrong=program.levers.error_rate > 0)
        first, second = (rule.pointer.address if rule else 0 for rule in program.levers.rules)
        return super().__new__(cls, program, (first, second))

    def __init__(self, program: Program) -> None:
        self.program = program

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: _core.Control) -> None:
        """Fill rows start to stop-1; see the core's."""
        try:
            super().run(start, stop, out, control)
        except _core.RuleFailed as failure:
            raise self._told(failure, control) from failure.__cause__

    def _told(self, failure: _core.RuleFailed, control: _core.Control) -> SpecError:
        """One line about which function failed, where and why."""
        rule: Any = self.program.levers.rules[failure.decoding]
        where = f"generation {failure.generation} of replicate {failure.replicate}"
        name = _compile.plain(rule.function).__name__
        if failure.problem == GAVE_UP:
            return _compile.raised(rule.field, rule.function, self._raised(failure, control), where)
        if failure.problem == WRONG_WEIGHT:
            problem = f"gives a category the weight {failure.weight:g}, in {where}"
            remedy = f"give weights from 0 to 2**{_MOST}, in any unit"
            return SpecError(rule.field, name, problem, remedy)
        problem = f"leaves nothing to draw: weights add up to less than 2**-{_MOST}, in {where}"
        return SpecError(rule.field, name, problem, "leave some category a weight such as 1")

    def _raised(self, failure: _core.RuleFailed, control: _core.Control) -> Exception:
        """What the function raised: the lineage is run again up to there, with calls by way of Python."""
        told: list[Exception] = []
        twins = [rule and rule.pointer.retold(told) for rule in self.program.levers.rules]
        first, second = (twin and ctypes.cast(twin, ctypes.c_void_p).value for twin in twins)
        engine = _core.Engine(self.program, (first or 0, second or 0))
        row = failure.replicate
        with suppress(_core.RuleFailed):
            engine.run(row, row + 1, engine.outputs(row + 1), control)
        return told[0] if told else RuntimeError("what it did not raise again")

# SPDX-License-Identifier: MIT
"""Errors that name the field, the value and the remedy, in one line."""

from __future__ import annotations

import reprlib

__all__ = ["DataError", "MemoryEstimateError", "PredictionError", "SpecError", "TailbiterError"]


class _Short(reprlib.Repr):
    """Values as a user would write them, cut short."""

    def repr_int(self, value: int, level: int) -> str:
        """Describe what Python refuses to write in decimals."""
        if value.bit_length() > 1000:
            return f"a whole number of {value.bit_length():,} bits"
        return super().repr_int(value, level)

    def repr_float(self, value: float, _level: int) -> str:
        """Write 1e8 so, not as 100000000.0."""
        short = f"{value:g}"
        exact = abs(value) >= 1e6 and float(short) == value
        return short.replace("e+0", "e").replace("e+", "e") if exact else repr(value)


_SHORT = _Short()
_SHORT.maxstring = 160
_SHORT.maxother = 80
_SHORT.maxlong = 40


def _shown(value: object) -> str:
    """Render a value on one line, cut short, with numpy scalars shown as plain numbers."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    return " ".join(_SHORT.repr(value).split())


class TailbiterError(Exception):
    """Base of every error that tailbiter raises on purpose."""


class SpecError(TailbiterError, ValueError):
    """A description that cannot be run.

    Parameters
    ----------
    field : str
        Where the value stands, written as in TOML: ``regime.real``.
    value : object
        The offending value.
    problem : str
        What is wrong with it.
    remedy : str
        What would be right.

    Examples
    --------
    >>> print(SpecError("regime.real", 1.5, "is outside [0, 1]", "give a share such as 0.01"))
    regime.real: 1.5 is outside [0, 1]; give a share such as 0.01
    """

    def __init__(self, field: str, value: object, problem: str, remedy: str) -> None:
        super().__init__(field, value, problem, remedy)
        self.field = field
        self.value = value
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.value)} {self.problem}; {self.remedy}"


class DataError(SpecError):
    """A file or table that cannot be used; ``field`` names file, row and column."""


class MemoryEstimateError(SpecError):
    """A run whose state and output would not fit in memory."""


class PredictionError(SpecError):
    """A quantity about which theory says nothing; ``field`` is the part of the Spec that rules it out."""

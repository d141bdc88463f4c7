# SPDX-License-Identifier: MIT
"""A function of a user's that bends models inside the core's loop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailbiter.jit import _compile

if TYPE_CHECKING:
    from tailbiter.jit._pointer import Pointer

__all__ = ["Rule", "located"]

_REMEDY = "give a function of (weights, ranks, others, other, generation), or its import path module:name"


class Rule:
    """A user's function, known by its import path and source.

    Parameters
    ----------
    function : callable
        A Python function, compiled by Numba or not.
    field : str
        Where it stands, for messages.

    Raises
    ------
    SpecError
        If it is no function.
    """

    def __init__(self, function: object, field: str) -> None:
        self.function = _compile.as_function(function, field, _REMEDY)
        self.field = field

    @classmethod
    def of(cls, value: object, field: str, folder: Path | None = None) -> Rule:
        """Return a Rule: itself, of a function, or of that which an import path names.

        Raises
        ------
        SpecError
            If there is no such function.
        """
        if isinstance(value, cls):
            return value
        return cls(_compile.locate(value, field, folder) if isinstance(value, str) else value, field)

    def plain(self) -> str:
        """Return its import path, which documents hold."""
        return _compile.import_path(self.function)

    @cached_property
    def identity(self) -> dict[str, str]:
        """Plain data that say what it does: import path and digest of the source."""
        return {"function": self.plain(), "source": _compile.digest(self.function)}

    @cached_property
    def pointer(self) -> Pointer:
        """Machine code of it that the core calls; compiled here.

        Raises
        ------
        SpecError
            If it does not compile, in one line with Numba's reason.
        """
        from tailbiter.jit._pointer import pointer_to

        return pointer_to(self.function, self.field)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule):
            return NotImplemented
        return self is other or self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.plain())

    def __reduce__(self) -> tuple[Any, ...]:
        return Rule, (self.function, self.field)

    def __repr__(self) -> str:
        return f"<{self.plain()}>"


def located(table: object, field: str, folder: Path | None) -> object:
    """Find the rule that a table names, beside a Spec's file too; leave all else as it is."""
    if not isinstance(table, Mapping) or not isinstance(table.get("rule"), str):
        return table
    return {**table, "rule": Rule.of(table["rule"], f"{field}.rule", folder)}

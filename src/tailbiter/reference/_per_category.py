# SPDX-License-Identifier: MIT
"""Numbers that stand beside the categories of a reference: a reward for each, say."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from .._checks import is_list, nearest
from ..errors import SpecError
from ._files import read_columns
from ._support import Reference, content_digest
from ._tables import Table

_REMEDY = "give the name of a column, a number for each category, a mapping of labels, or a function"


class PerCategory(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A number for each category of a reference.

    Attributes
    ----------
    values : float64[K]
        In the order of the reference's table, categories that never occur left out.
    column : str or int or None
        The column of the reference's file that they were read from.
    reference : str
        Digest of the reference that they go with.
    """

    values: npt.NDArray[np.float64]
    column: str | int | None
    reference: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the numbers."""
        return content_digest(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PerCategory) and self.digest == other.digest

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own would be inherited, and compare fields

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        origin = "" if self.column is None else f" from column {self.column!r}"
        return f"<PerCategory: {len(self.values):,} numbers{origin}>"

    def plain(self) -> str | int | list[float]:
        """Return what stands for it in TOML: the column, or the numbers."""
        return self.values.tolist() if self.column is None else self.column


Given = (
    PerCategory
    | str
    | int
    | tuple[float, ...]
    | Sequence[float]
    | Mapping[str, float]
    | Callable[[Any], float]
)
"""How a user may write numbers beside the categories."""


def per_category(given: object, reference: Reference, field: str) -> PerCategory:
    """Bring numbers into the order of a reference's categories.

    Parameters
    ----------
    given : str, int, sequence of float, mapping of str to float, callable or PerCategory
        A column of the file that the reference was read from, by name or by number from 0; a number for each
        row of its table, or for each category that occurs; numbers by label; or a function of a category's
        label (of its place from 0, where there are no labels).
    reference : Reference
        With categories.
    field : str
        Where the numbers stand in the Spec, for messages.

    Raises
    ------
    SpecError
        If a category has no finite number, or the numbers go with another reference.
    """
    key = str(reference.canonical())
    column = None
    if isinstance(given, PerCategory):
        if given.reference == key:
            return given
        if given.column is None:
            problem = "goes with another reference"
            raise SpecError(field, given, problem, "give the numbers anew, for this reference")
        given = given.column
    if isinstance(given, (str, int)) and not isinstance(given, bool):
        column = given
        values = _read(given, reference, field)
    elif isinstance(given, Mapping):
        values = _by_label(given, reference, field)
    elif callable(given):
        values = [_called(given, label, field) for label in _names(reference)]
    elif is_list(given) or isinstance(given, np.ndarray):
        values = _in_rows(np.asarray(given).tolist(), reference, field)
    else:
        raise SpecError(field, given, "is no column", _REMEDY)
    array = np.array([_finite(value, f"{field}[{i}]") for i, value in enumerate(values)])
    array.flags.writeable = False
    return PerCategory(array + 0.0, column, key)


def _read(column: str | int, reference: Reference, field: str) -> list[Any]:
    source = reference._source if isinstance(reference, Table) else None
    if source is None:
        problem = "is a column of no file: the reference was not read from one"
        raise SpecError(field, column, problem, "give a number for each category, or a mapping of labels")
    table = read_columns(Path(source.path), column, source.labels)
    return _in_rows(table.values.tolist(), reference, field)


def _in_rows(values: list[Any], reference: Reference, field: str) -> list[Any]:
    """Numbers by row of the table, of which categories that never occur are left out."""
    support = reference.support
    if len(values) == len(support):
        return values
    rows = reference.rows if isinstance(reference, Table) else len(support)
    if len(values) != rows:
        problem = f"numbers do not go with {rows:,} categories"
        raise SpecError(field, len(values), problem, "give one for each")
    return [values[at] for at in support.position.tolist()]


def _names(reference: Reference) -> list[Any]:
    labels = reference.support.labels
    return reference.support.position.tolist() if labels is None else labels.tolist()


def _by_label(given: Mapping[Any, Any], reference: Reference, field: str) -> list[Any]:
    labels = reference.support.labels
    if labels is None:
        raise SpecError(field, dict(given), "goes by label, but the reference has none", _REMEDY)
    missing = next((label for label in labels if label not in given), None)
    if missing is not None:
        raise SpecError(field, missing, "is a category without a number", nearest(missing, map(str, given)))
    return [given[label] for label in labels]


def _called(function: Callable[[Any], Any], label: Any, field: str) -> Any:
    try:
        return function(label)
    except Exception as error:
        name = getattr(function, "__name__", type(function).__name__)
        problem = f"makes {name} fail ({type(error).__name__}: {error})"
        raise SpecError(field, label, problem, "mend the function") from error


def _finite(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise SpecError(field, value, "is not a finite number", "give every category a number")
    return float(value)

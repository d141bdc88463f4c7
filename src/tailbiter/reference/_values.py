# SPDX-License-Identifier: MIT
"""Checks of the columns of a table: every message names the first offending item."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, SpecError
from ._files import row_name
from ._support import MAX_CATEGORIES, Labels
from ._traits import MAX_TOTAL

_COUNTS = "give whole numbers, one for each category"


class Place:
    """Names a column and its items, in a table or in a file, for messages.

    Parameters
    ----------
    column : str
        Name of the column.
    path : str, optional
        The file it was read from.
    first_row : int, default 1
        Line of the file that holds item 0; 0 for files that are no text.
    """

    def __init__(self, column: str, path: str | None = None, first_row: int = 1) -> None:
        self.column = column
        self.path = path
        self.first_row = first_row

    def __str__(self) -> str:
        return self.column if self.path is None else f"{self.path}, {self.column}"

    def item(self, index: int) -> str:
        """Name item ``index``."""
        if self.path is None:
            return f"{self.column}[{index}]"
        return f"{self.path}, {row_name(Path(self.path), self.first_row, index)}, {self.column}"

    def error(self, index: int | None, value: object, problem: str, remedy: str) -> SpecError:
        """Return the error for item ``index``, or for the column as a whole."""
        cls = SpecError if self.path is None else DataError
        return cls(str(self) if index is None else self.item(index), value, problem, remedy)


def as_counts(values: object, place: Place) -> npt.NDArray[np.int64]:
    """Return counts as a read-only array: whole, not negative, at most 2**53 in all."""
    array = _numbers(values, place)
    good = (array >= 0) & (array <= MAX_TOTAL)
    if array.dtype.kind == "f":
        good &= array == np.floor(array)
    _refuse_first(array, good, place, whole=True)
    _check_categories(array, place)
    counts = array.astype(np.int64)
    if float(counts.sum(dtype=np.float64)) > MAX_TOTAL / 2 and sum(counts.tolist()) > MAX_TOTAL:
        raise place.error(
            None, sum(counts.tolist()), "in all exceeds 2**53", "divide the counts by a common factor"
        )
    counts.flags.writeable = False
    return counts


def as_weights(values: object, place: Place) -> npt.NDArray[np.float64]:
    """Return real weights as a read-only array: finite and not negative."""
    array = _numbers(values, place).astype(np.float64)
    _refuse_first(array, (array >= 0) & np.isfinite(array), place, whole=False)
    _check_categories(array, place)
    array += 0.0  # -0.0 becomes 0.0: equal content, equal digest
    array.flags.writeable = False
    return array


def as_labels(values: object, count: int, place: Place) -> Labels:
    """Return labels as a read-only array of str: one for each category, no two alike."""
    items = _listed(values, place)
    if len(items) != count:
        raise place.error(
            None, len(items), f"labels do not match {count} categories", "give each category one label"
        )
    if set(map(type, items)) != {str}:
        items = [_label(item, index, place) for index, item in enumerate(items)]
    if len(set(items)) < count:
        raise _duplicate(items, place)
    _refuse_surrogates(items, place)
    labels = np.empty(count, object)
    labels[:] = items
    labels.flags.writeable = False
    return labels


def _label(item: object, index: int, place: Place) -> str:
    if isinstance(item, str):
        return str(item)
    if isinstance(item, numbers.Integral) and not isinstance(item, bool):
        return str(int(item))
    raise place.error(index, item, "is not a label", "give a text for every category")


def _refuse_surrogates(items: list[str], place: Place) -> None:
    """Refuse labels that no file could hold."""
    try:
        "".join(items).encode()
    except UnicodeEncodeError:
        index = next(i for i, item in enumerate(items) if any("\ud800" <= c <= "\udfff" for c in item))
        remedy = 'decode the text anew, with errors="replace" if need be'
        raise place.error(index, items[index], "holds half of a character", remedy) from None


def _duplicate(items: list[str], place: Place) -> SpecError:
    """The error for the first label that stood before."""
    seen: dict[str, int] = {}
    index = next(i for i, item in enumerate(items) if seen.setdefault(item, i) != i)
    problem = f"stands twice (first: {place.item(seen[items[index]])})"
    return place.error(index, items[index], problem, "merge the rows, or give them other labels")


def _refuse_masked(values: object, place: Place) -> None:
    if isinstance(values, np.ma.MaskedArray):
        remedy = "give values.filled(0), or leave out what is masked"
        raise place.error(None, type(values).__name__, "hides what is missing", remedy)


def _listed(values: object, place: Place) -> list[Any]:
    _refuse_masked(values, place)
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if array.ndim != 1:
            raise place.error(None, array.shape, "is the shape of a table", "give a flat list")
        return array.tolist()
    if isinstance(values, (str, bytes, bytearray, memoryview, Mapping)) or not hasattr(values, "__iter__"):
        raise place.error(None, values, "is not a list", "give a flat list")
    return list(values)


def _numbers(values: object, place: Place) -> npt.NDArray[Any]:
    """Return values as a flat array of integers or floats, not empty."""
    if isinstance(values, Mapping):
        raise place.error(None, type(values).__name__, "is a mapping", "use Counts.of(mapping)")
    _refuse_masked(values, place)
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if array.ndim != 1:
            raise place.error(None, array.shape, "is the shape of a table", "give a flat list of numbers")
    else:
        items = _listed(values, place)
        array = _from_list(items, place)
    if array.size == 0:
        raise place.error(None, [], "is empty", "give at least one category")
    if array.dtype.kind == "O":
        array = _from_list(array.tolist(), place)
    if array.dtype.kind not in "iuf":
        raise place.error(0, array[0], "is not a number", _COUNTS)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _from_list(items: list[Any], place: Place) -> npt.NDArray[Any]:
    if set(map(type, items)) <= {int, float}:
        return _as_array(items)
    for index, item in enumerate(items):
        if isinstance(item, (list, tuple, np.ndarray)):
            raise place.error(index, item, "is a list", "give a flat list of numbers")
        if isinstance(item, (bool, np.bool_)) or not isinstance(item, numbers.Real):
            raise place.error(index, item, "is not a number", _COUNTS)
    return _as_array(items)


def _as_array(items: list[Any]) -> npt.NDArray[Any]:
    """Integers or floats; what fits neither (2**70, a fraction) becomes the nearest float."""
    try:
        array = np.array(items)
    except OverflowError:  # a float beside an integer that exceeds all floats
        array = np.array(items, object)
    return array if array.dtype.kind in "iuf" else np.array([_as_float(item) for item in items])


def _as_float(item: Any) -> float:
    try:
        return float(item)
    except OverflowError:
        return math.inf if item > 0 else -math.inf


def _refuse_first(array: npt.NDArray[Any], good: npt.NDArray[np.bool_], place: Place, *, whole: bool) -> None:
    """Say what is wrong with the first item that is not good."""
    if good.all():
        return
    index = int(np.argmin(good))
    value = array[index].item()
    if math.isnan(value):
        raise place.error(
            index, value, "is not a number", "give 0 for a category that never occurs, or leave it out"
        )
    if value < 0:
        raise place.error(index, value, "is negative", "give 0 or more")
    if math.isinf(value) or float(value).is_integer() or not whole:
        raise place.error(
            index, value, "exceeds 2**53" if whole else "is not finite", "give a smaller number"
        )
    raise place.error(
        index, value, "is not a whole number", "round it, or use Probabilities for real-valued weights"
    )


def _check_categories(array: npt.NDArray[Any], place: Place) -> None:
    positive = int(np.count_nonzero(array))
    if positive == 0:
        raise place.error(None, 0, "is every value", "give at least one category a positive value")
    if positive > MAX_CATEGORIES:
        raise place.error(
            None, positive, f"categories exceed {MAX_CATEGORIES:,}", "merge or leave out rare ones"
        )

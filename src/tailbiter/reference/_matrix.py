# SPDX-License-Identifier: MIT
"""Reading columns of numbers, side by side, from CSV, TSV, Parquet and numpy files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import is_list
from ..errors import DataError, SpecError
from . import _files
from ._files import Column, row_name

_TABLE = "give a CSV, TSV, Parquet or .npy file, or an array of rows and columns"
_GAP = "leave the row out, or fill it in"
_COLUMNS = "name a column of numbers"


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows and columns of numbers, and where they were found.

    Attributes
    ----------
    path : Path or str
        The file, or "table" for numbers that came from none.
    names : list of str or int
        What the columns are called.
    values : float64[n, d]
        The numbers.
    first_row : int
        Line of the file that holds row 0; 0 for files that are no text.
    """

    path: Path | str
    names: list[Column]
    values: npt.NDArray[np.float64]
    first_row: int = 0

    def where(self, row: int, column: int) -> str:
        """Name a number, for messages."""
        if isinstance(self.path, str):
            return f"{self.path}[{row}][{column}]"
        return f"{self.path}, {row_name(self.path, self.first_row, row)}, column {self.names[column]!r}"


def as_matrix(table: object, columns: Column | Sequence[Column] | None) -> Matrix:
    """Return the asked columns of a file or an array.

    Parameters
    ----------
    table : path, array or Matrix
        Where they stand; a Matrix is what was asked for before.
    columns : str or int, or a sequence of them, or None
        Which; all that hold numbers if None.

    Raises
    ------
    DataError
        If the file or a column cannot be used.
    SpecError
        If ``columns`` is no list of columns.
    """
    if isinstance(table, Matrix):
        return table
    asked = _asked(columns)
    if not isinstance(table, str | os.PathLike):
        return _from_array(table, asked, "table")
    path = Path(table).expanduser().resolve()
    try:
        _files.check_file(path)
        return _READERS.get(path.suffix.lower(), _from_text)(path, asked)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise DataError(str(path), path.name, problem, _TABLE) from error


def _asked(columns: object) -> list[Column] | None:
    if columns is None:
        return None
    listed: list[Any] = list(columns) if is_list(columns) else [columns]
    if not listed:
        raise SpecError("columns", [], "is empty", _COLUMNS)
    for column in listed:
        if isinstance(column, bool) or not isinstance(column, str | int):
            raise SpecError("columns", column, "is not the name or number of a column", _COLUMNS)
    return listed


def _chosen(layout: _files.Layout, asked: list[Column] | None) -> list[int]:
    """Which columns are meant."""
    where = str(layout.path)
    if asked is None:
        found = [index for index, numeric in enumerate(layout.numeric) if numeric]
        if not found:
            raise DataError(where, layout.path.name, "has no column of numbers", _COLUMNS)
        return found
    chosen = [layout.index(column) for column in asked]
    for place, index in enumerate(chosen):
        if index in chosen[:place]:
            raise DataError(where, layout.name(index), "is asked for twice", "name each column once")
    return chosen


def _from_array(table: object, asked: list[Column] | None, name: Path | str) -> Matrix:
    field = str(name)
    try:
        array: npt.NDArray[Any] = np.asarray(table)
    except ValueError as error:
        raise DataError(field, table, "has rows of different lengths", _TABLE) from error
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(field, array.shape, "is not the shape of rows and columns", _TABLE)
    if array.dtype.kind not in "iuf":
        raise DataError(field, array.dtype.name, "is not a type of numbers", _TABLE)
    layout = _files.Layout(Path(field), None, (True,) * array.shape[1])
    chosen = _chosen(layout, asked)
    return Matrix(name, [layout.name(i) for i in chosen], array[:, chosen].astype(np.float64))


def _from_npy(path: Path, asked: list[Column] | None) -> Matrix:
    return _from_array(_files.load_npy(path), asked, path)


def _from_parquet(path: Path, asked: list[Column] | None) -> Matrix:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            layout = _files.parquet_layout(path, file.schema_arrow)
            chosen = _chosen(layout, asked)
            names = [layout.name(i) for i in chosen]
            table = file.read(columns=names)
    except pa.ArrowInvalid as error:
        raise DataError(str(path), path.name, "is not a Parquet file", _TABLE) from error
    columns = []
    for index, name in zip(chosen, names, strict=True):
        cells = table.column(name)
        if not layout.numeric[index]:
            raise DataError(str(path), name, f"is a column of {cells.type}", _COLUMNS)
        if cells.null_count:
            row = cells.is_null().index(True).as_py()
            raise DataError(f"{path}, row {row}, column {name!r}", None, "is missing", _GAP)
        columns.append(cells.to_numpy().astype(np.float64))
    return Matrix(path, names, np.column_stack(columns))


def _from_text(path: Path, asked: list[Column] | None) -> Matrix:
    text = _files.Text.open(path, asked or ())
    chosen = _chosen(text.layout, asked)
    names = [text.layout.name(index) for index in chosen]
    columns = [
        _files.to_numbers(cells, text.place(name), _GAP)
        for cells, name in zip(text.columns(chosen), names, strict=True)
    ]
    return Matrix(path, names, np.column_stack(columns).astype(np.float64), text.first_row)


_READERS: dict[str, Callable[[Path, list[Column] | None], Matrix]] = {
    ".npy": _from_npy,
    ".parquet": _from_parquet,
    ".pq": _from_parquet,
}

# SPDX-License-Identifier: MIT
"""Reading two columns, numbers and labels, from CSV, TSV, Parquet and numpy files."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import nearest
from ..errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Column = str | int

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf"))
_TABLE = "give a CSV, TSV, Parquet or .npy file"
_SAMPLE_ROWS = 50
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True, eq=False)
class Table:
    """The two columns of a file, and where they were found."""

    path: Path
    values: npt.NDArray[Any]
    labels: npt.NDArray[np.object_] | None
    values_column: Column | None
    labels_column: Column | None
    first_row: int


def read_columns(path: Path, values: Column | None, labels: Column | None) -> Table:
    """Read the column of numbers and the column of labels of a file.

    Parameters
    ----------
    path : Path
        The file; its suffix says what it is (anything unknown is taken for text).
    values, labels : str or int, optional
        The columns, by name or by number from 0.

    Raises
    ------
    DataError
        If the file or a column cannot be used.
    """
    _check_file(path)
    try:
        return _READERS.get(path.suffix.lower(), _read_text)(path, values, labels)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise DataError(str(path), path.name, problem, _TABLE) from error


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(str(path), path.name, "does not exist", _TABLE)
    if not path.is_file():
        raise DataError(str(path), path.name, "is a directory" if path.is_dir() else "is not a file", _TABLE)
    if path.stat().st_size == 0:
        raise DataError(str(path), path.name, "is empty", "give a table with at least one category")


@dataclass(frozen=True)
class _Layout:
    """Columns of a table: their names (None without a header) and which of them hold numbers."""

    path: Path
    names: tuple[str, ...] | None
    numeric: tuple[bool, ...]

    def index(self, column: Column) -> int:
        """Which column is meant."""
        width = len(self.numeric)
        if isinstance(column, str):
            if self.names is not None and column in self.names:
                return self.names.index(column)
            options = self.names or [str(i) for i in range(width)]
            raise DataError(str(self.path), column, "is not a column of it", nearest(column, options))
        if isinstance(column, bool) or not isinstance(column, int) or not 0 <= column < width:
            remedy = f"give a name, or a number from 0 to {width - 1}"
            raise DataError(str(self.path), column, "is not a column of it", remedy)
        return column

    def name(self, index: int) -> Column:
        """What a column is called: its name, or its number."""
        return index if self.names is None else self.names[index]

    def choose(self, values: Column | None, labels: Column | None) -> tuple[int, int | None]:
        """The columns of numbers and of labels: those asked for, else the only and the first that fit."""
        label = None if labels is None else self.index(labels)
        if values is None:
            found = [i for i, numeric in enumerate(self.numeric) if numeric and i != label]
            if len(found) != 1:
                names = ", ".join(repr(self.name(i)) for i in found) or "none"
                problem = f"has {len(found)} columns of numbers where one was expected"
                remedy = f"name the column of numbers (found: {names})"
                raise DataError(str(self.path), self.path.name, problem, remedy)
            value = found[0]
        else:
            value = self.index(values)
        if label is None:
            label = next((i for i, numeric in enumerate(self.numeric) if not numeric and i != value), None)
        if label == value:
            remedy = "name another column, or leave labels out"
            raise DataError(str(self.path), self.name(value), "is asked for as numbers and as labels", remedy)
        return value, label


def _read_npy(path: Path, values: Column | None, labels: Column | None) -> Table:
    for column in (values, labels):
        if column is not None:
            raise DataError(str(path), column, "is not a column: .npy files hold one array", "leave it out")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        problem = "is not a numpy array of numbers"
        raise DataError(str(path), path.name, problem, "save it with numpy.save") from error
    return Table(path, array, None, None, None, 0)


def _read_parquet(path: Path, values: Column | None, labels: Column | None) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            numeric = tuple(pa.types.is_integer(t) or pa.types.is_floating(t) for t in schema.types)
            layout = _Layout(path, tuple(schema.names), numeric)
            value, label = layout.choose(values, labels)
            table = file.read(columns=[schema.names[i] for i in (value, label) if i is not None])
    except pa.ArrowInvalid as error:
        raise DataError(str(path), path.name, "is not a Parquet file", _TABLE) from error
    numbers = table.column(schema.names[value])
    if not numeric[value]:
        remedy = "name a column of numbers, or convert it"
        raise DataError(str(path), schema.names[value], f"is a column of {numbers.type}", remedy)
    if numbers.null_count:
        row = numbers.is_null().index(True).as_py()
        where = f"{path}, row {row}, column {schema.names[value]!r}"
        raise DataError(where, None, "is missing", "give 0 for a category that never occurs")
    texts = None if label is None else np.array(table.column(schema.names[label]).to_pylist(), object)
    array = numbers.combine_chunks().to_numpy(zero_copy_only=False)
    return _table(layout, array, texts, value, label, 0)


def _table(
    layout: _Layout,
    values: npt.NDArray[Any],
    labels: npt.NDArray[np.object_] | None,
    value: int,
    label: int | None,
    first_row: int,
) -> Table:
    label_name = None if label is None else layout.name(label)
    return Table(layout.path, values, labels, layout.name(value), label_name, first_row)


def _read_text(path: Path, values: Column | None, labels: Column | None) -> Table:
    head = _head(path)
    layout, header = _layout(path, head, isinstance(values, str) or isinstance(labels, str))
    value, label = layout.choose(values, labels)
    wanted = [value] if label is None else [value, label]
    columns = _parse(path, head, header, wanted)
    first_row = head.first_row + header
    where = f"column {layout.name(value)!r}"
    numbers = _to_numbers(columns[0], lambda row: f"{path}, row {first_row + row}, {where}")
    if not len(numbers):
        raise DataError(str(path), path.name, "has no rows", "give a table with at least one category")
    texts = None if label is None else columns[1].to_numpy()
    return _table(layout, numbers, texts, value, label, first_row)


@dataclass(frozen=True)
class _Head:
    """The first rows of a text file, what separates its columns, and the row that it starts in."""

    rows: list[list[str]]
    delimiter: str
    first_row: int


def _head(path: Path) -> _Head:
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        raw = stream.read(_SAMPLE_BYTES)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        text = decoder.decode(raw, final=len(raw) < _SAMPLE_BYTES)
    except UnicodeDecodeError as error:
        raise _encoding(path, raw, error) from error
    every = text.splitlines(keepends=True)
    lines = [line for line in every if line.strip()]
    if not lines:
        raise DataError(str(path), path.name, "has no rows", "give a table with at least one category")
    blank = next(i for i, line in enumerate(every) if line.strip())
    delimiter = _delimiter(path, lines[0])
    rows = list(csv.reader(lines[:_SAMPLE_ROWS], delimiter=delimiter))
    if len(lines) > len(rows) > 1:
        rows.pop()  # the cut may have gone through it
    _refuse_ragged(path, rows, blank + 1)
    return _Head(rows, delimiter, blank + 1)


def _delimiter(path: Path, line: str) -> str:
    if {suffix.lower() for suffix in path.suffixes} & {".tsv", ".tab"}:
        return "\t"
    return next((mark for mark in ",\t;" if mark in line), ",")


def _refuse_ragged(path: Path, rows: list[list[str]], first_row: int) -> None:
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise _ragged(path, first_row + index, ",".join(row), len(row), len(rows[0]))


def _ragged(path: Path, row: int, text: str, found: int, expected: int) -> DataError:
    problem = f"has {found} columns where {expected} were expected"
    remedy = "mend the row, or quote the text that holds a separator"
    return DataError(f"{path}, row {row}", text, problem, remedy)


def _encoding(path: Path, raw: bytes, error: UnicodeDecodeError) -> DataError:
    """The error for the first byte that is not UTF-8."""
    row = raw[: error.start].count(b"\n") + 1
    shown = raw[error.start : error.start + 8]
    remedy = "save the file as UTF-8 (iconv -f LATIN1 -t UTF-8)"
    return DataError(f"{path}, row {row}", shown, "is not UTF-8", remedy)


def _layout(path: Path, head: _Head, named: bool) -> tuple[_Layout, bool]:
    """Which columns hold numbers, and whether the first row names them.

    It does when columns were asked for by name, or when it has a word above a column of numbers.
    """
    first, *body = head.rows
    columns = list(zip(*(body or [first]), strict=True))
    counted = [(sum(map(_is_number, cells)), len(cells)) for cells in columns]
    numeric = tuple(0 < numbers >= cells / 2 for numbers, cells in counted)
    header = named or any(
        is_numeric and not _is_number(cell) and cell.strip().lower() not in _MISSING
        for is_numeric, cell in zip(numeric, first, strict=True)
    )
    names = tuple(cell.strip() for cell in first) if header else None
    if names is not None and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        where = f"{path}, row {head.first_row}"
        raise DataError(where, twice, "names two columns", "give every column its own name")
    return _Layout(path, names, numeric), header


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _parse(path: Path, head: _Head, header: bool, wanted: Sequence[int]) -> list[pa.ChunkedArray]:
    """The wanted columns of a text file, as texts."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    def ragged(row: Any) -> str:
        failures.append(_ragged(path, row.number, row.text, row.actual_columns, row.expected_columns))
        return "error"

    failures: list[DataError] = []
    names = [f"f{index}" for index in range(len(head.rows[0]))]
    skip = head.first_row - 1 + header
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=skip, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=head.delimiter, invalid_row_handler=ragged),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[names[index] for index in wanted],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise (failures[0] if failures else _refused(path, error)) from error
    columns: list[pa.ChunkedArray] = table.columns
    return columns


def _refused(path: Path, cause: Exception) -> DataError:
    """Say why the parser refused a text: most often the encoding, whose first bad byte is looked for."""
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        raw = stream.read()
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _encoding(path, raw, error)
    return DataError(str(path), path.name, f"cannot be read as a table ({cause})", _TABLE)


def _to_numbers(column: pa.ChunkedArray, where: Callable[[int], str]) -> npt.NDArray[Any]:
    """Texts as whole numbers where all are, else as real ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(trimmed, kind).to_numpy()
        except pa.ArrowInvalid:
            continue
    texts = trimmed.to_pylist()
    for row, text in enumerate(texts):
        if not _is_number(text):
            remedy = "give a number such as 12 (no separators), 0 for a category that never occurs"
            raise DataError(where(row), text, "is not a number", remedy)
    return np.array([float(text) for text in texts])  # forms that only Python reads, such as +3


_READERS: dict[str, Callable[[Path, Column | None, Column | None], Table]] = {
    ".npy": _read_npy,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}

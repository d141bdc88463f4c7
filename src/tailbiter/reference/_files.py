# SPDX-License-Identifier: MIT
"""Reading two columns, numbers and labels, from CSV, TSV, Parquet and numpy files."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._checks import nearest
from ..errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Column = str | int

_PLAIN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NUMBER = re.compile(rf"\s*{_PLAIN}\s*")
_SPACED = re.compile(rf"\S+\s+{_PLAIN}\s*|\s*{_PLAIN}\s+\S+\s*")
_MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf"))
_HEADERS = frozenset(
    ("category", "code", "label", "language", "lemma", "name", "species", "term", "token", "type", "word")
)
_TABLE = "give a CSV, TSV, Parquet or .npy file"
_ROWS = "give a row for each category"
_NEVER = "0 for a category that never occurs"
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
    try:
        check_file(path)
        return _READERS.get(path.suffix.lower(), _read_text)(path, values, labels)
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise DataError(str(path), path.name, problem, _TABLE) from error


def check_file(path: Path) -> None:
    """Refuse what is no file, or an empty one."""
    if not path.exists():
        raise DataError(str(path), path.name, "does not exist", _TABLE)
    if not path.is_file():
        raise DataError(str(path), path.name, "is a directory" if path.is_dir() else "is not a file", _TABLE)
    if path.stat().st_size == 0:
        raise DataError(str(path), path.name, "is empty", "give a table with at least one row")


@dataclass(frozen=True)
class Layout:
    """Columns of a table: their names (None without a header) and which of them hold numbers."""

    path: Path
    names: tuple[str, ...] | None
    numeric: tuple[bool, ...]

    def index(self, column: Column) -> int:
        """Which column is meant."""
        width = len(self.numeric)
        if self.names is not None and str(column) in self.names:
            return self.names.index(str(column))
        if _in_range(column, width):
            return int(column)
        if isinstance(column, str):
            remedy = nearest(column, self.names or [str(i) for i in range(width)])
        else:
            remedy = f"give a name, or a number from 0 to {width - 1}"
        raise DataError(str(self.path), column, "is not a column of it", remedy)

    def name(self, index: int) -> Column:
        """What a column is called: its name, or its number."""
        return index if self.names is None else self.names[index]

    def choose(self, values: Column | None, labels: Column | None) -> tuple[int, int | None]:
        """The columns of numbers and of labels: those asked for, else the only and the first that fit."""
        label = None if labels is None else self.index(labels)
        if values is None:
            found = [i for i, numeric in enumerate(self.numeric) if numeric and i != label]
            if len(found) != 1:
                names = ", ".join(repr(self.name(i)) for i in found)
                problem = f"has {len(found)} columns of numbers where one was expected"
                remedy = f"name the column of numbers (found: {names})" if found else "add a column of counts"
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


def _in_range(column: Column, width: int) -> bool:
    """Whether this is the number of a column."""
    text = str(column)  # a bool's is a word
    return text.isascii() and text.isdecimal() and int(text) < width


def _read_npy(path: Path, values: Column | None, labels: Column | None) -> Table:
    for column in (values, labels):
        if column is not None:
            raise DataError(str(path), column, "is not a column: .npy files hold one array", "leave it out")
    return Table(path, load_npy(path), None, None, None, 0)


def load_npy(path: Path) -> npt.NDArray[Any]:
    """Load an array, but nothing that a pickle could hide."""
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        problem = "is not a numpy array of numbers"
        raise DataError(str(path), path.name, problem, "save it with numpy.save") from error
    return array


def _read_parquet(path: Path, values: Column | None, labels: Column | None) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            layout = parquet_layout(path, schema)
            value, label = layout.choose(values, labels)
            table = file.read(columns=[schema.names[i] for i in (value, label) if i is not None])
    except pa.ArrowInvalid as error:
        raise DataError(str(path), path.name, "is not a Parquet file", _TABLE) from error
    numbers = table.column(schema.names[value])
    if not layout.numeric[value]:
        remedy = "name a column of numbers, or convert it"
        raise DataError(str(path), schema.names[value], f"is a column of {numbers.type}", remedy)
    if numbers.null_count:
        row = numbers.is_null().index(True).as_py()
        where = f"{path}, row {row}, column {schema.names[value]!r}"
        raise DataError(where, None, "is missing", "give 0 for a category that never occurs")
    texts = None if label is None else np.array(table.column(schema.names[label]).to_pylist(), object)
    array = numbers.combine_chunks().to_numpy(zero_copy_only=False)
    return _table(layout, array, texts, value, label, 0)


def parquet_layout(path: Path, schema: pa.Schema) -> Layout:
    """Names and types of a Parquet file's columns."""
    import pyarrow as pa

    numeric = tuple(pa.types.is_integer(t) or pa.types.is_floating(t) for t in schema.types)
    return Layout(path, tuple(schema.names), numeric)


def _table(
    layout: Layout,
    values: npt.NDArray[Any],
    labels: npt.NDArray[np.object_] | None,
    value: int,
    label: int | None,
    first_row: int,
) -> Table:
    label_name = None if label is None else layout.name(label)
    return Table(layout.path, values, labels, layout.name(value), label_name, first_row)


def _read_text(path: Path, values: Column | None, labels: Column | None) -> Table:
    text = Text.open(path, (values, labels))
    value, label = text.layout.choose(values, labels)
    columns = text.columns([value] if label is None else [value, label])
    numbers = to_numbers(columns[0], text.place(text.layout.name(value)), _NEVER)
    texts = None if label is None else columns[1].to_numpy()
    return _table(text.layout, numbers, texts, value, label, text.first_row)


@dataclass(frozen=True)
class Text:
    """A table in text: its columns, and the line of its first row of data."""

    path: Path
    head: _Head
    layout: Layout
    first_row: int

    @classmethod
    def open(cls, path: Path, asked: Iterable[Column | None]) -> Text:
        """Look at the first rows of a file, of which some columns are asked for."""
        head = _head(path)
        layout, header = _layout(path, head, asked)
        if len(head.rows) <= header:
            raise DataError(str(path), path.name, "has a header and no rows", _ROWS)
        return cls(path, head, layout, head.starts[header])

    def columns(self, wanted: Sequence[int]) -> list[pa.ChunkedArray]:
        """Columns by number, as texts."""
        return _parse(self.path, self.head, self.first_row, wanted)

    def place(self, column: Column) -> Callable[[int], str]:
        """What names the items of a column, for messages."""
        return lambda item: f"{self.path}, {row_name(self.path, self.first_row, item)}, column {column!r}"


@dataclass(frozen=True)
class _Head:
    """The first rows of a text file, the lines that they start in, and what separates the columns."""

    rows: list[list[str]]
    starts: list[int]
    delimiter: str


def _head(path: Path) -> _Head:
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        raw = stream.read(_SAMPLE_BYTES)
    _refuse_other_formats(path, raw)
    cut = len(raw) == _SAMPLE_BYTES
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        text = decoder.decode(raw, final=not cut)
    except UnicodeDecodeError as error:
        raise _encoding(path, raw, error) from error
    lines = _lines(text)
    blank = next((i for i, line in enumerate(lines) if line.strip()), None)
    if blank is None:
        raise DataError(str(path), path.name, "has no rows", _ROWS)
    _refuse_other_texts(path, lines[blank])
    delimiter = _delimiter(path, lines[blank])
    records = list(_records(lines[blank : blank + _SAMPLE_ROWS], delimiter, blank + 1))
    if (cut or len(lines) > blank + _SAMPLE_ROWS) and len(records) > 1:
        records.pop()  # the cut may have gone through it
    _refuse_ragged(path, records, len(records[0][1]))
    return _Head([row for _, row in records], [start for start, _ in records], delimiter)


def _lines(text: str) -> list[str]:
    """Lines with their ends, which are those that tables have: a form feed or U+2028 is none."""
    return io.StringIO(text, newline="").readlines()


def _records(lines: Iterable[str], delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, and the line that each starts in, where the first line is ``first``."""
    reader = csv.reader(lines, delimiter=delimiter)
    start = first
    for row in reader:
        if row:
            yield start, row
        start = first + reader.line_num


def _all_records(path: Path, delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Every row of a text file from line ``first`` on."""
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        lines = _lines(stream.read().decode("utf-8-sig"))
    return _records(lines[first - 1 :], delimiter, first)


def row_name(path: Path, first_row: int, item: int) -> str:
    """Name the row of an item, for a message: a text is read again, as rows may be blank or of many lines.

    Parameters
    ----------
    path : Path
        The file.
    first_row : int
        The line of item 0, from 1; 0 for files that are no text.
    item : int
        The item, from 0.
    """
    if first_row == 0:
        return f"row {item}"
    try:
        records = _all_records(path, _head(path).delimiter, first_row)
        return f"row {next(islice(records, item, None))[0]}"
    except (OSError, DataError, UnicodeDecodeError, StopIteration, csv.Error):  # it has changed since
        return f"item {item}"


_FORMATS = (
    (b"\xff\xfe", "is UTF-16 text", "save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    (b"\xfe\xff", "is UTF-16 text", "save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    (b"PAR1", "is a Parquet file", "let its name end in .parquet"),
    (b"\x93NUMPY", "is a numpy array", "let its name end in .npy"),
    (b"\x1f\x8b", "is compressed by gzip", "let its name end in .gz"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook", "save the sheet as CSV (UTF-8)"),
)
_ZIPS = {
    ".xlsx": ("is an Excel workbook", "save the sheet as CSV (UTF-8)"),
    ".ods": ("is a spreadsheet", "save the sheet as CSV (UTF-8)"),
    ".npz": ("is an archive of numpy arrays", "save one array with numpy.save, as .npy"),
}


def _refuse_other_formats(path: Path, raw: bytes) -> None:
    """Say what a file is by its first bytes, if it is no text in UTF-8."""
    found = next(((what, remedy) for magic, what, remedy in _FORMATS if raw.startswith(magic)), None)
    if raw.startswith(b"PK\x03\x04"):
        found = _ZIPS.get(path.suffix.lower(), ("is a ZIP archive", "unpack it, and give the table in it"))
    elif found is None and b"\0" in raw[1:2] + raw[:1]:
        found = ("is UTF-16 text without a mark", "save it as UTF-8 (iconv -f UTF-16LE -t UTF-8)")
    if found is not None:
        raise DataError(str(path), path.name, *found)


def _refuse_other_texts(path: Path, line: str) -> None:
    """Refuse JSON by its first line."""
    if re.match(r"""\s*(\{\s*("|$)|\[\s*([\[{"\d]|$))""", line):
        remedy = "write a CSV of labels and counts, or use Counts.of(json.load(file))"
        raise DataError(str(path), path.name, "is JSON", remedy)


def _delimiter(path: Path, line: str) -> str:
    if {suffix.lower() for suffix in path.suffixes} & {".tsv", ".tab"}:
        return "\t"
    return next((mark for mark in ",\t;" if mark in line), ",")


def _refuse_ragged(path: Path, records: Iterable[tuple[int, list[str]]], width: int) -> None:
    top = None
    for line, row in records:
        top = row[0] if top is None else top
        if len(row) != width:
            problem = f"has {len(row)} columns where {width} were expected"
            remedy = "mend the row, or quote the text that holds a separator"
            if top.startswith("#"):
                remedy = "remove the comment at the top, if it is one; or mend the row"
            raise DataError(f"{path}, row {line}", ",".join(row), problem, remedy)


def _encoding(path: Path, raw: bytes, error: UnicodeDecodeError) -> DataError:
    """The error for the first byte that is not UTF-8."""
    row = raw[: error.start].count(b"\n") + 1
    shown = raw[error.start : error.start + 8]
    remedy = "save the file as UTF-8 (iconv -f LATIN1 -t UTF-8)"
    return DataError(f"{path}, row {row}", shown, "is not UTF-8", remedy)


def _layout(path: Path, head: _Head, asked: Iterable[Column | None]) -> tuple[Layout, bool]:
    """Which columns hold numbers, and whether the first row names them.

    It does when columns were asked for by name, when it has a word above a column of numbers, or when one of
    the usual words stands above a column of labels.
    """
    first, *body = head.rows
    columns = list(zip(*(body or [first]), strict=True))
    counted = [(sum(map(_is_number, cells)), len(cells)) for cells in columns]
    numeric = tuple(0 < numbers >= cells / 2 for numbers, cells in counted)
    if not any(counted[i][0] for i in range(len(first))):
        _refuse_other_separators(path, first, body)
    header = any(_is_name(column, first) for column in asked) or any(
        _is_heading(cell, is_numeric, bool(body)) for is_numeric, cell in zip(numeric, first, strict=True)
    )
    names = tuple(cell.strip() for cell in first) if header else None
    if names is not None and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        where = f"{path}, row {head.starts[0]}"
        raise DataError(where, twice, "names two columns", "give every column its own name")
    return Layout(path, names, numeric), header


def _refuse_other_separators(path: Path, first: list[str], body: list[list[str]]) -> None:
    """Say what a text without a column of numbers seems to be."""
    last = body[-1] if body else first
    remedy = "separate the columns by commas, tabs or semicolons"
    if first[0].startswith("#") and len(first) == 1:
        problem, remedy = "begins with a comment", "remove it"
    elif "|" in last[0]:
        problem = "has columns separated by '|'"
    elif len(last) == 1 and _SPACED.fullmatch(last[0]):
        problem = "has columns separated by spaces"
    elif not body and len(first) > 1:
        problem, remedy = "has a header and no rows", _ROWS
    else:
        return
    raise DataError(str(path), path.name, problem, remedy)


def _is_name(column: Column | None, first: list[str]) -> bool:
    """Whether a column was asked for by name, so that the first row must have names."""
    if column is None or _in_range(column, len(first)):
        return False
    if str(column).isdecimal():
        return str(column) in (cell.strip() for cell in first)
    return isinstance(column, str)


def _is_heading(cell: str, above_numbers: bool, above_rows: bool) -> bool:
    """Whether a cell of the first row shows that the row is a header."""
    word = cell.strip().lower()
    if above_numbers:
        return not _is_number(cell) and word not in _MISSING
    return above_rows and word in _HEADERS


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _parse(path: Path, head: _Head, first_row: int, wanted: Sequence[int]) -> list[pa.ChunkedArray]:
    """The wanted columns of a text file, as texts."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    names = [f"f{index}" for index in range(len(head.rows[0]))]
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=first_row - 1, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=head.delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[names[index] for index in wanted],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _refused(path, head, error) from error
    columns: list[pa.ChunkedArray] = table.columns
    return columns


def _refused(path: Path, head: _Head, cause: Exception) -> DataError:
    """Say why the parser refused a text: a row of another width, or a byte that is not UTF-8."""
    import pyarrow as pa

    with pa.input_stream(str(path)) as stream:
        raw = stream.read()
    try:
        raw.decode("utf-8-sig")
        _refuse_ragged(path, _all_records(path, head.delimiter, head.starts[0]), len(head.rows[0]))
    except UnicodeDecodeError as error:
        return _encoding(path, raw, error)
    except DataError as error:
        return error
    except csv.Error:
        pass  # a field too long for the rows to be told apart
    return DataError(str(path), path.name, f"cannot be read as a table ({cause})", _TABLE)


def to_numbers(column: pa.ChunkedArray, where: Callable[[int], str], missing: str) -> npt.NDArray[Any]:
    """Texts as whole numbers where all are, else as real ones.

    Parameters
    ----------
    column : ChunkedArray
        Texts.
    where : callable
        Names item i, for the message.
    missing : str
        What to do where there is no number.

    Raises
    ------
    DataError
        For the first text that is no number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    bad = pc.index(pc.match_substring_regex(trimmed, f"^({_PLAIN})$"), False).as_py()
    if bad >= 0:  # the casts below would take hexadecimals
        remedy = f"give a number such as 12 (no separators), {missing}"
        raise DataError(where(bad), trimmed[bad].as_py(), "is not a number", remedy)
    for kind in (pa.int64(), pa.float64()):
        try:
            return pc.cast(trimmed, kind).to_numpy()
        except pa.ArrowInvalid:
            continue
    return np.array([float(text) for text in trimmed.to_pylist()])  # forms that only Python reads, such as +3


_READERS: dict[str, Callable[[Path, Column | None, Column | None], Table]] = {
    ".npy": _read_npy,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}

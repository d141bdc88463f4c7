# SPDX-License-Identifier: MIT
"""Parts: Parquet files with one large cell or a pack of small ones, and notes of what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tailbiter._variables import FAMILIES, OF_LINEAGES
from tailbiter.errors import DataError

from ._files import FIELD, Sealed, write_sealed

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["FORMAT", "KIND", "CellResult", "Kept", "NewerError", "Note", "Part", "read_note", "write_part"]

FORMAT = 1
KIND = "records"
METADATA = b"tailbiter"
# Of the note: readers do not look at all bytes of a part, and one flipped bit of a swept value reads well.
SEAL = b"tailbiter.sha256"
# Rows of a row group: what has to be read for one cell of a pack.
GROUP_ROWS = 1 << 17
ROWS = ("replicate", "generation")


@dataclass
class CellResult:
    """What a cell came to.

    Attributes
    ----------
    id, key : str, int
        The cell's identity, and that of its random words.
    values : list
        Labels of its swept fields.
    generations : uint32[n]
        Recorded.
    columns : dict of str to array[replicates, n] or array[replicates, n, width]
        What was recorded; what is so once of a lineage is array[replicates, width].
    seconds : float
        Processor time it took, about; no part of its content.
    """

    id: str
    key: int
    values: list[Any]
    generations: np.ndarray
    columns: dict[str, np.ndarray]
    seconds: float = 0.0

    @cached_property
    def replicates(self) -> int:
        """How many lineages."""
        return len(next(iter(self.columns.values())))

    @property
    def rows(self) -> int:
        """Rows of its table."""
        return self.replicates * len(self.generations)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(column.nbytes for column in self.columns.values())

    @cached_property
    def content(self) -> str:
        """SHA-256 of what was recorded: names, types, shapes and little-endian values."""
        digest = hashlib.sha256(self.generations.astype("<u4").tobytes())
        for name in sorted(self.columns):
            column = np.ascontiguousarray(self.columns[name])
            digest.update(f"{name} {column.dtype.str} {column.shape}".encode())
            digest.update(column.data)
        return digest.hexdigest()[:32]


class NewerError(DataError):
    """A file of a newer version: not damaged, and not to be touched."""


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a part's note says of one cell."""

    id: str
    content: str
    key: int
    replicates: int
    layout: int
    values: list[Any]
    seconds: float


class Layout(msgspec.Struct, frozen=True, gc=False):
    """What cells of a part may have in common: generations recorded, and widths of lists by variable."""

    generations: tuple[int, ...]
    widths: dict[str, int]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a part says of itself, as JSON in its schema's metadata."""

    format: int
    stream_version: int
    family: str
    base: str
    fields: list[str]
    layouts: list[Layout]
    cells: list[Kept]
    provenance: dict[str, Any] = {}


@dataclass(eq=False)
class Part:
    """A part on the disk."""

    path: Path
    note: Note
    size: int
    starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        counts = [
            cell.replicates * len(self.note.layouts[cell.layout].generations) for cell in self.note.cells
        ]
        self.starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @cached_property
    def file(self) -> pq.ParquetFile:
        """Open for reading, pages checked as they are read."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, memory_map=True, page_checksum_verification=True)

    @cached_property
    def group_starts(self) -> np.ndarray:
        """First row of every row group, and the end."""
        metadata = self.file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    def read(self, first: int, last: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of cells ``first`` to ``last``, both included."""
        import pyarrow as pa

        start, stop = int(self.starts[first]), int(self.starts[last + 1])
        try:
            low = int(np.searchsorted(self.group_starts, start, side="right")) - 1
            high = int(np.searchsorted(self.group_starts, stop, side="left"))
            table = self.file.read_row_groups(
                list(range(low, max(high, low + 1))), columns=columns, use_threads=False
            )
        except (pa.ArrowException, OSError) as error:
            remedy = "run the sweep again: it sets the part aside and computes it anew"
            raise DataError(FIELD, str(self.path), "is damaged", remedy) from error
        return table.slice(start - int(self.group_starts[low]), stop - start)

    def dtype(self, name: str) -> np.dtype[Any]:
        """Type of a variable's values."""
        import pyarrow as pa

        kind = self.file.schema_arrow.field(name).type
        return np.dtype((kind.value_type if pa.types.is_list(kind) else kind).to_pandas_dtype())

    def column(self, place: int, name: str) -> np.ndarray:
        """A variable of one cell: [replicates, generations] or [replicates, generations, width]."""
        return next(self.columns(place, place, name))

    def values(self, first: int, last: int, name: str) -> np.ndarray:
        """All values of a variable of several cells that follow one another, flat."""
        return _flat(self.read(first, last, [name]).column(0))

    def columns(self, first: int, last: int, name: str) -> Iterator[np.ndarray]:
        """The same of several cells that follow one another, read at once."""
        values = self.values(first, last, name)
        begin = 0
        for cell in self.note.cells[first : last + 1]:
            layout = self.note.layouts[cell.layout]
            width = [layout.widths[name]] if name in layout.widths else []
            long = [] if name in OF_LINEAGES else [len(layout.generations)]
            shape = (cell.replicates, *long, *width)
            end = begin + int(np.prod(shape))
            yield values[begin:end].reshape(shape)
            begin = end

    def results(self) -> Iterator[CellResult]:
        """Every cell, as it was before it was written."""
        known = FAMILIES[self.note.family].known.keys() | OF_LINEAGES.keys()
        names = [name for name in self.file.schema_arrow.names if name in known]
        for place, cell in enumerate(self.note.cells):
            yield CellResult(
                id=cell.id,
                key=cell.key,
                values=cell.values,
                generations=np.array(self.note.layouts[cell.layout].generations, np.uint32),
                columns={name: self.column(place, name) for name in names},
                seconds=cell.seconds,
            )


def _flat(column: pa.ChunkedArray) -> np.ndarray:
    import pyarrow as pa

    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # of no chunk, or of more than fit in one
        values = pa.concat_arrays(values.chunks)
    if pa.types.is_list(values.type):
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False)


def write_part(
    folder: Path,
    results: Sequence[CellResult],
    *,
    family: str,
    base: str,
    fields: Sequence[str],
    stream_version: int,
    provenance: Mapping[str, Any],
) -> Path:
    """Write cells as one part.

    Parameters
    ----------
    folder : Path
        The store.
    results : sequence of CellResult
        Cells of one family, with the same variables.
    family : str
        Its name.
    base : str
        What stands for the sweep's base: with it, values of the fields tell a cell.
    fields : sequence of str
        Fields that vary: columns beside what was recorded.
    stream_version : int
        Of the random words.
    provenance : mapping
        Where and how; no part of the content.
    """
    import pyarrow.parquet as pq

    layouts, kept = _described(results)
    note = Note(
        format=FORMAT,
        stream_version=stream_version,
        family=family,
        base=base,
        fields=list(fields),
        layouts=layouts,
        cells=kept,
        provenance=dict(provenance),
    )
    content = hashlib.sha256("\n".join(sorted(f"{r.id} {r.content}" for r in results)).encode()).hexdigest()

    def fill(file: Sealed) -> None:
        tables = (_table(group, fields) for group in _groups(results))
        first = next(tables)
        text = msgspec.json.encode(note)
        schema = first.schema.with_metadata({METADATA: text, SEAL: _seal(text)})
        keys = ["cell", *fields, *ROWS]
        with pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=keys,
            write_page_checksum=True,
        ) as writer:
            writer.write_table(first, row_group_size=GROUP_ROWS * 8)
            for table in tables:
                writer.write_table(table, row_group_size=GROUP_ROWS * 8)

    return write_sealed(folder, KIND, content, fill)


def _described(results: Sequence[CellResult]) -> tuple[list[Layout], list[Kept]]:
    """What a note says of cells."""
    layouts: dict[Any, int] = {}
    made: list[Layout] = []
    kept = []
    for result in results:
        widths = {
            name: column.shape[-1]
            for name, column in result.columns.items()
            if column.ndim == 3 or name in OF_LINEAGES
        }
        key = (result.generations.tobytes(), *widths.items())
        if key not in layouts:
            layouts[key] = len(made)
            made.append(Layout(tuple(result.generations.tolist()), widths))
        kept.append(
            Kept(
                result.id,
                result.content,
                result.key,
                result.replicates,
                layouts[key],
                result.values,
                round(result.seconds, 6),
            )
        )
    return made, kept


def _groups(results: Sequence[CellResult]) -> Iterator[list[tuple[CellResult, slice]]]:
    """Cells, or blocks of a large one's replicates, with about as many rows as a row group has."""
    group: list[tuple[CellResult, slice]] = []
    rows = 0
    for result in results:
        once = [column.shape[1] for name, column in result.columns.items() if name in OF_LINEAGES]
        per = max(1, len(result.generations), *once)
        step = max(1, GROUP_ROWS // per)
        for start in range(0, result.replicates, step):
            some = slice(start, min(start + step, result.replicates))
            group.append((result, some))
            rows += (some.stop - some.start) * per
            if rows >= GROUP_ROWS:
                yield group
                group, rows = [], 0
    if group:
        yield group


def _table(group: Sequence[tuple[CellResult, slice]], fields: Sequence[str]) -> pa.Table:
    """Rows of some cells."""
    import pyarrow as pa

    counts = np.array([(some.stop - some.start) * len(result.generations) for result, some in group])
    which = np.repeat(np.arange(len(group), dtype=np.int32), counts)
    columns: dict[str, Any] = {
        "cell": pa.DictionaryArray.from_arrays(which, pa.array([result.id for result, _ in group]))
    }
    for place, name in enumerate(fields):
        columns[name] = _labels([result.values[place] for result, _ in group], which)
    numbered = [_numbered(some.start, some.stop, result.generations.tobytes()) for result, some in group]
    for place, name in enumerate(ROWS):
        columns[name] = pa.array(np.concatenate([numbers[place] for numbers in numbered]))
    for name in group[0][0].columns:
        blocks = [result.columns[name][some] for result, some in group]
        columns[name] = _once(blocks, group) if name in OF_LINEAGES else _column(blocks)
    return pa.table(columns)


@lru_cache(maxsize=4)  # cells of a pack are mostly alike
def _numbered(start: int, stop: int, generations: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Replicate and generation of every row of a block of replicates."""
    at = np.frombuffer(generations, np.uint32).astype(np.int32)
    return np.repeat(np.arange(start, stop, dtype=np.int32), len(at)), np.tile(at, stop - start)


def _labels(labels: list[Any], which: np.ndarray) -> pa.Array:
    """A swept field's column."""
    import pyarrow as pa

    if all(isinstance(label, int | float) and not isinstance(label, bool) for label in labels):
        whole = all(isinstance(label, int) for label in labels)
        return pa.array(np.array(labels, np.int64 if whole else np.float64)[which])
    return pa.DictionaryArray.from_arrays(which, pa.array([str(label) for label in labels]))


def _column(blocks: list[np.ndarray]) -> pa.Array:
    import pyarrow as pa

    flat = pa.array(np.concatenate([block.reshape(-1) for block in blocks]))
    if blocks[0].ndim == 2:
        return flat
    widths = np.repeat(
        [block.shape[2] for block in blocks], [block.shape[0] * block.shape[1] for block in blocks]
    )
    offsets = np.concatenate([[0], np.cumsum(widths)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, flat)


def _once(blocks: list[np.ndarray], group: Sequence[tuple[CellResult, slice]]) -> pa.Array:
    """Lists in the last row of every lineage; in its other rows there is none."""
    import pyarrow as pa

    lengths = []
    for block, (result, _) in zip(blocks, group, strict=True):
        rows = np.zeros((len(block), len(result.generations)), np.int32)
        rows[:, -1] = block.shape[1]
        lengths.append(rows.reshape(-1))
    length = np.concatenate(lengths)
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int32)
    flat = pa.array(np.concatenate([block.reshape(-1) for block in blocks]))
    return pa.ListArray.from_arrays(offsets, flat, mask=pa.array(length == 0))


def _seal(text: bytes) -> bytes:
    """What tells whether a note is as it was written."""
    return hashlib.sha256(text).hexdigest().encode()


def read_note(path: Path) -> Part:
    """Open a part.

    Raises
    ------
    DataError
        If it cannot be read, is damaged, or a newer version wrote it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = "run the sweep again: it sets the part aside and computes it anew"
    try:
        metadata = pq.read_schema(path, memory_map=True).metadata or {}
        text = metadata[METADATA]
        version = msgspec.json.decode(text).get("format")
        if not isinstance(version, int) or version > FORMAT:
            raise NewerError(FIELD, str(path), "was written by a newer version", "upgrade tailbiter")
        if metadata[SEAL] != _seal(text):
            raise DataError(FIELD, str(path), "is damaged", again)
        note = msgspec.json.decode(text, type=Note)
        size = path.stat().st_size
    except (pa.ArrowException, OSError, KeyError, msgspec.MsgspecError, AttributeError) as error:
        raise DataError(FIELD, str(path), "cannot be read", again) from error
    return Part(path, note, size)

# SPDX-License-Identifier: MIT
"""A run on disk: `spec.toml`, Parquet tables and a picture in one directory, published whole or not at all.

``records.parquet`` has a row for each replicate and recorded generation, with values by band (of a Gaussian,
by level, dimension or entry; of a mixture, by component or entry) as fixed-size lists; ``categories.parquet``
and ``snapshots.parquet`` are there where the run recorded them. Attributes, coordinates and long names are
JSON in the Parquet schema's metadata; any Parquet reader sees plain columns.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._interrupt import held
from tailbiter.errors import DataError, SpecError

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

    from tailbiter.spec import Spec

__all__ = ["check_target", "read_run", "write_run"]

FORMAT = 1
METADATA = b"tailbiter"
TABLES = {
    "records": ("replicate", "generation"),
    "categories": ("replicate", "category"),
    "snapshots": ("snapshot_entry",),
}
# Everything a run may write; with `force`, only these are replaced.
FILES = ("spec.toml", "records.parquet", "categories.parquet", "snapshots.parquet", "tails.png")
# Rows a Parquet row group holds, about.
GROUP_ROWS = 2**20
FIELD = "out"


def check_target(directory: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Make sure, before a run, that its files can be written.

    Parameters
    ----------
    directory : path
        A directory that does not exist yet (its parent must), or an empty one, or a link to one.
    force : bool
        Accept a directory that holds a run, whose files will be replaced.

    Returns
    -------
    Path
        The directory, resolved. Nothing is left behind in it or beside it.

    Raises
    ------
    SpecError
        Naming what stands in the way.
    """
    target = _resolved(directory)
    try:
        _refuse_unusable(target, force=force)
        with tempfile.TemporaryDirectory(dir=_staging_parent(target)):
            pass
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def _resolved(directory: str | os.PathLike[str]) -> Path:
    """The directory itself, with no link or dot left to be replaced in its stead."""
    if not os.fspath(directory):
        raise SpecError(FIELD, directory, "is empty", "name a directory that does not exist yet")
    return Path(os.path.realpath(directory))


def _refuse_unusable(target: Path, *, force: bool) -> None:
    new = "name a directory that does not exist yet"
    if not target.is_dir():
        if os.path.lexists(target):
            raise SpecError(FIELD, str(target), "is not a directory", new)
        if not target.parent.is_dir():
            raise SpecError(FIELD, str(target), "has no parent directory", f"create {target.parent} first")
    elif any(target.iterdir()):
        if not force:
            remedy = "name a new directory, or pass --force to replace a run"
            raise SpecError(FIELD, str(target), "is not empty", remedy)
        if not _holds_run(target):
            raise SpecError(FIELD, str(target), "holds no run to replace", new)


def _holds_run(directory: Path) -> bool:
    """Whether a run was written here, by any version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = directory / "records.parquet"
    try:
        return path.is_file() and METADATA in (pq.read_schema(path).metadata or {})
    except pa.ArrowInvalid:
        return False


def _unwritable(target: Path, error: OSError) -> SpecError:
    problem = f"cannot be written ({(error.strerror or str(error)).lower()})"
    return SpecError(FIELD, str(target), problem, "name a directory you may write to, with space left")


def write_run(
    ds: xr.Dataset,
    spec: Spec,
    directory: str | os.PathLike[str],
    *,
    picture: bool = True,
    force: bool = False,
) -> Path:
    """Write a run: all of it, or nothing.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it.
    spec : Spec
        What was run.
    directory : path
        Where to; see `check_target`.
    picture : bool
        Draw ``tails.png`` too, if the run recorded what it shows.
    force : bool
        Replace the files of a run that is already there.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    SpecError
        When the directory cannot be used.

    Examples
    --------
    >>> import tailbiter as tb, tempfile, pathlib
    >>> spec = tb.Spec(reference=tb.Uniform(categories=8), samples=8, generations=5, replicates=2)
    >>> ds = tb.simulate(spec)
    >>> where = write_run(ds, spec, pathlib.Path(tempfile.mkdtemp()) / "run", picture=False)
    >>> read_run(where).equals(ds)
    True
    """
    from tailbiter.families import family_of
    from tailbiter.record import Record

    record = Record.from_json(ds.attrs["record"])
    target = check_target(directory, force=force)
    try:
        with _staged(target) as staging:
            (staging / "spec.toml").write_text(spec.to_toml(record=record), encoding="utf-8")
            for name, dims in TABLES.items():
                if name == "records" or _members(ds, dims):
                    _write_table(ds, dims, staging / f"{name}.parquet")
            if picture:
                family_of(spec.reference).draw(ds, staging / "tails.png")
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def read_run(directory: str | os.PathLike[str]) -> xr.Dataset:
    """Read back what `write_run` wrote.

    Parameters
    ----------
    directory : path
        The run's directory.

    Returns
    -------
    xarray.Dataset
        Identical to the one that was written.

    Raises
    ------
    DataError
        When the directory does not hold a run this version can read.
    """
    import xarray as xr

    source = Path(directory)
    if not (source / "records.parquet").is_file():
        raise DataError(
            FIELD, str(source), "holds no records.parquet", "name a directory that a run was written to"
        )
    data: dict[str, Any] = {}
    coords: dict[str, Any] = {}
    attrs: dict[str, Any] = {}
    order: list[str] = []
    for name, dims in TABLES.items():
        path = source / f"{name}.parquet"
        if path.is_file():
            note = _read_table(path, dims, data, coords)
            attrs, order = note["attrs"], note["order"]
    return xr.Dataset({name: data[name] for name in order}, coords, attrs)


def _staging_parent(target: Path) -> Path:
    """Inside a directory that is there, beside one that is not: a rename must not cross file systems."""
    return target if target.is_dir() else target.parent


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """A scratch directory that becomes the target when the block ends well, and vanishes when it does not."""
    parent = _staging_parent(target)
    staging = parent / f".{secrets.token_hex(4)}.partial"
    staging.mkdir()
    try:
        yield staging
        with held(f"the run had been written to {target}"):
            if parent == target:
                _replace_files(staging, target)
            else:
                staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace_files(staging: Path, target: Path) -> None:
    """Put new files in the place of old ones; on failure the old ones return, and no two runs ever mix."""
    old = staging / "old"
    old.mkdir()
    _move_files(target, old)
    try:
        _move_files(staging, target)
    except OSError:
        _move_files(old, target)
        raise


def _move_files(source: Path, target: Path) -> None:
    """Move what there is of a run, all of it or nothing."""
    moved = []
    try:
        for name in FILES:
            if os.path.lexists(source / name):
                (source / name).replace(target / name)
                moved.append(name)
    except OSError:
        for name in moved:
            (target / name).replace(source / name)
        raise


def _members(ds: xr.Dataset, dims: tuple[str, ...]) -> list[str]:
    """Variables with a row of their own for each combination of the table's dims."""
    return [str(name) for name, variable in ds.data_vars.items() if variable.dims[: len(dims)] == dims]


def _keys(ds: xr.Dataset, dims: tuple[str, ...]) -> list[str]:
    """Coordinates along one of the table's dims: its key columns."""
    return [str(name) for name, coord in ds.coords.items() if len(coord.dims) == 1 and coord.dims[0] in dims]


def _write_table(ds: xr.Dataset, dims: tuple[str, ...], path: Path) -> None:
    """Write one table in row groups of whole replicates, so that a large run is never held twice."""
    import pyarrow.parquet as pq

    note = {METADATA: json.dumps(_note(ds, dims)).encode()}
    tables = (_rows(ds, dims, rows).replace_schema_metadata(note) for rows in _row_groups(ds, dims))
    first = next(tables)
    # A dictionary pays for keys, which repeat; measured values do not.
    with pq.ParquetWriter(path, first.schema, compression="zstd", use_dictionary=_keys(ds, dims)) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _row_groups(ds: xr.Dataset, dims: tuple[str, ...]) -> Iterator[slice]:
    """Slices of the table's first dim with about `GROUP_ROWS` rows each."""
    length = ds.sizes[dims[0]]
    per_step = max(1, math.prod(ds.sizes[dim] for dim in dims[1:]))
    step = max(1, GROUP_ROWS // per_step)
    return (slice(start, start + step) for start in range(0, max(1, length), step))


def _rows(ds: xr.Dataset, dims: tuple[str, ...], rows: slice) -> pa.Table:
    """One row group: key columns spread over the rows, measured columns as they lie in memory."""
    import pyarrow as pa

    shape = (len(range(*rows.indices(ds.sizes[dims[0]]))), *(ds.sizes[dim] for dim in dims[1:]))
    columns = {}
    for name in _keys(ds, dims):
        axis = dims.index(str(ds[name].dims[0]))
        values = ds[name].values[rows] if axis == 0 else ds[name].values
        along = np.expand_dims(values, [other for other in range(len(dims)) if other != axis])
        columns[name] = pa.array(np.broadcast_to(along, shape).ravel())
    for name in _members(ds, dims):
        block = ds[name].values[rows]
        flat = pa.array(np.ascontiguousarray(block).reshape(-1))
        wide = block.ndim > len(dims)
        columns[name] = pa.FixedSizeListArray.from_arrays(flat, block.shape[-1]) if wide else flat
    return pa.table(columns)


def _note(ds: xr.Dataset, dims: tuple[str, ...]) -> dict[str, Any]:
    """What a Dataset knows and columns cannot hold, as JSON."""
    keys = _keys(ds, dims)
    of_rows = {dim for table in TABLES.values() for dim in table}
    rest = [str(name) for name, coord in ds.coords.items() if of_rows.isdisjoint(coord.dims)]
    return {
        "format": FORMAT,
        "attrs": ds.attrs,
        "order": [str(name) for name in ds.data_vars],
        "variables": {name: _described(ds[name]) for name in _members(ds, dims)},
        "keys": {name: _described(ds[name]) for name in keys},
        "coords": {name: {**_described(ds[name]), "values": ds[name].values.tolist()} for name in rest},
    }


def _described(array: xr.DataArray) -> dict[str, Any]:
    return {"dims": array.dims, "shape": array.shape, "dtype": array.dtype.str, "attrs": array.attrs}


def _read_table(
    path: Path, dims: tuple[str, ...], data: dict[str, Any], coords: dict[str, Any]
) -> dict[str, Any]:
    """Add one table's variables and coordinates; return its note."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        remedy = "run its spec.toml again"
        raise DataError(FIELD, str(path), "cannot be read as Parquet", remedy) from error
    note: dict[str, Any] = json.loads((table.schema.metadata or {}).get(METADATA, b"{}"))
    if note.get("format") != FORMAT:
        raise DataError(FIELD, str(path), "was not written by this version", "run its spec.toml again")
    for name, about in note["variables"].items():
        data[name] = _restored(table[name], about)
    shape = tuple(note["keys"][dim]["shape"][0] for dim in dims if dim in note["keys"])
    for name, about in note["keys"].items():
        spread = table[name].to_numpy().reshape(shape)
        axis = dims.index(about["dims"][0])
        along = spread[tuple(slice(None) if other == axis else 0 for other in range(len(shape)))]
        coords[name] = (about["dims"], along.astype(about["dtype"]), about["attrs"])
    for name, about in note["coords"].items():
        coords[name] = (about["dims"], np.array(about["values"], dtype=about["dtype"]), about["attrs"])
    return note


def _restored(column: pa.ChunkedArray, about: dict[str, Any]) -> tuple[Any, ...]:
    """Dims, values and attributes of one variable, its values writable."""
    import pyarrow as pa

    values = column.combine_chunks()
    if pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    return (
        about["dims"],
        np.array(values.to_numpy(zero_copy_only=False)).reshape(about["shape"]),
        about["attrs"],
    )

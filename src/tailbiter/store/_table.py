# SPDX-License-Identifier: MIT
"""A store as one tidy table, and as one file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._checks import choice
from tailbiter._variables import OF_LINEAGES
from tailbiter.errors import SpecError
from tailbiter.sweep import labels_of

from ._files import unwritable
from ._lazy import open_sweep
from ._store import Place, Store

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["export", "sweep_table"]

KEYS = ("cell", "replicate", "generation")
# What scipy's netCDF-3 can hold of one variable.
NETCDF_BYTES = 2**31


def sweep_table(directory: str | os.PathLike[str], variables: Sequence[str] | None = None) -> pa.Table:
    """Read a sweep's store as a tidy table: a row for each cell, replicate and recorded generation.

    Parameters
    ----------
    directory : path
        The store, finished or not.
    variables : sequence of str, optional
        What to read; all that was recorded if left out.

    Returns
    -------
    pyarrow.Table
        Columns: ``cell`` (its id), the swept fields, ``replicate``, ``generation``, and the variables, bands
        as lists; ``forgotten`` is a list in the last row of a lineage, and null before. pandas, polars and
        DuckDB take it as it is.

    Raises
    ------
    SpecError
        For a variable that was not recorded.
    DataError
        If there is no store, or a part of it is damaged.

    Examples
    --------
    >>> import tailbiter as tb, tempfile, pathlib
    >>> base = tb.Spec(reference=tb.Zipf(50), samples=100, generations=20, replicates=4)
    >>> sweep = tb.Sweep(base, vary={"samples": [50, 100, 200]})
    >>> where = tb.run_sweep(sweep, pathlib.Path(tempfile.mkdtemp()) / "sweep").path
    >>> sweep_table(where, ["survivors"]).column_names
    ['cell', 'samples', 'replicate', 'generation', 'survivors']
    """
    import pyarrow as pa

    store = Store(directory)
    tables = list(tables_of(store, variables))
    if not tables:
        raise SpecError("out", str(directory), "holds no finished cell", "run the sweep first")
    return pa.concat_tables(tables)


def tables_of(store: Store, variables: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Tables of neighbouring cells, each cell once, part by part."""
    store.refuse_unreadable()
    sweep = store.sweep
    recorded = sweep.record.names_of(sweep.base.reference.family, sweep.base.also_recorded)
    recorded += tuple(OF_LINEAGES) if sweep.record.forgotten else ()
    wanted = recorded if variables is None else [choice(name, "variables", recorded) for name in variables]
    labels = {name: labels_of(column) for name, column in sweep.columns.items()}
    by_part: dict[str, list[tuple[int, Place]]] = {}
    for number, place in enumerate(store.located()):
        if place is not None:
            by_part.setdefault(place.part.path.name, []).append((number, place))
    for found in by_part.values():
        found.sort(key=lambda one: one[1].number)
        first, last = found[0][1], found[-1][1]
        table = first.part.read(first.number, last.number, [*KEYS, *wanted])
        yield _labelled(table, found, sweep, labels, wanted)


def _labelled(
    table: pa.Table,
    found: list[tuple[int, Place]],
    sweep: Any,
    labels: dict[str, list[Any]],
    wanted: Sequence[str],
) -> pa.Table:
    """Only the rows of cells found, with the values that this sweep has for them."""
    import pyarrow as pa

    part, offset = found[0][1].part, int(found[0][1].part.starts[found[0][1].number])
    spans = [(int(part.starts[p.number]) - offset, int(part.starts[p.number + 1]) - offset) for _, p in found]
    if sum(stop - start for start, stop in spans) != len(table) or len(set(spans)) != len(spans):
        table = pa.concat_tables([table.slice(start, stop - start) for start, stop in spans])
    counts = [stop - start for start, stop in spans]
    numbers = np.array([number for number, _ in found])
    columns = {"cell": table["cell"]}
    for name, index in zip(sweep.names, _indices(sweep, numbers), strict=True):
        columns[name] = pa.array(np.repeat(np.array(labels[name])[index], counts))
    names = ["replicate", "generation", *wanted]
    return pa.table({**columns, **{name: table[name] for name in names}})


def _indices(sweep: Any, numbers: np.ndarray) -> list[np.ndarray]:
    """Where in each field's column the cells' values are."""
    if sweep.design == "product":
        return list(np.unravel_index(numbers, sweep.shape))
    return [numbers] * len(sweep.names)


def export(directory: str | os.PathLike[str], path: str | os.PathLike[str]) -> Path:
    """Write a sweep as one file: tidy Parquet, or NetCDF with the swept fields as dims.

    Parameters
    ----------
    directory : path
        The store.
    path : path
        Ends in ``.parquet`` or ``.nc``. The latter is netCDF-3 by way of scipy, with less than 2 GB a
        variable.

    Returns
    -------
    Path
        The file, which is there whole or not at all.

    Raises
    ------
    SpecError
        For another ending, a variable too large for NetCDF, and a file that cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".parquet", ".nc"):
        raise SpecError("export", str(path), "ends in neither .parquet nor .nc", "name such a file")
    if not target.resolve().parent.is_dir():
        raise SpecError(
            "export", str(path), "has no parent directory", f"create {target.resolve().parent} first"
        )
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        (_parquet if target.suffix == ".parquet" else _netcdf)(directory, partial)
        partial.replace(target)
    except OSError as error:
        raise unwritable(target.parent, error) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _parquet(directory: str | os.PathLike[str], path: Path) -> None:
    import pyarrow.parquet as pq

    writer = None
    try:
        for table in tables_of(Store(directory)):
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=["cell"])
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise SpecError("out", str(directory), "holds no finished cell", "run the sweep first")


def _netcdf(directory: str | os.PathLike[str], path: Path) -> None:
    ds = open_sweep(directory)
    for name, variable in ds.data_vars.items():
        if variable.nbytes >= NETCDF_BYTES:
            problem = (
                f"takes {variable.nbytes / 1e9:,.1f} GB, and netCDF-3 holds less than 2 GB of a variable"
            )
            raise SpecError("export", str(name), problem, "export to .parquet, or record fewer generations")
    ds.load().to_netcdf(path, format="NETCDF3_64BIT", engine="scipy")

# SPDX-License-Identifier: MIT
"""A sweep's cells in plain data: what is left in each, by generation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import share_alive
from tailbiter.errors import DataError
from tailbiter.plot._human import human_alive
from tailbiter.summary import log_spaced

from ._charts import MOST_LINES, QUANTILES, in_words, line_names, plain
from ._shared import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from tailbiter.store import Store
    from tailbiter.sweep import Sweep

__all__ = ["Cells", "fields_of", "quantities"]

SHARE = "share of the band's categories alive"
MOST_CELLS = 20_000
# About 15 MB of page.
MOST_NUMBERS = 2_000_000
MOST_GENERATIONS = 24
LEAST_GENERATIONS = 6
# Cells beside which human data alone are shown: a Spec is resolved for each.
MOST_BESIDE = 500


@dataclass(frozen=True)
class Cells:
    """A store's cells, opened, with what says how many replicates each has.

    Attributes
    ----------
    ds : xarray.Dataset
        As `open_sweep` returns it.
    dims : tuple of str
        Those of the grid.
    ids : list of str
        Identity of each cell, empty where it is not there.
    replicates : ndarray
        int64[cells], 0 where the cell is not there.
    sweep : Sweep
        What they are cells of.
    """

    ds: xr.Dataset
    dims: tuple[str, ...]
    ids: list[str]
    replicates: np.ndarray
    sweep: Sweep

    @classmethod
    def of(cls, store: Store) -> Cells:
        """Open a store.

        Raises
        ------
        DataError
            If it has no finished cell, or more cells than a page can show.
        """
        from tailbiter.store import open_sweep

        count = len(store.sweep)
        if count > MOST_CELLS:
            problem = f"has {count:,} cells, and a page shows {MOST_CELLS:,} at most"
            raise DataError("run", str(store.path), problem, "report a sweep of a part, or export the store")
        places = store.located()
        if not any(places):
            raise DataError("run", str(store.path), "has no finished cell", "run its sweep")
        ds = open_sweep(store.path)
        replicates = np.array([place.kept.replicates if place else 0 for place in places])
        ids = [place.kept.id if place else "" for place in places]
        return cls(ds, tuple(map(str, ds["done"].dims)), ids, replicates, store.sweep)


def fields_of(sweep: Sweep) -> list[dict[str, Any]]:
    """Return each swept field: its name, and what stands for its values.

    Parameters
    ----------
    sweep : Sweep
        For a product a field's own values, otherwise that of every cell.
    """
    from tailbiter.sweep import labels_of

    found = []
    for name, column in sweep.columns.items():
        found.append({"name": name, "labels": [_label(label) for label in labels_of(column)]})
    return found


def _label(label: Any) -> Any:
    """A number, or words: of a table its kind, and what is said of it."""
    if isinstance(label, bool):
        return str(label).lower()
    if not isinstance(label, str) or not label.startswith("{"):
        return label
    table = json.loads(label)
    if "path" in table:
        table["path"] = base_name(table["path"])
    told = [f"{name} {json.dumps(value)}" for name, value in table.items() if name != "kind"]
    return ", ".join([str(table["kind"])] * ("kind" in table) + told)


def quantities(cells: Cells) -> tuple[list[int], list[dict[str, Any]], list[str]]:
    """Return generations, what is shown at each of them, and the titles of what there is no room for.

    Parameters
    ----------
    cells : Cells
        A store's.
    """
    wanted = dict(_arrays(cells.ds))
    lines = {name: min(MOST_LINES, _width(array)) for name, array in wanted.items()}
    kept, generations = _that_fit(cells, lines)
    found = [_quantity(cells.ds, wanted[name], cells, generations, lines[name]) for name in kept]
    shown = cells.ds["generation"].values[generations].tolist()
    return shown, found, [_title(wanted[name]) for name in wanted if name not in kept]


def _arrays(ds: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """What was recorded, of bands the share alive first."""
    if "band_survivors" in ds:
        yield "share_alive", ds["band_survivors"].assign_attrs(long_name=SHARE)
    rows = (*ds["done"].dims, "replicate", "generation")
    for name, array in ds.data_vars.items():
        if array.dims[: len(rows)] == rows and array.dtype.kind in "if":
            yield str(name), array


def _width(array: xr.DataArray) -> int:
    return 1 if array.dims[-1] == "generation" else array.sizes[array.dims[-1]]


def _title(array: xr.DataArray) -> str:
    return in_words(str(array.attrs["long_name"]))


def _that_fit(cells: Cells, lines: dict[str, int]) -> tuple[list[str], np.ndarray]:
    """Which quantities a page has room for, and at which generations."""
    generation = cells.ds["generation"].values
    unit = len(QUANTILES) * len(cells.ids)
    least = min(LEAST_GENERATIONS, len(generation))
    kept: list[str] = []
    width = 0
    for name, count in lines.items():
        if not kept or unit * least * (width + count) <= MOST_NUMBERS:
            kept.append(name)
            width += count
    most = min(MOST_GENERATIONS, max(least, MOST_NUMBERS // (unit * width)))
    return kept, log_spaced(generation, most - 1)


def _quantity(
    ds: xr.Dataset, array: xr.DataArray, cells: Cells, generations: np.ndarray, lines: int
) -> dict[str, Any]:
    share = array.attrs["long_name"] == SHARE
    kind = "" if array.dims[-1] == "generation" else str(array.dims[-1])
    names = line_names(ds, array)[:lines]
    out = np.full((len(QUANTILES), len(cells.ids), len(generations), lines), np.nan)
    first, inner = cells.dims[0], len(cells.ids) // ds.sizes[cells.dims[0]]
    for number in range(ds.sizes[first]):
        part = ds.isel({first: number, "generation": generations})
        values = (share_alive(part) if share else part[array.name]).transpose(*cells.dims[1:], ...)
        shape = (inner, ds.sizes["replicate"], len(generations), -1)
        block = np.asarray(values.values, np.float64).reshape(shape)
        rows = slice(number * inner, (number + 1) * inner)
        out[:, rows] = _middle(block[..., :lines], cells.replicates[rows])
    units = str(array.attrs.get("units", "1"))
    human = _human(cells, ds["generation"].values[generations], lines) if share else None
    return {
        "title": _title(array),
        "units": "share" if share else units,
        "share": share,
        "kind": kind,
        "logarithmic": kind == "band",
        "lines": names,
        "human": human,
        "labels": [name.removeprefix("expected ").removeprefix(f"{kind} ") for name in names],
    } | {name: plain(row.ravel()) for name, row in zip(("median", "low", "high"), out, strict=True)}


def _human(cells: Cells, generation: np.ndarray, lines: int) -> list[float | None] | None:
    """What share of each band human data alone would hold, ``[cell, generation, line]``, raveled."""
    if len(cells.ids) > MOST_BESIDE:
        return None
    out = np.full((len(cells.ids), len(generation), lines), np.nan)
    for number, there in enumerate(cells.ids):
        if not there:
            continue
        spec = cells.sweep.spec(number)
        known = generation <= spec.generations
        alive = human_alive(spec, generation[known])
        width = min(lines, alive.shape[1])
        out[number, known, :width] = alive[:, :width]
    return plain(out.ravel())


def _middle(values: np.ndarray, replicates: np.ndarray) -> np.ndarray:
    """Quantiles over the replicates that each cell has, ``[quantile, cell, generation, line]``.

    Cells with fewer replicates than others are filled up with NaN; where one of a cell's own is not finite,
    there is nothing.
    """
    known = np.isfinite(values).sum(axis=1) == replicates[:, None, None]
    ordered = np.sort(values, axis=1)  # NaN goes to the end
    out = []
    for share in QUANTILES:
        place = np.maximum(np.ceil(share * replicates - 1e-9).astype(np.int64) - 1, 0)
        row = np.take_along_axis(ordered, place[:, None, None, None], axis=1)[:, 0]
        out.append(np.where(known & (replicates > 0)[:, None, None], row, np.nan))
    return np.stack(out)

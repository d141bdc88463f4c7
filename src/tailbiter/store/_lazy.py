# SPDX-License-Identifier: MIT
"""A store as one Dataset, read where it is looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from tailbiter._variables import FAMILIES, OF_LINEAGES, STAGES
from tailbiter.families import family_of
from tailbiter.sweep import label_of, labels_of

from ._parts import Layout
from ._store import Place, Store

if TYPE_CHECKING:
    from tailbiter.spec import Spec

__all__ = ["open_sweep"]

# Cells that lie so near to each other in a part are read in one go.
GAP = 8
# What bands, and the counts expected of categories, follow from; and the coordinates that do.
BANDS_FOLLOW = ("reference", "samples", "bands")
BY_CELL = {"band_categories", "band_reference_mass", "expected_count"}
# What a human sample follows from.
SAMPLE_FOLLOWS = (*BANDS_FOLLOW, "generations", "regime", "estimator", "held_out", "tail_mass")


def open_sweep(directory: str | os.PathLike[str]) -> xr.Dataset:
    """Open a sweep's store as one Dataset; nothing is read but what is looked at.

    Parameters
    ----------
    directory : path
        The store, finished or not.

    Returns
    -------
    xarray.Dataset
        dims: every swept field of a product, under its name (``ds.sel({"regime.real": 0.01})``), or else
        ``cell``; then ``replicate``, ``generation`` and those of the family, such as ``band``. Variables as
        `simulate` has them. Where cells are missing, or shorter than others, there is NaN, and whole numbers
        become real ones; ``done`` tells which cells are there. Values of fields that are no scalars stand as
        JSON. With ``Spec(stages=...)`` the coordinate ``human_sample`` is what `stages` measures a cell
        against.

    Raises
    ------
    DataError
        If there is no store, or a part of it is damaged.

    Notes
    -----
    Slices are taken lazily, so that a store may be larger than memory: select first, compute then.

    Examples
    --------
    >>> import tailbiter as tb, tempfile, pathlib
    >>> base = tb.Spec(reference=tb.Zipf(50), samples=100, generations=20, replicates=4)
    >>> sweep = tb.Sweep(base, vary={"samples": [50, 100, 200]})
    >>> where = tb.run_sweep(sweep, pathlib.Path(tempfile.mkdtemp()) / "sweep").path
    >>> survivors = open_sweep(where).survivors.sel(samples=100)
    >>> survivors.dims
    ('replicate', 'generation')
    """
    return _View(Store(directory)).dataset()


class _View:
    """Cells of a sweep, and where they are; None where they are not."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sweep = store.sweep
        store.refuse_unreadable()
        self.places = store.located()
        self.there = [place for place in self.places if place is not None]
        family = self.sweep.base.reference.family
        self.known = {
            name: FAMILIES[family].known[name]
            for name in self.sweep.record.names_of(family, self.sweep.base.also_recorded)
        }
        if self.sweep.record.forgotten:
            self.known |= OF_LINEAGES

    @property
    def dims(self) -> tuple[str, ...]:
        """Dims of the grid."""
        return self.sweep.names if self.sweep.design == "product" else ("cell",)

    @cached_property
    def layouts(self) -> list[Layout]:
        """What cells that are there look like, each kind of a part once."""
        found = {(id(place.part), place.kept.layout): place.part for place in self.there}
        return [part.note.layouts[number] for (_, number), part in found.items()]

    @cached_property
    def generations(self) -> np.ndarray:
        """All generations that any cell recorded."""
        recorded = sorted({t for layout in self.layouts for t in layout.generations})
        return np.array(recorded or self.sweep.record.at(self.sweep.base.generations), np.int64)

    @cached_property
    def replicates(self) -> int:
        """The most that any cell has."""
        return max((place.kept.replicates for place in self.there), default=self.sweep.base.replicates)

    def width(self, name: str) -> int:
        """The most entries that any cell's lists of this variable have."""
        return max(self.widths(name), default=0)

    def widths(self, name: str) -> set[int]:
        """Lengths of lists of this variable; none where it has no lists."""
        return {layout.widths[name] for layout in self.layouts if name in layout.widths}

    @cached_property
    def rectangular(self) -> bool:
        """Whether every cell is there, as long and as wide as every other."""
        wide = {place.kept.replicates for place in self.there}
        long = {layout.generations for layout in self.layouts}
        return len(wide) == len(long) == 1 and len(self.there) == len(self.places)

    def dataset(self) -> xr.Dataset:
        """All of it."""
        data = {name: self._variable(name) for name in self.known}
        coords: dict[str, Any] = self._grid() | {
            "replicate": ("replicate", np.arange(self.replicates), {"long_name": "replicate", "units": "1"}),
        }
        coords |= self._of_family()
        about = {
            "long_name": "resamplings since the reference, which is generation 0",
            "units": "generations",
        }
        coords["generation"] = ("generation", self.generations, about)
        done = np.array([place is not None for place in self.places]).reshape(self.sweep.shape)
        data["done"] = xr.Variable(self.dims, done, {"long_name": "whether the cell is there", "units": "1"})
        if self.sweep.record.forgotten:
            about = {"long_name": "whether what is absent stays so", "units": "1"}
            final = indexing.LazilyIndexedArray(_Final(self))
            data["absence_is_final"] = xr.Variable(self.dims, final, about)
        if set(STAGES) & self.known.keys():
            about = {"long_name": "what stages of collapse are measured against: JSON"}
            human = indexing.LazilyIndexedArray(_HumanSample(self))
            coords["human_sample"] = xr.Variable(self.dims, human, about)
        attrs = {
            "family": self.sweep.base.reference.family,
            "sweep": json.dumps(self.sweep.to_dict()["sweep"]),
            "spec": self.sweep.base.to_json(brief=True),
            "record": self.sweep.record.to_json(),
        }
        return xr.Dataset(data, coords, attrs)

    def _grid(self) -> dict[str, Any]:
        """Coordinates of the cells."""
        ids = np.array([place.kept.id if place else "" for place in self.places]).reshape(self.sweep.shape)
        coords: dict[str, Any] = {"id": (self.dims, ids, {"long_name": "identity of the cell"})}
        if self.dims == ("cell",):
            coords["cell"] = np.arange(len(self.sweep))
        for name, column in self.sweep.columns.items():
            coords[name] = (name if self.sweep.design == "product" else "cell", labels_of(column))
        return coords

    def _variable(self, name: str) -> xr.Variable:
        variable = self.known[name]
        rows: tuple[str, ...] = (*self.dims, "replicate")
        shape: tuple[int, ...] = (*self.sweep.shape, self.replicates)
        once = name in OF_LINEAGES
        if not once:
            rows, shape = (*rows, "generation"), (*shape, len(self.generations))
        if variable.dim is not None:
            rows, shape = (*rows, variable.dim), (*shape, self.width(name))
        array = (_Lineages if once else _Records)(self, name, shape)
        return xr.Variable(
            rows,
            indexing.LazilyIndexedArray(array),
            {"long_name": variable.long_name, "units": variable.units},
        )

    def _of_family(self) -> dict[str, Any]:
        """Coordinates such as bands, of the cell that has most of them; what differs by cell has its dims."""
        widest = max(
            self.there,
            key=lambda place: sum(place.part.note.layouts[place.kept.layout].widths.values()),
            default=None,
        )
        if widest is None:
            return {}
        found = self._coords(self.sweep.spec(self.places.index(widest)))
        follow = [name for name in self.sweep.names if name.partition(".")[0] in BANDS_FOLLOW]
        by_cell = BY_CELL & found.keys() if follow else set()
        out: dict[str, Any] = {name: coord for name, coord in found.items() if name not in by_cell}
        dims = tuple(follow) if self.sweep.design == "product" else self.dims
        for name in sorted(by_cell):
            sizes = dict(zip(self.dims, self.sweep.shape, strict=True))
            shape = (*(sizes[dim] for dim in dims), found[name].size)
            array = indexing.LazilyIndexedArray(_Totals(self, name, dims, shape, found[name].dtype))
            out[name] = xr.Variable((*dims, *found[name].dims), array, found[name].attrs)
        return out

    def _coords(self, spec: Spec) -> dict[str, xr.Variable]:
        """Coordinates of a family's dims for one Spec."""
        return {
            str(name): coord.variable
            for name, coord in self.empty(spec).coords.items()
            if name not in ("replicate", "generation")
        }

    def empty(self, spec: Spec) -> xr.Dataset:
        """A Dataset of one Spec, whose records play no part."""
        family = family_of(spec.reference)
        program = family.lower(spec, self.sweep.record)
        engine = family.engine(program)
        return family.dataset(program, engine, engine.outputs(1), {}, 1)

    def totals(self, dims: tuple[str, ...], at: tuple[int, ...], name: str) -> np.ndarray:
        """Entries of a coordinate that follows from some fields alone, where these have these places."""
        places = dict(zip(dims, at, strict=True))
        index = tuple(places.get(dim, 0) for dim in self.dims)
        return self._coords(self.sweep.spec(int(np.ravel_multi_index(index, self.sweep.shape))))[name].values


class _Lazy(BackendArray):
    """An array that is worked out where it is looked at, by orthogonal indices."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, support, self._outer)

    def _outer(self, key: tuple[Any, ...]) -> np.ndarray:
        """Work out what is asked for; whole numbers in the key drop their dim."""
        wanted = [
            np.atleast_1d(np.arange(length)[part]) for part, length in zip(key, self.shape, strict=True)
        ]
        out = self._compute(wanted)
        return out[tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in key)]

    def _compute(self, wanted: list[np.ndarray]) -> np.ndarray:
        raise NotImplementedError


class _Records(_Lazy):
    """One variable of all cells."""

    def __init__(self, view: _View, name: str, shape: tuple[int, ...]) -> None:
        self.view = view
        self.name = name
        self.shape = shape
        self.grid = len(view.sweep.shape)
        stored = view.there[0].part.dtype(name) if view.there else np.dtype(np.float64)
        self.alike = view.rectangular and len(view.widths(name)) <= 1
        self.dtype = stored if view.rectangular or stored.kind == "f" else np.dtype(np.float64)

    def _compute(self, wanted: list[np.ndarray]) -> np.ndarray:
        sizes = [len(indices) for indices in wanted]
        cells, rest = wanted[: self.grid], wanted[self.grid :]
        numbers = np.ravel_multi_index(np.ix_(*cells), self.view.sweep.shape).reshape(-1)
        out = np.empty((len(numbers), *sizes[self.grid :]), self.dtype)
        if self.dtype.kind == "f":
            out.fill(np.nan)
        for run in self._runs(numbers.tolist()):
            part, first, last = run[0][2].part, run[0][0], run[-1][0]
            if self.alike:
                block = part.values(first, last, self.name).reshape(-1, *self.shape[self.grid :])
                local = np.array([number - first for number, _, _ in run])
                out[np.array([row for _, row, _ in run])] = block[np.ix_(local, *rest)]
                continue
            blocks = list(part.columns(first, last, self.name))
            for number, row, place in run:
                layout = part.note.layouts[place.kept.layout]
                self._put(out[row], blocks[number - first], layout.generations, rest)
        return out.reshape(sizes)

    def _put(
        self, out: np.ndarray, block: np.ndarray, generations: tuple[int, ...], rest: list[np.ndarray]
    ) -> None:
        """Write what a cell, which recorded these generations, has of what is wanted."""
        rows = np.flatnonzero(rest[0] < len(block))
        wanted = self.view.generations[rest[1]]
        here = np.searchsorted(generations, wanted)
        known = np.flatnonzero(np.take(generations, here, mode="clip") == wanted)
        picked = block[np.ix_(rest[0][rows], here[known])]
        if len(rest) == 2:
            out[np.ix_(rows, known)] = picked
            return
        entries = np.flatnonzero(rest[2] < block.shape[2])
        # A band beyond a cell's last has none of its categories.
        beyond = np.flatnonzero(rest[2] >= block.shape[2])
        out[np.ix_(rows, known, entries)] = picked[..., rest[2][entries]]
        out[np.ix_(rows, known, beyond)] = 0

    def _runs(self, numbers: list[int]) -> Iterator[list[tuple[int, int, Place]]]:
        """Neighbours in a part, to be read at once: number there, row of what is wanted, place."""
        by_part: dict[str, list[tuple[int, int, Place]]] = {}
        for row, number in enumerate(numbers):
            place = self.view.places[number]
            if place is not None:
                by_part.setdefault(place.part.path.name, []).append((place.number, row, place))
        for found in by_part.values():
            found.sort(key=lambda one: one[:2])
            yield from _runs(found)


class _Lineages(_Records):
    """One variable of all lineages, of all generations together."""

    def _put(
        self, out: np.ndarray, block: np.ndarray, generations: tuple[int, ...], rest: list[np.ndarray]
    ) -> None:
        """Write what a cell has of what is wanted."""
        del generations  # what is said of a lineage is said of all of them
        rows = np.flatnonzero(rest[0] < len(block))
        out[rows] = block[np.ix_(rest[0][rows], rest[1])]


def _runs(found: list[tuple[int, int, Place]]) -> Iterator[list[tuple[int, int, Place]]]:
    """Neighbours in a part."""
    run = found[:1]
    for one in found[1:]:
        if one[0] - run[-1][0] > GAP:
            yield run
            run = []
        run.append(one)
    yield run


class _Totals(_Lazy):
    """A coordinate of a family's dim that is not the same in all cells."""

    def __init__(
        self, view: _View, name: str, dims: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.entries: Callable[[tuple[int, ...]], np.ndarray] = lambda at: view.totals(dims, at, name)

    def _compute(self, wanted: list[np.ndarray]) -> np.ndarray:
        sizes = [len(indices) for indices in wanted]
        out = np.zeros((*sizes[:-1], self.shape[-1]), self.dtype)
        for place in np.ndindex(*sizes[:-1]):
            found = self.entries(
                tuple(int(indices[i]) for indices, i in zip(wanted[:-1], place, strict=True))
            )
            out[place][: len(found)] = found
        return out[..., wanted[-1]]


class _Final(_Lazy):
    """Whether a category that is absent in a cell stays so; False where the cell is not there."""

    def __init__(self, view: _View) -> None:
        self.view = view
        self.shape = view.sweep.shape
        self.dtype = np.dtype(bool)

    def _compute(self, wanted: list[np.ndarray]) -> np.ndarray:
        numbers = np.ravel_multi_index(np.ix_(*wanted), self.shape)
        there = [self.view.places[n] is not None and self._of(n) for n in numbers.reshape(-1).tolist()]
        return np.array(there, bool).reshape(numbers.shape)

    def _of(self, number: int) -> bool:
        ds = self.view.empty(self.view.sweep.spec(number))
        return bool(ds["forgotten"].attrs["absence_is_final"])


class _HumanSample(_Lazy):
    """What a human sample of a cell has, as its run would say; nothing where the cell is not there."""

    def __init__(self, view: _View) -> None:
        self.view = view
        self.shape = view.sweep.shape
        self.dtype = np.dtype(object)
        self.seen: dict[tuple[Any, ...], str] = {}

    def _compute(self, wanted: list[np.ndarray]) -> np.ndarray:
        numbers = np.ravel_multi_index(np.ix_(*wanted), self.shape)
        out = np.empty(numbers.size, object)
        out[:] = [self._of(number) for number in numbers.reshape(-1).tolist()]
        return out.reshape(numbers.shape)

    def _of(self, number: int) -> str:
        sweep = self.view.sweep
        if self.view.places[number] is None:
            return "{}"
        values = zip(sweep.names, sweep.values(number), strict=True)
        key = tuple(label_of(value) for name, value in values if name.partition(".")[0] in SAMPLE_FOLLOWS)
        if key not in self.seen:
            self.seen[key] = self.view.empty(sweep.spec(number)).attrs.get("human_sample", "{}")
        return self.seen[key]

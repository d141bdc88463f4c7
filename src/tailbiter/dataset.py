# SPDX-License-Identifier: MIT
"""What a run leaves behind: an `xarray.Dataset` with a name, a unit and a long name on everything in it.

What can be derived from the recorded variables (Hill numbers, the share of a band that is alive) is computed
when it is read, by the functions here, and never stored.
"""

from __future__ import annotations

import json
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tailbiter._variables import FAMILIES, FLOOR, HELD_OUT, OF_LINEAGES, STAGES, Variable
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter.program import Program

__all__ = ["absence_is_final", "build_dataset", "forgotten_censored", "hill_numbers", "share_alive"]


class Recorded(Protocol):
    """A program of any family: it says which generations are recorded."""

    @property
    def at(self) -> np.ndarray:
        """Ascending."""


VARIABLES = FAMILIES["categorical"].known
SNAPSHOTS = {
    "snapshot_replicate": Variable("replicate of the entry", "1"),
    "snapshot_generation": Variable("generation of the entry", "generations"),
    "snapshot_category": Variable(
        "category of the entry: its position in the reference as it was given", "1"
    ),
    "snapshot_count": Variable("training-set total of the category", "item weights"),
}
TAIL_VARIABLES = ("tail_survivors", "tail_mass", "tail_coverage")
HILL_SOURCES = {0.0: "survivors", 1.0: "entropy", 2.0: "gini_simpson", np.inf: "largest_share"}


def build_dataset(
    program: Program,
    outputs: Mapping[str, np.ndarray],
    snapshots: tuple[np.ndarray, ...] | None,
    attrs: Mapping[str, Any],
    replicates: int,
) -> xr.Dataset:
    """Wrap the arrays an engine filled; nothing large is copied.

    Parameters
    ----------
    program : Program
        What was run.
    outputs : mapping of str to array
        Rows are replicates, as `Engine.outputs` made them.
    snapshots : tuple of arrays or None
        (replicate, generation, internal id, weight), one entry per category present.
    attrs : mapping
        Attributes of the Dataset.
    replicates : int
        How many were run.

    Returns
    -------
    xarray.Dataset
        With dims replicate and generation; band, category and snapshot_entry where recorded.
    """
    import xarray as xr

    data = {name: _recorded(name, outputs[name], program) for name in VARIABLES if name in outputs}
    coords = replicate_coord(replicates) | generation_coord(program)
    if any("band" in dims for dims, _, _ in data.values()):
        coords |= band_coords(program)
    if any("group" in dims for dims, _, _ in data.values()):
        coords |= group_coords(program)
    if program.forgotten:
        # The engine's sign tells whether a category might return; here one attribute tells it for all.
        generations = _dates(outputs)
        data["forgotten"] = (("replicate", "category"), generations, _forgotten_attrs(program))
        coords |= _category_coords(program)
    if snapshots is not None:
        data |= _snapshot_variables(snapshots, program.support.position[program.order])
    return xr.Dataset(data, coords, {**attrs, **sizes(program), **_human(program)})


def _human(program: Program) -> dict[str, str]:
    """What stages are measured against, where they are to be told: JSON."""
    if not set(STAGES) & set(program.variables):
        return {}
    from tailbiter.human_sample import describe

    return {"human_sample": json.dumps(describe(program))}


def sizes(program: Program) -> dict[str, int]:
    """Attributes that tell the size of the reference and of the first human sample."""
    return {"categories": int(program.weights.size), "first_sample": int(program.samples[0])}


def _attrs(variable: Variable) -> dict[str, Any]:
    return {"long_name": variable.long_name, "units": variable.units}


def variable_attrs(name: str, program: Program) -> dict[str, Any]:
    """Long name and unit of a variable; of the tail's, its size in the reference too."""
    attrs = _attrs(VARIABLES[name])
    if program.held_out is not None and name in HELD_OUT:
        attrs["tokens"], attrs["types"] = program.held_out.total, program.held_out.types
    if name.startswith("cross_entropy"):
        attrs["floor"] = FLOOR
    if name in TAIL_VARIABLES:
        start = program.tail_start
        attrs["categories"] = int(program.weights.size - start)
        attrs["reference_mass"] = int(program.weights[start:].sum()) / int(program.weights.sum())
    return attrs


def _recorded(
    name: str, values: np.ndarray, program: Program
) -> tuple[tuple[str, ...], np.ndarray, dict[str, Any]]:
    """Dims, values and attributes of one variable."""
    attrs = variable_attrs(name, program)
    if name == "survivors_output":
        # Undefined only where no batch was drawn; a float column keeps NaN for it whatever the Spec.
        values = np.where(values < 0, np.nan, values)
    if attrs.get("categories") == 0:  # there is no tail
        values = np.full(values.shape, np.nan)
    dims = ("replicate", "generation", *filter(None, [VARIABLES[name].dim]))
    return dims, values, attrs


def recorded_values(program: Program, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Records as a Dataset has them, each of one type whatever the program, for tables of many runs.

    Parameters
    ----------
    program : Program
        What was run.
    outputs : mapping of str to array
        Rows are replicates, as `Engine.outputs` made them.

    Returns
    -------
    dict of str to array
        Where there is no batch, or no tail, stands NaN; so what counts there is float64.
    """
    out = {name: outputs[name] for name in program.variables}
    if program.forgotten:
        out["forgotten"] = _dates(outputs)
    if "survivors_output" in out:
        out["survivors_output"] = np.where(out["survivors_output"] < 0, np.nan, out["survivors_output"])
    if "tail_survivors" in out:
        out["tail_survivors"] = out["tail_survivors"].astype(np.float64)
    for name in out.keys() & set(TAIL_VARIABLES):
        if program.tail_start == program.weights.size:
            out[name] = np.full(out[name].shape, np.nan)
    return out


def _dates(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """When categories were forgotten; the engine turns the sign of those that may come back."""
    return np.abs(outputs["forgotten"], out=outputs["forgotten"])


def replicate_coord(replicates: int) -> dict[str, Any]:
    """The lineages."""
    return {"replicate": ("replicate", np.arange(replicates), {"long_name": "replicate", "units": "1"})}


def generation_coord(program: Recorded) -> dict[str, Any]:
    """The generations recorded."""
    long_name = "resamplings since the reference, which is generation 0"
    at = np.asarray(program.at, dtype=np.int64)
    return {"generation": ("generation", at, {"long_name": long_name, "units": "generations"})}


def band_totals(program: Program) -> tuple[np.ndarray, np.ndarray]:
    """Categories and reference mass of every band, from rare to common."""
    start = np.asarray(program.band_start, dtype=np.int64)
    stop = np.concatenate([[program.weights.size], start[:-1]])
    mass = [int(program.weights[lo:hi].sum()) for lo, hi in zip(start, stop, strict=True)]
    return stop - start, np.array(mass) / sum(mass)


def band_coords(program: Program) -> dict[str, Any]:
    """The bands: their edges, categories and reference mass."""
    categories, mass = band_totals(program)
    unit = "items"
    return {
        "band": (
            "band",
            np.arange(categories.size),
            {"long_name": "band, from rare to common", "units": "1"},
        ),
        "band_lo": (
            "band",
            program.band_edges[:-1],
            {"long_name": "least count expected in the first human sample", "units": unit},
        ),
        "band_hi": (
            "band",
            program.band_edges[1:],
            {"long_name": "expected count that the band ends before", "units": unit},
        ),
        "band_categories": (
            "band",
            categories,
            {"long_name": "categories of the band in the reference", "units": "categories"},
        ),
        "band_reference_mass": ("band", mass, {"long_name": "reference mass of the band", "units": "1"}),
    }


def group_coords(program: Program) -> dict[str, Any]:
    """The groups: their names, categories and reference mass."""
    group = np.asarray(program.group, dtype=np.int64)
    count = len(program.group_names)
    mass = np.bincount(group, program.weights.astype(np.float64), count) / float(program.weights.sum())
    categories = np.bincount(group, minlength=count)
    names = np.array(program.group_names, dtype=object)
    about = {"long_name": "categories of the group in the reference", "units": "categories"}
    return {
        "group": ("group", names, {"long_name": "group of categories", "units": "1"}),
        "group_categories": ("group", categories, about),
        "group_reference_mass": ("group", mass, {"long_name": "reference mass of the group", "units": "1"}),
    }


def _category_coords(program: Program) -> dict[str, Any]:
    """Categories in the engine's own order, common to rare: to reorder them would copy the largest table."""
    support = program.support
    coords: dict[str, Any] = {
        "category": (
            "category",
            support.position[program.order],
            {"long_name": "position in the reference as it was given", "units": "1"},
        ),
        "expected_count": (
            "category",
            program.weights * (int(program.samples[0]) / int(program.weights.sum())),
            {"long_name": "count expected in the first human sample", "units": "items"},
        ),
    }
    if support.labels is not None:
        coords["label"] = ("category", support.labels[program.order], {"long_name": "label", "units": "1"})
    return coords


def _forgotten_attrs(program: Program) -> dict[str, Any]:
    return {**_attrs(OF_LINEAGES["forgotten"]), "absence_is_final": absence_is_final(program)}


def absence_is_final(program: Program) -> bool:
    """Whether a category absent from one training set stays absent for ever.

    Parameters
    ----------
    program : Program
        What is run.

    Returns
    -------
    bool
        False where an estimator gives what was not seen a share, and where a later human item, a kept item
        left out this time, a pool larger than the training set or a batch that counts again at a greater
        age can bring a category back.
    """
    counting = np.flatnonzero(program.ages)
    crawled = program.levers.crawled
    if program.levers.gives_unseen or (crawled is not None and bool(np.any(crawled[1:-1] > 0))):
        return False
    if program.draw is not None or (counting.size and counting.size <= counting[-1]):
        return False
    later = slice(1, program.samples.size - 1)
    weights = program.item_weights
    fresh, kept = program.fresh[later], program.from_kept[later]
    if weights is not None:
        fresh = np.where(weights[later, 1] > 0, fresh, 0)
        kept = np.where(weights[later, 2] > 0, kept, 0)
    left_out = program.kept > 0 and bool(np.any(kept < program.kept))
    return not (bool(np.any(fresh > 0)) or left_out)


def _snapshot_variables(snapshots: tuple[np.ndarray, ...], position: np.ndarray) -> dict[str, Any]:
    replicate, generation, ids, weight = snapshots
    columns = (replicate, generation, position[ids], weight)
    return {
        name: ("snapshot_entry", values, _attrs(variable))
        for (name, variable), values in zip(SNAPSHOTS.items(), columns, strict=True)
    }


def hill_numbers(ds: xr.Dataset, order: float = 1) -> xr.DataArray:
    """Effective number of categories of a given order.

    Order 0 counts the survivors, order 1 is ``exp(entropy)``, order 2 is ``1 / sum p^2`` and order infinity
    ``1 / max p``: how many equally likely categories would be as diverse (Hill 1973, doi:10.2307/1934352).

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded the variable the order needs.
    order : {0, 1, 2, inf}
        Larger orders give rare categories less weight.

    Returns
    -------
    xarray.DataArray
        dims of the variable it comes from, in categories.

    Raises
    ------
    SpecError
        For another order, or when the variable it needs was not recorded.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(categories=8), samples=100, generations=5, replicates=2)
    >>> float(tb.hill_numbers(tb.simulate(spec), order=2).sel(replicate=0, generation=0))
    8.0
    """
    import xarray as xr

    source = HILL_SOURCES.get(order) if isinstance(order, Real) else None
    if source is None:
        raise SpecError(
            "order", order, "is not an order that can be derived from a record", "give 0, 1, 2 or inf"
        )
    values = recorded(ds, source)
    if order == 1:
        result = xr.apply_ufunc(np.exp, values)
    elif order == 2:
        result = 1 / (1 - values)
    else:
        result = values if order == 0 else 1 / values
    attrs = {"long_name": f"effective number of categories, order {order:g}", "units": "categories"}
    return result.rename("hill_number").assign_attrs(attrs)


def share_alive(ds: xr.Dataset) -> xr.DataArray:
    """Share of each band's categories that is present in the training set.

    The share is of the band's categories in the reference, so it is 1 at generation 0 by definition, and at
    generation 1 already falls short by what the first sample missed. A band without categories is NaN.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_survivors``.

    Returns
    -------
    xarray.DataArray
        dims replicate, generation, band; a pure number in [0, 1].

    Raises
    ------
    SpecError
        When ``band_survivors`` was not recorded.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(categories=8), samples=8, generations=5, replicates=2)
    >>> alive = tb.share_alive(tb.simulate(spec))
    >>> alive.dims
    ('replicate', 'generation', 'band')
    """
    survivors = recorded(ds, "band_survivors")
    sizes = ds["band_categories"]
    attrs = {"long_name": "share of the band's categories present in the training set", "units": "1"}
    return (survivors / sizes.where(sizes > 0)).rename("share_alive").assign_attrs(attrs)


def forgotten_censored(ds: xr.Dataset) -> xr.DataArray:
    """Where the generation of forgetting is not yet known.

    A category present at the end may be forgotten later; and where the regime can bring a category back, one
    that is absent at the end is not forgotten for good either.

    Parameters
    ----------
    ds : xarray.Dataset
        A run with ``Record(forgotten=True)``, or a sweep of such.

    Returns
    -------
    xarray.DataArray
        bool, dims of ``forgotten``.

    Raises
    ------
    SpecError
        When ``forgotten`` was not recorded.
    """
    forgotten = recorded(ds, "forgotten")
    final = ds["absence_is_final"] if "absence_is_final" in ds else forgotten.attrs["absence_is_final"]
    censored = (forgotten == 0) | np.logical_not(final)
    attrs = {"long_name": "the generation of forgetting is censored", "units": "1"}
    return censored.rename("forgotten_censored").assign_attrs(attrs)


def recorded(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Look a variable up, or say how to record it.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.
    name : str
        Variable wanted.

    Returns
    -------
    xarray.DataArray
        The variable.

    Raises
    ------
    SpecError
        When the run did not record it.
    """
    if name in ds:
        return ds[name]
    field = "record.forgotten" if name == "forgotten" else "record.variables"
    raise SpecError(
        field, ", ".join(map(str, ds.data_vars)), f"does not hold {name}", f"record {name} in the run"
    )

# SPDX-License-Identifier: MIT
"""When a run collapsed, by each definition that the literature uses: side by side, never one verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from tailbiter.errors import SpecError
from tailbiter.judgement import Stages, as_stages

from ._chance import FALSE_ALARM
from ._profile import LATE, NOT_TOLD, OWN, PROFILE, Definition, Values
from ._survival import kaplan_meier, median
from ._words import as_plain, in_words, named

if TYPE_CHECKING:
    import xarray as xr

Floats = npt.NDArray[np.float64]

__all__ = ["as_plain", "in_words", "kaplan_meier", "median", "named", "stages"]


def stages(ds: xr.Dataset, thresholds: Stages | None = None) -> xr.Dataset:
    """Say when each replicate reached each stage of collapse, and the whole collapse profile.

    A stage is measured against what a human sample as large as generation 1's is expected to have, and holds
    in so many records in a row that a lineage of fresh human samples would reach it with a chance of 1e-6 at
    most: what sampling alone does is no collapse, and no stage is reached before generation 2.

    Parameters
    ----------
    ds : xarray.Dataset
        A run of a reference with categories, or one cell of an opened sweep. ``Spec(stages=Stages())``
        records what early collapse needs, and what a human sample is expected to have (``human_sample``: an
        attribute, of a sweep's cells a coordinate).
    thresholds : Stages, optional
        By default those of the run's Spec, or else the default ones.

    Returns
    -------
    xarray.Dataset
        dims replicate, stage. ``onset``: the first recorded generation at which a replicate has reached the
        stage, and from which on it holds in as many records as ``records_in_a_row`` says; NaN where it has
        not. ``onset_after``: the last recorded generation before it, so that the
        onset lies after it and not after ``onset``; where the stage was not reached, the last generation at
        which it could be told. ``median_onset``: the Kaplan-Meier median over replicates, NaN where half of
        them did not reach it; ``share_reached``. Coordinates ``definition``, ``source`` and
        ``records_in_a_row``; attributes ``thresholds``, ``human_sample``, ``false_alarm`` and ``left_out``
        (JSON): definitions that this run cannot tell, and why.

    Raises
    ------
    SpecError
        If the run has no categories, did not record generation 1, or is several cells of a sweep.

    Notes
    -----
    The profile follows Schaeffer et al. (2025, arXiv:2503.03150), who find eight definitions of model
    collapse in the literature, and adds early and late collapse, loss of entropy, mode collapse and one
    category left.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(20), samples=20, generations=200, stages=tb.Stages())
    >>> found = tb.stages(tb.simulate(spec))
    >>> bool(found.median_onset.sel(stage="late_concentrating") > 1)
    True
    """
    _refuse_unfit(ds)
    thresholds = _thresholds(ds) if thresholds is None else _given(thresholds)
    ds = _run_of(ds)
    values = Values(ds)
    told: dict[str, Told] = {}
    left_out = dict(NOT_TOLD)
    for definition in PROFILE:
        found = _tell(definition, values, thresholds)
        if isinstance(found, str):
            left_out[definition.name] = found
        else:
            told[definition.name] = found
    for name, parts in LATE.items():
        if some := [told[part] for part in parts if part in told]:
            told[name] = _first_of(some, " or ".join(part for part in parts if part in told))
        else:
            left_out[name] = left_out[parts[0]]
    return _dataset(ds, told, left_out, thresholds)


class Told(NamedTuple):
    """Of one stage: by replicate when it was reached and until when not, and how that is told."""

    onset: Floats
    after: Floats
    said: str
    source: str
    records: float


def _tell(definition: Definition, values: Values, by: Stages) -> Told | str:
    """Onsets of a stage, or why it cannot be told."""
    reason = values.lacks(definition)
    if reason is not None:
        return reason
    records = values.records(definition, by)
    if records > values.later:
        in_all = "any number of" if records == np.inf else f"{records:,.0f}"
        what = "what it does to samples this small" if values.known(definition) else "what replicates show"
        return (
            f"chance alone: by {what} it would have to hold in {in_all} records in a row, "
            f"of {values.later:,} after generation 1"
        )
    onset, after = _onset(definition, values, by, int(records))
    return Told(onset, after, definition.said(by), definition.source, records)


def _first_of(stages: list[Told], said: str) -> Told:
    """Whichever stage comes first."""
    onsets = np.array([stage.onset for stage in stages])
    first = np.where(np.isnan(onsets), np.inf, onsets).argmin(axis=0)
    row = np.arange(first.size)
    onset = onsets[first, row]
    after = np.array([stage.after for stage in stages])
    reached = np.isfinite(onset)
    after = np.where(reached, after[first, row], after.min(axis=0))
    return Told(onset, after, said, OWN, min(stage.records for stage in stages))


def _dataset(ds: xr.Dataset, told: dict[str, Told], left_out: dict[str, str], by: Stages) -> xr.Dataset:
    """Put what was told together, early and late collapse first."""
    import xarray as xr

    names = sorted(told, key=lambda name: (name not in ("early", "late"), name != "early"))
    shape = (ds.sizes["replicate"], len(names))
    onset = np.array([told[name].onset for name in names]).T.reshape(shape)
    after = np.array([told[name].after for name in names]).T.reshape(shape)
    reached = np.isfinite(onset)
    times = np.where(reached, onset, after)
    medians = np.array([median(times[:, i], reached[:, i]) for i in range(len(names))])
    data = {
        "onset": _in_generations("first recorded generation of the stage", onset),
        "onset_after": _in_generations("last recorded generation before the stage", after),
        "median_onset": _in_generations("Kaplan-Meier median of the onset", medians),
        "share_reached": (
            "stage",
            reached.mean(axis=0),
            {"long_name": "share of replicates that reached the stage", "units": "1"},
        ),
    }
    in_a_row = np.array([told[name].records for name in names])
    in_a_row_attrs = {"long_name": "records in a row in which the stage must hold", "units": "records"}
    coords = {
        "replicate": ds["replicate"],
        "stage": ("stage", np.array(names, dtype=object), {"long_name": "stage", "units": "1"}),
        "definition": ("stage", np.array([told[name].said for name in names], dtype=object)),
        "source": ("stage", np.array([told[name].source for name in names], dtype=object)),
        "records_in_a_row": ("stage", in_a_row, in_a_row_attrs),
    }
    attrs = {
        "spec": ds.attrs.get("spec", "{}"),
        "thresholds": json.dumps({name: getattr(by, name) for name in by.__struct_fields__}),
        "definitions": json.dumps({name: told[name].said for name in names}),
        "left_out": json.dumps(left_out),
        "human_sample": ds.attrs.get("human_sample", "{}"),
        "false_alarm": FALSE_ALARM,
        "last_generation": int(ds["generation"].values[-1]),
    }
    return xr.Dataset(data, coords, attrs)


def _in_generations(long_name: str, values: Floats) -> tuple[tuple[str, ...], Floats, dict[str, str]]:
    dims = ("replicate", "stage")[-values.ndim :]
    return dims, values, {"long_name": long_name, "units": "generations"}


def _refuse_unfit(ds: object) -> None:
    import xarray as xr

    if not isinstance(ds, xr.Dataset):
        raise SpecError("ds", ds, "is not a run", "give a Dataset, as simulate returns it")
    if ds.attrs.get("family") != "categorical":
        remedy = "give a run of a reference with categories"
        raise SpecError("ds", ds.attrs.get("family"), "is of a family whose stages are not defined", remedy)
    varied = json.loads(ds.attrs.get("sweep", "{}")).get("vary", {})
    beside = {str(dim) for dim in ds.dims} & {"cell", *varied}
    if beside:
        problem = "is a dim of a sweep, whose cells have stages of their own"
        raise SpecError("ds", min(beside), problem, "select one cell, as ds.sel(...) does")
    if not (ds["generation"].values == 1).any():
        listed = ds["generation"].values[:5].tolist()
        raise SpecError(
            "record.generations",
            listed,
            "leaves out generation 1, which stages are measured against",
            "record it too",
        )


def _run_of(ds: xr.Dataset) -> xr.Dataset:
    """The run itself: of a sweep's cell without what other cells alone have recorded."""
    if "human_sample" not in ds.coords:
        return ds
    rows = [name for name in ds.data_vars if set(ds[name].dims) == {"replicate", "generation"}]
    there = np.any([np.isfinite(ds[name].values) for name in rows], axis=0)
    if not there.any():
        problem = "is a cell that is not there"
        raise SpecError("ds", ds["id"].item(), problem, "run the sweep again, which does the rest")
    held = ds.isel(replicate=there.any(axis=1), generation=there.any(axis=0))
    return held.assign_attrs(human_sample=ds["human_sample"].item())


def _thresholds(ds: xr.Dataset) -> Stages:
    """Of the run's Spec; of a sweep's cell with the values that were varied."""
    given = as_stages(json.loads(ds.attrs["spec"]).get("stages")) or Stages()
    prefix = "stages."
    varied = {str(name): ds[name].item() for name in ds.coords if str(name).startswith(prefix)}
    return replace(given, **{name.removeprefix(prefix): value for name, value in varied.items()})


def _given(thresholds: Any) -> Stages:
    made = as_stages(thresholds)
    return Stages() if made is None else made


def _onset(definition: Definition, values: Values, by: Stages, records: int) -> tuple[Floats, Floats]:
    """First record of the first so many in a row that hold, NaN where there are none, and the last before it.

    Where there are none, and for what still holds at the end, the second is the last record that tells.
    """
    generation = values.generation
    flags = values.flags(definition, by)
    run = np.zeros((flags.shape[0], flags.shape[1] + 1), dtype=np.int64)
    for i in reversed(range(flags.shape[1])):
        run[:, i] = np.where(flags[:, i], run[:, i + 1] + 1, 0)
    reached = run[:, :-1] >= records
    first, there = reached.argmax(axis=1), reached.any(axis=1)
    told = ~flags
    for name in definition.needs:
        told &= np.isfinite(values[name])
    last = generation[len(generation) - 1 - told[:, ::-1].argmax(axis=1)]
    onset = np.where(there, generation[first], np.nan)
    return onset, np.where(there, generation[np.maximum(first, 1) - 1], last).astype(np.float64)

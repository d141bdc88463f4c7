# SPDX-License-Identifier: MIT
"""When a run collapsed, by each definition that the literature uses: side by side, never one verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.errors import SpecError
from tailbiter.judgement import Stages, as_stages

from ._profile import NOT_TOLD, PROFILE, Definition, Values
from ._survival import kaplan_meier, median
from ._words import as_plain, in_words

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["as_plain", "in_words", "kaplan_meier", "median", "stages"]


def stages(ds: xr.Dataset, thresholds: Stages | None = None) -> xr.Dataset:
    """Say when each replicate reached each stage of collapse, and the whole collapse profile.

    Generation 1 is what a stage is measured against: it is fitted to human data, so what sampling alone does
    to it is no collapse, and no stage is reached before generation 2.

    Parameters
    ----------
    ds : xarray.Dataset
        A run of a reference with categories. ``Spec(stages=Stages())`` records what early collapse needs.
    thresholds : Stages, optional
        By default those of the run's Spec, or else the default ones.

    Returns
    -------
    xarray.Dataset
        dims replicate, stage. ``onset``: the first recorded generation at which a replicate has reached the
        stage, NaN where it has not. ``onset_after``: the last recorded generation before it, so that the
        onset lies after it and not after ``onset``; where the stage was not reached, the last generation at
        which it could be told. ``median_onset``: the Kaplan-Meier median over replicates, NaN where half of
        them did not reach it; ``share_reached``. Coordinates ``definition`` and ``source``; attributes
        ``thresholds`` and ``left_out`` (JSON): definitions that this run cannot tell, and why.

    Raises
    ------
    SpecError
        If the run has no categories, or did not record generation 1.

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
    import xarray as xr

    _refuse_unfit(ds)
    thresholds = _thresholds(ds) if thresholds is None else _given(thresholds)
    values = Values(ds)
    told: list[Definition] = []
    left_out = dict(NOT_TOLD)
    for definition in PROFILE:
        reason = values.lacks(definition)
        if reason is None:
            told.append(definition)
        else:
            left_out[definition.name] = reason
    onsets = [_onset(definition, values, thresholds) for definition in told]
    shape = (ds.sizes["replicate"], len(told))
    onset = np.array([onset for onset, _ in onsets]).T.reshape(shape)
    after = np.array([after for _, after in onsets]).T.reshape(shape)
    reached = np.isfinite(onset)
    generations = {"units": "generations"}
    medians = [
        median(np.where(reached[:, i], onset[:, i], after[:, i]), reached[:, i]) for i in range(shape[1])
    ]
    data = {
        "onset": (
            ("replicate", "stage"),
            onset,
            {"long_name": "first recorded generation of the stage", **generations},
        ),
        "onset_after": (
            ("replicate", "stage"),
            after,
            {"long_name": "last recorded generation before the stage", **generations},
        ),
        "median_onset": (
            ("stage",),
            np.array(medians),
            {"long_name": "Kaplan-Meier median of the onset", **generations},
        ),
        "share_reached": (
            ("stage",),
            reached.mean(axis=0),
            {"long_name": "share of replicates that reached the stage", "units": "1"},
        ),
    }
    coords = {
        "replicate": ds["replicate"],
        "stage": (
            "stage",
            np.array([d.name for d in told], dtype=object),
            {"long_name": "stage", "units": "1"},
        ),
        "definition": ("stage", np.array([d.said(thresholds) for d in told], dtype=object)),
        "source": ("stage", np.array([d.source for d in told], dtype=object)),
    }
    attrs = {
        "spec": ds.attrs.get("spec", "{}"),
        "thresholds": json.dumps({name: getattr(thresholds, name) for name in thresholds.__struct_fields__}),
        "definitions": json.dumps({d.name: d.said(thresholds) for d in told}),
        "left_out": json.dumps(left_out),
        "last_generation": int(ds["generation"].values[-1]),
    }
    return xr.Dataset(data, coords, attrs)


def _refuse_unfit(ds: xr.Dataset) -> None:
    if ds.attrs.get("family") != "categorical":
        remedy = "give a run of a reference with categories"
        raise SpecError("ds", ds.attrs.get("family"), "is of a family whose stages are not defined", remedy)
    if not (ds["generation"].values == 1).any():
        listed = ds["generation"].values[:5].tolist()
        raise SpecError(
            "record.generations",
            listed,
            "leaves out generation 1, which stages are measured against",
            "record it too",
        )


def _thresholds(ds: xr.Dataset) -> Stages:
    return as_stages(json.loads(ds.attrs["spec"]).get("stages")) or Stages()


def _given(thresholds: Any) -> Stages:
    made = as_stages(thresholds)
    return Stages() if made is None else made


def _onset(definition: Definition, values: Values, by: Stages) -> tuple[np.ndarray, np.ndarray]:
    """First recorded generation of a stage, NaN where there is none, and the last before it, by replicate."""
    generation = values.generation
    reached = definition.reached(values, by) & (generation >= 2)
    first = reached.argmax(axis=1)
    there = reached.any(axis=1)
    told = np.ones(reached.shape, dtype=bool)
    for name in definition.needs:
        told &= np.isfinite(values[name])
    last = generation[len(generation) - 1 - told[:, ::-1].argmax(axis=1)]
    onset = np.where(there, generation[first], np.nan)
    return onset, np.where(there, generation[np.maximum(first, 1) - 1], last).astype(np.float64)

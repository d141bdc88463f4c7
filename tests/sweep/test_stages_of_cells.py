# SPDX-License-Identifier: MIT
"""Stages of a sweep's cells: those of the same runs made alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import SpecError

BASE = tb.Spec(reference=tb.Zipf(200), samples=200, generations=120, replicates=6, stages=tb.Stages())


def alike(cell: Any, alone: Any) -> None:
    """The same onsets, by the same rule."""
    found, wanted = tb.stages(cell), tb.stages(alone)
    for name in ("onset", "onset_after", "median_onset", "share_reached", "records_in_a_row", "definition"):
        np.testing.assert_array_equal(found[name].values, wanted[name].values)
    assert found.stage.values.tolist() == wanted.stage.values.tolist()
    for name in ("human_sample", "thresholds", "left_out"):
        assert json.loads(found.attrs[name]) == json.loads(wanted.attrs[name])


def cells_of(sweep: tb.Sweep, ds: Any) -> list[tuple[Any, Any]]:
    """Cells as a store has them, and their runs."""
    product = sweep.design == "product"
    return [
        (ds.sel(cell.values) if product else ds.isel(cell=n), tb.simulate(cell.spec, record=sweep.record))
        for n, cell in enumerate(sweep.cells())
    ]


@pytest.mark.parametrize(
    "vary",
    [
        {"samples": [50, 300], "regime.real": [0.0, 0.2]},
        {"stages.diversity_left": [0.5, 0.8], "stages.coverage_left": [0.5, 0.3]},
        {"generations": [60, 120], "replicates": [2, 6]},
    ],
    ids=["law", "thresholds", "size"],
)
def test_a_cell_has_the_stages_of_the_same_run_made_alone(vary: dict[str, Any], tmp_path: Path) -> None:
    sweep = tb.Sweep(BASE.replace(regime=tb.Anchored(real=0.1)) if "regime.real" in vary else BASE, vary)
    tb.run_sweep(sweep, tmp_path / "store")
    met = set()
    for cell, alone in cells_of(sweep, tb.open_sweep(tmp_path / "store")):
        alike(cell, alone)
        met.add(tb.stages(cell).onset.values.tobytes())
    assert len(met) == 4


def test_cells_of_a_list_too_and_estimators_whose_samples_have_no_known_law(tmp_path: Path) -> None:
    estimators = [{"kind": "mle"}, {"kind": "add_k", "k": 0.5}]
    sweep = tb.Sweep(BASE, {"estimator": estimators, "samples": [100, 200]}, design="zip")
    tb.run_sweep(sweep, tmp_path / "store")
    for cell, alone in cells_of(sweep, tb.open_sweep(tmp_path / "store")):
        alike(cell, alone)


def test_several_cells_have_no_stages_of_their_own(tmp_path: Path) -> None:
    sweep = tb.Sweep(BASE, {"samples": [50, 100]})
    tb.run_sweep(sweep, tmp_path / "store")
    with pytest.raises(
        SpecError, match=r"^ds: 'samples' is a dim of a sweep, .*; select one cell, as ds\.sel"
    ):
        tb.stages(tb.open_sweep(tmp_path / "store"))


def test_a_cell_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    from tailbiter.store import Store

    sweep = tb.Sweep(BASE, {"samples": [50, 100]})
    Store.create(tmp_path / "store", sweep)
    with pytest.raises(SpecError, match="is a cell that is not there"):
        tb.stages(tb.open_sweep(tmp_path / "store").sel(samples=50))

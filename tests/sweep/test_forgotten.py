# SPDX-License-Identifier: MIT
"""When categories were forgotten, kept of every cell: what `simulate` gives, wherever it is stored."""

import duckdb
import numpy as np
import pytest

import tailbiter as tb
from tailbiter.dataset import forgotten_censored
from tailbiter.store import _parts, export
from tests.sweep.grids import BASE, grid, parts

RECORD = tb.Record(forgotten=True, variables=["survivors"])
VARY = {"samples": [20, 40, 80], "regime.real": [0.0, 0.1]}


def sweep(base=BASE, vary=None, **more) -> tb.Sweep:
    return grid(base, VARY if vary is None else vary, record=RECORD, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "finished"
    tb.run_sweep(sweep(), path)
    return path


def alike(made: tb.Sweep, ds) -> None:
    """Every cell, its coordinates too."""
    for cell in made.cells():
        alone = tb.simulate(cell.spec, record=RECORD, threads=1)
        found = ds.isel(dict(zip(made.names, np.unravel_index(cell.number, made.shape), strict=True)))
        np.testing.assert_array_equal(found.forgotten, alone.forgotten)
        np.testing.assert_array_equal(found.category, alone.category)
        np.testing.assert_array_equal(found.expected_count, alone.expected_count)
        assert bool(found.absence_is_final) == alone.forgotten.attrs["absence_is_final"]
        censored = forgotten_censored(alone)
        np.testing.assert_array_equal(forgotten_censored(found), censored)


def test_cells_are_what_simulate_gives(finished):
    ds = tb.open_sweep(finished)
    assert ds.forgotten.dims == ("samples", "regime.real", "replicate", "category")
    assert ds.forgotten.dtype == np.int64
    assert ds.absence_is_final.values.tolist() == [[True, False]] * 3
    assert (ds.forgotten.values > 1).any()
    alike(sweep(), ds)


def test_replicates_of_a_large_cell_in_row_groups_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(_parts, "GROUP_ROWS", 40)  # one lineage of thirty categories, thirteen generations
    made = sweep()
    tb.run_sweep(made, tmp_path / "store", threads=2)
    assert tb.Store(tmp_path / "store").parts[0].file.num_row_groups == len(made) * BASE.replicates // 2
    alike(made, tb.open_sweep(tmp_path / "store"))


def test_what_is_missing_is_nan(tmp_path):
    narrow = sweep(vary={**VARY, "samples": [20]})
    tb.run_sweep(narrow, tmp_path / "store")
    text = sweep().to_toml() + "[store]\nformat = 1\n"
    (tmp_path / "store" / "sweep.toml").write_text(text)
    ds = tb.open_sweep(tmp_path / "store")
    assert ds.forgotten.sel(samples=[40, 80]).isnull().all()
    assert not ds.absence_is_final.sel(samples=[40, 80]).any()
    np.testing.assert_array_equal(
        ds.forgotten.sel(samples=20).isel(category=[3, 1]),
        tb.open_sweep(tmp_path / "store").forgotten.isel(category=[3, 1]).sel(samples=20),
    )
    alike(narrow, ds)


def test_cells_of_different_lengths_and_widths(tmp_path):
    made = sweep(vary={"generations": [5, 12], "replicates": [2, 3]})
    tb.run_sweep(made, tmp_path / "store")
    ds = tb.open_sweep(tmp_path / "store")
    for cell in made.cells():
        found = ds.forgotten.sel(cell.values).values
        alone = tb.simulate(cell.spec, record=RECORD, threads=1).forgotten.values
        np.testing.assert_array_equal(found[: len(alone)], alone)
        assert np.isnan(found[len(alone) :]).all()


def test_packing_anew_changes_no_content(finished, tmp_path):
    for samples in VARY["samples"]:
        tb.run_sweep(sweep(vary={**VARY, "samples": [samples]}), tmp_path / "store")
    tb.run_sweep(sweep(), tmp_path / "store")
    assert len(parts(tmp_path / "store")) == 3
    tb.Store(tmp_path / "store").gc()
    assert len(parts(tmp_path / "store")) == 1
    assert tb.Store(tmp_path / "store").digest() == tb.Store(finished).digest()
    alike(sweep(), tb.open_sweep(tmp_path / "store"))


def test_in_a_table_it_is_a_list_in_the_last_row_of_a_lineage(finished):
    table = tb.sweep_table(finished).to_pydict()
    ds = tb.open_sweep(finished)
    for samples, real, replicate, t, dates in zip(
        *(table[name] for name in ("samples", "regime.real", "replicate", "generation", "forgotten")),
        strict=True,
    ):
        if t < BASE.generations:
            assert dates is None
        else:
            where = {"samples": samples, "regime.real": real, "replicate": replicate}
            assert dates == ds.forgotten.sel(where).values.tolist()
    query = (
        f"SELECT count(*), sum(len(forgotten)) FROM '{finished}/records-*.parquet' WHERE forgotten NOTNULL"
    )
    assert duckdb.sql(query).fetchall() == [(6 * 3, 6 * 3 * 30)]


def test_netcdf_has_it_too(finished, tmp_path):
    import xarray as xr

    export(finished, tmp_path / "all.nc")
    with xr.open_dataset(tmp_path / "all.nc", engine="scipy") as ds:
        np.testing.assert_array_equal(ds.forgotten, tb.open_sweep(finished).forgotten)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            grid(record=tb.Record(snapshots=[3])),
            r"record\.snapshots: .* are kept of single runs, not of sweeps",
        ),
        (
            sweep(vary={"reference.categories": [30, 40]}),
            r"record\.forgotten: .* cells have others than the first",
        ),
        (
            sweep(vary={"reference": [tb.Counts([1, 2], ["a", "b"]), tb.Counts([1, 2], ["b", "c"])]}),
            "cells have others",
        ),
        (
            sweep(tb.Spec(reference=tb.Gaussian(), samples=50, generations=4), {"samples": [20, 30]}),
            r"record\.forgotten",
        ),
    ],
    ids=["snapshots", "categories", "labels", "family"],
)
def test_what_no_table_of_cells_can_hold(tmp_path, made, message):
    with pytest.raises(tb.SpecError, match=message):
        tb.run_sweep(made, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_references_with_the_same_categories_may_vary(tmp_path):
    made = sweep(vary={"reference.exponent": [0.5, 1.0]})
    tb.run_sweep(made, tmp_path / "store")
    alike(made, tb.open_sweep(tmp_path / "store"))

# SPDX-License-Identifier: MIT
"""A store read back: one Dataset, one tidy table, one file; nothing is read but what is looked at."""

import time

import duckdb
import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.store import export
from tailbiter.store._parts import Part
from tests.sweep.grids import BASE, alike, grid, parts


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "finished"
    tb.run_sweep(grid(), path, threads=2)
    return path


def run(sweep, path):
    tb.run_sweep(sweep, path, threads=1)
    return tb.open_sweep(path), sweep


def test_swept_fields_are_labelled_dims(finished):
    ds = tb.open_sweep(finished)
    assert ds.survivors.dims == ("samples", "regime.real", "replicate", "generation")
    assert ds["samples"].values.tolist() == [50, 100, 200]
    assert ds["regime.real"].values.tolist() == [0.1, 0.2, 0.5]
    assert ds.survivors.dtype == np.int32
    assert ds.attrs.keys() == {"family", "sweep", "spec", "record"}
    assert all({"long_name", "units"} <= ds[name].attrs.keys() for name in ds.data_vars)


def test_slices_of_every_kind_are_those_of_the_whole(finished):
    ds = tb.open_sweep(finished)
    whole = ds.load()
    lazy = tb.open_sweep(finished)
    for key in (
        {"samples": 1},
        {"samples": -1, "replicate": 2},
        {"samples": slice(None, None, -1), "generation": slice(2, 9, 3)},
        {"samples": [2, 0], "regime.real": [0, 0, 2], "band": [1]},
        {"generation": [5, 1], "replicate": slice(1, 1)},
        {"samples": 0, "regime.real": 2, "replicate": 1, "generation": 3},
    ):
        xr.testing.assert_identical(lazy.isel(key).compute(), whole.isel(key))
    mask = whole["regime.real"].values > 0.1
    xr.testing.assert_identical(lazy.entropy.isel({"regime.real": mask}).compute(), whole.entropy[:, mask])


def test_only_what_is_looked_at_is_read(finished, monkeypatch):
    asked = []
    read = Part.read

    def watched(self, first, last, columns=None):
        asked.append((first, last, columns))
        return read(self, first, last, columns)

    monkeypatch.setattr(Part, "read", watched)
    ds = tb.open_sweep(finished)
    one = ds.entropy.sel(samples=100).isel({"regime.real": 0})
    assert asked == []
    assert one.values.shape == (3, 13)
    ((first, last, columns),) = asked
    assert (first, columns) == (last, ["entropy"])


def test_other_designs_have_a_cell_dim(tmp_path):
    ds, sweep = run(grid(design="zip"), tmp_path / "store")
    assert ds.survivors.dims == ("cell", "replicate", "generation")
    assert ds["regime.real"].values.tolist() == [0.1, 0.2, 0.5]
    assert ds["band_categories"].dims == ("cell", "band")
    for cell in sweep.cells():
        alike(cell, sweep, ds.isel(cell=cell.number))


def test_missing_cells_are_nan(tmp_path):
    sweep = grid(vary={"samples": [100, 1000], "regime.real": [0.001, 0.1]}, invalid="skip")
    ds, _ = run(sweep, tmp_path / "store")
    assert ds.done.values.tolist() == [[False, True], [True, True]]
    assert ds.survivors.dtype == np.float64
    assert bool(ds.survivors.isel(samples=0, **{"regime.real": 0}).isnull().all())
    for cell in sweep.cells():
        alike(cell, sweep, ds.sel(cell.values))


def test_cells_of_unequal_length_and_width(tmp_path):
    sweep = grid(vary={"generations": [5, 9], "replicates": [2, 4], "samples": [20, 2000]})
    ds, _ = run(sweep, tmp_path / "store")
    assert ds.generation.values.tolist() == list(range(10))
    assert ds.sizes["replicate"] == 4
    short = ds.sel(generations=5, replicates=2, samples=20)
    assert bool(short.entropy.sel(generation=slice(6, None)).isnull().all())
    assert bool(short.entropy.isel(replicate=slice(2, None)).isnull().all())
    for cell in sweep.cells():
        found = ds.sel(cell.values).sel(generation=slice(None, cell.spec.generations))
        alike(cell, sweep, found.isel(replicate=slice(None, cell.spec.replicates)))


def test_bands_are_those_of_the_cell_with_most(tmp_path):
    sweep = grid(vary={"samples": [20, 2000]})
    ds, _ = run(sweep, tmp_path / "store")
    assert ds.band_hi.values[-1] > 500
    for cell in sweep.cells():
        one = tb.simulate(cell.spec)
        found = ds.sel(cell.values)
        np.testing.assert_array_equal(found.band_categories.values[: one.sizes["band"]], one.band_categories)
        np.testing.assert_array_equal(found.band_reference_mass[: one.sizes["band"]], one.band_reference_mass)
    alive = (
        tb.share_alive(ds).sel(samples=20).isel(band=slice(None, tb.simulate(sweep.spec(0)).sizes["band"]))
    )
    np.testing.assert_array_equal(alive, tb.share_alive(tb.simulate(sweep.spec(0))))


def test_a_sweep_that_has_not_begun(tmp_path):
    tb.Store.create(tmp_path / "store", grid())
    ds = tb.open_sweep(tmp_path / "store")
    assert not ds.done.any()
    assert bool(ds.entropy.isnull().all())
    with pytest.raises(tb.SpecError, match="holds no finished cell"):
        tb.sweep_table(tmp_path / "store")


def test_no_store(tmp_path):
    for read in (tb.open_sweep, tb.sweep_table, tb.Store):
        with pytest.raises(tb.DataError, match=r"holds no sweep\.toml"):
            read(tmp_path)


def test_the_table_is_tidy(finished):
    table = tb.sweep_table(finished)
    assert table.column_names[:5] == ["cell", "samples", "regime.real", "replicate", "generation"]
    assert len(table) == 9 * 3 * 13
    frame = table.to_pandas().set_index(["samples", "regime.real", "replicate", "generation"])
    assert frame.index.is_unique
    expected = tb.open_sweep(finished).entropy.to_series()
    found = frame["entropy"].reindex(expected.index)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(tb.SpecError, match="did you mean 'entropy'"):
        tb.sweep_table(finished, ["entropie"])


def test_a_narrower_sweep_of_the_store_has_its_own_rows_only(finished, tmp_path):
    import shutil

    store = shutil.copytree(finished, tmp_path / "store")
    tb.run_sweep(grid(vary={"regime.real": [0.5, 0.1]}), store)
    table = tb.sweep_table(store, ["survivors"])
    assert table.column_names == ["cell", "regime.real", "replicate", "generation", "survivors"]
    assert set(table["regime.real"].to_pylist()) == {0.1, 0.5}
    assert len(table) == 2 * 3 * 13
    assert tb.open_sweep(store).sizes["regime.real"] == 2


def test_duckdb_reads_the_directory(finished):
    found = duckdb.sql(f"""
        SELECT samples, "regime.real", median(survivors)
        FROM '{finished}/records-*.parquet' WHERE generation = 12 GROUP BY ALL ORDER BY ALL
    """).fetchall()
    expected = tb.open_sweep(finished).survivors.sel(generation=12).median("replicate")
    assert [row[2] for row in found] == expected.values.ravel().tolist()
    assert [row[:2] for row in found[:2]] == [(50, 0.1), (50, 0.2)]


def test_parts_of_several_sweeps_have_columns_of_one_type(tmp_path):
    """A tail in one cell and none in another; whole and broken values of a field; more and fewer bands."""
    record = tb.Record(variables=["survivors", "tail_survivors", "band_survivors"])
    for vary in ({"tail_mass": [0.0, 0.5]}, {"tail_mass": [0.25], "samples": [3000]}):
        tb.run_sweep(grid(vary=vary, record=record), tmp_path / "store")
    rows = duckdb.sql(f"""
        SELECT count(*), count(DISTINCT cell) FROM
        read_parquet('{tmp_path}/store/records-*.parquet', union_by_name = true)
    """).fetchall()
    assert rows == [(3 * 3 * 13, 3)]


def test_one_file(finished, tmp_path):
    import pyarrow.parquet as pq

    export(finished, tmp_path / "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").equals(tb.sweep_table(finished))
    export(finished, tmp_path / "all.nc")
    back = xr.load_dataset(tmp_path / "all.nc", engine="scipy")
    ours = tb.open_sweep(finished)
    for name in ours.data_vars:
        np.testing.assert_array_equal(back[name], ours[name])
    assert back["samples"].values.tolist() == [50, 100, 200]
    for path, expected in (("all.csv", "ends in neither"), ("no/where.nc", "has no parent directory")):
        with pytest.raises(tb.SpecError, match=expected):
            export(finished, tmp_path / path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.nc", "all.parquet"]


def test_values_that_are_no_scalars_stand_as_text(tmp_path):
    ds, _ = run(grid(vary={"regime": [tb.Replace(), tb.Window(2)]}), tmp_path / "store")
    assert ds["regime"].values.tolist() == ["replace", '{"k":2,"kind":"window"}']
    assert ds.entropy.sel(regime="replace").dims == ("replicate", "generation")


@pytest.mark.slow
def test_the_first_slice_of_ten_thousand_cells_takes_less_than_a_second(tmp_path):
    base = BASE.replace(generations=30, replicates=2)
    vary = {"samples": tb.Range(100, 199, 100), "regime.real": tb.Range(0.01, 0.5, 100)}
    record = tb.Record(variables=["survivors", "entropy", "band_mass"])
    tb.run_sweep(tb.Sweep(base, vary, record=record), tmp_path / "store")
    assert len(parts(tmp_path / "store")) < 50
    begun = time.process_time()
    ds = tb.open_sweep(tmp_path / "store")
    one = ds.entropy.sel(samples=150).isel({"regime.real": 7}).values
    assert time.process_time() - begun < 1
    assert one.shape == (2, 31)

# SPDX-License-Identifier: MIT
"""One Spec in, one Dataset out: names, units, what was run, and the same bits however it was run."""

import itertools
import json
import multiprocessing
import threading

import numpy as np
import pytest
import xarray as xr

from tailbiter.dataset import VARIABLES, forgotten_censored, hill_numbers, share_alive
from tailbiter.errors import MemoryEstimateError, SpecError
from tailbiter.record import STANDARD, Record
from tailbiter.reference import Counts, Uniform, Zipf
from tailbiter.regime import Accumulate, AccumulateSubsample, Anchored, Mix, RealOnly, Replace, Window
from tailbiter.simulate import simulate
from tailbiter.spec import Spec

SPEC = Spec(reference=Zipf(categories=100), samples=300, generations=40, replicates=5, seed=7)
EVERYTHING = Record(forgotten=True, snapshots=[1, 40])


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return simulate(SPEC, record=EVERYTHING, threads=2)


def test_standard_variables_in_their_order(ds: xr.Dataset) -> None:
    assert tuple(ds.data_vars)[: len(STANDARD)] == STANDARD == tuple(VARIABLES)[: len(STANDARD)]
    assert ds["survivors"].dims == ("replicate", "generation")
    assert ds["band_mass"].dims == ("replicate", "generation", "band")
    assert ds["forgotten"].dims == ("replicate", "category")
    assert ds["snapshot_count"].dims == ("snapshot_entry",)


def test_everything_has_a_name_and_a_unit(ds: xr.Dataset) -> None:
    for name, variable in ds.variables.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"], name


def test_attributes_tell_what_was_run(ds: xr.Dataset) -> None:
    assert Spec.from_json(ds.attrs["spec"]) == SPEC
    assert Record.from_json(ds.attrs["record"]) == EVERYTHING
    provenance = json.loads(ds.attrs["provenance"])
    assert provenance["seed"] == 7
    assert provenance["digest"] == SPEC.digest()
    assert provenance["threads"] == 2
    assert 0 < provenance["wall_seconds"] < 60
    assert provenance.keys() >= {"tailbiter", "python", "numpy", "machine", "isa", "build"}
    assert (ds.attrs["categories"], ds.attrs["first_sample"]) == (100, 300)


def test_row_0_is_the_reference(ds: xr.Dataset) -> None:
    start = ds.sel(generation=0)
    assert (start["survivors"] == 100).all()
    assert (share_alive(ds).sel(generation=0) == 1).all()
    np.testing.assert_allclose(
        start["band_mass"], ds["band_reference_mass"].broadcast_like(start["band_mass"])
    )


def test_what_was_measured_agrees_with_the_snapshots(ds: xr.Dataset) -> None:
    expected = ds["expected_count"].values
    place = {int(category): index for index, category in enumerate(ds["category"].values)}
    for replicate in range(5):
        for generation in (1, 40):
            entries = (ds["snapshot_replicate"] == replicate) & (ds["snapshot_generation"] == generation)
            counts = ds["snapshot_count"].values[entries]
            ids = np.array([place[c] for c in ds["snapshot_category"].values[entries]])
            row = ds.sel(replicate=replicate, generation=generation)
            p = counts / 300
            assert counts.sum() == 300
            assert int(row["survivors"]) == ids.size
            assert float(row["coverage"]) == pytest.approx(expected[ids].sum() / 300, abs=1e-12)
            assert float(row["gini_simpson"]) == pytest.approx(1 - (p**2).sum(), abs=1e-12)
            assert float(row["entropy"]) == pytest.approx(-(p * np.log(p)).sum(), abs=1e-9)
            in_band = (expected[ids] >= float(ds["band_lo"][1])) & (expected[ids] < float(ds["band_hi"][1]))
            assert int(row["band_survivors"][1]) == in_band.sum()
            forgotten = ds["forgotten"].values[replicate]
            gone = np.setdiff1d(np.arange(100), ids)
            if generation == 1:
                assert set(np.flatnonzero(forgotten == 1)) == set(gone)
            else:
                assert set(np.flatnonzero(forgotten > 0)) == set(gone)


def test_output_survivors_are_a_float_with_nan_where_nothing_was_drawn(ds: xr.Dataset) -> None:
    values = ds["survivors_output"]
    assert values.dtype == np.float64
    assert not values.isel(generation=slice(None, -1)).isnull().any()
    listed = simulate(SPEC.replace(samples=[300] * 40, replicates=2))["survivors_output"]
    assert listed.isel(generation=-1).isnull().all()
    assert not listed.isel(generation=-2).isnull().any()


def test_labels_and_places_travel_with_the_categories() -> None:
    counts = Counts([1, 0, 90, 9], labels=["rare", "never", "often", "some"])
    spec = Spec(reference=counts, samples=100, generations=3, replicates=2)
    found = simulate(spec, record=Record(variables=["survivors"], forgotten=True))
    assert found["label"].values.tolist() == ["often", "some", "rare"]
    assert found["category"].values.tolist() == [2, 3, 0]
    assert found["expected_count"].values.tolist() == [90, 9, 1]


def test_a_single_variable_on_request() -> None:
    found = simulate(SPEC, record=Record(generations=[0, 5, 40], variables=["entropy"]))
    assert list(found.data_vars) == ["entropy"]
    assert "band" not in found.dims
    assert found["generation"].values.tolist() == [0, 5, 40]


def test_no_tail_is_not_a_number() -> None:
    found = simulate(Spec(reference=Uniform(categories=4), samples=9, generations=3, replicates=2))
    assert found["tail_survivors"].attrs["categories"] == 0
    assert found["tail_survivors"].isnull().all()
    assert found["tail_mass"].isnull().all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_no_bit(ds: xr.Dataset, threads: int) -> None:
    assert simulate(SPEC, record=EVERYTHING, threads=threads).equals(ds)


def test_fewer_replicates_are_the_first_of_more(ds: xr.Dataset) -> None:
    fewer = simulate(SPEC.replace(replicates=3))
    assert fewer.equals(ds[list(STANDARD)].isel(replicate=slice(3)))


# What numpy's users pass as rng.


def test_rng_of_an_integer_is_the_seed(ds: xr.Dataset) -> None:
    other = simulate(SPEC.replace(seed=1), rng=7)
    assert other.equals(ds[list(STANDARD)])
    assert Spec.from_json(other.attrs["spec"]).seed == 7


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.random.SeedSequence(3),
        lambda: np.random.default_rng(3),
        lambda: np.random.PCG64(3),
        lambda: [3, 4],
        lambda: np.int64(3),
    ],
)
def test_rng_is_resolved_to_one_recorded_seed(make) -> None:
    first, second = (simulate(SPEC, rng=make()) for _ in range(2))
    assert first.equals(second)
    seed = Spec.from_json(first.attrs["spec"]).seed
    assert simulate(SPEC.replace(seed=seed)).equals(first)


def test_a_generator_moves_on() -> None:
    rng = np.random.default_rng(3)
    assert not simulate(SPEC, rng=rng).equals(simulate(SPEC, rng=rng))


@pytest.mark.parametrize("rng", ["seven", 1.5, -1, True, [-1]])
def test_what_is_no_rng_is_refused(rng: object) -> None:
    with pytest.raises(SpecError, match=r"rng|seed"):
        simulate(SPEC, rng=rng)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two", True])
def test_threads_must_be_a_positive_whole_number(threads: object) -> None:
    with pytest.raises(SpecError, match="threads"):
        simulate(SPEC, threads=threads)


def test_a_run_too_large_for_memory_is_refused_before_it_starts() -> None:
    with pytest.raises(MemoryEstimateError, match=r"record\.generations") as caught:
        simulate(SPEC.replace(replicates=10**9), record=Record(generations="all"))
    assert "available" in str(caught.value)


# Derived when read.


def test_hill_numbers(ds: xr.Dataset) -> None:
    uniform = simulate(Spec(reference=Uniform(categories=8), samples=100, generations=2, replicates=2))
    for order in (0, 1, 2, np.inf):
        np.testing.assert_allclose(hill_numbers(uniform, order).sel(generation=0), 8, rtol=1e-12)
    falling = [hill_numbers(ds, order) for order in (0, 1, 2, np.inf)]
    for wide, narrow in itertools.pairwise(falling):
        assert (wide >= narrow * (1 - 1e-12)).all()
    assert falling[1].attrs["units"] == "categories"


def test_hill_numbers_of_another_order_are_refused(ds: xr.Dataset) -> None:
    with pytest.raises(SpecError, match=r"order: 3 .* give 0, 1, 2 or inf"):
        hill_numbers(ds, 3)


def test_what_was_not_recorded_is_named() -> None:
    found = simulate(SPEC, record=Record(variables=["survivors"]))
    for derived, missing in ((hill_numbers, "entropy"), (share_alive, "band_survivors")):
        with pytest.raises(SpecError, match=f"does not hold {missing}"):
            derived(found)
    with pytest.raises(SpecError, match=r"record\.forgotten"):
        forgotten_censored(found)


def test_share_alive_of_a_band_without_categories_is_not_a_number() -> None:
    counts = Counts([900, 1, 1])  # nothing between 10 and 100
    found = share_alive(simulate(Spec(reference=counts, samples=900, generations=3, replicates=2)))
    sizes = found["band_categories"].values
    assert (sizes == 0).any()
    assert found.isel(band=sizes == 0).isnull().all()
    assert not found.isel(band=sizes > 0).isnull().any()


@pytest.mark.parametrize(
    ("regime", "final"),
    [
        (Replace(), True),
        (Accumulate(), True),
        (Window(3), True),
        (Anchored(real=0.1, source="fixed"), True),
        (Anchored(real=0.1), False),
        (Anchored(real=0.1, source="hoard", hoard=100), False),
        (Anchored(real=0.1, source="hoard", hoard=30), True),  # all of it, each time
        (AccumulateSubsample(), False),
        (RealOnly(), False),
        (Mix([{"kind": "fresh", "share": 0.5, "weight": 0.0}, {"kind": "synthetic", "weight": 1.0}]), True),
    ],
)
def test_whether_absence_is_final(regime: object, final: bool) -> None:
    spec = SPEC.replace(regime=regime, generations=20)
    found = simulate(spec, record=Record(generations="all", forgotten=True))
    assert found["forgotten"].attrs["absence_is_final"] is final
    # Nothing returns where absence is final; the others bring something back in 100 lineage-generations.
    assert bool((found["revived"].sel(generation=slice(2, None)) > 0).any()) is not final
    censored = forgotten_censored(found)
    assert bool(censored.all()) is not final
    assert bool((censored | (found["forgotten"] > 0)).all())


# Forks.


def _child(queue) -> None:
    queue.put(simulate(SPEC, threads=2)["survivors"].values)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_runs(ds: xr.Dataset) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    values = queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    np.testing.assert_array_equal(values, ds["survivors"].values)


def test_no_thread_outlives_a_run() -> None:
    before = threading.active_count()
    simulate(SPEC, threads=4)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("spec", "record", "field"),
    [(3, None, "spec"), ({"samples": 3}, None, "spec"), (SPEC, "all", "record"), (SPEC, {}, "record")],
)
def test_what_is_no_spec_or_record_is_refused(spec: object, record: object, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        simulate(spec, record=record)
    assert caught.value.field == field


def test_a_run_that_records_nothing_has_its_axes() -> None:
    run = simulate(SPEC, record=Record(variables=[]))
    assert dict(run.sizes) == {"replicate": 5, "generation": 41}


@pytest.mark.parametrize("order", ["x", "1", None, 3, [1]])
def test_an_unknown_hill_order_is_refused(ds: xr.Dataset, order: object) -> None:
    with pytest.raises(SpecError, match="order"):
        hill_numbers(ds, order)


@pytest.mark.parametrize(("replicates", "threads", "used"), [(1, 8, 1), (5, 2, 2), (20, 64, 20)])
def test_provenance_counts_the_threads_that_worked(replicates: int, threads: int, used: int) -> None:
    run = simulate(SPEC.replace(replicates=replicates), threads=threads)
    assert json.loads(run.attrs["provenance"])["threads"] == used

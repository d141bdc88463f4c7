# SPDX-License-Identifier: MIT
"""A Gaussian run from its Spec to its Dataset: names, units, dims, and the same bits however it was run."""

import json
import math
import os
import signal
import threading
import time

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.families.gaussian import FAMILY, GaussianProgram
from tailbiter.simulate import simulate_rows
from tests.spec.test_bad_input import check

COVARIANCE = [[4.0, 1.0], [1.0, 2.0]]
SPEC = tb.Spec(
    reference=tb.Gaussian([1, 2], COVARIANCE),
    regime=tb.Anchored(real=0.1),
    samples=50,
    generations=40,
    replicates=11,
    seed=7,
)
EVERYTHING = tb.Record(generations="all", variables=list(FAMILIES["gaussian"].known))


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return tb.simulate(SPEC, record=EVERYTHING, threads=2)


def test_standard_variables_in_their_order() -> None:
    run = tb.simulate(SPEC)
    assert tuple(run.data_vars) == tuple(FAMILIES["gaussian"].standard)
    assert set(run.dims) == {"replicate", "generation", "level"}


def test_dims_of_what_is_recorded_on_request(ds: xr.Dataset) -> None:
    rows = ("replicate", "generation")
    assert ds["log_det"].dims == rows
    assert ds["mass_beyond"].dims == (*rows, "level")
    assert ds["mean"].dims == ds["exponent"].dims == (*rows, "dimension")
    assert ds["factor"].dims == (*rows, "entry")
    assert dict(ds.sizes) == {
        "replicate": 11,
        "generation": 41,
        "level": 5,
        "dimension": 2,
        "entry": 3,
    }
    assert ds["row"].values.tolist() == [0, 1, 1]
    assert ds["column"].values.tolist() == [0, 0, 1]
    assert ds["level"].values.tolist() == [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]


def test_everything_has_a_name_and_a_unit(ds: xr.Dataset) -> None:
    for name, variable in ds.variables.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"], name


def test_attributes_tell_what_was_run(ds: xr.Dataset) -> None:
    assert tb.Spec.from_json(ds.attrs["spec"]) == SPEC
    assert tb.Record.from_json(ds.attrs["record"]) == EVERYTHING
    provenance = json.loads(ds.attrs["provenance"])
    assert (provenance["digest"], provenance["seed"]) == (SPEC.digest(), 7)
    assert (ds.attrs["family"], ds.attrs["dimensions"], ds.attrs["first_sample"]) == ("gaussian", 2, 50)
    assert tb.simulate(tb.Spec(reference=tb.Uniform(3), generations=1)).attrs["family"] == "categorical"


def test_row_0_is_the_reference(ds: xr.Dataset) -> None:
    start = ds.sel(generation=0)
    np.testing.assert_array_equal(start["mean"], np.broadcast_to([1.0, 2.0], (11, 2)))
    np.testing.assert_allclose(start["log_det"], math.log(7), rtol=1e-15)
    assert ds["log_det"].attrs["reference"] == pytest.approx(math.log(7), rel=1e-15)
    np.testing.assert_allclose(start["log_trace"], math.log(6), rtol=1e-15)
    for name in ("squared_mean_error", "w2_squared", "kl"):
        np.testing.assert_allclose(start[name], 0, atol=1e-14)
    mass = start["mass_beyond"] / ds["level_reference_mass"]
    np.testing.assert_allclose(mass, 1, rtol=1e-12)


def test_what_was_measured_agrees_with_the_models(ds: xr.Dataset) -> None:
    # By numpy from the recorded models; what the engine works out of them has tests of its own.
    factor = np.zeros((*ds["factor"].shape[:2], 2, 2))
    factor[..., *np.tril_indices(2)] = ds["factor"].values
    factor *= np.exp2(ds["exponent"].values.astype(float))[:, :, None, :]
    covariance = factor @ factor.swapaxes(-1, -2)
    np.testing.assert_allclose(ds["log_det"], np.linalg.slogdet(covariance)[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ds["log_trace"], np.log(np.trace(covariance, axis1=-2, axis2=-1)), rtol=1e-12)
    off = ds["mean"].values - [1, 2]
    np.testing.assert_allclose(ds["squared_mean_error"], (off**2).sum(-1), rtol=1e-9, atol=1e-15)
    assert (ds["rank"] == 2).all()
    shares = np.linalg.eigvalsh(covariance)
    shares /= shares.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(ds["effective_rank"], np.exp(-(shares * np.log(shares)).sum(-1)), rtol=1e-9)


def test_the_first_fit_is_the_law_of_its_sample() -> None:
    # E Sigma_1 is (1 - 1/n) Sigma_0 with ddof 0 and Sigma_0 with ddof 1: 20 standard errors apart.
    spec = SPEC.replace(generations=1, replicates=40_000, regime=tb.Replace(), reference=tb.Gaussian())
    record = tb.Record(generations=[1], variables=["log_det"])
    for ddof, expected in ((0, 0.98), (1, 1.0)):
        run = tb.simulate(spec.replace(estimator=tb.MLE(ddof)), record=record)
        variance = np.exp(run["log_det"].values)
        # Chance of a false alarm 1e-9: 6.1 standard errors.
        assert variance.mean() == pytest.approx(expected, abs=6.1 * math.sqrt(2 / 49 / 40_000))


# The same bits.


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_no_bit(ds: xr.Dataset, threads: int) -> None:
    assert tb.simulate(SPEC, record=EVERYTHING, threads=threads).equals(ds)


def test_a_longer_and_wider_run_extends_a_shorter_one(ds: xr.Dataset) -> None:
    shorter = tb.simulate(SPEC.replace(generations=17, replicates=3), record=EVERYTHING)
    assert shorter.equals(ds.isel(replicate=slice(3), generation=slice(18)))


def test_what_is_recorded_changes_no_bit(ds: xr.Dataset) -> None:
    some = tb.simulate(SPEC, record=tb.Record(generations=[40, 3], variables=["w2_squared", "rank"]))
    assert some.equals(ds[["rank", "w2_squared"]].sel(generation=[3, 40]))


def test_rows_of_a_run_are_rows_of_a_run(ds: xr.Dataset) -> None:
    rows = simulate_rows(SPEC, 5, 9, record=EVERYTHING)
    assert rows["replicate"].values.tolist() == [5, 6, 7, 8]
    assert rows.equals(ds.isel(replicate=slice(5, 9)))


def test_a_list_of_sizes_may_leave_out_the_last() -> None:
    listed = SPEC.replace(samples=[50] * 40, regime=tb.Replace())
    constant = SPEC.replace(samples=50, regime=tb.Replace())
    assert listed.key != constant.key
    assert tb.simulate(listed)["log_det"].notnull().all()


@pytest.mark.parametrize(
    "regime",
    [
        tb.Replace(),
        tb.Accumulate(),
        tb.Window(3),
        tb.RealOnly(),
        tb.Anchored(real=0.1),
        tb.Anchored(real=0.1, source="fixed"),
        tb.Anchored(real_count=5, source="hoard", hoard=5),
        tb.Mix((tb.Fresh(share=0.3, weight=0.6), tb.Synthetic(weight=0.4))),
        tb.Mix((tb.Fresh(count=5), tb.Synthetic()), ages=(1.0, 0.5, 0.25)),
    ],
    ids=str,
)
def test_every_regime_runs(regime: object) -> None:
    run = tb.simulate(SPEC.replace(regime=regime, samples=10**15, generations=6))
    assert np.isfinite(run["kl"]).all()
    assert (np.abs(run["log_det"] - math.log(7)) < 1e-5).all()


def test_ctrl_c_ends_a_run_within_a_second() -> None:
    pressed = []

    def press() -> None:
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Timer(0.5, press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        tb.simulate(SPEC.replace(reference=tb.Gaussian(dimensions=20), generations=10**7), threads=2)
    assert time.monotonic() - pressed[0] < 1
    presser.join()


@pytest.mark.parametrize(
    "regime",
    [
        tb.AccumulateSubsample(),
        tb.AccumulateSubsample(9),
        tb.Anchored(real=0.1, source="hoard", hoard=70),
        tb.Mix((tb.Hoard(size=30, share=0.3, weight=0.6), tb.Synthetic(weight=0.4))),
    ],
    ids=str,
)
def test_draws_from_past_items_run(regime: object) -> None:
    spec = SPEC.replace(regime=regime)
    run = tb.simulate(spec, record=EVERYTHING, threads=2)
    assert np.isfinite(run["kl"]).all()
    part = tb.simulate(spec.replace(replicates=3, generations=9), record=EVERYTHING, threads=1)
    assert part.equals(run.isel(replicate=slice(3), generation=slice(10)))


# Programs.


def test_a_program_is_what_the_engine_needs() -> None:
    program = tb.lower(SPEC.replace(estimator=tb.MLE(1)), EVERYTHING)
    assert isinstance(program, GaussianProgram)
    assert (program.key, program.ddof) == (SPEC.replace(estimator=tb.MLE(1)).key, 1)
    assert (program.dimension, program.generations, program.kept, program.draw) == (2, 40, 0, None)
    assert program.fresh[:3].tolist() == [0, 5, 5]
    assert program.mean.tolist() == [1.0, 2.0]
    assert "2 dimensions, 40 generations" in repr(program)


def test_equal_programs() -> None:
    named, mix = SPEC, SPEC.replace(regime=tb.Anchored(real=0.1).as_mix())
    assert tb.lower(named) == tb.lower(mix)
    assert tb.lower(named) != tb.lower(SPEC.replace(seed=8))
    assert tb.lower(named) != tb.lower(named, EVERYTHING)
    assert tb.lower(named) != tb.lower(tb.Spec(reference=tb.Uniform(3)))


REFUSED = {
    "forgotten": (
        tb.Record(forgotten=True),
        "record.forgotten: True is about categories, which a gaussian reference has none of; leave it out",
    ),
    "snapshots": (
        tb.Record(snapshots=[3]),
        "record.snapshots: (3,) is about categories, which a gaussian reference has none of; leave it out",
    ),
    "survivors": (
        tb.Record(variables=["survivors", "kl"]),
        "record.variables: 'survivors' is not measured of a gaussian reference; known: log_det",
    ),
    "beyond the end": (tb.Record(generations=[41]), "record.generations: 41 lies beyond the end of the run;"),
}


@pytest.mark.parametrize(("record", "message"), REFUSED.values(), ids=REFUSED)
def test_a_record_that_does_not_fit_is_refused(record: tb.Record, message: str) -> None:
    check(lambda: tb.simulate(SPEC, record=record), message)


def test_what_is_of_categories_alone_says_so() -> None:
    with pytest.raises(tb.SpecError, match="does not hold band_survivors"):
        tb.share_alive(tb.simulate(SPEC))


# Memory.


def test_memory_covers_what_the_engine_holds() -> None:
    from tailbiter._core import gaussian

    cases = [(1, tb.Replace()), (7, tb.Window(30)), (40, tb.Anchored(real=0.1, source="fixed"))]
    cases += [(1, tb.AccumulateSubsample()), (20, tb.AccumulateSubsample(9))]
    cases += [(9, tb.Anchored(real=0.1, source="hoard", hoard=70))]
    for d, regime in cases:
        spec = SPEC.replace(reference=tb.Gaussian(dimensions=d), regime=regime)
        program = tb.lower(spec)
        need = sum(part.nbytes for part in FAMILY.memory(program, 3, 1)[1:])
        held = gaussian.Engine(program).state_bytes
        assert held <= need + 2**14
        assert need <= 4 * held


def test_records_are_counted_exactly() -> None:
    program = tb.lower(SPEC, EVERYTHING)
    outputs = tb.simulate(SPEC, record=EVERYTHING)
    records = FAMILY.memory(program, 11, 1)[0].nbytes
    assert records == sum(8 * variable.size for variable in outputs.data_vars.values())


@pytest.mark.parametrize(
    ("changes", "record", "field"),
    [
        ({"replicates": 10**9}, EVERYTHING, "record.generations"),
        (
            {
                "reference": tb.Gaussian(dimensions=200),
                "regime": tb.Window(90_000),
                "generations": 10**5,
                "replicates": 10**4,
            },
            tb.Record(generations=[3], variables=[]),
            "regime.k",
        ),
        (
            # Of every batch the model is kept, so that its items can be made again.
            {
                "reference": tb.Gaussian(dimensions=100),
                "regime": tb.AccumulateSubsample(),
                "generations": 10**7,
            },
            tb.Record(generations=[3], variables=[]),
            "regime",
        ),
    ],
)
def test_a_run_too_large_for_memory_is_refused(changes: dict, record: tb.Record, field: str) -> None:
    with pytest.raises(tb.MemoryEstimateError) as caught:
        tb.simulate(SPEC.replace(**changes), record=record)
    assert caught.value.field == field
    assert "available" in str(caught.value)

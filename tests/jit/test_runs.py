# SPDX-License-Identifier: MIT
"""Runs of laws that users write: what is recorded, the same bits however run, what stops a run."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.cli import main
from tailbiter.errors import MemoryEstimateError, PredictionError, SpecError
from tailbiter.families import family_of
from tailbiter.run_files import read_run
from tailbiter.simulate import simulate_rows
from tests.jit import laws
from tests.jit.test_compile import altered

REGIMES = {
    "replace": tb.Replace(),
    "anchored": tb.Anchored(real=0.25),
    "fixed": tb.Anchored(real_count=20, source="fixed"),
    "hoard": tb.Anchored(real=0.25, source="hoard", hoard=50),
    "large hoard": tb.Anchored(real=0.25, source="hoard", hoard=150),
    "weighted": tb.Mix((tb.Fresh(share=0.3, weight=0.7), tb.Synthetic(weight=0.3))),
    "fresh and aged": tb.Mix((tb.Fresh(share=0.3), tb.Synthetic()), ages=(1.0, 0.5)),
    "accumulate": tb.Accumulate(),
    "window": tb.Window(3),
    "subsample": tb.AccumulateSubsample(draw=40),
    "real only": tb.RealOnly(),
}
ALL = tb.Record(generations="all")


def spec_of(functions=laws.normal, **fields):
    law = tb.UserMixture(functions, [[0.0, 1.0], [9.0, 2.0]], [0.7, 0.3])
    shape = {"samples": 80, "generations": 8, "replicates": 5, "seed": 7}
    return tb.Spec(**{"reference": law} | shape | fields)


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return tb.simulate(spec_of(), record=ALL, threads=2)


def test_every_variable_has_its_name_unit_and_dims(ds):
    known = FAMILIES["user"].standard
    assert list(ds.data_vars) == list(known)
    for name, variable in known.items():
        dims = (
            ("replicate", "generation") if variable.dim is None else ("replicate", "generation", variable.dim)
        )
        assert ds[name].dims == dims
        assert (ds[name].attrs["long_name"], ds[name].attrs["units"]) == (variable.long_name, variable.units)
    assert ds["parameter"].values.tolist() == ["mean", "sd"] * 2
    assert ds["parameter_component"].values.tolist() == [0, 0, 1, 1]


def test_the_promise_about_bits_is_left_out(ds):
    assert "outside the promise" in ds.attrs["bits"]
    assert ds.attrs["numba"]


def test_row_zero_is_the_reference(ds):
    first = ds.isel(generation=0)
    assert (first["parameters"].values == [0.0, 1.0, 9.0, 2.0]).all()
    assert (first["weights"].values == [0.7, 0.3]).all()
    assert np.isnan(first["log_likelihood"].values).all()
    assert (first["iterations"].values == 0).all()
    assert (first["weight_drift"].values == 0).all()


def test_weights_add_up_and_the_drift_follows(ds):
    weights = ds["weights"].values
    assert np.abs(weights.sum(axis=2) - 1).max() < 1e-12
    drift = np.abs(weights - [0.7, 0.3]).sum(axis=2) / 2
    assert np.abs(drift - ds["weight_drift"].values).max() < 1e-15
    assert (ds["components_alive"].values == (weights > 0).sum(axis=2)).all()


@pytest.mark.parametrize("name", REGIMES)
def test_the_same_bits_however_run(name):
    """Threads, blocks, rows by themselves, and a longer run."""
    spec = spec_of(regime=REGIMES[name])
    whole = tb.simulate(spec, record=ALL, threads=2)
    for other in (
        tb.simulate(spec, record=ALL, threads=1),
        tb.simulate(spec.replace(generations=11, replicates=6), record=ALL, threads=2).isel(
            replicate=slice(5), generation=slice(9)
        ),
        xr.concat(
            [simulate_rows(spec, r, r + 1, record=ALL) for r in (4, 2, 0, 3, 1)], "replicate", join="outer"
        ).sortby("replicate"),
    ):
        for variable in whole.data_vars:
            np.testing.assert_array_equal(other[variable].values, whole[variable].values, err_msg=variable)


def test_only_what_is_asked_for_is_recorded():
    record = tb.Record(generations=[0, 3], variables=["weight_drift"])
    out = tb.simulate(spec_of(), record=record)
    assert list(out.data_vars) == ["weight_drift"]
    assert "component_parameter" not in out.dims
    full = tb.simulate(spec_of(), record=ALL)
    assert (out["weight_drift"].values == full["weight_drift"].values[:, [0, 3]]).all()


@pytest.mark.parametrize("name", ["replace", "accumulate", "window", "fixed", "hoard", "subsample"])
def test_training_sets_are_what_the_regime_says(name):
    """The mean of a fitted normal law is that of its training set, whatever made it."""
    law = tb.UserMixture(laws.normal, [0.0, 1.0])
    out = tb.simulate(tb.Spec(reference=law, samples=60, generations=6, replicates=3, regime=REGIMES[name]))
    mean, sd = (out["parameters"].values[:, 1:, k] for k in range(2))
    assert np.abs(mean - out["item_mean"].values[:, 1:, 0]).max() < 1e-14
    assert np.abs(sd**2 - 1e-6 - out["item_variance"].values[:, 1:, 0]).max() < 1e-14


def test_a_mean_over_all_batches_is_held_by_accumulation():
    """m_t = m_(t-1) + (mean of batch t - m_(t-1)) / t: over the model's deviation, its step is normal.

    Of 400 squares the mean is off 1 by .55 with a chance of 2e-10, by the chi-square's Chernoff bound; a
    pool that is a batch short makes it (4/3)^2 in generation 4.
    """
    law = tb.UserMixture(laws.normal, [0.0, 1.0])
    spec = tb.Spec(reference=law, samples=25, generations=4, replicates=400, regime=tb.Accumulate())
    mean, sd = (tb.simulate(spec, record=ALL)["parameters"].values[:, :, k] for k in range(2))
    steps = np.diff(mean, axis=1) / sd[:, :-1] * np.array([1, 2, 3, 4]) * 5
    assert np.abs((steps**2).mean(axis=0) - 1).max() < 0.55


STOPS = {
    laws.IN_DENSITY: "log_density: 'failing_log_density' raised ArithmeticError: too far out, in generation",
    laws.IN_FIT: "fit: 'failing_fit' raised ValueError: the mean has moved, in generation",
    laws.IN_SAMPLE: "sample: 'failing_sample' raised RuntimeError: no more items, in generation 2 of",
    laws.NO_NUMBER: "log_density: 'failing_log_density' returns what is no number, in generation 1 of",
    laws.NOWHERE: "log_density: 'failing_log_density' gives an item of the training set a density of 0",
    laws.NO_PARAMETER: "fit: 'failing_fit' leaves a parameter that is not finite, in generation 1 of",
    laws.FAR: "sample: 'failing_sample' makes an item that is not finite, in generation 1 of",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", STOPS)
def test_a_function_that_fails_stops_the_run_with_its_own_message(what, tmp_path, capsys):
    law = tb.UserMixture(laws.failing, [0.0, 1.0, what])
    spec = tb.Spec(reference=law, samples=200, generations=30, replicates=2)
    with pytest.raises(SpecError) as caught:
        tb.simulate(spec)
    assert STOPS[what] in str(caught.value)
    assert "\n" not in str(caught.value)
    (tmp_path / "spec.toml").write_text(spec.to_toml(), encoding="utf-8")
    assert main(["run", str(tmp_path / "spec.toml"), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert STOPS[what] in told.err
    assert told.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["spec.toml"]


@pytest.mark.slow
def test_the_same_family_runs_where_nothing_fails():
    law = tb.UserMixture(laws.failing, [0.0, 1.0, 0.0])
    out = tb.simulate(tb.Spec(reference=law, samples=200, generations=5, replicates=2))
    assert np.isfinite(out["parameters"].values).all()


def test_the_command_line_runs_a_module_beside_the_spec(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "beside.py").write_text("from tests.jit.laws import normal\n", encoding="utf-8")
    text = """
samples = 50
generations = 5
replicates = 2
[reference]
kind = "user_mixture"
laws = "beside:normal"
parameters = [[0.0, 1.0], [9.0, 1.0]]
weights = [0.9, 0.1]
"""
    (tmp_path / "spec.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "spec.toml"), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "2 components of normal" in printed
    assert "mean[1]" in printed
    again = read_run(out)
    spec = tb.Spec.from_toml(out / "spec.toml")
    assert spec == tb.Spec.from_toml(tmp_path / "spec.toml")
    assert again.drop_attrs().equals(tb.simulate(spec).drop_attrs())
    assert (out / "tails.png").stat().st_size > 5000
    assert main(["run", str(tmp_path / "spec.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["parameters"][:2] == ["mean[0]", "sd[0]"]


def test_a_spec_by_function_paths_is_the_same(tmp_path):
    spec = spec_of()
    data = spec.to_dict()
    assert data["reference"]["laws"]["fit"] == "tests.jit.laws:normal_fit"
    again = tb.Spec.from_toml(spec.to_toml())
    assert (again, again.digest(), again.key) == (spec, spec.digest(), spec.key)
    assert tb.Spec.from_json(tb.simulate(spec).attrs["spec"]) == spec


def test_another_function_is_another_law():
    assert spec_of(altered(fit=laws.unweighted_fit)).key != spec_of().key


def test_a_sweep_of_them(tmp_path):
    sweep = tb.Sweep(spec_of(generations=4, replicates=2), {"samples": [40, 80]})
    tb.run_sweep(sweep, tmp_path / "store", progress=False)
    opened = tb.open_sweep(tmp_path / "store")
    alone = tb.simulate(spec_of(generations=4, replicates=2, samples=40))
    assert (opened["weights"].sel(samples=40).values == alone["weights"].values).all()


def test_theory_has_nothing_to_say():
    with pytest.raises(PredictionError, match="user"):
        tb.predict(spec_of())


BAD = {
    "no function": (
        lambda: tb.jit.Family("a", 3, laws.normal_fit, laws.normal_sample, parameters={"a": 1}),
        "3",
    ),
    "no names": (
        lambda: tb.jit.Family(
            "a", laws.normal_log_density, laws.normal_fit, laws.normal_sample, parameters=["mean"]
        ),
        "is not a table of names and first values",
    ),
    "shape": (lambda: tb.UserMixture(laws.normal, [[0.0, 1.0, 2.0]]), "reference.parameters[0]"),
    "components": (lambda: tb.UserMixture(laws.normal, [[0.0, 1.0]] * 3, [0.5, 0.5]), "reference.parameters"),
    "weights": (lambda: tb.UserMixture(laws.normal, [[0.0, 1.0]] * 2, [0.5, 0.6]), "reference.weights"),
    "laws": (lambda: tb.UserMixture(3, [0.0, 1.0]), "reference.laws: 3 is not a Family; give"),
    "seeds": (lambda: tb.lower(spec_of(estimator=tb.EM(start="kmeans++"))), "estimator.start"),
    "mle": (lambda: spec_of(estimator=tb.MLE()), "estimator: 'mle' does not fit the models of a user"),
    "forgotten": (lambda: tb.lower(spec_of(), tb.Record(forgotten=True)), "record.forgotten"),
    "too many": (lambda: spec_of(samples=2**33), "samples: 8589934592 is outside"),
    "key": (
        lambda: tb.Spec.from_dict({"reference": {"kind": "user_mixture", "law": "a:b"}}),
        "reference: 'law' is not a known key; did you mean 'laws'?",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_one_line(case):
    make, message = BAD[case]
    with pytest.raises(SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_memory_is_estimated_first():
    spec = spec_of(samples=10**8, generations=10**5, regime=tb.Accumulate())
    with pytest.raises(MemoryEstimateError, match="training sets of 10,000,000,000,000 items, held whole"):
        tb.simulate(spec)
    assert family_of(spec.reference).lower(spec_of(), ALL) == tb.lower(spec_of(), ALL)


@pytest.mark.parametrize("threads", [1, 2])
def test_control_c_ends_a_run_within_a_second(threads):
    spec = spec_of(samples=2_000_000, generations=1000, replicates=2)
    tb.simulate(spec_of(samples=100, generations=2, replicates=1))  # compiled before the clock runs
    pressed = []

    def press():
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.5, press).start()
    with pytest.raises(KeyboardInterrupt):
        tb.simulate(spec, threads=threads)
    assert time.monotonic() - pressed[0] < 1

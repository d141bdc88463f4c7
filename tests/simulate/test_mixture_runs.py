# SPDX-License-Identifier: MIT
"""A run of mixtures from its Spec to its Dataset: names, dims, coordinates; the same bits however run."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import xarray as xr
from sklearn.datasets import load_iris

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.families import family_of
from tailbiter.families.mixture import FAMILY, MixtureProgram
from tailbiter.simulate import simulate_rows
from tests.mixture.programs import program, run

COVARIANCES = {
    "full": [[[4.0, 1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, -0.5], [-0.5, 3.0]]],
    "tied": [[4.0, 1.0], [1.0, 2.0]],
    "diagonal": [[4.0, 1.0], [9.0, 0.25], [1.0, 1.0]],
    "spherical": [4.0, 0.25, 1.0],
}
WEIGHTS, MEANS = [0.6, 0.3, 0.1], [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]
REGIMES = {
    "replace": tb.Replace(),
    "anchored": tb.Anchored(real=0.25),
    "fixed": tb.Anchored(real_count=20, source="fixed"),
    "hoard": tb.Anchored(real=0.25, source="hoard", hoard=50),
    "weighted": tb.Mix((tb.Fresh(share=0.3, weight=0.7), tb.Synthetic(weight=0.3))),
    "accumulate": tb.Accumulate(),
    "window": tb.Window(3),
    "subsample": tb.AccumulateSubsample(draw=40),
}
EVERYTHING = tb.Record(generations="all", variables=list(FAMILIES["mixture"].known))


def spec_of(kind="full", **fields):
    law = tb.GaussianMixture(WEIGHTS, MEANS, COVARIANCES[kind], kind)
    shape = {"samples": 80, "generations": 12, "replicates": 11, "seed": 7}
    return tb.Spec(**{"reference": law, "regime": tb.Anchored(real=0.1)} | shape | fields)


SPEC = spec_of()


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return tb.simulate(SPEC, record=EVERYTHING, threads=2)


def unpacked(run: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Means [..., K, d] and covariances [..., K, d, d], put in place by their coordinates alone."""
    k, d = run.attrs["components"], run.attrs["dimensions"]
    rows = run["means"].shape[:2]
    means, factors = np.full((*rows, k, d), np.nan), np.zeros((*rows, k, d, d))
    for i in range(run.sizes["component_dimension"]):
        where = run["mean_component"].values[i], run["mean_dimension"].values[i]
        means[..., *where] = run["means"].values[..., i]
    for i in range(run.sizes["entry"]):
        component, row, column = (run[name].values[i] for name in ("factor_component", "row", "column"))
        for c in range(k) if component == -1 else [component]:
            for r in range(d) if row == -1 else [row]:
                factors[..., c, r, r if column == -1 else column] = run["factors"].values[..., i]
    return means, factors @ np.swapaxes(factors, -1, -2)


def overlap(one, other):
    """The integral of the product of two mixtures (weights, means, covariances), term by term."""
    total = 0.0
    for w, m, s in zip(*one, strict=True):
        for v, n, t in zip(*other, strict=True):
            both, apart = s + t, m - n
            density = np.exp(-apart @ np.linalg.solve(both, apart) / 2)
            total += w * v * density / np.sqrt(np.linalg.det(2 * np.pi * both))
    return total


def test_standard_variables_in_their_order() -> None:
    run = tb.simulate(SPEC)
    assert tuple(run.data_vars) == tuple(FAMILIES["mixture"].standard)
    assert set(run.dims) == {"replicate", "generation", "component"}
    assert run["reference_weight"].values.tolist() == WEIGHTS


@pytest.mark.parametrize("kind", COVARIANCES)
def test_dims_by_type(kind: str) -> None:
    run = tb.simulate(spec_of(kind), record=EVERYTHING)
    entries = {"full": 9, "tied": 3, "diagonal": 6, "spherical": 3}[kind]
    sizes = {"replicate": 11, "generation": 13, "component": 3, "component_dimension": 6, "entry": entries}
    assert dict(run.sizes) == sizes
    assert run.attrs["covariance"] == kind


@pytest.mark.parametrize("kind", COVARIANCES)
def test_row_0_is_the_reference(kind: str) -> None:
    run = tb.simulate(spec_of(kind), record=EVERYTHING)
    means, covariances = unpacked(run)
    given = np.array(COVARIANCES[kind])
    full = {
        "full": lambda: given,
        "tied": lambda: np.array([given] * 3),
        "diagonal": lambda: np.array([np.diag(row) for row in given]),
        "spherical": lambda: np.array([v * np.eye(2) for v in given]),
    }[kind]()
    np.testing.assert_array_equal(means[:, 0], [MEANS] * 11)
    np.testing.assert_allclose(covariances[:, 0], [full] * 11, rtol=1e-15)
    start = run.sel(generation=0)
    assert (start["weights"] == WEIGHTS).all()
    assert (start["components_alive"] == 3).all()
    for name in ("iterations", "converged", "l2_squared", "weight_drift"):
        assert (start[name] == 0).all(), name
    assert np.isnan(start["log_likelihood"]).all()


@pytest.mark.parametrize("kind", COVARIANCES)
def test_records_agree_with_each_other(kind: str) -> None:
    run = tb.simulate(spec_of(kind, replicates=2), record=EVERYTHING)
    weights, (means, covariances) = run["weights"].values, unpacked(run)
    np.testing.assert_allclose(weights.sum(axis=2), 1, rtol=1e-12)
    drift = np.abs(weights - WEIGHTS).sum(axis=2) / 2
    np.testing.assert_allclose(run["weight_drift"], drift, rtol=1e-14, atol=1e-16)
    np.testing.assert_array_equal(run["components_alive"], (weights > 0).sum(axis=2))
    first = weights[0, 0], means[0, 0], covariances[0, 0]
    for r, t in ((0, 1), (1, 5), (1, 12)):
        model = weights[r, t], means[r, t], covariances[r, t]
        expected = overlap(model, model) - 2 * overlap(model, first) + overlap(first, first)
        assert float(run["l2_squared"][r, t]) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert float(run["log_likelihood"][0, 1]) == pytest.approx(float(run["log_likelihood"][1, 1]), abs=1)


def test_the_estimator_reaches_the_fit() -> None:
    few = tb.simulate(spec_of(estimator=tb.EM(tolerance=0, iterations=3)))
    assert (few["iterations"].values[:, 1:] == 3).all()
    assert not few["converged"].any()
    assert tb.simulate(SPEC)["converged"].values[:, 1:].any()
    wide = tb.simulate(spec_of("spherical", estimator=tb.EM(floor=100.0)), record=EVERYTHING)
    assert (wide["factors"].values[:, 1:] >= 10).all()
    one = tb.simulate(spec_of(samples=1, regime=tb.Replace()))  # whatever is alive lies on one item
    later = one.sel(generation=slice(1, None))
    np.testing.assert_array_equal(later["components_singular"], later["components_alive"])
    assert (one["components_singular"].sel(generation=0) == 0).all()
    anew = tb.simulate(spec_of(estimator=tb.EM(start="kmeans++")))
    assert (anew["weights"].values[:, 1:] != tb.simulate(SPEC)["weights"].values[:, 1:]).any()


def test_everything_has_a_name_and_a_unit(ds: xr.Dataset) -> None:
    for name, variable in ds.variables.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"], name


def test_attributes_tell_what_was_run(ds: xr.Dataset) -> None:
    assert tb.Spec.from_json(ds.attrs["spec"]) == SPEC
    assert tb.Record.from_json(ds.attrs["record"]) == EVERYTHING
    provenance = json.loads(ds.attrs["provenance"])
    assert (provenance["digest"], provenance["seed"]) == (SPEC.digest(), 7)
    assert {name: ds.attrs[name] for name in ("family", "components", "dimensions", "first_sample")} == {
        "family": "mixture",
        "components": 3,
        "dimensions": 2,
        "first_sample": 80,
    }


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("regime", REGIMES)
def test_what_the_spec_says_reaches_the_engine(kind: str, regime: str) -> None:
    fit = {"tolerance": 1e-2, "iterations": 9, "floor": 1e-3, "start": "kmeans++"}
    spec = spec_of(kind, regime=REGIMES[regime], generations=5, replicates=2, estimator=tb.EM(**fit))
    law = np.array(WEIGHTS), np.array(MEANS), spec.reference.factors
    sizes = {"regime": REGIMES[regime], "samples": 80, "generations": 5}
    by_hand = run(program(law, kind, key=spec.key, **sizes, **fit), replicates=2)
    ds = tb.simulate(spec, record=EVERYTHING)
    for name, values in by_hand.items():
        found = ds[f"components_{name}" if name in ("alive", "singular") else name].values
        assert found.tobytes() == values.tobytes(), name


# The same bits however it was run.


def bits(run: xr.Dataset) -> dict[str, bytes]:
    return {str(name): run[name].values.tobytes() for name in run.data_vars}


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("regime", REGIMES)
def test_threads_and_rows_change_no_bit(kind: str, regime: str) -> None:
    spec = spec_of(kind, regime=REGIMES[regime], generations=6)
    one, two = (tb.simulate(spec, record=EVERYTHING, threads=n) for n in (1, 2))
    assert bits(one) == bits(two)
    rows = simulate_rows(spec, 4, 7, record=EVERYTHING, threads=1)
    assert bits(rows) == bits(one.sel(replicate=slice(4, 6)))


def test_a_longer_run_and_a_sparse_record_are_parts_of_a_whole(ds: xr.Dataset) -> None:
    short = tb.simulate(SPEC.replace(generations=7), record=EVERYTHING)
    assert bits(short) == bits(ds.sel(generation=slice(0, 7)))
    few = tb.simulate(SPEC, record=tb.Record(generations=[3, 9], variables=["weight_drift", "factors"]))
    part = ds.sel(generation=[3, 9])
    assert bits(few) == {name: part[name].values.tobytes() for name in ("weight_drift", "factors")}
    alone = tb.simulate(SPEC, record=tb.Record(generations="all", variables=["components_alive"]))
    assert list(alone.data_vars) == ["components_alive"]
    assert bits(alone)["components_alive"] == bits(ds)["components_alive"]


def test_programs_are_equal_by_content() -> None:
    program = tb.lower(SPEC)
    assert isinstance(program, MixtureProgram)
    assert program == tb.lower(SPEC) != tb.lower(SPEC.replace(seed=8))
    assert program != 3
    assert repr(program).startswith("<MixtureProgram: 3 components, 2 dimensions, 12 generations, key 0x")


# What it costs, and how it ends.


def test_what_is_held_is_known_before() -> None:
    spec = SPEC.replace(replicates=10**9)
    with pytest.raises(tb.MemoryEstimateError, match="record fewer generations or variables"):
        tb.simulate(spec)
    spec = SPEC.replace(regime=tb.AccumulateSubsample(draw=10**11), samples=10**12)
    with pytest.raises(tb.MemoryEstimateError, match=r"samples: '1,000,000,000,000 items in 2 dimensions'"):
        tb.simulate(spec)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_the_estimate_covers_the_records(kind: str) -> None:
    program = tb.lower(spec_of(kind), EVERYTHING)
    family = family_of(SPEC.reference)
    engine = family.engine(program)
    outputs = engine.outputs(11)
    for made in outputs.values():
        made.fill(0)
    records, state = (part.nbytes for part in FAMILY.memory(program, 11, 2))
    held = sum(a.nbytes for a in outputs.values()) + family.values(program, outputs)["weight_drift"].nbytes
    assert held <= records <= 2 * held
    assert state == 2 * engine.state_bytes


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_ctrl_c_ends_a_fit_within_a_second() -> None:
    spec = SPEC.replace(samples=10**8, estimator=tb.EM(tolerance=0))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        tb.simulate(spec, threads=1)
    timer.join()
    assert time.perf_counter() - began < 5  # a second and 0.3, on a busy machine


# A table that people know.


@pytest.fixture(scope="module")
def irises() -> tb.GaussianMixture:
    """Lengths and widths of the petals, in centimetres."""
    return tb.GaussianMixture.fit(load_iris().data, [2, 3], components=3, seed=1)


def test_irises_are_three_kinds(irises: tb.GaussianMixture) -> None:
    kinds = load_iris().target
    table = load_iris().data[:, 2:]
    density = [
        w * np.exp(-((table - m) @ np.linalg.inv(s) * (table - m)).sum(axis=1) / 2) / np.linalg.det(s) ** 0.5
        for w, m, s in zip(irises.weights, irises.mean_matrix, np.array(irises.covariances), strict=True)
    ]
    label = np.argmax(density, axis=0)
    agree = sum(np.bincount(label[kinds == kind], minlength=3).max() for kind in range(3))
    assert agree >= 140
    np.testing.assert_allclose(sorted(irises.weights), 1 / 3, atol=0.03)


def test_irises_over_50_generations(irises: tb.GaussianMixture) -> None:
    shape = {"samples": 150, "generations": 50, "replicates": 64, "seed": 1936}
    drift = {}
    for name, regime in (("replace", tb.Replace()), ("anchored", tb.Anchored(real=0.5))):
        run = tb.simulate(tb.Spec(reference=irises, regime=regime, **shape), threads=2)
        assert np.isfinite(run["weights"]).all()
        np.testing.assert_allclose(run["weights"].sum("component"), 1, rtol=1e-12)
        drift[name] = run["weight_drift"].sel(generation=50).values
    # Half of human data holds the weights. The drifts are about 15 standard errors apart: fewer than 6, by
    # chance, at a rate far below 1e-9; as many from equal drifts, at 1e-9.
    gap = drift["replace"].mean() - drift["anchored"].mean()
    error = np.hypot(*(values.std(ddof=1) / 8 for values in drift.values()))
    assert gap > 6 * error

# SPDX-License-Identifier: MIT
"""Runs of Poisson and exponential laws, from their Specs to Datasets, tables and pictures."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.families import family_of, lower
from tailbiter.simulate import simulate_rows
from tests.spec.test_bad_input import check
from tests.totals.gallery import ALL, LAWS, REGIMES, mean_of, spec_of

LEVELS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]


def models(ds):
    """scipy's laws of the recorded models."""
    if ds.attrs["family"] == "poisson":
        return stats.poisson(ds["rate"].values)
    return stats.expon(scale=ds["scale"].values)


@pytest.mark.parametrize("law", LAWS)
def test_dataset(law: str) -> None:
    ds = tb.simulate(spec_of(law))
    assert tuple(ds.data_vars) == tuple(FAMILIES[law].standard)
    assert set(ds.dims) == {"replicate", "generation", "level"}
    assert ds["level"].values.tolist() == LEVELS
    assert (ds.attrs["family"], ds.attrs["first_sample"]) == (law, 8)
    assert (ds[mean_of(law)].sel(generation=0) == LAWS[law].mean).all()
    for name, variable in ds.variables.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"], name


@pytest.mark.parametrize("rate", [1e-3, 0.4, 3.0, 250.0, 1e5])
def test_what_is_measured_of_counts(rate: float) -> None:
    ds = tb.simulate(spec_of(tb.Poisson(rate)), record=ALL)
    reference, model = stats.poisson(rate), models(ds)
    high = reference.isf(LEVELS)
    beyond = reference.cdf(np.arange(int(high[0]) + 1) - 1)
    low = np.array([np.flatnonzero(beyond <= level)[-1] for level in LEVELS])
    np.testing.assert_allclose(ds["level_reference_above"], reference.sf(high), rtol=1e-9)
    np.testing.assert_allclose(ds["level_reference_below"], reference.cdf(low - 1), rtol=1e-9)
    for level in range(5):
        above, below = ds["mass_above"].isel(level=level), ds["mass_below"].isel(level=level)
        np.testing.assert_allclose(above, model.sf(high[level]), rtol=1e-8, atol=1e-300)
        np.testing.assert_allclose(below, model.cdf(low[level] - 1), rtol=1e-8, atol=1e-300)
    found = ds["rate"].values
    with np.errstate(divide="ignore", invalid="ignore"):
        kl = np.where(found > 0, found * np.log(found / rate), 0.0) - found + rate
        np.testing.assert_array_equal(ds["log_rate"], np.log(found))
    np.testing.assert_allclose(ds["kl"], kl, rtol=1e-9, atol=1e-10 * rate)
    np.testing.assert_array_equal(ds["squared_mean_error"], (found - rate) ** 2)
    np.testing.assert_array_equal(ds["absorbed"], found == 0)


def test_what_is_measured_of_times() -> None:
    ds = tb.simulate(spec_of("exponential"), record=ALL)
    model = models(ds)
    for level, share in enumerate(LEVELS):
        above, below = ds["mass_above"].isel(level=level), ds["mass_below"].isel(level=level)
        np.testing.assert_allclose(above, model.sf(stats.expon(scale=2.5).isf(share)), rtol=1e-11)
        np.testing.assert_allclose(below, model.cdf(stats.expon(scale=2.5).ppf(share)), rtol=1e-11)
    ratio = ds["scale"].values / 2.5
    np.testing.assert_allclose(ds["log_scale"], np.log(ds["scale"]), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ds["kl"], ratio - 1 - np.log(ratio), rtol=1e-9, atol=1e-15)


def test_a_scale_is_followed_far_below_the_doubles() -> None:
    spec = spec_of("exponential", samples=1, generations=5000)
    end = tb.simulate(spec, record=tb.Record(generations=[5000])).isel(generation=0)
    # The logarithm falls by Euler's constant, with variance pi^2/6: 6.1 standard errors for 1e-9.
    drift = end["log_scale"] - math.log(2.5) + 0.5772156649015329 * 5000
    assert np.abs(drift).max() < 6.5 * math.sqrt(5000 * math.pi**2 / 6)
    for name, value in (("scale", 0), ("mass_above", 0), ("mass_below", 1)):
        assert (end[name] == value).all(), name
    np.testing.assert_allclose(end["kl"], math.log(2.5) - 1 - end["log_scale"], rtol=1e-12)


def test_the_largest_batches() -> None:
    for law, most in (
        (tb.Poisson(1.0), 10**15),
        (tb.Exponential(), 10**15),
        (tb.Poisson(1e6), 1_125_899_906),
    ):
        spec = spec_of(law, samples=most)
        name = mean_of(law.family)
        last = tb.simulate(spec, record=tb.Record(generations=[8]))[name].values / law.mean
        width = math.sqrt(8 / most / (law.mean if law.family == "poisson" else 1.0))
        assert 0 < np.abs(last - 1).max() < 7 * width


def test_a_rate_of_zero_stays_unless_humans_come_in() -> None:
    alone = tb.simulate(spec_of(tb.Poisson(0.05), generations=40, samples=10), record=ALL)["absorbed"]
    assert (alone.diff("generation") >= 0).all()
    assert alone.isel(generation=-1).all()
    fresh = spec_of(tb.Poisson(0.05), tb.Anchored(real=0.5), generations=40, samples=10)
    assert (tb.simulate(fresh, record=ALL)["absorbed"].diff("generation") < 0).any()


# The same bits.


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("law", LAWS)
def test_bits(law: str, regime: str) -> None:
    spec = spec_of(law, REGIMES[regime])
    ds = tb.simulate(spec, record=ALL, threads=1)
    assert tb.simulate(spec, record=ALL, threads=3).equals(ds)
    assert simulate_rows(spec, 5, 14, record=ALL).equals(ds.isel(replicate=slice(5, 14)))
    some = tb.Record(generations=[2, 5], variables=["kl", "mass_below"])
    assert tb.simulate(spec, record=some).equals(ds[["kl", "mass_below"]].sel(generation=[2, 5]))


def test_a_longer_run_extends_a_shorter_one() -> None:
    for regime in REGIMES.values():
        spec = spec_of("exponential", regime, samples=10)
        longer = tb.simulate(spec.replace(generations=12), record=ALL)
        assert tb.simulate(spec, record=ALL).equals(longer.isel(generation=slice(9)))


# Specs.


@pytest.mark.parametrize("law", LAWS)
def test_a_spec_round_trips(law: str) -> None:
    spec = spec_of(law, tb.Anchored(real=0.3))
    for again in (tb.Spec.from_toml(spec.to_toml()), tb.Spec.from_json(spec.to_json())):
        assert (again, again.digest(), again.key) == (spec, spec.digest(), spec.key)
    assert lower(spec) == lower(spec) != lower(spec.replace(seed=6))
    assert repr(lower(spec)).startswith(f"<TotalsProgram: {law}, 8 generations")


def test_golden_identity() -> None:
    # These change only together with STREAM_VERSION: stored runs are found, and bits are drawn, by them.
    counts, times = (tb.Spec(reference=law, samples=50) for law in LAWS.values())
    assert (counts.key, times.key) == (1653236134147661071, 13567820491156852089)


BAD = {
    "rate": (lambda: tb.Poisson(0), "reference.rate: 0.0 is outside [1e-100, 1e+06]; give a mean count"),
    "rate in words": (lambda: tb.Poisson("2"), "reference.rate: '2' is not a number; give a mean count"),
    "scale": (lambda: tb.Exponential(-1), "reference.scale: -1.0 is outside [1e-100, 1e+100]; give a mean"),
    "kind": (
        lambda: tb.Spec.from_toml('[reference]\nkind = "poison"\nrate = 1.0'),
        "reference.kind: 'poison' is not known here; did you mean 'poisson'?",
    ),
    "samples": (
        lambda: tb.Spec(reference=tb.Poisson(1000.0), samples=10**13),
        "samples: 10000000000000 is outside 1 to 1,125,899,906,842; give",
    ),
    "subsample": (
        lambda: spec_of(regime=tb.AccumulateSubsample(), samples=10),
        "but a poisson run keeps sufficient statistics, not items; use Accumulate or Window",
    ),
    "hoard": (
        lambda: spec_of("exponential", tb.Anchored(real_count=2, source="hoard", hoard=5), samples=10),
        "but an exponential run keeps sufficient statistics, not items; use a fixed set",
    ),
    "ddof": (
        lambda: spec_of(estimator=tb.MLE(ddof=1)),
        "estimator.ddof: 1 is a divisor that the fit of a poisson reference does not have; leave it out",
    ),
    "bands": (
        lambda: spec_of(bands=[1.0]),
        "bands: (1.0,) is about categories, which a poisson reference has none of; leave it out",
    ),
    "snapshots": (
        lambda: lower(spec_of(), tb.Record(snapshots=[1])),
        "record.snapshots: (1,) is about categories, which a poisson reference has none of; leave it out",
    ),
    "variable": (
        lambda: lower(spec_of(), tb.Record(variables=["scale"])),
        "record.variables: 'scale' is not measured of a poisson reference;",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    check(*BAD[case])


def test_a_rate_that_grows_beyond_whole_doubles_stops_the_run() -> None:
    # One item a generation: some of the lineages that live have a rate above 9 after thirty.
    sizes = [1] * 30 + [10**15] * 2
    spec = tb.Spec(reference=tb.Poisson(1.0), samples=sizes, generations=31, replicates=1000)
    assert tb.simulate(spec, record=tb.Record(generations=[30]))["rate"].max() > 9
    with pytest.raises(tb.SpecError, match=r"^samples: 10{15} is the largest batch, whose sum would be"):
        tb.simulate(spec)


def test_memory_is_estimated_from_above() -> None:
    spec = spec_of(regime=tb.Window(100_000), samples=10, generations=200_000)
    family, program = family_of(spec.reference), lower(spec, tb.Record(generations=[1]))
    held = sum(part.nbytes for part in family.memory(program, 8, 1))
    made = family.engine(program)
    assert made.state_bytes <= held < 3 * made.state_bytes


# For people.


def test_summary() -> None:
    spec = spec_of(tb.Poisson(0.05), samples=10, generations=200, replicates=32)
    text = family_of(spec.reference).summarise(tb.simulate(spec)).text()
    assert "absorbed" in text
    assert "The rate is 0 at the end in 32 of 32 replicates." in text
    counts = family_of(spec.reference).summarise(tb.simulate(spec)).to_dict()
    assert (counts["absorbed"], counts["rows"][-1]["log_mean"]) == (32, None)
    times = tb.simulate(spec.replace(reference=tb.Exponential()))
    found = family_of(tb.Exponential()).summarise(times)
    assert None not in (found.mean_half, found.tail_half)
    assert found.absorbed is None
    assert "Scale: below half of the reference's from generation" in found.text()
    some = tb.simulate(spec, record=tb.Record(variables=["kl"]))
    assert "Medians over 32 replicates" in family_of(spec.reference).summarise(some).text()


def test_picture(tmp_path: Path) -> None:
    for law in LAWS.values():
        ds = tb.simulate(spec_of(law))
        path = tmp_path / f"{law.family}.png"
        family_of(law).draw(ds, path)
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert tb.plot.tails(ds).get_ylabel() == "model's mass above the reference's quantiles"
        assert f"{law.family} law of mean" in family_of(law).size(ds)


def test_runs_are_written_and_swept(tmp_path: Path) -> None:
    ds = tb.simulate(spec_of())
    tb.write_run(ds, spec_of(), tmp_path / "run")
    assert tb.read_run(tmp_path / "run").equals(ds)
    sweep = tb.Sweep(spec_of("exponential", samples=10), {"reference.scale": [1.0, 2.0]})
    tb.run_sweep(sweep, tmp_path / "store")
    assert tb.open_sweep(tmp_path / "store")["log_scale"].notnull().all()

# SPDX-License-Identifier: MIT
"""A prediction lies over the simulation of the same Spec; its numbers are those that enumeration gives."""

import json

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.errors import PredictionError
from tailbiter.theory import exact
from tests.oracles.chain import path_law, presence
from tests.oracles.plan import Plan

ALL = tb.Record(generations="all")
Q = (5, 2, 1)


def spec_of(plan: Plan, regime: object, **changes: object) -> tb.Spec:
    counts = tb.Counts(list(plan.weights))
    return tb.Spec(
        reference=counts, regime=regime, samples=plan.samples, generations=len(plan.samples), **changes
    )


TINY = {
    "replace": (Plan(Q, (4, 3, 5)), tb.Replace()),
    "accumulate": (Plan(Q, (3, 2, 3), ages=None), tb.Accumulate()),
    "fresh": (Plan(Q, (3, 5, 4), fresh=(0, 2, 2)), tb.Anchored(real_count=2)),
    "fixed": (Plan(Q, (4, 4, 3), kept=1, from_kept=(0, 1, 1)), tb.Anchored(real_count=1, source="fixed")),
    "real only": (Plan(Q, (4, 3, 5), fresh=(0, 3, 5)), tb.RealOnly()),
    "everything, with fresh": (
        Plan(Q, (3, 2, 3), ages=None, fresh=(0, 1, 1)),
        tb.Mix([tb.Fresh(count=1), tb.Synthetic()], ages="all"),
    ),
}
MEANS = {
    "survivors": lambda p, q: float(np.count_nonzero(p)),
    "coverage": lambda p, q: float(q[p > 0].sum()),
    "gini_simpson": lambda p, q: 1.0 - p @ p,
    "brier": lambda p, q: (p - q) @ (p - q),
    "entropy": lambda p, q: -sum(x * np.log(x) for x in p if x > 0),
    "total_variation": lambda p, q: np.abs(p - q).sum() / 2,
    "kl": lambda p, q: sum(x * np.log(x / y) for x, y in zip(p, q, strict=True) if x > 0),
}
BY_COUNTS = ("entropy", "total_variation", "kl")


@pytest.mark.parametrize("name", TINY)
def test_every_outcome_of_tiny_runs(name: str) -> None:
    plan, regime = TINY[name]
    q = np.array(plan.reference)
    th = tb.predict(spec_of(plan, regime), record=ALL)
    followed = [v for v in MEANS if v not in BY_COUNTS or name in ("replace", "fresh", "real only")]
    for t in range(1, len(plan.samples) + 1):
        law = path_law(plan, [t])
        models = [np.array(vectors[0]) / sum(vectors[0]) for vectors in law]
        for variable in followed:
            values = np.array([MEANS[variable](p, q) for p in models])
            mean = float(values @ list(law.values()))
            assert float(th[variable].sel(generation=t)) == pytest.approx(mean, abs=1e-12), variable
            if f"{variable}_sd" in th:
                sd = np.sqrt((values - mean) ** 2 @ list(law.values()))
                found = th[f"{variable}_sd"].sel(generation=t)
                if found.attrs["kind"] == "exact":
                    assert float(found) == pytest.approx(sd, abs=1e-7), variable
                else:
                    assert float(found) >= sd * (1 - 1e-9) - 1e-9, variable


@pytest.mark.parametrize("q", [0.95, 0.99, 0.999, 1e-3])
def test_spread_with_fresh_items_is_a_bound_where_absence_is_rare(q: float) -> None:
    """Two categories: the number present is 1 and a Bernoulli variable, whose chance is known exactly."""
    spec = tb.Spec(reference=tb.Bernoulli(q), regime=tb.Anchored(real_count=1), samples=8, generations=5)
    th = tb.predict(spec, record=tb.Record(generations=[5], variables=["band_survivors", "survivors"]))
    absent = exact.absence([q, 1 - q], [8] * 5, [5], fresh=[1] * 5).values[0]
    by_band = np.sqrt(absent * (1 - absent))
    most = th.band_survivors_sd.values[0]
    assert np.all(most[-1] >= by_band.min() * (1 - 1e-9))
    assert float(th.survivors_sd[0]) >= np.sqrt(absent.sum() * (1 - absent.sum())) * (1 - 1e-9)


@pytest.mark.parametrize(
    "shares", [[0.25, 0.25, 0, 0.25, 0.25], [0, 0, 0, 0.25, 0.25], [0.25, 0.25, 0.25, 0, 0]]
)
def test_a_kept_set_that_is_left_out_at_times_has_no_known_law(shares: list[float]) -> None:
    regime = tb.Anchored(real=shares, source="hoard", hoard=5)
    spec = tb.Spec(reference=tb.Zipf(20), regime=regime, samples=20, generations=5)
    with pytest.raises(PredictionError, match="unless all of it joins every batch"):
        tb.predict(spec, record=tb.Record(variables=["survivors"]))


def test_a_kept_set_that_is_never_used_is_none() -> None:
    regime = tb.Anchored(real=0.0, source="hoard", hoard=5)
    spec = tb.Spec(reference=tb.Zipf(20), regime=regime, samples=20, generations=5)
    without = tb.predict(spec.replace(regime=tb.Replace()))
    assert np.array_equal(tb.predict(spec).survivors, without.survivors)


def test_what_a_gap_of_ages_brings_back_is_not_lost() -> None:
    spec = tb.Spec(reference=tb.Zipf(20), regime=tb.Mix(ages=(1, 0, 1)), samples=20, generations=6)
    left_out = json.loads(tb.predict(spec).attrs["left_out"])
    assert "can come back" in left_out["revived"]
    ds = tb.simulate(spec, record=tb.Record(generations="all", forgotten=True))
    assert int(ds.revived.sum()) > 0
    assert not ds.forgotten.attrs["absence_is_final"]


def test_lost_is_what_survivors_lose() -> None:
    plan, regime = TINY["replace"]
    record = tb.Record(generations=[0, 1, 3])
    th = tb.predict(spec_of(plan, regime), record=record)
    law = path_law(plan, [1, 3], view=presence)
    gone = sum(p * (sum(first) - sum(last)) for (first, last), p in law.items())
    assert float(th.lost.sel(generation=3)) == pytest.approx(gone, abs=1e-12)
    assert th.lost.values[0] == 0.0
    assert th.revived.values.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "regime",
    [tb.Replace(), tb.Anchored(real=0.2), tb.Accumulate(), tb.Window(3), tb.AccumulateSubsample()],
    ids=lambda regime: type(regime).__name__,
)
def test_it_lies_over_the_simulation(regime: object) -> None:
    """Same names, dims and coordinates; a difference of the two needs no thought."""
    spec = tb.Spec(reference=tb.Zipf(40), regime=regime, samples=50, generations=300, replicates=3)
    ds, th = tb.simulate(spec), tb.predict(spec)
    means = [name for name in th.data_vars if not str(name).endswith(("_sd", "_error"))]
    assert set(means) <= set(ds.data_vars)
    assert set(means) | set(json.loads(th.attrs["left_out"])) == set(ds.data_vars)
    for name in means:
        assert th[name].dims == tuple(dim for dim in ds[name].dims if dim != "replicate")
        assert {"kind", "statement", "units", "long_name"} <= th[name].attrs.keys()
        assert th[name].attrs["kind"] in ("exact", "bound", "limit")
    for name, coord in th.coords.items():
        xr.testing.assert_identical(coord, ds.coords[name])
    apart = ds - th
    assert apart["gini_simpson"].dims == ("replicate", "generation")
    reference = apart.sel(generation=0)
    for name in set(means) - {"survivors_output"}:  # the batch drawn from the reference is a sample
        assert np.nan_to_num(reference[name].values) == pytest.approx(0, abs=1e-12), name
    assert th.attrs["spec"] == ds.attrs["spec"]
    assert th.attrs["record"] == ds.attrs["record"]


def test_what_is_not_known_is_listed_with_the_part_that_rules_it_out() -> None:
    spec = tb.Spec(reference=tb.Zipf(40), regime=tb.Window(3), samples=50, generations=20)
    left_out = json.loads(tb.predict(spec).attrs["left_out"])
    assert left_out["survivors"].startswith("regime.k: 3 has no known law of presence; ")
    assert left_out["largest_share"].startswith(
        "record.variables: 'largest_share' has no law of its own in any regime"
    )


REFUSED = {
    "survivors of a window": (tb.Window(3), ["survivors"], r"^regime\.k: 3 has no known law"),
    "of a subsample": (
        tb.AccumulateSubsample(),
        ["coverage"],
        r"^regime: 'accumulate_subsample' has no known",
    ),
    "of a hoard": (
        tb.Anchored(real_count=5, source="hoard", hoard=20),
        ["survivors"],
        r"^regime\.source: 'hoard' has no known law of presence unless all of it",
    ),
    "of weighted items": (
        tb.Mix([tb.Fresh(share=0.5, weight=0.6), tb.Synthetic(weight=0.4)]),
        ["survivors"],
        r"^regime\.sources weights: \{'fresh': 0.6, 'synthetic': 0.4\} make items of unequal weight",
    ),
    "lost where things come back": (
        tb.Anchored(real=0.1),
        ["lost"],
        r"^record\.variables: 'lost' has a known",
    ),
    "the largest share": (
        tb.Replace(),
        ["largest_share"],
        r"^record\.variables: 'largest_share' has no law of its own in any regime, and samples = 50",
    ),
    "output of a fixed set": (
        tb.Anchored(real=0.1, source="fixed"),
        ["survivors_output"],
        r"^regime\.sources: 'fixed' has no known law of what is put out",
    ),
    "output where nothing is put out": (
        tb.RealOnly(),
        ["survivors_output"],
        r"^regime: 'RealOnly' leaves nothing to draw from a model",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_asked_for_by_name_and_not_known_is_an_error(name: str) -> None:
    regime, variables, message = REFUSED[name]
    spec = tb.Spec(reference=tb.Zipf(40), regime=regime, samples=50, generations=20)
    with pytest.raises(PredictionError, match=message) as caught:
        tb.predict(spec, record=tb.Record(variables=variables))
    assert "\n" not in str(caught.value)


def test_too_many_items_to_follow_each_count() -> None:
    spec = tb.Spec(reference=tb.Zipf(40), samples=100_000, generations=5)
    with pytest.raises(
        PredictionError, match=r"^samples: 100000 are more than 2,048, too many for following"
    ):
        tb.predict(spec, record=tb.Record(variables=["entropy"]))


def test_windows_that_still_hold_every_batch_are_pools() -> None:
    spec = tb.Spec(reference=tb.Zipf(40), regime=tb.Window(20), samples=50, generations=20)
    other = tb.predict(spec.replace(regime=tb.Accumulate()))
    assert np.array_equal(tb.predict(spec).survivors, other.survivors)


def test_no_tail_is_no_number() -> None:
    spec = tb.Spec(reference=tb.Uniform(4), samples=50, generations=20)
    th = tb.predict(spec)
    assert np.isnan(th.tail_survivors).all()
    assert np.isnan(th.tail_mass).all()


def test_output_that_the_sizes_do_not_say_is_no_number() -> None:
    spec = tb.Spec(reference=tb.Uniform(4), samples=[50, 50, 50], generations=3)
    values = tb.predict(spec).survivors_output.values
    assert np.isnan(values).tolist() == [False, False, False, True]


def test_forgetting_and_snapshots_are_no_expectations() -> None:
    spec = tb.Spec(reference=tb.Uniform(4), samples=50, generations=3)
    left_out = json.loads(tb.predict(spec, record=tb.Record(forgotten=True, snapshots=[1])).attrs["left_out"])
    assert {"forgotten", "snapshots"} <= left_out.keys()


def test_large_sizes_have_a_proved_error() -> None:
    spec = tb.Spec(reference=tb.Zipf(3000), samples=10**12, generations=2000)
    th = tb.predict(spec, record=tb.Record(variables=["survivors", "gini_simpson"]))
    assert th.survivors.attrs["kind"] == "bound"
    assert float(th.survivors_error.max()) < 1e-6
    assert th.gini_simpson.attrs["kind"] == "exact"
    assert float(th.gini_simpson_sd[-1]) > 0


@pytest.mark.parametrize(("k", "n", "mean"), [(10, 10, 17.50), (10, 100, 187.43), (2, 100, 136.60)])
def test_total_collapse(k: int, n: int, mean: float) -> None:
    ds = tb.total_collapse(tb.Spec(reference=tb.Uniform(k), samples=n, generations=10))
    assert float(ds.collapse_time) == pytest.approx(mean, abs=0.0051)  # the digits that are given
    assert ds.collapse_time.attrs["kind"] == "exact"
    assert ds.collapsed.dims == ("generation",)


def test_total_collapse_of_large_samples_is_a_limit() -> None:
    ds = tb.total_collapse(tb.Spec(reference=tb.Uniform(10), samples=10**6, generations=10))
    assert ds.collapse_time.attrs["kind"] == "limit"
    assert "collapse_time_sd" not in ds


@pytest.mark.parametrize("regime", [tb.Accumulate(), tb.Anchored(real=0.1), tb.Window(2), tb.RealOnly()])
def test_total_collapse_is_refused_where_it_is_not_the_end(regime: object) -> None:
    spec = tb.Spec(reference=tb.Uniform(10), regime=regime, samples=50, generations=10)
    with pytest.raises(PredictionError, match=r"^regime: '.*' does not end with one category"):
        tb.total_collapse(spec)

# SPDX-License-Identifier: MIT
"""Every pair of levers, on small runs of any regime: what must hold whatever they do."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tailbiter as tb
from tests.levers import rules

CATEGORIES, GENERATIONS = 12, 6
REWARDS = st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=CATEGORIES, max_size=CATEGORIES).map(tuple)
SHARE = st.sampled_from([0.05, 0.3, 0.7, 1.0])
LEVERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "add-k": st.builds(tb.AddK, k=st.sampled_from([0.01, 1.0, 50.0])).map(lambda x: {"estimator": x}),
    "good-turing": st.builds(tb.GoodTuring, smoothing=st.sampled_from(["none", "log-linear"])).map(
        lambda x: {"estimator": x}
    ),
    "discount": st.builds(tb.Discount, discount=st.sampled_from([None, 0.3])).map(lambda x: {"estimator": x}),
    "shrinkage": st.builds(
        tb.Shrinkage, weight=st.sampled_from([None, 0.2]), target=st.sampled_from(["uniform", "previous"])
    ).map(lambda x: {"estimator": x}),
    "own-estimator": st.just({"estimator": tb.UserEstimator(rules.add_one)}),
    "own-decoding": st.just({"decoding": tb.Decoding(rule=rules.squared)}),
    "temperature": st.sampled_from([0.5, 0.95, 3.0]).map(lambda x: {"decoding": tb.Decoding(temperature=x)}),
    "top-k": st.integers(1, CATEGORIES + 1).map(lambda x: {"decoding": tb.Decoding(top_k=x)}),
    "top-p": SHARE.map(lambda x: {"decoding": tb.Decoding(top_p=x)}),
    "min-p": SHARE.map(lambda x: {"decoding": tb.Decoding(min_p=x)}),
    "errors": SHARE.map(lambda x: {"error_rate": x}),
    "choice": st.builds(tb.Choice, k=st.sampled_from([2, 3, float("inf")]), reward=REWARDS).map(
        lambda x: {"curation": x}
    ),
    "best-of": st.builds(tb.BestOf, k=st.integers(2, 9), reward=REWARDS).map(lambda x: {"curation": x}),
    "verifier": st.builds(tb.Verifier, accepts_good=SHARE, accepts_bad=SHARE, reward=REWARDS).map(
        lambda x: {"curation": x}
    ),
    "top-share": st.builds(tb.TopShare, share=SHARE, reward=REWARDS).map(lambda x: {"curation": x}),
}
REGIMES = st.sampled_from(
    [
        tb.Replace(),
        tb.Accumulate(),
        tb.AccumulateSubsample(),
        tb.Window(2),
        tb.Anchored(real=0.3),
        tb.Anchored(real=0.2, source="fixed"),
        tb.Anchored(real=0.2, source="hoard", hoard=300),
    ]
)
KIND = {
    name: "estimator"
    if name in ("add-k", "good-turing", "discount", "shrinkage", "own-estimator")
    else "errors"
    if name == "errors"
    else "curation"
    if name in ("choice", "best-of", "verifier", "top-share")
    else "decoding"
    for name in LEVERS
}
PAIRS = [(one, other) for one, other in combinations(LEVERS, 2) if KIND[one] != KIND[other]]


@st.composite
def specs(draw: st.DrawFn, one: str, other: str) -> tb.Spec:
    return tb.Spec(
        reference=tb.Counts(draw(st.lists(st.integers(1, 40), min_size=CATEGORIES, max_size=CATEGORIES))),
        regime=draw(REGIMES),
        samples=draw(st.sampled_from([10, 37, 1000])),
        generations=GENERATIONS,
        replicates=6,
        seed=draw(st.integers(0, 2**32)),
        **draw(LEVERS[one]),
        **draw(LEVERS[other]),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
@settings(
    max_examples=3, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_what_holds_for_every_pair(one: str, other: str, data: st.DataObject) -> None:
    spec = data.draw(specs(one, other))
    record = tb.Record(generations="all", snapshots=tuple(range(1, GENERATIONS + 1)))
    ds = tb.simulate(spec, record=record, threads=1)
    check_totals(spec, ds)
    check_bounds(spec, ds)
    check_supports(spec, ds)
    again = tb.simulate(tb.Spec.from_toml(spec.to_toml()), record=record, threads=2)
    assert all(np.array_equal(ds[name], again[name], equal_nan=ds[name].dtype.kind == "f") for name in ds)


def counted(ds: Any) -> np.ndarray:
    """Training counts of the reference's categories, ``[generation, replicate, category]``."""
    counts = np.zeros((GENERATIONS + 1, ds.sizes["replicate"], CATEGORIES), np.int64)
    index = [ds[f"snapshot_{name}"].values for name in ("generation", "replicate", "category")]
    counts[tuple(index)] = ds["snapshot_count"].values
    return counts[1:]


def check_totals(spec: tb.Spec, ds: Any) -> None:
    """Training sets are as large as the regime makes them; what is missing is wrong."""
    sizes = counted(ds).sum(axis=2)
    n = np.array(spec.samples if isinstance(spec.samples, int) else 0)
    whole = {"Accumulate": n * np.arange(1, GENERATIONS + 1), "Window": n * np.minimum(np.arange(1, 7), 2)}
    total = np.broadcast_to(whole.get(type(spec.regime).__name__, n), (GENERATIONS,))[:, None]
    assert (sizes <= total).all()
    if not spec.error_rate:
        assert (sizes == total).all()
    else:
        wrong = ds["wrong_mass"].values.T[1:]
        assert np.allclose(1 - sizes / total, wrong, rtol=0, atol=1e-12)


def check_bounds(spec: tb.Spec, ds: Any) -> None:
    """What is recorded of presence is what the counts say, and every share is one."""
    present = (counted(ds) > 0).sum(axis=2)
    assert (ds["survivors"].values.T[1:] == present).all()
    for name in ("coverage", "largest_share", "total_variation", "tail_mass"):
        values = ds[name].values[np.isfinite(ds[name].values)]
        assert ((values >= 0) & (values <= 1 + 1e-12)).all(), name
    mass = ds["band_mass"].values.sum(axis=2)
    assert np.allclose(mass[np.isfinite(mass)], 1, rtol=0, atol=1e-9)
    entropy = ds["entropy"].values
    assert (entropy[np.isfinite(entropy)] <= np.log(CATEGORIES) + 1e-12).all()
    assert (ds["kl"].values[np.isfinite(ds["kl"].values)] >= 0).all()


def check_supports(spec: tb.Spec, ds: Any) -> None:
    """Without smoothing and without human data nothing comes back; a cut to k leaves at most k."""
    if not isinstance(spec.regime, tb.Replace):
        return
    models = counted(ds) > 0
    smoothed = not isinstance(spec.estimator, tb.MLE)
    if not smoothed:
        assert not (models[1:] & ~models[:-1]).any()
    if spec.decoding.top_k is not None:
        assert (models[1:].sum(axis=2) <= spec.decoding.top_k).all()


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_best_share_is_as_large_as_a_batch(share: float) -> None:
    """All alike, so that the best are drawn without replacement from all that was drawn."""
    best = tb.TopShare(share=share, reward=(1.0,) * CATEGORIES)
    spec = tb.Spec(
        reference=tb.Uniform(CATEGORIES), samples=10, generations=GENERATIONS, replicates=6, curation=best
    )
    check_totals(spec, tb.simulate(spec, record=tb.Record(snapshots=tuple(range(1, GENERATIONS + 1)))))

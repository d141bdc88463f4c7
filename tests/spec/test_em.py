# SPDX-License-Identifier: MIT
"""The estimator of mixtures: its fields, its defaults, its place in a Spec's identity."""

import math
import pickle

import pytest

import tailbiter as tb
from tailbiter._core import mixture
from tailbiter.estimator import STARTS
from tests.spec.test_bad_input import check

LAW = tb.GaussianMixture([0.75, 0.25], [0.0, 8.0], [1.0, 4.0])


def spec(**fields):
    return tb.Spec(**{"reference": LAW, "samples": 100, "generations": 5} | fields)


def test_each_family_has_its_default():
    assert spec().estimator == tb.EM() == spec(estimator=None).estimator
    assert spec(reference=tb.Gaussian()).estimator == tb.MLE(ddof=0)
    assert spec(reference=tb.Uniform(3)).estimator == tb.MLE()


def test_a_spec_may_change_its_family_back_and_forth():
    there = tb.Spec(reference=tb.Uniform(3)).replace(reference=LAW, estimator=None)
    assert there == tb.Spec(reference=LAW)
    assert there.replace(reference=tb.Gaussian(), estimator=None) == tb.Spec(reference=tb.Gaussian())


def test_golden_identity():
    # These change only together with STREAM_VERSION: stored runs are found, and bits are drawn, by them.
    made = tb.Spec(reference=LAW, regime=tb.Anchored(real=0.1), samples=50)
    assert made.digest() == "cc824b287cacc5eae29d0cc8bcfcf351eefb84d3e362666339791bab023ffca8"
    assert made.key == 2861496045832900250
    assert made.replace(estimator=tb.EM(start="kmeans++")).key == 7677422966657387881


@pytest.mark.parametrize(
    "change", [{"tolerance": 1e-4}, {"iterations": 99}, {"floor": 1e-5}, {"start": "kmeans++"}], ids=str
)
def test_every_field_is_part_of_the_law(change):
    other = spec(estimator=tb.EM(**change))
    assert other.key != spec().key
    assert other.digest() != spec().digest()
    assert other.law()["estimator"] == {"kind": "em", **change}
    for again in (
        tb.Spec.from_toml(other.to_toml()),
        tb.Spec.from_json(other.to_json()),
        pickle.loads(pickle.dumps(other)),
    ):
        assert (again, again.digest(), again.key) == (other, other.digest(), other.key)


def test_defaults_written_out_are_the_defaults():
    table = {"kind": "em", "tolerance": 1e-3, "iterations": 1e2, "floor": 1e-6, "start": "warm"}
    assert spec(estimator=table) == spec()
    assert "estimator" not in spec().law()


def test_the_core_knows_the_same_words():
    assert mixture.STARTS == STARTS


@pytest.mark.parametrize(
    "fields",
    [
        {"samples": 10**12},
        {"samples": 1},
        {"samples": 10**12, "regime": tb.Accumulate(), "generations": 1000},
        {"samples": 10**12, "regime": tb.AccumulateSubsample()},
        {"regime": tb.Anchored(real=0.1, source="hoard", hoard=10**12)},
        {"regime": tb.Mix((tb.Fresh(share=0.3, weight=0.6), tb.Synthetic(weight=0.4)))},
        {"estimator": tb.EM(tolerance=0, iterations=10**6, floor=1e18)},
    ],
    ids=str,
)
def test_what_can_be_run(fields):
    assert tb.lower(spec(**fields)).generations == spec(**fields).generations


REFUSED = {
    "tolerance": (lambda: tb.EM(tolerance=-1e-3), "estimator.tolerance: -0.001 is negative; give a change"),
    "no tolerance": (lambda: tb.EM(tolerance=math.nan), "estimator.tolerance: nan is not finite; give a"),
    "no iterations": (lambda: tb.EM(iterations=0), "estimator.iterations: 0 is outside 1 to 1,000,000; give"),
    "no floor": (lambda: tb.EM(floor=0), "estimator.floor: 0.0 is outside [1e-18, 1e+18]; give a variance"),
    "start": (
        lambda: tb.EM(start="kmeans"),
        "estimator.start: 'kmeans' is not known here; did you mean 'km",
    ),
    "unknown key": (
        lambda: spec(estimator={"kind": "em", "tol": 1}),
        "estimator: 'tol' is not a known key; did you mean 'tolerance'?",
    ),
    "maximum likelihood of a mixture": (
        lambda: spec(estimator=tb.MLE()),
        "estimator: 'mle' does not fit the models of a mixture reference; give EM(), or leave it out",
    ),
    "EM of counts": (
        lambda: spec(reference=tb.Uniform(3), estimator=tb.EM()),
        "estimator: 'em' does not fit the models of a categorical reference; give MLE(), or leave it out",
    ),
    "EM of a Gaussian": (
        lambda: spec(reference=tb.Gaussian(), estimator={"kind": "em"}),
        "estimator: 'em' does not fit the models of a gaussian reference; give MLE(), or leave it out",
    ),
    "a word": (
        lambda: spec(estimator="em"),
        "estimator: 'em' is not an estimator; give EM(...), or in TOML ",
    ),
    "bands": (lambda: spec(bands=[1.0]), "bands: (1.0,) is about categories, which a mixture reference has"),
    "tail mass": (lambda: spec(tail_mass=0.1), "tail_mass: 0.1 is about categories, which a mixture refer"),
    "1e13 samples": (lambda: spec(samples=1e13), "samples: 1e13 is outside 1 to 1,000,000,000,000; give a"),
    "forgotten": (
        lambda: tb.lower(spec(), tb.Record(forgotten=True)),
        "record.forgotten: True is about categories, which a mixture reference has none of; leave it out",
    ),
    "snapshots": (
        lambda: tb.lower(spec(), tb.Record(snapshots=[1])),
        "record.snapshots: (1,) is about categories, which a mixture reference has none of; leave it out, or",
    ),
    "survivors": (
        lambda: tb.lower(spec(), tb.Record(variables=["survivors"])),
        "record.variables: 'survivors' is not measured of a mixture reference; known: weights, compon",
    ),
    "theory": (
        lambda: tb.predict(spec(), record=tb.Record(variables=["iterations"])),
        "record.variables: 'iterations' has no known mean; simulate it, or leave it out",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    check(make, message)

# SPDX-License-Identifier: MIT
"""What a Spec asks of a family of models: fields that it has, limits, regimes that it can run."""

import pickle

import numpy as np
import pytest

import tailbiter as tb
from tailbiter._compose import compose
from tailbiter.reference import Traits
from tests.spec.test_bad_input import check

GAUSSIAN = tb.Gaussian(dimensions=2)


def spec(**fields):
    return tb.Spec(**{"reference": GAUSSIAN, "samples": 100, "generations": 5} | fields)


def test_the_divisor_is_maximum_likelihoods_if_left_out():
    assert spec().estimator == tb.MLE(ddof=0) == spec(estimator=tb.MLE()).estimator
    assert spec() == spec(estimator=tb.MLE(0))
    assert spec(reference=tb.Uniform(3)).estimator == tb.MLE()


def test_golden_identity():
    # These change only together with STREAM_VERSION: stored runs are found, and bits are drawn, by them.
    reference = tb.Gaussian([1, 2], [[4.0, 1.0], [1.0, 2.0]])
    made = tb.Spec(reference=reference, regime=tb.Anchored(real=0.1), samples=50)
    assert made.digest() == "b12210181c63fe255100b5d281728eec1dc035ec6db4d2116d94e028abd63c96"
    assert made.key == 5261077221437079247
    assert made.replace(estimator=tb.MLE(ddof=1)).key == 4874541322726106021


def test_the_divisor_is_part_of_the_law():
    one = spec(estimator=tb.MLE(ddof=1))
    assert one.key != spec().key
    assert one.digest() != spec().digest()


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_divisor_round_trips(ddof):
    made = spec(estimator={"kind": "mle", "ddof": ddof}, seed=3)
    assert made.estimator.ddof == ddof
    for again in (
        tb.Spec.from_toml(made.to_toml()),
        tb.Spec.from_json(made.to_json()),
        pickle.loads(pickle.dumps(made)),
    ):
        assert (again, again.digest(), again.key) == (made, made.digest(), made.key)
    assert "tail_mass" not in made.to_dict()


def test_a_spec_may_change_its_family_back_and_forth():
    there = tb.Spec(reference=tb.Uniform(3)).replace(reference=GAUSSIAN)
    assert there == tb.Spec(reference=GAUSSIAN)
    assert there.replace(reference=tb.Uniform(3), estimator=tb.MLE()) == tb.Spec(reference=tb.Uniform(3))


@pytest.mark.parametrize(
    "fields",
    [
        {"samples": 10**15},
        {"samples": [10**15] * 5},
        {"samples": tb.Growth(10**14, 2, most=10**15)},
        {"samples": 10**15, "generations": 10**4, "regime": tb.Accumulate()},
        {"samples": 10**15, "regime": tb.Anchored(real_count=10**14)},
        {"samples": 10**15, "regime": tb.Window(5)},
        {"samples": 10**15, "regime": tb.Anchored(real_count=10**14, source="hoard", hoard=10**14)},
        {"regime": tb.AccumulateSubsample(), "samples": 10**9},
        {"regime": tb.Anchored(real=0.1, source="hoard", hoard=50)},
        {"samples": 1},
        {"samples": [2, 1, 2, 1, 1], "estimator": tb.MLE(1), "regime": tb.Window(2)},
        {"samples": [2, 1, 1, 1, 1], "estimator": tb.MLE(1), "regime": tb.Accumulate()},
        {"samples": [2, 2, 2, 2, 2, 1], "estimator": tb.MLE(1)},
    ],
    ids=str,
)
def test_what_can_be_run(fields):
    made = spec(**fields)
    assert tb.Spec.from_toml(made.to_toml()) == made
    assert made.composition.samples.dtype == np.uint64


weighted = tb.Mix([tb.Fresh(count=1, weight=1.0), tb.Synthetic(weight=0.0)])
REFUSED = {
    "1e16 samples": (lambda: spec(samples=1e16), "samples: 1e16 is outside 1 to 1,000,000,000,000,000; give"),
    "1e13 categories drawn": (
        lambda: spec(samples=1e13, reference=tb.Bernoulli(0.5)),
        "samples: 1e13 is outside 1 to 1,000,000,000,000; give a whole number",
    ),
    "1e13 in a list": (
        lambda: spec(samples=[1e13] * 5, reference=tb.Bernoulli(0.5)),
        "samples[0]: 1e13 is outside 1 to 1,000,000,000,000; give",
    ),
    "1e13 by growth": (
        lambda: spec(samples=tb.Growth(10**13), reference=tb.Bernoulli(0.5)),
        "gives generation 1 1e+13 samples, outside 1 to 1,000,000,000,000; set most",
    ),
    "1e16 by growth": (
        lambda: spec(samples=tb.Growth(10**15, 2)),
        "gives generation 2 2e+15 samples, outside 1 to 1,000,000,000,000,000; set most",
    ),
    "a hoard too large": (
        lambda: spec(reference=tb.Uniform(3), regime=tb.Anchored(real=0.1, source="hoard", hoard=10**13)),
        "regime.hoard: 10000000000000 is outside 1 to 1,000,000,000,000; keep fewer",
    ),
    "bands": (
        lambda: spec(bands=[1.0]),
        "bands: (1.0,) is about categories, which a gaussian reference has none of; leave it out",
    ),
    "tail mass": (
        lambda: spec(tail_mass=0.1),
        "tail_mass: 0.1 is about categories, which a gaussian reference has none of; leave it out",
    ),
    "a divisor of counts": (
        lambda: spec(reference=tb.Uniform(3), estimator=tb.MLE(ddof=0)),
        "estimator.ddof: 0 is a divisor that the fit of a categorical reference does not have; leave it out",
    ),
    "a divisor of 2": (lambda: tb.MLE(ddof=2), "estimator.ddof: 2 is outside 0 to 1; give 0 (maximum"),
    "half a divisor": (lambda: tb.MLE(ddof=0.5), "estimator.ddof: 0.5 is not a whole number; give 0"),
    "an estimator in words": (
        lambda: spec(estimator="mle"),
        "estimator: 'mle' is not an estimator; give MLE(...), or in TOML a table: [estimator]",
    ),
    "estimator of no kind": (
        lambda: spec(estimator={"ddof": 1}),
        "estimator: ['ddof'] lacks the key 'kind';",
    ),
    "another estimator": (
        lambda: spec(estimator={"kind": "mel"}),
        "estimator.kind: 'mel' is not known here; did you mean 'mle'?",
    ),
    "a key of an estimator": (
        lambda: spec(estimator={"kind": "mle", "dof": 1}),
        "estimator: 'dof' is not a known key; did you mean 'ddof'?",
    ),
    "one item": (
        lambda: spec(samples=[5, 5, 1, 5, 5], estimator=tb.MLE(1)),
        "estimator.ddof: 1 divides by zero: the training set of generation 3 is one item; give more samples",
    ),
    "one item at first": (
        lambda: spec(samples=[1, 5, 5, 5, 5], estimator=tb.MLE(1), regime=tb.Accumulate()),
        "estimator.ddof: 1 divides by zero: the training set of generation 1 is one item; give",
    ),
    "one item between ages": (
        lambda: spec(samples=[2, 1, 5, 5, 5], estimator=tb.MLE(1), regime=tb.Mix(ages=(1, 0, 1))),
        "estimator.ddof: 1 divides by zero: the training set of generation 2 is one item; give",
    ),
    "one item that counts": (
        lambda: spec(estimator=tb.MLE(1), regime=weighted),
        "estimator.ddof: 1 divides by zero: the training set of generation 2 is one item; give",
    ),
    "a pool": (
        lambda: spec(regime=tb.AccumulateSubsample(100), samples=2 * 10**9),
        "makes a pool of 10,000,000,000 items, but a gaussian run can make no more than 8,589,934,590 again;",
    ),
    "a batch of a pool": (
        lambda: spec(regime=tb.AccumulateSubsample(100), samples=10**9, reference=tb.Gaussian(dimensions=9)),
        "5,000,000,000 items, 1,000,000,000 in a batch, but a gaussian run can make no more than 858,993,459",
    ),
    "a part of a hoard": (
        lambda: spec(regime=tb.Anchored(real=0.1, source="hoard", hoard=5 * 10**9)),
        "regime.hoard: 5000000000 makes a pool of 5,000,000,000 items of which 10 are drawn (generation 2)",
    ),
    "one item drawn": (
        lambda: spec(regime=tb.AccumulateSubsample(1), estimator=tb.MLE(1)),
        "estimator.ddof: 1 divides by zero: the training set of generation 1 is one item; give more samples",
    ),
    "survivors of a Gaussian": (
        lambda: tb.Record(variables=["survivors"]).names_of("gaussian"),
        "record.variables: 'survivors' is not measured of a gaussian reference; known: log_det,",
    ),
    "rank of counts": (
        lambda: tb.lower(spec(reference=tb.Uniform(3)), tb.Record(variables=["log_det"])),
        "record.variables: 'log_det' is not measured of a categorical reference; ",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    check(make, message)


def test_variables_of_each_family_in_its_order():
    assert tb.Record().names_of("gaussian")[:3] == ("log_det", "log_trace", "effective_rank")
    mixed = tb.Record(variables=["mean", "kl", "log_det"])
    assert mixed.names_of("gaussian") == ("log_det", "kl", "mean")
    assert tb.Record.from_json(mixed.to_json()) == mixed


@pytest.mark.parametrize("samples", [7, 1000, 10**9 + 7, 10**15 - 3])
@pytest.mark.parametrize(("fresh", "share"), [(0.6, 0.3), (1 / 3, 1e-3), (1 - 1e-9, 0.5), (1e-9, 0.9)])
def test_weights_of_sources_are_kept_at_every_size(samples, fresh, share):
    if samples * share < 1:
        share = 0.5
    sources = [tb.Fresh(share=share, weight=fresh), tb.Synthetic(weight=1 - fresh)]
    made = spec(samples=samples, regime=tb.Mix(sources)).composition
    human = int(made.fresh[1])
    synthetic, weight, _ = (int(w) for w in made.item_weights[1])
    total = weight * human + synthetic * (samples - human)
    assert weight * human / total == pytest.approx(fresh, rel=1e-8 if fresh == 1e-9 else 1e-12)


HOARD = tb.Anchored(real=0.1, source="hoard", hoard=40)


@pytest.mark.parametrize(
    ("regime", "samples", "message"),
    [
        (tb.AccumulateSubsample(), [20] * 6, None),
        (
            tb.AccumulateSubsample(),
            [20] * 7,
            "makes a pool of 120 items, but a made-up run can make no more than 100",
        ),
        (
            tb.AccumulateSubsample(),
            [31, 5, 0],
            "makes a pool of 36 items, 31 in a batch, but a made-up run can",
        ),
        (
            HOARD.as_mix(),
            [20] * 3,
            "sources.hoard.size: 40 makes a pool of 40 items of which 2 are drawn (gener",
        ),
        (tb.Anchored(real=0.1, source="hoard", hoard=30), [20] * 3, None),
        (tb.Anchored(real_count=40, source="hoard", hoard=40), [50] * 3, None),
        (tb.Accumulate(), [90] * 3, None),
    ],
)
def test_pools_that_can_be_made_again(regime, samples, message):
    traits = Traits("made-up", 1000, None, most_pool=100, most_remade=30)
    batches = np.array(samples, np.uint64)
    if message is None:
        assert compose(regime, batches, traits).samples.tolist() == samples
    else:
        check(lambda: compose(regime, batches, traits), message)


@pytest.mark.parametrize("regime", [tb.AccumulateSubsample(), HOARD])
def test_where_nothing_can_be_made_again_pools_are_refused(regime):
    batches = np.array([20] * 3, np.uint64)
    message = "but a made-up run keeps sufficient statistics, not items; use"
    check(lambda: compose(regime, batches, Traits("made-up", 1000, None)), message)

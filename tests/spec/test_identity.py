# SPDX-License-Identifier: MIT
"""What names a Spec's content, and what its random bits follow from."""

import hashlib

import numpy as np
import pytest

import tailbiter as tb
from tailbiter import _core
from tailbiter.spec import STREAM_VERSION

BASE = tb.Spec(reference=tb.Counts([5, 3, 1], ["a", "b", "c"]), regime=tb.Anchored(real=0.01), samples=1000)


def test_golden_identity():
    # These change only together with STREAM_VERSION: stored runs are found, and bits are drawn, by them.
    assert BASE.digest() == "88e95c829dc27407aaebd6bee2d3d25698b58d42df58bf877f460a3d56584845"
    assert BASE.key == 2583422708959982187


def test_the_key_is_numpys():
    counts = hashlib.sha256(np.array([5, 3, 1], "<i8").tobytes()).hexdigest()
    law = (
        '{"reference":{"digest":"' + counts + '","kind":"counts"},"regime":{"ages":[1],"sources":'
        '[{"kind":"fresh","share":0.01}]},"samples":1000,"stream":1}'
    )
    digest = hashlib.sha256(law.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4)]
    for seed in (1851, 0, 2**32 - 1, 2**32, 2**63 - 1):
        expected = np.random.SeedSequence(seed, spawn_key=words).generate_state(1, np.uint64)[0]
        assert BASE.replace(seed=seed).key == expected


@pytest.mark.parametrize("change", [{"generations": 3}, {"replicates": 1}])
def test_a_longer_run_is_the_same_run(change):
    assert BASE.replace(**change).digest() == BASE.digest()
    assert BASE.replace(**change).key == BASE.key
    assert BASE.replace(**change) != BASE


@pytest.mark.parametrize(
    "change",
    [{"bands": [1.0, 5.0]}, {"tail_mass": 0.5}, {"reference": tb.Counts([5, 3, 1])}],
    ids=["bands", "tail_mass", "labels"],
)
def test_what_only_names_and_measures_changes_no_bit(change):
    assert BASE.replace(**change).digest() != BASE.digest()
    assert BASE.replace(**change).key == BASE.key


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 7},
        {"samples": 1001},
        {"samples": [1000] * 2000},
        {"samples": tb.Growth(1000)},
        {"regime": tb.Replace()},
        {"regime": tb.Anchored(real=0.02)},
        {"regime": tb.Anchored(real=0.01, source="fixed")},
        {"regime": tb.AccumulateSubsample()},
        {"regime": tb.AccumulateSubsample(5)},
        {"regime": tb.Window(2)},
        {"reference": tb.Counts([5, 3, 2], ["a", "b", "c"])},
        {"reference": tb.Probabilities([5, 3, 1], ["a", "b", "c"])},
        {"reference": tb.Uniform(3)},
        {"reference": tb.Zipf(3)},
        {"reference": tb.Zipf(3, 1.5)},
    ],
    ids=str,
)
def test_what_changes_the_law_changes_the_key(change):
    other = BASE.replace(**change)
    assert other.digest() != BASE.digest()
    assert other.key != BASE.key


EQUAL = [
    (tb.Replace(), tb.Mix()),
    (tb.Replace(), tb.Window(1)),
    (tb.Replace(), tb.Anchored(real=0.0)),
    (tb.Replace(), tb.Anchored(real_count=0)),
    (tb.Accumulate(), tb.Mix(ages="all")),
    (tb.Window(3), tb.Mix(ages=(0.5, 0.5, 0.5))),
    (tb.RealOnly(), tb.Mix((tb.Fresh(share=1.0), tb.Synthetic()))),
    (tb.RealOnly(), tb.Anchored(real=1)),
    (tb.Anchored(real=0.01), tb.Mix((tb.Synthetic(), tb.Fresh(share=0.01)))),
    (tb.Anchored(real_count=7), tb.Mix((tb.Fresh(count=7),))),
    (tb.Anchored(real=0.1, source="fixed"), tb.Mix((tb.Fixed(share=0.1),))),
    (tb.Anchored(real=0.1, source="hoard", hoard=500), tb.Mix((tb.Hoard(size=500, share=0.1),))),
    (tb.Mix(ages=(1.0, 0.5)), tb.Mix(ages=(4.0, 2.0))),
]


@pytest.mark.parametrize(("named", "mix"), EQUAL, ids=str)
def test_a_named_regime_is_its_mix(named, mix):
    a, b = BASE.replace(regime=named), BASE.replace(regime=mix)
    assert a.key == b.key
    assert a.digest() == b.digest()
    assert tb.lower(a) == tb.lower(b)
    assert tb.lower(a) != tb.lower(a.replace(seed=2))


def test_the_core_draws_the_same_stream():
    assert _core.build_info()["stream_version"] == STREAM_VERSION


@pytest.mark.parametrize(("counts", "same"), [([1, 2], True), ([1, 3], False)])
def test_equal_and_unequal_exclude_each_other(counts, same):
    one, other = tb.Counts([1, 2]), tb.Counts(counts)
    for left, right in [(one, other), (tb.Spec(reference=one), tb.Spec(reference=other))]:
        assert (left == right) is same
        assert (left != right) is not same

# SPDX-License-Identifier: MIT
"""Where theory knows the answer, `plan` gives it: against oracles that try every level."""

import math

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.plan._axis import axis_of
from tests.plan.exact import Question, question_of_means


def check(question: Question) -> str:
    """The answer is the oracle's; what kind of question it was."""

    def ask() -> tb.Plan:
        return tb.plan(question.spec, question.vary, question.target, between=question.between, threads=1)

    if question.answer is None:
        with pytest.raises(tb.SpecError, match="cannot be reached"):
            ask()
        return "impossible"
    found = ask()
    assert found.kind == "exact"
    assert found.value == found.high
    unit = 1 if question.vary == "samples" else question.spec.samples
    first = 1 if question.vary == "samples" else 0
    assert math.floor(found.high * unit + 0.5) == question.answer
    if question.answer == first:
        assert found.low is None
    else:  # one item less
        assert found.low is not None
        assert math.floor(found.low * unit + 0.5) == question.answer - 1
    return question.vary


def some(number: int, seed: int) -> set[str]:
    rng = np.random.default_rng(seed)
    return {check(question_of_means(rng)) for _ in range(number)}


def test_a_few_random_targets() -> None:
    assert len(some(5, 1)) >= 2


@pytest.mark.slow
def test_twenty_random_targets() -> None:
    assert some(20, 1851) >= {"regime.real", "samples"}


@pytest.mark.verification
def test_five_hundred_random_targets() -> None:
    some(500, 2)


def test_one_category_is_kept_with_a_probability_that_theory_knows() -> None:
    spec = tb.Spec(reference=tb.Counts([70, 20, 10]), samples=30, generations=10)
    common = {"keep": 0.5, "at_least": 2.5, "below": 4.0}
    chance = tb.plan(spec, "regime.real", tb.Target(**common, probability=0.9))
    mean = tb.plan(spec, "regime.real", tb.Target(keep=0.9, at_least=2.5, below=4.0, probability=None))
    assert (chance.kind, chance.low, chance.value) == ("exact", mean.low, mean.value)


def test_the_same_categories_are_meant_whatever_varies() -> None:
    """Expected counts are those of the Spec as it is given: more samples bring no others in."""
    spec = tb.Spec(reference=tb.Counts([50, 30, 15, 5]), samples=100, generations=5)
    found = tb.plan(spec, "samples", tb.Target(keep=0.97, at_least=15, probability=None))
    for row in found.rows:
        kept = np.mean(
            [
                float(tb.theory.exact.absence([q], [int(row.value)] * 5, [5]).values[0, 0])
                for q in (0.5, 0.3, 0.15)
            ]
        )
        assert row.expected == pytest.approx(1 - kept, abs=1e-9)


def test_shares_come_back_as_the_items_they_make() -> None:
    spec = tb.Spec(reference=tb.Zipf(20), samples=997, generations=5)
    axis = axis_of(spec, "regime.real", None)
    assert (axis.low, axis.high) == (0, 997)
    for items in range(0, 998, 7):
        share = axis.value(items)
        assert axis.spec(items).composition.fresh[1] == items == axis.level(share)
        assert len(f"{share:.12g}") <= 6


def test_samples_begin_where_a_share_makes_an_item() -> None:
    spec = tb.Spec(reference=tb.Zipf(20), regime=tb.Anchored(real=0.01), samples=997, generations=5)
    assert axis_of(spec, "samples", None).low == 50


def test_nothing_is_needed_where_nothing_is_lost() -> None:
    spec = tb.Spec(reference=tb.Uniform(4), samples=1000, generations=5)
    found = tb.plan(spec, "regime.real", tb.Target(keep=0.99, probability=None))
    assert (found.low, found.value, found.high) == (None, 0.0, 0.0)
    assert "no human data is needed: regime.real = 0." in found.sentence


def test_the_curve_is_the_theory_of_each_level() -> None:
    spec = tb.Spec(reference=tb.Zipf(9), samples=30, generations=10)
    found = tb.plan(spec, "regime.real", tb.Target(keep=0.8, of="coverage", probability=None))
    curve = found.curve
    assert curve["regime.real"].values.tolist() == sorted(curve["regime.real"].values.tolist())
    record = tb.Record(generations=[10], variables=["coverage"])
    for value, expected in zip(curve["regime.real"].values, curve.expected.values, strict=True):
        of_level = tb.predict(spec.replace(regime=tb.Anchored(real=float(value))), record=record)
        assert expected == pytest.approx(float(of_level.coverage.item()), abs=1e-12)
    assert found.spec.regime == tb.Anchored(real=found.high)
    assert set(np.unique(curve.verdict.values)) <= {"", "kept", "not kept"}

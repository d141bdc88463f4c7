# SPDX-License-Identifier: MIT
"""Plans by simulation: the interval holds the exact answer with the confidence stated.

Exact answers are those of two categories, whose counts are one Markov chain; every level is tried.
"""

import numpy as np
import pytest
from scipy.stats import binom

import tailbiter as tb
from tailbiter.plan import _levels
from tailbiter.plan._target import Part
from tests.plan.exact import Question, both_present, question_of_chances

FALSE_ALARM = 1e-9


def holds(question: Question, seed: int, confidence: float, **options: object) -> bool:
    """Whether the interval holds the answer."""
    spec = question.spec.replace(seed=seed)
    options = {"most": 1024, "tolerance": 0.3, **options}
    try:
        found = tb.plan(spec, question.vary, question.target, confidence=confidence, threads=1, **options)
    except tb.SpecError as error:
        # Too few lineages to tell is no answer, and so no wrong one.
        return error.field == "plan.most" or (error.field == "plan.keep" and question.answer is None)
    assert found.kind == "simulated"
    least = -1 if found.low is None else found.low
    assert least < found.value <= found.high
    return question.answer is not None and least < question.answer <= found.high


@pytest.mark.slow
def test_twenty_random_targets() -> None:
    """At this confidence all twenty hold but for 1e-9; ends that are off by a few items would not."""
    rng = np.random.default_rng(1851)
    confidence = 1 - FALSE_ALARM / 20
    questions = [question_of_chances(rng) for _ in range(20)]
    assert all(holds(question, question.spec.seed, confidence) for question in questions)
    assert sum(question.answer is not None for question in questions) > 10


def misses(seeds: int, confidence: float, **options: object) -> int:
    question = both_present(rare=4, size=100, last=30, probability=0.8, seed=0)
    assert question.answer is not None
    return sum(not holds(question, 100 + seed, confidence, **options) for seed in range(seeds))


def most_misses(seeds: int, confidence: float) -> int:
    return int(binom.isf(FALSE_ALARM, seeds, 1 - confidence))


@pytest.mark.slow
def test_confidence_holds_over_seeds() -> None:
    """Of 50 intervals at 90 %, 21 or fewer miss but for 1e-9: missing two times in three would be seen."""
    assert misses(50, 0.9) <= most_misses(50, 0.9)


@pytest.mark.verification
def test_confidence_holds_over_many_seeds() -> None:
    assert misses(3000, 0.9) <= most_misses(3000, 0.9)


def test_verdicts_at_the_first_sight_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that believes whichever side the mean lies on misses far more often than it says."""
    monkeypatch.setattr(_levels, "side_evidence", wrong_evidence)
    assert misses(20, 0.999, tolerance=0.05) > most_misses(20, 0.999)


def wrong_evidence(values: np.ndarray, threshold: float, side: str) -> float:
    beyond = values.mean() > threshold if side == "above" else values.mean() < threshold
    return np.inf if beyond else 0.0


def test_without_theory_it_is_simulated() -> None:
    spec = tb.Spec(reference=tb.Zipf(20), regime=tb.Window(2), samples=50, generations=20)
    found = tb.plan(spec, "regime.k", tb.Target(keep=0.7, probability=None), between=(1, 20), threads=1)
    assert found.kind == "simulated"
    assert 1 <= (found.low or 1) < found.high <= 20
    assert np.isnan(found.curve.expected.values[1:-1]).all()  # both ends have one
    assert f"enough at {found.high}" in found.text()


def test_the_mean_guides_the_tests_where_theory_knows_it() -> None:
    spec = tb.Spec(reference=tb.Uniform(40), samples=100, generations=10)
    found = tb.plan(spec, "regime.real", tb.Target(keep=0.8), threads=1)
    curve = found.curve
    assert found.kind == "simulated"
    assert np.isfinite(curve.expected.values).sum() >= 5
    tested = curve.sel(level=curve.verdict.values != "")
    assert tested.sizes["level"] <= 8
    assert float(abs(tested.kept - tested.expected).max()) < 0.05  # theory of another level would lie off


def test_it_is_the_same_whatever_the_threads_and_common_words() -> None:
    spec = tb.Spec(reference=tb.Uniform(5), samples=20, generations=10)
    target = tb.Target(keep=0.8, probability=0.8)
    one = tb.plan(spec, "regime.real", target, threads=1)
    assert one == tb.plan(spec.replace(common_random_numbers=True), "regime.real", target, threads=2)
    assert one.rows == tb.plan(spec.replace(replicates=7), "regime.real", target).rows


def test_a_test_never_takes_lineages_that_chose_the_level() -> None:
    spec = tb.Spec(reference=tb.Uniform(5), samples=20, generations=10)
    part = Part(spec, tb.Target(keep=0.8, probability=0.5))
    level = _levels.Level(part, spec, 64, 1)
    level.glance()
    level.test(1e-3)
    record = tb.Record(generations=[10], variables=["survivors"])
    every = tb.simulate(spec.replace(replicates=64 + len(level.glanced)), record=record).survivors.values[
        :, 0
    ]
    np.testing.assert_array_equal(level.tested, every[:64] / 5)
    np.testing.assert_array_equal(level.glanced, every[64:] / 5)

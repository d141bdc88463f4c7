# SPDX-License-Identifier: MIT
"""Estimators, errors, crawls and faults against complete enumeration: whole paths over generations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tailbiter as tb
from tests.levers.cases import ESTIMATORS, table
from tests.oracles.chain import Vector, multinomial
from tests.oracles.compare import REPLICATES, compare_paths
from tests.oracles.gallery import Tiny
from tests.oracles.plan import Plan
from tests.oracles.stat import Verdict, g_test, require

Weighing = Callable[[Vector], Sequence[float]]
PLAN = Plan((5, 2, 1), (4, 3, 4))
WIDE = Plan((4, 3, 2, 1), (3, 2, 3))
Q = [Fraction(w, 8) for w in PLAN.weights]


def drawn(law: Weighing) -> Callable[[int, Vector], Iterable[tuple[Vector, Fraction]]]:
    return lambda n, training: multinomial(n, tuple(Fraction(float(x)) for x in law(training)))


def trainings(plan: Plan, seed: int, *, wrong: bool = False, **fields: Any) -> np.ndarray:
    """Training counts; with errors, what is missing from the training set comes last."""
    at = tuple(range(1, len(plan.samples) + 1))
    weights = plan.weights[:-1] if wrong else plan.weights
    spec = tb.Spec(
        reference=tb.Counts(list(weights)),
        samples=list(plan.samples),
        generations=len(plan.samples),
        replicates=REPLICATES,
        seed=seed,
        **fields,
    )
    ds = tb.simulate(
        spec, record=tb.Record(generations=[0], variables=["survivors"], snapshots=at), threads=1
    )
    counts = table(ds, at, len(weights))
    if not wrong:
        return counts
    missing = np.array(plan.samples)[:, None] - counts.sum(axis=2)
    return np.concatenate([counts, missing[:, :, None]], axis=2)


def verdicts(plan: Plan, law: Weighing, seed: int, *, wrong: bool = False, **fields: Any) -> list[Verdict]:
    tiny = Tiny(replace(plan, synthetic=drawn(law)), tuple(range(1, len(plan.samples) + 1)))
    return list(compare_paths(tiny, [trainings(plan, seed, wrong=wrong, **fields)]))


# Shrinkage toward the model before remembers more than the training set: its records are tested.
MEMORYLESS = sorted(name for name in ESTIMATORS if not name.startswith("before"))


@pytest.mark.parametrize("name", MEMORYLESS)
def test_every_path_of_an_estimator_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .2 (total variation at most .1)."""
    estimator, fit = ESTIMATORS[name]
    for verdict in verdicts(PLAN, lambda c: fit(c, None), 1, estimator=estimator):
        require(verdict, effect=0.2, name=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MEMORYLESS)
def test_every_path_over_four_categories(name: str) -> None:
    """False alarms as above; effect: chi-square distance .24, as there are more paths."""
    estimator, fit = ESTIMATORS[name]
    for verdict in verdicts(WIDE, lambda c: fit(c, None), 2, estimator=estimator):
        require(verdict, effect=0.24, name=name)


@pytest.mark.parametrize("name", ["add-1", "turing", "discount", "shrink-tenth"])
def test_maximum_likelihood_is_told_apart(name: str) -> None:
    """Runs with an estimator before the law of another."""
    found = verdicts(PLAN, lambda c: ESTIMATORS["mle"][1](c, None), 3, estimator=ESTIMATORS[name][0])
    assert any(verdict.rejected for verdict in found)


def erring(rate: float, fit: Callable[[Sequence[int], None], Sequence[float]]) -> Weighing:
    """A share goes wrong, what was wrong stays so, and the rest is fitted by itself."""

    def law(counts: Vector) -> Sequence[float]:
        *right, wrong = counts
        share = rate + (1 - rate) * wrong / sum(counts)
        fitted = fit(right, None) if sum(right) else [0.0] * len(right)
        return [*((1 - share) * p for p in fitted), share]

    return law


ERRING = replace(PLAN, weights=(5, 2, 1, 0), samples=(3, 2, 3))


@pytest.mark.parametrize("name", ["mle", "add-1", "add-many", "discount", "turing", "shrink"])
def test_every_path_with_errors_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .35."""
    estimator, fit = ESTIMATORS[name]
    for verdict in verdicts(ERRING, erring(0.3, fit), 4, wrong=True, estimator=estimator, error_rate=0.3):
        require(verdict, effect=0.35, name=name)


def test_errors_that_training_forgets_are_told_apart() -> None:
    """An oracle in which what went wrong is not carried on."""

    def law(counts: Vector) -> Sequence[float]:
        right = sum(counts[:-1])
        return [*(0.7 * c / right if right else 0.0 for c in counts[:-1]), 0.3 if right else 1.0]

    assert any(v.rejected for v in verdicts(ERRING, law, 5, wrong=True, error_rate=0.3))


def crawling(real: float, tpr: Sequence[float], fpr: Sequence[float]) -> Weighing:
    """What is kept of a crawl, item by item."""

    def law(counts: Vector) -> Sequence[float]:
        human = [real * float(q) * (1 - f) for q, f in zip(Q, fpr, strict=True)]
        model = [(1 - real) * c / sum(counts) * (1 - t) for c, t in zip(counts, tpr, strict=True)]
        total = sum(human) + sum(model)
        return [(h + m) / total for h, m in zip(human, model, strict=True)]

    return law


# Expected counts in the first batch are 2.5, 1 and .5: three bands, from rare to common.
BANDS = (0.75, 2.0)
CRAWLS = {
    "plain": (None, (0.0,) * 3, (0.0,) * 3),
    "detector": (tb.Detector(tpr=0.8, fpr=0.3), (0.8,) * 3, (0.3,) * 3),
    "watermark": (tb.Detector(tpr=0.8, adoption=0.5), (0.4,) * 3, (0.0,) * 3),
    "labels": (tb.Detector(tpr=0.5, fpr=0.2, labelled=0.5), (0.75,) * 3, (0.1,) * 3),
    "rare-taken-for-synthetic": (tb.Detector(tpr=0.5, fpr=(0.9, 0.5, 0.0)), (0.5,) * 3, (0.0, 0.5, 0.9)),
    "finds-the-common": (tb.Detector(tpr=(0.0, 0.5, 0.9)), (0.9, 0.5, 0.0), (0.0,) * 3),
    "both": (tb.Detector(tpr=(0.2, 0.5, 0.9), fpr=(0.6, 0.1, 0.0)), (0.9, 0.5, 0.2), (0.0, 0.1, 0.6)),
}


@pytest.mark.parametrize("name", sorted(CRAWLS))
def test_every_path_of_a_crawl_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .2. Items are kept one by one in the oracle."""
    detector, tpr, fpr = CRAWLS[name]
    fields = {"regime": tb.Crawl(real=0.4), "detector": detector, "bands": BANDS}
    for verdict in verdicts(PLAN, crawling(0.4, tpr, fpr), 6, **fields):
        require(verdict, effect=0.2, name=name)


def test_a_fixed_split_is_no_crawl() -> None:
    """Two of five human items, always, before the law of a crawl."""
    plan = replace(PLAN, samples=(5, 5))
    found = verdicts(plan, crawling(0.4, (0.0,) * 3, (0.0,) * 3), 7, regime=tb.Anchored(real=0.4))
    assert any(verdict.rejected for verdict in found)


FAULTS = {
    "noise": (tb.LabelNoise(0.3), (0.7 * 5 / 8 + 0.1, 0.7 * 2 / 8 + 0.1, 0.7 / 8 + 0.1)),
    "truncation": (tb.Truncation(below=0.75), (5 / 7, 2 / 7, 0.0)),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_path_after_a_fault_has_its_probability(name: str) -> None:
    """Generation 1 is drawn from another law, and no other is. Effect: chi-square distance .2."""
    fault, law = FAULTS[name]
    weights = tuple(Fraction(p) for p in law)
    tiny = Tiny(replace(PLAN, weights=tuple(int(w * 2**52) for w in weights)), (1, 2, 3))
    runs = [trainings(PLAN, 8, fault=fault)]
    for verdict in compare_paths(tiny, runs):
        require(verdict, effect=0.2, name=name)


def test_items_stand_in_the_first_set_several_times() -> None:
    """Five items in copies of two: two twice, and one alone. Effect: chi-square distance .2."""
    pairs = {tuple(2 * c for c in v): p for v, p in multinomial(2, PLAN.weights)}
    counts = trainings(replace(PLAN, samples=(5,)), 9, fault=tb.Duplication(copies=2))[0]
    singles = dict(multinomial(1, PLAN.weights))
    law: dict[Vector, float] = {}
    for twice, p in pairs.items():
        for once, r in singles.items():
            whole = tuple(a + b for a, b in zip(twice, once, strict=True))
            law[whole] = law.get(whole, 0.0) + float(p * r)

    rows, seen = np.unique(counts, axis=0, return_counts=True)
    found = {tuple(row): int(n) for row, n in zip(rows.tolist(), seen.tolist(), strict=True)}
    assert found.keys() <= law.keys()
    require(g_test([found.get(v, 0) for v in law], list(law.values())), effect=0.2)

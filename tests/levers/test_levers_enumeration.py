# SPDX-License-Identifier: MIT
"""Decoding and curation against complete enumeration: whole paths over several generations."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

import pytest

import tailbiter as tb
from tests.law.runs import trainings
from tests.oracles import levers
from tests.oracles.compare import REPLICATES, compare_paths
from tests.oracles.gallery import Tiny
from tests.oracles.plan import Plan
from tests.oracles.stat import require

REWARD = (0.0, 1.5, 0.5)


class Case(NamedTuple):
    """What a Spec says, and the law by which batches are drawn."""

    fields: Mapping[str, Any]
    batches: Any


def decoded(law: levers.Law, **fields: Any) -> Case:
    return Case({"decoding": tb.Decoding(**fields)}, levers.drawn_by(law))


def curated(law: levers.Law, rule: Any) -> Case:
    return Case({"curation": rule}, levers.drawn_by(law))


THIRD = Fraction(1, 3)
CASES = {
    "cold": decoded(levers.heated(0.5), temperature=0.5),
    "hot": decoded(levers.heated(3.0), temperature=3.0),
    "top-k": decoded(levers.top_k(2), top_k=2),
    "top-p": decoded(levers.top_p(Fraction(7, 10)), top_p=0.7),
    "min-p": decoded(levers.min_p(Fraction(2, 5)), min_p=0.4),
    "epsilon": decoded(levers.epsilon(Fraction(3, 10)), epsilon=0.3),
    "chain": decoded(
        levers.chain(levers.heated(2.0), levers.top_k(2), levers.top_p(Fraction(6, 10))),
        temperature=2.0,
        top_k=2,
        top_p=0.6,
    ),
    "choice-2": curated(levers.choice(2, REWARD), tb.Choice(k=2, reward=REWARD)),
    "choice-4": curated(levers.choice(4, REWARD), tb.Choice(k=4, reward=REWARD)),
    "choice-all": curated(
        levers.weighed([math.exp(r) for r in REWARD]), tb.Choice(k=math.inf, reward=REWARD)
    ),
    "best-of": curated(levers.best_of(3, REWARD), tb.BestOf(k=3, reward=REWARD)),
    "verifier": curated(
        levers.weighed((0.25, 0.75, 0.75)), tb.Verifier(accepts_good=0.75, accepts_bad=0.25, reward=REWARD)
    ),
    "top-share": Case(
        {"curation": tb.TopShare(share=0.5, reward=REWARD)}, levers.best_share(Fraction(1, 2), REWARD)
    ),
    "both": Case(
        {"decoding": tb.Decoding(temperature=0.5), "curation": tb.BestOf(k=2, reward=REWARD)},
        levers.drawn_by(levers.chain(levers.heated(0.5), levers.best_of(2, REWARD))),
    ),
}
REGIMES = {
    "replace": (Plan((5, 2, 1), (4, 3, 4)), tb.Replace()),
    "fresh": (Plan((5, 2, 1), (3, 4, 3), fresh=(0, 2, 1)), tb.Anchored(real=[0.3, 0.5, 0.3])),
    "accumulate": (Plan((5, 2, 1), (3, 2, 2), ages=None), tb.Accumulate()),
}


def spec_of(plan: Plan, regime: Any, seed: int, **fields: Any) -> tb.Spec:
    return tb.Spec(
        reference=tb.Counts(list(plan.weights)),
        regime=regime,
        samples=list(plan.samples),
        generations=len(plan.samples),
        replicates=REPLICATES,
        seed=seed,
        **fields,
    )


def compare(name: str, regime: str, seeds: Iterable[int], effect: float) -> None:
    case, (plan, how) = CASES[name], REGIMES[regime]
    tiny = Tiny(replace(plan, synthetic=case.batches), (1, 2, 3))
    batches = (trainings(spec_of(plan, how, seed, **case.fields), tiny.at) for seed in seeds)
    for verdict in compare_paths(tiny, batches):
        require(verdict, effect=effect, name=f"{name}, {regime}")


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_path_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .16 (total variation at most .08)."""
    compare(name, "replace", seeds=(1,), effect=0.16)


@pytest.mark.slow
@pytest.mark.parametrize("regime", sorted(REGIMES))
@pytest.mark.parametrize("name", sorted(CASES))
def test_every_path_has_its_probability_in_other_regimes(name: str, regime: str) -> None:
    """As above."""
    compare(name, regime, seeds=(2,), effect=0.16)


STEPS: dict[str, tuple[Mapping[str, Any], levers.Law]] = {
    "temperature": ({"temperature": 2.0}, levers.heated(2.0)),
    "top-k": ({"top_k": 2}, levers.top_k(2)),
    "top-p": ({"top_p": 0.55}, levers.top_p(Fraction(55, 100))),
    "min-p": ({"min_p": 0.45}, levers.min_p(Fraction(45, 100))),
    "epsilon": ({"epsilon": 0.35}, levers.epsilon(Fraction(35, 100))),
}
PAIRS = list(combinations(STEPS, 2))
IN_ANY_ORDER = [
    ("temperature", "top-k"),
    ("top-k", "min-p"),
]  # ranks and ratios are the same before and after
ONCE = Plan((5, 3, 2), (6, 6))


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_two_steps_of_decoding_come_one_after_the_other(pair: tuple[str, str]) -> None:
    """Each sees what the one before it has left. As the first; the other order is another law, and caught."""
    (one, first), (other, second) = (STEPS[name] for name in pair)
    spec = spec_of(ONCE, tb.Replace(), 5, decoding=tb.Decoding(**one, **other))
    runs = [trainings(spec, (1, 2))]
    tiny, turned = (
        Tiny(replace(ONCE, synthetic=levers.drawn_by(levers.chain(*laws))), (1, 2))
        for laws in ((first, second), (second, first))
    )
    for verdict in compare_paths(tiny, runs):
        require(verdict, effect=0.16, name="-".join(pair))
    if pair not in IN_ANY_ORDER:
        assert any(verdict.rejected for verdict in compare_paths(turned, runs))


@pytest.mark.parametrize("wrong", [name for name in sorted(CASES) if name not in ("choice-2", "top-p")])
def test_another_rule_is_caught(wrong: str) -> None:
    """Runs of one rule before the law of another: each is told apart from plain sampling."""
    plan, how = REGIMES["replace"]
    tiny = Tiny(replace(plan, synthetic=CASES[wrong].batches), (1, 2, 3))
    runs = [trainings(spec_of(plan, how, 3), tiny.at)]
    assert any(verdict.rejected for verdict in compare_paths(tiny, runs))


@pytest.mark.parametrize(
    "fields",
    [{"decoding": tb.Decoding()}, {"curation": tb.Verifier(accepts_good=1, accepts_bad=1, reward=REWARD)}],
    ids=["decoding", "curation"],
)
def test_what_changes_nothing_has_the_law_of_plain_sampling(fields: Mapping[str, Any]) -> None:
    """As the first."""
    plan, how = REGIMES["replace"]
    tiny = Tiny(plan, (1, 2, 3))
    runs = [trainings(spec_of(plan, how, 4, **fields), tiny.at)]
    for verdict in compare_paths(tiny, runs):
        require(verdict, effect=0.16, name=str(fields))

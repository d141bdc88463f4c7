# SPDX-License-Identifier: MIT
"""Maps of models and the law of training sets, beside enumeration in fractions."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import PredictionError, SpecError
from tailbiter.theory import exact, shaping, states
from tests.levers.cases import ESTIMATORS
from tests.oracles import levers
from tests.oracles.chain import path_law, reduced
from tests.oracles.plan import Plan

REWARD = (0.5, 0.0, 1.5)
SETS = states.compositions(7, 3)

DECODINGS = {
    "cold": (tb.Decoding(temperature=0.5), levers.heated(0.5)),
    "hot": (tb.Decoding(temperature=2.5), levers.heated(2.5)),
    "top-k": (tb.Decoding(top_k=2), levers.top_k(2)),
    "top-p": (tb.Decoding(top_p=0.6), levers.top_p(Fraction(6, 10))),
    "top-p at a count": (tb.Decoding(top_p=4 / 7), levers.top_p(Fraction(repr(4 / 7)))),
    "min-p": (tb.Decoding(min_p=0.5), levers.min_p(Fraction(1, 2))),
    "epsilon": (tb.Decoding(epsilon=0.3), levers.epsilon(Fraction(3, 10))),
    "epsilon of most": (tb.Decoding(epsilon=0.9), levers.epsilon(Fraction(9, 10))),
    "chain": (
        tb.Decoding(top_k=2, top_p=0.6, min_p=0.7),
        levers.chain(levers.top_k(2), levers.top_p(Fraction(6, 10)), levers.min_p(Fraction(7, 10))),
    ),
}
CURATIONS = {
    "choice-2": (tb.Choice(k=2, reward=REWARD), levers.choice(2, REWARD)),
    "choice-4": (tb.Choice(k=4, reward=REWARD), levers.choice(4, REWARD)),
    "choice-all": (tb.Choice(k=math.inf, reward=REWARD), levers.weighed([math.exp(r) for r in REWARD])),
    "best-of": (tb.BestOf(k=3, reward=REWARD), levers.best_of(3, REWARD)),
    "verifier": (
        tb.Verifier(accepts_good=0.75, accepts_bad=0.25, reward=REWARD),
        levers.weighed((0.75, 0.25, 0.75)),
    ),
}


def by_oracle(law: Callable[[tuple[Fraction, ...]], tuple[Fraction, ...]]) -> np.ndarray:
    rows = [levers.model_of([Fraction(int(c)) for c in row]) for row in SETS.tolist()]
    return np.array([[float(x) for x in law(row)] for row in rows])


def shares(rows: np.ndarray) -> np.ndarray:
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", [name for name in sorted(ESTIMATORS) if not name.startswith("before")])
def test_estimators_are_as_defined(name: str) -> None:
    estimator, fit = ESTIMATORS[name]
    for items in (1, 7):
        sets = states.compositions(items, 3)
        want = np.array([fit([int(c) for c in row], None) for row in sets.tolist()])
        np.testing.assert_allclose(shares(shaping.fitted(estimator, sets)), want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", sorted(DECODINGS))
def test_decodings_are_as_defined(name: str) -> None:
    decoding, law = DECODINGS[name]
    found = shares(shaping.decoded(decoding, SETS, whole=True))
    np.testing.assert_allclose(found, by_oracle(law), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", sorted(CURATIONS))
def test_curations_are_as_defined(name: str) -> None:
    curation, law = CURATIONS[name]
    found = shares(shaping.curated(curation, np.array(REWARD), SETS))
    np.testing.assert_allclose(found, by_oracle(law), rtol=1e-12, atol=1e-15)


def first_of(rank: tuple[int, ...], k: int) -> Callable[[tuple[Fraction, ...]], tuple[Fraction, ...]]:
    """Taken are candidates of the first rank that is there, each with the same chance."""

    def winner(candidates: tuple[int, ...]) -> list[tuple[int, Fraction]]:
        best = min(rank[i] for i in candidates)
        there = [i for i in candidates if rank[i] == best]
        return [(i, Fraction(1, len(there))) for i in there]

    return levers.taken(k, winner)


@pytest.mark.parametrize("reward", [(0.0, -1e308, 1.7e308), (-9e3, -2e4, 800.0), (0.0, -1e308, 0.0)])
@pytest.mark.parametrize("k", [2, 3, math.inf])
def test_of_rewards_far_apart_the_best_that_is_there_is_taken(k: float, reward: tuple[float, ...]) -> None:
    """Beside enumeration for some candidates; of all that a model has, nothing but its best is taken."""
    rank = tuple(sorted(set(reward), reverse=True).index(r) for r in reward)
    found = shares(shaping.curated(tb.Choice(k=k, reward=reward), np.array(reward), SETS))
    if k == math.inf:
        best = np.where(SETS > 0, reward, -np.inf).max(axis=1, keepdims=True)
        want = shares(np.where(np.array(reward) == best, SETS, 0.0))
    else:
        want = by_oracle(first_of(rank, int(k)))
    np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-15)


def test_what_rounding_would_decide_is_refused() -> None:
    """Of models that are no counts, a share that some category has exactly falls on either side of a cut."""
    with pytest.raises(PredictionError, match=r"^decoding\.top_p: .* is decided by rounding"):
        shaping.decoded(tb.Decoding(temperature=2.0, top_p=0.5), np.array([[1.0, 1.0]]), whole=True)
    kept = shaping.decoded(tb.Decoding(top_p=0.5), np.array([[1.0, 1.0]]), whole=True)
    assert kept.tolist() == [[1.0, 0.0]]


def test_wrong_items_are_put_out_and_kept() -> None:
    found = shaping.erring(np.array([[3.0, 1.0, 4.0]]), 0.5)
    assert found.tolist() == [[0.1875, 0.0625, 0.75]]


PLANS = {
    "replace": Plan((5, 2, 1), (4, 3, 4)),
    "fresh": Plan((5, 2, 1), (3, 4, 3), fresh=(0, 2, 1)),
    "accumulate": Plan((5, 2, 1), (3, 2, 2), ages=None),
}
LAWS = {
    "plain": (lambda sets: sets, None, None),
    "choice": (
        lambda sets: shaping.curated(CURATIONS["choice-2"][0], np.array(REWARD), sets),
        levers.drawn_by(CURATIONS["choice-2"][1]),
        None,
    ),
    "top-share": (lambda sets: sets, levers.best_share(Fraction(1, 2), REWARD), 2),
}


@pytest.mark.parametrize(("plan", "law"), list(itertools.product(PLANS, LAWS)))
def test_training_sets_have_the_probabilities_of_enumeration(plan: str, law: str) -> None:
    tiny, (bend, synthetic, more) = PLANS[plan], LAWS[law]
    tiny = replace(tiny, synthetic=synthetic)
    human = np.array(tiny.weights, float)
    sets, first = states.first(tiny.samples[0], human)
    walk = states.Walk(sets, first[None], human)
    for t in (2, 3):
        fresh = tiny.fresh[t - 1] if tiny.fresh else 0
        wanted = tiny.samples[t - 1] - fresh
        best = None if more is None else states.Best(more * wanted, np.array(REWARD))
        walk.step(states.Step(wanted, fresh, bend, best=best, pooled=tiny.ages is None))
    outcomes = [reduced(tuple(row)) for row in walk.sets.astype(int).tolist()]
    found = dict(zip(outcomes, walk.laws[0].tolist(), strict=True))
    want = {path[0]: float(p) for path, p in path_law(tiny, (3,)).items()}
    assert found.keys() >= want.keys()
    for outcome, p in found.items():
        assert p == pytest.approx(want.get(outcome, 0.0), abs=1e-12), outcome


def test_copies_of_the_first_items() -> None:
    sets, law = states.first(5, np.array([3.0, 1.0]), copies=2)
    pairs, one = [1 / 16, 6 / 16, 9 / 16], [1 / 4, 3 / 4]
    want = np.zeros(6)
    for twice, p in enumerate(pairs):
        for single, r in enumerate(one):
            want[2 * twice + single] += p * r
    np.testing.assert_allclose(law[np.argsort(sets[:, 0])], want, rtol=1e-12)


def test_too_many_training_sets_are_refused_in_few_words() -> None:
    for items, categories in ((10**12, 2), (5, 10**6), (3000, 2), (100, 4)):
        with pytest.raises(PredictionError, match="different training sets") as caught:
            states.compositions(items, categories)
        assert len(str(caught.value)) < 200


def test_an_end_that_is_none_has_no_chance() -> None:
    with pytest.raises(SpecError, match="does not end in one category"):
        states.fixation(states.Step(5, 0, lambda sets: sets + 0.1))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_neutral_fixation_is_the_share_and_its_time_that_of_ancestors(share: float) -> None:
    """Forward over training sets, beside backward over ancestors."""
    size, q = 20, np.array([share, 1 - share])
    step = states.Step(size, 0, lambda sets: sets)
    assert states.fixation(step)[int(share * size)] == pytest.approx(share)
    sets, law = states.first(size, q)
    walk, time = states.Walk(sets, law[None], q), 1.0
    for _ in range(1000):
        time += 1.0 - float(walk.laws[0, 0] + walk.laws[0, -1])
        walk.step(step)
    assert time == pytest.approx(float(exact.collapse_time(q, np.ones(2), size)[0].values), rel=1e-9)

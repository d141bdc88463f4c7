# SPDX-License-Identifier: MIT
"""The oracles against brute force, and against one another: they share no code."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from tests.oracles import dual, moments
from tests.oracles.chain import Vector, path_law, presence
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan

EVERY = sorted(TINY)
REPLACE = [name for name in EVERY if name.startswith("replace")]
FRESH = [name for name in EVERY if name.startswith("fresh")]
FIXED = [name for name in EVERY if name.startswith("fixed")]


def last_law(plan: Plan, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of generation t (one a row) and their probabilities."""
    law = path_law(plan, (t,))
    return np.array([path[0] for path in law]), np.array(list(law.values()))


def generations(plan: Plan) -> range:
    return range(1, len(plan.samples) + 1)


@pytest.mark.parametrize("name", EVERY)
def test_enumeration_is_a_law_with_the_reference_as_its_mean(name: str) -> None:
    """In rationals: probabilities add up to 1, and every linear regime keeps E p_t = q."""
    plan = TINY[name].plan
    t = min(3, len(plan.samples))
    law = path_law(plan, (t,), number=Fraction)
    assert sum(law.values()) == 1
    total = sum(plan.weights)
    for category, weight in enumerate(plan.weights):
        mean = sum(Fraction(v[category], sum(v)) * p for (v,), p in law.items())
        assert mean == Fraction(weight, total)


def test_enumeration_equals_listing_every_sequence_of_items() -> None:
    """Replace with N = 3, 2: the sum over all 3^3 human and 3^2 synthetic sequences, item by item."""
    weights = (5, 2, 1)
    law: dict[tuple[Vector, ...], Fraction] = {}
    for human in product(range(3), repeat=3):
        p = Fraction(1)
        for item in human:
            p *= Fraction(weights[item], 8)
        for made in product(human, repeat=2):
            path = tuple(tuple(items.count(c) for c in range(3)) for items in (human, made))
            law[path] = law.get(path, Fraction(0)) + p / 9
    found = path_law(Plan(weights, (3, 2)), (1, 2), number=Fraction, view=lambda v: v)
    assert found == law


def test_occupancy_equals_listing_every_throw() -> None:
    boxes, balls = 4, 5
    for a in range(balls + 1):
        hits = [len(set(thrown)) for thrown in product(range(boxes), repeat=a)]
        chances = np.bincount(hits, minlength=balls + 1) / boxes**a
        assert dual.occupancy(boxes, balls)[a] == pytest.approx(chances, abs=1e-15)


def test_windows_of_the_occupancy_table_equal_the_table() -> None:
    rng = np.random.default_rng(5)
    start = rng.dirichlet(np.ones(30))
    law, low = dual.throw(start, 11, 64)
    whole = start @ dual.occupancy(64, 40)[11:41]
    assert law == pytest.approx(whole[low : low + len(law)], abs=1e-16)
    assert law.sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("name", REPLACE + FRESH + FIXED)
def test_ancestors_give_the_absence_of_every_set_of_categories(name: str) -> None:
    plan = TINY[name].plan
    k = plan.categories
    sets = [s for size in range(1, k) for s in combinations(range(k), size)]
    mass = np.array([sum(plan.reference[i] for i in s) for s in sets])
    if name in FIXED:
        found = dual.absent_fixed(mass, plan.samples, plan.kept)
    else:
        found = dual.absent(mass, plan.samples, plan.fresh)
    for t in generations(plan):
        vectors, p = last_law(plan, t)
        expected = [p[(vectors[:, s] == 0).all(axis=1)].sum() for s in sets]
        assert found[t - 1] == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("name", REPLACE)
def test_number_of_survivors(name: str) -> None:
    """Mean and variance of the number of categories present, from the windows."""
    plan = TINY[name].plan
    mass, copies = np.unique(plan.reference, return_counts=True)
    for t in generations(plan):
        vectors, p = last_law(plan, t)
        present = (vectors > 0).sum(axis=1)
        mean = present @ p
        found = dual.survivors(*dual.ancestors(plan.samples[:t]), mass, copies)
        assert found == pytest.approx((mean, (present - mean) ** 2 @ p), abs=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_moments_of_every_regime(name: str) -> None:
    """E H_t, E Brier and the variance of each category's share, against enumeration."""
    plan = TINY[name].plan
    reference = np.array(plan.reference)
    h, b = moments.heterozygosity(plan), moments.brier(plan)
    variance = np.array([moments.share_variance(plan, q) for q in reference])
    assert h[0] == pytest.approx(1.0 - reference @ reference)
    assert b[0] == pytest.approx(0.0, abs=1e-15)
    for t in generations(plan):
        vectors, p = last_law(plan, t)
        model = vectors / vectors.sum(axis=1, keepdims=True)
        assert h[t] == pytest.approx(1.0 - (model**2).sum(axis=1) @ p, abs=1e-13)
        assert b[t] == pytest.approx(((model - reference) ** 2).sum(axis=1) @ p, abs=1e-13)
        assert variance[:, t] == pytest.approx(((model - reference) ** 2).T @ p, abs=1e-13)


@pytest.mark.parametrize("name", REPLACE)
def test_one_category_holds_everything(name: str) -> None:
    plan = TINY[name].plan
    found = dual.fixed_on_one(np.array(plan.reference), plan.samples)
    for t in generations(plan):
        vectors, p = last_law(plan, t)
        assert found[t - 1] == pytest.approx(p[(vectors > 0).sum(axis=1) == 1].sum(), abs=1e-13)


def test_fixation_time_equals_its_law_and_its_chain() -> None:
    """The triangular systems, the law over t, and the enumerated chain run until all is fixed."""
    reference = np.array([0.625, 0.25, 0.125])
    size, horizon = 4, 200
    law = dual.fixation_times(reference, size, 1, horizon)
    t = np.arange(1, horizon + 1)
    mean, sd = dual.fixation_time(reference, size)
    assert law[-1] < 1e-12
    assert mean == pytest.approx(t @ law[:-1], abs=1e-9)
    assert sd == pytest.approx(np.sqrt(t**2 @ law[:-1] - mean**2), abs=1e-9)
    path = path_law(Plan((5, 2, 1), (size,) * 6), (3, 4, 6), view=presence)
    at_three = sum(p for path_, p in path.items() if sum(path_[0]) == 1)
    at_four = sum(p for path_, p in path.items() if sum(path_[0]) > 1 == sum(path_[1]))
    by_fives = dual.fixation_times(reference, size, 5, 7)
    assert by_fives == pytest.approx([*law[:35].reshape(7, 5).sum(axis=1), law[35:].sum()], abs=1e-13)
    assert law[:3].sum() == pytest.approx(at_three, abs=1e-13)
    assert law[3] == pytest.approx(at_four, abs=1e-13)

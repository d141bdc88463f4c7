# SPDX-License-Identifier: MIT
"""Second moments of every regime: enumeration, an independent table of inner products, closed forms."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import binom

import tailbiter as tb
from tailbiter import SpecError
from tailbiter.theory import moments
from tests.law.runs import REGIMES
from tests.oracles import moments as oracle
from tests.oracles.chain import path_law, reduced
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan
from tests.theory.compositions import composition, constant, plans

T = 60
VARYING = tuple(int(n) for n in np.resize([30, 50, 20, 24, 71], T))
FULL = {
    "replace": Plan((5, 2, 1), VARYING),
    "fresh": Plan((5, 2, 1), VARYING, fresh=(0, *np.resize([1, 0, 7], T - 1).tolist())),
    "fixed": constant(T, 30, kept=6, from_kept=6),
    "hoard": constant(T, 30, kept=90, from_kept=9),
    "hoard and fresh": constant(T, 30, kept=12, from_kept=9, fresh=2),
    "weighted": constant(T, 30, fresh=15, kept=20, from_kept=4, item_weights=((3, 7, 1),) * T),
    "human only by weight": constant(T, 30, fresh=15, item_weights=((0, 1, 1),) * T),
    "synthetic only by weight": constant(T, 30, fresh=15, item_weights=((1, 0, 1),) * T),
    "accumulate": Plan((5, 2, 1), VARYING, ages=None),
    "accumulate with fresh": Plan((5, 2, 1), VARYING, ages=None, fresh=(0, *np.resize([3, 0, 20], T - 1))),
    "subsample": Plan((5, 2, 1), VARYING, draw=VARYING),
    "subsample of ten": Plan((5, 2, 1), VARYING, draw=(10,) * T),
    "window": Plan((5, 2, 1), VARYING, ages=(1,) * 7),
    "window with fresh": Plan((5, 2, 1), VARYING, ages=(1,) * 7, fresh=(0, *np.resize([3, 0, 20], T - 1))),
    "window as long as the run": Plan((5, 2, 1), VARYING, ages=(1,) * T),
    "window one shorter": Plan((5, 2, 1), VARYING, ages=(2,) * (T - 1)),
    "ages": Plan((5, 2, 1), VARYING, ages=(4, 0, 2, 1)),
    "ages with fresh": Plan((5, 2, 1), VARYING, ages=(1, 3), fresh=(0, *np.resize([3, 0, 20], T - 1))),
    "human only": Plan((5, 2, 1), VARYING, fresh=VARYING),
    "one item": constant(5, 1),
    "windows of one item": constant(9, 1, ages=(1, 1)),
    "subsample of one item": constant(5, 1, draw=1),
}


def shared(plan: Plan) -> moments.Identity:
    return moments.identity(composition(plan))


@pytest.mark.parametrize("name", TINY)
def test_enumeration(name: str) -> None:
    plan, q = TINY[name].plan, np.array(TINY[name].plan.reference)
    found, spread = shared(plan), moments.diversity(q)
    for t in TINY[name].at:
        law = path_law(plan, (t,), view=reduced)
        models = np.array([path[0] for path in law], float)
        models /= models.sum(axis=1, keepdims=True)
        chance = np.array(list(law.values()))
        assert chance @ models == pytest.approx(q, abs=1e-12)
        gini = chance @ (1.0 - np.sum(models**2, axis=1))
        assert moments.gini_simpson(found, spread).values[t] == pytest.approx(gini, abs=1e-12)
        brier = chance @ np.sum((models - q) ** 2, axis=1)
        assert moments.brier(found, spread).values[t] == pytest.approx(brier, abs=1e-12)
        variance = chance @ (models - q) ** 2
        assert moments.share_variance(found, q).values[t] == pytest.approx(variance, abs=1e-12)
        band = chance @ (models[:, :2].sum(axis=1) - q[:2].sum()) ** 2
        assert moments.share_sd(found, q[:2].sum()).values[t] == pytest.approx(math.sqrt(band), abs=1e-12)


@pytest.mark.parametrize("name", FULL)
def test_table_of_inner_products(name: str) -> None:
    plan = FULL[name]
    found, q = shared(plan), np.array(plan.reference)
    assert found.values.shape == (len(plan.samples) + 1,)
    spread = moments.diversity(q)
    # The oracle subtracts 1 and sum q^2, so it is good to 1e-15 of 1, not of what is left.
    assert moments.gini_simpson(found, spread).values == pytest.approx(oracle.heterozygosity(plan), abs=2e-14)
    assert moments.brier(found, spread).values == pytest.approx(oracle.brier(plan), abs=2e-14)
    assert moments.share_variance(found, 0.3).values == pytest.approx(
        oracle.share_variance(plan, 0.3), abs=2e-14
    )
    assert found.values + found.apart == pytest.approx(np.ones_like(found.values), rel=1e-14)


@given(plans())
@settings(max_examples=300)
def test_any_plan(plan: Plan) -> None:
    found = shared(plan)
    assert found.values == pytest.approx(oracle.share_variance(plan, 0.5) * 4.0, abs=2e-14)
    assert found.values + found.apart == pytest.approx(np.ones(len(plan.samples) + 1), rel=1e-14)


@pytest.mark.parametrize("name", TINY)
def test_what_a_spec_composes(name: str) -> None:
    """The composition as the package works it out from its own regimes gives the same as the plan's."""
    plan = TINY[name].plan
    spec = tb.Spec(
        reference=tb.Counts(list(plan.weights)),
        regime=REGIMES[name],
        samples=list(plan.samples),
        generations=len(plan.samples),
    )
    found = moments.identity(spec.composition)
    assert found.values == pytest.approx(shared(plan).values, rel=1e-13)
    assert found.apart == pytest.approx(shared(plan).apart, rel=1e-13)


def test_the_comparison_would_see_one_item_more() -> None:
    """A control: the regimes that differ least here (one fresh item in one batch of 60) part by more."""
    plan = FULL["fresh"]
    moved = Plan(plan.weights, plan.samples, fresh=(*plan.fresh[:-1], plan.fresh[-1] + 1))
    assert abs(oracle.brier(moved) - oracle.brier(plan))[-1] > 1e-4


def test_replace_keeps_its_digits_at_both_ends() -> None:
    sizes = (10**12, 10**12, 3 * 10**11, 7, 2, 10**12) * 50
    found = shared(Plan((1, 1), sizes))
    with mp.workdps(60):
        apart = mp.mpf(1)
        for t, n in enumerate(sizes, start=1):
            apart *= 1 - mp.mpf(1) / n
            assert abs(found.apart[t] / apart - 1) < 1e-13
            assert abs(found.values[t] / (1 - apart) - 1) < 1e-13


def test_long_runs_keep_their_digits() -> None:
    generations, size = 10**6, 10**12
    found = shared(constant(generations, size))
    steps = np.array([1, 63, 64, 65, 4096, 4097, 10**6])
    assert found.values[steps] == pytest.approx(-np.expm1(steps * np.log1p(-1 / size)), rel=1e-13)
    with_fresh = shared(constant(generations, size, fresh=10**6))
    with mp.workdps(50):
        n, m = mp.mpf(size), mp.mpf(10**6)
        share = m / n
        stay = (1 - share) ** 2 * (1 - 1 / (n - m))
        stationary = (share**2 / m + (1 - share) ** 2 / (n - m)) / (1 - stay)
        for t in steps.tolist():
            exact = stationary + (1 / n - stationary) * stay ** (t - 1)
            assert abs(with_fresh.values[t] / exact - 1) < 1e-13


@pytest.mark.parametrize(
    "plan",
    [
        constant(20, 10**12, fresh=10**9, kept=10**10, from_kept=10**8),
        constant(20, 10**12, fresh=10**9, item_weights=((382, 618, 0),) * 20),
        constant(20, 10**12, ages=(1,) * 5, fresh=10),
        constant(20, 10**12, ages=(3, 2, 1)),
        constant(20, 10**12, ages=None, fresh=10**9),
        constant(20, 10**12, draw=10**11),
        Plan((5, 2, 1), (3, 10**12, 10**12), draw=(1, 2, 2)),
        constant(60, 2, ages=(1, 1)),
        constant(60, 2, ages=(1, 1, 4)),
    ],
)
def test_the_table_at_high_precision(plan: Plan) -> None:
    found = shared(plan)
    for t, exact in enumerate(precise_identity(plan)):
        assert abs(found.values[t] - exact) <= 1e-13 * exact
        assert abs(found.apart[t] - (1 - exact)) <= 1e-13 * (1 - exact)


def precise_identity(plan: Plan) -> list[mp.mpf]:
    """The oracle's table in 60 digits, of a set so small that its mass is nothing to its variance."""
    with mp.workdps(60):
        return [mp.mpf(0), *_precise_models(plan, PreciseProducts())]


class PreciseProducts(oracle.Products):
    """Products of numbers that are not doubles."""

    def __init__(self) -> None:
        self._table = np.full((8, 8), mp.mpf(0), dtype=object)
        self._size, self._mass = 1, mp.mpf(1)

    def _append(self, source: oracle.Combination, square: mp.mpf) -> int:
        new = self._size
        if new == len(self._table):
            self._table = np.pad(self._table, (0, new))
        row = sum(weight * self._table[index, :new] for index, weight in source)
        self._table[new, :new] = self._table[:new, new] = row
        self._table[new, new] = square
        self._size += 1
        return new


def _precise_models(plan: Plan, table: oracle.Products) -> list[mp.mpf]:
    """As `oracle.model_products`, whose own divisions of whole numbers would be doubles."""
    one = mp.mpf(1)
    batch = table.sample(0, plan.samples[0] * one)
    kept = batch
    if plan.kept:
        assert plan.kept < plan.samples[0]
        kept = table.sample(0, plan.kept * one)
        rest = table.sample(0, (plan.samples[0] - plan.kept) * one)
        share = plan.kept * one / plan.samples[0]
        batch = table.combine([(kept, share), (rest, 1 - share)])
    batches, sizes, found, model = [batch], [plan.samples[0] * one], [], 0
    for t in range(1, len(plan.samples) + 1):
        if t > 1:
            counts = [n * one for n in plan.parts(t)]
            total = sum(n * w for n, w in zip(counts, plan.item_weight(t), strict=True))
            share = [n * w / total for n, w in zip(counts, plan.item_weight(t), strict=True)]
            parts = [(table.sample(model, counts[0]), share[0])]
            if counts[1]:
                parts.append((table.sample(0, counts[1]), share[1]))
            if counts[2]:
                parts.append((table.subset(kept, plan.kept * one, counts[2]), share[2]))
            batches, sizes = [table.combine(parts), *batches], [plan.samples[t - 1] * one, *sizes]
        ages = (1,) * t if plan.ages is None or plan.draw else plan.ages
        weights = [age * size for age, size in zip(ages, sizes, strict=False)]
        pool = table.combine([(b, w / sum(weights)) for b, w in zip(batches, weights, strict=False)])
        model = table.subset(pool, sum(sizes), plan.draw[t - 1] * one) if plan.draw else pool
        found.append(table._table[model, model])
    return found


def test_accumulate_closed_form() -> None:
    n, t = 40, 500
    found = shared(constant(t, n, ages=None))
    assert found.apart[1:] == pytest.approx(np.cumprod(1 - 1 / (n * np.arange(1, t + 1) ** 2)), rel=1e-13)
    limit = math.sin(math.pi / math.sqrt(n)) / (math.pi / math.sqrt(n))
    assert 0 < found.apart[-1] - limit < 1 / (n * t)
    assert found.values[-1] < math.pi**2 / 6 / n


def test_anchored_recursion_and_stationary_variance() -> None:
    n, m = 500, 50
    found = shared(constant(3000, n, fresh=m))
    alpha = m / n
    theta = n * (2 * alpha - alpha**2) - alpha
    assert found.values[-1] == pytest.approx(1 / (1 + theta), rel=1e-13)


def test_accumulate_subsample_levels_off() -> None:
    """n times the variance, pool and fit, at n = 1e9: pi^2/2 - 3 and pi^2/2 - 2 (t = 2e5 leaves 2/t)."""
    n, t = 10**9, 200_000
    found = shared(constant(t, n, draw=n)).values[-1] * n
    assert found == pytest.approx(math.pi**2 / 2 - 2, abs=4 / t)
    early = shared(constant(t // 2, n, draw=n)).values[-1] * n
    assert 2 * found - early == pytest.approx(math.pi**2 / 2 - 2, abs=1e-8)


def test_trace_ratios_of_the_sheet() -> None:
    """One-dimensional Gaussian, n = 100, ddof=0, t = 100, by the same number."""
    runs = [constant(100, 100), constant(100, 100, ages=None), constant(100, 100, draw=100)]
    assert [round(float(shared(plan).apart[-1]), 4) for plan in runs] == [0.3660, 0.9837, 0.9713]


@pytest.mark.parametrize("name", ["replace-2", "replace-3", "replace-4", "replace-5"])
def test_spread_of_sums_of_squares_by_enumeration(name: str) -> None:
    plan = TINY[name].plan
    q = np.array(plan.reference)
    gini, brier = (f(plan.samples, q).values for f in (moments.gini_simpson_sd, moments.brier_sd))
    assert gini.shape == brier.shape == (len(plan.samples) + 1,)
    assert gini[0] == brier[0] == 0.0
    for t in range(1, len(plan.samples) + 1):
        law = path_law(plan, (t,), view=reduced)
        models = np.array([np.array(path[0]) / sum(path[0]) for path in law])
        chance = np.array(list(law.values()))
        for sd, sums in ((gini, models**2), (brier, (models - q) ** 2)):
            value = sums.sum(axis=1)
            variance = chance @ (value - chance @ value) ** 2
            assert sd[t] == pytest.approx(math.sqrt(variance), abs=1e-12)


def test_spread_of_sums_of_squares_with_few_items_and_with_many() -> None:
    """One draw of n from q: Var sum p^2 = 4 (s3 - s2^2)/n, and where that vanishes 2 s2 (1 - s2)/n^2."""
    q, n = np.array([0.5, 0.3, 0.2]), 10**12
    assert moments.gini_simpson_sd([1, 5], q).values.tolist() == [0.0, 0.0, 0.0]
    first = 4.0 * (np.sum(q**3) - np.sum(q**2) ** 2) / n
    assert moments.gini_simpson_sd([n], q).values[1] == pytest.approx(math.sqrt(first), rel=1e-11)
    even = np.full(4, 0.25)
    second = 2.0 * 0.25 * 0.75 / n**2
    for sd in (moments.gini_simpson_sd, moments.brier_sd):
        assert sd([n], even).values[1] == pytest.approx(math.sqrt(second), rel=1e-11)
    # n sum (p - q)^2 is a quadratic form of normals: twice the sum of squares of their covariances.
    covariance = np.diag(q) - np.outer(q, q)
    brier = math.sqrt(2.0 * np.sum(covariance**2)) / n
    assert moments.brier_sd([n], q).values[1] == pytest.approx(brier, rel=1e-11)


def test_spread_over_many_generations_is_that_of_the_oracle_of_two_types() -> None:
    """Two categories: sum p^2 and sum (p - q)^2 are polynomials of one count, whose law is stepped whole."""
    n, q = 30, 0.2
    k = np.arange(n + 1)
    step = binom.pmf(k, n, k[:, None] / n)
    law = binom.pmf(k, n, q)
    p = k / n
    sds = [f([n] * 100, [q, 1 - q]).values for f in (moments.gini_simpson_sd, moments.brier_sd)]
    for t in range(1, 101):
        for sd, value in zip(sds, (2 * p * (1 - p), 2 * (p - q) ** 2), strict=True):
            assert sd[t] == pytest.approx(math.sqrt(law @ (value - law @ value) ** 2), rel=1e-9)
        law = law @ step


def test_recorded_generations_alone() -> None:
    plan, at = FULL["replace"], np.array([0, 3, T])
    whole, some = shared(plan), moments.identity(composition(plan), at)
    assert some.values.tolist() == whole.values[at].tolist()
    assert some.apart.tolist() == whole.apart[at].tolist()
    sd = moments.gini_simpson_sd(plan.samples, plan.reference)
    assert moments.gini_simpson_sd(plan.samples, plan.reference, at).values.tolist() == sd.values[at].tolist()


def test_diversity_keeps_its_digits() -> None:
    assert moments.diversity(np.array([1.0 - 1e-9, 1e-9])) == pytest.approx(2e-9, rel=1e-7)


@pytest.mark.parametrize(("ratio", "weight"), [(0.25, 0.390), (0.5, 0.5), (1, 0.618), (2, 0.732), (4, 0.828)])
def test_best_weight_of_the_sheet(ratio: float, weight: float) -> None:
    many = 10**9
    found = float(moments.best_weight(int(ratio * many), many).values)
    assert round(found, 3) == pytest.approx(weight)
    assert found == pytest.approx((math.sqrt(ratio**2 + 4 * ratio) - ratio) / 2, abs=1e-8)


def test_best_weight_is_the_golden_ratio_and_its_finite_form() -> None:
    golden = (math.sqrt(5) - 1) / 2
    assert float(moments.best_weight(10**12, 10**12).values) == pytest.approx(golden, abs=1e-11)
    assert round(float(moments.best_weight(10, 10).values), 3) == 0.607
    for n, m in itertools.product([1, 2, 10, 1000, 10**7], repeat=2):
        r, k = 1 - 1 / m, n / m
        closed = 1 - 2 / (1 + r + k + math.sqrt((1 / m + k) ** 2 + 4 * r * k))
        assert float(moments.best_weight(n, m).values) == pytest.approx(closed, abs=1e-13)


def test_best_weight_in_a_short_run_is_the_least_of_the_run() -> None:
    n = m = 15
    for t in (2, 3, 10):
        best = float(moments.best_weight(n, m, generations=t).values)
        least = moments.weighted_identity([best - 1e-4, best, best + 1e-4], n, m, generations=t).values
        assert least[1] < least[0]
        assert least[1] < least[2]
    assert float(moments.best_weight(n, m, generations=10**6).values) == pytest.approx(
        float(moments.best_weight(n, m).values), abs=1e-12
    )
    # Generation 2 alone: no weight but one item one vote could be better with generation 1 perfect.
    assert float(moments.best_weight(10, 10**9, generations=2).values) < 0.01


@pytest.mark.parametrize("t", [2, 3, 17])
def test_weighted_identity_is_the_engine_s(t: int) -> None:
    plan = constant(t, 30, fresh=15, item_weights=((382, 618, 0),) * t)
    value = float(moments.weighted_identity(0.618, 15, 15, generations=t).values)
    assert value == pytest.approx(shared(plan).values[t], rel=1e-13)


def test_stationary_weighted_identity_is_where_runs_end() -> None:
    plan = constant(3000, 30, fresh=10, item_weights=((2, 3, 0),) * 3000)
    weight = 30 / (30 + 40)
    assert float(moments.weighted_identity(weight, 10, 20).values) == pytest.approx(
        shared(plan).values[-1], rel=1e-13
    )


def test_refusals() -> None:
    with pytest.raises(SpecError, match=r"regime\.ages: 10,?001 batches"):
        shared(constant(10_002, 10, ages=(1,) * 10_001))
    with pytest.raises(SpecError, match="at: 4 lies outside 0 to 3"):
        moments.identity(composition(constant(3, 10)), [0, 4])
    with pytest.raises(SpecError, match="at: -1 lies outside 0 to 3"):
        moments.brier_sd([10] * 3, [0.5, 0.5], -1)
    with pytest.raises(SpecError, match="generations"):
        moments.best_weight(10, 10, generations=1)
    with pytest.raises(SpecError, match="weight"):
        moments.weighted_identity(1.5, 10, 10)
    with pytest.raises(SpecError, match="human"):
        moments.best_weight(0, 10)

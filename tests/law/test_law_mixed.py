# SPDX-License-Identifier: MIT
"""Human and synthetic items in one batch, at the sizes where they are drawn by different means."""

import numpy as np
import pytest
from scipy.stats import binom

import tailbiter as tb
from tests.law.runs import ONE, REST, SEED, run, trainings
from tests.oracles import moments
from tests.oracles.marginal import Floats, sum_uniforms, uniform_tally, uniforms
from tests.oracles.plan import Plan
from tests.oracles.stat import g_test, normal_test, require

pytestmark = pytest.mark.slow

CELLS = 16


def zipf(k: int) -> np.ndarray:
    return np.random.default_rng(k).permutation(np.maximum(1, 10**9 // np.arange(1, k + 1)))


# K, N, human items of a batch, replicates, effect on the number that comes back from the dead.
ANCHORED = {
    "few human": (3_000, 3_000, 30, 500, 0.4),
    "some human": (3_000, 3_000, 300, 500, 0.4),
    "mostly human": (1_000, 3_000, 2_700, 500, 0.4),
    "small": (100, 1_000, 10, 2_000, 0.2),
    "large": (50_000, 10**6, 300, 40, 1.3),
}


@pytest.mark.parametrize("name", ANCHORED)
def test_fresh_items_join_synthetic_ones(name: str) -> None:
    """Given the training set before: what comes back from the dead, how much, and the rest.

    Categories absent before can only be human: together they are a binomial number, and among themselves they
    are multinomial. Any other set is a sum of two binomials. False alarms 1e-9 a run; effects: chi-square
    distances, .3 among the dead, as listed for their number, half of that for any set.
    """
    k, n, human, replicates, effect = ANCHORED[name]
    weights = zipf(k)
    q = weights / weights.sum()
    spec = tb.Spec(
        reference=tb.Counts(weights),
        regime=tb.Anchored(real_count=human),
        samples=n,
        generations=12,
        replicates=replicates,
        seed=SEED,
    )
    models = trainings(spec, (1, 2, 3, 11, 12))
    rng = np.random.default_rng(SEED)
    among, totals, sums = [], [], []
    for before, after in ((models[0], models[1]), (models[1], models[2]), (models[3], models[4])):
        dead = np.where(before == 0, weights, 0)
        back = np.where(before == 0, after, 0)
        among.append(uniforms(back, dead, rng)[0])
        totals.append(sum_uniforms(back.sum(axis=1), [(human, dead.sum(axis=1) / weights.sum())], rng))
        for _ in range(4):
            chosen = rng.random(k) < 0.3
            shares = [(human, q[chosen].sum()), (n - human, before[:, chosen].sum(axis=1) / n)]
            sums.append(sum_uniforms(after[:, chosen].sum(axis=1), shares, rng))
    check(np.concatenate(among), effect=0.3, name=f"{name}, among the dead")
    check(np.concatenate(totals), effect=effect, name=f"{name}, back from the dead")
    check(np.concatenate(sums), effect=effect / 2, name=f"{name}, any set")


def check(values: Floats, *, effect: float, name: str) -> None:
    single, _ = uniform_tally(values, CELLS)
    require(g_test(single, np.full(CELLS, 1 / CELLS), tests=3), effect=effect, name=name)


def test_sums_of_two_binomials_are_made_uniform() -> None:
    """The transform itself, on numpy's binomials; and with one share a little off it is seen."""
    rng = np.random.default_rng(5)
    p = rng.random(20_000)
    k = rng.binomial(30, 0.2, p.size) + rng.binomial(100, p)
    right = sum_uniforms(k, [(30, 0.2), (100, p)], rng)
    wrong = sum_uniforms(k, [(30, 0.21), (100, p)], rng)
    first = sum_uniforms(rng.binomial(7, p), [(7, p)], rng)
    for values, rejected in ((right, False), (wrong, True), (first, False)):
        single, _ = uniform_tally(values, CELLS)
        assert g_test(single, np.full(CELLS, 1 / CELLS)).rejected == rejected
    assert binom.cdf(3, 7, 0.5) == pytest.approx(0.5)


T = 8
WEIGHTS = (50, 30, 15, 5)


def constant(value: int) -> tuple[int, ...]:
    return (0, *[value] * (T - 1))


def large(n: int) -> dict[str, tuple[Plan, object]]:
    """Every regime at a size where nothing is listed singly."""
    sizes = (n,) * T
    m = n // 5
    return {
        "replace": (Plan(WEIGHTS, sizes), tb.Replace()),
        "accumulate": (Plan(WEIGHTS, sizes, ages=None), tb.Accumulate()),
        "subsample": (Plan(WEIGHTS, sizes, draw=sizes), tb.AccumulateSubsample()),
        "subsample-few": (Plan(WEIGHTS, sizes, draw=(m,) * T), tb.AccumulateSubsample(draw=m)),
        "fresh": (Plan(WEIGHTS, sizes, fresh=constant(m)), tb.Anchored(real_count=m)),
        "fixed": (
            Plan(WEIGHTS, sizes, kept=m, from_kept=constant(m)),
            tb.Anchored(real_count=m, source="fixed"),
        ),
        "hoard": (
            Plan(WEIGHTS, sizes, kept=2 * m, from_kept=constant(m)),
            tb.Anchored(real_count=m, source="hoard", hoard=2 * m),
        ),
        "hoard-beyond": (
            Plan(WEIGHTS, sizes, kept=3 * n, from_kept=constant(m)),
            tb.Anchored(real_count=m, source="hoard", hoard=3 * n),
        ),
        "window": (Plan(WEIGHTS, sizes, ages=(1, 1, 1)), tb.Window(3)),
        "real-only": (Plan(WEIGHTS, sizes, fresh=sizes), tb.RealOnly()),
        "weights": (
            Plan(WEIGHTS, sizes, fresh=constant(m), item_weights=((3, 28, 0),) * T),
            tb.Mix((tb.Fresh(count=m, weight=0.7), tb.Synthetic(weight=0.3))),
        ),
        "ages": (Plan(WEIGHTS, sizes, ages=(4, 2, 1)), tb.Mix(ages=(1.0, 0.5, 0.25))),
        "all-with-fresh": (
            Plan(WEIGHTS, sizes, ages=None, fresh=constant(1)),
            tb.Mix((ONE, REST), ages="all"),
        ),
    }


@pytest.mark.parametrize("name", large(5))
@pytest.mark.parametrize("n", [10_000, 10**6, 10**11])
def test_variance_of_every_share_at_large_sizes(name: str, n: int) -> None:
    """Shares are close to normal here, so a squared deviation over its variance is a chi-square of mean 1.

    Effect: 15 % of a variance. With replacement for without, a set redrawn for one kept, or a generation off
    by one, changes it by more.
    """
    plan, regime = large(n)[name]
    spec = tb.Spec(
        reference=tb.Counts(list(WEIGHTS)),
        regime=regime,
        samples=n,
        generations=T,
        replicates=10_000,
        seed=SEED,
        bands=[0.0, *(n * np.array([0.1, 0.2, 0.4]))],
    )
    mass = run(spec, "band_mass")["band_mass"].values
    for band, q in enumerate(sorted(plan.reference)):
        variance = moments.share_variance(plan, q)
        for t in range(1, T + 1):
            z2 = (mass[:, t, band] - q) ** 2 / variance[t]
            require(normal_test(z2, 1.0, 2.0), effect=0.15, name=f"{name}, q = {q}, t = {t}")

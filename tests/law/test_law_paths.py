# SPDX-License-Identifier: MIT
"""Every path of the engine, at the sizes that lead through it, against laws that are exact at any size."""

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import ONE, REST, SEED, run, trainings
from tests.oracles import dual, moments
from tests.oracles.marginal import count_laws, pooled, uniform_tally, uniforms
from tests.oracles.plan import Plan
from tests.oracles.stat import g_test, mean_test, normal_test, require
from tests.oracles.twin import Counts

CELLS = 32


def zipf(k: int) -> np.ndarray:
    """Integer weights close to 1/rank, in an order that is not sorted."""
    weights = np.maximum(1, 10**9 // np.arange(1, k + 1))
    return np.random.default_rng(k).permutation(weights)


def spec(weights: np.ndarray, n: int, generations: int, replicates: int, regime=None, **more) -> tb.Spec:
    return tb.Spec(
        reference=tb.Counts(weights),
        regime=regime or tb.Replace(),
        samples=n,
        generations=generations,
        replicates=replicates,
        seed=SEED,
        **more,
    )


# K, N, replicates, generations at which the batch is watched given the training set before it.
FLOWS = {
    "poisson": (10_000, 10_000, 20, (1, 2, 3, 8)),
    "poisson-long": (3_000, 200_000, 40, (1, 2)),
    "between": (2_000, 100_000, 60, (60, 150, 300, 600)),
    "tree-1e6": (3_000, 10**6, 30, (1, 2, 3)),
    "tree-1e9": (2_000, 10**9, 30, (1, 2, 3)),
    "tree-1e12": (400, 10**12, 60, (1, 2, 3)),
    "many-small": (100, 100, 4_000, (1, 2, 3, 10)),
    "many-middle": (40, 1_000, 4_000, (1, 2, 50)),
    "few": (6, 10**5, 12_000, (1, 2, 100)),
    "few-left": (300, 3_000, 3_000, (1, 1_500, 3_000)),
}


@pytest.mark.parametrize("name", FLOWS)
def test_every_generation_is_a_multinomial_draw_from_the_one_before(name: str) -> None:
    """The whole law at every size: counts turned into uniforms, singly and in pairs.

    False alarms 1e-9 a run. Effect: chi-square distance .07 of one uniform (a binomial whose mean is off by
    .07 standard deviations, or whose variance by a tenth), .2 of pairs.
    """
    k, n, replicates, watched = FLOWS[name]
    weights = zipf(k)
    needed = sorted({t for now in watched for t in (now - 1, now) if t})
    models = trainings(spec(weights, n, max(watched), replicates), tuple(needed))
    human = np.broadcast_to(weights, models[0].shape)
    steps = [(models[needed.index(t)], models[needed.index(t - 1)] if t > 1 else human) for t in watched]
    check_flow(steps, n, name)


@pytest.mark.parametrize("name", ["accumulate", "window", "real-only"])
@pytest.mark.parametrize(("k", "n", "replicates"), [(3_000, 3_000, 20), (500, 10**7, 60), (30, 300, 3_000)])
def test_batches_of_other_regimes_are_multinomial_draws(name: str, k: int, n: int, replicates: int) -> None:
    """As above; batches are differences of training sets."""
    regime = {"accumulate": tb.Accumulate(), "window": tb.Window(2), "real-only": tb.RealOnly()}[name]
    weights = zipf(k)
    models = trainings(spec(weights, n, 4, replicates, regime), (1, 2, 3, 4))
    batches = [models[0]]
    for t in (1, 2, 3):
        before = {"accumulate": models[t - 1], "window": batches[-1], "real-only": 0}[name]
        batches.append(models[t] - before)
    human = np.broadcast_to(weights, models[0].shape)
    sources = [human, *models[:-1]] if name != "real-only" else [human] * 4
    check_flow(list(zip(batches, sources, strict=True)), n, name)


def check_flow(steps: list[tuple[Counts, Counts]], n: int, name: str) -> None:
    rng = np.random.default_rng(SEED)
    values = []
    for batch, source in steps:
        assert np.all(batch.sum(axis=1) == n)
        order = rng.permutation(batch.shape[1])
        values.append(uniforms(batch[:, order], source[:, order], rng))
    single, pairs = uniform_tally(np.concatenate(values), CELLS)
    require(g_test(single, np.full(CELLS, 1 / CELLS), tests=2), effect=0.07, name=name)
    require(g_test(pairs, np.full(CELLS**2, 1 / CELLS**2), tests=2), effect=0.2, name=f"{name}, pairs")


# K, N, share of fresh data, replicates: merged into two types, the law of a count is known at every t.
MARGINALS = {
    "replace-400": (400, 400, 0.0, 30_000),
    "replace-40": (40, 600, 0.0, 30_000),
    "anchored-400": (400, 400, 0.02, 30_000),
    "anchored-40": (40, 600, 0.3, 30_000),
    "anchored-mostly-real": (100, 300, 0.9, 30_000),
}
BANDS = 6


@pytest.mark.parametrize("name", MARGINALS)
def test_counts_of_merged_categories_at_every_age(name: str) -> None:
    """Bands, and unions of bands that do not touch, at t = 1 to 100: the whole law of their count.

    False alarms 1e-9 a run. Effect: chi-square distance .08 on at most 24 cells.
    """
    k, n, share, replicates = MARGINALS[name]
    weights = zipf(k)
    generations = (1, 2, 3, 5, 10, 20, 50, 100)
    expected = np.sort(n * weights / weights.sum())
    edges = [0.0, *(expected[k * i // BANDS - 1 : k * i // BANDS + 1].mean() for i in range(1, BANDS))]
    regime = tb.Anchored(real=share) if share else tb.Replace()
    ds = run(
        spec(weights, n, 100, replicates, regime, bands=edges), "band_mass", generations=list(generations)
    )
    counts = np.rint(ds["band_mass"].values * n).astype(np.int64)
    unions = [*np.eye(BANDS, dtype=bool), np.arange(BANDS) % 2 == 0, np.arange(BANDS) % 3 == 0]
    fresh = (0, *[int(share * n + 0.5)] * 99) if share else ()
    for union in unions:
        mass = float(ds["band_reference_mass"].values[union].sum())
        merged = counts[:, :, union].sum(axis=2)
        laws = list(count_laws(mass, (n,) * 100, fresh))
        for column, t in enumerate(generations):
            law = np.maximum(laws[t - 1], 0.0)
            cell = pooled(law, 24)
            seen = np.bincount(cell, np.bincount(merged[:, column], minlength=n + 1))
            verdict = g_test(seen, np.bincount(cell, law), tests=len(unions) * len(generations))
            require(verdict, effect=0.08, name=f"{name}, bands {np.flatnonzero(union)}, t = {t}")


def steps_of_zipf(k: int) -> np.ndarray:
    """Zipf weights rounded to few distinct values, so that exact variances stay affordable."""
    return np.sort((1.25 ** np.rint(np.log(k / np.arange(1, k + 1)) / np.log(1.25)) * 1e6).astype(np.int64))


@pytest.mark.parametrize(("k", "n", "replicates"), [(10_000, 10_000, 400), (20_000, 4_000, 400)])
def test_survivors_of_a_long_tail(k: int, n: int, replicates: int) -> None:
    """Survivors, in all and by band, at t = 1 to 50, with their exact variances. Effect: .7 % of the mean."""
    weights = steps_of_zipf(k)
    generations = (1, 2, 3, 5, 10, 20, 50)
    ds = run(
        spec(weights, n, 50, replicates, bands=[0.0, 1.0, 10.0]),
        "survivors",
        "band_survivors",
        generations=list(generations),
    )
    mass, copies = np.unique(weights, return_counts=True)
    q = mass / weights.sum()
    sets = [np.ones(len(q), bool), n * q < 1, (n * q >= 1) & (n * q < 10)]
    seen = [ds["survivors"].values, *np.moveaxis(ds["band_survivors"].values, 2, 0)[:2]]
    for column, t in enumerate(generations):
        law, start = dual.ancestors([n] * t)
        for chosen, values in zip(sets, seen, strict=True):
            mean, variance = dual.survivors(law, start, q[chosen], copies[chosen])
            verdict = normal_test(values[:, column], mean, variance)
            require(verdict, effect=max(0.007 * mean, 4.0), name=f"{int(chosen.sum())} levels, t = {t}")


@pytest.mark.parametrize("n", [10**6, 10**9, 10**12])
def test_distance_from_the_reference_where_nothing_dies(n: int) -> None:
    """Brier distance and tail mass, exact in mean at every t. Effects: 3 % of it; 3.5 first deviations."""
    weights = np.random.default_rng(3).integers(500, 1500, 2_000)
    generations = 8
    ds = run(spec(weights, n, generations, 200, tail_mass=0.3), "brier", "tail_mass")
    plan = Plan(tuple(weights.tolist()), (n,) * generations)
    expected = moments.brier(plan)
    for t in range(1, generations + 1):
        values = ds["brier"].values[:, t]
        spread = 2 * expected[t] ** 2 / len(weights)  # of a sum of 2000 squares of normals
        require(normal_test(values, expected[t], 1.2 * spread), effect=0.03 * expected[t], name=f"t = {t}")
    mass = ds["tail_mass"].attrs["reference_mass"]
    variance = moments.share_variance(plan, mass)
    scale = np.sqrt(mass * (1 - mass) / n)
    z = (ds["tail_mass"].values[:, 1:] - mass) / scale
    verdict = mean_test(z, 0.0, variance=variance[1:] / scale**2, span=20 * np.sqrt(generations))
    require(verdict, effect=3.5, name="tail mass")


REGIMES = {
    "replace": (tb.Replace(), lambda n, t: n),
    "accumulate": (tb.Accumulate(), lambda n, t: n * t),
    "subsample": (tb.AccumulateSubsample(), lambda n, t: n),
    "subsample-1": (tb.AccumulateSubsample(draw=1), lambda n, t: 1),
    "fresh": (tb.Anchored(real=0.5), lambda n, t: n),
    "fixed": (tb.Anchored(real=0.5, source="fixed"), lambda n, t: n),
    "hoard": (tb.Anchored(real=0.5, source="hoard", hoard=10**12), lambda n, t: n),
    "window": (tb.Window(3), lambda n, t: n * min(t, 3)),
    "real-only": (tb.RealOnly(), lambda n, t: n),
    "ages": (tb.Mix(ages=(1.0, 0.5)), lambda n, t: 2 * n + n * (t > 1)),
    "all-with-fresh": (tb.Mix((ONE, REST), ages="all"), lambda n, t: n * t),
}


@pytest.mark.parametrize("name", REGIMES)
@pytest.mark.parametrize("n", [1, 2, 7, 1_000, 10**6, 2**32 - 1, 2**32 + 1, 10**9, 10**12])
def test_totals_are_exact(name: str, n: int) -> None:
    """To the item, from 1 to 1e12, across the width of a word."""
    regime, total = REGIMES[name]
    generations = (1, 2, 3, 4, 6)
    for k in (3, 90):
        models = trainings(spec(zipf(k), n, 6, 3, regime), generations)
        expected = np.array([total(n, t) for t in generations])
        assert np.array_equal(models.sum(axis=2), np.broadcast_to(expected[:, None], models.shape[:2]))
        assert models.min() >= 0

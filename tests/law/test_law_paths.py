# SPDX-License-Identifier: MIT
"""Every path of the engine, at the sizes that lead through it, against laws that are exact at any size."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import ONE, REST, SEED, run, trainings
from tests.oracles import dual, moments
from tests.oracles.marginal import count_laws, pooled, uniform_tally, uniforms
from tests.oracles.plan import Plan
from tests.oracles.stat import g_test, mean_test, normal_test, require
from tests.oracles.twin import Counts

pytestmark = pytest.mark.slow

CELLS = 16
CLASSES = 16  # of expected counts: below 1/8, 1/4, 1/2, 1, ...
LEAST = 80  # uniforms in a class that is tested alone
Steps = list[tuple[Counts, Counts, int]]  # batch, what it was drawn from, its size


def zipf(k: int) -> np.ndarray:
    """Integer weights close to 1/rank, in an order that is not sorted."""
    weights = np.maximum(1, 10**9 // np.arange(1, k + 1))
    return np.random.default_rng(k).permutation(weights)


def spec(weights: np.ndarray, n: int, generations: int, replicates: int, regime=None, **more) -> tb.Spec:
    more.setdefault("seed", SEED)
    return tb.Spec(
        reference=tb.Counts(weights),
        regime=regime or tb.Replace(),
        samples=n,
        generations=generations,
        replicates=replicates,
        **more,
    )


# K, N, replicates, generations at which the batch is watched given the training set before it.
FLOWS = {
    "poisson": (10_000, 10_000, 20, (1, 2, 3, 8)),
    "poisson-long": (3_000, 200_000, 40, (1, 2)),
    "between": (2_000, 100_000, 60, (60, 150, 300, 600)),
    "tree-1e6": (3_000, 10**6, 30, (1, 2, 3)),
    "tree-1e9": (2_000, 10**9, 30, (1, 2, 3)),
    "tree-1e12": (400, 10**12, 80, (1, 2, 3)),
    "many-small": (100, 100, 4_000, (1, 2, 3, 10)),
    "many-middle": (40, 1_000, 4_000, (1, 2, 50)),
    "few": (6, 10**5, 12_000, (1, 2, 100)),
    "few-left": (300, 3_000, 3_000, (1, 1_500, 3_000)),
}


@pytest.mark.parametrize("name", FLOWS)
def test_every_generation_is_a_multinomial_draw_from_the_one_before(name: str) -> None:
    """The whole law at every size: counts turned into uniforms, singly and in pairs.

    False alarms 1e-9 a run. Effect: chi-square distance .07 of one uniform (a binomial with its mean off by
    .07 standard deviations, or its variance by a tenth), .2 of pairs.
    """
    check_flow([flow(name, SEED)], name, effect=0.07, effect_pairs=0.2)


def flow(name: str, seed: int) -> Steps:
    """Batches, what they were drawn from, and how many items each should have."""
    k, n, replicates, watched = FLOWS[name]
    weights = zipf(k)
    needed = sorted({t for now in watched for t in (now - 1, now) if t})
    models = trainings(spec(weights, n, max(watched), replicates, seed=seed), tuple(needed))
    human = np.broadcast_to(weights, models[0].shape)
    return [(models[needed.index(t)], models[needed.index(t - 1)] if t > 1 else human, n) for t in watched]


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.45, 0.7, 1.5, 20.0])
@pytest.mark.parametrize("first", [0, 1])
def test_batches_larger_or_smaller_than_the_training_set(first: int, ratio: float) -> None:
    """As above, where every other batch is `ratio` times the training set it is drawn from.

    The counts are small ones by the thousand and a few of every size up to 700.
    """
    weights = np.concatenate([np.ones(2_500, int), np.geomspace(20, 700, 60).astype(int)])
    n = int(weights.sum())
    sizes = np.resize(np.roll([n, round(n * ratio)], first), 6)
    models = trainings(spec(weights, sizes.tolist(), 6, 100), tuple(range(1, 7)))
    human = np.broadcast_to(weights, models[0].shape)
    check_flow(
        [list(zip(models, [human, *models], sizes, strict=False))], f"{ratio}", effect=0.05, effect_pairs=0.15
    )


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.8, 1.0])
def test_every_count_alone(ratio: float) -> None:
    """Counts may have tables of their own: each from 1 to 600 is tested alone, and by twenties.

    False alarms 1e-9 over all counts; effects: chi-square distance 1.2 of any one of them, .22 of twenty.
    """
    weights = np.concatenate([np.arange(2, 601), np.ones(3_000, int)])
    n = int(weights.sum())
    models = trainings(spec(weights, [n, round(n * ratio)], 2, 300), (1, 2))
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(weights))
    values, expected = uniforms(models[1][:, order], models[0][:, order], rng)
    count = np.rint(expected * n / round(n * ratio)).astype(int)
    cells = 8
    for width, effect in ((1, 1.2), (20, 0.22)):
        for now in range(1, 601, width):
            seen, _ = uniform_tally(values[(count >= now) & (count < now + width)], cells)
            verdict = g_test(seen, np.full(cells, 1 / cells), tests=630)
            require(verdict, effect=effect, name=f"{ratio}, {width} counts from {now}")


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
    steps = [(batch, source, n) for batch, source in zip(batches, sources, strict=True)]
    check_flow([steps], name, effect=0.07, effect_pairs=0.2)


@pytest.mark.parametrize(
    ("k", "n", "draw"), [(3_000, 6_000, 3_000), (500, 10**7, 10**6), (40, 10**12, 10**11)]
)
def test_a_part_of_the_human_batch_is_a_smaller_one(k: int, n: int, draw: int) -> None:
    """Drawn without replacement from n human items; with replacement the variance would be up by draw/n."""
    weights = zipf(k)
    regime = tb.AccumulateSubsample(draw=draw)
    first = trainings(spec(weights, n, 1, 120_000 // k, regime), (1,))[0]
    human = np.broadcast_to(weights, first.shape)
    check_flow([[(first, human, draw)]], f"draw {draw} of {n}", effect=0.07, effect_pairs=0.2)


def check_flow(runs: Iterable[Steps], name: str, *, effect: float, effect_pairs: float) -> None:
    """Test the uniforms of all categories, of neighbours, and of categories whose counts are alike.

    Paths part by the size of a count, so each power of two is tested alone: where it is rare, for gross
    errors.
    """
    rng = np.random.default_rng(SEED)
    pairs, sizes = np.zeros(CELLS**2, int), np.zeros((CLASSES, CELLS), int)
    for batch, source, n in chain.from_iterable(runs):
        assert np.all(batch.sum(axis=1) == n)
        order = rng.permutation(batch.shape[1])
        values, expected = uniforms(batch[:, order], source[:, order], rng)
        pairs += uniform_tally(values, CELLS)[1]
        size = np.clip(np.floor(np.log2(expected)).astype(int) + 4, 0, CLASSES - 1)
        for now in np.unique(size):
            sizes[now] += uniform_tally(values[size == now], CELLS)[0]
    tests = CLASSES + 2
    flat, square = np.full(CELLS, 1 / CELLS), np.full(CELLS**2, 1 / CELLS**2)
    require(g_test(sizes.sum(axis=0), flat, tests=tests), effect=effect, name=name)
    require(g_test(pairs, square, tests=tests), effect=effect_pairs, name=f"{name}, pairs")
    for size, seen in enumerate(sizes):
        if seen.sum() >= LEAST:
            what = f"{name}, expected counts from {2.0 ** (size - 4)}"
            require(g_test(seen, flat, tests=tests), effect=1.5, name=what)


# K, N, share of fresh data: merged into two types, the law of a count is known at every t.
MARGINALS = {
    "replace-400": (400, 400, 0.0),
    "replace-40": (40, 600, 0.0),
    "anchored-400": (400, 400, 0.02),
    "anchored-40": (40, 600, 0.3),
    "anchored-mostly-real": (100, 300, 0.9),
}
BANDS = 6


@pytest.mark.parametrize("name", MARGINALS)
def test_counts_of_merged_categories_at_every_age(name: str) -> None:
    """Bands, and unions of bands that do not touch, at t = 1 to 100: the whole law of their count.

    False alarms 1e-9 a run. Effect: chi-square distance .15 on at most 24 cells.
    """
    check_marginals(name, 10_000, effect=0.15)


@pytest.mark.parametrize("name", MARGINALS)
def test_counts_of_merged_categories_seen_more_closely(name: str) -> None:
    """As above; effect .08."""
    check_marginals(name, 40_000, effect=0.08, seed=2)


def check_marginals(name: str, replicates: int, *, effect: float, seed: int = SEED) -> None:
    k, n, share = MARGINALS[name]
    weights = zipf(k)
    generations = (1, 2, 3, 5, 10, 20, 50, 100)
    expected = np.sort(n * weights / weights.sum())
    edges = [0.0, *(expected[k * i // BANDS - 1 : k * i // BANDS + 1].mean() for i in range(1, BANDS))]
    regime = tb.Anchored(real=share) if share else tb.Replace()
    ds = run(
        spec(weights, n, 100, replicates, regime, bands=edges, seed=seed),
        "band_mass",
        generations=list(generations),
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
            require(verdict, effect=effect, name=f"{name}, bands {np.flatnonzero(union)}, t = {t}")


def steps_of_zipf(k: int) -> np.ndarray:
    """Zipf weights rounded to few distinct values, so that exact variances stay affordable."""
    return np.sort((1.25 ** np.rint(np.log(k / np.arange(1, k + 1)) / np.log(1.25)) * 1e6).astype(np.int64))


@pytest.mark.parametrize(("k", "n", "replicates"), [(10_000, 10_000, 1_000), (20_000, 4_000, 1_000)])
def test_survivors_of_a_long_tail(k: int, n: int, replicates: int) -> None:
    """Survivors, in all and by band, at t = 1 to 50; exact variances. Effect: .7 % of the mean, or 12."""
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
            require(verdict, effect=max(0.007 * mean, 12.0), name=f"{int(chosen.sum())} levels, t = {t}")


@pytest.mark.parametrize("n", [10**6, 10**9, 10**12])
def test_distance_from_the_reference_where_nothing_dies(n: int) -> None:
    """Brier distance and tail mass, exact in mean at every t. Effects: 3 % of it; 4.3 deviations."""
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
    require(verdict, effect=4.3, name="tail mass")


REGIMES = {
    "replace": (lambda n: tb.Replace(), lambda n, t: n),
    "accumulate": (lambda n: tb.Accumulate(), lambda n, t: n * t),
    "subsample": (lambda n: tb.AccumulateSubsample(), lambda n, t: n),
    "subsample-1": (lambda n: tb.AccumulateSubsample(draw=1), lambda n, t: 1),
    "fresh": (lambda n: tb.Anchored(real=0.5), lambda n, t: n),
    "fixed": (lambda n: tb.Anchored(real=0.5, source="fixed"), lambda n, t: n),
    "hoard": (lambda n: tb.Anchored(real=0.5, source="hoard", hoard=min(3 * n, 10**12)), lambda n, t: n),
    "window": (lambda n: tb.Window(3), lambda n, t: n * min(t, 3)),
    "real-only": (lambda n: tb.RealOnly(), lambda n, t: n),
    "ages": (lambda n: tb.Mix(ages=(1.0, 0.5)), lambda n, t: 2 * n + n * (t > 1)),
    "all-with-fresh": (lambda n: tb.Mix((ONE, REST), ages="all"), lambda n, t: n * t),
}


@pytest.mark.parametrize("name", REGIMES)
@pytest.mark.parametrize("n", [1, 2, 7, 1_000, 10**6, 2**32 - 1, 2**32 + 1, 10**9, 10**12])
def test_totals_are_exact(name: str, n: int) -> None:
    """To the item, from 1 to 1e12, across the width of a word."""
    regime, total = REGIMES[name]
    generations = (1, 2, 3, 4, 6)
    for k in (3, 90):
        models = trainings(spec(zipf(k), n, 6, 3, regime(n)), generations)
        expected = np.array([total(n, t) for t in generations])
        assert np.array_equal(models.sum(axis=2), np.broadcast_to(expected[:, None], models.shape[:2]))
        assert models.min() >= 0


@pytest.mark.parametrize("regime", [tb.RealOnly(), tb.Anchored(real=1.0, source="hoard", hoard=3 * 10**7)])
def test_a_large_human_batch_after_a_small_one(regime) -> None:
    """What is prepared for the first batch must not decide how the later ones are drawn."""
    sizes = [1, 3 * 10**7, 2, 10**7]
    models = trainings(spec(zipf(5), sizes, 4, 2, regime), (1, 2, 3, 4))
    assert np.array_equal(models.sum(axis=2), np.broadcast_to(np.array(sizes)[:, None], (4, 2)))

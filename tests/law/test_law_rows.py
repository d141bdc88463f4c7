# SPDX-License-Identifier: MIT
"""Numbers that were published, or are exact, landed on by the engine itself."""

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import SEED, run
from tests.oracles import dual, moments
from tests.oracles.marginal import pooled
from tests.oracles.plan import Plan
from tests.oracles.stat import g_test, mean_test, require

SHARES = {1: 0.39007, 2: 0.29259, 3: 0.23941, 4: 0.20469, 5: 0.17983, 9: 0.12393, 10: 0.11541}


def test_share_of_words_present() -> None:
    """Zipf-Mandelbrot (exponent 1, shift 2.7), K = N = 1000, replace. Effect: .005 of the share."""
    spec = tb.Spec(
        reference=tb.Zipf(categories=1000, exponent=1.0, shift=2.7),
        samples=1000,
        generations=10,
        replicates=20_000,
        seed=SEED,
    )
    share = run(spec, "survivors")["survivors"].values[:, list(SHARES)] / 1000
    # The published digits are exact to 5e-6; what is tested is the mean over replicates.
    require(mean_test(share, list(SHARES.values()), span=1.0), effect=0.005)


# K, N, published mean of the generations until one category is left, replicates, width of a cell.
FIXATION = [
    (10, 10, 17.50, 200_000, 1),
    (10, 100, 187.43, 30_000, 10),
    (2, 100, 136.60, 30_000, 10),
    (100, 100, 196.74, 30_000, 10),
    (10, 1000, 1893.5, 4_000, 100),
]


@pytest.mark.parametrize(("k", "n", "published", "replicates", "width"), FIXATION)
def test_generations_until_one_category_is_left(
    k: int, n: int, published: float, replicates: int, width: int
) -> None:
    """The whole law of that time on 30 cells, and its mean. Effects: distance .25, 15 % of the mean."""
    horizon = 40 * n  # still undecided then: e^-40 a replicate
    spec = tb.Spec(
        reference=tb.Uniform(categories=k),
        samples=n,
        generations=horizon,
        replicates=replicates,
        seed=SEED,
    )
    forgotten = run(spec, generations=[0], forgotten=True)["forgotten"].values
    assert np.all((forgotten == 0).sum(axis=1) == 1)
    time = forgotten.max(axis=1)
    q = np.full(k, 1 / k)
    cells = horizon // width
    law = np.maximum(dual.fixation_times(q, n, width, cells), 0.0)
    cell = pooled(law, 30)
    seen = np.bincount(cell, np.bincount((time - 1) // width, minlength=cells + 1))
    require(g_test(seen, np.bincount(cell, law), tests=2), effect=0.25)
    sd = dual.fixation_time(q, n)[1]
    verdict = mean_test(time, published, variance=sd**2, span=horizon, tests=2)
    require(verdict, effect=0.15 * published)


def test_heterozygosity_kept_by_three_regimes() -> None:
    """n = 100, t = 100: .3660 replace, .9837 accumulate, .9713 accumulate-subsample. Effect: .035."""
    regimes = {
        0.3660: tb.Replace(),
        0.9837: tb.Accumulate(),
        0.9713: tb.AccumulateSubsample(),
    }
    for published, regime in regimes.items():
        spec = tb.Spec(
            reference=tb.Uniform(categories=2),
            regime=regime,
            samples=100,
            generations=100,
            replicates=20_000,
            seed=SEED,
        )
        h = run(spec, "gini_simpson", generations=[100])["gini_simpson"].values
        require(mean_test(h / 0.5, published, span=1.0), effect=0.035, name=str(regime))


def test_accumulate_subsample_levels_off_where_it_should() -> None:
    """n Var / q(1-q) of the fit at t = 100, n = 1000: on its way to pi^2/2 - 2. Effect: 15 %."""
    n, t = 1000, 100
    spec = tb.Spec(
        reference=tb.Uniform(categories=2),
        regime=tb.AccumulateSubsample(),
        samples=n,
        generations=t,
        replicates=20_000,
        seed=SEED,
        tail_mass=0.5,
    )
    share = 1 - run(spec, "gini_simpson", generations=[t])["gini_simpson"].values
    square = (2 * share - 1) / 4  # (p - 1/2)^2, out of p^2 + (1-p)^2
    expected = moments.share_variance(Plan((1, 1), (n,) * t, draw=(n,) * t), 0.5)[t]
    assert 4 * n * expected == pytest.approx(np.pi**2 / 2 - 2, rel=0.06)
    require(mean_test(4 * n * square, 4 * n * expected, span=50.0), effect=0.45)


def test_best_weight_on_human_data_beats_its_neighbours() -> None:
    """n = m = 10: the stationary Brier distance is least at weight .607, by the engine as by the formula."""
    t, replicates = 40, 20_000
    found = {}
    for weight in (0.3, 0.607, 0.9):
        spec = tb.Spec(
            reference=tb.Uniform(categories=2),
            regime=tb.Mix((tb.Fresh(count=10, weight=weight), tb.Synthetic(weight=round(1 - weight, 3)))),
            samples=20,
            generations=t,
            replicates=replicates,
            seed=SEED,
        )
        brier = run(spec, "brier", generations=[t])["brier"].values
        w = weight
        stationary = 0.5 * (w**2 / 10 + (1 - w) ** 2 / 10) / (1 - (1 - w) ** 2 * 0.9)
        require(mean_test(brier, stationary, span=0.5), effect=0.006, name=str(weight))
        found[weight] = brier.mean()
    assert found[0.607] < min(found[0.3], found[0.9])

# SPDX-License-Identifier: MIT
"""The statistics themselves: bounds that hold, a right sampler that passes, wrong samplers that are caught.

Every wrong sampler is put before the same test, with the same number of replicates, as the engine is.
"""

from math import comb

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import binom, chi2

from tests.oracles import dual, faults, moments, stat
from tests.oracles.compare import REPLICATES, compare_paths, first_revival
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan
from tests.oracles.twin import Twin


@pytest.mark.parametrize("p", [0.5, 0.1, 0.003])
@pytest.mark.parametrize("n", [1, 7, 60, 400])
def test_g_bound_holds_for_two_cells_at_every_size(p: float, n: int) -> None:
    """P(G > threshold), by adding up the binomial law, never exceeds the rate."""
    k = np.arange(n + 1)
    g = 2 * n * (rel_entr(k / n, p) + rel_entr(1 - k / n, 1 - p))
    for rate in (0.3, 1e-2, 1e-4, 1e-9):
        assert binom.pmf(k, n, p)[g > stat.g_threshold(2, rate)].sum() <= rate


@pytest.mark.parametrize("law", [(0.2, 0.3, 0.5), (0.9, 0.09, 0.01), (1 / 3, 1 / 3, 1 / 3)])
@pytest.mark.parametrize("n", [3, 20, 90])
def test_g_bound_holds_for_three_cells(law: tuple[float, ...], n: int) -> None:
    p = np.array(law)
    counts = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
    ways = np.array([float(comb(n, a) * comb(n - a, b)) for a, b, _ in counts])
    chance = ways * np.prod(p**counts, axis=1)
    g = 2 * n * rel_entr(counts / n, p).sum(axis=1)
    for rate in (0.3, 1e-2, 1e-4, 1e-9):
        assert chance[g > stat.g_threshold(3, rate)].sum() <= rate


@pytest.mark.parametrize("cells", [2, 10, 300])
def test_g_bound_is_not_wasteful(cells: int) -> None:
    """The price of a bound without asymptotics: at most 2.4 times the chi-square threshold."""
    assert 1.0 < stat.g_threshold(cells, 1e-9) / chi2.isf(1e-9, cells - 1) < 2.4


def test_declared_effect_is_found_with_the_declared_power() -> None:
    """A departure of the declared size is missed once in a thousand: 400 tries, at most 6 misses."""
    rng = np.random.default_rng(7)
    p = np.full(8, 1 / 8)
    shift = np.array([1, -1] * 4) / 8
    n = 20_000
    effect = stat.g_test(n * p, p).effect
    found = [stat.g_test(rng.multinomial(n, p + shift * effect), p).rejected for _ in range(400)]
    assert sum(found) >= 394
    assert not any(stat.g_test(rng.multinomial(n, p), p).rejected for _ in range(400))


def test_a_design_too_small_for_its_effect_is_refused() -> None:
    verdict = stat.g_test([50, 50], [0.5, 0.5])
    assert not verdict.rejected
    with pytest.raises(AssertionError, match="this design sees"):
        stat.require(verdict, effect=0.01)


def test_impossible_outcomes_are_rejected_outright() -> None:
    assert stat.g_test([999_999, 0, 1], [0.5, 0.5, 0.0]).rejected
    assert stat.count_test([1], 10**6, [0.0]).rejected
    assert stat.count_test([10**6 - 1], 10**6, [1.0]).rejected


def test_mean_bounds_find_a_shift_and_pass_the_truth() -> None:
    rng = np.random.default_rng(11)
    values = rng.random((20_000, 3))
    for variance in (1 / 12, None):
        verdict = stat.mean_test(values, [0.5] * 3, variance=variance, span=1.0)
        assert not verdict.rejected
        assert stat.mean_test(values, [0.5, 0.5, 0.5 + verdict.effect], variance=variance, span=1.0).rejected
    assert not stat.normal_test(values[:, 0], 0.5, 1 / 12).rejected
    assert stat.normal_test(values[:, 0], 0.53, 1 / 12).rejected


@pytest.mark.parametrize("name", sorted(TINY))
def test_right_sampler_passes(name: str) -> None:
    tiny = TINY[name]
    models = Twin(tiny.plan, REPLICATES, seed=1).run()
    for verdict in compare_paths(tiny, [models[[t - 1 for t in tiny.at]]]):
        assert not verdict.rejected, verdict.what


WRONG = [
    ("fresh-2", faults.CoinFlipShare),
    ("fresh-3", faults.CoinFlipShare),
    ("mix-all-3", faults.CoinFlipShare),
    ("subsample-2", faults.WithReplacement),
    ("subsample-5", faults.WithReplacement),
    ("hoard-2", faults.WithReplacement),
    ("hoard-3", faults.WithReplacement),
    ("replace-3", faults.OneEarly),
    ("replace-3", faults.OneLate),
    ("fresh-4", faults.OneEarly),
    ("window-3", faults.OneLate),
    ("replace-3", faults.Backward),
    ("fixed-2", faults.KeptRedrawn),
    ("fixed-2", faults.KeptApart),
    ("hoard-3", faults.KeptRedrawn),
    ("hoard-3", faults.KeptApart),
    ("fixed-2", faults.FirstMixed),
    ("fresh-5", faults.FirstMixed),
    ("replace-2", faults.StaleWords),
    ("fresh-4", faults.StaleWords),
    ("replace-4", faults.SharedReplicates),
    ("window-2", faults.WindowTooLong),
    ("window-5", faults.WindowTooLong),
    ("accumulate-2", faults.ForgetsPool),
    ("mix-all-3", faults.ForgetsPool),
    ("mix-weights-2", faults.WeightsSwapped),
    ("mix-weights-3", faults.WeightsSwapped),
]


@pytest.mark.parametrize(("name", "fault"), WRONG, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_wrong_sampler_is_caught(name: str, fault: type[Twin]) -> None:
    tiny = TINY[name]
    models = fault(tiny.plan, REPLICATES, seed=1).run()
    assert any(v.rejected for v in compare_paths(tiny, [models[[t - 1 for t in tiny.at]]]))


def test_rounded_chances_are_caught_by_the_marginal_law() -> None:
    """Chances off by up to 1/8192: one binomial marginal of a long reference shows it."""
    reference = tuple(range(1, 12))
    counts = faults.RoundedChances(Plan(reference, (1000,)), 200_000, seed=3).run()[0]
    q = np.array(reference) / sum(reference)
    right = Twin(Plan(reference, (1000,)), 200_000, seed=3).run()[0]
    variance = q * (1 - q) / 1000
    assert stat.mean_test(counts / 1000, q, variance=variance, span=1.0).rejected
    assert not stat.mean_test(right / 1000, q, variance=variance, span=1.0).rejected


def test_float_residual_is_caught_by_the_dead_staying_dead() -> None:
    """A float32 remainder revives the last category; integers never do."""
    plan = Plan((*(1,) * 199, 1), (300,) + (10**6,) * 40)
    assert first_revival(faults.FloatResidual(plan, 50, seed=2).run()) is not None
    assert first_revival(Twin(Plan((1,) * 200, (300,) * 40), 50, seed=2).run()) is None


def test_backward_sizes_are_caught_by_survival_and_not_by_heterozygosity() -> None:
    """Heterozygosity cannot tell the order of the sizes: survival must be tested too."""
    sizes = (20, 30, 60, 120)
    reference = (40, 20, 10, 5, 5, 5, 5, 5, 5)
    plan = Plan(reference, sizes)
    wrong = faults.Backward(plan, 20_000, seed=4).run()[-1]
    model = wrong / wrong.sum(axis=1, keepdims=True)
    h = 1 - (model**2).sum(axis=1)
    q = np.array(plan.reference)
    present = (wrong > 0).sum(axis=0)
    assert not stat.mean_test(h, moments.heterozygosity(plan)[-1], span=1.0).rejected
    assert stat.count_test(present, 20_000, 1 - dual.absent(q, sizes)[-1]).rejected

# SPDX-License-Identifier: MIT
"""Samplers made wrong on purpose: the power to catch each is calculated first, then they are caught.

Effects are nine tenths of the distance at which the wrong law lies, so that passing it is as improbable as
the assertions declare (1e-6); all else is left at the defaults.
"""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom, chi2

import tailbiter as tb
from tailbiter.testing import assert_cdf, assert_law, assert_mean, cdf_power, counts_of, law_power
from tests.oracles import faults
from tests.oracles.chain import compositions
from tests.oracles.plan import Plan
from tests.oracles.twin import Twin
from tests.testing.wrong import CONTROLS, drawn

ALL_BUT = 0.999

# The package's own words for the runs of the controls; what is redrawn or out of order has no other words.
REGIMES = {
    "coin-flip-2": tb.Anchored(real=0.5),
    "coin-flip-4": tb.Anchored(real=0.5),
    "with-replacement": tb.AccumulateSubsample(draw=3),
    "one-early": tb.Replace(),
    "one-late": tb.Replace(),
    "tie-redrawn": tb.Replace(),
}
RUNS = {
    "coin-flip-2": ((3, 1), 2, 2),
    "coin-flip-4": ((3, 1), 4, [1, 2]),
    "with-replacement": ((5, 2, 1), 4, [1, 2]),
    "one-early": ((5, 2, 1), 4, [1, 3]),
    "one-late": ((5, 2, 1), 4, [1, 3]),
    "tie-redrawn": ((5, 1, 1), 3, [1, 2]),
}


def effect_of(name: str) -> float:
    law, wrong = CONTROLS[name].table()
    return 0.9 * float(np.abs(law - wrong).sum()) / 2


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_power_is_above_999_in_1000(name: str) -> None:
    law, wrong = CONTROLS[name].table()
    assert law.sum() == pytest.approx(1)
    assert wrong.sum() == pytest.approx(1)
    assert law_power(law, wrong, effect=effect_of(name)) > ALL_BUT


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_wrong_sampler_is_caught(name: str) -> None:
    control = CONTROLS[name]
    with pytest.raises(AssertionError, match="law: outcome"):
        assert_law(control.draw(control.fault), control.law, effect=effect_of(name))


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_right_sampler_passes(name: str) -> None:
    assert_law(CONTROLS[name].draw(Twin), CONTROLS[name].law, effect=effect_of(name))


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_the_wrong_law_is_that_of_the_wrong_sampler(name: str) -> None:
    """Or the power would be that of another mistake. Effect: half of the distance from the right law."""
    control = CONTROLS[name]
    wrong = {outcome: p for outcome, p in control.wrong.items() if p > 0}
    assert_law(control.draw(control.fault), wrong, effect=effect_of(name) / 1.8)


@pytest.mark.parametrize("name", sorted(REGIMES))
def test_the_engine_passes(name: str) -> None:
    weights, samples, at = RUNS[name]
    spec = tb.Spec(
        reference=tb.Counts(list(weights)), regime=REGIMES[name], samples=samples, generations=np.max(at)
    )
    assert_law(counts_of(spec, at, threads=1), CONTROLS[name].law, effect=effect_of(name))


# A float32 remainder: the last category takes what rounding leaves, though it is dead.
RESIDUAL = Plan((3, 2, 1), (4, 60, 10**7))


def residual_chances(weights: tuple[int, ...]) -> list[float]:
    """Conditional chances of all categories but the last, as `FloatResidual` computes them."""
    share = (np.array(weights) / sum(weights)).astype(np.float32)
    mass, chances = np.float32(1), []
    for part in share[:-1]:
        chances.append(float(np.clip(part / np.maximum(mass, np.float32(1e-30)), 0.0, 1.0)))
        mass = mass - part
    return chances


def chance_of_revival() -> float:
    """That the third category is absent from generation 2 and present in generation 3: all cases added up."""
    first, second, third = RESIDUAL.samples
    k = np.arange(second + 1)
    back = []
    for count in k.tolist():
        x, y = residual_chances((count, second - count, 0))
        back.append(-np.expm1(third * np.log1p(-(1 - x) * (1 - y))))
    a, b = residual_chances(RESIDUAL.weights)
    total = 0.0
    for counts in compositions(first, 3):
        p = binom.pmf(counts[0], first, a) * binom.pmf(counts[1], first - counts[0], b)
        x, y = residual_chances(counts)
        total += float(p * np.sum(binom.pmf(k, second, x) * y ** (second - k) * np.array(back)))
    return total


def revivals(sampler: type[Twin]):
    paths = drawn(RESIDUAL, (2, 3))(sampler)

    def draw(start: int, stop: int) -> np.ndarray:
        counts = paths(start, stop)
        return (counts[:, 2] == 0) & (counts[:, 5] > 0)

    return draw


def test_float_residual_revives_the_dead() -> None:
    chance = chance_of_revival()
    assert 0.02 < chance < 0.03
    assert law_power([1.0, 0.0], [1 - chance, chance], effect=0.02) > ALL_BUT
    with pytest.raises(AssertionError, match="outcome True seen, which is impossible"):
        assert_law(revivals(faults.FloatResidual), {False: 1.0}, effect=0.02)
    assert_law(revivals(Twin), {False: 1.0}, effect=0.02)
    assert_mean(revivals(faults.FloatResidual), chance, effect=0.005, bounds=(0, 1))


# A Gaussian refitted to n samples: the scatter is chi-square, over n - ddof.
N, T = 10, 6


def variances(ddof: int):
    def draw(start: int, stop: int) -> np.ndarray:
        rng = np.random.default_rng([20_251_122, start])
        return np.cumprod(rng.chisquare(N - 1, (stop - start, T)) / (N - ddof), axis=1)

    return draw


def variance_law(ddof: int):
    """Distribution function of the first generation's variance."""
    return lambda x: chi2.cdf(x * (N - ddof), N - 1)


def test_ddof_swapped_is_caught_by_the_law() -> None:
    right, wrong = variance_law(1), variance_law(0)
    at = minimize_scalar(lambda x: -abs(right(x) - wrong(x)), bounds=(0.1, 3), method="bounded").x
    distance = abs(right(at) - wrong(at))
    assert distance > 0.08
    assert cdf_power(right(at), wrong(at)) > ALL_BUT
    with pytest.raises(AssertionError, match="cdf: "):
        assert_cdf(lambda i, j: variances(0)(i, j)[:, 0], right, effect=0.9 * distance)
    assert_cdf(lambda i, j: variances(1)(i, j)[:, 0], right, effect=0.9 * distance)


def test_ddof_swapped_is_caught_by_the_means() -> None:
    """The sd is exact for ddof=1. The swap is off by .1 in generation 1 already; effect .08."""
    sd = np.sqrt((1 + 2 / (N - 1)) ** np.arange(1, T + 1) - 1)
    with pytest.raises(AssertionError, match="mean of cell"):
        assert_mean(variances(0), np.ones(T), effect=0.08, sd=sd)
    assert_mean(variances(1), np.ones(T), effect=0.08, sd=sd)
    swapped = (1 - 1 / N) ** np.arange(1, T + 1)
    assert_mean(variances(0), swapped, effect=0.08, sd=sd)

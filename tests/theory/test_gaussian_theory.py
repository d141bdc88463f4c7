# SPDX-License-Identifier: MIT
"""Gaussians fitted again and again: item by item, in high precision, and by simulation."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import k0
from scipy.stats import chi2

from tailbiter import SpecError
from tailbiter.theory import gaussian
from tailbiter.theory._log_gamma import log_mean, log_moment
from tailbiter.theory._spread import spread_and_drift
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan
from tests.oracles.stat import count_test, normal_test, require
from tests.theory import items
from tests.theory.compositions import composition, constant, plans
from tests.theory.test_moments import FULL, shared

WEIGHTED = [name for name in TINY if name.startswith(("mix-weights", "mix-fixed", "mix-hoard", "mix-ages"))]


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("ddof", [0, 1])
def test_spread_item_by_item(name: str, ddof: int) -> None:
    made = composition(TINY[name].plan)
    if ddof and name in WEIGHTED:
        with pytest.raises(SpecError, match="ddof: 1 is not defined where training items weigh differently"):
            gaussian.spread(made, ddof)
        return
    found = gaussian.spread(made, ddof)
    spread, drift = items.spread_and_drift(TINY[name].plan, ddof)
    assert found.values == pytest.approx(spread, abs=1e-12)
    assert found.drift == pytest.approx(drift, abs=1e-12)


@given(plans(most=4, generations=4), st.integers(0, 1))
@settings(max_examples=200)
def test_spread_of_any_plan_item_by_item(plan: Plan, ddof: int) -> None:
    if ddof and not has_unbiased_divisor(plan):
        with pytest.raises(SpecError, match=r"weigh differently|trained on one item"):
            gaussian.spread(composition(plan), ddof)
        return
    found = gaussian.spread(composition(plan), ddof)
    spread, drift = items.spread_and_drift(plan, ddof)
    assert found.values == pytest.approx(spread, rel=1e-12, abs=1e-14)
    assert found.drift == pytest.approx(drift, abs=1e-12)


def has_unbiased_divisor(plan: Plan) -> bool:
    """Whether items weigh the same, and two or more are trained on in every generation."""
    if plan.item_weights or (plan.ages and set(plan.ages[: len(plan.samples)]) != {1}):
        return False
    span = len(plan.samples) if plan.ages is None else len(plan.ages)
    pools = [sum(plan.samples[max(t - span, 0) : t]) for t in range(1, len(plan.samples) + 1)]
    return min(plan.draw or pools) > 1


def test_item_by_item_tells_the_divisors_apart() -> None:
    """A control: everywhere the two differ by more than a tenth."""
    for name in set(TINY) - set(WEIGHTED):
        plan = TINY[name].plan
        found = [items.spread_and_drift(plan, ddof)[0][-1] for ddof in (0, 1)]
        assert found[1] - found[0] > 0.1


@pytest.mark.parametrize("name", sorted(set(FULL) - {"ages", "ages with fresh", "weighted"} - set(WEIGHTED)))
def test_steps_of_distances_are_identity_by_descent_with_ddof_0(name: str) -> None:
    if "by weight" in name:
        with pytest.raises(SpecError, match="weigh differently"):
            gaussian.spread(composition(FULL[name]), 1)
        return
    spread, drift = spread_and_drift(composition(FULL[name]), 0)
    assert spread == pytest.approx(shared(FULL[name]).apart, abs=1e-13)
    assert drift == pytest.approx(shared(FULL[name]).values, abs=1e-13)


def test_closed_forms_with_ddof_1() -> None:
    n, t = 30, 200
    replace = gaussian.spread(composition(constant(t, n)), 1)
    assert np.all(replace.values == 1.0)
    assert replace.drift == pytest.approx(np.arange(t + 1) / n, rel=1e-13)
    stepped, drift = spread_and_drift(composition(constant(t, n)), 1)
    assert stepped == pytest.approx(np.ones(t + 1), rel=1e-12)
    assert drift == pytest.approx(replace.drift, abs=1e-12)
    j = np.arange(2, t + 1)
    pooled = gaussian.spread(composition(constant(t, n, ages=None)), 1)
    assert pooled.values[2:] == pytest.approx(np.cumprod(1 - 1 / (j * (j * n - 1))), rel=1e-12)
    alone = gaussian.spread(composition(constant(t, n, fresh=n)), 1)
    assert alone.values == pytest.approx(np.ones(t + 1), rel=1e-13)
    assert alone.drift[1:] == pytest.approx(np.full(t, 1 / n), rel=1e-12)


def test_window_of_everything_is_accumulate_with_ddof_1() -> None:
    found = [gaussian.spread(composition(constant(20, 7, ages=ages)), 1) for ages in (None, (1,) * 20)]
    assert found[0].values == pytest.approx(found[1].values, rel=1e-13)
    assert found[0].drift == pytest.approx(found[1].drift, abs=1e-13)


def test_trace_ratios_of_the_sheet() -> None:
    runs = [constant(100, 100), constant(100, 100, ages=None), constant(100, 100, draw=100)]
    ratios = [float(gaussian.spread(composition(plan), 0, [100]).values[0]) for plan in runs]
    assert [round(ratio, 4) for ratio in ratios] == [0.3660, 0.9837, 0.9713]


def test_one_item_leaves_nothing_to_divide() -> None:
    with pytest.raises(SpecError, match="generation 2 is trained on one item"):
        gaussian.spread(composition(Plan((1, 1), (2, 1, 2))), 1)
    with pytest.raises(SpecError, match="generation 1 is trained on one item"):
        gaussian.spread(composition(Plan((1, 1), (1, 2), ages=None)), 1)
    assert gaussian.spread(composition(Plan((1, 1), (2, 1, 2), ages=None)), 1).values[2] > 0.0
    assert gaussian.spread(composition(Plan((1, 1), (2, 1, 2))), 0).values.tolist() == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("name", sorted(set(TINY) - {f"replace-{k}" for k in (2, 3, 4, 5)}))
def test_laws_are_refused_where_they_are_not_known(name: str) -> None:
    with pytest.raises(SpecError, match="regime: 'E sigma_t' is not known where training sets are not"):
        gaussian.refits(composition(TINY[name].plan), "E sigma_t")


def test_laws_are_known_for_replace() -> None:
    assert gaussian.refits(composition(TINY["replace-3"].plan), "E sigma_t").tolist() == [4.0, 3.0, 5.0]


# One generation, in high precision -------------------------------------------------------------------------


@pytest.mark.parametrize("half", [0.5, 1.0, 4.5, 39.5, 40.0, 41.0, 1e3, 1e7, 5e11])
@pytest.mark.parametrize("power", [-0.25, 0.5, 1.0, 2.0, 0.5 + 3j, -0.2 + 40j])
def test_moments_of_any_power(half: float, power: complex) -> None:
    found = complex(log_moment(np.array([half]), power)[0])
    with mp.workdps(60):
        a, s = mp.mpf(half), mp.mpmathify(power)
        exact = complex(mp.loggamma(a + s) - mp.loggamma(a) - s * mp.log(a))
    # The direct difference, small shapes only, has its rounding beside terms of a hundred.
    assert abs(found - exact) <= 1e-13 * abs(exact) + (3e-14 if half < 41 else 1e-15 / half)
    assert log_mean(np.array([half]))[0] == pytest.approx(float(_log_mean(half)), rel=2e-14)


def _log_mean(half: float) -> mp.mpf:
    with mp.workdps(60):
        return mp.psi(0, mp.mpf(half)) - mp.log(mp.mpf(half))


@pytest.mark.parametrize("n", [2, 10, 85, 10**6, 10**12])
@pytest.mark.parametrize("ddof", [0, 1])
def test_standard_deviation_and_logarithm(n: int, ddof: int) -> None:
    t = 7
    with mp.workdps(60):
        c4 = mp.sqrt(mp.mpf(2) / (n - 1)) * mp.gammaprod([mp.mpf(n) / 2], [mp.mpf(n - 1) / 2])
        root = (c4 * mp.sqrt(mp.mpf(n - 1) / (n - ddof))) ** t
        log = t * (mp.psi(0, mp.mpf(n - 1) / 2) - mp.log(mp.mpf(n - ddof) / 2))
        spread = t * mp.psi(1, mp.mpf(n - 1) / 2)
        ratio = (mp.mpf(n - 1) / (n - ddof)) ** t
        steps = [(mp.mpf(n - 1) / (n - ddof)) ** k / n for k in range(t)]
        distance = mp.fsum(steps) + ratio + 1 - 2 * root
    sizes = [n] * t
    assert gaussian.power_mean(0.5, sizes, ddof).values[t] == pytest.approx(float(root), rel=1e-13)
    assert gaussian.power_mean(1.0, sizes, ddof).values[t] == pytest.approx(float(ratio), rel=1e-13)
    found = gaussian.log_det(sizes, ddof)
    assert found.values[t] == pytest.approx(float(log), rel=1e-13)
    assert found.variance[t] == pytest.approx(float(spread), rel=1e-13)
    moved = gaussian.wasserstein(sizes, ddof)
    assert moved.kind == "exact"
    assert moved.values[t] == pytest.approx(float(distance), rel=1e-12)


def test_early_wasserstein_is_three_halves() -> None:
    """E W^2 ~ (3/2) t/n for t << n, ddof=1."""
    n, t = 10**6, 100
    assert gaussian.wasserstein([n] * t, 1).values[t] == pytest.approx(1.5 * t / n, rel=2e-4)


# The law of the standard deviation -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 7, 100, 10**8])
def test_one_generation_is_a_chi_square(n: int) -> None:
    width = 1.0 / math.sqrt(2 * n)
    levels = np.array([0.01 ** (1 / math.sqrt(n)), 1 - width, 1.0, 1 + width, 1 + 6 * width])
    for ddof in (0, 1):
        found = gaussian.exceeds(levels, [n], ddof, [1]).values[0]
        assert found == pytest.approx(chi2.sf((n - ddof) * levels**2, n - 1), rel=1e-11)


@pytest.mark.parametrize(("n", "t"), [(2, 1), (10, 50), (10**12, 1000)])
def test_levels_out_of_reach_are_told_at_once(n: int, t: int) -> None:
    found = gaussian.exceeds([1e-300, 1e-20, 1e20, 1e300], [n] * t, 1, [0, t]).values
    assert found[0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert found[1] == pytest.approx([1.0, 1.0, 0.0, 0.0], abs=1e-15)


def test_two_generations_of_two_samples_are_a_product_of_normals() -> None:
    for level in (0.001, 0.1, 1.0, 5.0):
        beyond = 2.0 / math.pi * quad(k0, level, math.inf, epsabs=0.0, epsrel=1e-12)[0]
        assert gaussian.exceeds(level, [2, 2], 1, [2]).values[0] == pytest.approx(beyond, rel=1e-9)


def test_two_sizes() -> None:
    level = 0.7

    def given(x: float) -> float:
        return float(chi2.sf(4 * 11 * level**2 / x, 4) * chi2.pdf(x, 11))

    exact = quad(given, 0.0, 100.0, epsabs=1e-13, limit=200)[0]
    for sizes in ([5, 12], [12, 5]):
        assert gaussian.exceeds(level, sizes, 1, [2]).values[0] == pytest.approx(exact, abs=1e-10)


def test_probabilities_of_the_sheet_by_convolution() -> None:
    """P(sigma_t > .1), n = 10, ddof=1: the density of ln sigma_1^2 convolved on a grid."""
    at = np.array([10, 25, 50, 100, 150, 200])
    found = gaussian.exceeds(0.1, [10] * 200, 1, at).values
    assert found.round(6).tolist() == [0.982142, 0.758298, 0.375538, 0.081562, 0.017945, 0.004038]
    assert found == pytest.approx(convolved(2 * math.log(0.1), 10, at), abs=1e-9)
    simulated = np.array([0.98214, 0.75831, 0.37494, 0.08153, 0.01790, 0.00400])  # 4e6 replicates
    assert np.all(np.abs(found - simulated) < 4 * np.sqrt(found * (1 - found) / 4e6))
    published = np.array([0.981, 0.747, 0.378, 0.090, 0.018, 0.007])  # 1000 replicates
    assert np.all(np.abs(found - published) < 4 * np.sqrt(found * (1 - found) / 1000))


def convolved(level: float, n: int, at: np.ndarray) -> list[float]:
    half, count = 128.0, 2**19  # 15 sd of 200 generations: nothing comes round the other end
    step = 2 * half / count
    x = (np.arange(count) - count // 2) * step
    density = chi2.pdf((n - 1) * np.exp(x), n - 1) * (n - 1) * np.exp(x)
    transform = np.fft.fft(np.fft.ifftshift(density)) * step
    out = []
    for t in at:
        law = np.fft.fftshift(np.fft.ifft(transform**t).real) / step
        below = np.concatenate([[0.0], np.cumsum((law[1:] + law[:-1]) / 2 * step)])
        k = int((level - x[0]) // step)
        part = level - x[k]
        slope = (law[k + 1] - law[k]) / step
        out.append(1.0 - (below[k] + part * law[k] + part**2 * slope / 2))
    return out


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_bounds_hold_and_say_something(n: int) -> None:
    t = np.array([0, 1, 4 * n, 20 * n])
    sizes, levels = [n] * (20 * n), np.array([0.05, 0.5, 0.99])
    found = gaussian.exceeds(levels, sizes, 1, t).values
    most = gaussian.exceeds_at_most(levels, sizes, 1, t)
    assert np.all(np.abs(found - most.values) <= most.error + 1e-13)
    ceiling = most.values + most.error
    looser = np.minimum(np.exp(-t / (4 * n - 1))[:, None] / levels, 1.0)
    assert np.all(ceiling <= looser + 1e-13)
    assert ceiling[-1, -1] < 0.01


# Simulation ------------------------------------------------------------------------------------------------

REPLICATES = 40_000


def fitted(
    sizes: list[int], ddof: int, dimensions: int = 1, scale: tuple[float, ...] = (1.0,)
) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances after the last of several fits to samples, by numpy's own normal numbers."""
    rng = np.random.default_rng(7)
    mean = np.zeros((REPLICATES, dimensions))
    root = np.tile(np.diag(np.sqrt(np.broadcast_to(scale, dimensions))), (REPLICATES, 1, 1))
    for n in sizes:
        x = mean[:, None] + rng.standard_normal((REPLICATES, n, dimensions)) @ root.transpose(0, 2, 1)
        mean = x.mean(axis=1)
        x -= mean[:, None]
        cov = x.transpose(0, 2, 1) @ x / (n - ddof)
        root = np.linalg.cholesky(cov)
    return mean, cov


@pytest.mark.parametrize("ddof", [0, 1])
def test_one_dimension_simulated(ddof: int) -> None:
    sizes = [6, 9, 5, 12]
    mean, cov = fitted(sizes, ddof)
    variance, t = cov[:, 0, 0], [4]
    first, second, fourth = (gaussian.power_mean(p, sizes, ddof, t).values[0] for p in (0.5, 1.0, 2.0))
    require(normal_test(np.sqrt(variance), first, second - first**2), effect=0.03)
    require(normal_test(variance, second, fourth - second**2), effect=0.08)
    log = gaussian.log_det(sizes, ddof, t)
    require(normal_test(np.log(variance), log.values[0], log.variance[0]), effect=0.07)
    drift = gaussian.spread(composition(Plan((1, 1), tuple(sizes))), ddof, t).drift[0]
    require(normal_test(mean[:, 0] ** 2, drift, np.var(mean[:, 0] ** 2)), effect=0.08)
    distance = mean[:, 0] ** 2 + (np.sqrt(variance) - 1) ** 2
    expected = gaussian.wasserstein(sizes, ddof, t).values[0]
    require(normal_test(distance, expected, np.var(distance)), effect=0.08)
    for level in (0.4, 0.8, 1.2):
        chance = gaussian.exceeds(level, sizes, ddof, t).values[0]
        require(count_test(np.sum(variance > level**2), REPLICATES, chance), effect=0.03)


@pytest.mark.parametrize("ddof", [0, 1])
def test_three_dimensions_simulated(ddof: int) -> None:
    sizes, t, scale = [7, 9, 6], [3], (4.0, 1.0, 0.25)
    mean, cov = fitted(sizes, ddof, 3, scale)
    log = gaussian.log_det(sizes, ddof, t, dimensions=3)
    require(normal_test(np.linalg.slogdet(cov)[1], log.values[0], log.variance[0]), effect=0.12)
    spread = gaussian.spread(composition(Plan((1, 1), tuple(sizes))), ddof, t)
    trace = np.trace(cov, axis1=1, axis2=2)
    require(normal_test(trace, spread.values[0] * 5.25, np.var(trace)), effect=0.25)
    moved = np.sum(mean**2, axis=1)
    require(normal_test(moved, spread.drift[0] * 5.25, np.var(moved)), effect=0.2)
    distance = moved + trace + 5.25 - 2 * _bures(cov, np.sqrt(np.array(scale)))
    bound = gaussian.wasserstein(sizes, ddof, t, variances=scale)
    slack = 7 * np.std(distance) / math.sqrt(REPLICATES)  # false alarms: 3e-12
    assert bound.kind == "bound"
    assert abs(distance.mean() - bound.values[0]) <= bound.error[0] + slack
    assert bound.error[0] < 0.15 * bound.values[0]


def _bures(cov: np.ndarray, root: np.ndarray) -> np.ndarray:
    """``tr (R cov R)^(1/2)`` for diagonal R."""
    inside = cov * root[:, None] * root[None, :]
    return np.sqrt(np.maximum(np.linalg.eigvalsh(inside), 0.0)).sum(axis=1)


def test_window_simulated_with_ddof_1() -> None:
    """By samples, that the recursion's divisor and window are those of numpy's var(ddof=1)."""
    rng = np.random.default_rng(8)
    n, batches = 4, []
    mean, sd = np.zeros(REPLICATES), np.ones(REPLICATES)
    for _ in range(4):
        batches = [*batches, mean[:, None] + sd[:, None] * rng.standard_normal((REPLICATES, n))][-2:]
        pool = np.concatenate(batches, axis=1)
        mean, variance = pool.mean(axis=1), pool.var(axis=1, ddof=1)
        sd = np.sqrt(variance)
    found = gaussian.spread(composition(constant(4, n, ages=(1, 1))), 1, [4])
    require(normal_test(variance, found.values[0], np.var(variance)), effect=0.07)
    require(normal_test(mean**2, found.drift[0], np.var(mean**2)), effect=0.07)


# What cannot be asked --------------------------------------------------------------------------------------


def test_refusals() -> None:
    with pytest.raises(SpecError, match="ddof: 2"):
        gaussian.power_mean(0.5, [10], 2)
    with pytest.raises(SpecError, match=r"samples: 3.* singular covariance in 3 dimension"):
        gaussian.log_det([10, 3], 1, dimensions=3)
    with pytest.raises(SpecError, match="power"):
        gaussian.power_mean(-0.5, [2], 1)
    with pytest.raises(SpecError, match="threshold"):
        gaussian.exceeds(0.0, [10], 1)
    with pytest.raises(SpecError, match="at: 2 lies outside 0 to 1"):
        gaussian.exceeds(0.1, [10], 1, [2])
    with pytest.raises(SpecError, match=r"regime\.ages"):
        gaussian.spread(composition(constant(10_002, 10, ages=(1,) * 10_001)), 1)
    with pytest.raises(SpecError, match="variances"):
        gaussian.wasserstein([10], 1, variances=[1.0, -1.0])

# SPDX-License-Identifier: MIT
"""Closed forms and published rows against the oracles. No simulation here: these are equalities."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tests.oracles import dual, moments
from tests.oracles.plan import Plan


def mandelbrot(k: int) -> np.ndarray:
    """Zipf-Mandelbrot probabilities: exponent 1, shift 2.7, ranks from 1."""
    value = 1.0 / (np.arange(1, k + 1) + 2.7)
    return value / value.sum()


def test_replace_loses_one_nth_of_the_heterozygosity_a_generation() -> None:
    plan = Plan((5, 2, 1), (7, 40, 3, 12, 300))
    left = np.cumprod([1.0, *(1.0 - 1.0 / np.array(plan.samples))])
    h = moments.heterozygosity(plan)
    assert h == pytest.approx(h[0] * left, rel=1e-13)
    for q in plan.reference:
        assert moments.share_variance(plan, q) == pytest.approx(q * (1 - q) * (1 - left), abs=1e-14)


def test_anchored_recursion_and_its_stationary_variance() -> None:
    n, m, t = 40, 3, 4000
    plan = Plan((5, 2, 1), (n,) * t, fresh=(m,) * t)
    square, alpha = np.sum(np.square(plan.reference)), m / n
    s = [square, square + (1 - square) / n]
    for _ in range(t - 1):
        noise = (m * (1 - square) + (n - m) * (1 - s[-1])) / n**2
        s.append(alpha * (2 - alpha) * square + (1 - alpha) ** 2 * s[-1] + noise)
    assert moments.heterozygosity(plan) == pytest.approx(1 - np.array(s), rel=1e-12)
    theta = n * (2 * alpha - alpha**2) - alpha
    for q in plan.reference:
        assert moments.share_variance(plan, q)[-1] == pytest.approx(q * (1 - q) / (1 + theta), rel=1e-10)


def test_accumulate_keeps_a_product_that_does_not_vanish() -> None:
    n, t = 9, 2000
    plan = Plan((5, 2, 1), (n,) * t, ages=None)
    h = moments.heterozygosity(plan)
    j = np.arange(1, t + 1)
    assert h[1:] == pytest.approx(h[0] * np.cumprod(1 - 1 / (n * j**2)), rel=1e-12)
    x = np.pi / np.sqrt(n)
    assert h[-1] == pytest.approx(h[0] * np.sin(x) / x, rel=1e-4)


def test_accumulate_subsample_levels_off() -> None:
    """``n Var / q(1-q)`` of the pool and of the fit tends to pi^2/2 - 3 and pi^2/2 - 2."""
    n, t = 20_000, 4000
    square, mass = 0.25, 0.5
    pool, h = square + (mass - square) / n, [0.0]
    for k in range(1, t):
        size = k * n
        drawn = pool + (mass - pool) / n * (size - n) / (size - 1)
        h.append(drawn)
        made = drawn + (mass - drawn) / n
        pool = (k**2 * pool + 2 * k * pool + made) / (k + 1) ** 2
    assert n * (pool - square) / square == pytest.approx(np.pi**2 / 2 - 3, rel=2e-3)
    assert n * (h[-1] - square) / square == pytest.approx(np.pi**2 / 2 - 2, rel=2e-3)
    short = 300
    plan = Plan((1, 1), (n,) * short, draw=(n,) * short)
    assert moments.share_variance(plan, 0.5)[1:short] + 0.25 == pytest.approx(h[1:short], rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(10, 10), (5, 20), (30, 7)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_weighted_real_share_has_its_stationary_variance(n: int, m: int, share: float) -> None:
    t = 3000
    items = (round(1000 * (1 - share)) * n, round(1000 * share) * m, 0)
    plan = Plan((3, 1), (n + m,) * t, fresh=(n,) * t, item_weights=(items,) * t)
    expected = (share**2 / n + (1 - share) ** 2 / m) / (1 - (1 - share) ** 2 * (1 - 1 / m))
    assert moments.share_variance(plan, 0.25)[-1] == pytest.approx(0.1875 * expected, rel=1e-9)


@pytest.mark.parametrize(("k", "best"), [(0.25, 0.390), (0.5, 0.5), (1, 0.618), (2, 0.732), (4, 0.828)])
def test_best_weight_on_real_data(k: float, best: float) -> None:
    """The stationary variance of a real batch of n and a synthetic one of n/k, for large n."""
    n = 1e7

    def variance(w: float) -> float:
        m = n / k
        return n * (w**2 / n + (1 - w) ** 2 / m) / (1 - (1 - w) ** 2 * (1 - 1 / m))

    found = minimize_scalar(variance, bounds=(0.01, 0.99), method="bounded", options={"xatol": 1e-9}).x
    assert found == pytest.approx(best, abs=6e-4)
    assert found == pytest.approx((np.sqrt(k * k + 4 * k) - k) / 2, abs=1e-5)


def test_best_weight_for_ten_and_ten_is_a_little_smaller() -> None:
    def variance(w: float) -> float:
        return (w**2 / 10 + (1 - w) ** 2 / 10) / (1 - (1 - w) ** 2 * 0.9)

    assert minimize_scalar(variance, bounds=(0.1, 0.9), method="bounded").x == pytest.approx(0.607, abs=5e-4)


SHARES = {1: 0.39007, 2: 0.29259, 3: 0.23941, 4: 0.20469, 5: 0.17983, 9: 0.12393, 10: 0.11541}
RELATIVE = {2: 0.7501, 3: 0.6138, 5: 0.4610, 10: 0.2959}


def test_share_of_words_present() -> None:
    """K = N = 1000: by whole tables, and by windows."""
    reference = mandelbrot(1000)
    share = 1 - dual.absent(reference, [1000] * 10).mean(axis=1)
    for t, value in SHARES.items():
        assert share[t - 1] == pytest.approx(value, abs=5.1e-6)
        by_window = dual.absent_by(*dual.ancestors([1000] * t), reference)
        assert share[t - 1] == pytest.approx(1 - by_window.mean(), rel=1e-12)
    for t, value in RELATIVE.items():
        assert share[t - 1] / share[0] == pytest.approx(value, abs=5.1e-5)


@pytest.mark.parametrize(
    ("k", "n", "mean", "sd"),
    [
        (10, 10, 17.50, 10.1),
        (10, 100, 187.43, 107),
        (10, 1000, 1893.5, 1075),
        (2, 100, 136.60, None),
        (100, 100, 196.74, None),
    ],
)
def test_generations_until_one_category_is_left(k: int, n: int, mean: float, sd: float | None) -> None:
    found = dual.fixation_time(np.full(k, 1 / k), n)
    assert found[0] == pytest.approx(mean, abs=0.051 if mean > 1000 else 0.0051)
    if sd is not None:
        assert found[1] == pytest.approx(sd, rel=5e-3)


def test_diffusion_time_is_a_little_high() -> None:
    """``-2N sum (1-q) ln(1-q)`` is 0.2 to 8 % above the exact mean."""
    for k, n in [(10, 10), (10, 100), (2, 100), (100, 100), (10, 500)]:
        diffusion = -2 * n * k * (1 - 1 / k) * np.log(1 - 1 / k)
        assert 1.002 < diffusion / dual.fixation_time(np.full(k, 1 / k), n)[0] < 1.09


def test_trace_ratios() -> None:
    """Kept heterozygosity at t = 100, n = 100: the same products as the Gaussian's variance."""
    n, t = 100, 100
    ratio = [
        moments.heterozygosity(plan)[t] / 0.5
        for plan in (
            Plan((1, 1), (n,) * t),
            Plan((1, 1), (n,) * t, ages=None),
            Plan((1, 1), (n,) * t, draw=(n,) * t),
        )
    ]
    assert ratio == pytest.approx([0.3660, 0.9837, 0.9713], abs=5.1e-5)


def test_rare_category_under_anchored_is_not_seen_through_a_dirichlet_law() -> None:
    """N = 500, m = 50, q = .02: absence .0177 exact; the stationary law for small shares says .027."""
    n, m, q, t = 500, 50, 0.02, 200
    exact = dual.absent(np.array([q]), [n] * t, [m] * t)[-1, 0]
    assert exact == pytest.approx(0.0177, abs=5.1e-5)
    theta, j = 2 * m, np.arange(n)
    assert np.prod((theta * (1 - q) + j) / (theta + j)) == pytest.approx(0.027, abs=5e-4)
    f = [0.0]
    for _ in range(t):
        f.append(np.exp((1 - m / n) * (f[-1] - 1)))
    branching = np.exp(-n * q * (1 - f[t - 1]) - m * q * sum(1 - x for x in f[: t - 1]))
    assert branching == pytest.approx(exact, abs=2.5e-3)


def test_rare_category_under_replace_follows_the_branching_law() -> None:
    n, c = 20_000, 3
    for t in (1, 2, 5):
        g = 1.0
        for _ in range(t - 1):
            g = 1 - np.exp(-g)
        present = 1 - dual.absent_by(*dual.ancestors([n] * t), np.array([c / n]))[0]
        assert present == pytest.approx(1 - np.exp(-c * g), abs=1e-3)

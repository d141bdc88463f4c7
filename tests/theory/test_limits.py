# SPDX-License-Identifier: MIT
"""Limits against the ancestral dual, each within the error that its docstring states."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.linalg import solve_triangular

from tailbiter import SpecError
from tailbiter.theory import limits
from tailbiter.theory._branching import first_below, lifetime, survival
from tests.oracles import dual

Floats = np.ndarray


@cache
def exact(size: int, fresh: int, generations: int, counts: tuple[float, ...]) -> Floats:
    """Absence from generation 1 on, by whole tables."""
    mass = np.array(counts) / size
    return dual.absent(mass, (size,) * generations, (fresh,) * generations if fresh else ())


def rare(size: int) -> tuple[float, ...]:
    return tuple(c for c in (0.001, 0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 10.0) if c <= size / 100)


# Absence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 300, 1000])
def test_absence_under_replace(size: int) -> None:
    counts, t = np.array(rare(size)), size // 10
    truth = exact(size, 0, t, rare(size))
    found = limits.absence(counts, size, np.arange(1, t + 1))
    assert found.kind == "limit"
    within(found.values, truth, 0.4 * counts / size)


@pytest.mark.parametrize(("size", "fresh"), [(100, 10), (100, 60), (300, 10), (300, 30)])
def test_absence_with_fresh_data(size: int, fresh: int) -> None:
    counts, t = np.array(rare(size)), 2 * size
    truth = exact(size, fresh, t, rare(size))
    at = np.arange(1, t + 1)
    within(limits.absence(counts, size, at, fresh=fresh).values, truth, 0.5 * counts / size)
    end = limits.stationary_absence(counts, size, fresh).values
    assert np.all(np.abs(end - truth[-1]) <= 0.013 * (1 - truth[-1]))
    kept = limits.categories_kept(counts, size, fresh, copies=3).values
    assert kept == pytest.approx(3 * np.sum(1 - truth[-1]), rel=0.013)


@pytest.mark.parametrize(("size", "fresh"), [(100, 1), (300, 5), (300, 9)])
def test_absence_early_on_with_few_fresh_items(size: int, fresh: int) -> None:
    t = size // 10
    truth = exact(size, fresh, t, rare(size))
    found = limits.absence(rare(size), size, np.arange(1, t + 1), fresh=fresh).values
    within(found, truth, 0.5 * np.array(rare(size)) / size)


def within(values: Floats, truth: Floats, most: Floats) -> None:
    """The errors that `limits.absence` states, and no statement ten times too wide."""
    error = np.abs(values - truth)
    assert np.all(error <= most)
    assert np.all(error <= 0.025 * (1 - truth))
    assert np.any(error > 0.1 * most)


def test_absence_a_generation_late_would_be_seen() -> None:
    truth = exact(300, 0, 30, rare(300))
    late = limits.absence(rare(300), 300, np.arange(30)).values
    with pytest.raises(AssertionError):
        within(late, truth, 0.4 * np.array(rare(300)) / 300)


def test_absence_at_the_ends() -> None:
    found = limits.absence([0.0, 2.0], 1000, [0, 1, 0]).values
    assert found.tolist() == [[1.0, 0.0], [1.0, math.exp(-2.0)], [1.0, 0.0]]
    human = limits.absence(2.0, 1000, [1, 2, 500], fresh=1000).values
    assert human == pytest.approx(np.full(3, math.exp(-2.0)))


@pytest.mark.parametrize(("size", "fresh"), [(100, 1), (400, 1), (400, 2), (400, 4)])
def test_dirichlet_and_ewens_at_small_shares(size: int, fresh: int) -> None:
    mass = np.array([0.001, 0.01, 0.1, 0.5])
    t = min(14 * size // fresh // 2, 1500)
    truth = exact(size, fresh, t, tuple(mass * size))[-1]
    found = limits.dirichlet_absence(mass, size, fresh).values
    assert np.all(np.abs(found - truth) <= 0.033 * (1 - truth))
    lines = (1 - dual.absent(np.array([1e-6]), (size,) * t, (fresh,) * t)[-1, 0]) / 1e-6
    assert limits.human_ancestors(size, fresh).values == pytest.approx(lines, rel=0.034)


def test_dirichlet_is_the_product_of_the_sheet() -> None:
    size, fresh, q = 200, 2, np.array([0.0, 0.003, 0.4, 1.0])
    theta, j = 4.0, np.arange(200)[:, None]
    product = np.prod((theta * (1 - q) + j) / (theta + j), axis=0)
    assert limits.dirichlet_absence(q, size, fresh).values == pytest.approx(product, rel=1e-12)
    many = 10**12  # where differences of ln Gamma have no digit left
    approx = math.exp(math.lgamma(4.0) - math.lgamma(2.0) - 2.0 * math.log(many))
    assert limits.dirichlet_absence(0.5, many, 2).values == pytest.approx(approx, rel=1e-10)


def test_stationary_identity_is_where_the_recursion_ends() -> None:
    n, m, v = 500, 50, 1 / 500
    for _ in range(2000):
        v = (m / n) ** 2 / m + (1 - m / n) ** 2 * (v + (1 - v) / (n - m))
    found = limits.stationary_identity(n, m)
    assert found.kind == "exact"
    assert found.values == pytest.approx(v, rel=1e-12)


# The numbers behind ----------------------------------------------------------------------------------------


def test_survival_falls_as_two_over_t() -> None:
    u = survival(0.0, 100_000)
    t = np.array([10**3, 10**4, 10**5])
    assert u[:3] == pytest.approx([1.0, 1 - math.exp(-1), 1 - math.exp(math.exp(-1) - 1)])
    assert u[t - 1] * t / 2 == pytest.approx(np.ones(3), abs=0.004)


@pytest.mark.parametrize("alpha", [1e-5, 1e-3, 0.0099, 0.01, 0.3, 0.999, 1.0])
def test_lifetime_is_the_sum(alpha: float) -> None:
    total = float(np.sum(survival(alpha, 2_000_000 if alpha < 1e-4 else 50_000)))
    assert lifetime(alpha) == pytest.approx(total, abs=1e-4)


def test_first_below_meets_its_series() -> None:
    """Levels on both sides of where the table ends, midway between two values of it."""
    u = survival(0.0, 10_000)
    for t in (1, 2, 30, 4094, 4095, 4096, 4097, 4098, 9999):
        assert first_below((u[t - 1] + u[t]) / 2) == t + 1
    assert first_below([1.0, 2.0]).tolist() == [1.0, 1.0]


# Times -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [100, 1000])
def test_median_time_to_forget(size: int) -> None:
    counts = rare(size)
    truth = 1 + np.argmax(exact(size, 0, size // 10, counts) >= 0.5, axis=0)
    found = limits.forgetting_median(counts, size).values
    assert np.all(np.abs(found - truth) <= np.maximum(1.0, 0.01 * truth))


def test_median_of_a_common_enough_category_in_a_large_batch() -> None:
    """c = 30 of 3000: the exact median is 85; 2c/ln 2 alone would say 87."""
    size, count, at = 3000, 30.0, {}
    law, start = np.ones(1), size
    for t in range(1, 95):
        at[t] = dual.absent_by(law, start, np.array([count / size]))[0]
        law, start = dual.throw(law, start, size)
    truth = next(t for t, absent in at.items() if absent >= 0.5)
    assert abs(limits.forgetting_median(count, size).values - truth) <= 1.0
    assert 2 * count / math.log(2) - truth > 1.5


@cache
def mean_forgetting(size: int) -> dict[float, float]:
    """Exact mean time to forget given that it is forgotten: sums over t by a triangular system."""
    mass = [c / size for c in (1, 2, 3, 10, 30, 100, 300) if c < size] + [0.5, 0.9]
    many = np.arange(2, size + 1)
    stay = np.eye(size - 1) - dual.occupancy(size, size)[2:, 2:]
    lost_later = np.stack([1 - q - (1 - q) ** many for q in mass], axis=1)
    sums = solve_triangular(stay, lost_later, lower=True)[-1]
    return {q: 1.0 + total / (1 - q) for q, total in zip(mass, sums, strict=True)}


@pytest.mark.parametrize("size", [10, 30, 100, 1000])
def test_mean_time_to_forget(size: int) -> None:
    for q, truth in mean_forgetting(size).items():
        found = float(limits.forgetting_mean(q, size).values)
        assert abs(found - truth) <= (0.08 if size * q < 3 else 0.02)
        diffusion = -2 * size * q / (1 - q) * math.log(q)
        assert diffusion - truth > 0.6  # what the correction takes away


@pytest.mark.parametrize("size", [10, 100, 1000])
@pytest.mark.parametrize("categories", [2, 10, 100])
def test_mean_time_to_one_category(size: int, categories: int) -> None:
    even = np.full(categories, 1.0 / categories)
    skewed = 1.0 / np.arange(1, categories + 1)
    for q in (even, skewed / skewed.sum()):
        truth = dual.fixation_time(q, size)[0]
        found = float(limits.collapse_mean(q, size).values)
        assert abs(found - truth) <= 0.02
    grouped = limits.collapse_mean(1.0 / categories, size, copies=categories).values
    assert grouped == pytest.approx(limits.collapse_mean(even, size).values, rel=1e-13)


@pytest.mark.parametrize("size", [10, 30, 100])
def test_mean_time_to_one_category_where_one_has_nearly_everything(size: int) -> None:
    for left in (1, 2, 3):
        for others in (3, 50):
            q = np.append(1 - left / size, np.full(others, left / size / others))
            truth = dual.fixation_time(q, size)[0]
            found = float(limits.collapse_mean(q, size).values)
            assert abs(found - truth) <= (0.08 if left < 3 else 0.02)


def test_generations_until_one_category_is_left_as_the_sheet_has_them() -> None:
    found = [float(limits.collapse_mean(0.1, n, copies=10).values) for n in (10, 100, 1000)]
    assert np.abs(np.array(found) - [17.50, 187.43, 1893.5]).max() < 0.05
    found = [float(limits.collapse_mean(1 / k, 100, copies=k).values) for k in (2, 10, 100)]
    assert np.abs(np.array(found) - [136.60, 187.43, 196.74]).max() < 0.02


def test_half_life_of_a_tail() -> None:
    size, counts, copies = 1000, np.array([0.3, 1.0, 3.0, 10.0]), np.array([30.0, 10.0, 4.0, 1.0])
    truth = exact(size, 0, 100, tuple(counts))
    coverage = (1 - truth) @ (counts * copies)
    first = 1 + int(np.argmax(coverage <= coverage[0] / 2))
    found = float(limits.tail_half_life(counts, size, copies=copies).values)
    assert abs(found - first) <= max(1.0, 0.01 * first)
    equal = float(limits.tail_half_life(1000.0, 10**6).values)
    assert equal == float(limits.forgetting_median(1000.0, 10**6).values)


# Shares ----------------------------------------------------------------------------------------------------


def test_share_needed_is_where_half_is_left() -> None:
    size, counts, copies = 500, np.array([1.0, 3.0, 5.0]), np.array([1.0, 2.0, 1.0])
    share = float(limits.share_needed(counts, size, copies=copies).values)
    below, above = math.floor(share * size), math.ceil(share * size)
    left = [
        float((1 - exact(size, fresh, 600, tuple(counts)))[-1] @ copies / 4)
        for fresh in (below - 1, above + 1)
    ]
    assert left[0] < 0.5 < left[1]
    whole = limits.stationary_absence(10.0, 10**6, round(10**6 * 0.008126)).values
    assert limits.share_needed(10.0, 10**6).values == pytest.approx(0.008126, abs=1e-6)
    assert whole == pytest.approx(0.5, abs=1e-3)


def test_presence_never_falls_as_the_share_grows() -> None:
    shares = np.unique(np.geomspace(10, 10**6, 200).astype(int))
    kept = [float(limits.categories_kept(5.0, 10**6, int(m)).values) for m in shares]
    assert np.all(np.diff(kept) > 0)


# Outside of the domain -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: limits.absence([1.0], 99, [1]), "samples"),
        (lambda: limits.absence([11.0], 1000, [1]), "counts"),
        (lambda: limits.absence([-1.0], 1000, [1]), "counts"),
        (lambda: limits.absence([1.0], 1000, [101]), "at"),
        (lambda: limits.absence([1.0], 1000, [101], fresh=9), "at"),
        (lambda: limits.absence([1.0], 1000, [-1]), "at"),
        (lambda: limits.absence([1.0], 1000, [1], fresh=1001), "fresh"),
        (lambda: limits.stationary_absence([1.0], 1000, 9), "fresh"),
        (lambda: limits.categories_kept([1.0], 1000, 0), "fresh"),
        (lambda: limits.share_needed(0.5, 1000), "presence"),
        (lambda: limits.share_needed(1000.0, 200_000), "presence"),
        (lambda: limits.dirichlet_absence(0.1, 1000, 11), "fresh"),
        (lambda: limits.dirichlet_absence(1.1, 1000, 10), "mass"),
        (lambda: limits.human_ancestors(1000, 11), "fresh"),
        (lambda: limits.stationary_identity(1000, 0), "fresh"),
        (lambda: limits.forgetting_median(11.0, 1000), "counts"),
        (lambda: limits.forgetting_mean(0.0009, 1000), "mass"),
        (lambda: limits.forgetting_mean(1.0, 1000), "mass"),
        (lambda: limits.forgetting_mean(0.5, 9), "samples"),
        (lambda: limits.collapse_mean([0.5, 0.4], 1000), "probabilities"),
        (lambda: limits.collapse_mean([0.9999, 0.0001], 1000), "probabilities"),
        (lambda: limits.tail_half_life(11.0, 1000), "counts"),
        (lambda: limits.tail_half_life(0.0, 1000), "counts"),
    ],
)
def test_refusals(call: object, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        call()
    assert caught.value.field == field
    assert "\n" not in str(caught.value)

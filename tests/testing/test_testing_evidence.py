# SPDX-License-Identifier: MIT
"""The evidence itself: inequalities it stands on, expectations at most 1 by enumeration, what it can see."""

from itertools import product
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import tailbiter as tb
from tailbiter.errors import SpecError
from tailbiter.testing import cdf_power, law_evidence, law_power, mean_evidence
from tailbiter.testing._evidence import (
    BET_PRICE,
    BETS,
    Sums,
    above_by_bound,
    above_by_coin,
    above_by_variance,
    cdf_allowance,
    law_radius,
)
from tailbiter.testing.power import _largest_regret

LAWS = {
    "coin": ([0.0, 1.0], [0.5, 0.5]),
    "rare": ([0.0, 1.0], [0.97, 0.03]),
    "common": ([0.0, 1.0], [0.03, 0.97]),
    "three": ([0.0, 0.2, 1.0], [0.3, 0.5, 0.2]),
    "sure": ([0.4], [1.0]),
}


def outcomes(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Every sequence of n values ``[n, sequence]``, and its probability."""
    values, chances = LAWS[name]
    picks = np.array(list(product(range(len(values)), repeat=n))).T
    return np.array(values)[picks], np.prod(np.array(chances)[picks], axis=0)


def mean_of(name: str) -> float:
    values, chances = LAWS[name]
    return float(np.dot(values, chances))


def variance_of(name: str) -> float:
    values, chances = LAWS[name]
    return float(np.dot(np.square(values), chances)) - mean_of(name) ** 2


def test_fans_inequality() -> None:
    x = np.concatenate([np.linspace(-1, 3, 4001), np.geomspace(3, 1e6, 500)])
    for bet, price in zip(BETS, BET_PRICE, strict=True):
        assert np.all(bet * x + price * x**2 <= np.log1p(bet * x) + 1e-15)


def test_delyons_inequality_and_the_convex_function_between() -> None:
    y = np.concatenate([-np.geomspace(1e4, 1e-9, 4000), np.geomspace(1e-9, 1e4, 4000)])
    between = np.where(y < -1.5, 0.25, 1 + y + y**2 / 3)
    assert np.all(np.exp(y - y**2 / 6) <= between * (1 + 1e-15))
    assert np.all(between <= 1 + y + y**2 / 3)
    assert np.all(np.diff(between) >= 0)
    even = np.linspace(-4, 4, 1001)
    assert np.all(np.diff(np.where(even < -1.5, 0.25, 1 + even + even**2 / 3), 2) >= -1e-12)


@pytest.mark.parametrize("name", sorted(LAWS))
@pytest.mark.parametrize("n", [1, 2, 5, 9])
@pytest.mark.parametrize("given_", ["bounds", "variance", "both", "low", "high"])
def test_expectation_is_at_most_one(name: str, n: int, given_: str) -> None:
    """By adding up over all sequences; a control whose mean is off shows that the sum can exceed 1."""
    if name == "three" and n == 9:
        n = 7
    values, chances = outcomes(name, n)
    known = {
        "bounds": {"low": 0.0, "high": 1.0},
        "variance": {"variance": variance_of(name)},
        "both": {"low": 0.0, "high": 1.0, "variance": variance_of(name)},
        "low": {"low": 0.0},
        "high": {"high": 1.0},
    }[given_]

    def expectation(expected: float, error: float = 0.0) -> float:
        log_e = mean_evidence(values, np.full(values.shape[1], expected), error=error, **known)
        return float(np.dot(chances, np.exp(log_e)))

    assert expectation(mean_of(name)) <= 1 + 1e-9
    assert expectation(mean_of(name) + 0.01, error=0.01) <= 1 + 1e-9
    assert expectation(mean_of(name) - 0.01, error=0.02) <= 1 + 1e-9


def test_expectation_exceeds_one_where_the_mean_is_another() -> None:
    values, chances = outcomes("coin", 9)
    wrong = np.full(values.shape[1], 0.05)
    assert np.dot(chances, np.exp(mean_evidence(values, wrong, low=0, high=1))) > 1.1
    assert np.dot(chances, np.exp(mean_evidence(values, wrong, variance=1 / 4))) > 9


@pytest.mark.parametrize("name", ["coin", "rare", "common", "three"])
@pytest.mark.parametrize("centre", [0.0, 0.05, 0.3])
def test_one_side_holds_for_every_lower_mean(name: str, centre: float) -> None:
    """The null hypothesis is "at most": also where the true mean lies far below, and bets are large."""
    values, chances = outcomes(name, 7)
    m = np.full(values.shape[1], mean_of(name) + centre)
    sums = Sums.of(values, m)
    assert np.dot(chances, np.exp(above_by_bound(sums, m))) <= 1 + 1e-12
    assert np.dot(chances, np.exp(above_by_coin(sums, m, np.ones_like(m)))) <= 1 + 1e-12
    for spread in (0.01, 1.0, 30.0):
        log_e = above_by_variance(sums, np.full_like(m, variance_of(name)), np.full_like(m, spread))
        assert np.dot(chances, np.exp(log_e)) <= 1 + 1e-12


@pytest.mark.parametrize("name", ["coin", "rare", "three"])
def test_steps_are_supermartingales(name: str) -> None:
    """Given any past, the expected next value of the process is at most the present one."""
    past, _ = outcomes(name, 5)
    values, chances = LAWS[name]
    m = np.full(past.shape[1], mean_of(name))
    spread, variance = np.full_like(m, 3.0), np.full_like(m, variance_of(name))
    for process in (
        lambda s: above_by_bound(s, m),
        lambda s: above_by_coin(s, m, np.ones_like(m)),
        lambda s: above_by_variance(s, variance, spread),
    ):
        now = np.exp(process(Sums.of(past, m)))
        later = sum(
            p * np.exp(process(Sums.of(np.vstack([past, np.full(past.shape[1], v)]), m)))
            for v, p in zip(values, chances, strict=True)
        )
        assert np.all(later <= now * (1 + 1e-12))


def test_sums_move_and_add() -> None:
    rng = np.random.default_rng(5)
    values, centre = rng.random((1000, 3)), np.array([0.1, 0.5, 2.0])
    by = np.array([0.3, -0.7, 1e-3])
    moved, direct = Sums.of(values, centre).moved(by), Sums.of(values, centre + by)
    assert np.allclose(moved.total, direct.total)
    assert np.allclose(moved.square, direct.square)
    added = Sums.of(values[:300], centre) + Sums.of(values[300:], centre)
    assert added.n == 1000
    assert np.allclose(added.square, Sums.of(values, centre).square)


@pytest.mark.parametrize("known", [{"low": 0, "high": 1}, {"variance": 1 / 12}])
def test_evidence_is_not_wasteful(known: dict) -> None:
    """At rate 1e-9 a departure shows with at most 1.6 times the values of a likelihood ratio."""
    rng = np.random.default_rng(3)
    shift = 0.02
    n = int(1.6 * 2 * log(1e9) * (1 / 12) / shift**2)
    values = rng.random((n, 400))
    log_e = mean_evidence(values, np.full(400, 0.5 - shift), **known)
    assert np.mean(log_e > log(1e9)) > 0.75
    assert np.all(mean_evidence(values, np.full(400, 0.5), **known) < log(1e9))


def test_what_hardly_ever_happens_is_evidence_when_it_does() -> None:
    """A chance of 1e-6, and 5 in 1000: the likelihood ratio of the best rival is 4e16."""
    values = np.zeros(1000)
    values[:5] = 1
    assert mean_evidence(values, 1e-6, low=0, high=1) > log(1e12)
    assert mean_evidence(1 - values, 1 - 1e-6, low=0, high=1) > log(1e12)
    assert mean_evidence(values, 0.0, low=0, high=1) > log(1e12)


def test_values_equal_up_to_rounding_are_no_evidence() -> None:
    values = np.full((100_000, 2), 0.1 + 0.2)
    for known in ({"low": 0, "high": 1}, {"variance": 0.0}):
        assert np.all(mean_evidence(values, [0.3, 0.3], **known) <= 0)
        assert np.all(mean_evidence(values, [0.3, 0.3001], **known) <= [0, np.inf])
    assert mean_evidence(values[:, 0], 0.3001, variance=0.0) > log(1e9)


def test_many_cells_and_replicates_are_quick() -> None:
    import time

    values = np.random.default_rng(1).random((20_000, 1000))
    start = time.process_time()
    log_e = mean_evidence(values, np.full(1000, 0.5), low=0, high=1, variance=1 / 12)
    assert time.process_time() - start < 2
    assert log_e.shape == (1000,)


def test_cells_keep_their_shape_and_order() -> None:
    values = np.random.default_rng(1).random((5000, 2, 3))
    expected = np.full((2, 3), 0.5)
    expected[1, 2] = 0.6
    log_e = mean_evidence(values, expected, low=0, high=1)
    assert log_e.shape == (2, 3)
    assert np.argwhere(log_e > log(1e9)).tolist() == [[1, 2]]
    assert mean_evidence(values[:, 0, 0], 0.5, low=0, high=1).shape == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": []}, "values: .* is the shape of no replicates"),
        ({"values": 3.0}, "values: .* is the shape of no replicates"),
        ({"values": [[0.1, np.nan]]}, "values: .* not finite"),
        ({"values": [[0.1, 2.0]]}, "values: 2.0 is above the bound 1.0"),
        ({"values": [[-0.1, 1.0]]}, "values: -0.1 is below the bound 0.0"),
        ({"expected": [0.5] * 3}, "expected: .* not a number for each cell"),
        ({"expected": [0.5, np.inf]}, "expected: .* not finite"),
        ({"variance": -1}, "variance: -1.0 is negative"),
        ({"low": None, "high": None}, "variance: None is not given"),
    ],
)
def test_bad_input(change: dict, message: str) -> None:
    arguments = {"values": [[0.1, 0.2]], "expected": [0.5, 0.5], "low": 0, "high": 1} | change
    values, expected = arguments.pop("values"), arguments.pop("expected")
    with pytest.raises(tb.SpecError, match=message) as caught:
        mean_evidence(values, expected, **arguments)
    assert "\n" not in str(caught.value)


def compositions(n: int, k: int) -> np.ndarray:
    return np.array([c for c in product(range(n + 1), repeat=k) if sum(c) == n])


def ways(counts: np.ndarray) -> float:
    left, result = int(counts.sum()), 1
    for count in counts.tolist():
        result *= comb(left, count)
        left -= count
    return float(result)


@pytest.mark.parametrize("law", [(0.5, 0.5), (0.999, 0.001), (0.2, 0.3, 0.5), (0.7, 0.1, 0.1, 0.1)])
def test_evidence_about_laws_has_expectation_one(law: tuple[float, ...]) -> None:
    """Up to the rounding of differences of logarithms of gamma functions."""
    p = np.array(law)
    for n in (1, 3, 8):
        table = compositions(n, len(law))
        chance = [ways(c) * np.prod(p**c) for c in table]
        total = sum(q * exp(law_evidence(c, p)) for c, q in zip(table, chance, strict=True))
        assert total == pytest.approx(1, abs=1e-7)
        rival = np.roll(p, 1)
        total = sum(q * exp(law_evidence(c, p, against=rival)) for c, q in zip(table, chance, strict=True))
        assert total == pytest.approx(1, abs=1e-7)


def test_what_a_law_excludes_is_proof() -> None:
    assert law_evidence([5, 1], [1.0, 0.0]) == np.inf
    assert law_evidence([5, 0], [1.0, 0.0]) == pytest.approx(0)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_regret_is_largest_at_a_corner(k: int, n: int) -> None:
    """What `law_power` takes from the literature, by trying all counts."""
    from scipy.special import xlogy

    from tailbiter.testing._evidence import _log_jeffreys

    regrets = [float(xlogy(c, c / n).sum()) - _log_jeffreys(c) for c in compositions(n, k).astype(float)]
    assert max(regrets) == pytest.approx(_largest_regret(k, n), abs=1e-9)


@pytest.mark.parametrize("p", [0.5, 0.03])
def test_radius_holds_at_every_time(p: float) -> None:
    """Over 300 runs the truth leaves the sequence at rate .05 in few: at most 39 (binomial, 1e-7)."""
    assert binom.sf(39, 300, 0.05) < 1e-7
    rng = np.random.default_rng(8)
    left = 0
    for _ in range(300):
        ones = np.cumsum(rng.random(3000) < p)
        for n in (10, 30, 100, 300, 1000, 3000):
            seen = np.array([n - ones[n - 1], ones[n - 1]])
            if abs(seen[1] / n - p) > law_radius(seen, [0.4, 0.6], 0.05):
                left += 1
                break
    assert left <= 39


def test_power_is_a_lower_bound() -> None:
    """Against the exact binomial probability of reaching the evidence at the last look."""
    p, rival = [0.5, 0.5], [0.44, 0.56]
    for n in (1000, 3000):
        heads = np.arange(n + 1)
        reached = [law_evidence([n - h, h], p) >= log(1e9) for h in heads]
        exact = binom.pmf(heads, n, rival[1])[reached].sum()
        assert law_power(p, rival, effect=0.06, most=n) <= exact
    assert law_power(p, rival, effect=0.06, most=10_000) > 0.99
    with pytest.raises(tb.SpecError, match="below the effect"):
        law_power(p, rival, effect=0.07)


def test_power_with_many_outcomes_counts_what_the_mixture_loses() -> None:
    """False alarms 1e-9; it would see the loss left out."""
    p = np.full(40, 1 / 40)
    rival = p * np.tile([1.2, 0.8], 20)
    rng = np.random.default_rng(12)
    for n in (3000, 12_000):
        found = sum(law_evidence(rng.multinomial(n, rival), p) >= log(1e9) for _ in range(400))
        assert binom.cdf(found, 400, law_power(p, rival, effect=0.1, most=n)) > 1e-9


@given(st.integers(1, 10**9), st.integers(1, 60), st.floats(1e-12, 0.5))
def test_rates_of_looks_add_up(n: int, look: int, rate: float) -> None:
    tail = 2 * exp(-2 * n * cdf_allowance(n, look, rate) ** 2)
    assert tail == pytest.approx(rate / (look * (look + 1)), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: law_evidence([1, 2], [0.5, 0.3, 0.2]),
            r"^counts: \(2,\) is not a count for each of 3 outcomes",
        ),
        (lambda: law_evidence([1, -2], [0.5, 0.5]), r"^counts: \(2,\) is not a count"),
        (lambda: law_evidence([1, 2], [0.5, 0.6]), r"^law: 1\.1 is the sum of no probabilities"),
        (lambda: law_evidence([1, 2], [0.5, 0.5], against=[1.0]), r"^against: \(1,\) is the shape of no law"),
        (lambda: law_power([0.5, 0.5], [1.0], effect=0.1), r"^rival: \(1,\) is the shape of no law"),
        (lambda: cdf_power(1.5, 0.2), r"^expected: 1\.5 is outside \[0, 1\]"),
        (lambda: mean_evidence([[0.5]], [0.5], low=0, high=1, error=-3), r"^error: -3\.0 is negative"),
    ],
)
def test_nonsense_is_refused_in_one_line(call, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        call()


def test_a_rival_that_the_law_excludes_is_always_caught() -> None:
    assert law_power([0.5, 0.5, 0.0], [0.0, 0.0, 1.0], effect=0.1) > 0.999

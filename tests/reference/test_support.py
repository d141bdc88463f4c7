# SPDX-License-Identifier: MIT
"""From real values to whole weights, and the laws that give them."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import tailbiter as tb
from tailbiter.reference._laws import log_gamma_variates

TOTAL = 2**53


def slow_weights(values):
    """The largest power of two whose rounded total fits, by trying them all in exact arithmetic."""
    exact = [Fraction(v) for v in values]
    for shift in range(90, -1, -1):  # totals from 1e-9 to 2**53
        weights = [math.floor(v * Fraction(2) ** shift + Fraction(1, 2)) for v in exact]
        if sum(weights) <= TOTAL:
            return weights
    raise AssertionError


@given(st.lists(st.floats(1e-9, 1) | st.just(0.0) | st.just(0.5), min_size=1, max_size=9).filter(any))
def test_quantised_as_the_rule_says(values):
    weights = slow_weights(values)
    support = tb.Probabilities(values).support
    assert support.weights.tolist() == [w for w in weights if w]
    assert support.position.tolist() == [i for i, v in enumerate(values) if v]


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-60, 1.0, 2.0**1000])
def test_the_scale_does_not_matter(scale):
    values = np.array([0.1, 0.7, 0.2])
    assert np.array_equal(tb.Probabilities(values * scale).support.weights, slow_weights(values.tolist()))


@pytest.mark.parametrize("exponent", [-1073, -1000, -980, 959, 960, 1000, 1023])
def test_the_ends_of_the_range(exponent):
    # Their total may be no double, and the power of two that takes them to 2**53 may be none.
    values = [math.ldexp(v, exponent) for v in (1.0, 1.0, 0.5, 1.0)]
    law = tb.Probabilities(values)
    assert law.support.weights.tolist() == slow_weights([math.ldexp(v, -exponent) for v in values])


@pytest.mark.parametrize("total", [2.0**52, 1.0, 2.0**-29])
@pytest.mark.parametrize("steps", [-6, -3, -2, -1, 0, 1, 2, 3])
@pytest.mark.parametrize("halves", [0, 1, 2, 3, 7, 64])
def test_near_a_power_of_two(total, steps, halves):
    # Halves that round up may take the total above 2**53 where it was below: then the next power down.
    unit = total * 2.0**-53
    values = [*[1000.5 * unit] * halves, total / 2 - (halves * 1001 - steps) * unit, total / 2]
    assert tb.Probabilities(values).support.weights.tolist() == slow_weights(values)


@pytest.mark.parametrize("steps", range(-3, 20))
@pytest.mark.parametrize("quarters", [1, 2, 3, 7, 64])
def test_just_above_a_power_of_two(steps, quarters):
    # Quarters that round down may take the total to 2**53 where it was above: then the power is not lowered.
    unit = 2.0**-53
    values = [*[1000.25 * unit] * quarters, 0.5 - (quarters * 1000 - steps) * unit, 0.5]
    assert tb.Probabilities(values).support.weights.tolist() == slow_weights(values)


def test_halves_round_up_and_once():
    # The total fits only just; and what is below a half must not be taken to 1 by the addition of a half.
    support = tb.Probabilities([2.0**53 - 2, 0.5, 0.5]).support
    assert support.weights.tolist() == [2**53 - 2, 1, 1]
    below = math.nextafter(0.5, 0)
    with pytest.raises(tb.SpecError, match="too small"):
        _ = tb.Probabilities([2.0**53 - 2, 0.5, below]).support


def test_counts_stay_themselves():
    support = tb.Counts([2**53 - 1, 0, 1]).support
    assert support.weights.tolist() == [2**53 - 1, 1]
    assert support.total == TOTAL


def test_a_support_is_read_only():
    counts = tb.Counts([3, 1], ["a", "b"])
    for array in (counts.counts, counts.labels, counts.support.weights, counts.support.position):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    mine = np.array([3, 1])
    kept = tb.Counts(mine)
    mine[0] = 7
    assert kept.counts.tolist() == [3, 1]


def test_the_support_is_made_once():
    law = tb.Zipf(100)
    assert law.support is law.support


def relative_error(reference, exact):
    weights = reference.support.weights.astype(float)
    expected = np.array([float(v) for v in exact])
    return np.max(np.abs(weights / weights.sum() / (expected / expected.sum()) - 1))


@pytest.mark.parametrize(
    ("exponent", "shift"), [(1.0, 0.0), (1.0, 2.7), (0.0, 0.0), (1.1, -0.5), (2.5, 10.0)]
)
def test_zipf(exponent, shift):
    exact = [mpmath.power(mpmath.mpf(rank) + shift, -exponent) for rank in range(1, 2001)]
    # A weight of 2**53 times the smallest share, at least 1e-9, is rounded to within 1e-7 of itself.
    assert relative_error(tb.Zipf(2000, exponent, shift), exact) < 1e-7


def test_zipf_without_exponent_is_uniform():
    assert len(set(tb.Zipf(1000, 0).support.weights.tolist())) == 1


@pytest.mark.parametrize("ratio", [0.5, 0.99, 1.0])
def test_geometric(ratio):
    exact = [mpmath.mpf(ratio) ** rank for rank in range(20)]
    assert relative_error(tb.Geometric(20, ratio), exact) < 1e-9


@pytest.mark.parametrize("shape", [0.05, 0.5, 1.0, 3.0, 40.0])
def test_gamma_variates(shape):
    # False alarm 1e-9 by the Dvoretzky-Kiefer-Wolfowitz inequality, 2 exp(-2 n d^2): d = .0074. A shape off
    # by 5 % moves the distribution function by .011 or more, as asserted below.
    n = 200_000
    values = np.sort(special.gammainc(shape, np.exp(log_gamma_variates(n, shape, 7))))
    grid = np.arange(n + 1) / n
    distance = max(np.max(grid[1:] - values), np.max(values - grid[:-1]))
    assert distance < math.sqrt(math.log(2 / 1e-9) / (2 * n))
    wrong = special.gammainc(shape * 1.05, special.gammaincinv(shape, grid))
    assert np.max(np.abs(wrong - grid)) > 0.011


def test_dirichlet_is_normalised_gamma():
    levels = log_gamma_variates(1000, 2.0, 3)
    assert relative_error(tb.Dirichlet(1000, 2.0, 3), np.exp(levels)) < 1e-6


def test_dirichlet_depends_on_its_own_seed_alone():
    a, b = tb.Dirichlet(10, 1.0, 1).support, tb.Dirichlet(10, 1.0, 2).support
    assert not np.array_equal(a.weights, b.weights)
    assert np.array_equal(tb.Dirichlet(10, 1.0, 1).support.weights, a.weights)


def test_golden_weights():
    # The same bits on every machine: these change only together with STREAM_VERSION.
    assert tb.Zipf(4, 1.1, 0.3).support.weights.tolist() == [
        3374598327920301,
        1801603242909262,
        1211140259258338,
        905199850152985,
    ]
    assert tb.Geometric(3, 0.7).support.weights.tolist() == [
        2251799813685248,
        1576259869579674,
        1103381908705771,
    ]
    assert tb.Dirichlet(3, 0.5, 1).support.weights.tolist() == [
        1814186191688937,
        298871818160673,
        4503599627370496,
    ]


def test_ten_million_categories():
    support = tb.Zipf(10**7).support
    assert len(support) == 10**7
    assert TOTAL / 2 < support.total <= TOTAL
    assert np.all(np.diff(support.weights.astype(np.int64)) <= 0)

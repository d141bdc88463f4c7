# SPDX-License-Identifier: MIT
"""Assertions keep what they declare: wrong ends no oftener than stated; and they end early."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson

import tailbiter as tb
from tailbiter.errors import SpecError
from tailbiter.testing import InconclusiveError, assert_cdf, assert_law, assert_mean
from tailbiter.testing._sequence import FIRST_LOOK, looks

RATE = 0.05
# How often to try, every day and in the slow tests.
TRIES = [pytest.param(40, id="40"), pytest.param(600, id="600", marks=pytest.mark.slow)]


def most_wrong(tries: int) -> int:
    """Wrong ends that a rate of .05 exceeds with probability below 1e-9."""
    return int(binom.isf(1e-9, tries, RATE))


def uniform(seed: int, low: float = 0.0):
    rng = np.random.default_rng([42, seed])
    return lambda start, stop: low + rng.random(stop - start)


def coins(seed: int, p: float | list[float]):
    rng = np.random.default_rng([43, seed])
    return lambda start, stop: rng.random((stop - start, *np.shape(p))) < p


def heavy(seed: int):
    """Student's t with 2.5 degrees of freedom: its variance is 5 (and no fourth moment)."""
    rng = np.random.default_rng([44, seed])
    return lambda start, stop: rng.standard_t(2.5, stop - start)


def outcome(run) -> str:
    """How an assertion ended."""
    try:
        run()
    except InconclusiveError:
        return "inconclusive"
    except AssertionError:
        return "failed"
    return "passed"


def ends(run, tries: int) -> dict[str, int]:
    """How often it ended how, over many tries. ``run(seed)``."""
    found = [outcome(lambda seed=seed: run(seed)) for seed in range(tries)]
    return {end: found.count(end) for end in ("passed", "failed", "inconclusive")}


LOOSE = {"false_failure": RATE, "missed": 1e-6, "most": 4000}
TRUE = {
    "coin": lambda s: assert_mean(coins(s, 0.5), 0.5, effect=0.001, bounds=(0, 1), **LOOSE),
    "rare coin": lambda s: assert_mean(coins(s, 0.01), 0.01, effect=1e-4, bounds=(0, 1), **LOOSE),
    "coin with sd": lambda s: assert_mean(coins(s, 0.5), 0.5, effect=0.001, sd=0.5, **LOOSE),
    "coin with both": lambda s: assert_mean(coins(s, 0.5), 0.5, effect=0.001, sd=0.5, bounds=(0, 1), **LOOSE),
    "heavy tails": lambda s: assert_mean(heavy(s), 0.0, effect=0.01, sd=5**0.5, **LOOSE),
    "vector": lambda s: assert_mean(
        coins(s, [0.5, 0.1, 0.9]), [0.5, 0.1, 0.9], effect=0.001, bounds=(0, 1), **LOOSE
    ),
    "law": lambda s: assert_law(coins(s, 2 / 3), {False: 1 / 3, True: 2 / 3}, effect=0.001, **LOOSE),
    "cdf": lambda s: assert_cdf(uniform(s), lambda x: np.clip(x, 0, 1), effect=0.001, **LOOSE),
    "discrete cdf": lambda s: assert_cdf(
        coins(s, 0.5), lambda x: binom.cdf(x, 1, 0.5), effect=0.001, **LOOSE
    ),
}


@pytest.mark.parametrize("tries", TRIES)
@pytest.mark.parametrize("name", sorted(TRUE))
def test_failures_in_error_are_no_oftener_than_declared(name: str, tries: int) -> None:
    """An effect too small to be seen keeps each running to the end: the most looks, the most chances to fail.

    It would see a rate of .16 in 600 tries.
    """
    ended = ends(TRUE[name], tries)
    assert ended["failed"] <= most_wrong(tries)
    assert ended["passed"] == 0


def peeking(seed: int) -> None:
    """What users do by hand: a z-test at the declared rate, after every batch."""
    draw, seen, total = coins(seed, 0.5), 0, 0.0
    for n in looks(4000):
        total += float(draw(seen, n).sum())
        seen = n
        assert abs(total - n / 2) < norm.isf(RATE / 2) * (n / 4) ** 0.5
    raise InconclusiveError


def test_a_fixed_test_looked_at_often_would_not_keep_the_rate() -> None:
    assert ends(peeking, 300)["failed"] > most_wrong(300)


NEAR = {"false_failure": 1e-9, "missed": RATE, "most": 1_000_000}
OFF = {
    "coin": lambda s: assert_mean(coins(s, 0.6), 0.5, effect=0.1, bounds=(0, 1), **NEAR),
    "coin with sd": lambda s: assert_mean(coins(s, 0.4), 0.5, effect=0.1, sd=0.5, **NEAR),
    "law": lambda s: assert_law(coins(s, 0.6), {False: 0.5, True: 0.5}, effect=0.1, **NEAR),
    "cdf": lambda s: assert_cdf(uniform(s, 0.1), lambda x: np.clip(x, 0, 1), effect=0.1, **NEAR),
}


@pytest.mark.parametrize("tries", TRIES)
@pytest.mark.parametrize("name", sorted(OFF))
def test_passes_in_error_are_no_oftener_than_declared(name: str, tries: int) -> None:
    """The truth is off by the effect exactly; every other try ends in a failure, as it should."""
    ended = ends(OFF[name], tries)
    assert ended["passed"] <= most_wrong(tries)
    assert ended["inconclusive"] == 0


@pytest.mark.parametrize("name", ["coin", "law", "cdf"])
def test_ends_early_either_way(name: str) -> None:
    def values(p: float) -> int:
        taken = 0
        source = coins(1, p)

        def draw(start: int, stop: int):
            nonlocal taken
            assert start == taken
            taken = stop
            return source(start, stop)

        if name == "coin":
            outcome(lambda: assert_mean(draw, 0.5, effect=0.02, bounds=(0, 1)))
        elif name == "law":
            outcome(lambda: assert_law(draw, {False: 0.5, True: 0.5}, effect=0.02))
        else:
            outcome(lambda: assert_cdf(draw, lambda x: binom.cdf(x, 1, 0.5), effect=0.02))
        return taken

    assert values(0.9) <= 2 * FIRST_LOOK
    assert FIRST_LOOK < values(0.5) < 100_000
    assert values(0.52) > values(0.7)


def test_vectors_fail_by_the_cell_that_is_off() -> None:
    p = [0.5] * 9 + [0.4]
    with pytest.raises(AssertionError, match=r"^mean of cell \(9,\): 0.5 expected, 0.[34]\d* seen after"):
        assert_mean(coins(1, p), [0.5] * 10, effect=0.02, bounds=(0, 1))
    with pytest.raises(AssertionError, match=r"^mean of cell \(1, 1\): 0.2 expected"):
        assert_mean(coins(1, [[0.5, 0.5], [0.5, 0.5]]), [[0.5, 0.5], [0.5, 0.2]], effect=0.02, bounds=(0, 1))


def test_one_wrong_cell_of_many_is_seen_as_fast_as_by_dividing_the_rate() -> None:
    p = np.full(1000, 0.5)
    p[77] = 0.6
    with pytest.raises(AssertionError, match=r"^mean of cell \(77,\)") as caught:
        assert_mean(coins(1, p.tolist()), 0.5 * np.ones(1000), effect=0.05, bounds=(0, 1), most=4000)
    assert "false-failure rate 1e-09, smallest effect 0.05" in str(caught.value)


def test_cells_that_say_the_same_say_it_once() -> None:
    """The rate holds for all cells together: a hundred copies are no more evidence than one."""

    def copies(count: int):
        def draw(start: int, stop: int) -> np.ndarray:
            column = np.random.default_rng([5, start]).random(stop - start) < 0.51
            return np.repeat(column[:, None], count, axis=1)

        return assert_mean(draw, np.full(count, 0.5), effect=0.03, bounds=(0, 1))

    one, hundred = copies(1), copies(100)
    assert one.values == hundred.values
    assert one.log_evidence > 1
    assert hundred.log_evidence == pytest.approx(one.log_evidence)


def test_known_errors_of_the_expectation_are_no_failures() -> None:
    draw = coins(3, 0.5)
    verdict = assert_mean(draw, 0.51, effect=0.04, error=0.015, bounds=(0, 1))
    assert verdict.distance == pytest.approx(0.01, abs=0.01)
    with pytest.raises(AssertionError, match=r"^mean: 0.55 expected"):
        assert_mean(draw, 0.55, effect=0.04, error=0.015, bounds=(0, 1))


def test_both_kinds_of_knowledge_need_fewer_values_where_the_variance_is_small() -> None:
    def near(start: int, stop: int) -> np.ndarray:
        return 0.5 + 0.02 * (np.random.default_rng(start).random(stop - start) - 0.5)

    by_sd = assert_mean(near, 0.5, effect=1e-3, sd=0.02 / 12**0.5)
    by_bounds = assert_mean(near, 0.5, effect=1e-3, bounds=(0, 1))
    assert by_sd.values < 2000
    assert by_bounds.values < 20_000  # Hoeffding's inequality would ask for 7 million


def test_values_that_do_not_vary_pass_or_fail_at_once() -> None:
    for known in ({"bounds": (0, 1)}, {"sd": 0.0}):
        assert assert_mean(lambda i, j: np.full(j - i, 0.3), 0.3, effect=0.05, **known).values <= 2000
        with pytest.raises(AssertionError, match=r"^mean: 0.3 expected, 0.31 seen"):
            assert_mean(lambda i, j: np.full(j - i, 0.31), 0.3, effect=0.005, **known)


def test_inconclusive_is_neither() -> None:
    for run in (
        lambda: assert_mean(coins(1, 0.5), 0.5, effect=0.01, bounds=(0, 1), most=1000),
        lambda: assert_law(coins(1, 0.5), {False: 0.5, True: 0.5}, effect=0.01, most=1000),
        lambda: assert_cdf(uniform(1), lambda x: np.clip(x, 0, 1), effect=0.01, most=1000),
    ):
        with pytest.raises(InconclusiveError, match=r"^inconclusive: .* after 1,000 values; e-value .*most="):
            run()


def test_cdf_of_laws_of_every_kind() -> None:
    rng = np.random.default_rng(9)
    assert_cdf(lambda i, j: rng.standard_normal(j - i), norm.cdf, effect=0.03)
    assert_cdf(lambda i, j: rng.poisson(3, j - i), poisson(3).cdf, effect=0.03)

    def mixed(x: np.ndarray) -> np.ndarray:
        return np.where(x < 0, 0.0, np.where(x < 1, 0.5 + x / 2, 1.0))

    assert_cdf(lambda i, j: np.maximum(0, rng.uniform(-1, 1, j - i)), mixed, effect=0.03)
    with pytest.raises(AssertionError, match=r"^cdf: "):
        assert_cdf(lambda i, j: rng.poisson(3.2, j - i), poisson(3).cdf, effect=0.03)
    with pytest.raises(AssertionError, match=r"^cdf: "):
        assert_cdf(lambda i, j: rng.standard_normal(j - i) ** 3, norm.cdf, effect=0.03)


def test_outcomes_may_be_rows_texts_or_tuples() -> None:
    rng = np.random.default_rng(2)
    law = {(0, 1): Fraction(1, 2), (1, 0): Fraction(1, 2), (1, 1): 0}
    assert_law(lambda i, j: np.eye(2, dtype=int)[rng.integers(2, size=j - i)], law, effect=0.05)
    assert_law(lambda i, j: [("b", 1)] * (j - i), {("b", 1): 1.0}, effect=0.05)
    assert_law(
        lambda i, j: np.array(["x", "y"])[rng.integers(2, size=j - i)], {"x": 0.5, "y": 0.5}, effect=0.05
    )
    with pytest.raises(AssertionError, match=r"outcome \(1, 1\) seen, which is impossible"):
        assert_law(lambda i, j: np.ones((j - i, 2), int), law, effect=0.05)


def test_looks_grow_by_half_and_end_at_most() -> None:
    for most in (1, 255, 256, 257, 100_000):
        at = list(looks(most))
        assert at[-1] == most
        assert all(a < b <= 1.5 * a + 1 for a, b in pairwise(at))
        assert at[0] == min(most, FIRST_LOOK)


def good(start: int, stop: int) -> np.ndarray:
    return np.full(stop - start, 0.5)


MEAN = {"draw": good, "expected": 0.5, "effect": 0.1, "bounds": (0, 1)}
LAW = {"draw": good, "law": {0.5: 1.0}, "effect": 0.1}
CDF = {"draw": good, "cdf": norm.cdf, "effect": 0.1}
NONSENSE = [
    (assert_mean, MEAN, {"draw": 3}, "draw: 3 cannot be called"),
    (
        assert_mean,
        MEAN,
        {"draw": lambda i, j: 0.5},
        r"draw: 0.5 is what draw\(0, 256\) returned: not 256 values",
    ),
    (assert_mean, MEAN, {"draw": lambda i, j: [0.5]}, r"draw: '1 values' is what draw\(0, 256\) returned"),
    (assert_mean, MEAN, {"draw": lambda i, j: ["x"] * (j - i)}, "draw: .* no array of numbers"),
    (
        assert_mean,
        MEAN,
        {"draw": lambda i, j: np.zeros((j - i, 2))},
        r"draw: \(2,\) is the shape of one drawn",
    ),
    (assert_mean, MEAN, {"draw": lambda i, j: np.full(j - i, np.nan)}, "values: .* not finite"),
    (assert_mean, MEAN, {"draw": lambda i, j: np.full(j - i, 2.0)}, "values: 2.0 is above the bound 1.0"),
    (assert_mean, MEAN, {"expected": "a"}, "expected: 'a' is not a number"),
    (assert_mean, MEAN, {"expected": []}, "expected: .* is empty"),
    (assert_mean, MEAN, {"expected": np.inf}, "expected: inf is not finite"),
    (assert_mean, MEAN, {"expected": 1.5}, "expected: 1.5 is outside of the bounds"),
    (assert_mean, MEAN, {"effect": 0}, "effect: 0.0 is not above error"),
    (assert_mean, MEAN, {"effect": np.nan}, "effect: nan is not finite"),
    (assert_mean, MEAN, {"effect": [0.1, 0.2]}, "effect: .* is not a number for each cell"),
    (assert_mean, MEAN, {"error": 0.2}, "effect: 0.1 is not above error = 0.2"),
    (assert_mean, MEAN, {"error": -0.2}, "effect: 0.1 is not above error"),
    (assert_mean, MEAN, {"bounds": None}, "bounds: None is not given on both sides, and no sd either"),
    (assert_mean, MEAN, {"bounds": 1}, "bounds: 1 are not two"),
    (assert_mean, MEAN, {"bounds": (1, 0)}, "bounds: .* are no interval"),
    (assert_mean, MEAN, {"bounds": (0, None)}, "bounds: None is not given on both sides"),
    (assert_mean, MEAN, {"bounds": None, "sd": -1}, "sd: -1.0 is negative"),
    (assert_mean, MEAN, {"false_failure": 0}, r"false_failure: 0.0 is outside \(0, 0.5\]"),
    (assert_mean, MEAN, {"missed": 1}, r"missed: 1.0 is outside \(0, 0.5\]"),
    (assert_mean, MEAN, {"missed": "1e-3"}, "missed: '1e-3' is not a number"),
    (assert_mean, MEAN, {"most": 0}, "most: 0 is outside"),
    (assert_mean, MEAN, {"most": 1.5}, "most: 1.5 is not a whole number"),
    (assert_law, LAW, {"law": {}}, "law: {} is not a mapping"),
    (assert_law, LAW, {"law": [0.5, 0.5]}, "law: .* is not a mapping"),
    (assert_law, LAW, {"law": {0: 0.5}}, "law: 0.5 is the sum of its probabilities"),
    (assert_law, LAW, {"law": {0: 1.5, 1: -0.5}}, r"law\[0\]: 1.5 is not a probability"),
    (assert_law, LAW, {"law": {0: "all"}}, r"law\[0\]: 'all' is not a probability"),
    (assert_law, LAW, {"effect": 1.0}, r"effect: 1.0 is outside \(0, 1\)"),
    (assert_law, LAW, {"draw": lambda i, j: [[0]] * (j - i)}, "draw: .* cannot be told apart"),
    (assert_cdf, CDF, {"cdf": 0.5}, "cdf: 0.5 cannot be called"),
    (assert_cdf, CDF, {"cdf": lambda x: x + 1}, "cdf: .* gave no probabilities"),
    (assert_cdf, CDF, {"cdf": lambda x: 0.5}, r"cdf: .* gave the shape \(\)"),
    (assert_cdf, CDF, {"effect": 0}, r"effect: 0.0 is outside \(0, 1\)"),
    (assert_cdf, CDF, {"draw": lambda i, j: np.zeros((j - i, 2))}, r"draw: \(256, 2\) is the shape"),
    (assert_cdf, CDF, {"draw": lambda i, j: np.full(j - i, np.nan)}, "draw: nan is among"),
]


@pytest.mark.parametrize(("assertion", "usual", "change", "message"), NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_in_one_line(assertion, usual: dict, change: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        assertion(**(usual | change))
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, tb.TailbiterError)


def test_the_usual_arguments_are_no_nonsense() -> None:
    assert_mean(**MEAN)
    assert_law(**LAW)
    with pytest.raises(AssertionError, match=r"^cdf"):
        assert_cdf(**CDF)

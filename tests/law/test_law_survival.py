# SPDX-License-Identifier: MIT
"""Presence of every category at every generation to t = 100, against ancestors followed backward."""

from itertools import combinations

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import SEED, run
from tests.oracles import dual
from tests.oracles.stat import count_test, g_test, mean_test, require

pytestmark = pytest.mark.slow

T = 100
# Ten categories from nearly safe to almost never seen, two of them equal.
WEIGHTS = (400, 240, 150, 90, 50, 30, 18, 10, 10, 2)
Q = np.array(WEIGHTS) / sum(WEIGHTS)
SMALL_THEN_LARGE = tuple(int(n) for n in np.resize([20, 300, 45, 7, 120, 260], T))
SHRINKING = tuple(int(n) for n in np.linspace(350, 30, T))
SIZES = {
    "constant-50": (50,) * T,
    "constant-300": (300,) * T,
    "swinging": SMALL_THEN_LARGE,
    "shrinking": SHRINKING,
    "growing": SHRINKING[::-1],
}


def spec(sizes: tuple[int, ...], regime: tb.Replace | tb.Anchored, replicates: int) -> tb.Spec:
    reference = tb.Counts(list(WEIGHTS))
    # One band a category, where weights differ: the edges lie between expected counts.
    expected = sizes[0] * np.unique(Q)
    edges = [0.0, *np.sqrt(expected[1:] * expected[:-1])]
    return tb.Spec(
        reference=reference,
        regime=regime,
        samples=list(sizes),
        generations=len(sizes),
        replicates=replicates,
        seed=SEED,
        bands=edges,
    )


@pytest.mark.parametrize("name", SIZES)
def test_generation_of_forgetting_under_replace(name: str) -> None:
    """The whole law of the generation at which each category is lost.

    False alarms 1e-9 over the ten categories; effect: chi-square distance .065 on 101 cells.
    """
    sizes, replicates = SIZES[name], 100_000
    forgotten = run(spec(sizes, tb.Replace(), replicates), generations=[0], forgotten=True)["forgotten"]
    place = forgotten["category"].values
    absent = dual.absent(Q, sizes)
    for column, category in enumerate(place):
        law = np.diff(absent[:, category], prepend=0.0, append=1.0)
        seen = np.bincount(forgotten.values[:, column], minlength=T + 1)
        verdict = g_test([*seen[1:], seen[0]], np.maximum(law, 0.0), tests=len(Q))
        require(verdict, effect=0.065, name=f"{name}, category {category}")


def pairs_absent(absent, sizes: tuple[int, ...], *more) -> np.ndarray:
    """Variance of the number of categories present, from the absence of every pair."""
    pairs = list(combinations(range(len(Q)), 2))
    alone = absent(Q, sizes, *more)
    both = absent(np.array([Q[i] + Q[j] for i, j in pairs]), sizes, *more)
    first, second = (alone[:, [pair[side] for pair in pairs]] for side in (0, 1))
    return (alone * (1 - alone)).sum(axis=1) + 2 * (both - first * second).sum(axis=1)


def check_presence(spec: tb.Spec, absent: np.ndarray, variance: np.ndarray, name: str) -> None:
    """Survivors of every band and in total, at every generation."""
    ds = run(spec, "survivors", "band_survivors")
    mean = (1 - absent).sum(axis=1)
    verdict = mean_test(ds["survivors"].values[:, 1:], mean, variance=variance, span=len(Q))
    require(verdict, effect=0.2, name=f"{name}, survivors")
    bands = ds["band_survivors"].values[:, 1:, :]
    weights, copies = np.unique(Q, return_counts=True)
    for band, (q, n) in enumerate(zip(weights, copies, strict=True)):
        p = 1 - absent[:, list(Q).index(q)]
        if n == 1:
            verdict = count_test(bands[:, :, band].sum(axis=0), spec.replicates, p, tests=T * len(Q))
        else:
            verdict = mean_test(bands[:, :, band], n * p, span=n, tests=T * len(Q))
        require(verdict, effect=0.09, name=f"{name}, band {band}")


@pytest.mark.parametrize("name", SIZES)
def test_survivors_under_replace(name: str) -> None:
    """At all t: the mean number, and each band. Effects: .2 categories; .09 of a band's survival."""
    sizes = SIZES[name]
    variance = pairs_absent(dual.absent, sizes)
    check_presence(spec(sizes, tb.Replace(), 10_000), dual.absent(Q, sizes), variance, name)


@pytest.mark.parametrize(
    ("name", "share"), [("constant-300", 0.02), ("constant-50", 0.1), ("shrinking", 0.05)]
)
def test_survivors_under_anchored_with_fresh_data(name: str, share: float) -> None:
    """Effects as under replace."""
    sizes = SIZES[name]
    fresh = [int(share * n + 0.5) for n in sizes]
    variance = pairs_absent(dual.absent, sizes, fresh)
    regime = tb.Anchored(real=share)
    check_presence(spec(sizes, regime, 11_000), dual.absent(Q, sizes, fresh), variance, name)


@pytest.mark.parametrize(("name", "kept"), [("constant-300", 15), ("constant-50", 5), ("growing", 20)])
def test_survivors_under_anchored_with_a_fixed_set(name: str, kept: int) -> None:
    """Effects as under replace."""
    sizes = SIZES[name]
    variance = pairs_absent(dual.absent_fixed, sizes, kept)
    regime = tb.Anchored(real_count=kept, source="fixed")
    check_presence(spec(sizes, regime, 10_000), dual.absent_fixed(Q, sizes, kept), variance, name)


def test_accumulating_never_forgets_what_was_seen_once() -> None:
    sizes = SIZES["swinging"]
    survivors = run(spec(sizes, tb.Accumulate(), 500), "survivors")["survivors"].values
    assert np.all(survivors[:, 1:] == survivors[:, 1:2])
    assert len(np.unique(survivors[:, 1])) > 3


def test_the_next_batch_is_what_the_next_generation_trains_on() -> None:
    """Under replace the output of model t is generation t+1's training set, the very same draw."""
    ds = run(spec(SIZES["swinging"], tb.Replace(), 200), "survivors", "survivors_output")
    output, survivors = ds["survivors_output"].values, ds["survivors"].values
    assert np.array_equal(output[:, :-1], survivors[:, 1:])


@pytest.mark.parametrize("name", ["constant-50", "swinging"])
def test_category_is_left_over_with_its_own_probability(name: str) -> None:
    """Whatever the sizes. Effect: .025. After 3000 generations all is decided, but for a chance of e^-60."""
    sizes = SIZES[name] * 30
    reference = (5, 3, 1, 1)
    run_of = tb.Spec(
        reference=tb.Counts(list(reference)),
        samples=list(sizes),
        generations=len(sizes),
        replicates=50_000,
        seed=SEED,
    )
    forgotten = run(run_of, generations=[0], forgotten=True)["forgotten"]
    left = forgotten.values == 0
    assert np.all(left.sum(axis=1) == 1)
    winner = forgotten["category"].values[np.argmax(left, axis=1)]
    q = np.array(reference) / sum(reference)
    require(count_test(np.bincount(winner, minlength=4), len(winner), q), effect=0.025, name=name)

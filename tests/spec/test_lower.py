# SPDX-License-Identifier: MIT
"""Programs against a slow and obvious twin in exact arithmetic."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailbiter as tb
from tests.spec.strategies import records, specs


def spec(**fields):
    return tb.Spec(**{"reference": tb.Uniform(10), "samples": 1000, "generations": 5} | fields)


def lowered(**fields):
    return tb.lower(spec(**fields))


@given(specs, records)
def test_invariants(spec, record):
    program = tb.lower(spec, record)
    T, K = spec.generations, spec.reference.categories
    assert program.generations == T
    assert program.categories == K
    assert np.all(program.weights[:-1] >= program.weights[1:])
    assert np.array_equal(np.sort(program.order), np.arange(K))
    assert np.array_equal(spec.reference.support.weights[program.order], program.weights)
    assert int(program.weights.sum()) <= 2**53
    for array in (program.samples, program.fresh, program.from_kept):
        assert array.dtype == np.uint64
        assert array.shape == (T + 1,)
    assert np.all(program.fresh + program.from_kept <= program.samples)
    assert program.fresh[0] == program.from_kept[0] == 0
    assert np.all(program.from_kept <= program.kept)
    assert np.all(program.samples[:T] > 0)
    if program.item_weights is not None:
        parts = [program.samples - program.fresh - program.from_kept, program.fresh, program.from_kept]
        totals = [
            sum(int(w) * int(n) for w, n in zip(weights, counts, strict=True))
            for weights, counts in zip(program.item_weights, np.stack(parts, axis=1), strict=True)
        ]
        assert all(0 < total <= 2**53 for total in totals[:T])
    starts = program.band_start
    assert starts.dtype == np.uint32
    assert np.all(starts[:-1] >= starts[1:])
    assert starts[-1] == 0
    assert len(program.band_edges) == len(starts) + 1
    assert 0 <= program.tail_start <= K
    assert np.all(np.diff(program.at.astype(np.int64)) > 0)


@given(specs)
def test_a_longer_run_extends_a_shorter_one(spec):
    if spec.generations == 1:
        return
    long, short = tb.lower(spec), tb.lower(spec.replace(generations=spec.generations - 1))
    T = short.generations
    assert long.key == short.key
    assert long.kept == short.kept
    assert np.array_equal(long.ages[:T], short.ages)
    for name in ("samples", "fresh", "from_kept"):
        assert np.array_equal(getattr(long, name)[:T], getattr(short, name)[:T])
    ones = np.ones((T, 3), np.uint64)
    a, b = ((p.item_weights if p.item_weights is not None else ones)[:T] for p in (long, short))
    assert np.array_equal(a, b)


@given(st.integers(0, 1000), st.integers(1, 10**12))
def test_shares_round_half_up_exactly(thousandths, samples):
    share = thousandths / 1000
    exact = math.floor(Fraction(thousandths, 1000) * samples + Fraction(1, 2))
    if exact == 0 and share > 0:
        with pytest.raises(tb.SpecError, match="rounds to no item"):
            spec(samples=samples, regime=tb.Anchored(real=share))
    else:
        assert lowered(samples=samples, regime=tb.Anchored(real=share)).fresh[1] == exact


def test_the_decimal_is_what_counts():
    # In doubles 0.07 * 50 is 3.5000000000000004 and 0.29 * 50 is 14.499999999999998.
    assert lowered(samples=50, regime=tb.Anchored(real=0.29)).fresh[1] == 15
    assert lowered(samples=50, regime=tb.Anchored(real=0.07)).fresh[1] == 4


def test_growth_by_repeated_multiplication():
    sizes, x = [], 100.0
    for _ in range(6):
        sizes.append(min(200, math.floor(x + 0.5)))
        x = x * 1.3 + 0.7
    assert lowered(samples=tb.Growth(100, 1.3, 0.7, 200)).samples.tolist() == sizes
    assert lowered(samples=tb.Growth(100, 0.5, 3)).samples.tolist() == [100, 53, 30, 18, 12, 9]


def test_a_list_may_leave_the_last_batch_undefined():
    assert lowered(samples=[9, 8, 7, 6, 5]).samples.tolist() == [9, 8, 7, 6, 5, 0]
    assert lowered(samples=[9, 8, 7, 6, 5, 4, 3]).samples.tolist() == [9, 8, 7, 6, 5, 4]
    anchored = lowered(samples=[10] * 5, regime=tb.Anchored(real=0.2))
    assert anchored.fresh.tolist() == [0, 2, 2, 2, 2, 0]


def test_shares_over_generations():
    fresh = lowered(regime=tb.Anchored(real=[0.9, 0.5, 0.1])).fresh
    assert fresh.tolist() == [0, 500, 100, 100, 100, 100]
    falling = tb.Schedule(start=0.5, end=0.0, over=4)
    assert lowered(regime=tb.Anchored(real=falling)).fresh.tolist() == [0, 375, 250, 125, 0, 0]
    logistic = lowered(samples=10**6, regime=tb.Anchored(real=tb.Schedule(0.0, 1.0, 4, "logistic"))).fresh
    sigma = [1 / (1 + math.exp(-(12 * t / 4 - 6))) for t in range(5)]
    expected = [(s - sigma[0]) / (sigma[4] - sigma[0]) * 1e6 for s in sigma]
    assert np.allclose(logistic[1:], [*expected[1:], 1e6], atol=0.51, rtol=0)


def test_a_schedule_may_pass_through_shares_too_small_for_an_item():
    falling = tb.Schedule(start=0.5, end=0.0, over=4)
    assert lowered(samples=2, regime=tb.Anchored(real=falling)).fresh.tolist() == [0, 1, 1, 0, 0, 0]
    with pytest.raises(tb.SpecError, match="rounds to no item"):
        spec(samples=2, regime=tb.Anchored(real=tb.Schedule(start=0.5, end=0.1, over=4)))


def test_kept_sets():
    fixed = lowered(samples=[100, 50, 60, 70, 80, 90], regime=tb.Anchored(real=0.3, source="fixed"))
    assert fixed.kept == 30
    assert fixed.from_kept.tolist() == [0, 30, 30, 30, 30, 30]
    hoard = lowered(
        samples=[100, 50, 60, 70, 80, 90], regime=tb.Anchored(real=0.3, source="hoard", hoard=5000)
    )
    assert hoard.kept == 5000
    assert hoard.from_kept.tolist() == [0, 15, 18, 21, 24, 27]


def test_ages():
    assert lowered(regime=tb.Replace()).ages.tolist() == [1]
    assert lowered(regime=tb.Accumulate()).ages.tolist() == []
    assert lowered(regime=tb.Window(3)).ages.tolist() == [1, 1, 1]
    assert lowered(regime=tb.Mix(ages=(1, 0.5, 0, 0.3))).ages.tolist() == [10, 5, 0, 3]
    fine = lowered(regime=tb.Mix(ages=(1, 0.123456789, 1e-12, 0))).ages
    assert fine.tolist() == [2**20, round(0.123456789 * 2**20), 1, 0]


def test_ages_beyond_the_run_are_cut():
    assert lowered(regime=tb.Window(10**5)).ages.tolist() == [1] * 5
    assert lowered(regime=tb.Mix(ages=(1, 0.5, 0, 0.3)), generations=2).ages.tolist() == [10, 5]
    assert lowered(regime=tb.Mix(ages=(0.5, 0.25)), generations=1).ages.tolist() == [2]
    assert lowered(regime=tb.Window(10**5)).key != lowered(regime=tb.Window(5)).key


AGES = [(1,) * 9, (1, 0.5, 0.25, 0.125), (0.5, 0, 0.7), (1, 0.5, 0.25, 0, 0, 1)]


@pytest.mark.parametrize("ages", AGES)
def test_runs_shorter_than_the_ages_begin_a_longer_one(ages):
    record = tb.Record(generations="all", variables=["survivors", "entropy", "largest_share"])
    regime = tb.Mix(ages=ages)
    long = tb.simulate(spec(regime=regime, samples=30, generations=12, replicates=3), record=record)
    for generations in (1, 2, 3, 5, 8):
        made = spec(regime=regime, samples=30, generations=generations, replicates=3)
        short = tb.simulate(made, record=record)
        assert short.equals(long.isel(generation=slice(generations + 1)))


def test_subsamples():
    assert lowered(regime=tb.Replace()).draw is None
    assert lowered(regime=tb.AccumulateSubsample()).draw.tolist() == [1000] * 6
    assert lowered(regime=tb.AccumulateSubsample(7)).draw.tolist() == [7] * 6


def weighted(share, weight, **fields):
    sources = (tb.Fresh(share=share, weight=weight), tb.Synthetic(weight=float(1 - Fraction(repr(weight)))))
    return lowered(regime=tb.Mix(sources), **fields).item_weights


def test_item_weights_are_exact_where_they_fit():
    weights = weighted(0.2, 0.618, samples=50)
    assert weights[0].tolist() == [1, 1, 1]
    # .382 / 40 to .618 / 10, in lowest terms
    assert weights[1:, :2].tolist() == [[191, 1236]] * 5
    assert weighted(0.2, 0.2) is None
    assert weighted(0.2, 0.0)[1, :2].tolist() == [1, 0]


def test_item_weights_are_rounded_where_they_do_not_fit():
    weight = 0.6180339887498949
    synthetic, fresh = weighted(0.1, weight, samples=1_000_003)[1, :2].tolist()
    human = 100_000
    assert fresh == math.floor(Fraction(repr(weight)) / human * 2**52 + Fraction(1, 2))
    rest = Fraction(repr(float(1 - Fraction(repr(weight)))))
    assert synthetic == math.floor(rest / (1_000_003 - human) * 2**52 + Fraction(1, 2))


def slow_bands(weights, first, edges):
    total = sum(weights)
    expected = [Fraction(first * w, total) for w in weights]
    if edges is None:
        edges = [0, 1]
        while edges[-1] <= max(expected):
            edges.append(10 * edges[-1])
    else:
        edges = [0, *(Fraction(repr(e)) for e in edges if e > 0), math.inf]
    inside = [sum(lo <= c < hi for c in expected) for lo, hi in pairwise(edges)]
    return inside, [float(e) for e in edges]


def slow_tail(weights, mass):
    total, held, size = sum(weights), 0, 0
    for value in sorted(set(weights)):
        held += value * weights.count(value)
        if held > Fraction(repr(mass)) * total:
            break
        size += weights.count(value)
    return size


@given(
    st.lists(st.integers(1, 30) | st.integers(1, 2**45), min_size=1, max_size=12),
    st.integers(1, 50) | st.integers(1, 10**12),
    st.none() | st.lists(st.floats(0, 1e6), min_size=1, max_size=5, unique=True).map(sorted),
    st.sampled_from([0.05, 0.0, 0.1, 0.25, 0.5, 1.0]),
)
def test_bands_and_tail(counts, first, edges, mass):
    made = spec(reference=tb.Counts(counts), samples=first, bands=edges, tail_mass=mass)
    program = tb.lower(made)
    K = len(counts)
    ends = [K, *program.band_start[:-1].tolist()]
    sizes = [end - start for start, end in zip(program.band_start.tolist(), ends, strict=True)]
    assert (sizes, program.band_edges.tolist()) == slow_bands(counts, first, edges)
    assert K - program.tail_start == slow_tail(counts, mass)


def test_order_keeps_ties_in_place():
    program = lowered(reference=tb.Counts([3, 0, 5, 3, 5], list("abcde")))
    assert program.weights.tolist() == [5, 5, 3, 3]
    support = program.support
    assert support.position[program.order].tolist() == [2, 4, 0, 3]
    assert support.labels[program.order].tolist() == list("cead")


def test_totals_up_to_the_limit():
    spec(samples=10**12, generations=9007, regime=tb.Accumulate())
    with pytest.raises(tb.SpecError, match=r"above 2\*\*53"):
        spec(samples=10**12, generations=9008, regime=tb.Accumulate())
    spec(samples=10**12, generations=10**4, regime=tb.Window(9007))
    with pytest.raises(tb.SpecError, match=r"above 2\*\*53"):
        spec(samples=10**12, generations=10**4, regime=tb.Window(9008))
    sizes = [10**12] * 9007 + [1] * 993
    spec(samples=sizes, generations=10**4, regime=tb.Window(9008))
    with pytest.raises(tb.SpecError, match=r"above 2\*\*53"):
        spec(samples=10**12, regime=tb.Mix(ages=(1, 0.00012345)))


def test_large_runs_are_lowered_quickly():
    # A loop over categories, or rational arithmetic for every generation, would take many seconds.
    import time

    start = time.process_time()
    made = spec(reference=tb.Uniform(10**6), generations=10**6, regime=tb.Anchored(real=0.01))
    tb.lower(made)
    assert time.process_time() - start < 5


PLAIN = (
    tb.Replace(),
    tb.Mix(ages=[0.5]),
    tb.Window(1),
    tb.Anchored(real=0.0),
    tb.Mix([tb.Fresh(count=0), tb.Synthetic()]),
)
NOT_PLAIN = (
    tb.Accumulate(),
    tb.AccumulateSubsample(),
    tb.Window(2),
    tb.Mix(ages=[1, 0]),
    tb.RealOnly(),
    tb.Anchored(real=[0.0, 0.0, 0.5]),
    tb.Anchored(real_count=0, source="hoard", hoard=10),
    tb.Mix([tb.Fresh(share=0.0, weight=0.0), tb.Synthetic(weight=1.0)]),
)


@pytest.mark.parametrize("generations", [1, 5])
def test_plain_at_any_length_of_run(generations):
    assert all(lowered(regime=regime, generations=generations).plain is True for regime in PLAIN)
    assert all(lowered(regime=regime, generations=generations).plain is False for regime in NOT_PLAIN)


def test_programs_share_what_may_not_be_written():
    made = spec(reference=tb.Counts([3, 9, 4]), regime=tb.AccumulateSubsample())
    first, second = tb.lower(made), tb.lower(made)
    for name in ("weights", "order", "samples", "fresh", "from_kept", "ages", "draw"):
        assert getattr(first, name) is getattr(second, name)
        assert not getattr(first, name).flags.writeable

# SPDX-License-Identifier: MIT
"""Replicates as an endless row: blocks of them are rows of one run."""

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.simulate import simulate_rows
from tailbiter.testing import assert_law, assert_mean, counts_of, replicates_of
from tests.law.runs import REGIMES, SEED
from tests.oracles import moments
from tests.oracles.gallery import TINY

SPEC = tb.Spec(
    reference=tb.Zipf(30), regime=tb.AccumulateSubsample(), samples=40, generations=6, replicates=3, seed=5
)
RECORD = tb.Record(generations="all", forgotten=True, snapshots=[2, 6])


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (3, 4), (7, 40), (16, 24)])
def test_rows_are_those_of_a_larger_run(start: int, stop: int) -> None:
    whole = tb.simulate(SPEC.replace(replicates=40), record=RECORD, threads=1)
    rows = simulate_rows(SPEC, start, stop, record=RECORD, threads=2)
    here = whole["snapshot_replicate"].values
    entries = np.flatnonzero((here >= start) & (here < stop))
    expected = whole.isel(replicate=slice(start, stop), snapshot_entry=entries)
    assert expected.identical(rows.assign_attrs(expected.attrs))
    assert rows.replicate.values.tolist() == list(range(start, stop))
    assert rows.replicate.attrs == whole.replicate.attrs


def test_draws_extend_each_other() -> None:
    for reduce in ("entropy", lambda ds: ds.entropy, lambda ds: ds.entropy.transpose().values.T):
        draw = replicates_of(SPEC, reduce, record=tb.Record(variables=["entropy"], generations=[1, 6]))
        both = np.concatenate([draw(0, 9), draw(9, 30)])
        assert np.array_equal(both, draw(0, 30))
        assert both.shape == (30, 2)
    assert replicates_of(SPEC, "band_mass")(0, 4).shape == (4, 7, 3)


def test_counts_are_in_the_order_of_the_reference() -> None:
    spec = tb.Spec(reference=tb.Counts([1, 0, 900, 30]), samples=50, generations=3, regime=tb.RealOnly())
    counts = counts_of(spec, [1, 3])(0, 200)
    assert counts.shape == (200, 6)
    assert np.all(counts.reshape(200, 2, 3).sum(axis=2) == 50)
    means = counts.reshape(200, 2, 3).mean(axis=(0, 1))
    assert means[1] > means[2] > means[0]
    assert np.array_equal(counts_of(spec, 3)(10, 20), counts[10:20, 3:])


@pytest.mark.parametrize("name", ["fresh-2", "hoard-2", "window-2", "mix-weights-2"])
def test_means_of_any_regime_against_its_moments(name: str) -> None:
    """False failures 1e-9; effect .01 of heterozygosity."""
    plan = TINY[name].plan
    spec = tb.Spec(
        reference=tb.Counts(list(plan.weights)),
        regime=REGIMES[name],
        samples=list(plan.samples),
        generations=len(plan.samples),
        seed=SEED,
    )
    draw = replicates_of(spec, "gini_simpson", threads=1)
    assert_mean(draw, moments.heterozygosity(plan), effect=0.01, bounds=(0, 1))
    shifted = np.roll(moments.heterozygosity(plan), -1)
    with pytest.raises(AssertionError, match="mean of cell"):
        assert_mean(draw, shifted, effect=0.01, bounds=(0, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replicates_of("spec", "entropy"), "spec: 'spec' is not a Spec"),
        (lambda: counts_of(None, 1), "spec: None is not a Spec"),
        (lambda: replicates_of(SPEC, 3), "reduce: 3 is neither a name nor a function"),
        (lambda: replicates_of(SPEC, "entropie"), "record.variables: 'entropie' is not known"),
        (lambda: replicates_of(SPEC, "entropy", record=tb.Record(variables=["kl"])), "does not hold entropy"),
        (lambda: counts_of(SPEC, 7), "record.snapshots: 7 lies beyond the end"),
        (lambda: counts_of(SPEC, []), "generations: .* is empty"),
        (lambda: counts_of(SPEC, "x"), "record.snapshots: 'x' is not a list"),
    ],
)
def test_nonsense_is_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(tb.SpecError, match=message) as caught:
        make()(0, 1)
    assert "\n" not in str(caught.value)


def test_the_smallest_law() -> None:
    spec = tb.Spec(reference=tb.Uniform(2), samples=1, generations=1)
    assert_law(counts_of(spec, 1), {(1, 0): 1 / 2, (0, 1): 1 / 2}, effect=0.02)

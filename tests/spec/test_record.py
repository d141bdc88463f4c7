# SPDX-License-Identifier: MIT
"""Which generations and variables are kept."""

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.record import STANDARD


@pytest.mark.parametrize("generations", [1, 2, 150, 199, 200, 201, 500, 2000, 12345, 10**5, 10**7])
def test_log_spaced(generations):
    at = tb.Record().at(generations)
    assert at.dtype == np.uint32
    assert at[0] == 0
    assert at[-1] == generations
    assert len(at) == min(generations + 1, 200) or 190 <= len(at) <= 200
    steps = np.diff(at.astype(np.int64))
    assert np.all(steps > 0)
    if generations > 10**4:
        ratios = at[100:].astype(float) / at[99:-1]
        assert ratios.max() < 1.25 * ratios[-20:-1].min()


def test_all_and_lists():
    assert tb.Record(generations="all").at(3).tolist() == [0, 1, 2, 3]
    assert tb.Record(generations=[7, 2, 2, 0]).at(9).tolist() == [0, 2, 7]
    assert tb.Record(generations=np.arange(3)).at(9).tolist() == [0, 1, 2]
    assert tb.Record(snapshots=[9, 1]).snapshots_at(9).tolist() == [1, 9]


def test_variables_come_in_the_standard_order():
    assert tb.Record().names_of("categorical") == STANDARD
    assert tb.Record(variables=["kl", "survivors", "kl"]).names_of("categorical") == ("survivors", "kl")


def test_a_snapshot_of_the_reference():
    spec = tb.Spec(reference=tb.Counts([3, 9, 4]), samples=10, generations=2, replicates=1)
    kept = tb.simulate(spec, record=tb.Record(snapshots=[0]), progress=False)
    assert kept.snapshot_count.values.tolist() == [9, 4, 3]


def test_beyond_the_end():
    spec = tb.Spec(reference=tb.Uniform(3), generations=10)
    with pytest.raises(tb.SpecError, match=r"record.generations: 11 lies beyond"):
        tb.lower(spec, tb.Record(generations=[11]))
    with pytest.raises(tb.SpecError, match=r"record.snapshots: 11 lies beyond"):
        tb.lower(spec, tb.Record(snapshots=[1, 11]))

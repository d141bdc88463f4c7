# SPDX-License-Identifier: MIT
"""Phase diagrams: the boundary at each value is the plan's, wherever the search starts."""

import numpy as np
import pytest

import tailbiter as tb

SPEC = tb.Spec(reference=tb.Zipf(15), samples=40, generations=12)
MEAN = tb.Target(keep=0.8, at_least=2, probability=None)


def test_the_boundary_is_the_plan_of_each_value() -> None:
    ds = tb.phase(SPEC, {"generations": [1, 4, 8, 12]}, "regime.real", MEAN, threads=1)
    for last, found in ds.groupby("generations"):
        alone = tb.plan(SPEC.replace(generations=int(last)), "regime.real", MEAN, threads=1)
        assert float(found.boundary.item()) == alone.value
        assert float(found.boundary_high.item()) == alone.high
        assert np.array_equal(found.boundary_low.item(), np.nan if alone.low is None else alone.low, True)
    assert ds.phase.values.tolist() == ["always", "crossed", "crossed", "crossed"]
    assert set(ds.kind.values) == {"exact"}
    assert (ds.boundary.diff("generations") >= 0).all()


def test_what_no_value_reaches_is_an_answer() -> None:
    ds = tb.phase(SPEC, {"samples": [5, 60]}, "regime.real", tb.Target(keep=0.6, probability=None), threads=1)
    assert ds.phase.values.tolist() == ["never", "crossed"]
    assert np.isnan(ds.boundary.values[0])
    assert ds.boundary.values[1] > 0


def test_what_is_said_holds_for_every_value() -> None:
    over_time = tb.phase(SPEC, {"generations": [1, 4]}, "regime.real", MEAN, threads=1)
    assert "for" not in over_time.attrs["target"].split()
    assert tb.phase(SPEC, {"samples": [40]}, "regime.real", MEAN).attrs["target"].split()[-4:] == [
        "12",
        "generations",
        "on",
        "average",
    ]


def test_a_least_value_that_stays_undecided_is_not_said_to_do() -> None:
    """0 keeps enough in 96.6 % of lineages, which 400 do not tell from 95 %; all human data surely do."""
    spec = tb.Spec(reference=tb.Zipf(200), samples=5000, generations=5)
    target, options = tb.Target(keep=0.9, at_least=5), {"most": 400, "threads": 1}
    found = tb.plan(spec, "regime.real", target, **options)
    assert (found.low, found.least, found.rows[0].value, found.rows[0].verdict) == (None, 0, 0, "undecided")
    assert found.high > 0
    assert "human data (nothing below is shown to be too little): regime.real = " in found.sentence
    assert "mix in at most " in found.sentence
    ds = tb.phase(spec, {"tail_mass": [0.05]}, "regime.real", target, **options)
    assert ds.phase.values.tolist() == ["undecided"]


def test_by_tests_from_a_warm_start() -> None:
    """One start or another, intervals hold the same crossing: those of alone and in the row overlap."""
    target = tb.Target(keep=0.8, probability=0.6)
    spec = tb.Spec(reference=tb.Uniform(5), samples=40, generations=30)
    ds = tb.phase(spec, {"samples": tb.Range(20, 40, count=3)}, "regime.real", target, threads=1)
    assert ds.samples.values.tolist() == [20, 30, 40]
    assert set(ds.kind.values) == {"simulated"}
    for size, found in ds.groupby("samples"):
        alone = tb.plan(spec.replace(samples=int(size)), "regime.real", target, threads=1)
        assert alone.low is not None
        assert float(found.boundary_low.item()) < alone.high
        assert alone.low < float(found.boundary_high.item())
        assert float(found.boundary_low.item()) < float(found.boundary.item())


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ({}, "regime.real", "sweep.vary: {} is empty"),
        (
            {"samples": [10], "generations": [5]},
            "regime.real",
            "phase.x: ['samples', 'generations'] is not one",
        ),
        ({"sampels": [10]}, "regime.real", "did you mean 'samples'"),
        ({"samples": [10, 20]}, "samples", "phase.y: 'samples' is the field along x, too"),
        ({"samples": [10, 20]}, "regime.k", "plan.vary: 'regime.k' is not a field"),
    ],
)
def test_bad_input_is_one_line(x: dict[str, list[int]], y: str, message: str) -> None:
    with pytest.raises(tb.SpecError) as caught:
        tb.phase(SPEC, x, y, MEAN)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

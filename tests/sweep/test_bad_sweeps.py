# SPDX-License-Identifier: MIT
"""Bad sweeps: one line each, that names field, value and remedy, before anything starts."""

import pytest

import tailbiter as tb
from tests.sweep.grids import BASE, grid

REAL = {"regime.real": [0.1]}
CASES = {
    "no Spec": (lambda: tb.Sweep("spec", REAL), "sweep.base"),
    "nothing varies": (lambda: grid(vary={}), "sweep.vary"),
    "no mapping": (lambda: grid(vary="samples"), "sweep.vary"),
    "unknown field": (lambda: grid(vary={"sampels": [1]}), "did you mean 'samples'"),
    "unknown field below": (lambda: grid(vary={"regime.rael": [1]}), "did you mean 'regime.real'"),
    "field of another regime": (lambda: grid(vary={"regime.k": [1]}), "'regime.k' is not a field"),
    "below a table": (
        lambda: grid(BASE.replace(reference=tb.Counts([1, 2])), {"reference.values": [1]}),
        "is not a field",
    ),
    "shared by all": (lambda: grid(vary={"common_random_numbers": [True]}), "is not a field"),
    "part and whole": (lambda: grid(vary={"regime": [tb.Replace()], **REAL}), "stands below regime"),
    "empty list": (lambda: grid(vary={"samples": []}), "sweep.vary.samples: [] is empty"),
    "one value": (lambda: grid(vary={"samples": 100}), "is not a list"),
    "text": (lambda: grid(vary={"samples": "100"}), "is not a list"),
    "twice": (lambda: grid(vary={"samples": [100, 100.0]}), "stands there twice"),
    "fraction": (lambda: grid(vary={"samples": [10.5]}), "sweep.vary.samples[0]: 10.5"),
    "empty range": (lambda: tb.Range(2, 1, 5), "the range is empty"),
    "range of nothing": (lambda: tb.Range(1, 1, 5), "the range is empty"),
    "range without count": (lambda: grid(vary={"samples": tb.Range(10, 20)}), "sweep.vary.samples"),
    "range of one": (lambda: tb.Range(1, 2, 1), "range.count: 1"),
    "log range from 0": (lambda: tb.Range(0, 1, 5, scale="log"), "range.start"),
    "step and count": (lambda: tb.Range(0, 1, 5, step=0.1), "range.step"),
    "step backwards": (lambda: tb.Range(0, 1, step=-0.1), "range.step"),
    "tiny step": (lambda: tb.Range(0, 1, step=1e-9), "range.step"),
    "unknown scale": (lambda: tb.Range(0, 1, 5, scale="lin"), "range.scale"),
    "not finite": (lambda: tb.Range(0, float("inf"), 5), "range.stop"),
    "unknown key of a range": (lambda: grid(vary={"samples": {"start": 1, "stop": 5, "cuont": 3}}), "cuont"),
    "a billion cells": (
        lambda: grid(vary={"samples": tb.Range(1, 1e6, 10**6), "regime.real": tb.Range(0, 1, 1000)}),
        "makes 1,000,000,000 cells",
    ),
    "unknown design": (lambda: grid(design="produkt"), "did you mean 'product'"),
    "uneven zip": (
        lambda: grid(vary={"samples": [1, 2], "regime.real": [0.1]}, design="zip"),
        "has 1 values",
    ),
    "ragged table": (lambda: grid(vary=[{"samples": 1}, {"regime.real": 0.1}]), "sweep.vary[1]"),
    "table by design": (lambda: grid(vary=[{"samples": 9}], design="sobol", points=2), "sweep.design"),
    "points of a product": (lambda: grid(points=5), "sweep.points: 5"),
    "no points": (lambda: grid(vary={"samples": tb.Range(10, 90)}, design="sobol"), "sweep.points"),
    "points of Sobol": (
        lambda: grid(vary={"samples": tb.Range(10, 90)}, design="sobol", points=12),
        "give 8 or 16",
    ),
    "seed": (lambda: grid(seed=-1), "sweep.seed: -1"),
    "words": (lambda: grid(common_random_numbers="yes"), "sweep.common_random_numbers"),
    "invalid": (lambda: grid(invalid="drop"), "sweep.invalid"),
    "record": (lambda: grid(record="all"), "record"),
}


@pytest.mark.parametrize(("make", "expected"), CASES.values(), ids=CASES)
def test_bad_sweep(make, expected):
    with pytest.raises(tb.SpecError) as caught:
        make()
    assert "\n" not in str(caught.value)
    assert expected in str(caught.value)
    assert "; " in str(caught.value)


def test_cells_that_cannot_be_run_are_counted_and_the_first_is_told():
    sweep = grid(vary={"samples": [100, 1000], "regime.real": [0.001, 0.1, 1.5]})
    with pytest.raises(tb.SpecError) as caught:
        _ = sweep.ids
    line = str(caught.value)
    assert line.startswith("regime.real: 0.001 of 100 samples rounds to no item")
    assert "(cell samples = 100, regime.real = 0.001; 3 of 6 cells cannot be run)" in line
    assert 'invalid = "skip"' in line


def test_cells_that_cannot_be_run_may_be_skipped():
    sweep = grid(vary={"samples": [100, 1000], "regime.real": [0.001, 0.1, 1.5]}, invalid="skip")
    assert [id_ is None for id_ in sweep.ids] == [True, False, True, False, False, True]
    assert [cell.number for cell in sweep.cells()] == [1, 3, 4]
    with pytest.raises(tb.SpecError, match="2 of 2 cells cannot be run"):
        _ = grid(vary={"regime.real": [1.5, 2.0]}, invalid="skip").ids


def test_a_recorded_generation_beyond_the_end_is_a_cell_that_cannot_be_run():
    sweep = grid(vary={"generations": [5, 50]}, record=tb.Record(generations=[0, 20]))
    with pytest.raises(tb.SpecError, match="lies beyond the end of the run"):
        _ = sweep.ids


def test_a_cell_of_another_family_is_refused_before_anything_starts():
    sweep = grid(vary={"reference": [tb.Zipf(10), tb.Gaussian()]})
    with pytest.raises(tb.SpecError, match="reference: 'gaussian' is of another family") as caught:
        _ = sweep.ids
    assert "1 of 2 cells cannot be run" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sweep: "),
        ("sweep = 3\n", "sweep: 3 is not a table"),
        ("[sweep]\n", "lacks the key 'vary'"),
        ("[sweep]\nvarry = 1\n", "did you mean 'vary'"),
        ("[sweep]\nvary = {}\n", "is empty"),
    ],
)
def test_bad_tables(text, expected):
    with pytest.raises(tb.SpecError) as caught:
        tb.Sweep.from_toml(f"samples = 100\n{text}" if "=" in text[:8] else BASE.to_toml() + text)
    assert expected in str(caught.value)

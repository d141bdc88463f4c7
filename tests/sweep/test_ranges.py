# SPDX-License-Identifier: MIT
"""Ranges and designs: the values that one would write, each where it belongs."""

import numpy as np
import pytest

import tailbiter as tb
from tests.sweep.grids import BASE, grid


def test_linear_values_are_decimals():
    assert tb.Range(0, 0.5, 11).values() == (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
    assert tb.Range(0.1, 0.5, step=0.15).values() == (0.1, 0.25, 0.4)


def test_log_values_have_one_ratio_and_meet_both_ends():
    values = tb.Range(3, 700, 9, scale="log").values()
    assert (values[0], values[-1]) == (3, 700)
    np.testing.assert_allclose(np.diff(np.log(values)), np.log(700 / 3) / 8, rtol=1e-10)
    assert tb.Range(1e-3, 1, 4, scale="log").values() == (0.001, 0.01, 0.1, 1.0)


def test_whole_numbers_are_rounded_half_up_and_stand_once():
    assert tb.Range(1, 3, 5).values(whole=True) == (1, 2, 3)
    assert tb.Range(1, 10, 20, scale="log").values(whole=True) == tuple(range(1, 11))


@pytest.mark.parametrize(
    ("field", "expected"),
    [("samples", int), ("regime.real", float), ("reference.exponent", float), ("reference.categories", int)],
)
def test_the_field_says_whether_numbers_are_whole(field, expected):
    sweep = grid(vary={field: tb.Range(0.5 if expected is float else 20, 40, 5)}, invalid="skip")
    assert {type(value) for value in sweep.columns[field]} == {expected}


def test_product_runs_the_last_field_fastest():
    sweep = grid(vary={"samples": [50, 100], "regime.real": [0.1, 0.2, 0.3]})
    assert sweep.shape == (2, 3)
    assert [sweep.values(i) for i in range(4)] == [(50, 0.1), (50, 0.2), (50, 0.3), (100, 0.1)]


def test_zip_and_table_take_values_together():
    zipped = grid(vary={"samples": [50, 100], "regime.real": [0.1, 0.3]}, design="zip")
    table = grid(vary=[{"samples": 50, "regime.real": 0.1}, {"samples": 100, "regime.real": 0.3}])
    assert zipped == table
    assert [zipped.values(i) for i in range(len(zipped))] == [(50, 0.1), (100, 0.3)]


@pytest.mark.parametrize("design", ["latin_hypercube", "sobol"])
def test_a_design_fills_every_stratum_of_every_field(design):
    shares = tb.Range(0.1, 0.9)
    sweep = grid(vary={"samples": tb.Range(100, 900), "regime.real": shares}, design=design, points=16)
    for name, low, high in (("samples", 100, 900), ("regime.real", 0.1, 0.9)):
        place = (np.array(sweep.columns[name]) - low) / (high - low)
        strata = np.minimum((place * 16).astype(int), 15)
        # Rounding to whole samples may carry a value over its stratum's edge; none does here.
        assert sorted(strata) == list(range(16))
    assert sweep == grid(vary=sweep.vary, design=design, points=16)
    assert sweep.columns != grid(vary=sweep.vary, design=design, points=16, seed=8).columns


def test_more_points_of_a_sobol_design_keep_the_old_ones():
    few, many = (grid(vary={"regime.real": tb.Range(0.1, 0.9)}, design="sobol", points=n) for n in (8, 32))
    assert set(few.ids) <= set(many.ids)


def test_a_design_takes_lists_in_equal_parts():
    sweep = grid(
        vary={"regime.source": ["fresh", "fixed"], "regime.real": tb.Range(0.1, 0.9)},
        design="sobol",
        points=8,
    )
    assert sorted(sweep.columns["regime.source"]) == ["fixed"] * 4 + ["fresh"] * 4


def test_whole_regimes_and_their_sources_vary():
    regimes = grid(vary={"regime": [tb.Replace(), tb.Accumulate(), tb.Anchored(real=0.2)]})
    assert [cell.spec.regime for cell in regimes.cells()] == [
        tb.Replace(),
        tb.Accumulate(),
        tb.Anchored(real=0.2),
    ]
    mix = BASE.replace(regime=tb.Mix([tb.Fresh(share=0.1), tb.Synthetic()]))
    sources = grid(mix, {"regime.sources.fresh.share": [0.2, 0.4]})
    assert [cell.spec.regime.source("fresh").share for cell in sources.cells()] == [0.2, 0.4]


def test_two_fields_of_one_part_vary_together():
    sweep = grid(vary={"reference.exponent": [1.0, 2.0], "reference.shift": [0.0, 3.0]})
    assert sweep.cell(3).spec.reference == tb.Zipf(30, exponent=2.0, shift=3.0)

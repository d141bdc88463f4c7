# SPDX-License-Identifier: MIT
"""A right simulation agrees with theory; a wrong one is told apart, and the table says where."""

import sys

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import SpecError

SPEC = tb.Spec(reference=tb.Zipf(30), samples=60, generations=12, seed=5)


def instead_of(monkeypatch: pytest.MonkeyPatch, other: tb.Spec) -> None:
    """Simulate another Spec than the one that is predicted."""

    def wrong(spec: tb.Spec, **arguments: object) -> object:
        return tb.simulate(other.replace(replicates=spec.replicates), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", wrong)


@pytest.mark.parametrize(
    "regime",
    [
        tb.Replace(),
        tb.Accumulate(),
        tb.AccumulateSubsample(),
        tb.Anchored(real=0.1),
        tb.Anchored(real=0.1, source="fixed"),
        tb.Anchored(real=0.1, source="hoard", hoard=40),
        tb.Window(3),
        tb.RealOnly(),
        tb.Mix([tb.Fresh(share=0.5, weight=0.618), tb.Synthetic(weight=0.382)]),
    ],
    ids=lambda regime: type(regime).__name__,
)
def test_every_regime_agrees(regime: object) -> None:
    """False alarms: 1e-9 a regime."""
    found = tb.verify(SPEC.replace(regime=regime), rate=1e-9)
    assert found.agrees, found.text()
    assert found.replicates == 256
    judged = {row.variable for row in found.rows if row.verdict == "agrees"}
    assert {"gini_simpson", "brier", "band_mass", "tail_mass"} <= judged


@pytest.mark.parametrize(
    "changes",
    [{"samples": 72}, {"regime": tb.Anchored(real=0.2)}, {"reference": tb.Zipf(30, exponent=1.2)}],
    ids=["one item in five more", "another regime", "another reference"],
)
def test_wrong_simulations_part(changes: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    instead_of(monkeypatch, SPEC.replace(**changes))
    found = tb.verify(SPEC, replicates=4000)
    assert not found.agrees
    assert "part in" in found.text()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("revived", 1.0), ("survivors", np.nan), ("gini_simpson", np.inf), ("survivors", 31.0)],
    ids=["one comes back", "not a number", "infinite", "more than there are"],
)
def test_one_impossible_value_is_enough(variable: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(spec: tb.Spec, **arguments: object) -> object:
        ds = tb.simulate(spec, **arguments)
        changed = ds[variable].astype(float)
        changed[7, 5] = value
        return ds.assign({variable: changed})

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", wrong)
    found = tb.verify(SPEC, rate=1e-9)
    assert [row.variable for row in found.rows if row.verdict == "parts"] == [variable]


def test_the_row_shown_is_where_they_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes differ from generation 7 on, so nothing before it can be shown."""
    instead_of(monkeypatch, SPEC.replace(samples=[60] * 6 + [6] * 6))
    record = tb.Record(generations="all", variables=["gini_simpson"])
    (row,) = tb.verify(SPEC, record=record, replicates=2000).rows
    assert row.verdict == "parts"
    assert row.generation >= 7
    assert row.simulated < row.predicted
    assert row.z < -20
    assert row.predicted - row.simulated > row.sees


def test_rows_hold_what_they_say() -> None:
    record = tb.Record(generations=[0, 3, 12], variables=["gini_simpson", "band_mass"])
    spec = SPEC.replace(replicates=300)
    found = tb.verify(spec, record=record)
    ds, theory = tb.simulate(spec, record=record), tb.predict(spec, record=record)
    by_name = {row.variable: row for row in found.rows}
    assert by_name["gini_simpson"].cells == 3
    assert by_name["band_mass"].cells == 3 * ds.sizes["band"]
    row = by_name["gini_simpson"]
    there = {"generation": row.generation}
    mean = float(ds.gini_simpson.sel(there).mean())
    expected, sd = (float(theory[name].sel(there)) for name in ("gini_simpson", "gini_simpson_sd"))
    assert (row.simulated, row.predicted) == pytest.approx((mean, expected))
    assert row.z == pytest.approx((mean - expected) / (sd / np.sqrt(300)))


def test_the_spec_says_how_many_replicates_if_they_are_enough() -> None:
    record = tb.Record(variables=["gini_simpson"])
    assert tb.verify(SPEC.replace(replicates=400), record=record).replicates == 400
    assert tb.verify(SPEC, record=record, replicates=2).replicates == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0}, r"^rate: 0\.0 is outside \[1e-300, 0\.5\]; give"),
        ({"rate": "often"}, r"^rate: 'often' is not a number; give"),
        ({"replicates": 1}, r"^replicates: 1 is outside 2 to"),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        tb.verify(SPEC, **arguments)


def test_values_that_are_all_alike_are_not_infinitely_far() -> None:
    """Six common categories are nearly always there, and theory knows no spread."""
    spec = tb.Spec(reference=tb.Zipf(50), estimator=tb.AddK(0.1), samples=300, generations=20)
    found = tb.verify(spec)
    (row,) = [row for row in found.rows if row.variable == "band_survivors"]
    assert found.agrees
    assert np.isfinite(row.z)

# SPDX-License-Identifier: MIT
"""The table people read: medians, not means, and censoring told apart from an answer."""

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.summary import half_gone, summarise

GENERATIONS = np.array([0, 1, 2, 4, 8])


def tail(*rows: list[int], categories: int = 20) -> xr.DataArray:
    coords = {"generation": GENERATIONS}
    return xr.DataArray(np.array(rows), coords, ("replicate", "generation"), attrs={"categories": categories})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Exactly half is not below half; 4 of 10 is.
        ([[20, 10, 5, 4, 0]], 4),
        # The first time counts, also where the tail comes back.
        ([[20, 10, 4, 9, 9]], 2),
        # The value at generation 1 is the measure, not the reference.
        ([[20, 4, 3, 3, 3]], None),
        # A tail that the first sample missed was gone at once.
        ([[20, 0, 0, 0, 0]], 1),
        # The middle replicate of three; of two, the earlier.
        ([[20, 10, 0, 0, 0], [20, 10, 9, 0, 0], [20, 10, 9, 9, 0]], 4),
        ([[20, 10, 0, 0, 0], [20, 10, 9, 9, 0]], 2),
        # Two of three never get there: not reached.
        ([[20, 10, 0, 0, 0], [20, 10, 9, 9, 9], [20, 10, 9, 9, 9]], None),
        # One of three does not: the median is known all the same.
        ([[20, 10, 0, 0, 0], [20, 10, 9, 9, 0], [20, 10, 9, 9, 9]], 8),
    ],
)
def test_half_gone(rows: list[list[int]], expected: float | None) -> None:
    assert half_gone(tail(*rows)) == expected


def test_half_gone_of_an_empty_tail_is_no_answer() -> None:
    assert half_gone(tail([0, 0, 0, 0, 0], categories=0)) is None


def test_half_gone_needs_generation_one() -> None:
    assert half_gone(tail([20, 10, 0, 0, 0]).sel(generation=[0, 2, 4])) is None


def run_of(survivors: list[list[int]], forgotten: list[list[int]], *, final: bool = True) -> xr.Dataset:
    """A hand-made run; categories a, b, c, ... from common to rare."""
    size = len(forgotten[0])
    notes = {"absence_is_final": final}
    data = {
        "survivors": (("replicate", "generation"), np.array(survivors)),
        "forgotten": (("replicate", "category"), np.array(forgotten), notes),
    }
    coords = {
        "generation": GENERATIONS,
        "category": np.arange(size)[::-1],
        "label": ("category", np.array(list("abcdefghij")[:size], dtype=object)),
        "expected_count": ("category", np.arange(size, 0, -1) / 2),
    }
    return xr.Dataset(data, coords, {"categories": size})


def test_rows_are_medians_over_replicates() -> None:
    summary = summarise(run_of([[5, 4, 3, 2, 1], [5, 4, 4, 4, 3], [5, 1, 1, 1, 1]], [[0, 0, 1]] * 3))
    assert [(row.generation, row.survivors) for row in summary.rows] == [
        (0, 5),
        (1, 4),
        (2, 3),
        (4, 2),
        (8, 1),
    ]
    assert all(row.effective_number is None and row.share_alive == [] for row in summary.rows)


def test_what_most_replicates_forgot() -> None:
    # a lives; b goes in two of three, first at 4; c in one of three; d, e and f at once or soon, f in all.
    forgotten = [[0, 4, 8, 2, 1, 1], [0, 8, 0, 2, 1, 1], [0, 0, 0, 1, 2, 1]]
    summary = summarise(run_of([[6, 4, 3, 2, 1]] * 3, forgotten))
    assert [(item.label, item.generation) for item in summary.commonest_forgotten] == [
        ("b", 8),
        ("d", 2),
        ("e", 1),
        ("f", 1),
    ]
    assert [(item.label, item.expected) for item in summary.first_forgotten] == [
        ("d", 1.5),
        ("b", 2.5),
    ]
    assert summary.missed_at_once == 2
    text = summary.text()
    assert "Forgotten first (generation): d (2), b (8)." in text
    assert "b (expected 2.5, generation 8); d (expected 1.5, generation 2)" in text
    assert "may come back" not in text


def test_a_regime_that_brings_categories_back_gives_no_dates() -> None:
    text = summarise(run_of([[3, 1, 3, 3, 2]], [[0, 0, 8]], final=False)).text()
    assert "The most common absent at the end: c (expected 0.5). In this regime they may come back." in text
    assert "Forgotten first" not in text
    # What the first sample missed is told by what it held, not by what is absent to the end.
    assert "missed 2 of 3" in text


def test_nothing_is_absent_at_the_end() -> None:
    text = summarise(run_of([[3, 3, 3, 3, 3]], [[0, 0, 0]], final=False)).text()
    assert "No category is absent at the end" in text


def test_nothing_vanished() -> None:
    text = summarise(run_of([[3, 3, 3, 3, 3]], [[0, 0, 0]])).text()
    assert "No category vanished" in text
    assert "Forgotten first" not in text


def test_the_summary_is_plain_data() -> None:
    summary = summarise(run_of([[3, 3, 3, 3, 2]], [[0, 0, 8]]))
    assert json.loads(json.dumps(summary.to_dict()))["rows"][0]["survivors"] == 3


def test_the_search_for_the_commonest_goes_beyond_its_first_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailbiter.summary.CHUNK", 2)
    summary = summarise(run_of([[8, 8, 8, 8, 2]], [[0, 0, 0, 3, 0, 4, 0, 8]]))
    assert [item.label for item in summary.commonest_forgotten] == ["d", "f", "h"]


def test_the_search_for_the_first_goes_beyond_what_was_never_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailbiter.summary.CHUNK", 2)
    summary = summarise(run_of([[10, 8, 8, 8, 2]], [[2, 2, 4, 2, 2, 3, 2, 2, 1, 1]]))
    # Rarest first among equals; nothing is earlier than generation 2, so "a" need not be looked at.
    assert [item.label for item in summary.first_forgotten] == ["h", "g", "e", "d", "b"]


def test_nothing_that_was_sampled_vanished() -> None:
    text = summarise(run_of([[3, 2, 2, 2, 2]], [[0, 0, 1]])).text()
    assert "Forgotten first" not in text
    assert "The most common that vanished: c (expected 0.5, generation 1)." in text


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("caf\u00e9", "caf\u00e9"),
        ("a\x1b[2Jb\n", r"a\x1b[2Jb\n"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 37 + "..."),
    ],
)
def test_labels_stay_in_their_line(label: str, shown: str) -> None:
    run = run_of([[3, 3, 3, 3, 2]], [[0, 0, 8]])
    run = run.assign_coords(label=("category", np.array(["a", "b", label], dtype=object)))
    summary = summarise(run)
    assert f"Forgotten first (generation): {shown} (8)." in summary.text().splitlines()
    assert summary.first_forgotten[0].label == label


def test_columns_without_values_are_left_out() -> None:
    run = run_of([[3, 3, 3, 3, 2]], [[0, 0, 8]])
    assert summarise(run).text().splitlines()[0].split() == ["generation", "survivors"]
    assert summarise(run.drop_vars("survivors")).text().splitlines()[0].split() == ["generation"]
    assert "effective" not in summarise(run).text()


def test_one_is_singular() -> None:
    run = run_of([[1, 1, 1, 1, 1]], [[0]])
    run["tail_survivors"] = tail([1, 1, 1, 1, 1], categories=1)
    text = summarise(run).text()
    assert "Medians over 1 replicate." in text
    assert "missed 0 of 1 category." in text
    assert "The tail (1 rarest category): half gone was not reached" in text


def test_no_tail_is_told() -> None:
    run = run_of([[3, 3, 3, 3, 3]], [[0, 0, 0]])
    run["tail_survivors"] = tail([0, 0, 0, 0, 0], categories=0)
    assert "No tail to follow: the rarest categories" in summarise(run).text()


SMALL = {"reference": tb.Zipf(5), "samples": 4, "generations": 200, "replicates": 8}


@pytest.mark.parametrize(
    ("fields", "final"),
    [
        ({"estimator": tb.GoodTuring()}, True),
        ({"estimator": tb.GoodTuring("none")}, True),
        ({"estimator": tb.Discount()}, True),
        ({"estimator": tb.Shrinkage()}, True),
        ({"estimator": tb.GoodTuring(), "regime": tb.Anchored(real=0.5)}, False),
        ({"estimator": tb.GoodTuring(), "generations": 3}, False),
        ({"estimator": tb.Discount(), "samples": 1}, False),
        ({"estimator": tb.AddK(1e-9)}, False),
    ],
)
def test_one_category_that_has_all_brings_nothing_back(fields: dict[str, Any], final: bool) -> None:
    """Estimators that go by the data leave nothing beside it; then dates are what they are elsewhere."""
    ds = tb.simulate(tb.Spec(**SMALL | fields), record=tb.Record(forgotten=True))
    text = summarise(ds).text()
    assert ("they may come back" in text) != final
    assert ("The most common that vanished: 0 (expected" in text) == final
    assert "generation -" not in text

# SPDX-License-Identifier: MIT
"""What a phase diagram says of where there is no line."""

import numpy as np
import xarray as xr

import tailbiter as tb


def found(**phases: float) -> xr.Dataset:
    """A diagram over sizes, one for each phase, with its boundary."""
    boundary = np.array(list(phases.values()))
    data = dict.fromkeys(("boundary_low", "boundary", "boundary_high"), ("samples", boundary))
    data["phase"] = ("samples", np.array(list(phases), dtype=object))
    sizes = {"samples": 10.0 * np.arange(1, len(phases) + 1)}
    return xr.Dataset(data, sizes, {"y": "regime.real", "target": "to keep 90 % of the human mass"})


def test_values_without_a_line_are_drawn_and_named() -> None:
    ax = tb.plot.phase(found(never=np.nan, crossed=0.2, always=np.nan, undecided=np.nan))
    assert ax.get_title() == "Above the line is enough to keep 90 % of the human mass"
    said = {text.get_text() for text in ax.get_legend().get_texts()}
    assert said == {
        "the most there may be is not enough",
        "the least there may be is enough",
        "not decided by these lineages",
    }
    low, high = ax.get_xlim()
    assert low < 10
    assert high > 40
    drawn = {float(x): float(y) for line in ax.lines[1:] for x, y in line.get_xydata()}
    assert drawn == {10.0: 0.97, 30.0: 0.03, 40.0: 0.5}


def test_a_line_alone_needs_no_legend() -> None:
    assert tb.plot.phase(found(crossed=0.2)).get_legend() is None

# SPDX-License-Identifier: MIT
"""Pictures of confidence and of groups hold what the Dataset says."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import SpecError
from tests.judgement.test_oracles import spec


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


def test_confidence_is_drawn_beside_truth() -> None:
    ds = tb.simulate(spec())
    lines = tb.plot.confidence(ds).lines
    later = ds.isel(generation=slice(1, None)).median("replicate")
    for line, name in zip(lines, ("largest_share", "top_share_held_out"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), later[name])


def test_groups_have_a_line_each() -> None:
    ds = tb.simulate(spec())
    ax = tb.plot.groups(ds)
    names = [text.get_text().split()[0] for text in ax.get_legend().get_texts()]
    assert sorted(names) == sorted(ds.group.values)
    alive = (ds.group_survivors / ds.group_categories).isel(generation=-1, group=-1).median()
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(float(alive))


def test_what_was_not_recorded_is_named() -> None:
    ds = tb.simulate(tb.Spec(reference=tb.Uniform(3), samples=9, generations=3, replicates=2))
    with pytest.raises(SpecError, match="top_share_held_out"):
        tb.plot.confidence(ds)
    with pytest.raises(SpecError, match="group_survivors"):
        tb.plot.groups(ds)


def test_names_of_groups_are_drawn_as_they_are_written() -> None:
    """A dollar would begin a formula, and a first underscore hide the line from the legend."""
    made = tb.Spec(reference=tb.Uniform(3), groups=["$\\foo$", "$x^2$", "_hidden"], samples=50, generations=3)
    ax = tb.plot.groups(tb.simulate(made))
    ax.figure.canvas.draw()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(names) == 3
    assert all(name.count("$") == name.count(r"\$") for name in names)
    assert any("_hidden" in name for name in names)


def test_long_names_of_groups_leave_room_for_the_picture() -> None:
    names = ["a" * 60 + "d" * 40, "b" * 24, "c"]
    made = tb.Spec(reference=tb.Uniform(3), groups=names, samples=50, generations=3)
    ax = tb.plot.groups(tb.simulate(made))
    ax.figure.canvas.draw()
    shown = {text.get_text().split()[0] for text in ax.get_legend().get_texts()}
    assert shown == {"a" * 12 + "\N{HORIZONTAL ELLIPSIS}" + "d" * 11, "b" * 24, "c"}
    assert ax.get_window_extent().width > 0.4 * ax.figure.bbox.width

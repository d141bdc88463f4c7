# SPDX-License-Identifier: MIT
"""The picture holds what the Dataset says; whether it is pretty is for eyes."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes

import tailbiter as tb
from tailbiter.dataset import share_alive
from tailbiter.errors import SpecError
from tailbiter.plot import save_tails, tails
from tailbiter.plot._common import plain_ticks
from tailbiter.record import Record
from tailbiter.reference import Counts, Zipf
from tailbiter.run_files import write_run
from tailbiter.simulate import simulate
from tailbiter.spec import Spec

SPEC = Spec(reference=Zipf(categories=300), samples=3000, generations=40, replicates=5, seed=7)


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return simulate(SPEC)


def test_a_line_for_each_band_is_its_median(ds: xr.Dataset) -> None:
    ax = tails(ds)
    alive = share_alive(ds).sel(generation=slice(1, None)).median("replicate")
    bands = np.flatnonzero(ds["band_categories"])
    drawn = [line for line in ax.lines if line.get_linewidth() > 1]
    assert len(drawn) == bands.size >= 3
    for line, band in zip(drawn, bands, strict=True):
        expected = alive.isel(band=band).values
        np.testing.assert_array_equal(line.get_ydata(), np.where(expected > 0, expected, 1e-30))
        np.testing.assert_array_equal(line.get_xdata(), alive["generation"])


def test_neighbours_differ_in_dashes_and_lightness(ds: xr.Dataset) -> None:
    lines = [line for line in tails(ds).lines if line.get_linewidth() > 1]
    grey = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in (line.get_color()[:3] for line in lines)]
    assert (np.diff(grey) > 0.1).all()
    dashes = [str(line._unscaled_dash_pattern) for line in lines]
    assert all(one != other for one, other in itertools.pairwise(dashes))


def test_axes_and_legend_name_what_they_show(ds: xr.Dataset) -> None:
    ax = tails(ds)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(names) == np.count_nonzero(ds["band_categories"]) + 1
    assert names[0] == "human data only (mean)"
    assert any(name.startswith("10 to 100 ") for name in names)


def test_axes_of_the_caller_are_used(ds: xr.Dataset) -> None:
    import matplotlib.pyplot as plt

    _, mine = plt.subplots()
    assert tails(ds, mine) is mine


def test_a_file_is_written_without_touching_open_figures(ds: xr.Dataset, tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    save_tails(ds, tmp_path / "tails.png")
    assert (tmp_path / "tails.png").read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "spec",
    [
        SPEC.replace(generations=1, replicates=1),
        SPEC.replace(reference=Counts([1])),  # one band, one category
        SPEC.replace(reference=Counts([900, 1, 1])),  # bands without categories between
        SPEC.replace(bands=(1.0, 10.0)),  # no end
        SPEC.replace(reference=Zipf(categories=300), samples=5, generations=400),  # all but one die
    ],
)
def test_odd_runs_can_be_drawn(spec: Spec, tmp_path: Path) -> None:
    save_tails(simulate(spec), tmp_path / "tails.png")


def test_generation_0_alone_is_no_picture(tmp_path: Path) -> None:
    start = simulate(SPEC, record=Record(generations=[0]))
    with pytest.raises(SpecError, match=r"record\.generations"):
        tails(start)
    assert not (write_run(start, SPEC, tmp_path / "run") / "tails.png").exists()


def dashed(ax: Axes, *, human: bool) -> list[np.ndarray]:
    """Thin lines: dotted ones of human data alone, or those of theory."""
    thin = [line for line in ax.lines if line.get_linewidth() < 1]
    return [line.get_ydata() for line in thin if (line.get_linestyle() == "--") is human]


def test_theory_is_a_thin_line_over_each_band() -> None:
    spec = tb.Spec(reference=tb.Zipf(categories=200), samples=300, generations=40, replicates=4)
    run = tb.simulate(spec)
    ax = tb.plot.tails(run, theory=tb.predict(spec))
    bands = int((run["band_categories"] > 0).sum())
    assert len(dashed(ax, human=False)) == bands
    assert len(ax.lines) == 3 * bands
    assert [text.get_text() for text in ax.get_legend().get_texts()].count("mean, by theory") == 1
    window = spec.replace(regime=tb.Window(3))  # of which theory knows no presence
    plain = tb.plot.tails(tb.simulate(window), theory=tb.predict(window))
    assert dashed(plain, human=False) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"regime": tb.Anchored(real=0.1), "estimator": tb.AddK(0.5)},
        {"samples": [50] * 5 + [400] * 5},
        {"reference": tb.Counts([900, 1, 1])},
        {"bands": (3.0, 7.0)},
        {"generations": 1},
    ],
    ids=str,
)
def test_human_data_alone_stand_beside_every_band(fields: dict) -> None:
    """The dotted lines are what human samples as large are expected to hold, category by category."""
    spec = tb.Spec(reference=tb.Zipf(200), samples=300, generations=10, replicates=2)
    spec = spec.replace(**fields)
    run = tb.simulate(spec)
    drawn = dashed(tails(run), human=True)
    q = np.sort(spec.reference.support.weights / spec.reference.support.weights.sum())
    sizes = np.broadcast_to(np.asarray(spec.samples), spec.generations)
    shown = np.flatnonzero(run["band_categories"])
    first = np.concatenate([[0], np.cumsum(run["band_categories"].values)])
    assert len(drawn) == shown.size
    for line, band in zip(drawn, shown, strict=True):
        mine = q[first[band] : first[band + 1]]
        expected = [(1 - (1 - mine) ** int(n)).mean() for n in sizes]
        np.testing.assert_allclose(line, expected, rtol=1e-12)


def test_the_baseline_is_what_predict_says_of_human_data() -> None:
    run = tb.simulate(SPEC)
    human = tb.predict(SPEC.replace(regime=tb.RealOnly()))
    shown = np.flatnonzero(run["band_categories"])
    expected = (human["band_survivors"] / human["band_categories"]).values[1:, shown].T
    np.testing.assert_allclose(dashed(tails(run), human=True), expected, rtol=1e-10)


def test_without_its_table_a_run_has_no_baseline() -> None:
    """A large table of no file stands in the Dataset by its digest."""
    spec = SPEC.replace(reference=Counts(np.arange(1, 1200)), generations=3)
    run = tb.simulate(spec).assign_attrs(spec=spec.to_json(brief=True))
    assert dashed(tails(run), human=True) == []


def test_one_generation_is_drawn_as_points() -> None:
    ax = tails(simulate(SPEC.replace(generations=1)))
    points = [line for line in ax.lines if line.get_marker() not in ("None", "_", "|", "")]
    assert len(points) == 3
    low, high = ax.get_xlim()
    assert 0 < low < 1 < high
    assert ax.get_xticks().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("low", "high"), [(1, 3), (1, 5), (1, 40), (1, 700), (1, 1e6), (0.93, 1.0), (2e-9, 1)]
)
def test_ticks_of_short_and_long_axes(low: float, high: float) -> None:
    """At least two numbers stand on any axis of generations or shares, and not so many that they touch."""
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    plain_ticks(ax.xaxis, whole=low == 1)
    ax.figure.canvas.draw()
    shown = [t for t in ax.get_xticks() if low * (1 - 1e-9) <= t <= high * (1 + 1e-9)]
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert 2 <= len(shown) <= 9
    assert len(set(labels)) == len(labels)
    assert all(t == round(t) for t in shown) or low != 1

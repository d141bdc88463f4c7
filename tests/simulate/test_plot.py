# SPDX-License-Identifier: MIT
"""The picture holds what the Dataset says; whether it is pretty is for eyes."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.dataset import share_alive
from tailbiter.errors import SpecError
from tailbiter.plot import save_tails, tails
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
    assert len(ax.lines) == bands.size >= 3
    for line, band in zip(ax.lines, bands, strict=True):
        expected = alive.isel(band=band).values
        np.testing.assert_array_equal(line.get_ydata(), np.where(expected > 0, expected, np.nan))
        np.testing.assert_array_equal(line.get_xdata(), alive["generation"])


def test_neighbours_differ_in_dashes_and_lightness(ds: xr.Dataset) -> None:
    lines = tails(ds).lines
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
    assert len(names) == len(ax.lines)
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


def test_theory_is_a_thin_line_over_each_band() -> None:
    spec = tb.Spec(reference=tb.Zipf(categories=200), samples=300, generations=40, replicates=4)
    run = tb.simulate(spec)
    ax = tb.plot.tails(run, theory=tb.predict(spec))
    thin = [line for line in ax.lines if line.get_linewidth() < 1]
    bands = int((run["band_categories"] > 0).sum())
    assert len(thin) == bands
    assert len(ax.lines) == 2 * bands
    assert [text.get_text() for text in ax.get_legend().get_texts()].count("mean, by theory") == 1
    window = spec.replace(regime=tb.Window(3))  # of which theory knows no presence
    plain = tb.plot.tails(tb.simulate(window), theory=tb.predict(window))
    assert len(plain.lines) == bands

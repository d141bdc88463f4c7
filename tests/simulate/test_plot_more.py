# SPDX-License-Identifier: MIT
"""Pictures of ranks, survival, flow, densities and phases hold what the Dataset says."""

import itertools
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from scipy.stats import laplace, norm

import tailbiter as tb
from tailbiter.errors import SpecError


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    spec = tb.Spec(reference=tb.Zipf(200), samples=500, generations=30, replicates=3)
    return tb.simulate(spec, record=tb.Record(forgotten=True, snapshots=[0, 1, 30]))


def test_ranks_are_sorted_shares_of_one_lineage(ds: xr.Dataset) -> None:
    lines = tb.plot.rank_frequency(ds, replicate=1).lines
    assert [line.get_label() for line in lines] == ["reference", "generation 1", "generation 30"]
    for line, t in zip(lines, (0, 1, 30), strict=True):
        y = line.get_ydata()
        assert (np.diff(y) <= 0).all()
        assert y.sum() == pytest.approx(1)
        assert len(y) == int(ds.survivors.sel(generation=t)[1])


def test_survival_is_the_share_not_forgotten(ds: xr.Dataset) -> None:
    lines = tb.plot.survival(ds, generations=[1, 30]).lines
    forgotten = ds.forgotten.values
    for line, t in zip(lines, (1, 30), strict=True):
        left = ((forgotten == 0) | (forgotten > t)).mean()
        expected = ds.expected_count.values
        bins = np.floor(6 * np.log10(expected))
        sizes = [(bins == b).sum() for b in np.unique(bins)]
        assert np.average(line.get_ydata(), weights=sizes) == pytest.approx(left)
        assert line.get_xdata().min() >= expected.min() * (1 - 1e-12)


def test_survival_says_what_it_shows_where_categories_come_back(ds: xr.Dataset) -> None:
    """Absent at 10 and seen again at 20 is not forgotten, and not alive at 10."""
    spec = tb.Spec(reference=tb.Zipf(200), regime=tb.Anchored(real=0.1), samples=200, generations=20)
    back = tb.simulate(spec, record=tb.Record(forgotten=True))
    assert tb.plot.survival(back).get_ylabel() == "share not yet absent for good"
    assert tb.plot.survival(ds).get_ylabel() == "share not yet forgotten"
    for asked in ([], [0], [31]):
        with pytest.raises(SpecError, match=r"generations: .* from 1 to 30"):
            tb.plot.survival(ds, generations=asked)


def test_theory_of_another_spec_is_refused(ds: xr.Dataset) -> None:
    other = tb.predict(tb.Spec(reference=tb.Zipf(50), samples=50, generations=30))
    with pytest.raises(SpecError, match=r"theory: .* of another Spec"):
        tb.plot.tails(ds, theory=other)


def test_masses_of_bands_add_up_to_one(ds: xr.Dataset) -> None:
    ax = tb.plot.band_mass(ds, replicate=2)
    tops = [stack.get_paths()[0].vertices[:, 1].max() for stack in ax.collections]
    assert tops[-1] == pytest.approx(1)
    assert len(tops) == int((ds.band_categories > 0).sum())
    assert {text.get_text()[-1] for text in ax.get_yticklabels()} == {"%"}


def by_hand(ds: xr.Dataset, replicate: int) -> dict[tuple[int, int, int], list[float]]:
    """Mass at both ends of what goes from one band to another, category by category; -1 is absent."""
    mass: dict[int, dict[int, float]] = {}
    names = ("replicate", "generation", "category", "count")
    for of, t, i, count in zip(*(ds[f"snapshot_{name}"].values.tolist() for name in names), strict=True):
        if of == replicate:
            mass.setdefault(t, {})[i] = count
    mass = {t: {i: c / sum(counts.values()) for i, c in counts.items()} for t, counts in mass.items()}
    lower = [0, 1, 10, 100]
    band = {
        t: {i: max(b for b in range(4) if lower[b] <= p * 500 * (1 + 1e-12)) for i, p in shares.items()}
        for t, shares in mass.items()
    }
    out: dict[tuple[int, int, int], list[float]] = {}
    for column, (t, later) in enumerate(itertools.pairwise(sorted(mass))):
        for i in mass[t].keys() | mass[later].keys():
            ends = out.setdefault((column, band[t].get(i, -1), band[later].get(i, -1)), [0.0, 0.0])
            ends[0] += mass[t].get(i, 0.0)
            ends[1] += mass[later].get(i, 0.0)
    return out


@pytest.mark.parametrize("regime", [tb.Replace(), tb.Anchored(real=0.2)], ids=str)
def test_flow_is_what_goes_from_band_to_band(regime: tb.Replace) -> None:
    """Every ribbon is as wide at its ends as its categories have mass there, and ribbons fill the bars."""
    spec = tb.Spec(reference=tb.Zipf(200), regime=regime, samples=500, generations=30, replicates=3)
    found = tb.simulate(spec, record=tb.Record(snapshots=[0, 1, 30]))
    ax = tb.plot.flow(found, replicate=2)
    expected = by_hand(found, 2)
    drawn: list[tuple[int, float, float]] = []
    for ribbon in ax.collections:
        x, y = ribbon.get_paths()[0].vertices.T
        ends = [np.ptp(y[np.isclose(x, edge)]) for edge in (x.min(), x.max())]
        drawn.append((int(x.min()), *ends))
    wanted = [(column, *ends) for (column, _, _), ends in expected.items()]
    np.testing.assert_allclose(sorted(drawn), sorted(wanted), atol=1e-9)
    for column in (0, 1):
        assert sum(left for at, left, _ in drawn if at == column) == pytest.approx(1)
        assert sum(right for at, _, right in drawn if at == column) == pytest.approx(1)
    assert ax.get_yticklabels()[0].get_text() == "absent"


def test_flow_needs_two_snapshots(ds: xr.Dataset) -> None:
    spec = tb.Spec(reference=tb.Zipf(200), samples=500, generations=3, replicates=3)
    with pytest.raises(SpecError, match=r"record\.snapshots: \[3\] are the only"):
        tb.plot.flow(tb.simulate(spec, record=tb.Record(snapshots=[3])))
    with pytest.raises(SpecError, match="replicate: 3 is no lineage"):
        tb.plot.flow(ds, replicate=3)


def test_densities_are_the_models() -> None:
    spec = tb.Spec(
        reference=tb.GaussianMixture([0.7, 0.3], [0.0, 6.0], [1.0, 4.0]), samples=50, generations=9
    )
    found = tb.simulate(spec, record=tb.Record(variables=["weights", "means", "factors"]))
    line = tb.plot.densities(found).lines[0]
    x = line.get_xdata()
    expected = 0.7 * norm.pdf(x) + 0.3 * norm.pdf(x, 6, 2)
    assert np.abs(line.get_ydata() - expected).max() < 1e-12
    spec = tb.Spec(reference=tb.Gaussian([3.0], [[4.0]]), samples=50, generations=9)
    found = tb.simulate(spec, record=tb.Record(variables=["mean", "factor", "exponent"]))
    line = tb.plot.densities(found, replicate=3).lines[-1]
    deviation = float(np.ldexp(found.factor[3, -1, 0], int(found.exponent[3, -1, 0])))
    expected = norm.pdf(line.get_xdata(), float(found["mean"][3, -1, 0]), deviation)
    assert np.abs(line.get_ydata() - expected).max() < 1e-12


def test_the_density_of_laws_that_users_write() -> None:
    law = tb.UserMixture(tb.jit.laplace, [[0.0, 1.0], [8.0, 0.5]], [0.8, 0.2])
    names = ["weights", "parameters", "item_mean", "item_variance"]
    spec = tb.Spec(reference=law, samples=40, generations=6, replicates=2)
    found = tb.simulate(spec, record=tb.Record(variables=names))
    for row, line in ((0, tb.plot.densities(found).lines[0]), (-1, tb.plot.densities(found).lines[-1])):
        weights, parameters = found.weights.values[0, row], found.parameters.values[0, row].reshape(2, 2)
        parts = [
            w * laplace.pdf(line.get_xdata(), *p) for w, p in zip(weights, parameters, strict=True) if w > 0
        ]
        np.testing.assert_allclose(line.get_ydata(), np.sum(parts, axis=0), atol=1e-12)
    first = found.item_mean.values[0, 1, 0]
    assert line.get_xdata().mean() == pytest.approx(first)


def test_what_is_too_narrow_to_draw_is_told() -> None:
    """Without the limit the other lines would lie on the axis."""
    spec = tb.Spec(reference=tb.Gaussian(), samples=3, generations=30, replicates=1)
    ax = tb.plot.densities(tb.simulate(spec, record=tb.Record(variables=["mean", "factor", "exponent"])))
    peak = norm.pdf(0)
    assert ax.lines[0].get_ydata().max() == pytest.approx(peak)
    assert ax.get_ylim() == pytest.approx((0, 4 * peak))
    for line in ax.lines:
        told = f"(up to {line.get_ydata().max():.3g})" in line.get_label()
        assert told is bool(line.get_ydata().max() > 4 * peak)
    assert "up to" in ax.lines[-1].get_label()


def test_axes_of_less_than_a_decade_have_numbers_that_stand_apart() -> None:
    boundary = xr.DataArray([0.05, 0.049, 0.047], coords={"samples": [100, 400, 900]}, dims="samples")
    names = ("boundary", "boundary_low", "boundary_high")
    phases = {"phase": boundary.copy(data=np.array(["crossed"] * 3, dtype=object))}
    attrs = {"y": "regime.real", "target": "to keep 90 % of the human mass"}
    found = xr.Dataset(dict.fromkeys(names, boundary) | phases, attrs=attrs)
    ax = tb.plot.phase(found)
    ax.figure.canvas.draw()
    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        places = [
            t.get_loc() for t in axis.get_major_ticks() if low <= t.get_loc() <= high and t.label1.get_text()
        ]
        assert 2 <= len(places) <= 9
        assert not axis.get_minor_ticks()


def test_a_phase_diagram_is_its_boundary() -> None:
    spec = tb.Spec(reference=tb.Zipf(20), samples=50, generations=20)
    target = tb.Target(keep=0.9, at_least=5, probability=None)
    found = tb.phase(spec, {"samples": [50, 100]}, "regime.real", target)
    ax = tb.plot.phase(found)
    assert ax.lines[0].get_ydata().tolist() == found.boundary.values.tolist()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("samples", "regime.real")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Four cells of six are there."""
    where = tmp_path_factory.mktemp("sweep") / "cells"
    base = tb.Spec(
        reference=tb.Zipf(60), regime=tb.Anchored(real=0.1), samples=200, generations=20, replicates=5
    )
    few = tb.Sweep(base, vary={"regime.real": [0.0, 0.9], "samples": [50, 200]})
    tb.run_sweep(few, where, threads=1)
    tb.Store.create(where, tb.Sweep(base, vary={"regime.real": [0.0, 0.5, 0.9], "samples": [50, 200]}))
    return tb.open_sweep(where)


def test_a_sweep_is_a_tile_for_each_cell(cells: xr.Dataset) -> None:
    ax = tb.plot.phase(cells)
    middle = cells.coverage.isel(generation=-1).median("replicate").transpose("samples", "regime.real").values
    shown = np.asarray(ax.images[0].get_array(), np.float64)
    np.testing.assert_array_equal(np.where(np.isnan(middle), 0, shown), np.where(np.isnan(middle), 0, middle))
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "0.5", "0.9"]
    assert [text.get_text() for text in ax.texts] == [f"{100 * v:.3g} %" for v in middle.ravel() if v == v]
    missing = {(float(x), float(y)) for line in ax.lines for x, y in line.get_xydata()}
    assert missing == {(1.0, 0.0), (1.0, 1.0)}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("regime.real", "samples")


def test_the_line_parts_tiles_on_either_side_of_the_level(cells: xr.Dataset) -> None:
    one = cells.sel({"regime.real": [0.0, 0.9]}).sel(band=1, generation=20)
    values = tb.share_alive(one).median("replicate").transpose("samples", "regime.real").values
    level = float(values.mean())
    ax = tb.plot.phase(one, variable="band_survivors", level=level)
    above = values >= level
    wanted = [(0.5, y) for y in (0.0, 1.0) if above[int(y), 0] != above[int(y), 1]]
    wanted += [(x, 0.5) for x in (0.0, 1.0) if above[0, int(x)] != above[1, int(x)]]
    drawn = [tuple(np.mean(piece, axis=0)) for piece in ax.collections[0].get_segments()]
    assert sorted(drawn) == sorted(wanted)
    assert wanted
    assert f"the line is at {100 * level:.3g} %" in ax.get_title()


def test_what_no_phase_diagram_can_be_made_of_is_said(cells: xr.Dataset, ds: xr.Dataset) -> None:
    for found, asked, says in (
        (cells, {"variable": "band_survivors"}, r"more than one number .* found\.sel\(band=0\)"),
        (cells, {"variable": "nothing"}, "is not among what was recorded"),
        (cells.sel(samples=50), {}, "are not two fields"),
        (ds, {}, "is neither a phase nor a sweep"),
    ):
        with pytest.raises(SpecError, match=says):
            tb.plot.phase(found, **asked)


def test_what_was_not_recorded_is_said() -> None:
    spec = tb.Spec(reference=tb.Uniform(9), samples=20, generations=3, replicates=2)
    plain = tb.simulate(spec, record=tb.Record(variables=["survivors"]))
    for draw in (tb.plot.rank_frequency, tb.plot.survival, tb.plot.flow, tb.plot.densities):
        with pytest.raises(SpecError, match="does not hold"):
            draw(plain)
    wide = tb.simulate(
        tb.Spec(reference=tb.Gaussian(dimensions=2), samples=20, generations=3),
        record=tb.Record(variables=["mean", "factor", "exponent"]),
    )
    with pytest.raises(SpecError, match="cannot be drawn as a density"):
        tb.plot.densities(wide)


def test_a_band_that_died_leaves_at_the_bottom() -> None:
    """Its last point lies below the picture, in the same line as those before; of the others none does."""
    reference = tb.Counts([5, 5, 4, 3, 900, 100, 40])
    ds = tb.simulate(tb.Spec(reference=reference, samples=200, generations=200, replicates=4))
    ax = tb.plot.tails(ds)
    last = tb.share_alive(ds).isel(generation=-1).median("replicate").values
    lines = [line for line in ax.lines if line.get_linewidth() > 1]
    ends = [line.get_ydata()[-1] for line in lines]
    gone = (last[np.isfinite(last)] == 0).tolist()
    assert {True, False} == set(gone)
    assert [end < ax.get_ylim()[0] for end in ends] == gone
    assert all(np.isfinite(line.get_ydata()).all() for line in lines)

# SPDX-License-Identifier: MIT
"""Pictures of ranks, survival, flow, densities and phases hold what the Dataset says."""

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


def test_flow_adds_up_to_one(ds: xr.Dataset) -> None:
    ax = tb.plot.flow(ds, replicate=2)
    tops = [stack.get_paths()[0].vertices[:, 1].max() for stack in ax.collections]
    assert tops[-1] == pytest.approx(1)
    assert len(tops) == int((ds.band_categories > 0).sum())


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

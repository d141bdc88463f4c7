# SPDX-License-Identifier: MIT
"""Pictures of a run. Matplotlib is loaded when something is drawn, never on import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import recorded, share_alive
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import os

    import xarray as xr
    from matplotlib.axes import Axes

__all__ = [
    "confidence",
    "groups",
    "plan",
    "save_spread",
    "save_tails",
    "save_weights",
    "spread",
    "tails",
    "weights",
]

# With one colour map whose lightness rises evenly, the dashes keep neighbours apart without colour.
DASHES: list[Any] = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (1, 1)), (0, (10, 3))]
QUANTILES = (0.05, 0.5, 0.95)
SIZE = (7.5, 4.8)
# Of a Gaussian's tail; below it nothing is drawn.
LEAST_MASS = 1e-8
# Lines that can be told apart.
MOST_GROUPS = 12
# Of a component; below it nothing is drawn.
LEAST_WEIGHT = 1e-6


def tails(ds: xr.Dataset, ax: Axes | None = None, *, theory: xr.Dataset | None = None) -> Axes:
    """Draw how much of each tail is left, generation by generation.

    Of categories, the share of each band that is alive: bands are named by the count expected in the first
    human sample, and a line ends where the median reaches zero. Of a Gaussian, the model's mass beyond the
    reference's quantiles, down to 1e-8. Lines are medians over replicates and shades run from the 5 % to the
    95 % quantile; generation 0 lies outside the logarithmic axis.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_survivors``, ``mass_beyond`` or ``mass_above``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.
    theory : xarray.Dataset, optional
        A prediction of the same run, as `predict` returned it: the expected share of each band is drawn as a
        thin black line, if theory knows it.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When none of these was recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=50, replicates=4)
    >>> ax = tb.plot.tails(tb.simulate(spec))
    >>> ax.get_xscale()
    'log'
    """
    for variable in ("mass_beyond", "mass_above"):
        if variable in ds:
            return _beyond(ds, variable, ax)
    alive = share_alive(ds)
    later = _later(alive)
    ax = _axes() if ax is None else ax
    bands = np.flatnonzero(ds["band_categories"].values)
    for rank, band in enumerate(bands):
        one = later.isel(band=band)
        # Below one category a logarithmic axis has nothing to show: shades stop at half of one.
        floor = 0.5 / int(one["band_categories"])
        _draw(ax, one, rank, len(bands), _name(one), floor)
        if theory is not None and "band_survivors" in theory:
            expected = _later(theory["band_survivors"].isel(band=band)) / int(one["band_categories"])
            shown = np.where(expected.values >= floor, expected.values, np.nan)
            name = "mean, by theory" if rank == len(bands) - 1 else None
            ax.plot(expected["generation"].values, shown, color="black", linewidth=0.7, label=name)
    _label(ax, "count expected in the\nfirst sample (categories)")
    return ax


def spread(ds: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw how a Gaussian narrows: the logarithm of its generalised variance, over the reference's.

    The generalised variance is the d-th root of the covariance's determinant: the variance itself where d is
    1. A line ends where the covariance of the median replicate becomes singular.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``log_det``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When ``log_det`` was not recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Gaussian(), samples=100, generations=50, replicates=4)
    >>> tb.plot.spread(tb.simulate(spec)).get_ylabel()
    "log10 of the generalised variance, over the reference's"
    """
    log_det = recorded(ds, "log_det")
    dimensions = ds.attrs["dimensions"]
    level = (log_det - log_det.attrs["reference"]) / (dimensions * np.log(10))
    later = _later(level)
    ax = _axes() if ax is None else ax
    _draw(ax, later.where(np.isfinite(later)), 0, 1, f"{dimensions} dimension{'s' * (dimensions != 1)}")
    ax.set_xscale("log")
    ax.set_xlabel("generation")
    ax.set_ylabel("log10 of the generalised variance, over the reference's")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    ax.margins(x=0)
    ax.set_title("How the model narrows: median and 5-95 % of replicates", fontsize="medium")
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    return ax


def weights(ds: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the weights of a mixture's components, generation by generation.

    Lines are medians over replicates, from the component that is smallest in the reference to the largest,
    and shades run from the 5 % to the 95 % quantile, down to 1e-6; a line ends where the median component is
    dead. Generation 0 lies outside the logarithmic axis.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``weights``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When ``weights`` was not recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.GaussianMixture([0.9, 0.1], [0.0, 8.0], [1.0, 1.0])
    >>> spec = tb.Spec(reference=law, samples=200, generations=20, replicates=4)
    >>> tb.plot.weights(tb.simulate(spec)).get_ylabel()
    'weight of the component'
    """
    later = _later(recorded(ds, "weights"))
    ax = _axes() if ax is None else ax
    reference = ds["reference_weight"].values
    for rank, component in enumerate(np.argsort(reference, kind="stable")):
        name = f"{component}  ({100 * reference[component]:.3g} %)"
        _draw(ax, later.isel(component=component), rank, len(reference), name, LEAST_WEIGHT)
    _label(ax, "component\n(in the reference)")
    ax.set_ylim(max(ax.get_ylim()[0], LEAST_WEIGHT), 1)
    ax.set_ylabel("weight of the component")
    ax.set_title("How the components fare: median and 5-95 % of replicates", fontsize="medium")
    return ax


def plan(curve: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw what is kept at each value of a plan's field.

    A bar shows in what share of lineages enough is kept (or, where the plan asks for a mean, what share is
    kept), and between what that lies; the black line is the mean share kept, by theory where that is known.
    A shade covers the plan's interval. Values of 0 lie outside the logarithmic axis.

    Parameters
    ----------
    curve : xarray.Dataset
        ``curve`` of a `Plan`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(20), samples=50, generations=20)
    >>> found = tb.plan(spec, "regime.real", tb.Target(keep=0.9, at_least=5, probability=None))
    >>> tb.plot.plan(found.curve).get_xlabel()
    'regime.real'
    """
    field = curve.attrs["vary"]
    ax = _axes() if ax is None else ax
    shown = curve.sel(level=curve[field].values > 0)
    values = shown[field].values
    kept = np.where(np.isfinite(shown["expected"]), shown["expected"], shown["kept"])
    ax.plot(values, kept, color="black", linewidth=1.0, label="mean share kept")
    seen = np.flatnonzero(shown["replicates"].values > 0)
    middle, low, high = (shown[name].values[seen] for name in ("share", "share_low", "share_high"))
    ends = np.stack([middle - low, high - middle])
    ax.errorbar(values[seen], middle, ends, fmt="o", markersize=3, linewidth=0.8, label="simulated")
    ax.axvspan(curve.attrs.get("low", values[0]), curve.attrs["high"], color="grey", alpha=0.25, lw=0)
    ax.set_xscale("log")
    ax.set_xlabel(field)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.6g} %")
    for axis_formatter in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
        axis_formatter(lambda value, _: f"{value:,.6g}")
    ax.set_title(curve.attrs["sentence"].partition(",")[0], fontsize="medium")
    ax.legend(frameon=False)
    return ax


def confidence(ds: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw confidence against truth: the model's largest probability, and that category's held-out share.

    Lines are medians over replicates and shades run from the 5 % to the 95 % quantile: more confident and
    less accurate is where they part. Generation 0 lies outside the logarithmic axis.

    Parameters
    ----------
    ds : xarray.Dataset
        A run with held-out data, that recorded ``largest_share`` and ``top_share_held_out``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When one of them was not recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> words = tb.Counts.read("tailbiter:shakespeare", counts="train")
    >>> spec = tb.Spec(reference=words, held_out="heldout", samples=5000, generations=20, replicates=4)
    >>> tb.plot.confidence(tb.simulate(spec)).get_ylabel()
    "share of the model's top category"
    """
    sure, true = _later(recorded(ds, "largest_share")), _later(recorded(ds, "top_share_held_out"))
    ax = _axes() if ax is None else ax
    _draw(ax, sure, 0, 2, "the model's probability of it")
    _draw(ax, true, 1, 2, "its share of the held-out data")
    ax.set_xscale("log")
    ax.set_xlabel("generation")
    ax.set_ylabel("share of the model's top category")
    _count_and_percent(ax)
    ax.margins(x=0)
    ax.set_title("Confidence against truth: median and 5-95 % of replicates", fontsize="medium")
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    ax.legend(frameon=False)
    return ax


def groups(ds: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw how much of each group of categories is left, generation by generation.

    Lines are the median over replicates of the share of the group's categories that is alive, and shades run
    from the 5 % to the 95 % quantile; the largest twelve groups by reference mass are drawn.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``group_survivors``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When it was not recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.Zipf(9)
    >>> spec = tb.Spec(reference=law, groups=list("aabbbcccc"), samples=50, generations=9, replicates=4)
    >>> len(tb.plot.groups(tb.simulate(spec)).lines)
    3
    """
    alive = _later(recorded(ds, "group_survivors")) / ds["group_categories"]
    ax = _axes() if ax is None else ax
    shown = min(alive.sizes["group"], MOST_GROUPS)
    for rank in range(shown):
        one = alive.isel(group=shown - 1 - rank)
        categories = int(one["group_categories"])
        _draw(ax, one, rank, shown, f"{one['group'].item()}  ({categories:,})", 0.5 / categories)
    _label(ax, "group (categories)")
    ax.set_ylabel("share of the group's categories alive")
    ax.set_title("What is forgotten, by group: median and 5-95 % of replicates", fontsize="medium")
    return ax


def save_tails(ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write the picture of `tails` to a file, apart from any figure that is open.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_survivors``, ``mass_beyond`` or ``mass_above``.
    path : path
        Its suffix decides the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    tails(ds, figure.subplots())
    figure.savefig(path, dpi=150)


def save_spread(ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write the pictures of `spread` and `tails` to a file, side by side.

    Parameters
    ----------
    ds : xarray.Dataset
        A run of a Gaussian that recorded ``log_det`` and ``mass_beyond``.
    path : path
        Its suffix decides the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * SIZE[0], SIZE[1]), layout="constrained")
    left, right = figure.subplots(1, 2)
    spread(ds, left)
    tails(ds, right)
    figure.savefig(path, dpi=150)


def save_weights(ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write the picture of `weights` to a file, apart from any figure that is open.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``weights``.
    path : path
        Its suffix decides the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    weights(ds, figure.subplots())
    figure.savefig(path, dpi=150)


def _axes() -> Axes:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=SIZE, layout="constrained")
    return ax


def _later(values: xr.DataArray) -> xr.DataArray:
    """All generations but 0."""
    later = values.sel(generation=values["generation"] > 0)
    if later.sizes["generation"] == 0:
        raise SpecError("record.generations", [0], "leaves nothing to draw", "record later generations too")
    return later


def _beyond(ds: xr.Dataset, name: str, ax: Axes | None) -> Axes:
    later = _later(recorded(ds, name))
    ax = _axes() if ax is None else ax
    reference = "level_reference_mass" if name == "mass_beyond" else "level_reference_above"
    beyond = "beyond both quantiles" if name == "mass_beyond" else "above the upper quantile"
    levels = ds["level"].values
    for rank, level in enumerate(levels[::-1]):
        one = later.isel(level=len(levels) - 1 - rank)
        _draw(ax, one, rank, len(levels), f"{level:g}", LEAST_MASS)
        ax.axhline(float(one[reference]), color="grey", linewidth=0.5)
    _label(ax, f"{beyond}\n(grey: the reference)")
    ax.set_ylim(LEAST_MASS, 1)
    side = "beyond" if name == "mass_beyond" else "above"
    ax.set_ylabel(f"model's mass {side} the reference's quantiles")
    ax.set_title("What is left of the tails: median and 5-95 % of replicates", fontsize="medium")
    return ax


def _draw(
    ax: Axes, values: xr.DataArray, rank: int, ranks: int, name: str, floor: float | None = None
) -> None:
    """One line with its shade, the rank-th of `ranks`; neither goes below the floor."""
    from matplotlib import colormaps

    generation = values["generation"].values
    low, middle, high = np.quantile(values.values, QUANTILES, axis=0)
    if floor is not None:
        low, high = np.maximum(low, floor), np.maximum(high, floor)
        middle = np.where(middle > 0, middle, np.nan)
    colour = colormaps["viridis"](0.85 * rank / max(1, ranks - 1))
    ax.fill_between(generation, low, high, color=colour, alpha=0.18, lw=0)
    dashes = DASHES[rank % len(DASHES)]
    ax.plot(generation, middle, color=colour, linestyle=dashes, linewidth=1.8, label=name)


def _name(alive: xr.DataArray) -> str:
    lo, hi = float(alive["band_lo"]), float(alive["band_hi"])
    count = int(alive["band_categories"])
    span = f"{lo:,.4g} and more" if np.isinf(hi) else f"{lo:,.6g} to {hi:,.6g}"
    return f"{span}  ({count:,})"


def _count_and_percent(ax: Axes) -> None:
    """Plain numbers of generations, shares in percent."""
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.6g} %")


def _label(ax: Axes, legend: str) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("generation")
    ax.set_ylabel("share of the band's categories alive")
    _count_and_percent(ax)
    ax.margins(x=0)
    ax.set_title("What is forgotten, rare to common: median and 5-95 % of replicates", fontsize="medium")
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    ax.legend(
        title=legend,
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        handlelength=3.2,
        reverse=True,
    )

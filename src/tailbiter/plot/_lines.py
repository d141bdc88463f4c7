# SPDX-License-Identifier: MIT
"""Lines over generations: medians over replicates, with shades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailbiter.dataset import recorded, share_alive
from tailbiter.errors import SpecError

from ._common import (
    DOTTED,
    LEAST_MASS,
    LEAST_WEIGHT,
    MOST_GROUPS,
    as_text,
    band_name,
    draw_expected,
    draw_line,
    label_axes,
    later_of,
    new_axes,
    over_generations,
    plain_ticks,
    shade,
    shortened,
)
from ._human import human_alive, spec_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["confidence", "groups", "spread", "tails", "weights"]


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

    Notes
    -----
    Thin dotted lines are the baseline that recursion is judged by: what a model of as many items of human
    data alone, drawn anew, is expected to have seen of each band (`RealOnly`), exactly. They are left out
    where the Dataset names a large table by its digest, or a file that is gone.

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
    later = later_of(alive)
    if theory is not None and "band_survivors" in theory:
        _refuse_other_bands(ds, theory)
    ax = new_axes() if ax is None else ax
    bands = np.flatnonzero(ds["band_categories"].values)
    for rank, band in enumerate(bands):
        one = later.isel(band=band)
        draw_line(ax, one, rank, len(bands), band_name(one), _floor(one))
    _draw_human(ax, ds, bands)
    if theory is not None and "band_survivors" in theory:
        _draw_theory(ax, theory, bands)
    label_axes(ax, "count expected in the\nfirst sample (categories)")
    return ax


def _floor(band: xr.DataArray) -> float:
    """Below one category a logarithmic axis has nothing to show: what is drawn stops at half of one."""
    return 0.5 / int(band["band_categories"])


def _draw_theory(ax: Axes, theory: xr.Dataset, bands: np.ndarray) -> None:
    for rank, band in enumerate(bands):
        expected = later_of(theory["band_survivors"].isel(band=band)) / int(theory["band_categories"][band])
        shown = np.where(expected.values >= _floor(expected), expected.values, np.nan)
        name = "mean, by theory" if rank == len(bands) - 1 else None
        draw_expected(ax, expected["generation"].values, shown, color="black", label=name)


def _draw_human(ax: Axes, ds: xr.Dataset, bands: np.ndarray) -> None:
    """What human data alone would keep, each band in its own colour."""
    spec, generation = spec_of(ds), ds["generation"].values
    if spec is None:
        return
    alive = human_alive(spec, generation)
    if alive.shape[1] != ds.sizes["band"]:  # some were selected
        return
    later = generation > 0
    for rank, band in enumerate(bands):
        name = None if rank else "human data only (mean)"
        look = {"color": shade(rank, len(bands)), "linestyle": DOTTED, "label": name}
        draw_expected(ax, generation[later], alive[later, band], **look)


def _refuse_other_bands(ds: xr.Dataset, theory: xr.Dataset) -> None:
    """A prediction of another Spec would be drawn as if it were of this one."""
    ours, theirs = ds["band_categories"].values, theory["band_categories"].values
    if not np.array_equal(ours, theirs):
        problem = "are the bands of another Spec than the run's"
        raise SpecError("theory", theirs.tolist(), problem, "give tb.predict of the same Spec")


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
    later = later_of(level)
    ax = new_axes() if ax is None else ax
    draw_line(ax, later.where(np.isfinite(later)), 0, 1, f"{dimensions} dimension{'s' * (dimensions != 1)}")
    over_generations(ax)
    ax.set_ylabel("log10 of the generalised variance, over the reference's")
    ax.set_title("How the model narrows: median and 5-95 % of replicates", fontsize="medium")
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
    later = later_of(recorded(ds, "weights"))
    ax = new_axes() if ax is None else ax
    reference = ds["reference_weight"].values
    for rank, component in enumerate(np.argsort(reference, kind="stable")):
        name = f"{component}  ({100 * reference[component]:.3g} %)"
        draw_line(ax, later.isel(component=component), rank, len(reference), name, LEAST_WEIGHT)
    label_axes(ax, "component\n(in the reference)")
    ax.set_ylim(max(ax.get_ylim()[0], LEAST_WEIGHT), 1)
    ax.set_ylabel("weight of the component")
    ax.set_title("How the components fare: median and 5-95 % of replicates", fontsize="medium")
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
    sure, true = later_of(recorded(ds, "largest_share")), later_of(recorded(ds, "top_share_held_out"))
    ax = new_axes() if ax is None else ax
    draw_line(ax, sure, 0, 2, "the model's probability of it")
    draw_line(ax, true, 1, 2, "its share of the held-out data")
    over_generations(ax)
    plain_ticks(ax.yaxis, percent=True)
    ax.set_ylabel("share of the model's top category")
    ax.set_title("Confidence against truth: median and 5-95 % of replicates", fontsize="medium")
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
    alive = later_of(recorded(ds, "group_survivors")) / ds["group_categories"]
    ax = new_axes() if ax is None else ax
    shown = min(alive.sizes["group"], MOST_GROUPS)
    for rank in range(shown):
        one = alive.isel(group=shown - 1 - rank)
        categories = int(one["group_categories"])
        name = f"{as_text(shortened(one['group'].item()))}  ({categories:,})"
        draw_line(ax, one, rank, shown, name, 0.5 / categories)
    label_axes(ax, "group (categories)")
    ax.set_ylabel("share of the group's categories alive")
    ax.set_title("What is forgotten, by group: median and 5-95 % of replicates", fontsize="medium")
    return ax


def _beyond(ds: xr.Dataset, name: str, ax: Axes | None) -> Axes:
    later = later_of(recorded(ds, name))
    ax = new_axes() if ax is None else ax
    reference = "level_reference_mass" if name == "mass_beyond" else "level_reference_above"
    beyond = "beyond either quantile" if name == "mass_beyond" else "above the upper quantile"
    levels = ds["level"].values
    for rank, level in enumerate(levels[::-1]):
        one = later.isel(level=len(levels) - 1 - rank)
        draw_line(ax, one, rank, len(levels), f"{level:g}", LEAST_MASS)
        ax.axhline(float(one[reference]), color="grey", linewidth=0.5)
    label_axes(ax, f"{beyond}\n(grey: the reference)")
    ax.set_ylim(LEAST_MASS, 1)
    side = "beyond" if name == "mass_beyond" else "above"
    ax.set_ylabel(f"model's mass {side} the reference's quantiles")
    ax.set_title("What is left of the tails: median and 5-95 % of replicates", fontsize="medium")
    return ax

# SPDX-License-Identifier: MIT
"""Pictures of plans and of phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._cells import draw_cells
from ._common import new_axes, plain_ticks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["phase", "plan"]


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
    ax = new_axes() if ax is None else ax
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
    ax.set_ylabel("share kept, or of lineages that keep enough")
    plain_ticks(ax.yaxis, percent=True)
    plain_ticks(ax.xaxis)
    ax.set_title(curve.attrs["sentence"].partition(",")[0], fontsize="medium")
    ax.legend(frameon=False)
    return ax


# Where there is no line: marker, height in the picture, and what it says.
_WITHOUT_LINE = {
    "never": ("x", 0.97, "the most there may be is not enough"),
    "always": ("v", 0.03, "the least there may be is enough"),
    "undecided": ("_", 0.5, "not decided by these lineages"),
}


def phase(
    found: xr.Dataset, ax: Axes | None = None, *, variable: str | None = None, level: float = 0.5
) -> Axes:
    """Draw a phase diagram: where collapse begins, over two fields.

    Of `phase`, a line: above it (and its interval, shaded) enough is kept. Where the least there may be is
    enough, or the most is not, there is no line.

    Of a sweep, a tile for each cell, with the median over replicates in it: at the last generation, or at the
    one that was selected. A thick line parts what is below ``level`` from what is not. A cross marks a cell
    that is not there, or of which the variable is not known.

    Parameters
    ----------
    found : xarray.Dataset
        As `phase` returned it; or a sweep's, as `open_sweep` returned it, of two fields once those that are
        selected are left out: ``found.sel(generation=100, band=1)``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.
    variable : str, optional
        Of a sweep, what to draw; by default ``coverage``, or else the first with one number a generation. Of
        ``band_survivors`` the share alive is drawn.
    level : float, default 0.5
        Of a sweep, where the thick line is.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        For a sweep that is not over a product of two fields, or a variable that it does not have or that has
        more than one number a generation.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(20), samples=50, generations=20)
    >>> target = tb.Target(keep=0.9, at_least=5, probability=None)
    >>> found = tb.phase(spec, {"samples": [50, 100, 200]}, "regime.real", target)
    >>> tb.plot.phase(found).get_xlabel()
    'samples'
    """
    if "boundary" not in found:
        return draw_cells(found, new_axes() if ax is None else ax, variable, level)
    (field,) = (str(dim) for dim in found["boundary"].dims)
    ax = new_axes() if ax is None else ax
    x = found[field].values
    low, middle, high = (found[name].values for name in ("boundary_low", "boundary", "boundary_high"))
    ax.fill_between(x, low, high, color="grey", alpha=0.3, lw=0)
    ax.plot(x, middle, color="black", marker="o", markersize=3, linewidth=1.2)
    for name, (marker, height, said) in _WITHOUT_LINE.items():
        there = x[found["phase"].values == name]
        at = np.full(there.size, height)
        if there.size:
            ax.plot(there, at, marker, color="black", label=said, transform=ax.get_xaxis_transform())
    if (x > 0).all():
        ax.set_xscale("log")
    if np.nanmin(np.where(middle > 0, middle, np.nan), initial=np.inf) < np.inf:
        ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        plain_ticks(axis)
    ax.set_xlabel(field)
    ax.set_ylabel(found.attrs["y"])
    ax.set_title(f"Above the line is enough {found.attrs['target']}", fontsize="medium", wrap=True)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    return ax

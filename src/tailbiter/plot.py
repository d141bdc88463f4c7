# SPDX-License-Identifier: MIT
"""Pictures of a run. Matplotlib is loaded when something is drawn, never on import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import share_alive
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import os

    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["save_tails", "tails"]

# With one colour map whose lightness rises evenly, the dashes keep neighbours apart without colour.
DASHES: list[Any] = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (1, 1)), (0, (10, 3))]
QUANTILES = (0.05, 0.5, 0.95)
SIZE = (7.5, 4.8)


def tails(ds: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw how much of each band is alive, generation by generation.

    Lines are medians over replicates and shades run from the 5 % to the 95 % quantile. Bands are named by the
    count expected in the first human sample; generation 0, where every share is 1, lies outside the
    logarithmic axis. A line ends where the median reaches zero.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_survivors``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When ``band_survivors`` was not recorded, or no generation but 0.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=50, replicates=4)
    >>> ax = tb.plot.tails(tb.simulate(spec))
    >>> ax.get_xscale()
    'log'
    """
    alive = share_alive(ds)
    later = alive.sel(generation=alive["generation"] > 0)
    if later.sizes["generation"] == 0:
        raise SpecError("record.generations", [0], "leaves nothing to draw", "record later generations too")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=SIZE, layout="constrained")
    bands = np.flatnonzero(ds["band_categories"].values)
    for rank, band in enumerate(bands):
        _draw_band(ax, later.isel(band=band), rank / max(1, len(bands) - 1), DASHES[rank % len(DASHES)])
    _label(ax)
    return ax


def save_tails(ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write the picture of `tails` to a file, apart from any figure that is open.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_survivors``.
    path : path
        Its suffix decides the format.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, layout="constrained")
    tails(ds, figure.subplots())
    figure.savefig(path, dpi=150)


def _draw_band(ax: Axes, alive: xr.DataArray, place: float, dashes: Any) -> None:
    """One band: `place` runs from 0, the rarest, to 1."""
    from matplotlib import colormaps

    generation = alive["generation"].values
    low, middle, high = np.quantile(alive.values, QUANTILES, axis=0)
    # Below one category a logarithmic axis has nothing to show: shades stop at half of one, lines at zero.
    floor = 0.5 / int(alive["band_categories"])
    colour = colormaps["viridis"](0.85 * place)
    ax.fill_between(
        generation, np.maximum(low, floor), np.maximum(high, floor), color=colour, alpha=0.18, lw=0
    )
    drawn = np.where(middle > 0, middle, np.nan)
    ax.plot(generation, drawn, color=colour, linestyle=dashes, linewidth=1.8, label=_name(alive))


def _name(alive: xr.DataArray) -> str:
    lo, hi = float(alive["band_lo"]), float(alive["band_hi"])
    count = int(alive["band_categories"])
    span = f"{lo:,.4g} and more" if np.isinf(hi) else f"{lo:,.6g} to {hi:,.6g}"
    return f"{span}  ({count:,})"


def _label(ax: Axes) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("generation")
    ax.set_ylabel("share of the band's categories alive")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.6g} %")
    ax.margins(x=0)
    ax.set_title("What is forgotten, rare to common: median and 5-95 % of replicates", fontsize="medium")
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    ax.legend(
        title="count expected in the\nfirst sample (categories)",
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        handlelength=3.2,
        reverse=True,
    )

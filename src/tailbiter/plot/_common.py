# SPDX-License-Identifier: MIT
"""What all pictures share: axes, dashes, lines with their shades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = [
    "DASHES",
    "DOTTED",
    "LEAST_MASS",
    "LEAST_WEIGHT",
    "MARKERS",
    "MOST_GROUPS",
    "QUANTILES",
    "SIZE",
    "band_name",
    "draw_expected",
    "draw_line",
    "label_axes",
    "later_of",
    "new_axes",
    "over_generations",
    "plain_ticks",
    "shade",
    "shortened",
]

# With one colour map whose lightness rises evenly, the dashes keep neighbours apart without colour.
DASHES: list[Any] = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)), (0, (1, 1)), (0, (10, 3))]
DOTTED: Any = (0, (1, 3))
MARKERS = "osD^vX"
QUANTILES = (0.05, 0.5, 0.95)
SIZE = (7.5, 4.8)
# Of a Gaussian's tail; below it nothing is drawn.
LEAST_MASS = 1e-8
# Where a logarithmic axis has 0: below all that it shows.
GONE = 1e-30
# Lines that can be told apart.
MOST_GROUPS = 12
# Characters of a name in a legend.
LONGEST = 24
# Of a component; below it nothing is drawn.
LEAST_WEIGHT = 1e-6


def new_axes() -> Axes:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=SIZE, layout="constrained")
    return ax


def shade(rank: int, ranks: int) -> Any:
    """A colour for the rank-th of so many: of one colour map whose lightness rises evenly."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.85 * rank / max(1, ranks - 1))


def later_of(values: xr.DataArray) -> xr.DataArray:
    """All generations but 0."""
    later = values.sel(generation=values["generation"] > 0)
    if later.sizes["generation"] == 0:
        raise SpecError("record.generations", [0], "leaves nothing to draw", "record later generations too")
    return later


def draw_line(
    ax: Axes, values: xr.DataArray, rank: int, ranks: int, name: str, floor: float | None = None
) -> None:
    """One line with its shade, the rank-th of `ranks`: shades end at the floor, lines at 0 go below it."""
    generation = values["generation"].values
    low, middle, high = np.quantile(values.values, QUANTILES, axis=0)
    if floor is not None:
        low, high = np.maximum(low, floor), np.maximum(high, floor)
        middle = np.where(middle > 0, middle, GONE)
    colour = shade(rank, ranks)
    if generation.size == 1:  # no line: a point, and a bar for the shade
        middle = np.where(middle == GONE, np.nan, middle)
        ends, marker = np.stack([middle - low, high - middle]), MARKERS[rank % len(MARKERS)]
        ax.errorbar(generation, middle, ends, color=colour, fmt=marker, linewidth=1.2, label=name)
        ax.set_xlim(generation[0] / 2, generation[0] * 2)
        return
    ax.fill_between(generation, low, high, color=colour, alpha=0.18, lw=0)
    dashes = DASHES[rank % len(DASHES)]
    ax.plot(generation, middle, color=colour, linestyle=dashes, linewidth=1.8, label=name)


def draw_expected(ax: Axes, generation: np.ndarray, values: np.ndarray, **look: Any) -> None:
    """One thin line of what is expected; where there is one generation, a dash."""
    if generation.size == 1:
        look |= {"marker": "_", "markersize": 16}
    ax.plot(generation, values, linewidth=0.9, **look)


def one_lineage(ds: xr.Dataset, replicate: int) -> int:
    """Refuse a lineage that the run does not have."""
    if not 0 <= replicate < ds.sizes["replicate"]:
        most = ds.sizes["replicate"] - 1
        raise SpecError("replicate", replicate, "is no lineage of this run", f"name one from 0 to {most}")
    return replicate


def shortened(name: str) -> str:
    """A name that leaves room for the picture: its beginning and its end, in which names differ."""
    if len(name) <= LONGEST:
        return name
    end = LONGEST // 2 - 1
    return f"{name[: LONGEST - end - 1]}\N{HORIZONTAL ELLIPSIS}{name[-end:]}"


def as_text(name: str) -> str:
    """A name as it is written: a dollar would begin a formula, and a first underscore hide the line."""
    return ("\u200b" if name.startswith("_") else "") + name.replace("$", r"\$")


def band_name(alive: xr.DataArray) -> str:
    lo, hi = float(alive["band_lo"]), float(alive["band_hi"])
    count = int(alive["band_categories"])
    span = f"{lo:,.4g} and more" if np.isinf(hi) else f"{lo:,.6g} to {hi:,.6g}"
    return f"{span}  ({count:,})"


def plain_ticks(axis: Axis, *, whole: bool = False, percent: bool = False) -> None:
    """Plain numbers, few enough to stand apart: a logarithmic axis may span less than a decade.

    Parameters
    ----------
    axis : Axis
        Its scale set, since a scale brings ticks of its own.
    whole : bool, default False
        Whether there is nothing between whole numbers, as of generations.
    percent : bool, default False
        Whether shares are told in percent.
    """
    from matplotlib.ticker import NullFormatter, NullLocator

    from ._ticks import PlainLog

    if axis.get_scale() == "log":
        axis.set_major_locator(PlainLog(whole=whole))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    if percent:
        axis.set_major_formatter(lambda value, _: f"{100 * value:.6g} %")
    else:
        axis.set_major_formatter(lambda value, _: f"{value:,.6g}")


def over_generations(ax: Axes) -> None:
    """The axis that pictures of a run share."""
    ax.set_xscale("log")
    plain_ticks(ax.xaxis, whole=True)
    ax.set_xlabel("generation")
    ax.margins(x=0)
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)


def _lowest(ax: Axes) -> float:
    """The smallest share that is drawn."""
    drawn = [np.asarray(line.get_ydata(), np.float64) for line in ax.lines]
    drawn += [np.asarray(path.vertices)[:, 1] for area in ax.collections for path in area.get_paths()]
    shown = np.concatenate(drawn)
    return float(shown[shown > GONE].min(initial=1.0))


def label_axes(ax: Axes, legend: str) -> None:
    ax.set_yscale("log")
    ax.set_ylim(bottom=_lowest(ax) / 1.2)  # what is gone leaves the picture at the bottom
    over_generations(ax)
    plain_ticks(ax.yaxis, percent=True)
    ax.set_ylabel("share of the band's categories alive")
    ax.set_title("What is forgotten, rare to common: median and 5-95 % of replicates", fontsize="medium")
    ax.legend(
        title=legend,
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        handlelength=3.2,
        reverse=True,
    )

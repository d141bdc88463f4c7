# SPDX-License-Identifier: MIT
"""Cells of a sweep as tiles over two of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import share_alive
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["draw_cells"]

# Tiles in which a number can be read, across and up.
MOST_TOLD = (9, 14)
# Labels of an axis that stand apart.
MOST_LABELS = 10
LABEL_WIDTH = 18


def draw_cells(found: xr.Dataset, ax: Axes, variable: str | None, level: float) -> Axes:
    """Draw medians over replicates, by the two fields that a sweep's cells differ in.

    Parameters
    ----------
    found : xarray.Dataset
        As `open_sweep` returned it.
    ax : Axes
        Where to.
    variable : str or None
        What to draw.
    level : float
        Where the line is.
    """
    x, y = _fields(found)
    array = _values(found, _chosen(found, variable))
    if "generation" in array.dims:
        array = array.isel(generation=-1)
    values = _medians(np.asarray(array.transpose(y, x, "replicate").values, np.float64))
    percent = array.attrs["share"]
    _tiles(ax, values, percent, level)
    crossed = _line(ax, values, level)
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        _label(axis, name, found[name].values.tolist())
    when = int(array["generation"])
    title = f"{_titled(array)}, generation {when:,}: median over replicates"
    if crossed:
        title += f"; the line is at {_number(level, percent)}"
    ax.set_title(title, fontsize="medium", wrap=True)
    return ax


def _fields(found: xr.Dataset) -> tuple[str, str]:
    """The two fields: across, the one with more values."""
    if "done" not in found:
        remedy = "give what tb.phase or tb.open_sweep returns"
        raise SpecError("found", sorted(map(str, found.data_vars)), "is neither a phase nor a sweep", remedy)
    dims = [str(dim) for dim in found["done"].dims]
    if len(dims) != 2:
        remedy = "sweep a product of two fields, or select one value of each other: found.sel(samples=100)"
        raise SpecError("found", dims, "are not two fields", remedy)
    return (dims[0], dims[1]) if found.sizes[dims[0]] >= found.sizes[dims[1]] else (dims[1], dims[0])


def _chosen(found: xr.Dataset, variable: str | None) -> str:
    """The variable's name, once it is known to have one number a generation."""
    rest = {*map(str, found["done"].dims), "replicate", "generation"}
    fit = [str(name) for name, array in found.data_vars.items() if set(array.dims) | {"generation"} == rest]
    if variable is None and fit:
        return "coverage" if "coverage" in fit else fit[0]
    if variable in fit:
        return variable
    known = ", ".join(fit) or "none"
    if variable is None or variable not in found:
        raise SpecError("variable", variable, "is not among what was recorded", f"name one of: {known}")
    more = sorted(map(str, set(found[variable].dims) - rest))
    remedy = f"select one, as in found.sel({more[0]}=0)" if more else f"name one of: {known}"
    raise SpecError("variable", variable, "has more than one number a generation", remedy)


def _values(found: xr.Dataset, name: str) -> xr.DataArray:
    """The variable; of categories of a band, the share that is alive."""
    if name == "band_survivors":
        return share_alive(found).assign_attrs(long_name=f"share alive of {_band(found)}", share=True)
    return found[name].assign_attrs(share=name in ("coverage", "tail_coverage"))


def _band(found: xr.Dataset) -> str:
    lo, hi = found["band_lo"].values.ravel()[0], found["band_hi"].values.ravel()[0]
    return f"categories expected {lo:,.6g} {'times or more' if np.isinf(hi) else f'to {hi:,.6g} times'}"


def _medians(values: np.ndarray) -> np.ndarray:
    """Lower medians over the replicates there are, which come last; NaN where there are none."""
    ordered = np.sort(values, axis=-1)  # NaN goes to the end
    known = np.isfinite(values).sum(axis=-1)
    place = np.maximum((known - 1) // 2, 0)
    middle = np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0]
    return np.where(known > 0, middle, np.nan)


def _titled(array: xr.DataArray) -> str:
    title = str(array.attrs["long_name"])
    return title[0].upper() + title[1:]


def _number(value: float, percent: bool) -> str:
    return f"{100 * value:.3g} %" if percent else f"{value:,.4g}"


def _tiles(ax: Axes, values: np.ndarray, percent: bool, level: float) -> None:
    """Tiles whose lightness tells the value, with the number where there is room."""
    known = values[np.isfinite(values)]
    low, high = (0.0, 1.0) if percent or not known.size else (float(known.min()), float(known.max()))
    image = ax.imshow(values, origin="lower", aspect="auto", cmap="viridis", vmin=low, vmax=high)
    bar = ax.figure.colorbar(image, ax=ax)
    bar.ax.yaxis.set_major_formatter(lambda value, _: _number(value, percent))
    if low <= level <= high:
        bar.ax.axhline(level, color="white", linewidth=2)
    rows, columns = values.shape
    told = columns <= MOST_TOLD[0] and rows <= MOST_TOLD[1]
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            ax.plot(column, row, "x", color="grey", markersize=8)
        elif told:
            colour = "white" if value < low + 0.55 * (high - low) else "black"
            ax.text(column, row, _number(value, percent), ha="center", va="center", size=8, color=colour)


def _line(ax: Axes, values: np.ndarray, level: float) -> bool:
    """The line between tiles on either side of a level, if there is one."""
    from matplotlib.collections import LineCollection

    above, known = values >= level, np.isfinite(values)
    pieces: list[Any] = []
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            for down, right in ((0, 1), (1, 0)):
                other = (row + down, column + right)
                if other[0] == rows or other[1] == columns or not (known[row, column] and known[other]):
                    continue
                if above[row, column] != above[other]:
                    corner = (column + 0.5, row + 0.5)
                    pieces.append([corner, (column + 0.5 - down, row + 0.5 - right)])
    for colour, width in (("black", 5.0), ("white", 2.0)):
        ax.add_collection(LineCollection(pieces, colors=colour, linewidths=width, capstyle="projecting"))
    return bool(pieces)


def _label(axis: Any, name: str, values: list[Any]) -> None:
    """Values of a field at their tiles, few enough to stand apart."""
    step = -(-len(values) // MOST_LABELS)
    places = range(0, len(values), step)
    axis.set_ticks(list(places), [_told(values[place]) for place in places])
    axis.set_label_text(name)


def _told(value: Any) -> str:
    text = f"{value:,.6g}" if isinstance(value, float | int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= LABEL_WIDTH else f"{text[: LABEL_WIDTH - 3]}..."

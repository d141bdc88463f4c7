# SPDX-License-Identifier: MIT
"""Pictures of categories: ranks, survival by original count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailbiter.dataset import recorded
from tailbiter.errors import SpecError

from ._common import DASHES, MARKERS, new_axes, plain_ticks, shade

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["rank_frequency", "survival"]

# Bins of original counts to a factor of ten.
BINS = 6


def rank_frequency(ds: xr.Dataset, ax: Axes | None = None, *, replicate: int = 0) -> Axes:
    """Draw probabilities by rank, before and after: one line for each snapshot of a lineage.

    Parameters
    ----------
    ds : xarray.Dataset
        A run with ``Record(snapshots=[...])``; generation 0 among them is the reference.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.
    replicate : int, default 0
        The lineage.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When the lineage has no snapshots.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=50, replicates=2)
    >>> ds = tb.simulate(spec, record=tb.Record(snapshots=[0, 1, 50]))
    >>> len(tb.plot.rank_frequency(ds).lines)
    3
    """
    mine = recorded(ds, "snapshot_replicate").values == replicate
    if not mine.any():
        raise SpecError(
            "replicate", replicate, "has no snapshots", "record snapshots, or name another lineage"
        )
    generation, count = ds["snapshot_generation"].values[mine], ds["snapshot_count"].values[mine]
    ax = new_axes() if ax is None else ax
    shown = np.unique(generation)
    for index, t in enumerate(shown.tolist()):
        counts = np.sort(count[generation == t].astype(np.float64))[::-1]
        name = "reference" if t == 0 else f"generation {t:,}"
        _line(ax, np.arange(1, len(counts) + 1), counts / counts.sum(), index, len(shown), name)
    ax.set_xlabel("rank")
    ax.set_ylabel("probability")
    ax.set_title("Probabilities by rank, of one lineage", fontsize="medium")
    return ax


def survival(ds: xr.Dataset, ax: Axes | None = None, *, generations: Sequence[int] | None = None) -> Axes:
    """Draw the share of categories not yet forgotten, by their count expected in the first sample.

    Parameters
    ----------
    ds : xarray.Dataset
        A run with ``Record(forgotten=True)``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a figure of its own.
    generations : sequence of int, optional
        One line for each; by default 1, 10, 100, ... and the last.

    Returns
    -------
    matplotlib.axes.Axes
        What was drawn on.

    Raises
    ------
    SpecError
        When forgetting was not recorded, or a generation is not of the run.

    Notes
    -----
    Categories are taken together six to a factor of ten of their count, over all replicates. Where categories
    can come back, what is absent at a generation may be seen again before the run ends, and counts as not yet
    absent for good: the axis says so. How much is present then, ``tails`` shows.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=100, replicates=2)
    >>> ds = tb.simulate(spec, record=tb.Record(forgotten=True))
    >>> [line.get_label() for line in tb.plot.survival(ds).lines]
    ['generation 1', 'generation 10', 'generation 100']
    """
    forgotten = recorded(ds, "forgotten")
    expected = forgotten["expected_count"].values
    last = int(ds["generation"].values[-1])
    if generations is None:
        generations = sorted({10**k for k in range(len(str(last))) if 10**k <= last} | {last})
    if not generations or min(generations) < 1 or max(generations) > last:
        raise SpecError(
            "generations", list(generations), "are not of this run", f"name some from 1 to {last:,}"
        )
    when = np.where(forgotten.values == 0, np.inf, forgotten.values)
    bins = np.floor(BINS * np.log10(expected)).astype(np.int64)
    which = np.unique(bins, return_inverse=True)[1]
    size = np.bincount(which)
    centre = np.exp(np.bincount(which, np.log(expected)) / size)
    ax = new_axes() if ax is None else ax
    for index, t in enumerate(generations):
        left = np.bincount(which, (when > t).mean(axis=0)) / size
        _line(ax, centre, left, index, len(generations), f"generation {t:,}")
    ax.set_xlabel("count expected in the first sample")
    final = forgotten.attrs["absence_is_final"]
    ax.set_ylabel("share not yet forgotten" if final else "share not yet absent for good")
    ax.set_yscale("linear")
    plain_ticks(ax.yaxis, percent=True)
    title = "What is left, by original count" if final else "What is still to be seen, by original count"
    ax.set_title(title, fontsize="medium")
    return ax


def _line(ax: Axes, x: np.ndarray, y: np.ndarray, index: int, count: int, name: str) -> None:
    colour = shade(index, count)
    look = {"color": colour, "linestyle": DASHES[index % len(DASHES)], "linewidth": 1.6}
    if len(x) == 1:  # no line
        look["marker"] = MARKERS[index % len(MARKERS)]
    ax.plot(x, y, label=name, **look)
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_ticks(ax.xaxis)
    plain_ticks(ax.yaxis)
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)
    ax.legend(frameon=False)

# SPDX-License-Identifier: MIT
"""Pictures of mass and bands: how much each holds, and what goes from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailbiter.dataset import recorded
from tailbiter.errors import SpecError

from ._common import band_name, later_of, new_axes, one_lineage, over_generations, plain_ticks, shade

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["band_mass", "flow"]

HATCHES = ("", "//", "..", "\\\\", "xx", "oo")
# Half of the width of a generation's bar, of the way from one to the next.
HALF = 0.06
# Places along a ribbon.
STEPS = 40
# What ends, ends below all bands.
BELOW = -0.06


def band_mass(ds: xr.Dataset, ax: Axes | None = None, *, replicate: int = 0) -> Axes:
    """Draw how much mass each band of the reference holds in the models of one lineage.

    One lineage, because the mean over lineages stands still under pure resampling, whatever is forgotten.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``band_mass``.
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
        When ``band_mass`` was not recorded, or there is no such lineage.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=50, replicates=2)
    >>> tb.plot.band_mass(tb.simulate(spec)).get_ylabel()
    'share of the mass'
    """
    mass = later_of(recorded(ds, "band_mass"))
    bands = np.flatnonzero(ds["band_categories"].values)
    one = mass.isel(replicate=one_lineage(ds, replicate), band=bands)
    ax = new_axes() if ax is None else ax
    generation, values = one["generation"].values.astype(np.float64), one.values.T
    if generation.size == 1:  # a stack of no width would not be seen
        generation, values = generation[0] * np.array([0.9, 1.1]), np.repeat(values, 2, axis=1)
    names = [band_name(one.isel(band=rank)) for rank in range(bands.size)]
    colours = [shade(rank, bands.size) for rank in range(bands.size)]
    stacks = ax.stackplot(generation, values, colors=colours, labels=names, edgecolor="white", linewidth=0.5)
    for rank, stack in enumerate(stacks):
        stack.set_hatch(HATCHES[rank % len(HATCHES)])
    over_generations(ax)
    ax.margins(0)
    plain_ticks(ax.yaxis, percent=True)
    ax.set_ylabel("share of the mass")
    ax.set_title("Mass of the bands, of one lineage", fontsize="medium")
    _legend(ax, "count expected in the\nfirst sample (categories)")
    return ax


def flow(ds: xr.Dataset, ax: Axes | None = None, *, replicate: int = 0) -> Axes:
    """Draw how the mass of one lineage flows between bands, from each snapshot to the next.

    Bands are those of what each model itself expects in a sample as large as the first: a category that gains
    or loses enough goes to another. A ribbon holds the categories that go from one band to another; it is as
    wide as their mass, which differs at its ends. What is absent from then on ends below the bands, and what
    comes back begins there.

    Parameters
    ----------
    ds : xarray.Dataset
        A run with ``Record(snapshots=[...])`` of two generations or more; 0 is the reference.
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
        When the lineage has fewer than two snapshots.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=500), samples=500, generations=50, replicates=2)
    >>> ds = tb.simulate(spec, record=tb.Record(snapshots=[0, 1, 5, 50]))
    >>> [label.get_text() for label in tb.plot.flow(ds).get_xticklabels()]
    ['reference', '1', '5', '50']
    """
    generations, mass = _snapshots(ds, replicate)
    edges = _edges(ds, mass)
    first = int(ds.attrs["first_sample"])
    bands = np.where(mass > 0, np.searchsorted(edges, mass * first, side="right") - 1, -1)
    ax = new_axes() if ax is None else ax
    for column in range(len(generations) - 1):
        moved = moves(bands[column], bands[column + 1], mass[column], mass[column + 1], len(edges))
        _ribbons(ax, column, *moved)
    for column in range(len(generations)):
        held = np.bincount(bands[column] + 1, mass[column], len(edges) + 1)[1:]
        _bar(ax, column, held, [_span(edges, rank) for rank in range(len(edges))] if not column else None)
    ax.set_xticks(range(len(generations)), [f"{t:,}" if t else "reference" for t in generations])
    ax.set_xlabel("generation")
    ax.set_ylabel("share of the mass")
    shares = np.linspace(0, 1, 6)
    ax.set_yticks([BELOW, *shares], ["absent", *(f"{100 * share:.0f} %" for share in shares)])
    ax.set_ylim(1.3 * BELOW, 1)
    ax.set_xlim(-2 * HALF, len(generations) - 1 + 2 * HALF)
    ax.set_title("What goes from band to band, of one lineage", fontsize="medium")
    _legend(ax, "count that the model\nexpects of a category")
    return ax


def moves(
    before: np.ndarray, after: np.ndarray, left: np.ndarray, right: np.ndarray, bands: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mass of what goes from each band to each, at its beginning and at its end.

    Parameters
    ----------
    before, after : int[K]
        Band of each category; -1 where it is absent.
    left, right : float64[K]
        Its mass.
    bands : int
        How many there are.

    Returns
    -------
    ndarray, ndarray
        ``[bands + 1, bands + 1]``, from and to; what is absent stands first.
    """
    size = bands + 1
    index = (before + 1) * size + after + 1
    parts = [np.bincount(index, mass, size * size).reshape(size, size) for mass in (left, right)]
    return parts[0], parts[1]


def _snapshots(ds: xr.Dataset, replicate: int) -> tuple[list[int], np.ndarray]:
    """Generations of a lineage's snapshots, and the mass of each category in them, ``[snapshot, K]``."""
    mine = recorded(ds, "snapshot_replicate").values == one_lineage(ds, replicate)
    names = ("snapshot_generation", "snapshot_category", "snapshot_count")
    generation, category, count = (ds[name].values[mine] for name in names)
    generations, row = np.unique(generation, return_inverse=True)
    if generations.size < 2:
        problem = "are the only snapshots of this lineage"
        remedy = "record two or more, such as tb.Record(snapshots=[0, 1, 10])"
        raise SpecError("record.snapshots", generations.tolist(), problem, remedy)
    known, column = np.unique(category, return_inverse=True)
    mass = np.zeros((generations.size, known.size))
    mass[row, column] = count
    return generations.tolist(), mass / mass.sum(axis=1, keepdims=True)


def _edges(ds: xr.Dataset, mass: np.ndarray) -> np.ndarray:
    """Where bands begin: those of the run, or else decades; as many as any model fills."""
    most = mass.max() * ds.attrs["first_sample"]
    decades = np.append(0.0, 10.0 ** np.arange(np.ceil(np.log10(max(most, 1.0))) + 1))
    edges = decades
    if "band_lo" in ds.coords:
        own = ds["band_lo"].values
        edges = np.append(own, decades[decades > own[-1]]) if _is_decades(own) else own
    return edges[: np.searchsorted(edges, most, side="right")]


def _is_decades(edges: np.ndarray) -> bool:
    """Whether bands are those that a Spec has by itself: a model may outgrow the last."""
    return bool(np.array_equal(edges[1:], 10.0 ** np.arange(edges.size - 1)))


def _span(edges: np.ndarray, rank: int) -> str:
    if rank == len(edges) - 1:
        return f"{edges[rank]:,.6g} and more"
    return f"{edges[rank]:,.6g} to {edges[rank + 1]:,.6g}"


def _ribbons(ax: Axes, column: int, left: np.ndarray, right: np.ndarray) -> None:
    """What goes from one bar to the next; of each band, what goes to rarer ones lies lowest."""
    start = np.cumsum(np.append(0.0, left[1:].ravel()))[:-1].reshape(left[1:].shape)
    stop = np.cumsum(np.append(0.0, right[:, 1:].T.ravel()))[:-1].reshape(right[:, 1:].T.shape).T
    x = np.linspace(column + HALF, column + 1 - HALF, STEPS)
    s = np.linspace(0, 1, STEPS)
    s = s * s * (3 - 2 * s)
    size = len(left)
    for a in range(size):
        for b in range(size):
            if left[a, b] + right[a, b] <= 0:
                continue
            low = (start[a - 1, b] if a else BELOW, stop[a, b - 1] if b else BELOW)
            bottom = low[0] + s * (low[1] - low[0])
            high = bottom + left[a, b] + s * (right[a, b] - left[a, b])
            look = {"facecolor": shade((a or b) - 1, size - 1), "alpha": 0.9 if a == b else 0.55}
            ax.fill_between(x, bottom, high, edgecolor="black", linewidth=0.3, **look)


def _bar(ax: Axes, column: int, held: np.ndarray, names: list[str] | None) -> None:
    """One generation: its bands, stacked."""
    bottom = np.cumsum(np.append(0.0, held))[:-1]
    for rank, (low, high) in enumerate(zip(bottom, held, strict=True)):
        look = {"color": shade(rank, len(held)), "hatch": HATCHES[rank % len(HATCHES)], "edgecolor": "white"}
        label = None if names is None else names[rank]
        ax.bar(column, high, 2 * HALF, low, linewidth=0.5, label=label, **look)


def _legend(ax: Axes, title: str) -> None:
    ax.legend(title=title, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, reverse=True)

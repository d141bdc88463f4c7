# SPDX-License-Identifier: MIT
"""Densities of models in one dimension, generation by generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailbiter.dataset import recorded
from tailbiter.errors import SpecError

from ._common import DASHES, new_axes

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["densities"]

MOST_LINES = 6
POINTS = 801
WIDTHS = 4.5  # standard deviations of the reference on either side


def densities(ds: xr.Dataset, ax: Axes | None = None, *, replicate: int = 0) -> Axes:
    """Draw the density of a Gaussian or a mixture in one dimension, at up to six generations of a lineage.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``mean``, ``factor`` and ``exponent`` (Gaussians), or ``weights``, ``means`` and
        ``factors`` (mixtures), with generation 0 among the recorded ones.
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
        When these were not recorded, or there is more than one dimension.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Gaussian(), samples=20, generations=50, replicates=2)
    >>> ds = tb.simulate(spec, record=tb.Record(variables=["mean", "factor", "exponent"]))
    >>> tb.plot.densities(ds).get_ylabel()
    'density'
    """
    weights, means, deviations = _components(ds.isel(replicate=replicate))
    generation = ds["generation"].values
    shown = np.unique(np.geomspace(1, len(generation), MOST_LINES).astype(np.int64) - 1)
    spread = np.sqrt((weights[0] * (deviations[0] ** 2 + means[0] ** 2)).sum() - (weights[0] @ means[0]) ** 2)
    middle = float(weights[0] @ means[0])
    x = middle + WIDTHS * spread * np.linspace(-1, 1, POINTS)
    ax = new_axes() if ax is None else ax
    for index, row in enumerate(shown.tolist()):
        alive = (weights[row] > 0) & (deviations[row] > 0)
        z = (x[:, None] - means[row][alive]) / deviations[row][alive]
        density = np.exp(-0.5 * z * z) @ (weights[row][alive] / deviations[row][alive]) / np.sqrt(2 * np.pi)
        t = int(generation[row])
        _line(ax, x, density, index, len(shown), "reference" if t == 0 else f"generation {t:,}")
    ax.set_xlabel("value")
    ax.set_ylabel("density")
    ax.set_title("Density of the model, of one lineage", fontsize="medium")
    ax.legend(frameon=False)
    return ax


def _components(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and standard deviations, ``[generation, component]``."""
    if "weights" in ds:
        weights, means = ds["weights"].values, recorded(ds, "means").values
        deviations = recorded(ds, "factors").values
        if means.shape[1] != weights.shape[1]:
            raise _too_many(means.shape[1] // weights.shape[1])
        return weights, means, np.broadcast_to(deviations, weights.shape)
    means, factor = recorded(ds, "mean").values, recorded(ds, "factor").values
    if means.shape[1] != 1:
        raise _too_many(means.shape[1])
    return np.ones_like(means), means, np.ldexp(factor, recorded(ds, "exponent").values.astype(np.int64))


def _too_many(dimensions: int) -> SpecError:
    return SpecError("reference", dimensions, "dimensions cannot be drawn as a density", "draw one dimension")


def _line(ax: Axes, x: np.ndarray, y: np.ndarray, index: int, count: int, name: str) -> None:
    from matplotlib import colormaps

    colour = colormaps["viridis"](0.85 * index / max(1, count - 1))
    ax.plot(x, y, color=colour, linestyle=DASHES[index % len(DASHES)], linewidth=1.6, label=name)
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)

# SPDX-License-Identifier: MIT
"""Densities of models in one dimension, generation by generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import recorded
from tailbiter.errors import SpecError

from ._common import DASHES, new_axes, one_lineage, shade

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["densities"]

MOST_LINES = 6
POINTS = 801
WIDTHS = 4.5  # standard deviations of the reference on either side
_NEAR = np.linspace(-WIDTHS, WIDTHS, 37)
PEAKS = 4  # of the reference's highest density: what is higher runs out of the picture, and says how high


def densities(ds: xr.Dataset, ax: Axes | None = None, *, replicate: int = 0) -> Axes:
    """Draw the density of a model in one dimension, at up to six generations of a lineage.

    Densities of more than four times the first one's peak run out of the picture; the legend says how high
    they are.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded ``mean``, ``factor`` and ``exponent`` (Gaussians); ``weights``, ``means`` and
        ``factors`` (mixtures); or ``weights``, ``parameters``, ``item_mean`` and ``item_variance``
        (mixtures of laws that users write); with generation 0 among the recorded ones. A `KDE` records no
        items, of which its density is made.
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
    line_of = _model(ds.isel(replicate=one_lineage(ds, replicate)))
    generation = ds["generation"].values
    shown = np.unique(np.geomspace(1, len(generation), MOST_LINES).astype(np.int64) - 1)
    ax = new_axes() if ax is None else ax
    top = 0.0
    for index, row in enumerate(shown.tolist()):
        x, density = line_of(row)
        t = int(generation[row])
        name = "reference" if t == 0 else f"generation {t:,}"
        top = top or PEAKS * float(density.max())
        if density.max() > top:
            name += f" (up to {density.max():.3g})"
            ax.set_ylim(0, top)
        _line(ax, x, density, index, len(shown), name)
    ax.set_xlabel("value")
    ax.set_ylabel("density")
    ax.set_title("Density of the model, of one lineage", fontsize="medium")
    ax.legend(frameon=False)
    return ax


def _model(ds: xr.Dataset) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """What gives places, and the density there, of the model of a row."""
    if "parameters" in ds:
        return _of_user(ds)
    weights, means, deviations = _components(ds)
    middle = float(weights[0] @ means[0])
    variance = (weights[0] * (deviations[0] ** 2 + means[0] ** 2)).sum() - middle**2
    even = _around(middle, variance)

    def line_of(row: int) -> tuple[np.ndarray, np.ndarray]:
        alive = (weights[row] > 0) & (deviations[row] > 0)
        centre, width = means[row][alive], deviations[row][alive]
        # A component that is narrower than the even places would fall between them.
        near = (centre[:, None] + width[:, None] * _NEAR).ravel()
        x = np.union1d(even, near[(near >= even[0]) & (near <= even[-1])])
        z = (x[:, None] - centre) / width
        return x, np.exp(-0.5 * z * z) @ (weights[row][alive] / width) / np.sqrt(2 * np.pi)

    return line_of


def _of_user(ds: xr.Dataset) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """A mixture of laws that users wrote, around the first training set whose mean is known."""
    from tailbiter.jit._compile import plain
    from tailbiter.spec import Spec

    if ds.attrs["dimensions"] != 1:
        raise _too_many(ds.attrs["dimensions"])
    reference: Any = Spec.from_json(ds.attrs["spec"]).reference
    log_density: Callable[..., Any] = plain(reference.laws.log_density)
    weights = recorded(ds, "weights").values
    parameters = ds["parameters"].values.reshape(*weights.shape, -1)
    mean, variance = (recorded(ds, name).values[:, 0] for name in ("item_mean", "item_variance"))
    known = np.flatnonzero(np.isfinite(mean) & (variance > 0))
    if not known.size:
        problem = "leaves no training set with a spread"
        raise SpecError(
            "record.generations", ds["generation"].values.tolist(), problem, "record generation 1"
        )
    x = _around(float(mean[known[0]]), float(variance[known[0]]))

    def line_of(row: int) -> tuple[np.ndarray, np.ndarray]:
        out = np.zeros(POINTS)
        for weight, one in zip(weights[row], parameters[row], strict=True):
            if weight > 0:
                out += weight * np.exp([log_density(value, one) for value in x])
        return x, out

    return line_of


def _around(middle: float, variance: float) -> np.ndarray:
    return middle + WIDTHS * np.sqrt(variance) * np.linspace(-1, 1, POINTS)


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
    colour = shade(index, count)
    ax.plot(x, y, color=colour, linestyle=DASHES[index % len(DASHES)], linewidth=1.6, label=name)
    ax.grid(visible=True, which="major", alpha=0.25, linewidth=0.6)

# SPDX-License-Identifier: MIT
"""Pictures into files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._common import SIZE
from ._lines import spread, tails, weights

if TYPE_CHECKING:
    import os

    import xarray as xr

__all__ = ["save_spread", "save_tails", "save_weights"]


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

# SPDX-License-Identifier: MIT
"""What human data alone would keep: what a fresh sample as large as each batch is expected to hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from tailbiter.errors import TailbiterError

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.program import Program

__all__ = ["human_alive"]

# Of a Spec, what decides the samples and their bands.
_OF_THE_SAMPLE = ("reference", "samples", "generations", "bands")


def human_alive(ds: xr.Dataset) -> np.ndarray | None:
    """Return what share of each band a model of human data alone would have seen, ``[generation, band]``.

    Under `RealOnly`, a category of probability q is absent from a training set of N with probability
    ``(1 - q)**N``, at every generation alike.

    Parameters
    ----------
    ds : xarray.Dataset
        A categorical run that recorded a variable by band.

    Returns
    -------
    ndarray or None
        NaN where there are no categories. None where the run does not hold its Spec whole: a large table that
        came from no file, or whose file is gone.
    """
    program = _program(ds)
    if program is None or program.band_start.size != ds.sizes["band"]:
        return None
    generation = ds["generation"].values
    items, which = np.unique(program.samples[np.maximum(generation, 1) - 1], return_inverse=True)
    out = np.array([_share_by_band(program, int(size)) for size in items])[which.ravel()]
    out[generation == 0] = np.where(np.isnan(out[generation == 0]), np.nan, 1.0)
    return out


def _program(ds: xr.Dataset) -> Program | None:
    """The run with human data alone, and without whatever bends its models."""
    from tailbiter.program import lower
    from tailbiter.spec import Spec

    told = json.loads(ds.attrs["spec"])
    kept = {name: told[name] for name in _OF_THE_SAMPLE if name in told}
    try:
        return lower(Spec.from_dict({**kept, "regime": {"kind": "real_only"}}))
    except TailbiterError:
        return None


def _share_by_band(program: Program, items: int) -> np.ndarray:
    """Expected share of each band's categories in so many human items."""
    weights, copies = np.unique(program.weights, return_counts=True)
    with np.errstate(divide="ignore"):  # of a single category
        absent = items * np.log1p(-weights.astype(np.float64) / float(program.support.total))
    # Weights descend: bands begin at the rare end.
    edges = np.concatenate([[program.weights.size], program.band_start.astype(np.int64)])
    from_rarest = np.concatenate([[0], np.cumsum(copies)])
    present = np.concatenate([[0.0], np.cumsum(copies * -np.expm1(absent))])
    at = np.searchsorted(from_rarest, program.weights.size - edges)
    size = np.diff(from_rarest[at])
    with np.errstate(invalid="ignore"):
        return np.where(size > 0, np.diff(present[at]) / size, np.nan)

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
    from tailbiter.spec import Spec

__all__ = ["human_alive", "spec_of"]

# Of a Spec, what decides the samples and their bands.
_OF_THE_SAMPLE = ("reference", "samples", "generations", "bands")


def human_alive(spec: Spec, generation: np.ndarray) -> np.ndarray:
    """Return what share of each band a model of human data alone would have seen.

    Under `RealOnly`, a category of probability q is absent from a training set of N with probability
    ``(1 - q)**N``, at every generation alike.

    Parameters
    ----------
    spec : Spec
        Of a family with categories; its reference, sizes and bands count.
    generation : int[generations]
        Those wanted; 0 is the reference, which has all.

    Returns
    -------
    ndarray
        ``[generation, band]``; NaN where there are no categories.
    """
    from tailbiter.program import lower
    from tailbiter.regime import RealOnly
    from tailbiter.spec import Spec

    kept = {name: getattr(spec, name) for name in _OF_THE_SAMPLE}
    program = lower(Spec(regime=RealOnly(), **kept))
    items, which = np.unique(program.samples[np.maximum(generation, 1) - 1], return_inverse=True)
    out = np.array([_share_by_band(program, int(size)) for size in items])[which.ravel()]
    out[generation == 0] = np.where(np.isnan(out[generation == 0]), np.nan, 1.0)
    return out


def spec_of(ds: xr.Dataset) -> Spec | None:
    """Return what decides a run's samples, as a Spec.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.

    Returns
    -------
    Spec or None
        None where the run does not hold it whole: a large table of no file, or one whose file is gone.
    """
    from tailbiter.spec import Spec

    told = json.loads(ds.attrs["spec"])
    try:
        return Spec.from_dict({name: told[name] for name in _OF_THE_SAMPLE if name in told})
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

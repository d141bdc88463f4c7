# SPDX-License-Identifier: MIT
"""Estimators, each beside its oracle."""

import numpy as np
import xarray as xr

import tailbiter as tb
from tests.oracles import estimators as by

ESTIMATORS = {
    "mle": (tb.MLE(), by.counted),
    "add-0": (tb.AddK(0), by.counted),
    "add-small": (tb.AddK(0.01), by.add_k(0.01)),
    "add-1": (tb.AddK(1), by.add_k(1.0)),
    "add-many": (tb.AddK(30), by.add_k(30.0)),
    "turing": (tb.GoodTuring("none"), by.good_turing(smoothed=False)),
    "turing-smoothed": (tb.GoodTuring(), by.good_turing(smoothed=True)),
    "discount": (tb.Discount(), by.discount(None)),
    "discount-half": (tb.Discount(0.5), by.discount(0.5)),
    "discount-1": (tb.Discount(1), by.discount(1.0)),
    "shrink": (tb.Shrinkage(), by.shrinkage(None, previous=False)),
    "shrink-0": (tb.Shrinkage(0), by.counted),
    "shrink-tenth": (tb.Shrinkage(0.1), by.shrinkage(0.1, previous=False)),
    "shrink-all": (tb.Shrinkage(1), by.shrinkage(1.0, previous=False)),
    "before": (tb.Shrinkage(target="previous"), by.shrinkage(None, previous=True)),
    "before-half": (tb.Shrinkage(0.5, "previous"), by.shrinkage(0.5, previous=True)),
}


def table(ds: xr.Dataset, generations: tuple[int, ...], categories: int) -> np.ndarray:
    """Training counts ``[generation, replicate, category]``; all of a row may be wrong, and so nowhere."""
    out = np.zeros((len(generations), ds.sizes["replicate"], categories), dtype=np.int64)
    rows = np.searchsorted(generations, ds["snapshot_generation"].values)
    place = (rows, ds["snapshot_replicate"].values, ds["snapshot_category"].values)
    np.add.at(out, place, ds["snapshot_count"].values.astype(np.int64))
    assert np.count_nonzero(out) == ds.sizes["snapshot_entry"], "an entry is repeated, or zero"
    return out

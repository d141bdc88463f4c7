# SPDX-License-Identifier: MIT
"""Dense tables out of the sparse snapshots of a Dataset."""

import numpy as np
import xarray as xr

from tests.oracles.twin import Counts


def dense(ds: xr.Dataset, generations: tuple[int, ...], categories: int) -> Counts:
    """Training weights ``[generation, replicate, category]``; categories by their place in the reference."""
    table = np.zeros((len(generations), ds.sizes["replicate"], categories), dtype=np.int64)
    rows = np.searchsorted(generations, ds["snapshot_generation"].values)
    assert set(np.unique(ds["snapshot_generation"].values)) == set(generations)
    place = (rows, ds["snapshot_replicate"].values, ds["snapshot_category"].values)
    np.add.at(table, place, ds["snapshot_count"].values.astype(np.int64))
    assert np.count_nonzero(table) == ds.sizes["snapshot_entry"], "an entry is repeated, or zero"
    return table

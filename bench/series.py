# SPDX-License-Identifier: MIT
"""What every side hands back: the three variables that all of them record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.workloads import Workload


class Series(NamedTuple):
    """Records of a run, one row a replicate, one column a generation 0..T.

    Row 0 of a lineage is the reference itself. Entropy is in nats; tail mass is a share of 1.
    """

    survivors: NDArray[np.int32]
    entropy: NDArray[np.float64]
    tail_mass: NDArray[np.float64]


# A side takes (workload, replicates, seed). Nothing is prepared outside the call that is timed.
Side = Callable[["Workload", int, int], Series]


def blank(workload: Workload, replicates: int) -> Series:
    """Return records of the right shape, with generation 0 filled in."""
    shape = (replicates, workload.generations + 1)
    series = Series(np.empty(shape, np.int32), np.empty(shape), np.empty(shape))
    q = workload.reference()
    series.survivors[:, 0] = workload.categories
    series.entropy[:, 0] = -(q * np.log(q)).sum()
    series.tail_mass[:, 0] = q[workload.tail_start() :].sum()
    return series

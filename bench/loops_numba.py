# SPDX-License-Identifier: MIT
"""The loop that a user of Numba writes: conditional binomials over the living categories.

`bench.timing` runs every side once at a small size first, so compilation is not in the times.
"""

from __future__ import annotations

from math import log

import numba
import numpy as np

from bench.series import Series, blank
from bench.workloads import Workload


def compacted(workload: Workload, replicates: int, seed: int) -> Series:
    """Run each replicate through the compiled loop, on one thread."""
    if workload.human:
        raise ValueError("the compiled loop knows the replace regime only")
    q, tail = workload.reference(), workload.tail_start()
    series = blank(workload, replicates)
    rows = zip(series.survivors, series.entropy, series.tail_mass, strict=True)
    for r, (survivors, entropy, tail_mass) in enumerate(rows):
        rng = np.random.default_rng([seed, r])
        _lineage(rng, q, workload.samples, tail, survivors, entropy, tail_mass)
    return series


@numba.njit(cache=True)
def _lineage(rng, q, n, tail, survivors, entropy, tail_mass):  # type: ignore[no-untyped-def]  # numba infers
    """Run one lineage; compaction and statistics share the pass that draws."""
    counts = np.empty(q.size, np.int64)
    alive = _first(rng, q, n, counts)
    ids = np.empty(q.size, np.int32)
    kept = 0
    for i in range(alive):
        if counts[i] > 0:
            counts[kept] = counts[i]
            ids[kept] = i
            kept += 1
    alive = kept
    survivors[1], entropy[1], tail_mass[1] = _measure(counts, ids, alive, n, tail)
    for t in range(2, survivors.size):
        left, mass, kept, tail_items, c_log_c = n, n, 0, 0, 0.0
        for i in range(alive):
            if left == 0:
                break
            weight = counts[i]
            x = left if weight == mass else rng.binomial(left, weight / mass)
            mass -= weight
            left -= x
            if x > 0:
                ids[kept] = ids[i]
                counts[kept] = x
                kept += 1
                c_log_c += x * log(x)
                if ids[i] >= tail:
                    tail_items += x
        alive = kept
        survivors[t] = alive
        entropy[t] = log(n) - c_log_c / n
        tail_mass[t] = tail_items / n


@numba.njit(cache=True)
def _first(rng, q, n, counts):  # type: ignore[no-untyped-def]  # numba infers
    """Draw the human training set; return how many leading categories were reached."""
    rest = np.empty(q.size + 1)
    rest[q.size] = 0.0
    for i in range(q.size - 1, -1, -1):
        rest[i] = rest[i + 1] + q[i]
    left = n
    for i in range(q.size):
        if left == 0:
            return i
        counts[i] = left if i == q.size - 1 else rng.binomial(left, q[i] / rest[i])
        left -= counts[i]
    return q.size


@numba.njit(cache=True)
def _measure(counts, ids, alive, n, tail):  # type: ignore[no-untyped-def]  # numba infers
    tail_items, c_log_c = 0, 0.0
    for i in range(alive):
        c_log_c += counts[i] * log(counts[i])
        if ids[i] >= tail:
            tail_items += counts[i]
    return alive, log(n) - c_log_c / n, tail_items / n

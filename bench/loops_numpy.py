# SPDX-License-Identifier: MIT
"""The loops that a user of numpy writes, each as good as its kind gets.

Sums are used in place of dot products: a dot product of long vectors may start BLAS threads, and
every side here runs on one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.series import Series, blank
from bench.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    _Human = Callable[[np.random.Generator, int], NDArray[np.int64]]


def naive(workload: Workload, replicates: int, seed: int) -> Series:
    """Draw over all K categories, dead ones included, generation after generation.

    Fresh human items are a second multinomial over K: each source of the mix is drawn as the other is.
    """
    q = workload.reference()
    return _over_all(workload, replicates, seed, lambda rng, human: rng.multinomial(human, q))


def inverse_cdf(workload: Workload, replicates: int, seed: int) -> Series:
    """Draw as `naive` does, but find fresh human items one by one by inverse CDF: few cost less than K."""
    cdf = _cdf(workload.reference())
    return _over_all(workload, replicates, seed, lambda rng, human: _found(rng, human, cdf))


def _over_all(workload: Workload, replicates: int, seed: int, draw_human: _Human) -> Series:
    q, tail, n, human = workload.reference(), workload.tail_start(), workload.samples, workload.human
    series = blank(workload, replicates)
    for r in range(replicates):
        rng, p = np.random.default_rng([seed, r]), q
        for t in range(1, workload.generations + 1):
            fresh = human if t > 1 else 0
            counts = rng.multinomial(n - fresh, p)
            if fresh:
                counts += draw_human(rng, fresh)
            p = counts / n
            alive = p[counts > 0]
            series.survivors[r, t] = alive.size
            series.entropy[r, t] = -(alive * np.log(alive)).sum()
            series.tail_mass[r, t] = p[tail:].sum()
    return series


def compacted(workload: Workload, replicates: int, seed: int) -> Series:
    """Draw over the living categories only, and carry their ids along."""
    one = _compacted_anchored if workload.human else _compacted_replace
    series = blank(workload, replicates)
    for r in range(replicates):
        one(workload, np.random.default_rng([seed, r]), series, r)
    return series


def _compacted_replace(workload: Workload, rng: np.random.Generator, series: Series, r: int) -> None:
    p, tail, n = workload.reference(), workload.tail_start(), workload.samples
    ids = np.arange(p.size)
    for t in range(1, workload.generations + 1):
        counts = rng.multinomial(n, p)
        alive = counts.nonzero()[0]
        if alive.size < counts.size:
            counts, ids = counts[alive], ids[alive]
        p = counts / n
        series.survivors[r, t] = counts.size
        series.entropy[r, t] = -(p * np.log(p)).sum()
        series.tail_mass[r, t] = p[ids.searchsorted(tail) :].sum()


def _compacted_anchored(workload: Workload, rng: np.random.Generator, series: Series, r: int) -> None:
    q, tail, n, human = workload.reference(), workload.tail_start(), workload.samples, workload.human
    cdf = _cdf(q)
    counts, ids, p = np.zeros(q.size, np.int64), np.arange(q.size), q
    for t in range(1, workload.generations + 1):
        fresh = human if t > 1 else 0
        counts[ids] = rng.multinomial(n - fresh, p)
        np.add.at(counts, cdf.searchsorted(rng.random(fresh), side="right"), 1)
        ids = counts.nonzero()[0]
        p = counts[ids] / n
        series.survivors[r, t] = ids.size
        series.entropy[r, t] = -(p * np.log(p)).sum()
        series.tail_mass[r, t] = p[ids.searchsorted(tail) :].sum()


def batched(workload: Workload, replicates: int, seed: int, block: int = 1_000) -> Series:
    """Draw many small replicates at once: one multinomial over a (replicates, K) table.

    Blocks of 1000 were the fastest of 128, 256, 512, 1000 and 2000 at K = 100. Entropy comes from
    a table over the counts, faster than logarithms of every cell.
    """
    if workload.human:
        raise ValueError("the batched loop knows the replace regime only")
    q, tail, n = workload.reference(), workload.tail_start(), workload.samples
    rng = np.random.default_rng(seed)
    share = np.arange(1, n + 1) / n
    term = np.concatenate([[0.0], -share * np.log(share)])
    series = blank(workload, replicates)
    for first in range(0, replicates, block):
        rows = slice(first, min(first + block, replicates))
        p = np.broadcast_to(q, (rows.stop - rows.start, q.size))
        for t in range(1, workload.generations + 1):
            counts = rng.multinomial(n, p)
            p = counts / n
            series.survivors[rows, t] = np.count_nonzero(counts, axis=1)
            series.entropy[rows, t] = term.take(counts).sum(axis=1)
            series.tail_mass[rows, t] = p[:, tail:].sum(axis=1)
    return series


def _found(rng: np.random.Generator, items: int, cdf: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.bincount(cdf.searchsorted(rng.random(items), side="right"), minlength=cdf.size)


def _cdf(q: np.ndarray) -> np.ndarray:
    cdf = q.cumsum()
    return cdf / cdf[-1]

# SPDX-License-Identifier: MIT
"""Exact means and variances at small sizes, against which every side is checked before it is timed.

Independent of `tailbiter`: a benchmark whose sides simulate different laws compares nothing.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.workloads import Workload


class Law(NamedTuple):
    """Mean and variance (or an upper bound of it) of one variable at generations 1..T, and its range.

    `proxy` is a sub-Gaussian variance proxy where one is known: much the tighter at large N.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    span: float
    proxy: NDArray[np.float64] | None = None


def absence(masses: NDArray[np.float64], samples: int, human: int, generations: int) -> NDArray[np.float64]:
    """Probability that a set of categories of reference mass q is absent, by generation 1..T and q.

    The exact dual: `a` items of one generation have `k` human origins (hypergeometric), each of
    which misses the set with probability 1 - q, and as many model origins as distinct boxes are
    hit by the other `a - k` items thrown into `samples` boxes.
    """
    hit = occupancy(samples)
    from_human = np.array(
        [[_hypergeometric(samples, human, a, k) for k in range(human + 1)] for a in range(samples + 1)]
    )
    miss = 1.0 - masses
    ahead = miss ** np.arange(samples + 1)[:, None]
    out = [ahead[samples]]
    for _ in range(generations - 1):
        thrown = hit @ ahead
        ahead = np.zeros_like(thrown)
        for k in range(human + 1):
            ahead[k:] += from_human[k:, k, None] * miss**k * thrown[: samples + 1 - k]
        out.append(ahead[samples])
    return np.array(out)


def occupancy(boxes: int) -> NDArray[np.float64]:
    """Probability that `a` balls thrown into `boxes` boxes hit `b` distinct ones, as table [a, b]."""
    table = np.zeros((boxes + 1, boxes + 1))
    table[0, 0] = 1.0
    b = np.arange(boxes + 1)
    for a in range(1, boxes + 1):
        table[a] = table[a - 1] * b / boxes
        table[a, 1:] += table[a - 1, :-1] * (boxes - b[:-1]) / boxes
    return table


def survivors(workload: Workload) -> Law:
    """Law of the survivors: the variance needs the joint absence of every pair of categories."""
    q, size = workload.reference(), (workload.samples, workload.human, workload.generations)
    pairs = np.add.outer(q, q).ravel()
    lost, both = absence(q, *size), absence(pairs, *size).reshape(-1, q.size, q.size)
    alone = np.arange(q.size)
    both[:, alone, alone] = lost
    mean_lost = lost.sum(axis=1)
    variance = both.sum(axis=(1, 2)) - mean_lost**2
    return Law(q.size - mean_lost, variance, float(q.size))


def tail_mass(workload: Workload) -> Law:
    """Law of the tail mass x: a mean that never moves, and the variance of a merged category.

    Each generation adds, to at most the whole of the deviation before, the mean of N independent
    indicators: a proxy of 1/(4N) (Hoeffding), and t times that by generation t (Azuma).
    """
    x = float(workload.reference()[workload.tail_start() :].sum())
    variance = x * (1.0 - x) - mixing(workload).mean
    proxy = np.arange(1, workload.generations + 1) / (4.0 * workload.samples)
    return Law(np.full(workload.generations, x), np.maximum(variance, 0.0), 1.0, proxy)


def mixing(workload: Workload) -> Law:
    """Law of x(1-x), x the tail mass: the heterozygosity of tail against the rest, halved.

    Its mean falls by 1 - 1/N a generation under replace. Its variance is bounded by Bhatia and
    Davis: a variable on [0, 1/4] with mean m has at most (1/4 - m) m.
    """
    x = float(workload.reference()[workload.tail_start() :].sum())
    n, m = workload.samples, workload.human
    alpha, squares, second = m / n, [], x * x + x * (1.0 - x) / n
    for _ in range(workload.generations):
        squares.append(second)
        noise = (m * x * (1.0 - x) + (n - m) * (x - second)) / n**2
        second = alpha * (2.0 - alpha) * x * x + (1.0 - alpha) ** 2 * second + noise
    mean = x - np.array(squares)
    return Law(mean, np.maximum((0.25 - mean) * mean, 0.0), 0.25)


def entropy_of_two(workload: Workload) -> Law:
    """Law of the entropy of two categories, by the whole transition matrix of their counts."""
    n, m, q = workload.samples, workload.human, float(workload.reference()[0])
    step = np.array([np.convolve(_binomial(n - m, c / n), _binomial(m, q)) for c in range(n + 1)])
    share = np.arange(n + 1) / n
    inner = share[1:-1]
    value = np.zeros(n + 1)
    value[1:-1] = -inner * np.log(inner) - (1.0 - inner) * np.log(1.0 - inner)
    at, mean, square = _binomial(n, q), [], []
    for _ in range(workload.generations):
        mean.append(at @ value)
        square.append(at @ value**2)
        at = at @ step
    return Law(np.array(mean), np.array(square) - np.array(mean) ** 2, float(np.log(2.0)))


def _binomial(n: int, p: float) -> NDArray[np.float64]:
    return np.array([comb(n, k) * p**k * (1.0 - p) ** (n - k) for k in range(n + 1)])


def _hypergeometric(population: int, marked: int, drawn: int, k: int) -> float:
    if k > drawn:
        return 0.0
    return comb(marked, k) * comb(population - marked, drawn - k) / comb(population, drawn)

# SPDX-License-Identifier: MIT
"""Presence and fixation by following ancestors backward.

All items of a training set descend from human items. If A distinct human items are their ancestors, a set of
categories with reference mass x is absent with probability E (1-x)^A, and holds everything with probability
E x^A. Items of generation t are balls thrown into the boxes of generation t-1: A is an occupancy chain.

`absent` steps whole tables, for N up to a few hundred, every category and every t at once; `ancestors`
follows one law of A through windows of the table, for N up to 1e5.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.stats import hypergeom

Floats = NDArray[np.float64]
NEGLIGIBLE = 1e-40  # occupancy probabilities dropped from a window; a row holds fewer than 1e5 of them


@lru_cache(maxsize=512)
def occupancy(boxes: int, balls: int) -> Floats:
    """Table ``O[a, b]``: a balls thrown into `boxes` boxes hit b distinct ones, a and b from 0 to `balls`."""
    table = np.zeros((balls + 1, balls + 1))
    table[0, 0] = 1.0
    hit = np.arange(balls + 1)
    for a in range(balls):
        table[a + 1] = table[a] * hit / boxes
        table[a + 1, 1:] += table[a, :-1] * np.clip(boxes - hit[1:] + 1, 0, None) / boxes
    return table


def powers(base: Floats, top: int) -> Floats:
    """``[a, i] = base[i]**a`` for a from 0 to `top`."""
    return np.asarray(base)[None, :] ** np.arange(top + 1)[:, None]


def absent(mass: Floats, samples: Sequence[int], fresh: Sequence[int] = ()) -> Floats:
    """Probability that a set of categories is absent in training, under Replace or Anchored (fresh).

    Parameters
    ----------
    mass
        Reference mass of each set (one category, a pair, a band).
    samples
        Training-set sizes of generations 1, 2, ...
    fresh
        Fresh human items of each generation (entry 0 is not read). Empty: none.

    Returns
    -------
    Floats
        ``[t-1, i]``, generations 1 to ``len(samples)``.
    """
    human = powers(1.0 - np.asarray(mass, dtype=float), max(samples))
    lineages = human.copy()  # [a, i]: a chosen items of generation t have no human ancestor in set i
    result = [lineages[samples[0]]]
    for t in range(2, len(samples) + 1):
        lineages = occupancy(samples[t - 2], max(samples)) @ lineages
        if fresh and fresh[t - 1]:
            lineages = _mix_fresh(lineages, human, samples[t - 1], fresh[t - 1])
        result.append(lineages[samples[t - 1]])
    return np.array(result)


def _mix_fresh(synthetic: Floats, human: Floats, size: int, fresh: int) -> Floats:
    chances = _fresh_among(size, fresh, len(synthetic))
    mixed = np.zeros_like(synthetic)
    for k in range(fresh + 1):
        mixed[k:] += chances[k, k:, None] * human[k] * synthetic[: len(synthetic) - k]
    return mixed


@lru_cache(maxsize=64)
def _fresh_among(size: int, fresh: int, top: int) -> Floats:
    """``[k, a]``: chance that k of a chosen items are fresh. No more than `size` can be chosen."""
    chosen = np.arange(top)
    chances = hypergeom.pmf(np.arange(fresh + 1)[:, None], size, fresh, np.minimum(chosen, size))
    return np.where(chosen <= size, chances, 0.0)


def absent_fixed(mass: Floats, samples: Sequence[int], kept: int) -> Floats:
    """`absent` under Anchored with a fixed set: the first `kept` items of generation 1 join every one.

    They are ancestors once and for all, so only the boxes outside of them add any.
    """
    none = 1.0 - np.asarray(mass, dtype=float)
    top = max(samples) - kept
    result = [none ** samples[0]]
    apart = powers(none, top)  # [a, i]: a chosen items of generation t, outside the kept set
    for t in range(2, len(samples) + 1):
        boxes = samples[t - 2]
        apart = _occupancy_outside(boxes, kept, top) @ apart
        result.append(none**kept * apart[samples[t - 1] - kept])
    return np.array(result)


@lru_cache(maxsize=512)
def _occupancy_outside(boxes: int, marked: int, balls: int) -> Floats:
    """As `occupancy`, counting only the hit boxes that are not marked."""
    table = np.zeros((balls + 1, balls + 1))
    table[0, 0] = 1.0
    hit = np.arange(balls + 1)
    for a in range(balls):
        table[a + 1] = table[a] * (marked + hit) / boxes
        table[a + 1, 1:] += table[a, :-1] * np.clip(boxes - marked - hit[1:] + 1, 0, None) / boxes
    return table


def fixed_on_one(reference: Floats, samples: Sequence[int]) -> Floats:
    """Probability that one category holds the whole training set, from generation 1 on (Replace)."""
    return absent(1.0 - np.asarray(reference, dtype=float), samples).sum(axis=1)


def fixation_time(reference: Floats, size: int) -> tuple[float, float]:
    """Mean and standard deviation of the generations until one category is left (Replace, constant size).

    With ``T`` that time and ``r_t = P(T > t)``, ``r_{t+1} = O r_t`` for the occupancy table O, so sums over t
    are solutions of triangular systems: ``E T = sum r_t`` and ``E T(T-1)/2 = sum t r_t``.
    """
    many = np.arange(2, size + 1)
    first = 1.0 - np.sum(np.asarray(reference)[None, :] ** many[:, None], axis=1)
    stay = np.eye(size - 1) - occupancy(size, size)[2:, 2:]
    once = solve_triangular(stay, first, lower=True)
    twice = solve_triangular(stay, once, lower=True)
    mean = 1.0 + once[-1]
    return mean, float(np.sqrt(2.0 * twice[-1] + mean - mean**2))


def fixation_times(reference: Floats, size: int, step: int, cells: int) -> Floats:
    """Law of the time of `fixation_time` on cells of `step` generations: 1..step, ..., and what is later."""
    many = np.arange(2, size + 1)
    table = occupancy(size, size)[2:, 2:]
    left = 1.0 - np.sum(
        np.asarray(reference)[None, :] ** many[:, None], axis=1
    )  # [a - 2], after generation 1
    for _ in range(step - 1):
        left = table @ left
    beyond, leap = [1.0, left[-1]], np.linalg.matrix_power(table, step)
    for _ in range(cells - 1):
        left = leap @ left
        beyond.append(left[-1])
    return np.append(-np.diff(beyond), beyond[-1])


def throw(law: Floats, start: int, boxes: int) -> tuple[Floats, int]:
    """Law of the boxes hit by A balls, where ``P(A = start + j) = law[j]``; returned in the same form."""
    total = np.zeros(min(start + len(law), boxes + 1))
    row, low = np.ones(1), 0  # occupancy of a balls: row[j] = P(low + j distinct)
    for a in range(start + len(law)):
        if a >= start:
            total[low : low + len(row)] += law[a - start] * row
        hit = low + np.arange(len(row) + 1)
        row = np.append(row, 0.0) * hit / boxes + np.append(0.0, row) * np.maximum(boxes - hit + 1, 0) / boxes
        keep = np.flatnonzero(row > NEGLIGIBLE)
        row, low = row[keep[0] : keep[-1] + 1], low + int(keep[0])
    keep = np.flatnonzero(total > NEGLIGIBLE)
    return total[keep[0] : keep[-1] + 1], int(keep[0])


def ancestors(samples: Sequence[int]) -> tuple[Floats, int]:
    """Law of the number of human ancestors of the last training set (Replace), in the form of `throw`."""
    law, start = np.ones(1), samples[-1]
    for boxes in reversed(samples[:-1]):
        law, start = throw(law, start, boxes)
    return law, start


def absent_by(law: Floats, start: int, mass: Floats) -> Floats:
    """``E (1 - mass)^A`` for the law of A that `ancestors` returns."""
    with np.errstate(divide="ignore"):
        logs = np.log1p(-np.asarray(mass, dtype=float))
    a = start + np.arange(len(law))
    return np.array([np.exp(a * log) @ law if np.isfinite(log) else 0.0 for log in logs])


def survivors(law: Floats, start: int, mass: Floats, copies: Floats) -> tuple[float, float]:
    """Mean and variance of the number of categories present, from the law of A.

    `mass` holds the distinct probabilities and `copies` how many categories have each. Two categories are
    absent together with probability ``E (1 - q_i - q_j)^A``.
    """
    copies = np.asarray(copies, dtype=float)
    alone = absent_by(law, start, mass)
    mean = copies @ (1.0 - alone)
    sums = np.minimum(np.add.outer(mass, mass), 1.0)
    both = absent_by(law, start, sums.ravel()).reshape(sums.shape)
    pairs = copies @ (both - np.outer(alone, alone)) @ copies
    same = copies @ (alone - both.diagonal())  # a category with itself: absent, not "both"
    return float(mean), float(pairs + same)

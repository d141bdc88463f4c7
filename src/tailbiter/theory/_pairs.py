# SPDX-License-Identifier: MIT
"""Spread of sums over the categories present where only the chances of sets are known, by pairs of sets."""

from __future__ import annotations

import numpy as np

from ._chances import between, chances
from ._result import Floats
from ._schedule import Schedule

__all__ = ["variance_by_pairs"]

_STEP = 0.03  # in log mass: where chances are followed
_APART = 0.05  # in log mass: categories nearer than that are shared out between neighbours
_PEAK = 4.0 * np.exp(-2.0)  # largest u^2 exp(-u)


class _Absence:
    """Bounds of absence at any mass, from those at nodes: ``-log`` of it is concave in ``-log(1-x)``."""

    def __init__(self, mass: Floats, schedule: Schedule) -> None:
        low, high = np.log(mass.min()), np.log(min(2.0 * mass.max(), 1.0 - 1e-9))
        node = np.exp(np.linspace(low, high, max(int((high - low) / _STEP), 1) + 2))
        node[0], node[-1] = mass.min(), max(node[-1], mass.max())
        found = chances(node, schedule)
        # From absence itself: a presence that rounds to 1 would say that there is none at all.
        with np.errstate(divide="ignore"):
            self.low = np.minimum(-np.log(np.minimum(found.absent + found.error, 1.0)), 700.0)
            self.high = -np.log(np.clip(found.absent - found.error, 0.0, 1.0))
        self.node = -np.log1p(-node)

    def bounds(self, rest: Floats, rows: slice) -> tuple[Floats, Floats]:
        """Lower and upper bound of absence at ``rest = -log(1-x)``."""
        inside = np.clip(rest, self.node[0], self.node[-1])
        least, most = between(inside, self.node, self.low[rows], self.high[rows])
        most = np.where(rest > self.node[-1], np.inf, most)
        return np.exp(-most), np.exp(-least)


def variance_by_pairs(mass: Floats, copies: Floats, weights: Floats, schedule: Schedule) -> Floats:
    """Upper bound of the variance, ``[r, g]``.

    Given H ancestors the variance is at most ``sum w^2 P (1-P)``. The mean given H is a sum of exponentials
    in H. Each is shared out between those of two neighbours, linearly in its rate, which is off by between
    zero and ``(step/rate)^2 u^2 exp(-u)/8``, u = rate H; half of that adds to the standard deviation.
    """
    inside = (mass > 0) & (mass < 1) & (copies > 0)
    q, each, weight = mass[inside], (copies * weights)[:, inside], weights[:, inside]
    result = np.zeros((len(schedule.at), len(weights)))
    if not len(q):
        return result
    absence, rate = _Absence(q, schedule), -np.log1p(-q)
    rates, shared, off = _shared(rate, each)
    i, j = np.triu_indices(len(rates))
    products = np.where(i == j, 1.0, 2.0)[:, None] * (shared[:, i] * shared[:, j]).T
    for r in range(len(result)):
        row = slice(r, r + 1)
        given = absence.bounds(rate, row)[1] - absence.bounds(2.0 * rate, row)[0]
        alone = absence.bounds(rates, row)[0][0]
        both = absence.bounds(rates[i] + rates[j], row)[1][0] - alone[i] * alone[j]
        mean = (np.sqrt(np.maximum(both @ products, 0.0)) + off / 2) ** 2
        result[r] = (np.maximum(given, 0.0) @ (each * weight).T)[0] + mean
    return result


def _shared(rate: Floats, each: Floats) -> tuple[Floats, Floats, Floats]:
    """Rates of the neighbours, what each is given, and how far off the sum may be."""
    distinct = np.unique(rate)
    cells = np.floor(np.log(distinct) / _APART)
    rates = np.unique(np.append(distinct[np.unique(cells, return_index=True)[1]], distinct[-1]))
    if len(rates) == 1:
        return rates, each.sum(axis=1, keepdims=True), np.zeros(len(each))
    k = np.clip(np.searchsorted(rates, rate, side="right") - 1, 0, len(rates) - 2)
    step = rates[k + 1] - rates[k]
    right = (rate - rates[k]) / step
    shared = np.zeros((len(each), len(rates)))
    for g, row in enumerate(each):
        shared[g] += np.bincount(k, row * (1.0 - right), len(rates))
        shared[g] += np.bincount(k + 1, row * right, len(rates))
    exact = (right == 0) | (right == 1)
    off = np.where(exact, 0.0, (step / rates[k]) ** 2 * _PEAK / 8)
    return rates, shared, each @ off

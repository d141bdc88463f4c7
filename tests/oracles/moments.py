# SPDX-License-Identifier: MIT
"""First and second moments of any regime that is linear in its sources, exactly.

`Products` is the table of expected inner products among the reference, batches, kept sets, pools and models
of a run. The product is ``<x, y> = sum d_i x_i y_i``: over all categories it gives heterozygosity, over one
(or a band merged into one) the variance of its share.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles.plan import Plan

Floats = NDArray[np.float64]
Combination = Sequence[tuple[int, float]]  # (index of a vector, coefficient)


class Products:
    """Expected inner products of vectors that are added one by one. Vector 0 is the reference.

    Parameters
    ----------
    square
        ``<q, q>``.
    mass
        ``sum d_i q_i``: 1 over all categories, q_i over category i alone.
    """

    def __init__(self, square: float, mass: float) -> None:
        self._table = np.zeros((8, 8))
        self._table[0, 0] = square
        self._size = 1
        self._mass = mass

    def __getitem__(self, pair: tuple[int, int]) -> float:
        return float(self._table[pair])

    def _append(self, source: Combination, square: float) -> int:
        new = self._size
        if new == len(self._table):
            self._table = np.pad(self._table, (0, new))
        row = np.zeros(new)
        for index, coefficient in source:
            row += coefficient * self._table[index, :new]
        self._table[new, :new] = self._table[:new, new] = row
        self._table[new, new] = square
        self._size += 1
        return new

    def keep(self, live: Sequence[int]) -> list[int]:
        """Forget all vectors but these; return their new names."""
        self._table = self._table[np.ix_(live, live)]
        self._size = len(live)
        return list(range(self._size))

    def combine(self, parts: Combination) -> int:
        """Add the weighted sum of earlier vectors."""
        square = sum(a * b * self._table[i, j] for i, a in parts for j, b in parts)
        return self._append(parts, square)

    def sample(self, source: int, n: int) -> int:
        """Add the frequencies of `n` independent draws from a vector."""
        square = self._table[source, source]
        return self._append([(source, 1.0)], square + (self._mass - square) / n)

    def subset(self, source: int, size: int, n: int) -> int:
        """Add the frequencies of `n` draws without replacement from the `size` items behind a vector."""
        square = self._table[source, source]
        spread = (self._mass - square) / n * ((size - n) / (size - 1) if size > 1 else 0.0)
        return self._append([(source, 1.0)], square + spread)


def model_products(plan: Plan, square: float, mass: float) -> tuple[Floats, Floats]:
    """``E <p_t, p_t>`` and ``E <p_t, q>`` for t = 0 .. ``len(plan.samples)``."""
    table = Products(square, mass)
    kept, batch = _human(table, plan)
    batches, sizes = [batch], [plan.samples[0]]
    model = _model(table, plan, 1, batches, sizes)
    own, cross = [square, table[model, model]], [square, table[model, 0]]
    for t in range(2, len(plan.samples) + 1):
        _, kept, model, *batches = table.keep([0, kept, model, *batches])
        _remember(table, plan, batches, sizes, _batch(table, plan, t, model, kept), plan.samples[t - 1])
        model = _model(table, plan, t, batches, sizes)
        own.append(table[model, model])
        cross.append(table[model, 0])
    return np.array(own), np.array(cross)


def _remember(table: Products, plan: Plan, batches: list[int], sizes: list[int], batch: int, n: int) -> None:
    """Put a batch before the ones that still matter, or into the pool."""
    if plan.draw or plan.ages is None:
        total = sizes[0] + n
        batches[0] = table.combine([(batches[0], sizes[0] / total), (batch, n / total)])
        sizes[0] = total
    else:
        batches[:] = [batch, *batches][: len(plan.ages)]
        sizes[:] = [n, *sizes][: len(plan.ages)]


def _model(table: Products, plan: Plan, t: int, batches: Sequence[int], sizes: Sequence[int]) -> int:
    if plan.draw:
        return table.subset(batches[0], sizes[0], plan.draw[t - 1])
    weights = [age * size for age, size in zip(plan.ages or (1,), sizes, strict=False)]
    return table.combine(
        [(batch, weight / sum(weights)) for batch, weight in zip(batches, weights, strict=True)]
    )


def _human(table: Products, plan: Plan) -> tuple[int, int]:
    """Kept set and first batch: prefixes of one stream."""
    both = plan.overlap
    if not both:
        return 0, table.sample(0, plan.samples[0])
    prefix = table.sample(0, both)
    longer = max(plan.kept, plan.samples[0])
    if longer == both:
        return prefix, prefix
    rest = table.sample(0, longer - both)
    whole = table.combine([(prefix, both / longer), (rest, 1.0 - both / longer)])
    return (prefix, whole) if plan.kept == both else (whole, prefix)


def _batch(table: Products, plan: Plan, t: int, model: int, kept: int) -> int:
    counts, weights = plan.parts(t), plan.item_weight(t)
    total = sum(count * weight for count, weight in zip(counts, weights, strict=True))
    share = [count * weight / total for count, weight in zip(counts, weights, strict=True)]
    parts = []
    if counts[0]:
        parts.append((table.sample(model, counts[0]), share[0]))
    if counts[1]:
        parts.append((table.sample(0, counts[1]), share[1]))
    if counts[2]:
        parts.append((table.subset(kept, plan.kept, counts[2]), share[2]))
    return table.combine(parts)


def heterozygosity(plan: Plan) -> Floats:
    """``E H_t = 1 - E sum p_t^2`` for t = 0 .. ``len(plan.samples)``."""
    reference = np.array(plan.reference)
    return 1.0 - model_products(plan, float(reference @ reference), 1.0)[0]


def brier(plan: Plan) -> Floats:
    """``E sum (p_t - q)^2`` for t = 0 .. ``len(plan.samples)``."""
    reference = np.array(plan.reference)
    square = float(reference @ reference)
    own, cross = model_products(plan, square, 1.0)
    return own - 2.0 * cross + square


def share_variance(plan: Plan, mass: float) -> Floats:
    """Variance of the share of categories of reference mass `mass`, t = 0 .. ``len(plan.samples)``."""
    return model_products(plan, mass * mass, mass)[0] - mass * mass

# SPDX-License-Identifier: MIT
"""A Gaussian fitted again and again, item by item: expected products of all items that ever were.

Nothing is grouped: every item has its row, and a draw without replacement is averaged over every subset. For
tiny plans only.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tests.oracles.plan import Plan

Floats = np.ndarray


class Items:
    """``E x_i x_j`` of items whose mean is 0 and whose variance, where human, is 1."""

    def __init__(self) -> None:
        self.table = np.zeros((0, 0))

    def add(self, count: int, cross: Floats, between: float, own: float) -> list[int]:
        """Add alike items: products with all before, with one another, with themselves."""
        first = len(self.table)
        block = np.full((count, count), between) + (own - between) * np.eye(count)
        beside = np.tile(cross, (count, 1))
        self.table = np.block([[self.table, beside.T], [beside, block]])
        return list(range(first, first + count))

    def human(self, count: int) -> list[int]:
        return self.add(count, np.zeros(len(self.table)), 0.0, 1.0)


def spread_and_drift(plan: Plan, ddof: int) -> tuple[Floats, Floats]:
    """Expected variance of the model and expected squared mean, t = 0 .. ``len(plan.samples)``."""
    items = Items()
    stream = items.human(max(plan.samples[0], plan.kept))
    kept, batches = stream[: plan.kept], [stream[: plan.samples[0]]]
    rows = [(1.0, 0.0)]
    weigh = list(_trainings(plan, 1, batches, [], []))
    for t in range(1, len(plan.samples) + 1):
        if t > 1:
            born, new, again = plan.parts(t)
            mean = np.mean([_dense(u, items) for u in weigh], axis=0)
            synthetic = items.add(born, mean @ items.table, rows[-1][1], rows[-1][0] + rows[-1][1])
            fresh = items.human(new)
            batches.append(synthetic + fresh)
            weigh = list(_trainings(plan, t, batches, fresh, list(combinations(kept, again))))
        fits = [_fit(_dense(u, items), items.table, ddof) for u in weigh]
        rows.append(tuple(np.mean(fits, axis=0).tolist()))
    spread, drift = np.array(rows).T
    return spread, drift


def _dense(weights: dict[int, float], items: Items) -> Floats:
    out = np.zeros(len(items.table))
    out[list(weights)] = list(weights.values())
    return out / out.sum()


def _fit(u: Floats, table: Floats, ddof: int) -> tuple[float, float]:
    square = float(u @ table @ u)
    count = np.count_nonzero(u)
    return (float(u @ table.diagonal()) - square) * count / (count - ddof), square


def _trainings(
    plan: Plan, t: int, batches: list[list[int]], fresh: list[int], kept: list[tuple[int, ...]]
) -> Iterator[dict[int, float]]:
    """Weights of the training items, for every equally likely draw."""
    if plan.draw:
        for chosen in combinations([i for batch in batches for i in batch], plan.draw[t - 1]):
            yield dict.fromkeys(chosen, 1.0)
        return
    by_synthetic, by_fresh, by_kept = plan.item_weight(t) if t > 1 else (1, 1, 1)
    ages = plan.ages or (1,) * t
    weights = {i: float(age) for age, batch in zip(ages, reversed(batches), strict=False) for i in batch}
    weights = {
        i: w * (by_fresh if i in fresh else by_synthetic if i in batches[-1] else 1)
        for i, w in weights.items()
    }
    for again in kept or [()]:
        yield {i: w for i, w in (weights | dict.fromkeys(again, float(by_kept))).items() if w}

# SPDX-License-Identifier: MIT
"""The slow and obvious twin of the engine: numpy draws, every category, every generation."""

import numpy as np
from numpy.typing import NDArray

from tests.oracles.plan import Plan

Counts = NDArray[np.int64]


class Twin:
    """Many replicates of one plan, drawn by numpy. Faults override one method each.

    Parameters
    ----------
    plan
        What to run.
    replicates
        How many chains.
    seed
        Of numpy's generator.
    """

    def __init__(self, plan: Plan, replicates: int, seed: int) -> None:
        self.plan = plan
        self.replicates = replicates
        self.rng = np.random.default_rng(seed)

    def run(self) -> Counts:
        """Training weights ``[t-1, replicate, category]`` for every generation of the plan."""
        kept, batch = self.human()
        remembered = [batch]
        models = [self.training(1, remembered)]
        for t in range(2, len(self.plan.samples) + 1):
            remembered = self.remember(remembered, self.batch(t, models[-1], kept))
            models.append(self.training(t, remembered))
        return np.array(models)

    def human(self) -> tuple[Counts, Counts]:
        """Kept set and first batch: prefixes of one stream of human items."""
        both = self.plan.overlap
        shared = self.fresh(both)
        return shared + self.fresh(self.plan.kept - both), shared + self.fresh(self.plan.samples[0] - both)

    def batch(self, t: int, model: Counts, kept: Counts) -> Counts:
        """Weights newly added for generation t."""
        n_synthetic, n_fresh, n_kept = self.parts(t)
        by_synthetic, by_fresh, by_kept = self.plan.item_weight(t)
        new = by_synthetic * self.synthetic(n_synthetic, model) + by_fresh * self.fresh(n_fresh)
        return new + by_kept * self.subset(n_kept, kept)

    def parts(self, t: int) -> tuple[int | Counts, int | Counts, int]:
        """Synthetic, fresh and kept items of generation t's batch."""
        return self.plan.parts(t)

    def remember(self, remembered: list[Counts], batch: Counts) -> list[Counts]:
        """Batches that still matter, newest first; or the pool of all."""
        if self.plan.draw or self.plan.ages is None:
            return [remembered[0] + batch]
        return [batch, *remembered][: len(self.plan.ages)]

    def training(self, t: int, remembered: list[Counts]) -> Counts:
        """Training weights of generation t."""
        if self.plan.draw:
            return self.subset(self.plan.draw[t - 1], remembered[0])
        ages = self.plan.ages or (1,)
        return sum(age * batch for age, batch in zip(ages, remembered, strict=False))

    def fresh(self, n: int | Counts) -> Counts:
        """Draw `n` human items."""
        shape = (self.replicates, self.plan.categories)
        return self.multinomial(n, np.broadcast_to(np.array(self.plan.weights), shape))

    def synthetic(self, n: int | Counts, model: Counts) -> Counts:
        """Draw `n` items from the fitted model."""
        return self.multinomial(n, model)

    def multinomial(self, n: int | Counts, weights: Counts) -> Counts:
        """Multinomial draws, one a row."""
        return self.rng.multinomial(n, weights / weights.sum(axis=1, keepdims=True))

    def subset(self, n: int, pool: Counts) -> Counts:
        """Draw `n` items without replacement, category by category."""
        left = np.full(len(pool), n)
        behind = pool.sum(axis=1)
        chosen = np.zeros_like(pool)
        for category in range(pool.shape[1]):
            behind = behind - pool[:, category]
            chosen[:, category] = self.rng.hypergeometric(pool[:, category], behind, left)
            left = left - chosen[:, category]
        return chosen

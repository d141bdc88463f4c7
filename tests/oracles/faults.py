# SPDX-License-Identifier: MIT
"""Samplers made wrong on purpose, one mistake each: what the tests must catch."""

from dataclasses import replace

import numpy as np

from tests.oracles.twin import Counts, Twin


class CoinFlipShare(Twin):
    """Each item is human with probability m/N, instead of exactly m of N."""

    def parts(self, t: int) -> tuple[int | Counts, int | Counts, int]:
        synthetic, fresh, kept = self.plan.parts(t)
        human = self.rng.binomial(synthetic + fresh, fresh / (synthetic + fresh), self.replicates)
        return synthetic + fresh - human, human, kept


class WithReplacement(Twin):
    """What should be drawn without replacement is drawn with it."""

    def subset(self, n: int, pool: Counts) -> Counts:
        return self.multinomial(n, pool) if n else np.zeros_like(pool)


class OneEarly(Twin):
    """Reports generation t-1 as t: the first resampling is missing."""

    def run(self) -> Counts:
        models = super().run()
        return np.concatenate([models[:1], models[:-1]])


class OneLate(Twin):
    """Reports generation t+1 as t."""

    def run(self) -> Counts:
        plan = self.plan
        longer = {name: (*getattr(plan, name), *getattr(plan, name)[-1:]) for name in _BY_GENERATION}
        self.plan = replace(plan, **longer)
        return super().run()[1:]


_BY_GENERATION = ("samples", "fresh", "from_kept", "draw")


class Backward(Twin):
    """Takes the sample sizes in the wrong order."""

    def run(self) -> Counts:
        self.plan = replace(self.plan, samples=self.plan.samples[::-1])
        return super().run()


class KeptRedrawn(Twin):
    """The kept set is a new one each generation."""

    def batch(self, t: int, model: Counts, kept: Counts) -> Counts:
        return super().batch(t, model, self.fresh(self.plan.kept))


class KeptApart(Twin):
    """The kept set shares no item with the first batch."""

    def human(self) -> tuple[Counts, Counts]:
        return self.fresh(self.plan.kept), self.fresh(self.plan.samples[0])


class FirstMixed(Twin):
    """Generation 1 is already mixed like a later one."""

    def human(self) -> tuple[Counts, Counts]:
        kept, batch = super().human()
        return kept, self.batch(2, batch, kept)


class StaleWords(Twin):
    """Every generation draws with the same random words."""

    def __init__(self, plan, replicates: int, seed: int) -> None:
        super().__init__(plan, replicates, seed)
        self.seed = seed

    def synthetic(self, n: int | Counts, model: Counts) -> Counts:
        words = np.random.default_rng(self.seed).random((self.replicates, int(n)))
        edges = np.cumsum(model, axis=1) / model.sum(axis=1, keepdims=True)
        ids = (words[:, :, None] >= edges[:, None, :-1]).sum(axis=2)
        return (ids[:, :, None] == np.arange(self.plan.categories)).sum(axis=1)


class SharedReplicates(Twin):
    """Replicates 2r and 2r+1 get the same random words."""

    def run(self) -> Counts:
        models = super().run()
        models[:, 1::2] = models[:, : models.shape[1] // 2 * 2 : 2]
        return models


class WindowTooLong(Twin):
    """Keeps one batch too many."""

    def __init__(self, plan, replicates: int, seed: int) -> None:
        super().__init__(replace(plan, ages=(*plan.ages, 1)), replicates, seed)


class ForgetsPool(Twin):
    """Accumulating runs keep the last batch only."""

    def remember(self, remembered: list[Counts], batch: Counts) -> list[Counts]:
        return [batch]


class WeightsSwapped(Twin):
    """Human and synthetic items trade their weights."""

    def __init__(self, plan, replicates: int, seed: int) -> None:
        swapped = tuple((fresh, synthetic, kept) for synthetic, fresh, kept in plan.item_weights)
        super().__init__(replace(plan, item_weights=swapped), replicates, seed)


class FloatResidual(Twin):
    """Conditional binomials with a float32 remainder; the last category takes what is left."""

    def multinomial(self, n: int | Counts, weights: Counts) -> Counts:
        share = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        left, mass = np.full(len(weights), n), np.ones(len(weights), np.float32)
        counts = np.zeros_like(weights)
        for category in range(weights.shape[1] - 1):
            p = np.clip(share[:, category] / np.maximum(mass, np.float32(1e-30)), 0.0, 1.0)
            counts[:, category] = self.rng.binomial(left, p.astype(float))
            left, mass = left - counts[:, category], mass - share[:, category]
        counts[:, -1] = left
        return counts


class RoundedChances(Twin):
    """Draws with probabilities rounded to a grid of 1/4096, as a table of short thresholds would."""

    def multinomial(self, n: int | Counts, weights: Counts) -> Counts:
        edges = np.round(4096 * np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True))
        return super().multinomial(n, np.diff(edges, axis=1, prepend=0).astype(np.int64))

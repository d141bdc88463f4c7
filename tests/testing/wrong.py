# SPDX-License-Identifier: MIT
"""Laws of samplers made wrong on purpose, by enumeration: what their power is calculated from.

Each `Control` holds the right law, the law of the wrong sampler, worked out without drawing anything, and the
sampler itself.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import comb

import numpy as np

from tests.oracles import faults
from tests.oracles.chain import Vector, add, multinomial, path_law, presence
from tests.oracles.plan import Plan
from tests.oracles.twin import Counts, Twin

Law = dict[tuple[int, ...], float]
BITS = 6


@dataclass(frozen=True)
class Control:
    """A wrong sampler before a test. ``draw`` takes the class of a sampler, right or wrong."""

    law: Law
    wrong: Law
    fault: type[Twin]
    draw: Callable[[type[Twin]], Callable[[int, int], Counts]]

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Both laws over all outcomes that either allows."""
        outcomes = sorted(self.law.keys() | self.wrong.keys())
        both = [[law.get(outcome, 0.0) for outcome in outcomes] for law in (self.law, self.wrong)]
        return np.array(both[0]), np.array(both[1])


class TieRedrawn(Twin):
    """Items by short words against thresholds: a word that the threshold cuts is drawn again, not refined."""

    def multinomial(self, n: int | Counts, weights: Counts) -> Counts:
        edges = np.cumsum(weights, axis=1) << BITS
        total = weights.sum(axis=1)[:, None]
        chosen = np.zeros_like(weights)
        left = np.full(len(weights), n)
        while left.any():
            word = self.rng.integers(1 << BITS, size=len(weights))[:, None]
            category = (word * total >= edges).sum(axis=1)
            cut = ((word * total < edges) & ((word + 1) * total > edges)).any(axis=1)
            taken = (left > 0) & ~cut
            chosen[np.flatnonzero(taken), category[taken]] += 1
            left[taken] -= 1
        return chosen


def whole_words(weights: Vector) -> Vector:
    """How many words of `TieRedrawn` lie inside each category's interval."""
    total = sum(weights)
    edges = [0]
    for weight in weights:
        edges.append(edges[-1] + weight)
    return tuple(max(0, (hi << BITS) // total - -((-lo << BITS) // total)) for lo, hi in pairwise(edges))


def with_replacement(plan: Plan, at: Sequence[int]) -> Law:
    """Accumulate-subsample, the subsample drawn with replacement."""
    now: dict[tuple[Vector, Vector, Vector], float] = {
        (training if 1 in at else (), batch, training): float(p * q)
        for batch, p in multinomial(plan.samples[0], plan.weights)
        for training, q in multinomial(plan.draw[0], batch)
    }
    for t in range(2, at[-1] + 1):
        later: dict[tuple[Vector, Vector, Vector], float] = defaultdict(float)
        for (path, pool, training), p in now.items():
            for batch, q in multinomial(plan.samples[t - 1], training):
                more = add(pool, batch)
                for drawn, r in multinomial(plan.draw[t - 1], more):
                    later[(*path, *drawn) if t in at else path, more, drawn] += p * float(q * r)
        now = later
    law: Law = defaultdict(float)
    for (path, _, _), p in now.items():
        law[path] += p
    return dict(law)


def tie_redrawn(plan: Plan, at: Sequence[int]) -> Law:
    """Replace, by `TieRedrawn`."""
    law: Law = defaultdict(float)
    states: dict[tuple[Vector, Vector], float] = {((), plan.weights): 1.0}
    for t in range(1, at[-1] + 1):
        later: dict[tuple[Vector, Vector], float] = defaultdict(float)
        for (path, model), p in states.items():
            for drawn, q in multinomial(plan.samples[t - 1], whole_words(model)):
                later[(*path, *drawn) if t in at else path, drawn] += p * float(q)
        states = later
    for (path, _), p in states.items():
        law[path] += p
    return dict(law)


def coin_flip(plan: Plan, at: Sequence[int]) -> Law:
    """The number of human items of each batch is binomial: a mixture of fixed splits."""
    sizes, fresh = plan.samples[: at[-1]], plan.fresh[: at[-1]]
    law: Law = defaultdict(float)
    for human in product(*(range(n + 1) for n in sizes[1:])):
        chance = 1.0
        for k, n, m in zip(human, sizes[1:], fresh[1:], strict=True):
            chance *= comb(n, k) * (m / n) ** k * (1 - m / n) ** (n - k)
        for outcome, p in exact(replace(plan, samples=sizes, fresh=(0, *human)), at).items():
            law[outcome] += chance * p
    return dict(law)


def exact(plan: Plan, at: Sequence[int], view: Callable[[Vector], Vector] = tuple) -> Law:
    """The right law of `path_law`, outcomes flattened."""
    return {sum(path, ()): float(p) for path, p in path_law(plan, at, view=view).items()}


def one_early(plan: Plan, at: Sequence[int]) -> Law:
    """Generation t-1 is reported as t, and 1 as itself."""
    actual = [max(1, t - 1) for t in at]
    kept = sorted(set(actual))
    k = plan.categories
    law: Law = defaultdict(float)
    for outcome, p in exact(plan, kept).items():
        parts = {t: outcome[i * k : (i + 1) * k] for i, t in enumerate(kept)}
        law[sum((parts[t] for t in actual), ())] += p
    return dict(law)


def one_late(plan: Plan, at: Sequence[int]) -> Law:
    """Generation t+1 is reported as t."""
    return exact(replace(plan, samples=(*plan.samples, plan.samples[-1])), [t + 1 for t in at])


def drawn(plan: Plan, at: Sequence[int], *, present: bool = False) -> Callable:
    """``draw(start, stop)`` of a sampler's outcomes."""

    def of(sampler: type[Twin]) -> Callable[[int, int], Counts]:
        def draw(start: int, stop: int) -> Counts:
            models = sampler(plan, stop - start, seed=[20_251_122, start]).run()[[t - 1 for t in at]]
            models = (models > 0).astype(np.int64) if present else models
            return models.transpose(1, 0, 2).reshape(stop - start, -1)

        return draw

    return of


def _control(plan: Plan, at: tuple[int, ...], wrong: Callable, fault: type[Twin]) -> Control:
    return Control(exact(plan, at), wrong(plan, at), fault, drawn(plan, at))


def _backward() -> Control:
    """Only what is present is looked at: the totals would tell at once."""
    plan, at = Plan((5, 2, 1), (2, 4, 6)), (3,)
    backward = replace(plan, samples=plan.samples[::-1])
    laws = [exact(each, at, presence) for each in (plan, backward)]
    return Control(*laws, faults.Backward, drawn(plan, at, present=True))


CONTROLS = {
    "coin-flip-2": _control(Plan((3, 1), (2, 2), fresh=(0, 1)), (2,), coin_flip, faults.CoinFlipShare),
    "coin-flip-4": _control(Plan((3, 1), (4, 4), fresh=(0, 2)), (1, 2), coin_flip, faults.CoinFlipShare),
    "with-replacement": _control(
        Plan((5, 2, 1), (4, 4), draw=(3, 3)), (1, 2), with_replacement, faults.WithReplacement
    ),
    "one-early": _control(Plan((5, 2, 1), (4, 4, 4)), (1, 3), one_early, faults.OneEarly),
    "one-late": _control(Plan((5, 2, 1), (4, 4, 4)), (1, 3), one_late, faults.OneLate),
    "tie-redrawn": _control(Plan((5, 1, 1), (3, 3)), (1, 2), tie_redrawn, TieRedrawn),
    "backward": _backward(),
}

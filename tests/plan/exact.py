# SPDX-License-Identifier: MIT
"""Exact answers to small plans, by the oracles alone: every level is tried, none is skipped."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

import tailbiter as tb
from tests.oracles.dual import absent, absent_fixed
from tests.oracles.marginal import count_laws


@dataclass(frozen=True)
class Question:
    """A plan whose answer is known: the first level at which enough is kept, in items, or None."""

    spec: tb.Spec
    vary: str
    target: tb.Target
    between: tuple[float, float] | None
    answer: int | None


def first(levels: list[int], kept: list[float], threshold: float) -> int | None:
    """The first level that keeps enough; what it keeps must not hang on the last bits of a double."""
    assert min(abs(share - threshold) for share in kept) > 1e-9
    return next((level for level, share in zip(levels, kept, strict=True) if share >= threshold), None)


def question_of_means(rng: np.random.Generator) -> Question:
    """A mean over lineages: human items of a fresh or a fixed set, or samples."""
    weights = np.sort(rng.integers(1, 30, size=int(rng.integers(3, 12))))[::-1].tolist()
    q = np.array(weights) / sum(weights)
    size, last = int(rng.integers(8, 40)), int(rng.integers(2, 25))
    count = float(rng.uniform(0.3, 1.2) * size * q.max())
    if rng.random() < 0.3:
        count = float(size * q[int(rng.integers(len(q)))])  # exactly what a category is expected
    chosen = np.array([Fraction(w, sum(weights)) * size >= Fraction(repr(count)) for w in weights])
    if not chosen.any():
        count, chosen = 0.01, np.ones(len(q), bool)
    keep = round(float(rng.uniform(0.3, 0.97)), 4)
    target = tb.Target(keep=keep, at_least=count, probability=None, generations=last)
    kind = rng.choice(["fresh", "fixed", "samples"])
    if kind == "samples":
        spec = tb.Spec(reference=tb.Counts(weights), samples=size, generations=last)
        levels = list(range(1, 161))
        kept = [1 - absent(q[chosen], [n] * last)[-1].mean() for n in levels]
        return Question(spec, "samples", target, (1, 160), first(levels, kept, keep))
    regime = tb.Anchored(real=0.5, source=str(kind))
    spec = tb.Spec(reference=tb.Counts(weights), regime=regime, samples=size, generations=last)
    levels = list(range(size + 1))
    if kind == "fresh":
        kept = [1 - absent(q[chosen], [size] * last, [m] * last)[-1].mean() for m in levels]
    else:
        kept = [1 - absent_fixed(q[chosen], [size] * last, m)[-1].mean() for m in levels]
    return Question(spec, "regime.real", target, None, first(levels, kept, keep))


def question_of_chances(rng: np.random.Generator) -> Question:
    """The same with everything drawn at random."""
    rare, size, last = int(rng.integers(1, 20)), int(rng.integers(10, 30)), int(rng.integers(3, 20))
    probability = round(float(rng.uniform(0.3, 0.95)), 4)
    return both_present(rare, size, last, probability, int(rng.integers(2**31)))


def both_present(rare: int, size: int, last: int, probability: float, seed: int) -> Question:
    """The chance that both of two categories are there, the rare one expected in so many of 40 items."""
    levels = list(range(size + 1))
    chance = []
    for m in levels:
        law = list(count_laws(rare / 40, [size] * last, [m] * last))[-1]
        chance.append(float(1 - law[0] - law[-1]))
    spec = tb.Spec(
        reference=tb.Counts([40 - rare, rare]),
        regime=tb.Anchored(real_count=0),
        samples=size,
        generations=last,
        seed=seed,
    )
    target = tb.Target(keep=1.0, probability=probability)
    return Question(spec, "regime.real_count", target, None, first(levels, chance, probability))

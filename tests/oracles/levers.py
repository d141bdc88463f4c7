# SPDX-License-Identifier: MIT
"""What decoding and curation make of a model, written out: sorting, and every sequence of candidates."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import exp, prod

from tests.oracles.chain import Vector, multinomial, subset

Weights = tuple[Fraction, ...]
Law = Callable[[Weights], Weights]


def model_of(training: Sequence[int | Fraction]) -> Weights:
    """Probabilities of a training vector."""
    total = Fraction(sum(training))
    return tuple(Fraction(entry) / total for entry in training)


def heated(temperature: float) -> Law:
    """Probabilities to the power 1/temperature."""
    return lambda p: model_of([Fraction(float(x) ** (1 / temperature)) if x else Fraction(0) for x in p])


def _ranks(p: Weights) -> list[int]:
    return sorted(range(len(p)), key=lambda i: (-p[i], i))


def top_k(k: int) -> Law:
    """The k most probable; of equal ones, the first."""
    return lambda p: model_of([x if i in _ranks(p)[:k] else 0 for i, x in enumerate(p)])


def top_p(share: Fraction) -> Law:
    """The fewest most probable ones that make the share."""

    def law(p: Weights) -> Weights:
        kept, mass = set(), Fraction(0)
        for i in _ranks(p):
            if mass >= share:
                break
            kept.add(i)
            mass += p[i]
        return model_of([x if i in kept else 0 for i, x in enumerate(p)])

    return law


def min_p(share: Fraction) -> Law:
    """What is not too rare beside the most probable one."""
    return lambda p: model_of([x if x >= share * max(p) else 0 for x in p])


def epsilon(least: Fraction) -> Law:
    """What is not too rare; or the most probable one."""
    return lambda p: top_k(1)(p) if max(p) < least else model_of([x if x >= least else 0 for x in p])


def chain(*laws: Law) -> Law:
    """One after the other."""

    def law(p: Weights) -> Weights:
        for one in laws:
            p = one(p)
        return p

    return law


def taken(k: int, winner: Callable[[tuple[int, ...]], Iterable[tuple[int, Fraction]]]) -> Law:
    """One of k candidates: over every sequence of them, who is taken with which probability."""

    def law(p: Weights) -> Weights:
        out: dict[int, Fraction] = defaultdict(Fraction)
        for candidates in product(range(len(p)), repeat=k):
            for one, chance in winner(candidates):
                out[one] += chance * prod(p[i] for i in candidates)
        return tuple(out[i] for i in range(len(p)))

    return law


def choice(k: int, reward: Sequence[float]) -> Law:
    """Taken in proportion to e^reward."""
    force = [Fraction(exp(r)) for r in reward]

    def winner(candidates: tuple[int, ...]) -> Iterable[tuple[int, Fraction]]:
        total = sum(force[i] for i in candidates)
        return [(i, force[i] / total) for i in candidates]

    return taken(k, winner)


def best_of(k: int, reward: Sequence[float]) -> Law:
    """The first of the highest reward."""
    return taken(k, lambda candidates: [(max(candidates, key=lambda i: reward[i]), Fraction(1))])


def weighed(factor: Sequence[float]) -> Law:
    """Probabilities times a factor."""
    return lambda p: model_of([x * Fraction(f) for x, f in zip(p, factor, strict=True)])


def drawn_by(law: Law) -> Callable[[int, Vector], Iterable[tuple[Vector, Fraction]]]:
    """Batches drawn from a changed model."""
    return lambda n, training: multinomial(n, law(model_of(training)))


def best_share(
    share: Fraction, reward: Sequence[float]
) -> Callable[[int, Vector], Iterable[tuple[Vector, Fraction]]]:
    """Batches of the best among more items, each set of equally good ones equally likely."""

    def leaves_nothing_better(drawn: Vector, kept: Vector) -> bool:
        worst = min((reward[i] for i, count in enumerate(kept) if count), default=float("inf"))
        return all(reward[i] <= worst for i, count in enumerate(drawn) if count > kept[i])

    def batches(n: int, training: Vector) -> Iterable[tuple[Vector, Fraction]]:
        out: dict[Vector, Fraction] = defaultdict(Fraction)
        for drawn, p in multinomial(int(n / share + Fraction(1, 2)), training):
            sets = [(kept, ways) for kept, ways in subset(n, drawn) if leaves_nothing_better(drawn, kept)]
            total = sum(ways for _, ways in sets)
            for kept, ways in sets:
                out[kept] += p * ways / total
        return out.items()

    return batches

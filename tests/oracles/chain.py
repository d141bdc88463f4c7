# SPDX-License-Identifier: MIT
"""The law of a tiny chain by enumerating everything that can happen.

A *vector* is a tuple of K training weights. `path_law` gives the joint law of the training vectors at chosen
generations, for every regime that `Plan` can say: the reference all the rest is checked against.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, gcd, prod

from tests.oracles.plan import Plan

Vector = tuple[int, ...]
Number = float | Fraction
State = tuple[Vector, tuple[Vector, ...], Vector]  # kept set; remembered batches, or the pool; training set


def compositions(total: int, parts: int) -> Iterator[Vector]:
    """Every way to write `total` as an ordered sum of `parts` non-negative integers."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)


@lru_cache(maxsize=200_000)
def multinomial(n: int, weights: tuple[int | Fraction, ...]) -> tuple[tuple[Vector, Fraction], ...]:
    """Outcomes and exact probabilities of `n` independent draws with rational weights."""
    total = sum(weights)
    outcomes = []
    for counts in compositions(n, len(weights)):
        if all(weight or not count for weight, count in zip(weights, counts, strict=True)):
            outcomes.append((counts, Fraction(_ways(counts) * _powers(weights, counts), total**n)))
    return tuple(outcomes)


def _ways(counts: Vector) -> int:
    remaining, ways = sum(counts), 1
    for count in counts:
        ways *= comb(remaining, count)
        remaining -= count
    return ways


def _powers(weights: tuple[int | Fraction, ...], counts: Vector) -> int | Fraction:
    return prod(weight**count for weight, count in zip(weights, counts, strict=True))


@lru_cache(maxsize=200_000)
def subset(n: int, pool: Vector) -> tuple[tuple[Vector, Fraction], ...]:
    """Outcomes and exact probabilities of `n` draws without replacement from the items counted in `pool`."""
    if n == sum(pool):
        return ((pool, Fraction(1)),)
    ways = comb(sum(pool), n)
    outcomes = []
    for counts in product(*(range(min(n, have) + 1) for have in pool)):
        if sum(counts) == n:
            chosen = prod(comb(have, take) for have, take in zip(pool, counts, strict=True))
            outcomes.append((counts, Fraction(chosen, ways)))
    return tuple(outcomes)


def add(*vectors: Vector) -> Vector:
    """Sum of vectors."""
    return tuple(map(sum, zip(*vectors, strict=True)))


def scale(factor: int, vector: Vector) -> Vector:
    """A vector times a number."""
    return tuple(factor * entry for entry in vector)


def reduced(vector: Vector) -> Vector:
    """The vector over the greatest common divisor of its entries: one name for one fitted model."""
    divisor = gcd(*vector)
    return tuple(entry // divisor for entry in vector)


def first_states(plan: Plan) -> Iterator[tuple[State, Fraction]]:
    """States of generation 1. The kept set and the batch are prefixes of one stream of human items."""
    both, first = plan.overlap, plan.samples[0]
    for shared, p in multinomial(both, plan.weights):
        for rest, p_rest in multinomial(first - both, plan.weights):
            for extra, p_extra in multinomial(plan.kept - both, plan.weights):
                batch = add(shared, rest)
                for training, p_draw in _trainings(plan, 1, (batch,), batch):
                    yield (add(shared, extra), (batch,), training), p * p_rest * p_extra * p_draw


def next_states(plan: Plan, t: int, state: State) -> Iterator[tuple[State, Fraction]]:
    """States of generation t that can follow `state` at t-1, with their probabilities."""
    kept, batches, training = state
    n_synthetic, n_fresh, n_kept = plan.parts(t)
    by_synthetic, by_fresh, by_kept = plan.item_weight(t)
    old = subset(n_kept, kept) if n_kept else ((scale(0, kept), Fraction(1)),)
    for synthetic, p in (plan.synthetic or multinomial)(n_synthetic, training):
        for fresh, p_fresh in multinomial(n_fresh, plan.weights):
            for again, p_again in old:
                batch = add(scale(by_synthetic, synthetic), scale(by_fresh, fresh), scale(by_kept, again))
                remembered = _remember(plan, batches, batch)
                for after, p_draw in _trainings(plan, t, remembered, batch):
                    yield (kept, remembered, after), p * p_fresh * p_again * p_draw


def _remember(plan: Plan, batches: tuple[Vector, ...], batch: Vector) -> tuple[Vector, ...]:
    if plan.draw or plan.ages is None:
        return (add(batches[0], batch),)
    return (batch, *batches)[: len(plan.ages)]


def _trainings(
    plan: Plan, t: int, batches: tuple[Vector, ...], batch: Vector
) -> Iterable[tuple[Vector, Fraction]]:
    if plan.draw:
        return subset(plan.draw[t - 1], batches[0])
    if plan.ages is None:
        return ((batches[0], Fraction(1)),)
    weighted = (scale(weight, old) for weight, old in zip(plan.ages, batches, strict=False))
    return ((add(*weighted), Fraction(1)),)


def path_law(
    plan: Plan,
    generations: Sequence[int],
    *,
    number: Callable[[Fraction], Number] = float,
    view: Callable[[Vector], Vector] = reduced,
) -> dict[tuple[Vector, ...], Number]:
    """Joint law of the training vectors at `generations` (ascending, from 1), each seen through `view`."""
    now: dict[tuple[tuple[Vector, ...], State], Number] = defaultdict(lambda: number(Fraction(0)))
    for state, p in first_states(plan):
        now[_extend((), state, 1 in generations, view), state] += number(p)
    for t in range(2, generations[-1] + 1):
        after: dict[tuple[tuple[Vector, ...], State], Number] = defaultdict(lambda: number(Fraction(0)))
        cache: dict[State, list[tuple[State, Number]]] = {}
        for (path, state), p in now.items():
            if state not in cache:
                cache[state] = _merged(plan, t, state, number)
            for later, q in cache[state]:
                after[_extend(path, later, t in generations, view), later] += p * q
        now = after
    law: dict[tuple[Vector, ...], Number] = defaultdict(lambda: number(Fraction(0)))
    for (path, _), p in now.items():
        law[path] += p
    return dict(law)


def _merged(
    plan: Plan, t: int, state: State, number: Callable[[Fraction], Number]
) -> list[tuple[State, Number]]:
    chances: dict[State, Fraction] = defaultdict(Fraction)
    for later, p in next_states(plan, t, state):
        chances[later] += p
    return [(later, number(p)) for later, p in chances.items()]


def _extend(
    path: tuple[Vector, ...], state: State, wanted: bool, view: Callable[[Vector], Vector]
) -> tuple[Vector, ...]:
    return (*path, view(state[2])) if wanted else path


def presence(vector: Vector) -> Vector:
    """1 where a category is present."""
    return tuple(int(entry > 0) for entry in vector)

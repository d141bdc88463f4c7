# SPDX-License-Identifier: MIT
"""How far the Gini-Simpson index and the Brier distance of one lineage stray from their means.

Both are quadratic in the model p_t, so their variances take fourth moments. These are chances about four
items drawn with replacement from p_t: ``E S_t^2`` is the chance that items 1 and 2 share a category and items
3 and 4 share one. Followed backward, the four merge into fewer ancestors until all are human; human ancestors
are independent draws from the reference q, so that the chance is a polynomial in the power sums of q.

A *state* is a partition of the four items by ancestor, each ancestor with a mark: ``draw`` (a draw from the
current model), ``item`` (of the current pool), ``kept`` (of the kept human set) or ``human`` (settled).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import PredictionError
from ._result import Floats, Predicted

if TYPE_CHECKING:
    from .._compose import Composition

__all__ = ["spread"]

Ancestor = tuple[str, tuple[int, ...]]
State = tuple[Ancestor, ...]
Chance = Any  # a number, or one for each of many generations
Outcomes = Iterator[tuple[State, Chance]]

LONGEST = 200_000
CHUNK = 2048
# Rounding, as a share of the square of the mean, and how it grows with the generations. A variance of less
# than a million times as much is not told.
ROUNDING, GROWTH = 1e-16, 0.1

# What is followed: S^2, S X, X^2 and S, with S = sum p^2 and X = sum p q. Items of q are human at once.
SQUARE: State = (("draw", (1,)), ("draw", (2,)), ("draw", (3,)), ("draw", (4,)))
PRODUCT: State = (("draw", (1,)), ("draw", (2,)), ("draw", (3,)), ("human", (4,)))
CROSSED: State = (("draw", (1,)), ("draw", (3,)), ("human", (2,)), ("human", (4,)))
SINGLE: State = (("draw", (1,)), ("draw", (2,)), ("human", (3, 4)))
STARTS = (SQUARE, PRODUCT, CROSSED, SINGLE)


def spread(
    composition: Composition, sums: tuple[float, float], at: npt.ArrayLike
) -> tuple[Predicted, Predicted]:
    """Standard deviations of the Gini-Simpson index and of the Brier distance over replicates.

    Statement: with ``S = sum p_t^2`` and ``X = sum p_t q``, the index is ``1 - S`` and the distance
    ``S - 2 X + sum q^2``; ``E S^2``, ``E S X``, ``E X^2`` are chances that two pairs of items agree, found by
    following the ancestors of the four. Kind: exact. Validity: regimes that train on the newest batch, with
    human sources and weights of any kind, on all batches so far, or on a draw from these. Differences of
    nearly equal numbers cost digits; NaN stands where fewer than about five would be left (sizes beyond about
    1e6, or very long runs; `moments.gini_simpson_sd` has them all under Replace).

    Parameters
    ----------
    composition : Composition
        What goes into every generation's training set.
    sums : (float, float)
        ``sum q^2`` and ``sum q^3``.
    at : array_like of int
        Generations, ascending, from 0.

    Returns
    -------
    gini_simpson, brier : Predicted
        Standard deviations of one lineage, float64[len(at)], pure numbers.

    Raises
    ------
    PredictionError
        For a regime that trains on batches of several ages but not on all alike, or beyond 200,000
        generations.

    References
    ----------
    The chances are those of the neutral coalescent of four lineages (Kingman 1982,
    doi:10.1016/0304-4149(82)90011-4), in discrete time and with several sources.

    Examples
    --------
    Two items, two equal categories: the index is 0 or 1/2, each with chance 1/2.

    >>> import tailbiter as tb
    >>> made = tb.Spec(reference=tb.Uniform(2), samples=2, generations=1).composition
    >>> gini, brier = spread(made, (1 / 2, 1 / 4), [1])
    >>> gini.values.tolist()
    [0.25]
    """
    wanted = np.asarray(at, dtype=np.int64)
    last = int(wanted.max(initial=0))
    if last > LONGEST:
        remedy = "predict fewer, or do without the spread"
        raise PredictionError("generations", last, f"are more than {LONGEST:,}", remedy)
    square, product, crossed, single = _follow(composition, sums, last)[:, wanted]
    s2 = sums[0]
    of_index = square - single**2
    of_distance = of_index - 4.0 * (product - single * s2) + 4.0 * (crossed - s2**2)
    fixed = (wanted == 0) | (s2 >= 1.0)
    statement = "by the ancestors of four items"
    return (
        Predicted(_root(of_index, square, fixed, wanted), "exact", statement),
        Predicted(_root(of_distance, square, fixed, wanted), "exact", statement),
    )


def _root(variance: Floats, scale: Floats, fixed: npt.NDArray[np.bool_], t: npt.NDArray[np.int64]) -> Floats:
    """Square roots: 0 where nothing can vary, NaN where rounding hides how much does."""
    drowned = (variance < 1e6 * ROUNDING * (1.0 + GROWTH * t) * scale) & ~fixed
    return np.where(drowned, np.nan, np.sqrt(np.where(fixed, 0.0, np.maximum(variance, 0.0))))


def _follow(composition: Composition, sums: tuple[float, float], last: int) -> Floats:
    """Chance of agreement from each of `STARTS`, generations 0 to ``last``; float64[4, last + 1]."""
    walk = _Pool(composition) if _is_pool(composition, last) else _Newest(composition)
    states = walk.states()
    name = {state: index for index, state in enumerate(states)}
    follow, chances = np.zeros((len(states), last + 1)), np.zeros((len(STARTS), last + 1))
    chances[:, 0] = [_agreement(start, sums) for start in STARTS]
    if last == 0:
        return chances
    follow[:, 1] = [_expected(walk.first(state), sums) for state in states]
    for low in range(2, last + 1, CHUNK):
        t = np.arange(low, min(low + CHUNK, last + 1))
        steps = np.zeros((len(t), len(states), len(states)))
        for state, index in name.items():
            for after, chance in _reduced(walk.step(state, t)).items():
                steps[:, index, name[after]] = chance
        for index, now in enumerate(t):
            follow[:, now] = steps[index] @ follow[:, now - 1]
    t = np.arange(1, last + 1)
    for index, start in enumerate(STARTS):
        for state, chance in _reduced(walk.draw(start, t)).items():
            chances[index, 1:] += chance * follow[name[state], 1:]
    return chances


def _expected(outcomes: Outcomes, sums: tuple[float, float]) -> float:
    return float(sum(chance * _agreement(state, sums) for state, chance in outcomes))


def _reduced(outcomes: Outcomes) -> dict[State, Chance]:
    """Chances by state, up to the symmetries of what is asked."""
    out: dict[State, Chance] = defaultdict(float)
    for state, chance in outcomes:
        out[_canonical(state)] = out[_canonical(state)] + chance
    return dict(out)


def _symmetries() -> list[dict[int, int]]:
    """Renamings of the four items that leave "1 like 2, and 3 like 4" as it is."""
    out = []
    for a, b, c, d in ((1, 2, 3, 4), (3, 4, 1, 2)):
        for left in ((a, b), (b, a)):
            for right in ((c, d), (d, c)):
                out.append(dict(zip((1, 2, 3, 4), (*left, *right), strict=True)))
    return out


SYMMETRIES = _symmetries()


@lru_cache(maxsize=4096)
def _canonical(state: State) -> State:
    """One name for states that differ by a symmetry only."""
    return min(
        tuple(sorted((mark, tuple(sorted(new[item] for item in items))) for mark, items in state))
        for new in SYMMETRIES
    )


def _agreement(state: State, sums: tuple[float, float]) -> float:
    """Chance that 1 is like 2 and 3 like 4 when every ancestor is an independent draw from the reference."""
    home = {item: index for index, (_, items) in enumerate(state) for item in items}
    pairs = [frozenset((home[1], home[2])), frozenset((home[3], home[4]))]
    if len(pairs[0]) == len(pairs[1]) == 2 and len(pairs[0] & pairs[1]) == 1:
        return sums[1]  # three ancestors must all be alike
    return float(np.prod([sums[0] for pair in set(pairs) if len(pair) == 2]))


def _merge(state: State, index: int, ancestor: Ancestor) -> State:
    """Ancestor ``index`` turns out to be the same as another one."""
    mark, items = state[index]
    together = (mark, tuple(sorted((*items, *ancestor[1]))))
    return (*state[:index], together, *state[index + 1 :])


class _Newest:
    """Training sets that are the newest batch: synthetic, fresh and kept items, weighted or not.

    The draws of a state are made one after the other: each takes a source by its weight, then an item of it,
    which may be one that an earlier draw took.
    """

    def __init__(self, made: Composition) -> None:
        fresh, from_kept = made.fresh.astype(np.float64), made.from_kept.astype(np.float64)
        counts = np.stack([made.samples.astype(np.float64) - fresh - from_kept, fresh, from_kept])
        weights = counts if made.item_weights is None else counts * made.item_weights.T.astype(np.float64)
        total = weights.sum(axis=0)
        self._share = weights / np.where(total > 0, total, 1.0)
        self._counts = np.maximum(counts, 1.0)
        self._kept = float(made.kept)
        self._first = float(made.samples[0])

    def draw(self, start: State, _: npt.NDArray[np.int64]) -> Outcomes:
        """What is asked is asked of draws."""
        yield start, 1.0

    def states(self) -> list[State]:
        """Every state that can be met."""
        return _closure(STARTS, lambda state: self.step(state, np.array([2])))

    def step(self, state: State, t: npt.NDArray[np.int64]) -> Outcomes:
        """Ancestors in generation t's training set, as draws from model t - 1 and settled ones."""
        draws = [block for block in state if block[0] == "draw"]
        rest = tuple(block for block in state if block[0] != "draw")
        yield from self._take(draws, rest, (), t - 1, 1.0)

    def _take(
        self, draws: list[Ancestor], rest: State, taken: State, row: npt.NDArray[np.int64], chance: Chance
    ) -> Outcomes:
        """Let the draws take items; ``taken`` are this generation's, marked by their source."""
        if not draws:
            marks = {"synthetic": "draw", "fresh": "human", "stored": "kept"}
            yield (*rest, *((marks[mark], items) for mark, items in taken)), chance
            return
        first, *others = draws
        for source, mark in enumerate(("synthetic", "fresh", "stored")):
            size, share = self._counts[source, row], chance * self._share[source, row]
            mine = [index for index, block in enumerate(taken) if block[0] == mark]
            for index in mine:
                yield from self._take(others, rest, _merge(taken, index, first), row, share / size)
            new = share * np.maximum(1.0 - len(mine) / size, 0.0)
            if mark == "stored":
                yield from self._from_store(first, others, rest, taken, row, new, len(mine))
            else:
                yield from self._take(others, rest, (*taken, (mark, first[1])), row, new)

    def _from_store(
        self,
        first: Ancestor,
        others: list[Ancestor],
        rest: State,
        taken: State,
        row: npt.NDArray[np.int64],
        chance: Chance,
        known: int,
    ) -> Outcomes:
        """A kept item that this generation has not taken yet; it may be one that a later generation took."""
        left = max(self._kept - known, 1.0)
        old = [index for index, block in enumerate(rest) if block[0] == "kept"]
        for index in old:
            again = (*rest[:index], *rest[index + 1 :])
            found = ("stored", tuple(sorted((*rest[index][1], *first[1]))))
            yield from self._take(others, again, (*taken, found), row, chance / left)
        new = chance * max(1.0 - len(old) / left, 0.0)
        yield from self._take(others, rest, (*taken, ("stored", first[1])), row, new)

    def first(self, state: State) -> Outcomes:
        """Ancestors in generation 1's batch, some of whose items may be kept ones."""
        draws = [block for block in state if block[0] == "draw"]
        rest = tuple(block for block in state if block[0] != "draw")
        yield from self._take_first(draws, rest, (), 1.0)

    def _take_first(self, draws: list[Ancestor], rest: State, taken: State, chance: float) -> Outcomes:
        if not draws:
            yield (*rest, *taken), chance
            return
        first, *others = draws
        for index in range(len(taken)):
            yield from self._take_first(others, rest, _merge(taken, index, first), chance / self._first)
        new = chance * max(1.0 - len(taken) / self._first, 0.0)
        # By symmetry the item is any of the batch and of the kept set, whichever is larger.
        left = max(self._first, self._kept) - len(taken)
        old = [index for index, block in enumerate(rest) if block[0] == "kept"]
        for index in old if new else ():
            again = (*rest[:index], *rest[index + 1 :])
            found = ("human", tuple(sorted((*rest[index][1], *first[1]))))
            yield from self._take_first(others, again, (*taken, found), new / left)
        if new:
            yield from self._take_first(
                others, rest, (*taken, ("human", first[1])), new * (1.0 - len(old) / left)
            )


class _Pool:
    """Training sets that are all batches so far, or a draw without replacement from these.

    Items of a training set are a random subset of the pool, so what matters of a pool's ancestors is which of
    the four items have the same one.
    """

    def __init__(self, made: Composition) -> None:
        self._batch = made.samples.astype(np.float64)
        self._fresh = made.fresh.astype(np.float64)
        self._pool = np.cumsum(self._batch)
        trained = self._pool if made.draw is None else made.draw.astype(np.float64)
        self._trained = np.maximum(trained, 1.0)  # nothing is drawn after a list of sizes has ended

    def states(self) -> list[State]:
        """Every state of the pool that can be met."""
        two = np.array([2])
        begin = {state for start in STARTS for state in _reduced(self.draw(start, two))}
        return _closure(begin, lambda state: self.step(state, two))

    def draw(self, start: State, t: npt.NDArray[np.int64]) -> Outcomes:
        """Draws from model t, as items of pool t."""
        draws = [block for block in start if block[0] == "draw"]
        rest = tuple(block for block in start if block[0] != "draw")
        yield from self._parents(draws, rest, (), t - 1, 1.0)

    def step(self, state: State, t: npt.NDArray[np.int64]) -> Outcomes:
        """Items of pool t, as items of pool t - 1 and settled ones."""
        items = [block for block in state if block[0] == "item"]
        rest = tuple(block for block in state if block[0] != "item")
        for after, chance in self._places(items, rest, (0, 0, 0), t - 1, 1.0):
            draws = [block for block in after if block[0] == "draw"]
            others = tuple(block for block in after if block[0] != "draw")
            yield from self._parents(draws, others, (), t - 2, chance)

    def _places(
        self,
        items: list[Ancestor],
        placed: State,
        taken: tuple[int, ...],
        row: npt.NDArray[np.int64],
        chance: Chance,
    ) -> Outcomes:
        """Say of each item whether it is of the newest batch, synthetic or fresh, or older."""
        if not items:
            yield placed, chance
            return
        first, *others = items
        fresh = self._fresh[row]
        classes = (self._batch[row] - fresh, fresh, self._pool[row] - self._batch[row])
        left = np.maximum(self._pool[row] - sum(taken), 1.0)
        for index, mark in enumerate(("draw", "human", "item")):
            share = np.maximum(classes[index] - taken[index], 0.0) / left
            used = (*taken[:index], taken[index] + 1, *taken[index + 1 :])
            yield from self._places(others, (*placed, (mark, first[1])), used, row, chance * share)

    def _parents(
        self, draws: list[Ancestor], rest: State, taken: State, row: npt.NDArray[np.int64], chance: Chance
    ) -> Outcomes:
        """Let draws take items of a training set; an item may be one that the state holds already."""
        if not draws:
            yield (*rest, *taken), chance
            return
        first, *others = draws
        size = self._trained[row]
        for index in range(len(taken)):
            yield from self._parents(others, rest, _merge(taken, index, first), row, chance / size)
        new = chance * np.maximum(1.0 - len(taken) / size, 0.0)
        left = np.maximum(self._pool[row] - len(taken), 1.0)
        old = [index for index, block in enumerate(rest) if block[0] == "item"]
        for index in old:
            again = (*rest[:index], *rest[index + 1 :])
            found = ("item", tuple(sorted((*rest[index][1], *first[1]))))
            yield from self._parents(others, again, (*taken, found), row, new / left)
        unseen = np.maximum(1.0 - len(old) / left, 0.0)
        yield from self._parents(others, rest, (*taken, ("item", first[1])), row, new * unseen)

    def first(self, state: State) -> Outcomes:
        """Pool 1 is human."""
        yield state, 1.0


def _is_pool(made: Composition, last: int) -> bool:
    """Whether training sets come from all batches alike; refuse what is neither that nor the newest batch."""
    if len(made.ages) == 1:
        return False
    if len(made.ages) == 0 or (len(made.ages) >= last and bool(np.all(made.ages == made.ages[0]))):
        return True
    remedy = "give ages of one batch or of all, or do without the spread"
    raise PredictionError(
        "regime.ages", made.ages.tolist(), "parts the ancestors among several batches", remedy
    )


def _closure(begin: Iterable[State], step: Callable[[State], Outcomes]) -> list[State]:
    """All states that can be reached, up to symmetry."""
    found, new = set(), {_canonical(state) for state in begin}
    while new:
        found |= new
        new = {after for state in new for after in _reduced(step(state))} - found
    return sorted(found)

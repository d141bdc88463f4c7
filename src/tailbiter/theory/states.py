# SPDX-License-Identifier: MIT
"""The law of whole training sets, by following every one that there can be: exact, for few of them.

A training set of N items from C categories is one of ``C(N+C-1, C-1)``. Given one, what the next is drawn
from is a map of probabilities (`tailbiter.theory.shaping`), whatever estimator, decoding, curation or
detector bends it: so the law of the next follows, and with it the mean and the spread of everything that
is measured. That is the chain of Wright and Fisher with any mutation and any selection; with two
categories it has N + 1 states.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import PredictionError, SpecError
from ._result import Floats

__all__ = [
    "MOST",
    "Best",
    "Step",
    "Walk",
    "best",
    "compositions",
    "count",
    "first",
    "fixation",
    "multinomial",
    "refuse_many",
]

Whole = npt.NDArray[np.int64]
MOST = 3000
"""Training sets that are followed, at most."""
_NEVER = -1e5  # the logarithm of a probability of 0, and finite
_SIMULATE = "simulate it, or give fewer samples or categories"


def count(items: int, categories: int) -> int:
    """Return how many different training sets there are.

    Examples
    --------
    >>> count(10, 2), count(20, 3)
    (11, 231)
    """
    return math.comb(items + categories - 1, categories - 1)


def refuse_many(items: int, categories: int) -> None:
    """Refuse more training sets than are followed.

    Raises
    ------
    PredictionError
        For more than `MOST` of them.
    """
    large = items > MOST or categories > MOST  # and their number larger than is worth counting
    sets = 0 if large else count(items, categories)
    if large or sets > MOST or (items + 1) ** (categories - 1) >= 2**62:
        many = f"{sets:,}" if 0 < sets < 10**12 else "too many"
        problem = f"of {categories:,} categories make {many} different training sets, above {MOST:,}"
        raise PredictionError("samples", items, problem, _SIMULATE)


def compositions(items: int, categories: int) -> Floats:
    """List every training set of so many items.

    Parameters
    ----------
    items, categories : int
        Its items, and the categories that they may have.

    Returns
    -------
    float64[count(items, categories), categories]
        Counts, a row each, in the order of their first category, then of the second, and so on.

    Raises
    ------
    PredictionError
        For more than `MOST` of them.

    Examples
    --------
    >>> compositions(2, 2).tolist()
    [[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]]
    """
    refuse_many(items, categories)
    rows = np.zeros((1, 0), dtype=np.int64)
    for _ in range(categories - 1):
        left = items - rows.sum(axis=1)
        here = np.concatenate([np.arange(most + 1) for most in left.tolist()])
        rows = np.concatenate([np.repeat(rows, left + 1, axis=0), here[:, None]], axis=1)
    return np.concatenate([rows, items - rows.sum(axis=1, keepdims=True)], axis=1).astype(np.float64)


def _codes(sets: Floats, items: int) -> Whole:
    """A number for each training set, ascending in the order of `compositions`."""
    powers = (items + 1) ** np.arange(sets.shape[-1] - 2, -1, -1, dtype=np.int64)
    return np.asarray(sets[..., :-1].astype(np.int64) @ powers, dtype=np.int64)


def _sums(left: Floats, right: Floats) -> tuple[Floats, Whole]:
    """Training sets that two sets make together, and which of them each pair makes."""
    items = int(left[0].sum() + right[0].sum())
    sets = compositions(items, left.shape[1])
    pairs = _codes(left, items)[:, None] + _codes(right, items)[None, :]
    return sets, np.searchsorted(_codes(sets, items), pairs)


def _log_factorials(most: float) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, int(most) + 1)))])


def multinomial(sets: Floats, laws: Floats) -> Floats:
    """Probability of each batch under each law.

    Parameters
    ----------
    sets : float64[S, C]
        Batches, all of one size.
    laws : float64[rows, C]
        Weights of an item's categories.

    Returns
    -------
    float64[rows, S]
        Rows add up to 1 if `sets` are all that there can be.

    Raises
    ------
    PredictionError
        If a law has no weight: nothing is accepted of what a model puts out.

    Examples
    --------
    >>> multinomial(compositions(2, 2), np.array([[1.0, 1.0]])).round(12).tolist()
    [[0.25, 0.5, 0.25]]
    """
    totals = laws.sum(axis=1, keepdims=True)
    if not (totals > 0).all():
        problem = "accept nothing of what some model puts out, and end the run there"
        raise PredictionError("curation", int(np.sum(totals <= 0)), problem, "simulate it")
    logs = np.where(laws > 0, np.log(np.where(laws > 0, laws / totals, 1.0)), _NEVER)
    factorials = _log_factorials(sets[0].sum())
    ways = factorials[-1] - factorials[sets.astype(np.int64)].sum(axis=1)
    return np.asarray(np.exp(logs @ sets.T + ways))


@dataclass(frozen=True, eq=False)
class Best:
    """Of more items those with the highest rewards are kept.

    Attributes
    ----------
    drawn : int
        Items that they are kept of.
    rewards : float64[C]
        Of each category.
    """

    drawn: int
    rewards: Floats


def best(drawn: Floats, kept: Floats, rewards: Floats) -> Floats:
    """Probability of each batch of the best, given what was drawn.

    Parameters
    ----------
    drawn, kept : float64[D, C], float64[S, C]
        All batches of the one size and of the other.
    rewards : float64[C]
        Of each category. Of the reward at which the batch ends each set of items is equally likely.

    Returns
    -------
    float64[D, S]

    Examples
    --------
    >>> best(np.array([[2.0, 2.0]]), compositions(3, 2), np.array([1.0, 0.0])).tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    """
    factorials, size = _log_factorials(drawn[0].sum()), kept[0].sum()
    levels = np.unique(rewards)[::-1]
    out = np.zeros((len(drawn), len(kept)))
    for row, counts in zip(out, drawn, strict=True):
        upto = np.cumsum([counts[rewards == level].sum() for level in levels])
        level = levels[np.argmax(upto >= size)]
        last, better = rewards == level, rewards > level
        possible = (kept <= counts).all(axis=1) & (kept[:, better] == counts[better]).all(axis=1)
        possible &= (kept[:, ~last & ~better] == 0).all(axis=1)
        some, have = kept[possible][:, last].astype(np.int64), counts[last].astype(np.int64)
        ways = factorials[have] - factorials[some] - factorials[have - some]
        total, keep = int(have.sum()), int(size - counts[better].sum())
        all_ways = factorials[total] - factorials[keep] - factorials[total - keep]
        row[possible] = np.exp(ways.sum(axis=1) - all_ways)
    return out


@dataclass(frozen=True, eq=False)
class Step:
    """How one training set follows from the one before.

    Attributes
    ----------
    synthetic, human : int
        Items of the batch that models put out, and human ones beside them.
    law : callable
        From training sets, float64[S, C], to the weights that an item is drawn by, likewise.
    best : Best or None
        What of the items drawn is kept.
    pooled : bool
        Whether the batch joins what was there before.
    """

    synthetic: int
    human: int
    law: Callable[[Floats], Floats]
    best: Best | None = None
    pooled: bool = False

    def batches(self, sets: Floats) -> tuple[Floats, Floats]:
        """Return all synthetic parts of a batch, and their probabilities after each training set."""
        to, laws = compositions(self.synthetic, sets.shape[1]), self.law(sets)
        if self.best is None:
            chances = multinomial(to, laws)
        else:
            drawn = compositions(self.best.drawn, sets.shape[1])
            chances = multinomial(drawn, laws) @ best(drawn, to, self.best.rewards)
        return to, chances / chances.sum(axis=1, keepdims=True)


def first(items: int, law: Floats, *, copies: int = 1) -> tuple[Floats, Floats]:
    """Return generation 1's training sets, and their probabilities.

    Parameters
    ----------
    items : int
        Of it.
    law : float64[C]
        Weights of an item's categories.
    copies : int, default 1
        Of every item; what is left over is filled with single ones.

    Returns
    -------
    sets, law : float64[S, C], float64[S]

    Examples
    --------
    >>> sets, law = first(3, np.array([1.0, 1.0]), copies=3)
    >>> law.round(12).tolist()
    [0.5, 0.0, 0.0, 0.5]
    """
    singles = compositions(items % copies, len(law))
    several = compositions(items // copies, len(law))
    sets, where = _sums(several * copies, singles)
    chances = multinomial(several, law[None])[0][:, None] * multinomial(singles, law[None])[0]
    found = np.bincount(where.ravel(), chances.ravel(), len(sets))
    return sets, found / found.sum()


class Walk:
    """The law of the training set, from one generation to the next.

    Parameters
    ----------
    sets : float64[S, C]
        Training sets of the generation to start from.
    laws : float64[rows, S]
        Probability of each; one row or several, stepped alike.
    human : float64[C]
        Weights of the categories of a human item.

    Examples
    --------
    >>> sets, law = first(2, np.array([1.0, 1.0]))
    >>> walk = Walk(sets, law[None], np.array([1.0, 1.0]))
    >>> walk.step(Step(2, 0, lambda counts: counts))
    >>> walk.laws.round(12).tolist()  # both of one kind: 1/4, and half as much of the other half
    [[0.375, 0.25, 0.375]]
    """

    def __init__(self, sets: Floats, laws: Floats, human: Floats) -> None:
        self.sets, self.laws, self.human = sets, laws, human
        self._made: tuple[Step, Floats, Floats, Floats] | None = None

    def step(self, step: Step) -> None:
        """Go on to the next generation.

        Raises
        ------
        PredictionError
            For more training sets than are followed.
        """
        batches, chances = self._batches(step)
        if not step.pooled:
            self.sets, self.laws = batches, self.laws @ chances
            return
        sets, where = _sums(self.sets, batches)
        rows = [np.bincount(where.ravel(), (law[:, None] * chances).ravel(), len(sets)) for law in self.laws]
        self.sets, self.laws = sets, np.array(rows)

    def _batches(self, step: Step) -> tuple[Floats, Floats]:
        """Whole batches; made once as long as neither step nor training sets change."""
        if self._made is not None and self._made[0] is step and self._made[1] is self.sets:
            return self._made[2], self._made[3]
        batches, chances = step.batches(self.sets)
        if step.human:
            humans = compositions(step.human, len(self.human))
            by = multinomial(humans, self.human[None])[0]
            both, where = _sums(batches, humans)
            join = np.zeros((len(batches), len(both)))
            join[np.arange(len(batches))[:, None], where] = by
            batches, chances = both, chances @ join
        if len(batches) == len(self.sets) and not step.pooled:
            batches = self.sets if np.array_equal(batches, self.sets) else batches
        self._made = step, self.sets, batches, chances
        return batches, chances


def fixation(step: Step) -> Floats:
    """Probability that the first of two categories is the one left in the end, from each training set.

    Parameters
    ----------
    step : Step
        From one generation to the next: no human items, nothing pooled, and what is gone stays so.

    Returns
    -------
    float64[N + 1]
        From 0 to N items of the first category.

    Raises
    ------
    SpecError
        For a step after which neither end is final.

    Examples
    --------
    >>> fixation(Step(4, 0, lambda counts: counts)).round(12).tolist()  # without selection: its share
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    _, chances = step.batches(compositions(step.synthetic, 2))
    if step.human or step.pooled or chances[0, 0] < 1.0 or chances[-1, -1] < 1.0:
        raise SpecError("step", step.human, "does not end in one category", "give a step that loses for good")
    inner = chances[1:-1]
    system = np.eye(len(inner)) - inner[:, 1:-1]
    return np.concatenate([[0.0], np.linalg.solve(system, inner[:, -1]), [1.0]])

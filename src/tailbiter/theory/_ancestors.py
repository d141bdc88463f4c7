# SPDX-License-Identifier: MIT
"""The number of human ancestors, generation by generation, backward.

The items of a training set are balls thrown into the boxes of the one before. Small numbers of ancestors are
followed by their law; large ones by three power sums (`_bernoulli`), until few are left and a law takes over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._bernoulli import Sums, certain, log_absence, take, throw
from ._occupancy import stand_in, table, throw_many, throw_stream
from ._result import Floats

__all__ = ["FULL", "TOP", "Ancestors", "follow", "log_rest"]

FULL = 4096  # most items whose law is followed in full
TOP = 640  # most boxes of a law that takes over from power sums
FEW = 128.0  # mean number of ancestors at which it does
_WORK = 6e9  # multiplications spent on full laws at most
_ALL_HIT = 60.0  # balls a box beyond which all boxes are hit, but for exp(-60) each
_ROUNDING = 1e-12
_CELLS = 4_000_000  # numbers held at a time


@dataclass(eq=False)
class Ancestors:
    """The number A of distinct human ancestors, apart from `kept` certain ones, at several generations.

    Attributes
    ----------
    laws : float64 array
        ``[r, a]``: P(A = a); a row is zero where power sums stand for it.
    sums : Sums
        Power sums of A, a number a row.
    small : bool array
        Rows that `laws` describes.
    slack, slope : float64 array
        ``E x^A`` is within ``min(slack, slope (1-x))`` of what the row of `laws` says, for x in [0, 1].
    kept : int
        Human items that are ancestors whatever happens.
    """

    laws: Floats
    sums: Sums
    small: np.ndarray
    slack: Floats
    slope: Floats
    kept: int

    @property
    def exact(self) -> bool:
        """Whether every row is an exact law."""
        return bool(self.small.all() and not self.slack.any())

    def mean(self) -> Floats:
        """Mean of A, with the kept ones."""
        return self.kept + np.where(self.small, self.laws @ np.arange(self.laws.shape[1]), self.sums.first)

    def most(self) -> Floats:
        """Upper bound of the mean of A, with the kept ones."""
        return self.mean() + np.where(self.small, self.slope, self.sums.radius1)

    def presence(self, mass: Floats) -> tuple[Floats, Floats]:
        """Chance that a set of reference mass `mass` is present, and its error: ``[r, i]``."""
        values, errors = np.empty((2, len(self.small), len(mass)))
        width = max(1, _CELLS // max(self.laws.shape))
        for begin in range(0, len(mass), width):
            part = slice(begin, begin + width)
            values[:, part], errors[:, part] = self._presence(mass[part])
        return values, errors

    def _presence(self, mass: Floats) -> tuple[Floats, Floats]:
        values, errors = np.empty((2, len(self.small), len(mass)))
        logs = log_rest(mass)
        if self.small.any():
            a = self.kept + np.arange(self.laws.shape[1])
            values[self.small] = self.laws[self.small] @ -np.expm1(np.outer(a, logs))
            off = np.minimum(self.slack[self.small, None], self.slope[self.small, None] * mass)
            errors[self.small] = off + _ROUNDING * values[self.small]
        if not self.small.all():
            low, high = self._log_absence(mass)
            values[~self.small] = -(np.expm1(-low) + np.expm1(-high)) / 2
            errors[~self.small] = -np.exp(-low) * np.expm1(low - high) / 2 + 1e-14 * values[~self.small]
        return values, errors

    def absence(self, mass: Floats) -> tuple[Floats, Floats]:
        """Chance that a set of reference mass `mass` is absent, and its error: ``[r, i]``."""
        values, errors = self.presence(mass)
        values = 1.0 - values
        a = self.kept + np.arange(self.laws.shape[1])
        width = max(1, _CELLS // max(self.laws.shape))
        for begin in range(0, len(mass), width):
            part = slice(begin, begin + width)
            if self.small.any():
                values[self.small, part] = self.laws[self.small] @ np.exp(np.outer(a, log_rest(mass[part])))
            if not self.small.all():
                low, high = self._log_absence(mass[part])
                values[~self.small, part] = (np.exp(-low) + np.exp(-high)) / 2
        return values, errors

    def _log_absence(self, mass: Floats) -> tuple[Floats, Floats]:
        rows = take(self.sums, (~self.small, None))
        low, high = log_absence(rows, np.minimum(mass, 1.0 - 1e-16)[None, :])
        certainly = -self.kept * log_rest(mass)
        return low + certainly, high + certainly


def log_rest(mass: Floats) -> Floats:
    """``log(1-mass)``, and of nothing a number whose every multiple but the zeroth vanishes under exp."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-mass), -1e300)


class _Chains:
    """Several numbers of ancestors on their way back."""

    def __init__(self, starts: Floats, top: int) -> None:
        self.sums = certain(starts.astype(float))
        self.small = starts <= top
        self.laws = np.zeros((len(starts), top + 1))
        self.laws[self.small, starts[self.small]] = 1.0
        self.slack, self.slope = np.zeros((2, len(starts)))
        self.last: tuple[tuple[int, int, int], Floats] | None = None

    def throw(self, boxes: int, marked: int, rows: int) -> None:
        """Throw the first `rows` chains."""
        large = np.flatnonzero(~self.small[:rows])
        few = np.flatnonzero(self.small[:rows])
        if len(few):
            self.laws[few] = throw_many(self.laws[few], self.table(boxes, marked, few), 1)
        if len(large) and boxes - marked < self.laws.shape[1]:
            for r in large:
                self._crush(int(r), boxes, marked)
        elif len(large):
            after = throw(take(self.sums, large), boxes, boxes - marked)
            for field, new in zip(self.sums, after, strict=True):
                field[large] = new
            for r in large[after.first < FEW]:
                self._settle(int(r))

    def table(self, boxes: int, marked: int, rows: np.ndarray) -> Floats:
        """Table of one throw, large enough for these rows; the last one is kept."""
        high = int(np.flatnonzero(self.laws[rows].any(axis=0))[-1])
        if self.last is not None:
            (had_boxes, had_marked, had_top), had = self.last
            if (had_boxes, had_marked) == (boxes, marked) and had_top >= high:
                return had
        self.last = (boxes, marked, high), table(boxes, marked, high)
        return self.last[1]

    def repeat(self, boxes: int, marked: int, times: int) -> None:
        """Throw the one chain there is `times` times."""
        while times and not self.small[0]:
            self.throw(boxes, marked, 1)
            times -= 1
        if times:
            self.laws = throw_many(self.laws, self.table(boxes, marked, np.array([0])), times)

    def _settle(self, r: int) -> None:
        """Let a law take over where few ancestors are left."""
        law, start, slack, slope = stand_in(take(self.sums, r))
        if start + len(law) <= self.laws.shape[1]:
            self._become(r, law, start, slack, slope)

    def _crush(self, r: int, boxes: int, marked: int) -> None:
        """Throw many balls into few boxes."""
        sums = take(self.sums, r)
        if sums.first > _ALL_HIT * boxes:
            left = boxes * float(np.exp(-log_absence(sums, np.array([min(1.0 / boxes, 0.9)]))[0][0]))
            self._become(r, np.ones(1), boxes - marked, left, left * boxes)
            return
        law, start, slack, slope = stand_in(sums)
        self._become(r, throw_stream(law, start, boxes, marked), 0, slack, slope)

    def _become(self, r: int, law: Floats, start: int, slack: float, slope: float) -> None:
        self.laws[r, start : start + len(law)] = law
        self.small[r], self.slack[r], self.slope[r] = True, slack, slope

    def copy(self, r: int, one: _Chains) -> None:
        """Let row r be as the one chain there is over there."""
        self.laws[r], self.small[r] = one.laws[0], one.small[0]
        self.slack[r], self.slope[r] = one.slack[0], one.slope[0]
        for field, new in zip(self.sums, one.sums, strict=True):
            field[r] = new[0]

    def reorder(self, order: np.ndarray) -> None:
        """Take the rows in this order."""
        self.laws, self.sums, self.small = self.laws[order], take(self.sums, order), self.small[order]
        self.slack, self.slope = self.slack[order], self.slope[order]


def follow(samples: np.ndarray, kept: int, starts: np.ndarray, since: np.ndarray) -> Ancestors:
    """Ancestors of ``starts[r]`` items of generation ``since[r]``, thrown into ``since[r]-1``, ..., 1.

    Of the boxes of each generation `kept` are marked: the same human items in all, not counted in A.
    """
    inner = samples[1 : max(int(since.max()) - 1, 1)]
    order = np.argsort(-since, kind="stable")
    thrown = starts[since > 1]
    if len(np.unique(inner)) <= 1 and len(np.unique(thrown)) <= 1:
        chains = _one_chain(samples, kept, starts[order], since[order])
    else:
        chains = _together(samples, kept, starts[order], since[order])
    back = np.argsort(order)
    chains.reorder(back)
    return Ancestors(chains.laws, chains.sums, chains.small, chains.slack, chains.slope, kept)


def _together(samples: np.ndarray, kept: int, starts: np.ndarray, since: np.ndarray) -> _Chains:
    """Every chain for itself, in one pass back over the generations; latest first."""
    work = float(np.sum(np.minimum(samples[: since[0]], starts.max()).astype(float) ** 2))
    chains = _Chains(starts, _top(starts, work * (1 + len(starts) // 8)))
    for s in range(int(since[0]) - 1, 0, -1):
        chains.throw(int(samples[s - 1]), kept, int(np.searchsorted(-since, -s, side="left")))
    return chains


def _one_chain(samples: np.ndarray, kept: int, starts: np.ndarray, since: np.ndarray) -> _Chains:
    """One chain for all generations where sizes do not change; the first training set's may differ."""
    rows = _Chains(starts, _top(starts, 0.0))
    thrown = int(np.sum(since > 1))
    chain, done = _Chains(starts[: min(thrown, 1)], rows.laws.shape[1] - 1), 0
    for r in range(thrown - 1, -1, -1):
        inner = int(since[r]) - 2
        if inner > done:
            chain.repeat(int(samples[1]), kept, inner - done)
        done = inner
        rows.copy(r, chain)
    if thrown:
        rows.throw(int(samples[0]), kept, thrown)
    return rows


def _top(starts: np.ndarray, work: float) -> int:
    """Most ancestors followed by their law."""
    most = int(starts.max())
    return most if most <= TOP or (most <= FULL and work <= _WORK) else TOP

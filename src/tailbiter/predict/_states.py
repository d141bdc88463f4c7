# SPDX-License-Identifier: MIT
"""What is known of a run with few different training sets: nearly everything, by following each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from tailbiter.curation import TopShare
from tailbiter.errors import PredictionError
from tailbiter.theory import Predicted, states
from tailbiter.theory._result import Floats

from ._bent import Bent, Item
from ._known import SIMULATE, Known
from ._measured import MEASURED, Models

if TYPE_CHECKING:
    from tailbiter.program import Program

    from ._categorical import CategoricalCase

__all__ = ["enumerated"]

Moments = Callable[[str], tuple[Floats, Floats]]
STATEMENT = "every training set followed, exact at every size"
NO_MEAN = "; no mean from generation {} on, where nothing may be right"
OTHERS = ("lost", "revived", "survivors_output", "real_share")
# Products that stepping the law may take, and probabilities of one set after another: a second or two.
PRODUCTS, CHANCES = 2e9, 1e8
# What holds but for training sets less probable than this is certain.
NEVER = 1e-20
ROUNDING = 1e-12


def enumerated(case: CategoricalCase) -> dict[str, Known]:
    """Return what is known of the variables wanted by following every training set.

    Raises
    ------
    PredictionError
        Where these are too many, or where a training set does not tell what follows.
    """
    run = _Run(case)
    names = [name for name in case.names if name in MEASURED or name in OTHERS]
    if not run.puts_out:
        names = [name for name in names if name != "survivors_output"]
    rows: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in names}
    for moments in run.generations():
        for name in names:
            rows[name].append(moments(name))
    return {name: _known(name, row, run.undefined.get(name)) for name, row in rows.items()}


def _known(name: str, rows: list[tuple[Floats, Floats]], undefined: int | None) -> Known:
    mean, sd = (np.array([row[i] for row in rows]) for i in (0, 1))
    statement = STATEMENT if undefined is None else f"{STATEMENT}{NO_MEAN.format(undefined)}"
    spread = Predicted(sd, "exact", f"standard deviation; {statement}")
    return Known(Predicted(mean, "exact", statement), None if name in OTHERS else spread)


class _View:
    """All training sets of one size, and what is measured of each; worked out once."""

    def __init__(self, bent: Bent, program: Program, sets: Floats) -> None:
        self._bent, self.sets = bent, sets
        models, wrong = bent.fitted(sets)
        self.present = (sets[:, : bent.categories] > 0).astype(np.float64)
        self._models = Models(program, self.present, models, wrong)
        self._values: dict[str, Floats] = {}
        self._items: dict[float | None, Item] = {}

    def of(self, name: str) -> Floats:
        """A variable, by training set."""
        if name not in self._values:
            self._values[name] = MEASURED[name](self._models)
        return self._values[name]

    def item(self, crawled: float | None) -> Item:
        """The law of an item of the next batch."""
        if crawled not in self._items:
            self._items[crawled] = self._bent.item(self.sets, crawled)
        return self._items[crawled]


class _Run:
    """A Spec's chain of training sets.

    Attributes
    ----------
    undefined : dict of str to int
        Variables that some training sets leave undefined, and others do not; the generation gone through from
        which on there are such sets.
    """

    def __init__(self, case: CategoricalCase) -> None:
        self.program, self.at = case.program, case.at
        self.bent = case.bent
        self.pooled = _pooled(case)
        self.best = isinstance(case.spec.curation, TopShare)
        self.rows = 1 + self.bent.categories * (not {"lost", "revived"}.isdisjoint(case.names))
        self.last = max(int(self.at.max(initial=0)), 1)
        self.undefined: dict[str, int] = {}
        self.step = lru_cache(maxsize=None)(self._step)
        self._refuse_large()

    def sizes(self, t: int) -> tuple[int, int, float | None]:
        """Synthetic and human items of generation t's batch, and the human share of its crawl."""
        crawled, human = self.program.levers.crawled, int(self.program.fresh[t - 1])
        share = None if crawled is None else float(crawled[t - 1])
        return int(self.program.samples[t - 1]) - human, human, share

    @property
    def puts_out(self) -> bool:
        """Whether models put out something for every batch: of a crawl, all that is kept may be human."""
        batches = range(2, self.last + 2)
        some = (self.sizes(t)[0] or not self.program.samples[t - 1] for t in batches)
        return self.program.levers.crawled is None and all(some)

    def _step(self, synthetic: int, human: int, crawled: float | None) -> states.Step:
        best = states.Best(self.bent.drawn(synthetic), self.bent.rewards) if self.best else None
        return states.Step(
            synthetic, human, lambda _: self.view.item(crawled).weights, best=best, pooled=self.pooled
        )

    def _refuse_large(self) -> None:
        """Refuse what would take too long before any of it is done."""
        columns, seen = self.bent.columns, set()
        products = chances = 0.0
        total = int(self.program.samples[0])
        states.refuse_many(total, columns)
        for t in range(2, self.last + 1):
            synthetic, human, crawled = self.sizes(t)
            drawn = self.bent.drawn(synthetic)
            now = synthetic + human + (total if self.pooled else 0)
            for items in {drawn, now}:
                states.refuse_many(items, columns)
            pairs = float(states.count(total, columns)) * states.count(max(drawn, now - total), columns)
            products += pairs * self.rows
            chances += 0.0 if (total, synthetic, human, crawled) in seen else pairs
            seen.add((total, synthetic, human, crawled))
            if products > PRODUCTS or chances > CHANCES:
                problem = "are too many for following every training set"
                raise PredictionError("generations", self.last, problem, SIMULATE)
            total = now

    def generations(self) -> Iterator[Moments]:
        """Go through the recorded generations, each a function that tells mean and spread of a variable."""
        law, copies = self.bent.first
        sets, first = states.first(int(self.program.samples[0]), law, copies=copies)
        walk = states.Walk(sets, np.tile(first, (self.rows, 1)), self.bent.human)
        self.view, real = _View(self.bent, self.program, sets), 1.0
        recorded = set(self.at.tolist())
        if 0 in recorded:
            yield partial(self._of_reference, float(self.view.of("survivors") @ first))
        for t in range(1, self.last + 1):
            if t > 1:
                real = self._human(t, walk.laws[0])
                walk.step(self.step(*self.sizes(t)))
            if self.view.sets is not walk.sets:
                self.view = _View(self.bent, self.program, walk.sets)
            if t in recorded:
                yield partial(self._moments, t, walk.laws, real)
                walk.laws[1:] = walk.laws[0] * self.view.present.T[: self.rows - 1]

    def _human(self, t: int, law: Floats) -> float:
        """Human share of the batch of generation t, after training sets of this law."""
        synthetic, human, crawled = self.sizes(t)
        if crawled is None:
            return human / (synthetic + human)
        return float(law @ (1.0 - self.view.item(crawled).synthetic.sum(axis=1)))

    def _of_reference(self, survivors: float, name: str) -> tuple[Floats, Floats]:
        """Generation 0: everything is present, and human."""
        if name == "survivors_output":
            return np.array(survivors), np.array(np.nan)
        if name in OTHERS:
            return np.array(1.0 if name == "real_share" else 0.0), np.array(0.0)
        q = self.bent.reference[None]
        value = MEASURED[name](Models(self.program, np.ones_like(q), q, np.zeros(1)))[0]
        return np.asarray(value), np.where(np.isnan(value), np.nan, 0.0)

    def _moments(self, t: int, laws: Floats, real: float, name: str) -> tuple[Floats, Floats]:
        if name == "real_share":
            return np.array(real), np.array(np.nan)
        if name == "survivors_output":
            return np.array(self._output(t, laws[0])), np.array(np.nan)
        if name in OTHERS:
            stayed = float(np.sum(laws[1:] * self.view.present.T))
            before, now = float(laws[1:].sum()), float(laws[0] @ self.view.of("survivors"))
            return np.array((before if name == "lost" else now) - stayed), np.array(np.nan)
        values = self.view.of(name)
        nowhere = np.isnan(values[laws[0] > NEVER])
        if (nowhere.any(axis=0) != nowhere.all(axis=0)).any():
            self.undefined.setdefault(name, t)
        return _moments(values, laws[0])

    def _output(self, t: int, law: Floats) -> float:
        """Categories of the reference among what models put out for the batch of generation t + 1."""
        if not self.program.samples[t]:
            return np.nan
        synthetic, human, _ = self.sizes(t + 1)
        if self.best:
            batches, chances = self.step(synthetic, human, None).batches(self.view.sets)
            return float(law @ chances @ np.sum(batches[:, : self.bent.categories] > 0, axis=1))
        each = self.view.item(None).synthetic[:, : self.bent.categories]
        return float(law @ np.sum(1.0 - (1.0 - each) ** synthetic, axis=1))


def _moments(values: Floats, law: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation; exactly 0 of what is certain, and more than rounding of what is not."""
    x = values.reshape(len(law), -1)
    likely = x[law > NEVER]
    undefined = np.isnan(likely).any(axis=0)
    x, likely = np.nan_to_num(x), np.nan_to_num(likely)
    low, high = likely.min(axis=0), likely.max(axis=0)
    mean = np.clip(law @ x, low, high)
    sd = np.sqrt(law @ (x - mean) ** 2)
    least = ROUNDING * (1.0 + np.abs(mean))
    sd = np.where(high - low <= least / 2, 0.0, np.maximum(sd, least))
    shape = values.shape[1:]
    mean, sd = (np.where(undefined, np.nan, out).reshape(shape) for out in (mean, sd))
    return mean, sd


def _pooled(case: CategoricalCase) -> bool:
    """Whether batches add up; refuse what a training set does not tell enough of."""
    program, regime = case.program, case.spec.to_dict(brief=True).get("regime", {"kind": "replace"})
    if program.draw is not None or program.item_weights is not None or program.ages.size > 1:
        problem = "trains on more than one training set tells"
        raise PredictionError("regime", regime["kind"], problem, SIMULATE)
    if program.kept and bool(program.from_kept.any()):
        raise PredictionError("regime", regime["kind"], "keeps human items beside the training set", SIMULATE)
    return program.ages.size == 0

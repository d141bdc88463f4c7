# SPDX-License-Identifier: MIT
"""The loop over generations where items themselves are fitted to: what is drawn, held and made again.

A training set is held whole, since fits written by users take arrays. Batches of the past that it holds are
kept; items that are drawn from a pool or a hoard are made again by their addresses, as many as are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tailbiter._core import item as core
from tailbiter._core import mixture

if TYPE_CHECKING:
    from tailbiter._compose import Composition

__all__ = ["Engine", "Model", "Program", "stored_items"]

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]
L = TypeVar("L")


class Program(Protocol):
    """What is run: a composition, and what its models are made of."""

    @property
    def key(self) -> int:
        """64 bits that all random words follow from."""

    @property
    def made(self) -> Composition:
        """What every generation's training set is made of."""

    @property
    def at(self) -> npt.NDArray[np.uint32]:
        """Generations to record, ascending."""


class Model(Protocol[L]):
    """How laws of one kind are drawn from, fitted and recorded; ``L`` is such a law."""

    def reference(self) -> L:
        """Return the law of the human data."""

    def draw(self, law: L, address: Words, count: int, control: core.Control) -> Floats:
        """Make items 0 to count-1 of a batch."""

    def gather(self, law: L, address: Words, slots: Words, control: core.Control) -> Floats:
        """Make some items of a batch again."""

    def fit(self, law: L, x: Floats, w: Floats, where: str, control: core.Control) -> tuple[L, Any]:
        """Return the law fitted to weighted items, the last law given; and how the fit went."""

    def outputs(self, rows: tuple[int, int]) -> dict[str, np.ndarray]:
        """Empty arrays for the records of so many lineages and generations, by variable."""

    def record(self, law: L, fit: Any, x: Floats | None, w: Floats | None) -> dict[str, Any]:
        """Values of one generation, by variable; there is no training set in generation 0."""


class Engine(Generic[L]):
    """Runs replicates of one program.

    Parameters
    ----------
    program : Program
        What to run.
    model : Model
        How its laws are drawn from and fitted.
    """

    def __init__(self, program: Program, model: Model[L]) -> None:
        self.program = program
        self.model = model

    def outputs(self, replicates: int) -> dict[str, np.ndarray]:
        """Empty arrays for the records of so many replicates, by variable."""
        return self.model.outputs((replicates, self.program.at.size))

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: core.Control) -> None:
        """Fill rows start to stop-1; safe to call from many threads at once."""
        for replicate in range(start, stop):
            lineage = Lineage(self.program, self.model, replicate, control)
            for row, generation in enumerate(self.program.at.tolist()):
                for name, value in lineage.advance(generation).items():
                    if name in out:
                        out[name][replicate, row] = value


@dataclass(frozen=True, eq=False)
class Batch(Generic[L]):
    """Items of one source: all that is needed to make them again, and they themselves where they are held."""

    law: L
    count: int
    generation: int
    purpose: str
    x: Floats | None = None


class Lineage(Generic[L]):
    """One chain of generations."""

    def __init__(self, program: Program, model: Model[L], replicate: int, control: core.Control) -> None:
        self.key, self.made, self.model = program.key, program.made, model
        self.replicate, self.control = replicate, control
        self.generation = 0
        self.law = model.reference()
        self.past: list[Batch[L]] = []
        self.fitted: Any = None
        self.training: tuple[Floats, Floats] | tuple[None, None] = (None, None)

    def advance(self, generation: int) -> dict[str, Any]:
        """Run on to a generation and return its record."""
        while self.generation < generation:
            self._step()
        return self.model.record(self.law, self.fitted, *self.training)

    def _step(self) -> None:
        if self.control.cancelled:
            raise KeyboardInterrupt
        self.generation += 1
        where = f"generation {self.generation} of replicate {self.replicate}"
        x, w = self.training = self._train()
        self.law, self.fitted = self.model.fit(self.law, x, w, where, self.control)
        self.control.count(1)

    def _train(self) -> tuple[Floats, Floats]:
        """Items and weights of the next training set."""
        made, i = self.made, self.generation - 1
        self.past += self._new_batches()
        if made.draw is not None:
            x = self._drawn(self.past, int(made.draw[i]), "subsample")
            return x, np.ones(len(x))
        if made.ages.size == 1:
            parts = self._newest()
        else:
            reach = made.ages.size or self.generation
            self.past = [batch for batch in self.past if self.generation - batch.generation < reach]
            parts = [(self._held(batch), self._weight(batch)) for batch in self.past]
        parts = [(x, weight) for x, weight in parts if weight > 0]
        x = np.concatenate([x for x, _ in parts]) if len(parts) > 1 else parts[0][0]
        return x, np.concatenate([np.full(len(x), weight) for x, weight in parts])

    def _new_batches(self) -> list[Batch[L]]:
        made, t = self.made, self.generation
        human = self.model.reference()
        if t == 1:
            sources = [(human, int(made.samples[0]), "human")]
        else:
            fresh = int(made.fresh[t - 1])
            synthetic = int(made.samples[t - 1]) - fresh - int(made.from_kept[t - 1])
            sources = [(self.law, synthetic, "synthetic"), (human, fresh, "fresh")]
        hold = made.draw is None  # a pool is drawn from by address
        return [
            Batch(law, n, t, purpose, self._draw(law, n, t, purpose) if hold else None)
            for law, n, purpose in sources
            if n
        ]

    def _newest(self) -> list[tuple[Floats, float]]:
        """Parts of a training set that is the newest batch, by source: synthetic, fresh, kept."""
        made, i = self.made, self.generation - 1
        weights = [1.0, 1.0, 1.0] if made.item_weights is None else made.item_weights[i].tolist()
        source = {"human": 0, "synthetic": 0, "fresh": 1}
        parts = [(self._held(batch), float(weights[source[batch.purpose]])) for batch in self.past]
        self.past = []
        if self.generation > 1 and made.from_kept[i]:
            parts.append((self._kept(int(made.from_kept[i])), float(weights[2])))
        return parts

    def _kept(self, count: int) -> Floats:
        """Items of the kept human set, which is the beginning of the human stream."""
        human = self.model.reference()
        if count == self.made.kept:
            return self._draw(human, count, 1, "human")
        return self._drawn([Batch(human, self.made.kept, 1, "human")], count, "kept")

    def _weight(self, batch: Batch[L]) -> float:
        ages = self.made.ages
        return float(ages[self.generation - batch.generation]) if ages.size else 1.0

    def _held(self, batch: Batch[L]) -> Floats:
        if batch.x is None:
            return self._draw(batch.law, batch.count, batch.generation, batch.purpose)
        return batch.x

    def _drawn(self, batches: list[Batch[L]], some: int, purpose: str) -> Floats:
        """Items drawn without replacement from all of some batches, made again one by one."""
        ends = np.cumsum([batch.count for batch in batches])
        slots = mixture.choose(int(ends[-1]), some, self.key, self.generation, self.replicate, purpose)
        slots.sort()  # batch after batch
        cuts = np.searchsorted(slots, ends)
        parts, first = [], 0
        for batch, cut, end in zip(batches, cuts.tolist(), ends.tolist(), strict=True):
            own = slots[first:cut] - np.uint64(end - batch.count)
            address = self._address(batch.generation, batch.purpose)
            if own.size:
                parts.append(self.model.gather(batch.law, address, own, self.control))
            first = cut
        return np.concatenate(parts)

    def _draw(self, law: L, count: int, generation: int, purpose: str) -> Floats:
        return self.model.draw(law, self._address(generation, purpose), count, self.control)

    def _address(self, generation: int, purpose: str) -> Words:
        return np.array([self.key, generation, self.replicate, core.PURPOSES[purpose]], np.uint64)


def stored_items(made: Composition) -> int:
    """Items that a lineage holds at a time, at most, for its training set."""
    samples = made.samples[:-1].astype(np.float64)
    if made.draw is not None:
        return int(made.draw[:-1].max())
    if made.ages.size == 1:
        return int(samples.max())
    totals = np.concatenate([[0.0], np.cumsum(samples)])
    reach = min(made.ages.size or len(samples), len(samples))
    return int((totals[reach:] - totals[:-reach]).max())

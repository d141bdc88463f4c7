# SPDX-License-Identifier: MIT
"""What is to be kept: a part of the reference, how much of it, for how long, how surely."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tailbiter._checks import SET, Described, choice, number, whole
from tailbiter.dataset import band_totals, variable_attrs
from tailbiter.errors import SpecError
from tailbiter.program import lower
from tailbiter.record import Record
from tailbiter.regime import exact
from tailbiter.spec import MAX_GENERATIONS, Spec

__all__ = ["Part", "Target"]

PARTS = ("categories", "tail", "coverage")
VARIABLE = {"categories": "survivors", "tail": "tail_survivors", "coverage": "coverage"}
_COUNT = "give a count expected in the first human sample, such as 20"
# Coverage is a sum of doubles in some order.
ROUNDING = 1e-12


class Target(Described, frozen=True, kw_only=True):
    """How much of what is to be kept, for how long, how surely.

    Parameters
    ----------
    keep : float
        Share to be kept, in (0, 1]: of the categories named below, how many are in the training set of the
        last generation asked for; or the coverage itself.
    of : {"categories", "tail", "coverage"}, default "categories"
        Share of what: of categories (all of them, or those that at_least and below pick); of the tail's; or
        the reference mass of what is present.
    at_least, below : float, optional
        With "categories": only those whose count expected in the first human sample is at least, or below,
        this. What is meant is settled by the Spec as it is given: the same categories whatever is varied.
    generations : int, optional
        Generation that is looked at; by default the Spec's last. Under regimes that bring nothing back, what
        is present then was present all the time.
    probability : float or None, default 0.95
        Share of lineages in which at least so much is to be kept; None asks for the mean over lineages
        instead, which theory often knows exactly.

    Raises
    ------
    SpecError
        For a value that makes no target.

    Examples
    --------
    >>> Target(keep=0.9, at_least=20).text(1000)
    'to keep 90 % of the categories expected at least 20 times for 1,000 generations in 95 % of lineages'
    """

    keep: float
    of: str = "categories"
    at_least: float | None = None
    below: float | None = None
    generations: int | None = None
    probability: float | None = 0.95

    def __post_init__(self) -> None:
        SET(self, "keep", _share(self.keep, "plan.keep", "give a share such as 0.9", closed=True))
        choice(self.of, "plan.of", PARTS)
        self._check_counts()
        if self.generations is not None:
            remedy = "give a number of generations such as 1000"
            SET(self, "generations", whole(self.generations, "plan.generations", 1, MAX_GENERATIONS, remedy))
        if self.probability is not None:
            remedy = 'give a probability such as 0.95, or ask for the mean: None ("mean" in TOML, --mean)'
            SET(self, "probability", _share(self.probability, "plan.probability", remedy, closed=False))

    def _check_counts(self) -> None:
        for name in ("at_least", "below"):
            value = getattr(self, name)
            if value is None:
                continue
            if self.of != "categories":
                raise SpecError(f"plan.{name}", value, f"does not go with of = {self.of!r}", "leave it out")
            value = number(value, f"plan.{name}", _COUNT)
            if value <= 0:
                raise SpecError(f"plan.{name}", value, "is not positive", _COUNT)
            SET(self, name, value)
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            problem = f"is not above at_least = {self.at_least:g}"
            raise SpecError("plan.below", self.below, problem, "give a larger count")

    @property
    def threshold(self) -> float:
        """What the mean over lineages of `Part.values` has to reach."""
        return self.keep if self.probability is None else self.probability

    def what(self) -> str:
        """Name the part that is to be kept."""
        if self.of == "coverage":
            return "the human mass"
        if self.of == "tail":
            return "the tail's categories"
        if self.at_least is None and self.below is None:
            return "the categories"
        if self.below is None:
            return f"the categories expected at least {self.at_least:,g} times"
        if self.at_least is None:
            return f"the categories expected fewer than {self.below:,g} times"
        return f"the categories expected {self.at_least:,g} to {self.below:,g} times"

    def text(self, generations: int | None) -> str:
        """Say it in words; without generations, where these vary."""
        how = " on average" if self.probability is None else f" in {100 * self.probability:.6g} % of lineages"
        time = "" if generations is None else f" for {generations:,} generations"
        return f"to keep {100 * self.keep:.6g} % of {self.what()}{time}{how}"


def _share(value: object, field: str, remedy: str, *, closed: bool) -> float:
    share = number(value, field, remedy)
    if not (0 < share < 1 or (closed and share == 1)):
        raise SpecError(field, share, f"is outside (0, 1{']' if closed else ')'}", remedy)
    return share


@dataclass(frozen=True)
class Part:
    """The part of a Spec's reference that a target names, and how to measure it.

    Parameters
    ----------
    base : Spec
        Settles which categories are meant.
    target : Target
        What is to be kept.
    """

    base: Spec
    target: Target

    def __post_init__(self) -> None:
        if not self.base.reference.traits.has_categories:
            problem = "has no categories to keep"
            raise SpecError("reference", self.base.reference.family, problem, "plan for categories")
        last = self.base.generations
        if self.generation > last:
            problem = f"lies beyond the end of the run, generation {last:,}"
            raise SpecError("plan.generations", self.generation, problem, "run longer, or ask for less")
        if self.size == 0:
            self._refuse_empty()

    @property
    def generation(self) -> int:
        """The generation looked at."""
        return self.target.generations or self.base.generations

    def _refuse_empty(self) -> None:
        target = self.target
        if target.of == "tail":
            problem = "leaves no tail: the rarest categories that are alike weigh more"
            raise SpecError("tail_mass", self.base.tail_mass, problem, "give a larger share")
        name = "below" if target.at_least is None else "at_least"
        weights = self.base.reference.support.ranked
        per = int(self.base.composition.samples[0]) / int(weights.sum())
        problem = "leaves no category: the first human sample expects "
        problem += f"{int(weights[-1]) * per:,.4g} to {int(weights[0]) * per:,.4g} of each"
        raise SpecError(f"plan.{name}", getattr(target, name), problem, "ask for others")

    @cached_property
    def _weights(self) -> tuple[int | None, int | None]:
        """Least whole weight of the categories meant, and the least that is too much."""
        first, total = int(self.base.composition.samples[0]), self.base.reference.support.total

        def least(count: float | None) -> int | None:
            if count is None:
                return None
            bound = exact(count) * total / first
            return -(-bound.numerator // bound.denominator)

        return least(self.target.at_least), least(self.target.below)

    @property
    def variable(self) -> str:
        """Name of the variable that tells."""
        return "band_survivors" if self._by_band else VARIABLE[self.target.of]

    @property
    def _by_band(self) -> bool:
        return self.target.at_least is not None or self.target.below is not None

    @property
    def record(self) -> Record:
        """What a run has to keep."""
        return Record(generations=[self.generation], variables=[self.variable])  # type: ignore[arg-type]  # normalised

    def of(self, spec: Spec) -> Spec:
        """Return a Spec with a band of exactly these categories, run no longer than needed."""
        if not isinstance(spec.samples, tuple):
            spec = spec.replace(generations=self.generation)
        return spec.replace(bands=self._edges(spec)) if self._by_band else spec

    def at(self, spec: Spec) -> Part:
        """Return the same part of another Spec's reference."""
        if spec.reference is self.base.reference:
            return self
        return Part(self.base.replace(reference=spec.reference), self.target)

    def _edges(self, spec: Spec) -> list[float]:
        """Edges half-way between whole weights: no rounding moves a category across."""
        first, total = int(spec.composition.samples[0]), spec.reference.support.total
        halves = [Fraction(2 * weight - 1, 2) for weight in self._weights if weight is not None]
        return [float(half * first / total) for half in halves]

    @cached_property
    def size(self) -> int:
        """How many categories there are; of coverage, 1."""
        if self.target.of == "coverage":
            return 1
        program = lower(self.of(self.base), self.record)
        if self._by_band:
            return int(band_totals(program)[0][self._band])
        if self.target.of == "tail":
            return int(variable_attrs("tail_survivors", program)["categories"])
        return program.categories

    @property
    def _band(self) -> int:
        return 0 if self.target.at_least is None else 1

    @property
    def single(self) -> bool:
        """Whether it is one category: then the mean over lineages is the probability that it is kept."""
        return self.size == 1 and self.target.of != "coverage"

    def shares(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return shares kept, from the variable at the generation looked at: ``[...]`` or ``[..., band]``."""
        kept = values[..., self._band] if self._by_band else values
        return np.asarray(kept, dtype=np.float64) / self.size

    def values(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what has to reach the target's threshold on average: shares, or whether enough is kept."""
        return shares if self.target.probability is None else self.enough(shares).astype(np.float64)

    def enough(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which lineages keep enough."""
        return np.asarray(shares >= self.target.keep - ROUNDING)

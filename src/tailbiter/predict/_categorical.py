# SPDX-License-Identifier: MIT
"""What theory knows of a categorical run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import FLOOR
from tailbiter.dataset import (
    VARIABLES,
    band_coords,
    band_totals,
    generation_coord,
    group_coords,
    sizes,
    variable_attrs,
)
from tailbiter.errors import PredictionError
from tailbiter.program import lower
from tailbiter.theory import Predicted, exact, limits, lineages, moments
from tailbiter.theory._ancestors import FULL
from tailbiter.theory._result import Floats

from ._bent import Bent
from ._counted import counted
from ._judged import JUDGED, rows_of
from ._known import SIMULATE, Known
from ._levers import PRESENCE, Moments, counts_close, shaped
from ._limits import without_end
from ._presence import count_sums, lost, output, presence, revived, with_output
from ._states import enumerated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record
    from tailbiter.spec import Spec
    from tailbiter.theory._counts import CountSums

__all__ = ["CategoricalCase", "collapse", "collapse_time"]


class CategoricalCase:
    """A Spec, and what several variables need of its theory; each part is worked out when first asked for."""

    def __init__(self, spec: Spec, record: Record) -> None:
        self.spec = spec
        self.program = lower(spec, record)
        self.at = self.program.at.astype(np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """Variables wanted."""
        return self.program.variables

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable: by a law of its own, or of every training set."""
        untouched = self.program.levers.none or (self.only_human and name in PRESENCE)
        plain = name in KNOWN and (untouched or counts_close(self, name))
        by_law = KNOWN[name] if plain else shaped
        try:
            return by_law(self, name)
        except PredictionError as unknown:
            for found in (self.enumerated, self.without_end):
                if not isinstance(found, PredictionError) and name in found:
                    return found[name]
            raise self._also(unknown) from None

    def _also(self, unknown: PredictionError) -> PredictionError:
        """Say of what is not known why training sets are not followed either."""
        why = self.enumerated
        if not isinstance(why, PredictionError) or why.field == "regime":
            return unknown
        problem = f"{unknown.problem}, and {why.field} = {why.value} {why.problem}"
        return PredictionError(unknown.field, unknown.value, problem, unknown.remedy)

    @property
    def only_human(self) -> bool:
        """Whether every training set is the newest batch, all human, and no other than the reference says."""
        made = self.program
        alone = made.ages.size == 1 and made.draw is None and made.item_weights is None and not made.kept
        all_fresh = bool(np.all(made.fresh[1:-1] == made.samples[1:-1])) and made.levers.crawled is None
        return alone and all_fresh and self.spec.fault is None

    @cached_property
    def bent(self) -> Bent:
        """What the Spec's levers do to a model."""
        return Bent(self.spec, self.program)

    @cached_property
    def bent_moments(self) -> Moments:
        """Moments of the models that levers have shaped."""
        return Moments(self)

    @cached_property
    def without_end(self) -> dict[str, Known] | PredictionError:
        """What is known of bent models for samples without end; or why nothing is."""
        if self.program.levers.none:
            return {}
        try:
            return without_end(self)
        except PredictionError as error:
            return error

    @cached_property
    def enumerated(self) -> dict[str, Known] | PredictionError:
        """What is known by following every training set; or why these are not followed."""
        try:
            return enumerated(self)
        except PredictionError as error:
            return error

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        dims = ("generation", *filter(None, [VARIABLES[name].dim]))
        return dims, variable_attrs(name, self.program) | {
            "valid_min": self._least(name),
            "valid_max": self._most(name),
        }

    def _least(self, name: str) -> float:
        """Smallest value that a variable can have."""
        if name.startswith("cross_entropy_excess"):
            return float(np.log(FLOOR))  # beside a reference that gives the held-out data next to nothing
        return -0.25 if name == "overconfidence" else 0.0  # p (p - h) is least where p is half of h

    def _most(self, name: str) -> Any:
        """Largest value that a variable can have."""
        weights = self.program.weights
        if name == "band_survivors":
            return band_totals(self.program)[0].astype(np.float64)
        if name == "entropy":
            return float(np.log(len(weights)))
        if name == "kl":
            return float(np.log(weights.sum() / weights[-1]))
        if name == "group_survivors":
            return group_coords(self.program)["group_categories"][1].astype(np.float64)
        if name.startswith("cross_entropy"):
            return float(-np.log(FLOOR))
        counts = ("survivors", "survivors_output", "lost", "revived", "tail_survivors")
        return float(len(weights)) if name in counts else 2.0 if name.endswith("brier") else 1.0

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        bands = band_coords(self.program) if "band" in dims else {}
        groups = group_coords(self.program) if "group" in dims else {}
        return generation_coord(self.program) | bands | groups

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Size of the reference."""
        return sizes(self.program)

    @cached_property
    def firsts(self) -> npt.NDArray[np.int64]:
        """Id of the first category of each distinct weight, descending."""
        weights = self.program.weights
        return np.flatnonzero(np.concatenate([[True], weights[1:] != weights[:-1]]))

    @cached_property
    def mass(self) -> Floats:
        """Distinct reference probabilities, descending."""
        weights = self.program.weights
        return weights[self.firsts] / float(weights.sum())

    @cached_property
    def copies(self) -> Floats:
        """How many categories have each."""
        return np.diff(np.append(self.firsts, self.program.categories)).astype(np.float64)

    @cached_property
    def bands(self) -> list[slice]:
        """The distinct probabilities of each band, from rare to common; equal ones never part."""
        start = np.searchsorted(self.firsts, self.program.band_start).tolist()
        stop = [len(self.firsts), *start[:-1]]
        return [slice(lo, hi) for lo, hi in zip(start, stop, strict=True)]

    @cached_property
    def tail(self) -> slice:
        """The distinct probabilities of the tail."""
        return slice(int(np.searchsorted(self.firsts, self.program.tail_start)), len(self.firsts))

    @cached_property
    def diversity(self) -> float:
        """Gini-Simpson index of the reference."""
        return float(np.sum(self.copies * self.mass * (1.0 - self.mass)))

    @cached_property
    def identity(self) -> moments.Identity:
        """Chance that two items of a model descend from one human item."""
        return moments.identity(self.spec.composition, self.at)

    @cached_property
    def spread(self) -> tuple[Predicted | None, Predicted | None]:
        """Standard deviations of the Gini-Simpson index and the Brier distance, where they are known."""
        if self.program.plain:
            samples, q = self.program.samples[:-1], np.repeat(self.mass, self.copies.astype(np.int64))
            return moments.gini_simpson_sd(samples, q, self.at), moments.brier_sd(samples, q, self.at)
        sums = float(np.sum(self.copies * self.mass**2)), float(np.sum(self.copies * self.mass**3))
        try:
            return lineages.spread(self.spec.composition, sums, self.at)
        except PredictionError:
            return None, None

    @cached_property
    def presence(self) -> Known:
        """Sums over the categories present: how many, coverage, how many of the tail and of each band."""
        if self.program.plain:
            return self._with_output[0]
        if not self.program.levers.none and not self.only_human:
            return self._followed[0]
        return presence(self.program, self.spec.regime, self.mass, self.copies, self._counted)

    @cached_property
    def _followed(self) -> tuple[Known, CountSums]:
        """Sums over categories whose counts are chains under the levers there are."""
        return counted(self, self._counted)

    @cached_property
    def output(self) -> Known:
        """Number of categories in the batch drawn from each model."""
        if self.program.plain:
            return self._with_output[1]
        return output(self.program, self.spec.regime, self.mass, self.copies)

    @cached_property
    def _with_output(self) -> tuple[Known, Known]:
        return with_output(self.program, self.mass, self.copies, self._counted)

    @cached_property
    def _counted(self) -> Floats:
        """What one category counts in each of these sums, ``[sum, distinct probability]``."""
        rows = np.zeros((3 + len(self.bands), len(self.mass)))
        rows[0], rows[1] = 1.0, self.mass
        for row, part in zip(rows[2:], [self.tail, *self.bands], strict=True):
            row[part] = 1.0
        return np.concatenate([rows, *self._judged.values()])

    @cached_property
    def _judged(self) -> dict[str, Floats]:
        return rows_of(self)

    @cached_property
    def judged_rows(self) -> dict[str, slice]:
        """Where the sums by which generations are judged stand among those over the categories present."""
        ends = np.cumsum([3 + len(self.bands), *(len(rows) for rows in self._judged.values())]).tolist()
        return {name: slice(*ends[i : i + 2]) for i, name in enumerate(self._judged)}

    @property
    def known_diversity(self) -> Known:
        """The Gini-Simpson index."""
        return _gini_simpson(self, "gini_simpson")

    def known_mass(self, mass: Floats) -> Known:
        """The share of a set of this mass in the reference."""
        return _mass(self, mass)

    @cached_property
    def counts(self) -> CountSums:
        """Means that take the whole law of each category's count."""
        if not self.program.levers.none:
            return self._followed[1]
        return count_sums(self.program, self.spec.regime, self.mass, self.copies)


def _survivors(case: CategoricalCase, _: str) -> Known:
    return case.presence.column(0)


def _coverage(case: CategoricalCase, _: str) -> Known:
    return case.presence.column(1)


def _tail_survivors(case: CategoricalCase, _: str) -> Known:
    known = case.presence.column(2)
    return known if case.tail.start < case.tail.stop else known.nowhere()


def _band_survivors(case: CategoricalCase, _: str) -> Known:
    return case.presence.column(slice(3, 3 + len(case.bands)))


def _survivors_output(case: CategoricalCase, _: str) -> Known:
    return case.output


def _lost(case: CategoricalCase, _: str) -> Known:
    return lost(case.program, case.presence.column(0))


def _revived(case: CategoricalCase, _: str) -> Known:
    return revived(case.program)


def _gini_simpson(case: CategoricalCase, _: str) -> Known:
    return Known(moments.gini_simpson(case.identity, case.diversity), case.spread[0])


def _brier(case: CategoricalCase, _: str) -> Known:
    return Known(moments.brier(case.identity, case.diversity), case.spread[1])


def _tail_mass(case: CategoricalCase, name: str) -> Known:
    mass = variable_attrs(name, case.program)["reference_mass"]
    known = _mass(case, np.array(mass))
    return known if mass else known.nowhere()


def _band_mass(case: CategoricalCase, _: str) -> Known:
    return _mass(case, band_totals(case.program)[1])


def _mass(case: CategoricalCase, mass: Floats) -> Known:
    """The mean of a share never moves; its variance does."""
    mean = np.broadcast_to(mass, (len(case.at), *mass.shape)).copy()
    statement = "E p(set) = q(set), any regime that is linear in its sources"
    return Known(Predicted(mean, "exact", statement), moments.share_sd(case.identity, mass))


def _largest_share(_: CategoricalCase, name: str) -> Known:
    raise PredictionError("record.variables", name, "has no law of its own in any regime", SIMULATE)


KNOWN: dict[str, Callable[[CategoricalCase, str], Known]] = {
    "survivors": _survivors,
    "survivors_output": _survivors_output,
    "coverage": _coverage,
    "entropy": lambda case, _: Known(case.counts.entropy),
    "gini_simpson": _gini_simpson,
    "largest_share": _largest_share,
    "kl": lambda case, _: Known(case.counts.kl),
    "total_variation": lambda case, _: Known(case.counts.total_variation),
    "brier": _brier,
    "lost": _lost,
    "revived": _revived,
    "tail_survivors": _tail_survivors,
    "tail_mass": _tail_mass,
    "band_survivors": _band_survivors,
    "band_mass": _band_mass,
    **JUDGED,
}


def collapse(case: CategoricalCase) -> Predicted:
    """Chance that one category is left, at the recorded generations, under Replace."""
    return exact.collapse(case.mass, case.copies, case.program.samples[:-1].astype(np.int64), case.at)


def collapse_time(case: CategoricalCase) -> Known | None:
    """Generations until then, where all batches are of one size; a limit if that is large."""
    distinct = np.unique(case.program.samples[:-1])
    if len(distinct) > 1:
        return None
    size = int(distinct[0])
    if size <= FULL:
        return Known(*exact.collapse_time(case.mass, case.copies, size))
    return Known(limits.collapse_mean(case.mass, size, copies=case.copies))

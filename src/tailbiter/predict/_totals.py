# SPDX-License-Identifier: MIT
"""What theory knows of a run of a Poisson or exponential law."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._variables import FAMILIES
from tailbiter.dataset import generation_coord
from tailbiter.errors import PredictionError, SpecError
from tailbiter.theory import Predicted, gaussian, totals
from tailbiter.theory._result import Floats

from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["TotalsCase"]

_NOT_NEGATIVE = ("rate", "scale", "squared_mean_error", "kl", "absorbed")


class TotalsCase:
    """A Spec, and what several variables need of its theory."""

    def __init__(self, spec: Spec, record: Record) -> None:
        reference: Any = spec.reference
        self.law = spec.reference.family
        self.made = spec.composition
        self.mean = float(reference.mean)
        self.at = record.at(spec.generations)
        self.names = record.names_of(self.law)

    @property
    def item_variance(self) -> float:
        """Variance of one human item."""
        return self.mean if self.law == "poisson" else self.mean**2

    @cached_property
    def spread(self) -> Predicted:
        """Variance of the model's mean, over that of one human item."""
        try:
            return totals.spread(self.made, self.law, self.at)
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error

    @cached_property
    def decay(self) -> totals.LogScale:
        """Logarithm of the scale over the reference's."""
        try:
            sizes = gaussian.refits(self.made, "the logarithm of the scale")
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error
        return totals.log_scale(sizes, self.at)

    def constant(self, value: float, statement: str) -> Predicted:
        """The same at all generations."""
        return Predicted(np.full(len(self.at), value), "exact", statement)

    def like(self, known: Predicted, values: Floats, statement: str | None = None) -> Predicted:
        """Numbers that follow from known ones."""
        return Predicted(values, known.kind, known.statement if statement is None else statement)

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable."""
        known = KNOWN.get((self.law, name)) or KNOWN.get(("", name))
        if known is None:
            raise PredictionError("record.variables", name, "has no known mean", SIMULATE)
        return known(self)

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        variable = FAMILIES[self.law].known[name]
        attrs: dict[str, Any] = {"long_name": variable.long_name, "units": variable.units}
        if name in _NOT_NEGATIVE:
            attrs["valid_min"] = 0.0
        if name == "absorbed":
            attrs["valid_max"] = 1.0
        return ("generation",), attrs

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        del dims  # nothing that is known has another
        return generation_coord(self)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """What the reference is."""
        return {"reference_mean": self.mean, "first_sample": int(self.made.samples[0])}


def _mean(case: TotalsCase) -> Known:
    sd = case.like(case.spread, np.sqrt(case.item_variance * case.spread.values))
    return Known(case.constant(case.mean, "E m_t = m_0, any regime linear in its sources"), sd)


def _squared_mean_error(case: TotalsCase) -> Known:
    return Known(case.like(case.spread, case.item_variance * case.spread.values))


def _absorbed(case: TotalsCase) -> Known:
    try:
        chance = totals.absorbed(case.made, case.mean, case.at)
    except SpecError as error:
        raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error
    sd = np.sqrt(chance.values * (1.0 - chance.values))
    return Known(chance, case.like(chance, sd))


def _log_scale(case: TotalsCase) -> Known:
    found = case.decay
    mean = case.like(found, float(np.log(case.mean)) + found.values)
    return Known(mean, case.like(found, np.sqrt(found.variance)))


def _kl(case: TotalsCase) -> Known:
    """``KL = s_t/s_0 - 1 - ln(s_t/s_0)``, the first of which has the mean 1."""
    statement = "E KL(p_t || q) = -E ln(scale_t / scale_0), Replace"
    return Known(case.like(case.decay, -case.decay.values, statement))


KNOWN: dict[tuple[str, str], Callable[[TotalsCase], Known]] = {
    ("", "rate"): _mean,
    ("", "scale"): _mean,
    ("", "squared_mean_error"): _squared_mean_error,
    ("", "absorbed"): _absorbed,
    ("", "log_scale"): _log_scale,
    ("exponential", "kl"): _kl,
}

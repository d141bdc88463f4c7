# SPDX-License-Identifier: MIT
"""What theory knows of a mixture's run: as if every item came with the name of its component.

Then the weights are the chain of a category's share, and each component is a normal law refitted to its own
items. EM is near that while components lie far apart and have many items: all of it is a limit. Under a warm
start a component that has died stays dead, where labels would bring it back with the next human item.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._variables import FAMILIES
from tailbiter.dataset import generation_coord
from tailbiter.errors import PredictionError, SpecError
from tailbiter.theory import Predicted, gaussian, moments
from tailbiter.theory._result import Floats

from ._categorical import CategoricalCase
from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["MixtureCase"]

LABELLED = "components far apart, as if items came with labels"
MANY = "of many items each, more than generations"


class MixtureCase:
    """A Spec, and what several variables need of its theory."""

    def __init__(self, spec: Spec, record: Record) -> None:
        self.spec = spec
        self.reference: Any = spec.reference
        self.made = spec.composition
        self.at = record.at(spec.generations).astype(np.int64)
        self.names = record.names_of("mixture")

    @cached_property
    def chain(self) -> CategoricalCase:
        """The weights as shares of categories."""
        from tailbiter.record import Record
        from tailbiter.reference import Probabilities
        from tailbiter.spec import Spec

        spec = self.spec
        try:
            alike = Spec(
                reference=Probabilities(self.reference.weight_vector),
                regime=spec.regime,
                samples=spec.samples,
                generations=spec.generations,
            )
            return CategoricalCase(
                alike, Record(generations=tuple(self.at.tolist()), variables=("survivors",))
            )
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error

    def refitted(self, what: str) -> Floats:
        """Items of each component in every batch, where each generation is fitted to its own; [T, K]."""
        try:
            sizes = gaussian.refits(self.made, what)
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error
        return np.asarray(np.multiply.outer(sizes, self.reference.weight_vector))

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable."""
        if name not in KNOWN:
            raise PredictionError("record.variables", name, "has no known mean", SIMULATE)
        return KNOWN[name](self)

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        variable = FAMILIES["mixture"].known[name]
        attrs = {"long_name": variable.long_name, "units": variable.units}
        return ("generation",) if variable.dim is None else ("generation", variable.dim), attrs

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        if "component" not in dims:
            return generation_coord(self)
        name = {"long_name": "component of the reference, as it was given", "units": "1"}
        weight = {"long_name": "weight of the component in the reference", "units": "1"}
        return generation_coord(self) | {
            "component": ("component", np.arange(self.reference.components), name),
            "reference_weight": ("component", self.reference.weight_vector, weight),
        }

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Size of the reference."""
        sizes = {"components": self.reference.components, "dimensions": self.reference.size}
        return {**sizes, "first_sample": int(self.made.samples[0])}


def _limit(values: Floats, statement: str) -> Predicted:
    return Predicted(np.ascontiguousarray(values), "limit", statement)


def _weights(case: MixtureCase) -> Known:
    weights = case.reference.weight_vector
    shared = moments.identity(case.made, case.at)
    sd = np.stack([moments.share_sd(shared, weight).values for weight in weights], axis=1)
    mean = np.broadcast_to(weights, sd.shape)
    return Known(_limit(mean, f"E w_t = w_0; {LABELLED}"), _limit(sd, f"that of a share; {LABELLED}"))


def _alive(case: MixtureCase) -> Known:
    known = case.chain.known("survivors")
    sd = None if known.sd is None else _limit(known.sd.values, f"{known.sd.statement}; {LABELLED}")
    return Known(_limit(known.mean.values, f"{known.mean.statement}; {LABELLED}"), sd)


def _mean_error(case: MixtureCase) -> Known:
    """``tr S_k (1 - prod (1 - 1/n))``, n the component's items."""
    sizes = case.refitted("the drift of a component")
    left = np.cumprod(np.vstack([np.ones(sizes.shape[1]), 1 - 1 / np.maximum(sizes, 1)]), axis=0)
    drift = (1 - left[case.at]) * _traces(case.reference)
    return Known(_limit(drift, f"E |mu_t - mu_0|^2 of a normal law; {LABELLED}, {MANY}"))


def _log_det(case: MixtureCase) -> Known:
    """Full: Bartlett's sums; diagonal: as many laws of one dimension."""
    reference, d = case.reference, case.reference.size
    if reference.covariance not in ("full", "diagonal"):
        problem = "covariances are fitted to the items of more than one component or dimension"
        raise PredictionError("reference.covariance", reference.covariance, problem, SIMULATE)
    sizes = case.refitted("the log-determinant of a component")
    together, alike = (d, 1) if reference.covariance == "full" else (1, d)
    try:
        each = [gaussian.log_det(column, 0, case.at, dimensions=together) for column in sizes.T]
    except SpecError as error:
        raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error
    statement = f"{each[0].statement}; {LABELLED}, {MANY}"
    mean = np.stack([alike * found.values for found in each], axis=1) + _log_dets(reference)
    sd = np.stack([np.sqrt(alike * found.variance) for found in each], axis=1)
    return Known(_limit(mean, statement), _limit(sd, statement))


def _diagonals(reference: Any) -> Floats:
    """Diagonals of the factors; [K, d]."""
    d, factors = reference.size, reference.factors
    if reference.covariance in ("full", "tied"):
        factors = factors[:, np.cumsum(np.arange(1, d + 1)) - 1]
    return np.broadcast_to(factors, (reference.components, d))


def _log_dets(reference: Any) -> Floats:
    return np.asarray(2 * np.log(_diagonals(reference)).sum(axis=1))


def _traces(reference: Any) -> Floats:
    """Traces of the covariances; [K]."""
    squares = reference.factors**2
    if reference.covariance == "spherical":
        squares = squares * reference.size
    return np.broadcast_to(squares.sum(axis=1), reference.components)


KNOWN: dict[str, Callable[[MixtureCase], Known]] = {
    "weights": _weights,
    "components_alive": _alive,
    "component_mean_error": _mean_error,
    "component_log_det": _log_det,
}

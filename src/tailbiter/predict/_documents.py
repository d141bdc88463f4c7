# SPDX-License-Identifier: MIT
"""What theory says of a mixture of categorical laws: the limit in which its components are plain."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._variables import FAMILIES
from tailbiter.dataset import generation_coord
from tailbiter.errors import PredictionError
from tailbiter.reference import Probabilities
from tailbiter.spec import Spec
from tailbiter.theory import Predicted, moments

from ._categorical import CategoricalCase
from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record

__all__ = ["DocumentsCase"]

FAMILY = "categorical_mixture"
_PLAIN = "where documents tell their component: components are then the categories of a run of their own"


class DocumentsCase:
    """A Spec, and the run of its components as if they were seen."""

    def __init__(self, spec: Spec, record: Record) -> None:
        reference: Any = spec.reference
        self.weights = reference.weight_vector
        self.categories = int(reference.categories)
        self.made = spec.composition
        self.at = record.at(spec.generations)
        self.names = record.names_of(FAMILY)
        self._spec, self._record = spec, record

    @cached_property
    def labelled(self) -> CategoricalCase:
        """The components as categories; a fit that begins at the model before never revives one, though."""
        from tailbiter.record import Record

        made = self.made
        if made.draw is not None or made.fresh[:-1].any() or made.from_kept[:-1].any():
            kind = self._spec.to_dict(brief=True)["regime"]["kind"]
            problem = (
                "brings back documents of components that no fit revives: their weights have no known mean"
            )
            raise PredictionError("regime", kind, problem, SIMULATE)

        seen = Spec(
            reference=Probabilities(self.weights.tolist()),
            regime=self._spec.regime,
            samples=self._spec.samples,
            generations=self._spec.generations,
        )
        return CategoricalCase(seen, Record(generations=self._record.generations))

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable."""
        if name not in KNOWN:
            raise PredictionError("record.variables", name, "has no known mean", SIMULATE)
        return KNOWN[name](self)

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        variable = FAMILIES[FAMILY].known[name]
        attrs: dict[str, Any] = {"long_name": variable.long_name, "units": variable.units, "valid_min": 0.0}
        return ("generation",) if variable.dim is None else ("generation", variable.dim), attrs

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        about = {"long_name": "component of the reference, as it was given", "units": "1"}
        component = {"component": ("component", np.arange(len(self.weights)), about)}
        return generation_coord(self) | (component if "component" in dims else {})

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Size of the reference."""
        sizes = {"components": len(self.weights), "categories": self.categories}
        return {**sizes, "first_sample": int(self.made.samples[0])}


def _limit(known: Known) -> Known:
    sd = None if known.sd is None else Predicted(known.sd.values, "limit", _PLAIN)
    return Known(Predicted(known.mean.values, "limit", _PLAIN), sd)


def _weights(case: DocumentsCase) -> Known:
    """The mean of a share never moves; its variance does."""
    identity = case.labelled.identity
    mean = np.broadcast_to(case.weights, (len(case.at), len(case.weights))).copy()
    sd = moments.share_sd(identity, case.weights)
    return _limit(Known(Predicted(mean, "exact", ""), sd))


def _alive(case: DocumentsCase) -> Known:
    return _limit(case.labelled.known("survivors"))


KNOWN: dict[str, Callable[[DocumentsCase], Known]] = {"weights": _weights, "components_alive": _alive}

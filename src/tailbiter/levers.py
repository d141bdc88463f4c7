# SPDX-License-Identifier: MIT
"""What shapes the data of a categorical run beside its regime, as plain numbers for an engine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .curation import items_drawn
from .decoding import Decoding
from .estimator import AddK, Discount, GoodTuring, Shrinkage

if TYPE_CHECKING:
    from .estimator import Estimator
    from .spec import Spec

__all__ = ["Levers", "lower_levers", "same"]

PLAIN = Decoding()
RULES = {"weigh": 1, "choice": 2, "best_of": 3, "top": 4}
"""Rules of curation by their number in the core."""

KINDS: dict[type, int] = {AddK: 1, Shrinkage: 2, Discount: 3, GoodTuring: 4}
"""Estimators by their number in the core; all others count 0, as they are."""


@dataclass(frozen=True, eq=False)
class Levers:
    """What an engine does to models before they are sampled.

    Attributes
    ----------
    estimator : int
        Number of the estimator in the core.
    amount : float
        Its k, weight or discount; -1 where the data decide.
    smoothed : bool
        Whether Good-Turing is log-linear, or shrinkage goes toward the model before.
    error_rate : float
        Share of what models put out that lies outside the reference.
    decoding : Decoding
        The cuts.
    curation : int
        Number of the rule in the core; 0 where there is none.
    candidates : int
        Of which one is taken.
    level : uint32[K + 1] or None
        Level of reward by internal id; last, of what lies outside the reference.
    factor : float64[L] or None
        By level of reward.
    drawn : uint64[T + 1] or None
        Items drawn for a batch that keeps the best of them.
    """

    estimator: int = 0
    amount: float = -1.0
    smoothed: bool = False
    error_rate: float = 0.0
    decoding: Decoding = PLAIN
    curation: int = 0
    candidates: int = 0
    level: npt.NDArray[np.uint32] | None = None
    factor: npt.NDArray[np.float64] | None = None
    drawn: npt.NDArray[np.uint64] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Levers):
            return NotImplemented
        return all(same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, which may be large

    @property
    def none(self) -> bool:
        """Whether models are sampled as they were counted."""
        return self == Levers()

    @property
    def gives_unseen(self) -> bool:
        """Whether a category that is absent from a training set can be sampled from its model."""
        return bool(self.estimator) and self.amount != 0 and not (self.estimator == 2 and self.smoothed)


def same(a: object, b: object) -> bool:
    """Whether two values of a program are equal, bit for bit where they are arrays."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def lower_levers(spec: Spec) -> Levers:
    """Turn the fields of a Spec that shape models into what an engine takes."""
    amount, smoothed = _estimator(spec.estimator)
    return Levers(
        estimator=KINDS.get(type(spec.estimator), 0),
        amount=amount,
        smoothed=smoothed,
        error_rate=spec.error_rate,
        decoding=spec.decoding,
        **_curation(spec),
    )


def _curation(spec: Spec) -> dict[str, Any]:
    """The rule by level of reward, its categories in the engine's order."""
    if spec.curation is None:
        return {}
    rule = spec.curation.levels()
    level = np.append(rule.level[:-1][spec.reference.support.order], rule.level[-1])
    drawn = None if rule.share is None else items_drawn(rule.share, spec.composition)
    return {
        "curation": RULES[rule.kind],
        "candidates": rule.candidates,
        "level": level,
        "factor": rule.factor,
        "drawn": drawn,
    }


def _estimator(value: Estimator) -> tuple[float, bool]:
    """Amount, -1 where the data decide, and whether it is the second of the estimator's two ways."""
    given: float | None = None
    smoothed = False
    if isinstance(value, AddK):
        given = value.k
    elif isinstance(value, Discount):
        given = value.discount
    elif isinstance(value, Shrinkage):
        given, smoothed = value.weight, value.target == "previous"
    elif isinstance(value, GoodTuring):
        smoothed = value.smoothing == "log-linear"
    return -1.0 if given is None else given, smoothed

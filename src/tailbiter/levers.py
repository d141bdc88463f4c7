# SPDX-License-Identifier: MIT
"""What shapes the data of a categorical run beside its regime, as plain numbers for an engine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from .estimator import AddK, Discount, GoodTuring, Shrinkage

if TYPE_CHECKING:
    from .estimator import Estimator
    from .spec import Spec

__all__ = ["Levers", "lower_levers", "same"]

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
    """

    estimator: int = 0
    amount: float = -1.0
    smoothed: bool = False
    error_rate: float = 0.0

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
    )


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

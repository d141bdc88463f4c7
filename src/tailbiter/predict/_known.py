# SPDX-License-Identifier: MIT
"""What is known of a variable, and what a family of models must say to have its runs predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tailbiter.theory import Predicted
from tailbiter.theory._result import Floats

__all__ = ["SIMULATE", "Case", "Known"]

SIMULATE = "simulate it, or leave it out"


@dataclass(frozen=True)
class Known:
    """A variable's expectation, and the spread of one replicate where known.

    Attributes
    ----------
    mean, sd : Predicted
        Shape ``[generations]``, or ``[generations, ...]`` for several at once.
    """

    mean: Predicted
    sd: Predicted | None = None

    def column(self, index: int | slice) -> Known:
        """One of several, or some."""
        return self.each(lambda values: values[:, index])

    def nowhere(self) -> Known:
        """The same of what does not exist."""
        return self.each(lambda values: np.full(values.shape, np.nan))

    def each_mean(self, change: Callable[[Floats], Floats]) -> Known:
        """Change the mean alone, by what leaves errors as they are; the spread is forgotten."""
        mean = self.mean
        return Known(Predicted(change(mean.values), mean.kind, mean.statement, mean.error))

    def each(self, change: Callable[[Floats], Floats]) -> Known:
        """Change means, errors and spreads alike."""
        return Known(_changed(self.mean, change), None if self.sd is None else _changed(self.sd, change))


def _changed(known: Predicted, change: Callable[[Floats], Floats]) -> Predicted:
    error = None if known.error is None else change(known.error)
    return Predicted(change(known.values), known.kind, known.statement, error)


class Case(Protocol):
    """A Spec of one family of models and a Record, before theory."""

    @property
    def names(self) -> tuple[str, ...]:
        """Variables wanted."""

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable; PredictionError if that is nothing."""

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes of the Dataset beside Spec and Record."""

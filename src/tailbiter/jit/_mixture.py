# SPDX-License-Identifier: MIT
"""Mixtures of a user's family: drawn from, fitted and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from tailbiter._core import item as core
from tailbiter.errors import SpecError
from tailbiter.jit import _compile, _rules

if TYPE_CHECKING:
    from tailbiter.jit._family import Family

__all__ = ["Fit", "Law", "MixtureModel", "cells_of"]

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

WHOLE = 1 << 53
_FUNCTIONS = ("log_density", "fit", "sample")  # as _rules numbers them
_WRONG = {
    _rules.NO_DENSITY: (
        "log_density",
        "returns what is no number",
        "return a number, or -inf where the density is 0",
    ),
    _rules.IMPOSSIBLE: (
        "log_density",
        "gives an item of the training set a density of 0 in every component",
        "let fit and sample keep to where the density is positive",
    ),
    _rules.NO_PARAMETER: (
        "fit",
        "leaves a parameter that is not finite",
        "mind items that are all alike, and weights that are nearly 0",
    ),
}


@dataclass(frozen=True, eq=False)
class Law:
    """A mixture: weights ``[K]`` and parameters ``[K, m]``."""

    weights: Floats
    parameters: Floats

    @cached_property
    def cells(self) -> Words:
        """Upper ends of the components' cells in 0..2^53."""
        return cells_of(self.weights)


def cells_of(weights: Floats) -> Words:
    """Cut 0..2^53 into cells as long as the weights say, to within one half.

    The largest takes up what is left; a weight of 0 has no cell.
    """
    lengths = (weights / weights.sum() * WHOLE + 0.5).astype(np.int64)
    lengths[int(np.argmax(weights))] += WHOLE - int(lengths.sum())
    return np.cumsum(lengths).astype(np.uint64)


class Fit(NamedTuple):
    """How a fit went."""

    log_likelihood: float
    iterations: int
    converged: bool


class MixtureModel:
    """Draws from and fits mixtures of one family; see `tailbiter.jit._lineage.Model`.

    Parameters
    ----------
    family : Family
        Compiled here, if it was not yet.
    law : Law
        The reference.
    settings : tuple of float, float, int
        Floor, tolerance and most iterations of a fit.
    wanted : iterable of str
        Variables to record.
    """

    def __init__(
        self, family: Family, law: Law, settings: tuple[float, float, int], wanted: tuple[str, ...] = ()
    ) -> None:
        self.family, self.law, self.settings, self.wanted = family, law, settings, wanted
        self.rules = family.rules
        self.kernels = core.kernels()

    def reference(self) -> Law:
        """Return the law of the human data."""
        return self.law

    def draw(self, law: Law, address: Words, count: int, control: core.Control) -> Floats:
        """Make items 0 to count-1 of a batch."""
        x = self._room(count)
        arguments = (self.kernels, address, law.cells, law.parameters, control.address)
        self._sampled(self.rules.draw, arguments, x, address)
        return x

    def gather(self, law: Law, address: Words, slots: Words, control: core.Control) -> Floats:
        """Make some items of a batch again."""
        x = self._room(len(slots))
        arguments = (address, slots, law.cells, law.parameters, control.address)
        self._sampled(self.rules.gather, arguments, x, address)
        return x

    def fit(self, law: Law, x: Floats, w: Floats, where: str, control: core.Control) -> tuple[Law, Fit]:
        """Return the law that expectation and maximisation lead to from the last one, and how."""
        weights, parameters = law.weights.copy(), law.parameters.copy()
        share = np.empty((len(weights), len(x)))
        arguments = (x, w, weights, parameters, self.settings, control.address)
        code, *how = self._called(self.rules.fit, arguments, (share,), where)
        if code != _rules.FINE:
            self._refuse(code, where)
        return Law(weights, parameters), Fit(*how)

    def outputs(self, rows: tuple[int, int]) -> dict[str, np.ndarray]:
        """Empty arrays for the records, by variable."""
        components, length = self.law.parameters.shape
        axes = {
            "weights": (components,),
            "parameters": (components, length),
            "item_mean": (self.family.dimension,),
            "item_variance": (self.family.dimension,),
        }
        kinds = dict.fromkeys(("iterations", "converged", "components_alive"), np.int32)
        return {
            name: np.empty((*rows, *axes.get(name, ())), kinds.get(name, np.float64)) for name in self.wanted
        }

    def record(self, law: Law, fit: Fit | None, x: Floats | None, w: Floats | None) -> dict[str, Any]:
        """Values of one generation, by variable."""
        how = Fit(np.nan, 0, converged=False) if fit is None else fit
        out = {
            "weights": law.weights,
            "parameters": law.parameters,
            "components_alive": np.count_nonzero(law.weights),
            **how._asdict(),
        }
        return {**out, **moments(x, w)} if {"item_mean", "item_variance"} & set(self.wanted) else out

    def _room(self, count: int) -> Floats:
        d = self.family.dimension
        return np.empty(count if d == 1 else (count, d))

    def _sampled(self, rule: Any, arguments: tuple[Any, ...], x: Floats, address: Words) -> None:
        where = f"generation {int(address[1])} of replicate {int(address[2])}"
        code = self._called(rule, arguments, (x,), where)
        if code == _rules.CANCELLED:
            raise KeyboardInterrupt
        if not np.isfinite(x).all():
            name = _compile.plain(self.family.sample).__name__
            problem, remedy = f"makes an item that is not finite, in {where}", "return finite numbers"
            raise SpecError("reference.laws.sample", name, problem, remedy)

    def _called(self, rule: Any, arguments: tuple[Any, ...], last: tuple[Any, ...], where: str) -> Any:
        """Call what is compiled; what a user's function raises is told as its own."""
        stage = np.zeros(1, np.int64)
        try:
            return rule(*arguments, stage, *last)
        except MemoryError:
            raise
        except Exception as error:  # a function of the user's may raise anything
            name = _FUNCTIONS[stage[0]]
            function = getattr(self.family, name)
            raise _compile.raised(f"reference.laws.{name}", function, error, where) from error

    def _refuse(self, code: int, where: str) -> NoReturn:
        if code == _rules.CANCELLED:
            raise KeyboardInterrupt
        name, problem, remedy = _WRONG[code]
        function = _compile.plain(getattr(self.family, name)).__name__
        raise SpecError(f"reference.laws.{name}", function, f"{problem}, in {where}", remedy)


def moments(x: Floats | None, w: Floats | None) -> dict[str, Any]:
    """Mean and variance of a training set's items, by dimension; NaN where there is none."""
    if x is None or w is None:
        return {"item_mean": np.nan, "item_variance": np.nan}
    items = x.reshape(len(x), -1)
    total = w.sum()
    mean = (w @ items) / total
    return {"item_mean": mean, "item_variance": (w @ (items - mean) ** 2) / total}

# SPDX-License-Identifier: MIT
"""Kernel densities: a model is its training set, smoothed by a normal kernel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tailbiter._core import fmath
from tailbiter._core import item as core
from tailbiter.jit import _compile, _rules, draws
from tailbiter.jit._mixture import cells_of, moments

__all__ = ["KernelModel", "Kernels", "silverman"]

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

_ALIKE = np.zeros(0, np.uint64)
_SMALL = 2.0**-53


@dataclass(frozen=True, eq=False)
class Kernels:
    """Points, one bandwidth for each dimension, and whose turn it is.

    Attributes
    ----------
    table : float64[n + 1, d]
        The points, then a row of bandwidths.
    cells : uint64[n] or uint64[0]
        Upper ends of the points' cells in 0..2^53; none where points weigh alike.
    weights : float64[n] or None
        Of the points; None where they weigh alike.
    """

    table: Floats
    cells: Words
    weights: Floats | None

    @classmethod
    def of(cls, points: Floats, bandwidth: Floats, weights: Floats | None = None) -> Kernels:
        """Join points and bandwidths."""
        alike = weights is None or bool((weights == weights[0]).all())
        table = np.concatenate([points, bandwidth[None]])
        if alike or weights is None:
            return cls(table, _ALIKE, None)
        return cls(table, cells_of(weights), weights)

    @property
    def bandwidth(self) -> Floats:
        """Standard deviation of the kernel in each dimension."""
        return self.table[-1]

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and variance in each dimension: those of the points, and the kernel's variance more."""
        points = self.table[:-1]
        weights = np.ones(len(points)) if self.weights is None else self.weights
        found = moments(points, weights)
        return found["item_mean"], found["item_variance"] + self.bandwidth**2


def silverman(x: Floats, w: Floats) -> Floats:
    """Silverman's rule (1986, eq. 4.14) in each dimension: sd (4 / ((d + 2) n))^(1 / (d + 4)).

    Parameters
    ----------
    x : float64[n, d]
        Items.
    w : float64[n]
        Their weights; n becomes ``(sum w)^2 / sum w^2``.
    """
    d = x.shape[1]
    count = w.sum() ** 2 / (w**2).sum()
    base, power = np.array([4.0 / ((d + 2) * count)]), np.array([1.0 / (d + 4)])
    deviation: Floats = np.sqrt(moments(x, w)["item_variance"])
    return deviation * fmath.pow_array(base, power)[0]


class KernelModel:
    """Draws from and fits kernel densities; see `tailbiter.jit._lineage.Model`.

    Parameters
    ----------
    law : Kernels
        The reference.
    bandwidth : float64[d] or None
        Of the models; None for Silverman's rule.
    scale : float
        What either is multiplied by.
    wanted : tuple of str
        Variables to record.
    """

    def __init__(
        self, law: Kernels, bandwidth: Floats | None, scale: float, wanted: tuple[str, ...] = ()
    ) -> None:
        self.law, self.bandwidth, self.scale, self.wanted = law, bandwidth, scale, wanted
        self.draw_rule, self.gather_rule = _compiled()
        self.kernels = core.kernels()

    def reference(self) -> Kernels:
        """Return the law of the human data."""
        return self.law

    def draw(self, law: Kernels, address: Words, count: int, control: core.Control) -> Floats:
        """Make items 0 to count-1 of a batch."""
        arguments = (self.kernels, address, law.cells, law.table, control.address)
        return self._made(self.draw_rule, arguments, count)

    def gather(self, law: Kernels, address: Words, slots: Words, control: core.Control) -> Floats:
        """Make some items of a batch again."""
        arguments = (address, slots, law.cells, law.table, control.address)
        return self._made(self.gather_rule, arguments, len(slots))

    def _made(self, rule: Any, arguments: tuple[Any, ...], count: int) -> Floats:
        x = np.empty((count, self.law.table.shape[1]))
        if rule(*arguments, np.zeros(1, np.int64), x) == _rules.CANCELLED:
            raise KeyboardInterrupt
        return x

    def fit(
        self, law: Kernels, x: Floats, w: Floats, where: str, control: core.Control
    ) -> tuple[Kernels, None]:
        """Return the training set, smoothed."""
        del law, where, control  # a training set is all there is
        bandwidth = silverman(x, w) if self.bandwidth is None else self.bandwidth
        return Kernels.of(x, self.scale * bandwidth, w), None

    def outputs(self, rows: tuple[int, int]) -> dict[str, np.ndarray]:
        """Empty arrays for the records, by variable."""
        return {name: np.empty((*rows, self.law.table.shape[1])) for name in self.wanted}

    def record(self, law: Kernels, fit: None, x: Floats | None, w: Floats | None) -> dict[str, Any]:
        """Values of one generation, by variable."""
        del fit, x, w  # the law holds them
        mean, variance = law.moments()
        return {"bandwidth": law.bandwidth, "mean": mean, "variance": variance}


@cache
def _compiled() -> tuple[Any, Any]:
    """Draws of a batch and of single items."""
    identity = _compile.keep_by()
    one = _compile.specialised(_one, identity, inner=True)
    return (
        _compile.specialised(_rules.make_draw(one), f"{identity}, kernels"),
        _compile.specialised(_rules.make_gather(one), f"{identity}, kernels"),
    )


def _one(word: Any, at: Any, cells: Any, table: Any, out: Any, i: Any) -> Any:
    """A point, whose turn the first word says, and a normal step in each dimension."""
    n = len(table) - 1
    if len(cells) == 0:
        k = min(np.int64((word >> np.uint64(11)) * _SMALL * n), n - 1)
    else:
        k = np.searchsorted(cells, word >> np.uint64(11), side="right")
    for j in range(table.shape[1]):
        out[i, j] = table[k, j] + table[n, j] * draws.normal(at)

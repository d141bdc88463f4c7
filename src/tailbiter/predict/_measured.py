# SPDX-License-Identifier: MIT
"""What is measured of models, one a row: the variables of a run by their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from tailbiter._variables import FLOOR
from tailbiter.dataset import band_totals
from tailbiter.theory._result import Floats

if TYPE_CHECKING:
    from tailbiter.program import Program
    from tailbiter.reference import HeldOut

__all__ = ["MEASURED", "OF_PRESENCE", "Models"]


class Models(NamedTuple):
    """Models, one a row, and what they were fitted to; categories from common to rare.

    Attributes
    ----------
    program : Program
        The reference, its bands and groups, and held-out data.
    present : float64[rows, K]
        1 where a category is in the training set, else 0.
    p : float64[rows, K]
        Probabilities given that an item is right; NaN where none is.
    wrong : float64[rows]
        Share of the training set that lies outside the reference.
    """

    program: Program
    present: Floats
    p: Floats
    wrong: Floats

    @property
    def q(self) -> Floats:
        """The reference."""
        return np.asarray(self.program.weights / float(self.program.weights.sum()))

    @property
    def bands(self) -> Floats:
        """1 where a category is of a band, ``[K, bands]``."""
        sizes = band_totals(self.program)[0]
        return np.repeat(np.eye(len(sizes))[::-1], sizes[::-1], axis=0)

    @property
    def groups(self) -> Floats:
        """1 where a category is of a group, ``[K, groups]``."""
        return np.eye(len(self.program.group_names))[np.asarray(self.program.group)]

    @property
    def tail(self) -> Floats:
        """1 where a category is of the tail; NaN everywhere if there is none."""
        inside = np.arange(self.program.categories) >= self.program.tail_start
        return np.where(inside, 1.0, 0.0) if inside.any() else np.full(len(inside), np.nan)

    @property
    def held_out(self) -> HeldOut:
        """Held-out data; there are some, or nothing of them would be wanted."""
        return cast("HeldOut", self.program.held_out)

    @property
    def h(self) -> Floats:
        """Held-out shares of the reference's categories."""
        return np.asarray(self.held_out.tokens / self.held_out.total)


def _log(values: Floats) -> Floats:
    return np.log(np.where(values > 0, values, 1.0))


def _entropy(of: Models) -> Floats:
    return -np.sum(of.p * _log(of.p), axis=1)


def _kl(of: Models) -> Floats:
    return np.sum(of.p * (_log(of.p) - np.log(of.q)), axis=1)


def _oov_types(of: Models) -> Floats:
    return 1.0 - of.present @ (of.held_out.tokens > 0) / of.held_out.types


def _held_out_coverage(of: Models) -> Floats:
    of_band = of.bands * of.h[:, None]
    total = of_band.sum(axis=0)
    return of.present @ np.divide(of_band, total, out=np.full(of_band.shape, np.nan), where=total > 0)


def _held_out_brier(of: Models) -> Floats:
    return np.sum((of.p - of.h) ** 2, axis=1) + of.held_out.squares_outside


def _cross_entropy(of: Models) -> Floats:
    outside = 1.0 - float(of.h.sum())
    return -(np.log(np.maximum(of.p, FLOOR)) @ of.h + outside * np.log(FLOOR))


def _cross_entropy_excess(of: Models) -> Floats:
    return _cross_entropy(of) - _cross_entropy(of._replace(p=of.q[None]))


def _head_variation(of: Models) -> Floats:
    head = of.p[:, : of.program.tail_start]
    total, of_reference = head.sum(axis=1, keepdims=True), of.q[: of.program.tail_start]
    with np.errstate(invalid="ignore"):
        return np.sum(np.maximum(head / total - of_reference / of_reference.sum(), 0.0), axis=1)


OF_PRESENCE: dict[str, Callable[[Models], Floats]] = {
    "survivors": lambda of: of.present.sum(axis=1),
    "coverage": lambda of: of.present @ of.q,
    "tail_survivors": lambda of: of.present @ of.tail,
    "tail_coverage": lambda of: of.present @ (of.tail * of.q),
    "band_survivors": lambda of: of.present @ of.bands,
    "group_survivors": lambda of: of.present @ of.groups,
    "oov_tokens": lambda of: 1.0 - of.present @ of.h,
    "oov_types": _oov_types,
    "held_out_coverage": _held_out_coverage,
}
"""What follows from which categories are present."""

MEASURED: dict[str, Callable[[Models], Floats]] = {
    **OF_PRESENCE,
    "entropy": _entropy,
    "gini_simpson": lambda of: 1.0 - np.sum(of.p**2, axis=1),
    "largest_share": lambda of: of.p.max(axis=1),
    "kl": _kl,
    "total_variation": lambda of: np.sum(np.abs(of.p - of.q), axis=1) / 2.0,
    "brier": lambda of: np.sum((of.p - of.q) ** 2, axis=1),
    "tail_mass": lambda of: of.p @ of.tail,
    "band_mass": lambda of: of.p @ of.bands,
    "group_mass": lambda of: of.p @ of.groups,
    "wrong_mass": lambda of: of.wrong,
    "held_out_brier": _held_out_brier,
    "overconfidence": lambda of: np.sum(of.p**2, axis=1) - of.p @ of.h,
    "cross_entropy_floor_1e_9": _cross_entropy,
    "cross_entropy_excess_floor_1e_9": _cross_entropy_excess,
    "head_total_variation": _head_variation,
}
"""All but what takes two generations, and ties between probabilities."""

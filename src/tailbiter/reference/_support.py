# SPDX-License-Identifier: MIT
"""The support of a reference: its categories as whole-number weights."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import Described, as_dict
from ..errors import SpecError
from ._traits import CATEGORICAL, MAX_TOTAL, Traits

MAX_CATEGORIES = 10**7
_SOME = 2**16  # what is worked on stays in the cache

Labels = npt.NDArray[np.object_]
Where = Callable[[int], str]
"""Says where item i of a table stands, for messages."""


@dataclass(frozen=True, eq=False)
class Support:
    """Categories of positive weight, in the order of the user's table.

    Attributes
    ----------
    weights : uint64[K]
        Positive whole weights; their total is at most 2**53.
    position : int64[K]
        Where each category stands in the table.
    labels : object[K] of str, or None
        The categories' names.
    """

    weights: npt.NDArray[np.uint64]
    position: npt.NDArray[np.int64]
    labels: Labels | None = None

    @property
    def total(self) -> int:
        """Sum of the weights."""
        return int(self.weights.sum())

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """Indices of the categories by weight, descending, ties by place; int64[K], made once."""
        weights = self.weights
        if not self._descend:
            order = np.argsort(weights.max() - weights, kind="stable")
        elif self.position[-1] + 1 == len(weights):  # none was dropped
            order = self.position
        else:
            order = np.arange(len(weights))
        order.flags.writeable = False
        return order

    @cached_property
    def ranked(self) -> npt.NDArray[np.uint64]:
        """The weights, descending; uint64[K], made once."""
        ranked = self.weights if self._descend else self.weights[self.order]
        ranked.flags.writeable = False
        return ranked

    @cached_property
    def _descend(self) -> bool:
        """Whether the weights do, as those of most laws."""
        return bool(np.all(self.weights[:-1] >= self.weights[1:]))

    def __len__(self) -> int:
        return len(self.weights)


class Reference(Described, frozen=True, dict=True, tag_field="kind"):
    """The human distribution: generation 0."""

    @property
    def traits(self) -> Traits:
        """What a Spec must know of the family of models that is fitted to it."""
        raise NotImplementedError

    @property
    def family(self) -> str:
        """Name of the family of models that is fitted to it."""
        return self.traits.family

    @cached_property
    def support(self) -> Support:
        """The categories as whole-number weights; worked out once.

        Raises
        ------
        SpecError
            If there are no categories, or a positive value is too small beside the others to keep a weight.
        """
        return self._support()

    def _support(self) -> Support:
        raise SpecError("reference", self, "has no categories", "give Counts, Probabilities, Zipf, ...")

    def to_dict(self, *, folder: str | os.PathLike[str] | None = None, brief: bool = False) -> dict[str, Any]:
        """Return the reference as plain data.

        Parameters
        ----------
        folder : path, optional
            Files at or below it are named relative to it.
        brief : bool, default False
            Name a large table that no file holds by its digest only. Such data cannot be read back.
        """
        del folder, brief  # no file, and small
        return as_dict(self)

    def canonical(self, *, labels: bool = True) -> dict[str, Any]:
        """Return plain data that names the content, defaults left out, with or without labels."""
        del labels  # there are none
        return self._content

    @cached_property
    def _content(self) -> dict[str, Any]:
        """Shared by all who ask, and not to be changed."""
        return as_dict(self, defaults=False)


class Categorical(Reference, frozen=True):
    """A reference with categories."""

    @property
    def traits(self) -> Traits:
        """What a Spec must know of models with categories."""
        return CATEGORICAL

    def _support(self) -> Support:
        raise NotImplementedError


def support_of(weights: npt.NDArray[np.uint64], labels: Labels | None = None) -> Support:
    """Keep the positive weights."""
    if weights.all():
        position = np.arange(len(weights))
    else:
        position = np.flatnonzero(weights)
        weights = weights[position]
        labels = labels if labels is None else labels[position]
    for array in (weights, position):
        array.flags.writeable = False
    return Support(weights, position, labels)


def quantise(
    values: npt.NDArray[np.float64], where: Where, remedy: str, *, positive: bool = False
) -> npt.NDArray[np.uint64]:
    """Turn real values into whole weights.

    The values are multiplied by the largest power of two for which the total of the results, rounded half up,
    is at most 2**53. A zero stays zero.

    Parameters
    ----------
    values : float64[n]
        Finite, not negative, not all zero.
    where : callable
        Names item i, for the message.
    remedy : str
        What to do if a value is too small.
    positive : bool, default False
        Whether all values stand for positive ones, so that a zero is one that was lost to underflow.

    Raises
    ------
    SpecError
        If a positive value would round to zero.
    """
    down = 64 if values.max() >= 2.0**960 else 0  # the sum of many could overflow
    share, power = np.frexp(_by_power(values, -down).sum() if down else values.sum())
    # From share * 2**54 rounding moves the total by less than 2**23.
    shift = (54 if share < 0.5 + 2.0**-28 else 53) - int(power) - down
    weights = _half_up(values, shift)
    while int(weights.sum()) > MAX_TOTAL:
        shift -= 1
        weights = _half_up(values, shift)
    lost = np.flatnonzero(weights == 0 if positive else (weights == 0) & (values > 0))
    if lost.size:
        at = int(lost[0])
        problem = f"is too small beside the others: it would round to zero of 2**53 ({len(lost):,} such)"
        raise SpecError(where(at), float(values[at]), problem, remedy)
    return weights


def _half_up(values: npt.NDArray[np.float64], shift: int) -> npt.NDArray[np.uint64]:
    """Round ``values * 2**shift`` half up, some at a time; adding 0.5 first would round twice."""
    weights = np.empty(len(values), np.uint64)
    for first in range(0, len(values), _SOME):
        rest = _by_power(values[first : first + _SOME], shift)
        low = np.floor(rest)
        rest -= low
        low += rest >= 0.5
        weights[first : first + _SOME] = low
    return weights


def _by_power(values: npt.NDArray[np.float64], power: int) -> npt.NDArray[np.float64]:
    """Return ``values * 2**power``; a product is a few times faster than `numpy.ldexp`."""
    return values * 2.0**power if -1022 <= power <= 1023 else np.ldexp(values, power)


def content_digest(array: npt.NDArray[Any], labels: Labels | None = None) -> str:
    """Return the SHA-256 of numbers (little-endian, 8 bytes each), labels' lengths and labels (UTF-8)."""
    digest = hashlib.sha256(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    if labels is not None:
        digest.update(np.fromiter(map(len, labels), "<i8", len(labels)).tobytes())
        digest.update("".join(labels).encode())
    return digest.hexdigest()

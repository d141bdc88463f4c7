# SPDX-License-Identifier: MIT
"""How many items are newly drawn for each generation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ._checks import SET, Described, is_list, make, number, whole
from .errors import SpecError

__all__ = ["MAX_SAMPLES", "Growth"]

MAX_SAMPLES = 10**15
"""Of any family of models; some take less."""
_REMEDY = "give a whole number such as 200000"


class Growth(Described, frozen=True):
    """Samples that grow (or shrink) from one generation to the next.

    The size is carried as a real number, ``x <- min(most, x * factor + step)`` in IEEE double precision, and
    generation t draws ``floor(x + 1/2)`` items.

    Parameters
    ----------
    first : int
        Samples of generation 1, from 1 to 1e12 (1e15 for Gaussians).
    factor : float, default 1.0
        Multiplies the size at every generation.
    step : float, default 0.0
        Added after multiplying, in items.
    most : int, optional
        The size never exceeds this.

    Raises
    ------
    SpecError
        For a value out of range.

    Examples
    --------
    >>> Growth(first=100, factor=1.5, most=300).sizes(4).tolist()
    [100, 150, 225, 300]
    """

    first: int
    factor: float = 1.0
    step: float = 0.0
    most: int | None = None

    def __post_init__(self) -> None:
        SET(self, "first", whole(self.first, "samples.first", 1, MAX_SAMPLES, _REMEDY))
        factor = number(self.factor, "samples.factor", "give a factor such as 1.01")
        if factor <= 0:
            raise SpecError("samples.factor", factor, "is not positive", "give a factor such as 1.01")
        SET(self, "factor", factor)
        SET(self, "step", number(self.step, "samples.step", "give a number of items such as 1000"))
        if self.most is not None:
            remedy = "give a whole number not below samples.first, or leave it out"
            SET(self, "most", whole(self.most, "samples.most", self.first, MAX_SAMPLES, remedy))

    def sizes(self, count: int, limit: int = MAX_SAMPLES) -> npt.NDArray[np.uint64]:
        """Return the sizes of generations 1 to ``count``, shape ``[count]``.

        Raises
        ------
        SpecError
            If a generation would have less than one item or more than ``limit``.
        """
        out = np.empty(count, np.uint64)
        most = math.inf if self.most is None else float(self.most)
        size = float(self.first)
        for index in range(count):
            rounded = size + 0.5  # may be infinite
            if not 1 <= rounded < limit + 1:
                problem = f"gives generation {index + 1} {size:.6g} samples, outside 1 to {limit:,}"
                raise SpecError("samples", self, problem, "set most, or a factor and step nearer to 1 and 0")
            drawn = out[index] = math.floor(rounded)
            following = min(most, size * self.factor + self.step)
            if following == size:
                out[index:] = drawn
                break
            size = following
        return out


Samples = int | tuple[int, ...] | Growth


def as_samples(value: object, limit: int = MAX_SAMPLES) -> Samples:
    """Normalise what a user may write for ``samples``, no more than ``limit`` of them."""
    if isinstance(value, Growth):
        return value
    if isinstance(value, Mapping):
        return make(Growth, value, "samples")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if is_list(value):
        if not value:
            raise SpecError("samples", value, "is empty", "give one size for every generation")
        return tuple(whole(item, f"samples[{index}]", 1, limit, _REMEDY) for index, item in enumerate(value))
    return whole(value, "samples", 1, limit, _REMEDY)


def sizes(samples: Samples, generations: int, limit: int = MAX_SAMPLES) -> npt.NDArray[np.uint64]:
    """Return the batch sizes of generations 1 to ``generations + 1``.

    The last entry is 0 where a list does not say it: the batch drawn from the last model is then undefined.
    """
    if isinstance(samples, Growth):
        return samples.sizes(generations + 1, limit)
    if isinstance(samples, int):
        return np.full(generations + 1, samples, np.uint64)
    if len(samples) < generations:
        problem = f"has {len(samples)} entries for {generations} generations"
        raise SpecError("samples", list(samples), problem, "give an entry for every generation, or a Growth")
    out = np.zeros(generations + 1, np.uint64)
    given = samples[: generations + 1]
    out[: len(given)] = given
    return out

# SPDX-License-Identifier: MIT
"""From what varies to a column of values for each field: one entry per cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tailbiter._checks import whole
from tailbiter.errors import SpecError

from ._range import MAX_CELLS, Range

__all__ = ["DESIGNS", "Axis", "columns_of", "count_cells"]

DESIGNS = ("product", "zip", "latin_hypercube", "sobol")
Axis = Range | tuple[Any, ...]
Columns = dict[str, Sequence[Any]]


def count_cells(lengths: Mapping[str, int], design: str) -> int:
    """Say how many cells a product or a zip makes, before any is made.

    Raises
    ------
    SpecError
        For too many, or for columns of unequal length.
    """
    if design == "zip":
        (first, count), *others = lengths.items()
        for name, length in others:
            if length != count:
                problem = f"has {length:,} values, {first} has {count:,}"
                raise SpecError(
                    f"sweep.vary.{name}", length, problem, 'make them alike, or design = "product"'
                )
    else:
        count = math.prod(lengths.values())
    if count > MAX_CELLS:
        shown = " x ".join(f"{length:,}" for length in lengths.values())
        raise SpecError(
            "sweep.vary", shown, f"makes {count:,} cells, more than {MAX_CELLS:,}", "vary less at a time"
        )
    return count


def columns_of(
    axes: Mapping[str, Axis], design: str, points: int | None, seed: int, wholes: set[str]
) -> Columns:
    """Return the values of every field: along its own dim for a product, for every cell otherwise.

    Parameters
    ----------
    axes : mapping of str to Range or tuple
        What varies.
    design : str
        One of `DESIGNS`.
    points : int or None
        Cells of a Latin hypercube or Sobol design.
    seed : int
        Of such a design.
    wholes : set of str
        Fields that take whole numbers.
    """
    spread = design in ("latin_hypercube", "sobol")
    if spread != (points is not None):
        problem = f"is for Latin hypercube and Sobol designs, this is {design}"
        if spread:
            problem = "is missing"
        raise SpecError(
            "sweep.points", points, problem, "give points = 64, say" if spread else "leave it out"
        )
    if spread:
        shares = _shares(len(axes), design, _points(points, design), seed)
        return {
            name: _taken(axis, shares[:, i], name in wholes) for i, (name, axis) in enumerate(axes.items())
        }
    count_cells({name: _length(axis) for name, axis in axes.items()}, design)
    return {
        name: _listed(name, axis, name in wholes) if isinstance(axis, Range) else axis
        for name, axis in axes.items()
    }


def _listed(name: str, axis: Range, integers: bool) -> tuple[Any, ...]:
    try:
        return axis.values(whole=integers)
    except SpecError as error:
        field = error.field.replace("range", f"sweep.vary.{name}", 1)
        raise SpecError(field, error.value, error.problem, error.remedy) from error


def _length(axis: Axis) -> int:
    if isinstance(axis, Range):
        return axis.count or (1 if axis.step is None else int((axis.stop - axis.start) / axis.step) + 1)
    return len(axis)


def _points(points: int | None, design: str) -> int:
    remedy = "give a number of cells such as 64"
    count = whole(points, "sweep.points", 1, MAX_CELLS, remedy)
    if design == "sobol" and count & (count - 1):
        nearest = 1 << max(0, count.bit_length() - 1)
        problem = "is no power of two, and a Sobol design of other sizes is not balanced"
        raise SpecError("sweep.points", count, problem, f"give {nearest} or {2 * nearest}")
    return count


def _shares(dimensions: int, design: str, points: int, seed: int) -> np.ndarray:
    """Points of the unit cube; their bits are scipy's."""
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    if design == "sobol":
        return qmc.Sobol(dimensions, scramble=True, rng=rng).random_base2(points.bit_length() - 1)
    return qmc.LatinHypercube(dimensions, rng=rng).random(points)


def _taken(axis: Axis, shares: np.ndarray, integers: bool) -> tuple[Any, ...]:
    """Values of a range at these shares of its way; of a list, those whose turn it is."""
    if isinstance(axis, Range):
        return axis.spread(shares, whole=integers)
    return tuple(axis[int(share * len(axis))] for share in shares.tolist())

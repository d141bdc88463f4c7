# SPDX-License-Identifier: MIT
"""Covariances and tables of numbers, checked: what all normal laws have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import is_list, number
from ..errors import DataError, SpecError
from ._matrix import Matrix

MAX_DIMENSIONS = 200
COVARIANCE = "give a variance, one for each dimension, or a symmetric matrix"
# Beyond these, squares of standard deviations and distances would leave the doubles.
VARIANCES = (1e-300, 1e300)
# Rounding of the matrix product or file that a covariance came from.
_ASYMMETRY = 1e-12
_EPSILON = 2.0**-52

Floats = npt.NDArray[np.float64]


def cholesky(matrix: Floats) -> tuple[Floats, int | None, float]:
    """Return the lower factor, the first row that spoils it (or None) and what was left of its variance.

    A row spoils it if no more is left of its variance than rounding could make. Products and differences of
    doubles, one by one: the same bits on every machine.
    """
    d = len(matrix)
    left = matrix.copy()
    factor = np.zeros_like(left)
    for j in range(d):
        pivot = float(left[j, j])
        if not pivot > 4 * d * _EPSILON * float(matrix[j, j]):
            return factor, j, pivot
        column = left[j:, j] / np.sqrt(pivot)
        factor[j:, j] = column
        left[j:, j:] -= np.multiply.outer(column, column)
    return factor, None, 0.0


def frozen(array: Floats) -> Floats:
    """The array, for reading only."""
    array.flags.writeable = False
    return array


def plain(value: object) -> Any:
    """Arrays as lists."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def list_of(value: object, d: int, field: str, remedy: str) -> Sequence[Any]:
    """Refuse what is no list of ``d`` items."""
    if not is_list(value):
        raise SpecError(field, value, "is not a number or a list of numbers", remedy)
    if len(value) != d:
        problem = f"is the number of its entries, where {d} {'was' if d == 1 else 'were'} expected"
        raise SpecError(field, len(value), problem, remedy)
    return value


def variance(
    value: object, field: str, limits: tuple[float, float] = VARIANCES, remedy: str = COVARIANCE
) -> float:
    """Return a variance as a float, or raise a SpecError."""
    result = number(value, field, remedy)
    if result <= 0:
        raise SpecError(field, result, "is not positive", "give a variance above 0")
    if not limits[0] <= result <= limits[1]:
        problem = f"is outside {limits[0]:g} to {limits[1]:g}"
        raise SpecError(field, result, problem, "measure in other units")
    return result


def as_square(
    value: object,
    d: int,
    field: str,
    limits: tuple[float, float] = VARIANCES,
    remedy: str = COVARIANCE,
) -> Floats:
    """Finite, square, of positive variances, symmetric but for rounding; then symmetric to the bit."""
    matrix = np.empty((d, d))
    for i, row in enumerate(list_of(value, d, field, remedy)):
        for j, item in enumerate(list_of(row, d, f"{field}[{i}]", remedy)):
            matrix[i, j] = number(item, f"{field}[{i}][{j}]", remedy)
        variance(matrix[i, i], f"{field}[{i}][{i}]", limits)
    deviation = np.sqrt(np.diagonal(matrix))
    apart = np.abs(matrix - matrix.T) > _ASYMMETRY * np.multiply.outer(deviation, deviation)
    if apart.any():
        i, j = (int(k) for k in np.argwhere(apart)[0])
        problem = f"differs from [{j}][{i}], which is {matrix[j, i]:g}: the matrix is not symmetric"
        raise SpecError(f"{field}[{i}][{j}]", float(matrix[i, j]), problem, "make them equal")
    return np.tril(matrix) + np.tril(matrix, -1).T


def refuse_indefinite(matrix: Floats, field: str) -> None:
    """Refuse a matrix that is not positive definite."""
    _, bad, left = cholesky(matrix)
    if bad is None:
        return
    whole = float(matrix[bad, bad])
    problem = f"is no more than the dimensions before it explain ({whole - left:g}): not positive definite"
    remedy = "give a larger variance, or smaller covariances"
    raise SpecError(f"{field}[{bad}][{bad}]", whole, problem, remedy)


def refuse_wide(rows: Matrix, most: int) -> None:
    """Refuse more columns than dimensions can be."""
    d = rows.values.shape[1]
    if d > most:
        remedy = f"name up to {most} of them"
        raise DataError(str(rows.path), d, f"columns of numbers exceed {most}", remedy)


def refuse_numbers(rows: Matrix, most: float = math.inf) -> None:
    """Refuse numbers that are not finite, and those beyond the largest that can be used."""
    values = rows.values
    for bad, problem in (
        (~np.isfinite(values), "is not a finite number"),
        (np.abs(values) > most, f"is beyond {most:g}"),
    ):
        found = np.argwhere(bad)
        if len(found):
            row, column = (int(k) for k in found[0])
            raise DataError(rows.where(row, column), float(values[row, column]), problem, "leave the row out")


def refuse_gaps(rows: Matrix) -> None:
    """Refuse numbers that are not finite, and columns that never change."""
    refuse_numbers(rows)
    values = rows.values
    for j in range(values.shape[1]):
        if (values[:, j] == values[0, j]).all():
            problem = "is a column with the same value in every row"
            raise DataError(str(rows.path), rows.names[j], problem, "leave the column out")

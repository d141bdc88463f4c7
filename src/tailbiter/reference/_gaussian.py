# SPDX-License-Identifier: MIT
"""A normal law in any number of dimensions. No function of the platform's mathematical library decides it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .._checks import SET, is_list, number, whole
from ..errors import DataError, SpecError
from ._covariance import (
    COVARIANCE,
    MAX_DIMENSIONS,
    Floats,
    as_square,
    cholesky,
    frozen,
    list_of,
    plain,
    refuse_gaps,
    refuse_indefinite,
    refuse_wide,
    variance,
)
from ._files import Column
from ._matrix import Matrix, as_matrix
from ._support import Reference
from ._traits import Traits, gaussian_traits

_DIMENSIONS = "give a number of dimensions such as 2"
_MEAN = "give a number, or one for each dimension"
# Beyond it, squares of distances would leave the doubles.
_MOST_MEAN = 1e150
Vector = float | tuple[float, ...]


class Gaussian(Reference, frozen=True, tag="gaussian"):
    """A normal law in one or more dimensions; its models are normal laws fitted to samples.

    Parameters
    ----------
    mean : float or sequence of float, shape [d], default 0.0
        One number stands for all dimensions.
    covariance : float, sequence of float, shape [d], or of shape [d, d], default 1.0
        One variance for all dimensions; one for each; or a symmetric positive definite matrix.
    dimensions : int, optional
        From 1 to 200; as many as mean or covariance have if left out, else 1.

    Raises
    ------
    SpecError
        For a mean that is not finite, a covariance that is not symmetric or not positive definite, or
        dimensions that do not match.

    Notes
    -----
    Equal laws are equal however they were written: a diagonal matrix is kept as its diagonal, a diagonal of
    equal variances as one. Off-diagonal elements that differ from their mirror images by no more than 1e-12
    of the standard deviations' product are rounding: the lower triangle counts.

    Examples
    --------
    >>> Gaussian(dimensions=3)
    Gaussian(mean=0.0, covariance=1.0, dimensions=3)
    >>> Gaussian(covariance=[[4, 2], [2, 5]]).factor.tolist()
    [2.0, 1.0, 2.0]
    >>> Gaussian(covariance=[[4, 0], [0, 4]]) == Gaussian(covariance=4, dimensions=2)
    True
    """

    mean: Vector = 0.0
    covariance: Vector | tuple[tuple[float, ...], ...] = 1.0
    dimensions: int | None = None

    def __post_init__(self) -> None:
        mean, covariance = plain(self.mean), plain(self.covariance)
        if self.dimensions is None:
            sizes = [len(value) for value in (mean, covariance) if is_list(value) and value]
            SET(self, "dimensions", max(sizes, default=1))
        field = "reference.dimensions"
        SET(self, "dimensions", whole(self.dimensions, field, 1, MAX_DIMENSIONS, _DIMENSIONS))
        SET(self, "mean", _as_mean(mean, self.size))
        if is_list(covariance) and any(is_list(row) for row in covariance):
            matrix = as_square(covariance, self.size, "reference.covariance")
            diagonal = np.diagonal(matrix)
            if np.count_nonzero(matrix) > self.size:
                SET(self, "covariance", tuple(map(tuple, matrix.tolist())))
                refuse_indefinite(matrix, "reference.covariance")
                return
            covariance = diagonal.tolist()
        SET(self, "covariance", _as_variances(covariance, self.size))

    @property
    def traits(self) -> Traits:
        """What a Spec must know of Gaussians."""
        return gaussian_traits(self.size)

    @property
    def size(self) -> int:
        """Number of dimensions, d."""
        return self.dimensions or 1

    @cached_property
    def mean_vector(self) -> Floats:
        """The mean; float64[d]."""
        return frozen(np.broadcast_to(np.array(self.mean, np.float64), self.size).copy())

    @cached_property
    def factor(self) -> Floats:
        """Lower Cholesky factor of the covariance, row by row; float64[d (d + 1) / 2]."""
        if isinstance(self.covariance, tuple) and isinstance(self.covariance[0], tuple):
            full, _, _ = cholesky(np.array(self.covariance))
        else:
            full = np.diag(np.sqrt(np.broadcast_to(np.array(self.covariance, np.float64), self.size)))
        return frozen(full[np.tril_indices(self.size)])

    def __repr__(self) -> str:
        short = isinstance(self.mean, float) and isinstance(self.covariance, float)
        if short or self.size <= 3:
            return f"Gaussian(mean={self.mean}, covariance={self.covariance}, dimensions={self.dimensions})"
        return f"<Gaussian: {self.size} dimensions>"

    @classmethod
    def fit(
        cls,
        table: str | os.PathLike[str] | npt.ArrayLike | Matrix,
        columns: Column | Sequence[Column] | None = None,
        *,
        ddof: int = 0,
    ) -> Gaussian:
        """Fit a normal law to the rows of a table.

        Parameters
        ----------
        table : path or array, shape [n, d]
            CSV or TSV (UTF-8, with a header or without), Parquet or ``.npy``, as for `Counts.read`; or the
            numbers themselves.
        columns : str or int, or a sequence of them, optional
            Columns by name or by number from 0; all columns of numbers if left out.
        ddof : {0, 1}, default 0
            The covariance divides by ``n - ddof``: 0 is maximum likelihood, 1 is unbiased.

        Raises
        ------
        DataError
            For a missing number, a constant column, a column that follows from the others, or fewer rows than
            ``d + 1``; the message names file, row and column.

        Examples
        --------
        >>> Gaussian.fit([[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]]).mean
        (1.0, 2.0)
        """
        divisor = whole(ddof, "ddof", 0, 1, "give 0 (maximum likelihood) or 1 (unbiased)")
        rows = as_matrix(table, columns)
        _check_rows(rows)
        n = len(rows.values)
        mean = _sum(rows.values) / n
        scatter = _scatter(rows.values - mean)
        covariance = scatter / (n - divisor)
        _, bad, _ = cholesky(covariance)
        if bad is not None:
            problem = "is a column that follows from those before it"
            remedy = "leave it out: the covariance would be singular"
            raise DataError(str(rows.path), rows.names[bad], problem, remedy)
        return cls(mean.tolist(), covariance.tolist(), rows.values.shape[1])


def _simplest(values: list[float]) -> Vector:
    """One number where all are the same."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def _is_scalar(value: object) -> bool:
    return not is_list(value) and not hasattr(value, "__iter__")


def _as_mean(value: object, d: int) -> Vector:
    field = "reference.mean"
    if _is_scalar(value):
        return _mean_of(value, field)
    items = list_of(value, d, field, _MEAN)
    return _simplest([_mean_of(item, f"{field}[{i}]") for i, item in enumerate(items)])


def _mean_of(value: object, field: str) -> float:
    result = number(value, field, _MEAN)
    if abs(result) > _MOST_MEAN:
        raise SpecError(field, result, f"is beyond {_MOST_MEAN:g}", "measure in larger units")
    return result


def _as_variances(value: object, d: int) -> Vector:
    field = "reference.covariance"
    if _is_scalar(value):
        return variance(value, field)
    items = list_of(value, d, field, COVARIANCE)
    return _simplest([variance(item, f"{field}[{i}]") for i, item in enumerate(items)])


def _check_rows(rows: Matrix) -> None:
    """Refuse what cannot be fitted: too many columns, too few rows, gaps, columns that never change."""
    n, d = rows.values.shape
    refuse_wide(rows, MAX_DIMENSIONS)
    if n < d + 1:
        problem = f"row{'s' * (n != 1)} cannot give a covariance of {d} column{'s' * (d != 1)}"
        remedy = f"give at least {d + 1} rows, or fewer columns"
        raise DataError(str(rows.path), n, problem, remedy)
    refuse_gaps(rows)


def _sum(values: Floats) -> Floats:
    """Sum over rows, halves onto halves: an order of our own, whatever the machine's vectors."""
    while len(values) > 1:
        half = len(values) // 2
        rest = values[2 * half :]
        values = values[:half] + values[half : 2 * half]
        values = np.concatenate([values, rest]) if len(rest) else values
    return values[0]


def _scatter(centred: Floats) -> Floats:
    d = centred.shape[1]
    out = np.empty((d, d))
    for i in range(d):
        out[i, : i + 1] = _sum(centred[:, : i + 1] * centred[:, i : i + 1])
        out[: i + 1, i] = out[i, : i + 1]
    return out

# SPDX-License-Identifier: MIT
"""A mixture of normal laws. No function of the platform's mathematical library decides it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import SET, choice, is_list, number, whole, within
from ..errors import DataError, SpecError
from ._covariance import (
    Floats,
    as_square,
    cholesky,
    frozen,
    list_of,
    plain,
    refuse_gaps,
    refuse_indefinite,
    refuse_numbers,
    refuse_wide,
    variance,
)
from ._files import Column
from ._matrix import Matrix, as_matrix
from ._support import Reference
from ._traits import MIXTURE, Traits

MAX_DIMENSIONS = 32
MAX_COMPONENTS = 64
COVARIANCES = ("full", "tied", "diagonal", "spherical")
# Within these, densities in 32 dimensions and their products stay in the doubles.
VARIANCES = (1e-18, 1e18)
MOST = 1e100  # of means and of items
_ROUNDING = 1e-9  # what weights may be off 1
_SHAPES = {
    "full": "give a symmetric matrix for each component",
    "tied": "give one symmetric matrix for all components",
    "diagonal": "give a variance for each component and dimension",
    "spherical": "give a variance for each component",
}
_WEIGHTS = "give a weight above 0 for each component, 1 in all"
_MEANS = "give a mean for each component: a list of numbers, one for each dimension"
_COMPONENTS = "give a number such as 3, or several to choose from by BIC, such as range(1, 9)"
# A reference is fitted once, and closely.
_TOLERANCE = 1e-6
_ITERATIONS = 1000

Row = tuple[float, ...]


class GaussianMixture(Reference, frozen=True, tag="gaussian_mixture"):
    """A mixture of normal laws; its models are mixtures fitted to samples by expectation and maximisation.

    Parameters
    ----------
    weights : sequence of float, shape [K]
        Above 0; their sum is 1 but for rounding (1e-9). From 1 to 64 components.
    means : sequence of sequences of float, shape [K, d]
        From 1 to 32 dimensions. In one dimension also of shape [K].
    covariances : sequence
        By type: [K, d, d] full, [d, d] tied, [K, d] diagonal, [K] spherical. In one dimension also of shape
        [K], tied of shape [1]. Variances from 1e-18 to 1e18.
    covariance : {"full", "tied", "diagonal", "spherical"}, default "full"
        Type of the covariances, here and of all models: one for each component; one matrix for all; a
        variance for each dimension; or one for all dimensions.

    Raises
    ------
    SpecError
        For weights that are not positive or do not sum to 1, shapes that do not agree, means that are not
        finite, and a covariance that is not symmetric or not positive definite.

    Examples
    --------
    >>> law = GaussianMixture([0.7, 0.3], [0.0, 5.0], [1.0, 4.0])
    >>> law.components, law.size, law.factors.tolist()
    (2, 1, [[1.0], [2.0]])
    >>> GaussianMixture([0.5, 0.5], [[0, 0], [3, 3]], [[2, 1], [1, 2]], "tied").covariances
    ((2.0, 1.0), (1.0, 2.0))
    """

    weights: Row
    means: tuple[Row, ...]
    covariances: Row | tuple[Row, ...] | tuple[tuple[Row, ...], ...]
    covariance: str = "full"

    def __post_init__(self) -> None:
        choice(self.covariance, "reference.covariance", COVARIANCES)
        SET(self, "weights", as_weights(plain(self.weights)))
        SET(self, "means", _as_means(plain(self.means), self.components))
        covariances = _unflattened(_plain_lists(self.covariances), self.covariance, self.size)
        SET(self, "covariances", _as_covariances(covariances, self.covariance, self.components, self.size))

    @property
    def traits(self) -> Traits:
        """What a Spec must know of mixtures."""
        return MIXTURE

    @property
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @property
    def size(self) -> int:
        """Number of dimensions, d."""
        return len(self.means[0])

    @cached_property
    def weight_vector(self) -> Floats:
        """The weights; float64[K]."""
        return frozen(np.array(self.weights))

    @cached_property
    def mean_matrix(self) -> Floats:
        """The means; float64[K, d]."""
        return frozen(np.array(self.means))

    @cached_property
    def factors(self) -> Floats:
        """Factors of the covariances, as the engine takes them.

        Full: lower Cholesky factors, row by row, float64[K, d (d + 1) / 2]; tied: one of them, [1, ...];
        diagonal: standard deviations [K, d]; spherical: [K, 1].
        """
        values = np.array(self.covariances)
        if self.covariance == "spherical":
            return frozen(np.sqrt(values[:, None]))
        if self.covariance == "diagonal":
            return frozen(np.sqrt(values))
        squares = values.reshape(-1, self.size, self.size)
        lower = np.tril_indices(self.size)
        return frozen(np.array([cholesky(square)[0][lower] for square in squares]))

    def __repr__(self) -> str:
        if self.components * self.size <= 4:
            fields = f"{list(self.weights)}, {self.means}, {self.covariances}, {self.covariance!r}"
            return f"GaussianMixture({fields})"
        sizes = f"{self.components} components, {self.size} dimension{'s' * (self.size != 1)}"
        return f"<GaussianMixture: {sizes}, {self.covariance}>"

    @classmethod
    def fit(
        cls,
        table: str | os.PathLike[str] | npt.ArrayLike | Matrix,
        columns: Column | Sequence[Column] | None = None,
        *,
        components: int | Iterable[int],
        covariance: str = "full",
        seed: int = 1851,
        starts: int = 10,
        floor: float = 1e-6,
    ) -> GaussianMixture:
        """Fit a mixture to the rows of a table.

        Parameters
        ----------
        table : path or array, shape [n, d]
            CSV or TSV (UTF-8, with a header or without), Parquet or ``.npy``, as for `Counts.read`; or the
            numbers themselves.
        columns : str or int, or a sequence of them, optional
            Columns by name or by number from 0; all columns of numbers if left out.
        components : int or several, such as ``range(1, 9)``
            How many; of several, the number with the least Bayesian information criterion (Schwarz 1978).
        covariance : {"full", "tied", "diagonal", "spherical"}, default "full"
            Type of the covariances.
        seed : int, default 1851
            Of the k-means++ seeds; same table, same seed, same bits.
        starts : int, default 10
            Seeds tried, from 1 to 1000; the fit of largest likelihood counts.
        floor : float, default 1e-6
            Variance added to the diagonal of every covariance, in squared units of the table.

        Returns
        -------
        GaussianMixture
            Components from large to small. Each fit ends when the mean log-likelihood changes by less than
            1e-6, or after 1000 iterations.

        Raises
        ------
        DataError
            For a missing number, a constant column, fewer rows (or fewer that differ) than components, and a
            covariance that no more than rounding is left of; the message names file, row and column.
        SpecError
            For an argument that cannot be used.

        Notes
        -----
        Rows that were rounded hold equal values, onto which components shrink to the floor's width; their
        likelihood is then the floor's doing, and the criterion asks for ever more of them. A floor of the
        variance of rounding, step^2 / 12, prevents it: of the petals of Fisher's irises, in steps of 0.1, the
        criterion chooses 3 components of 1 to 8 with ``floor=0.1**2 / 12``, and 8 without.

        Examples
        --------
        >>> rows = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0], [11.0]]
        >>> law = GaussianMixture.fit(rows, components=2, covariance="tied")
        >>> [round(mean[0], 3) for mean in law.means]
        [11.0, 1.0]
        """
        choice(covariance, "covariance", COVARIANCES)
        counts = _as_counts(components)
        seed = whole(seed, "seed", 0, 2**63 - 1, "give a whole number such as 1851")
        starts = whole(starts, "starts", 1, 1000, "give a number of seeds such as 10")
        floor = within(floor, "floor", *VARIANCES, "give a variance such as 1e-6")
        rows = as_matrix(table, columns)
        _check_rows(rows, counts[-1])
        law = _best(rows, counts, covariance, seed=seed, starts=starts, floor=floor)
        weights, means, factors = law
        order = np.argsort(-weights, kind="stable")
        factors = factors if covariance == "tied" else factors[order]
        covariances = _squares(factors, covariance, rows.values.shape[1])
        try:
            return cls(weights[order].tolist(), means[order].tolist(), covariances.tolist(), covariance)
        except SpecError as error:
            problem = f"in the fit, as {error.field.removeprefix('reference.')}, {error.problem}"
            remedy = "give fewer components or columns, a larger floor, or other units"
            raise DataError(str(rows.path), error.value, problem, remedy) from error


def _plain_lists(value: object) -> Any:
    """Lists of arrays and arrays, as lists."""
    value = plain(value)
    return [_plain_lists(item) for item in value] if is_list(value) else value


def as_weights(value: object) -> Row:
    field = "reference.weights"
    if not is_list(value) or not 1 <= len(value) <= MAX_COMPONENTS:
        raise SpecError(field, value, f"is not a list of 1 to {MAX_COMPONENTS} weights", _WEIGHTS)
    weights = tuple(number(item, f"{field}[{i}]", _WEIGHTS) for i, item in enumerate(value))
    for i, weight in enumerate(weights):
        if weight <= 0:
            raise SpecError(f"{field}[{i}]", weight, "is not positive", _WEIGHTS)
    total = sum(weights)
    if abs(total - 1) > _ROUNDING:
        raise SpecError(field, total, "is the sum of the weights, not 1", "divide them by their sum")
    return weights


def _as_means(value: object, components: int) -> tuple[Row, ...]:
    field = "reference.means"
    rows = _list_for_components(value, components, field, _MEANS)
    if not any(is_list(plain(row)) for row in rows):
        rows = [[item] for item in rows]  # one dimension
    first = plain(rows[0])
    d = len(first) if is_list(first) else 0
    if not 1 <= d <= MAX_DIMENSIONS:
        problem = f"is not a list of 1 to {MAX_DIMENSIONS} numbers"
        raise SpecError(f"{field}[0]", rows[0], problem, _MEANS)
    return tuple(_as_mean(plain(row), d, f"{field}[{k}]") for k, row in enumerate(rows))


def _as_mean(value: object, d: int, field: str) -> Row:
    items = list_of(value, d, field, _MEANS)
    mean = tuple(number(item, f"{field}[{i}]", _MEANS) for i, item in enumerate(items))
    for i, item in enumerate(mean):
        if abs(item) > MOST:
            raise SpecError(f"{field}[{i}]", item, f"is beyond {MOST:g}", "measure in larger units")
    return mean


def _list_for_components(value: object, components: int, field: str, remedy: str) -> Sequence[Any]:
    if is_list(value) and len(value) != components:
        problem = f"is the number of its entries, where there are {components} weights"
        raise SpecError(field, len(value), problem, remedy)
    return list_of(value, components, field, remedy)


def _unflattened(value: Any, covariance: str, d: int) -> Any:
    """In one dimension, numbers as the matrices that they are."""
    flat = d == 1 and is_list(value) and not any(is_list(item) for item in value)
    if not flat or covariance == "spherical":
        return value
    return [[[item]] if covariance == "full" else [item] for item in value]


def _as_covariances(value: Any, covariance: str, components: int, d: int) -> Any:
    field, remedy = "reference.covariances", _SHAPES[covariance]
    if covariance == "tied":
        return _as_matrix(value, d, field, remedy)
    rows = _list_for_components(value, components, field, remedy)
    if covariance == "spherical":
        return tuple(variance(item, f"{field}[{k}]", VARIANCES, remedy) for k, item in enumerate(rows))
    if covariance == "full":
        return tuple(_as_matrix(row, d, f"{field}[{k}]", remedy) for k, row in enumerate(rows))
    items = [list_of(row, d, f"{field}[{k}]", remedy) for k, row in enumerate(rows)]
    return tuple(
        tuple(variance(item, f"{field}[{k}][{i}]", VARIANCES, remedy) for i, item in enumerate(row))
        for k, row in enumerate(items)
    )


def _as_matrix(value: object, d: int, field: str, remedy: str) -> tuple[Row, ...]:
    matrix = as_square(value, d, field, VARIANCES, remedy)
    refuse_indefinite(matrix, field)
    return tuple(map(tuple, matrix.tolist()))


def _as_counts(value: object) -> list[int]:
    """Numbers of components to try, ascending."""
    value = plain(value)
    items = list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
    if not items:
        raise SpecError("components", items, "is empty", _COMPONENTS)
    return sorted({whole(item, "components", 1, MAX_COMPONENTS, _COMPONENTS) for item in items})


def _check_rows(rows: Matrix, components: int) -> None:
    """Refuse what cannot be fitted."""
    refuse_wide(rows, MAX_DIMENSIONS)
    n = len(rows.values)
    where, remedy = str(rows.path), "give more rows, or fewer components"
    many = f"{components} component{'s' * (components != 1)}"
    if n < max(2, components):
        raise DataError(where, n, f"row{'s' * (n != 1)} cannot give {many}", remedy)
    refuse_gaps(rows)
    refuse_numbers(rows, MOST)
    distinct = len(np.unique(rows.values, axis=0))
    if distinct < components:
        raise DataError(where, distinct, f"rows that differ cannot give {many}", remedy)


def _best(
    rows: Matrix, counts: list[int], covariance: str, *, seed: int, starts: int, floor: float
) -> tuple[Floats, Floats, Floats]:
    """The law of least BIC; of equal ones, that of fewest components."""
    from .._core import em, fmath

    fitter = em.Fitter(rows.values)
    n, d = rows.values.shape
    log_n = float(fmath.log_array(np.array([float(n)]))[0])
    found = []
    for components in counts:
        each = [
            _fit(fitter, components, covariance, seed=seed, start=start, floor=floor)
            for start in range(starts)
        ]
        alive = [fit for fit in each if fit is not None]
        if alive:
            likelihood, law = max(alive, key=lambda fit: fit[0])
            free = _free(components, d, covariance)
            found.append((free * log_n - 2 * n * likelihood, law))
    if not found:
        remedy = "give fewer components, or more starts"
        raise DataError(str(rows.path), counts, "components: one is left without rows in every fit", remedy)
    return min(found, key=lambda one: one[0])[1]


def _fit(
    fitter: Any, components: int, covariance: str, *, seed: int, start: int, floor: float
) -> tuple[float, tuple[Floats, Floats, Floats]] | None:
    """Mean log-likelihood and law of one start; None if a component died."""
    first = fitter.seed(components, covariance, seed, replicate=start, floor=floor)
    fit = fitter.fit(first, covariance, floor=floor, tolerance=_TOLERANCE, iterations=_ITERATIONS)
    law = (fit["weights"], fit["means"], fit["factors"])
    return (fitter.score(law, covariance), law) if fit["alive"] == components else None


def _free(components: int, d: int, covariance: str) -> int:
    """Free parameters of a mixture."""
    matrix = d * (d + 1) // 2
    spreads = {"full": components * matrix, "tied": matrix, "diagonal": components * d}
    return components - 1 + components * d + spreads.get(covariance, components)


def _squares(factors: Floats, covariance: str, d: int) -> Floats:
    """Covariances from factors: sums of products of doubles, one by one."""
    if covariance == "spherical":
        return factors[:, 0] ** 2
    if covariance == "diagonal":
        return factors**2
    full = np.zeros((len(factors), d, d))
    full[:, *np.tril_indices(d)] = factors
    squares = np.zeros_like(full)
    for j in range(d):
        squares += full[:, :, None, j] * full[:, None, :, j]
    return squares[0] if covariance == "tied" else squares

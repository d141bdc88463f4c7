# SPDX-License-Identifier: MIT
"""Mixtures of categorical laws, as they are given or fitted to a table of documents."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import SET, is_list, number, whole, within
from ..errors import DataError, SpecError
from ._covariance import frozen, plain
from ._files import Column
from ._matrix import Matrix, as_matrix
from ._support import Reference
from ._traits import DOCUMENTS, Traits

MAX_COMPONENTS = 64
MAX_CATEGORIES = 100_000
MAX_LENGTH = 10**6
_ROUNDING = 1e-9  # what a sum of probabilities may be off 1
_WEIGHTS = "give a weight above 0 for each component, 1 in all"
_PROBABILITIES = "give a list of probabilities, 1 in all, for each component"
_LENGTH = "give a number of tokens such as 100, or one for each document in turn"
_COUNTS = "give whole numbers, how often a document (a row) holds each category (a column)"
# A reference is fitted once, and closely.
_TOLERANCE = 1e-6
_ITERATIONS = 1000
_LEAST = 2.0**-53  # a fitted probability below it is rounding

Floats = npt.NDArray[np.float64]
Row = tuple[float, ...]


class CategoricalMixture(Reference, frozen=True, tag="categorical_mixture"):
    """A mixture of categorical laws (latent classes): documents, each written in one of several styles.

    An item is a document: it has one component, and its tokens are drawn from that component's categories.
    Models are mixtures fitted to the documents' counts by `EM`, which does not see the components. A
    component may be a topic, a style or a minority's point of view; it can die, or be absorbed by another.

    Parameters
    ----------
    weights : sequence of float, shape [K]
        Above 0; their sum is 1 but for rounding (1e-9). From 1 to 64 components.
    probabilities : sequence of sequences of float, shape [K, C]
        Of each category under each component; not negative, each row's sum 1 but for rounding (1e-9). From 1
        to 100,000 categories.
    length : int or sequence of int, default 100
        Tokens of a document, from 1 to 1e6; of several, document i of a batch has the entry i mod their
        number.

    Raises
    ------
    SpecError
        For weights or probabilities that make no law, or a length that is not a number of tokens.

    Examples
    --------
    >>> law = CategoricalMixture([0.75, 0.25], [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], length=20)
    >>> law.components, law.categories
    (2, 3)
    """

    weights: Row
    probabilities: tuple[Row, ...]
    length: int | tuple[int, ...] = 100

    def __post_init__(self) -> None:
        weights = _as_weights(plain(self.weights))
        SET(self, "weights", weights)
        SET(self, "probabilities", _as_rows(plain(self.probabilities), len(weights)))
        SET(self, "length", _as_length(plain(self.length)))

    @property
    def traits(self) -> Traits:
        """What a Spec must know of mixtures of categorical laws."""
        return DOCUMENTS

    @property
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @property
    def categories(self) -> int:
        """Number of categories, C."""
        return len(self.probabilities[0])

    @cached_property
    def weight_vector(self) -> Floats:
        """The weights; float64[K]."""
        return frozen(np.array(self.weights, np.float64))

    @cached_property
    def probability_matrix(self) -> Floats:
        """The probabilities; float64[K, C]."""
        return frozen(np.array(self.probabilities, np.float64))

    @cached_property
    def lengths(self) -> npt.NDArray[np.uint32]:
        """Tokens of the documents in turn; uint32[n]."""
        return np.array(self.length if isinstance(self.length, tuple) else [self.length], np.uint32)

    def __repr__(self) -> str:
        return f"<CategoricalMixture: {self.components} components, {self.categories:,} categories>"

    @classmethod
    def fit(
        cls,
        table: str | os.PathLike[str] | npt.ArrayLike,
        components: int,
        *,
        columns: Column | Sequence[Column] | None = None,
        length: int | Sequence[int] | None = None,
        seed: int = 0,
        starts: int = 10,
        floor: float = 1e-6,
    ) -> CategoricalMixture:
        """Fit a mixture to a table of documents by categories.

        Parameters
        ----------
        table : path or array, shape [documents, C]
            How often each document holds each category: CSV or TSV (UTF-8, with a header or without), Parquet
            or ``.npy``, or the numbers themselves.
        components : int
            Number of components, no more than documents.
        columns : str or int, or a sequence of them, optional
            Columns by name or by number from 0; all columns of numbers if left out.
        length : int or sequence of int, optional
            Tokens of the documents that will be drawn; as many as those of the table have if left out.
        seed : int, default 0
            Of the documents that the starts begin at.
        starts : int, default 10
            Fits from different beginnings, the likeliest of which is taken.
        floor : float, default 1e-6
            Least probability that the expectation step takes a category to have, as in `EM`.

        Returns
        -------
        CategoricalMixture
            Components by descending weight.

        Raises
        ------
        DataError
            For numbers that are no counts, an empty document, fewer documents than components, or a fit that
            leaves a component without documents.

        Examples
        --------
        >>> documents = [[9, 1, 0], [8, 2, 0], [0, 1, 9], [7, 3, 0]]
        >>> CategoricalMixture.fit(documents, components=2).weights
        (0.75, 0.25)
        """
        rows = as_matrix(table, columns)
        count = whole(components, "components", 1, MAX_COMPONENTS, "give a number such as 3")
        seed = whole(seed, "seed", 0, 2**63 - 1, "give a whole number such as 1")
        starts = whole(starts, "starts", 1, 1000, "give a number of starts such as 10")
        floor = within(floor, "floor", 1e-300, 1.0, "give a probability such as 1e-6")
        counts = _as_counts(rows, count)
        weights, probabilities = _best(rows, counts, count, seed=seed, starts=starts, floor=floor)
        tokens = counts.sum(axis=1).tolist()
        order = np.argsort(-weights, kind="stable")
        drawn: Any = tokens if length is None else length
        return cls(weights[order].tolist(), probabilities[order].tolist(), drawn)


def _as_weights(value: object) -> Row:
    field = "reference.weights"
    if not is_list(value) or not 1 <= len(value) <= MAX_COMPONENTS:
        raise SpecError(field, value, f"is not a list of 1 to {MAX_COMPONENTS} weights", _WEIGHTS)
    weights = _as_law(value, field, _WEIGHTS)
    for k, weight in enumerate(weights):
        if weight == 0:
            raise SpecError(f"{field}[{k}]", weight, "is not positive", _WEIGHTS)
    return weights


def _as_law(value: Sequence[Any], field: str, remedy: str) -> Row:
    law = tuple(number(item, f"{field}[{i}]", remedy) for i, item in enumerate(value))
    for i, item in enumerate(law):
        if item < 0:
            raise SpecError(f"{field}[{i}]", item, "is negative", remedy)
    total = sum(law)
    if abs(total - 1) > _ROUNDING:
        raise SpecError(field, total, "is their sum, not 1", "divide them by their sum")
    return law


def _as_rows(value: object, components: int) -> tuple[Row, ...]:
    field = "reference.probabilities"
    if not is_list(value) or len(value) != components:
        problem = f"is not a list of {components} lists, one for each weight"
        raise SpecError(field, value, problem, _PROBABILITIES)
    rows = [plain(row) for row in value]
    size = len(rows[0]) if is_list(rows[0]) else 0
    for k, row in enumerate(rows):
        if not is_list(row) or not 1 <= len(row) <= MAX_CATEGORIES or len(row) != size:
            problem = f"is not a list of 1 to {MAX_CATEGORIES:,} probabilities, as many as the first"
            raise SpecError(f"{field}[{k}]", row, problem, _PROBABILITIES)
    return tuple(_as_law(row, f"{field}[{k}]", _PROBABILITIES) for k, row in enumerate(rows))


def _as_length(value: object) -> int | tuple[int, ...]:
    field = "reference.length"
    if not is_list(value):
        return whole(value, field, 1, MAX_LENGTH, _LENGTH)
    if not value:
        raise SpecError(field, [], "is empty", _LENGTH)
    lengths = tuple(whole(item, f"{field}[{i}]", 1, MAX_LENGTH, _LENGTH) for i, item in enumerate(value))
    return lengths[0] if len(set(lengths)) == 1 else lengths


def _as_counts(rows: Matrix, components: int) -> npt.NDArray[np.int64]:
    """The table as whole numbers; refuse what cannot be fitted."""
    values = rows.values
    good = np.isfinite(values) & (values >= 0) & (values == np.floor(values)) & (values < 2**31)
    bad = np.argwhere(~good)
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise DataError(rows.where(row, column), float(values[row, column]), "is not a count", _COUNTS)
    where = str(rows.path)
    if len(values) < components:
        problem = f"documents cannot give {components} components"
        raise DataError(where, len(values), problem, "give more documents, or fewer components")
    if values.shape[1] > MAX_CATEGORIES:
        raise DataError(where, values.shape[1], f"categories are more than {MAX_CATEGORIES:,}", "give fewer")
    empty = np.flatnonzero(values.sum(axis=1) == 0)
    if empty.size:
        raise DataError(where, int(empty[0]), "is the number of a row without tokens", "leave the row out")
    return values.astype(np.int64)


def _best(
    rows: Matrix, counts: npt.NDArray[np.int64], components: int, *, seed: int, starts: int, floor: float
) -> tuple[Floats, Floats]:
    """The likeliest law of several starts."""
    from .._core import documents

    number, category = (array.astype(np.uint32) for array in (counts[counts > 0], np.nonzero(counts)[1]))
    offset = np.append(0, np.cumsum((counts > 0).sum(axis=1))).astype(np.uint64)
    found = []
    for start in range(starts):
        fit = documents.fit(
            category,
            number,
            offset,
            np.full(components, 1 / components),
            _beginning(counts, components, seed, start),
            floor=floor,
            tolerance=_TOLERANCE,
            iterations=_ITERATIONS,
        )
        if fit["alive"] == components:
            found.append((fit["log_likelihood"], fit["weights"], fit["probabilities"]))
    if not found:
        problem = "components: one is left without documents in every fit"
        raise DataError(str(rows.path), components, problem, "give fewer components, or more starts")
    _, weights, probabilities = max(found, key=lambda one: one[0])
    return weights, np.where(probabilities < _LEAST, 0.0, probabilities)


def _beginning(counts: npt.NDArray[np.int64], components: int, seed: int, start: int) -> Floats:
    """Documents by chance, each mixed half and half with all of them: no category is ruled out."""
    words = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(start,))).random_raw(len(counts))
    chosen = np.argsort(words, kind="stable")[:components]
    own = counts[chosen] / counts[chosen].sum(axis=1, keepdims=True)
    return np.asarray(0.5 * own + 0.5 * counts.sum(axis=0) / counts.sum())

# SPDX-License-Identifier: MIT
"""A mixture of laws of a family that users write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import SET, check_keys, is_list, number, whole, within
from ..errors import DataError, SpecError
from ..jit._family import Family
from ._covariance import Floats, frozen, list_of, plain, refuse_gaps
from ._files import Column
from ._matrix import Matrix, as_matrix
from ._mixture import MAX_COMPONENTS, MAX_DIMENSIONS, VARIANCES, Row, as_weights
from ._support import Reference
from ._traits import USER, Traits

_FIELD = "reference.parameters"


class UserMixture(Reference, frozen=True, tag="user_mixture"):
    """A mixture of laws that users write; its models are such mixtures, fitted to samples.

    Parameters
    ----------
    laws : tailbiter.jit.Family, str or mapping
        The family that the components' laws are of; or its import path ``module:name``; or, as TOML has it, a
        table in which ``log_density``, ``fit`` and ``sample`` are import paths of functions.
    parameters : sequence of float, shape [m], or of such sequences, shape [K, m]
        Of the one component, or of each. From 1 to 64 components.
    weights : sequence of float, shape [K], optional
        Above 0; their sum is 1 but for rounding (1e-9). May be left out where there is one component.

    Raises
    ------
    SpecError
        For a family that cannot be imported, and shapes that do not agree.

    Notes
    -----
    A training set is held in memory whole: ``samples * (K + d + 1)`` numbers in each thread, and under
    `Accumulate` and `Window` as many as the batches together. Items drawn from a pool or a hoard are made
    again by their addresses, as many as are drawn.

    The bits of such runs are outside the promise: other machines, and other versions of Numba, may compile
    other code. On one machine they are the same for any number of threads and in every order.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = UserMixture(tb.jit.laplace, [[0.0, 1.0], [8.0, 1.0]], [0.9, 0.1])
    >>> law
    UserMixture(laplace, ((0.0, 1.0), (8.0, 1.0)), (0.9, 0.1))
    >>> ds = tb.simulate(tb.Spec(reference=law, samples=200, generations=20, replicates=2))
    >>> ds.weights.dims
    ('replicate', 'generation', 'component')
    """

    laws: Family
    parameters: tuple[Row, ...]
    weights: Row = (1.0,)

    def __post_init__(self) -> None:
        SET(self, "laws", Family.of(self.laws))
        SET(self, "weights", as_weights(plain(self.weights)))
        SET(self, "parameters", _as_parameters(plain(self.parameters), self.components, self.laws))

    @classmethod
    def fit(
        cls,
        laws: Family | str | Mapping[str, Any],
        table: str | os.PathLike[str] | npt.ArrayLike,
        columns: Column | Sequence[Column] | None = None,
        *,
        components: int = 1,
        seed: int = 1851,
        starts: int = 10,
        floor: float = 1e-6,
    ) -> UserMixture:
        """Fit a mixture to the rows of a table.

        Parameters
        ----------
        laws : tailbiter.jit.Family, str or mapping
            As for the class.
        table : path or array, shape [n, d]
            As for `GaussianMixture.fit`.
        columns : str or int, or a sequence of them, optional
            Columns by name or by number from 0; all columns of numbers if left out.
        components : int, default 1
            How many, from 1 to 64.
        seed : int, default 1851
            Of the k-means++ seeds.
        starts : int, default 10
            Sets of seeds tried, from 1 to 1000; the fit of largest likelihood counts.
        floor : float, default 1e-6
            The variance that fits are handed.

        Returns
        -------
        UserMixture
            Components from large to small.

        Raises
        ------
        DataError
            For a missing number, a constant column, fewer rows than components, another number of columns
            than the laws have dimensions, and components of which one is left without rows in every fit.
        SpecError
            For an argument that cannot be used, and what a user's function does wrong.

        Examples
        --------
        >>> import tailbiter as tb
        >>> law = UserMixture.fit(tb.jit.laplace, [[1.0], [2.0], [6.0]], floor=1e-12)
        >>> [round(value, 6) for value in law.parameters[0]]
        [2.0, 1.666667]
        """
        from ..jit._begin import best_law

        family = Family.of(laws)
        most = MAX_COMPONENTS if family.dimension <= MAX_DIMENSIONS else 1
        components = whole(components, "components", 1, most, "give a number of components such as 3")
        seed = whole(seed, "seed", 0, 2**63 - 1, "give a whole number such as 1851")
        starts = whole(starts, "starts", 1, 1000, "give a number of seeds such as 10")
        floor = within(floor, "floor", *VARIANCES, "give a variance such as 1e-6")
        rows = as_matrix(table, columns)
        _check_rows(rows, components, family.dimension)
        tries = starts if components > 1 else 1
        law = best_law(family, rows.values, components, seed=seed, starts=tries, floor=floor)
        if law is None:
            remedy = "give fewer components, or more starts"
            problem = "components: one is left without rows in every fit"
            raise DataError(str(rows.path), components, problem, remedy)
        return cls(family, law.parameters.tolist(), law.weights.tolist())

    @property
    def traits(self) -> Traits:
        """What a Spec must know of laws that users write."""
        return USER

    @property
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @cached_property
    def weight_vector(self) -> Floats:
        """The weights; float64[K]."""
        return frozen(np.array(self.weights))

    @cached_property
    def parameter_matrix(self) -> Floats:
        """The parameters; float64[K, m]."""
        return frozen(np.array(self.parameters))

    def to_dict(self, *, folder: str | os.PathLike[str] | None = None, brief: bool = False) -> dict[str, Any]:
        """Return the reference as plain data: functions by their import paths."""
        del folder, brief
        return {
            "kind": "user_mixture",
            "laws": self.laws.to_dict(),
            "parameters": [list(row) for row in self.parameters],
            "weights": list(self.weights),
        }

    @cached_property
    def _content(self) -> dict[str, Any]:
        return {**self.to_dict(), "laws": self.laws.identity}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], folder: str | os.PathLike[str] | None = None) -> UserMixture:
        """Make the reference from plain data; functions are looked for in ``folder`` too.

        Raises
        ------
        SpecError
            For an unknown key, and what cannot be imported.
        """
        check_keys(data, cls.__struct_fields__, "reference")
        for name in ("laws", "parameters"):
            if name not in data:
                raise SpecError("reference", sorted(data), f"lacks the key {name!r}", f"add {name} = ...")
        laws = Family.of(data["laws"], None if folder is None else Path(folder))
        return cls(**{**data, "laws": laws})

    def __repr__(self) -> str:
        if len(self.parameters) * len(self.parameters[0]) <= 6:
            return f"UserMixture({self.laws.name}, {self.parameters}, {self.weights})"
        return f"<UserMixture: {self.components} components of {self.laws.name}>"


def _check_rows(rows: Matrix, components: int, dimension: int) -> None:
    """Refuse what cannot be fitted."""
    n, d = rows.values.shape
    where = str(rows.path)
    if d != dimension:
        problem = f"column{'s' * (d != 1)} cannot be items in {dimension} dimension{'s' * (dimension != 1)}"
        raise DataError(where, d, problem, "name as many columns")
    if n < max(2, components):
        many = f"{components} component{'s' * (components != 1)}"
        raise DataError(where, n, f"row{'s' * (n != 1)} cannot give {many}", "give more rows, or fewer")
    refuse_gaps(rows)


def _as_parameters(value: object, components: int, laws: Family) -> tuple[Row, ...]:
    names = tuple(laws.parameters)
    remedy = f"give {', '.join(names)} for each component"
    rows = plain(value)
    if is_list(rows) and not any(is_list(plain(row)) for row in rows):
        rows = [rows]  # of one component
    rows = list_of(rows, components, _FIELD, f"{remedy}; there are {components} weights")
    return tuple(
        tuple(
            number(item, f"{_FIELD}[{k}][{i}]", remedy)
            for i, item in enumerate(list_of(plain(row), len(names), f"{_FIELD}[{k}]", remedy))
        )
        for k, row in enumerate(rows)
    )

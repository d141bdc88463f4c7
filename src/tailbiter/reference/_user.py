# SPDX-License-Identifier: MIT
"""A mixture of laws of a family that users write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .._checks import SET, check_keys, is_list, number
from ..errors import SpecError
from ..jit._family import Family
from ._covariance import Floats, frozen, list_of, plain
from ._mixture import Row, as_weights
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

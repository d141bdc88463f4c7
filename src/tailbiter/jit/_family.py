# SPDX-License-Identifier: MIT
"""A family of laws in three functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailbiter._checks import check_keys, check_table, number, whole
from tailbiter.errors import SpecError
from tailbiter.jit import _compile

if TYPE_CHECKING:
    from tailbiter.jit._rules import Rules

__all__ = ["Family"]

MAX_DIMENSIONS = 1000
MAX_PARAMETERS = 10_000
_FIELD = "reference.laws"
_FUNCTIONS = ("log_density", "fit", "sample")
_KEYS = (*_FUNCTIONS, "name", "parameters", "dimension")
_REMEDY = "give tb.jit.Family(...), or the import path of one as module:name"
_SHAPES = {
    "log_density": "give a function of (x, p) that returns a number",
    "fit": "give a function of (x, w, p, floor) that writes into p",
    "sample": "give a function of (p, at) that returns an item, or of (p, at, x) that writes into x",
}


class Family:
    """A family of laws that users write as three functions, compiled by Numba.

    Give plain functions: they are compiled when first needed. Or give what ``numba.njit(nogil=True)`` made;
    its options are kept.

    Parameters
    ----------
    name : str
        For people, and for messages.
    log_density : function of (x, p)
        Returns the logarithm of the density at an item, in nats; ``-inf`` where it is 0. An item ``x`` is a
        float in one dimension, else ``float64[d]``; ``p`` are the component's parameters, ``float64[m]``.
    fit : function of (x, w, p, floor)
        Writes into ``p`` the parameters that fit items ``x`` (``float64[n]`` in one dimension, else
        ``float64[n, d]``) of weights ``w`` (``float64[n]``, not negative; their sum is positive). ``p`` comes
        with the parameters as they were, so that a fit may be a step towards the best ones; ``floor`` is the
        estimator's, a variance.
    sample : function of (p, at), or of (p, at, x)
        Returns an item; in more than one dimension, writes it into ``x``. Randomness is what
        `tailbiter.jit.draws` makes of ``at``.
    parameters : mapping of str to float
        Their names, in the order in which they stand in ``p``, and the values from which a fit to a table
        begins.
    dimension : int, default 1
        Of an item, from 1 to 1000.

    Raises
    ------
    SpecError
        For something that is no function, and for parameters without names.

    Notes
    -----
    A family is known by its functions' import paths and sources: what a function calls, and the numbers that
    it takes from its module, are part of it.

    Examples
    --------
    >>> import math
    >>> from tailbiter.jit import draws
    >>> def log_density(x, p):
    ...     return -math.log(p[0]) - x / p[0]
    >>> def fit(x, w, p, floor):
    ...     p[0] = (w * x).sum() / w.sum()
    >>> def sample(p, at):
    ...     return p[0] * draws.exponential(at)
    >>> Family("exponential", log_density, fit, sample, parameters={"mean": 1.0})
    <Family: exponential, parameters mean, 1 dimension>
    """

    def __init__(
        self,
        name: str,
        log_density: Callable[..., Any],
        fit: Callable[..., Any],
        sample: Callable[..., Any],
        *,
        parameters: Mapping[str, float],
        dimension: int = 1,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise SpecError(f"{_FIELD}.name", name, "is not a name", 'give a word such as "laplace"')
        self.name = name
        self.log_density = _function("log_density", log_density)
        self.fit = _function("fit", fit)
        self.sample = _function("sample", sample)
        self.parameters = _as_parameters(parameters)
        remedy = "give a number of dimensions such as 2"
        self.dimension = whole(dimension, f"{_FIELD}.dimension", 1, MAX_DIMENSIONS, remedy)

    @cached_property
    def rules(self) -> Rules:
        """The functions, compiled, and the loops that call them.

        Raises
        ------
        SpecError
            If one does not compile, in one line with Numba's reason.
        """
        from tailbiter.jit._rules import rules_of

        return rules_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: the functions by their import paths."""
        return {
            "name": self.name,
            **{name: _compile.import_path(getattr(self, name)) for name in _FUNCTIONS},
            "parameters": self.parameters,
            "dimension": self.dimension,
        }

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Plain data that names what the family does; its own name and its parameters' play no part.

        Shared by all who ask, and not to be changed.
        """
        functions = {name: getattr(self, name) for name in _FUNCTIONS}
        return {
            **{name: _compile.import_path(function) for name, function in functions.items()},
            "source": {name: _compile.digest(function) for name, function in functions.items()},
            "parameters": len(self.parameters),
            "dimension": self.dimension,
        }

    @classmethod
    def of(cls, value: object, folder: Path | None = None) -> Family:
        """Return a Family: itself, as plain data have it, or where an import path says.

        Parameters
        ----------
        value : Family, str or mapping
            An import path ``module:name`` names a Family; a mapping has the keys of `to_dict`.
        folder : Path, optional
            Where to look for modules that are not installed.

        Raises
        ------
        SpecError
            If it cannot be found, or is none.
        """
        if isinstance(value, str):
            value = _compile.locate(value, _FIELD, folder)
        if isinstance(value, Mapping):
            return cls._from(value, folder)
        if not isinstance(value, cls):
            raise SpecError(_FIELD, value, "is not a Family", _REMEDY)
        return value

    @classmethod
    def _from(cls, data: Mapping[str, Any], folder: Path | None) -> Family:
        check_table(data, _FIELD)
        check_keys(data, _KEYS, _FIELD)
        missing = [key for key in _KEYS if key not in data and key != "dimension"]
        if missing:
            raise SpecError(_FIELD, sorted(data), f"lacks the key {missing[0]!r}", f"add {missing[0]} = ...")
        found = {
            name: _compile.locate(data[name], f"{_FIELD}.{name}", folder)
            if isinstance(data[name], str)
            else data[name]
            for name in _FUNCTIONS
        }
        return cls(data["name"], **found, parameters=data["parameters"], dimension=data.get("dimension", 1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Family):
            return NotImplemented
        return self is other or (self.to_dict(), self.identity) == (other.to_dict(), other.identity)

    def __hash__(self) -> int:
        return hash((self.name, *(_compile.import_path(getattr(self, name)) for name in _FUNCTIONS)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.to_dict(), tuple(getattr(self, name) for name in _FUNCTIONS))

    def __repr__(self) -> str:
        dimensions = f"{self.dimension} dimension{'s' * (self.dimension > 1)}"
        return f"<Family: {self.name}, parameters {', '.join(self.parameters)}, {dimensions}>"


def _again(data: dict[str, Any], functions: tuple[Any, ...]) -> Family:
    """A family in another process: what is compiled is compiled there."""
    return Family.of({**data, **dict(zip(_FUNCTIONS, functions, strict=True))})


def _function(name: str, value: object) -> Callable[..., Any]:
    return _compile.as_function(value, f"{_FIELD}.{name}", _SHAPES[name])


def _as_parameters(value: object) -> dict[str, float]:
    field, remedy = f"{_FIELD}.parameters", 'give names and first values such as {"scale": 1.0}'
    if not isinstance(value, Mapping) or not 1 <= len(value) <= MAX_PARAMETERS:
        raise SpecError(field, value, "is not a table of names and first values", remedy)
    for name in value:
        if not isinstance(name, str) or not name:
            raise SpecError(field, name, "is not a name", remedy)
    return {name: number(start, f"{field}.{name}", remedy) for name, start in value.items()}

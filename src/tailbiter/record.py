# SPDX-License-Identifier: MIT
"""What to keep of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _document
from ._checks import SET, Described, as_dict, choice, make, nearest, whole, with_article
from ._variables import ALL, CATEGORICAL, FAMILIES
from .errors import SpecError

__all__ = ["STANDARD", "Record"]

STANDARD = tuple(CATEGORICAL)
"""The standard set of the categorical family, in the order in which a Dataset holds it."""

_LOG_MOST = 200
_LAST = 2**32 - 1
_GENERATION = "give generation numbers from 0 to the last one"


class Record(Described, frozen=True, kw_only=True):
    """What to keep of a run; it changes no random bit.

    Parameters
    ----------
    generations : {"log", "all"} or sequence of int, default "log"
        Generations to record: at most 200, log-spaced, with the first (0) and the last; or every one; or
        those listed.
    variables : "standard" or sequence of str, default "standard"
        Names of the variables to keep; the standard set is that of the reference's family, and of the Spec's
        held-out data, groups and stages.
    forgotten : bool, default False
        Keep, for each category, the first generation from which it is absent to the end.
    snapshots : sequence of int, default ()
        Generations whose sparse training counts are kept; of generation 0, the reference's weights.

    Raises
    ------
    SpecError
        For an unknown variable or a generation that is not a whole number.

    Examples
    --------
    >>> Record(generations=[10, 0, 5]).generations
    (0, 5, 10)
    >>> Record(variables=["entropy", "survivors"]).names_of("categorical")
    ('survivors', 'entropy')
    """

    generations: str | tuple[int, ...] = "log"
    variables: str | tuple[str, ...] = "standard"
    forgotten: bool = False
    snapshots: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.generations, str):
            choice(self.generations, "record.generations", ("log", "all"))
        else:
            SET(self, "generations", _generations(self.generations, "record.generations", 0))
            if not self.generations:
                raise SpecError("record.generations", [], "is empty", _GENERATION)
        if self.variables != "standard":
            SET(self, "variables", _variables(self.variables))
        if not isinstance(self.forgotten, bool):
            raise SpecError("record.forgotten", self.forgotten, "is not true or false", "give true or false")
        SET(self, "snapshots", _generations(self.snapshots, "record.snapshots", 0))

    def names_of(self, family: str, also: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the names of the variables to keep, in the order of a family of models.

        Parameters
        ----------
        family : str
            Its name.
        also : sequence of str
            What joins the standard set.

        Raises
        ------
        SpecError
            If the family does not know one of them.
        """
        return _names_of(self.variables, family, tuple(also))

    def at(self, generations: int) -> npt.NDArray[np.uint32]:
        """Return the generations recorded of a run of ``generations``: ascending, unique, shape ``[n]``.

        Raises
        ------
        SpecError
            If a listed generation lies beyond the end of the run.
        """
        if not isinstance(self.generations, str):
            return _inside(self.generations, "record.generations", generations)
        if self.generations == "all":
            return np.arange(generations + 1, dtype=np.uint32)
        return _log_spaced(generations)

    def snapshots_at(self, generations: int) -> npt.NDArray[np.uint32]:
        """Return the generations of which snapshots are kept: ascending, unique, shape ``[n]``."""
        return _inside(self.snapshots, "record.snapshots", generations)

    def to_dict(self) -> dict[str, Any]:
        """Return the Record as plain data."""
        return as_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """Make a Record from plain data; an unknown key is a SpecError that names the nearest known one."""
        return make(cls, data, "record")

    def to_json(self) -> str:
        """Return the Record as JSON."""
        return _document.write_json(self.to_dict())

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Make a Record from JSON."""
        return cls.from_dict(_document.read_json(text))

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Record:
        """Make a Record from the ``[record]`` table of a TOML file or text, the default one without it."""
        data, _ = _document.read_toml(source)
        table = data.get("record", {})
        if not isinstance(table, Mapping):
            raise SpecError("record", table, "is not a table", "write a [record] table")
        return cls.from_dict(table)


@lru_cache(maxsize=256)  # cells of a sweep have them in common
def _names_of(asked: str | tuple[str, ...], family: str, also: tuple[str, ...]) -> tuple[str, ...]:
    variables = FAMILIES[family]
    known = variables.known
    if asked == "standard":
        return tuple(name for name in known if name in {*variables.standard, *also})
    for name in asked:
        if name not in known:
            problem = f"is not measured of {with_article(family)} reference"
            raise SpecError("record.variables", name, problem, nearest(name, known))
    return tuple(name for name in known if name in asked)


def _generations(values: object, field: str, low: int) -> tuple[int, ...]:
    if isinstance(values, (str, bytes, bytearray)) or not isinstance(values, Iterable):
        raise SpecError(field, values, "is not a list of generations", _GENERATION)
    items = values.tolist() if isinstance(values, np.ndarray) else values
    return tuple(sorted({whole(item, field, low, _LAST, _GENERATION) for item in items}))


def _variables(values: object) -> tuple[str, ...]:
    field = "record.variables"
    if isinstance(values, (str, bytes, bytearray)) or not isinstance(values, Iterable):
        raise SpecError(field, values, "is not a list of names", "give 'standard' or a list of names")
    asked = {choice(name, field, ALL) for name in values}
    return tuple(name for name in ALL if name in asked)


def _inside(listed: Iterable[int], field: str, generations: int) -> npt.NDArray[np.uint32]:
    at = np.array(list(listed), np.uint32)
    if at.size and at[-1] > generations:
        remedy = f"the last generation is {generations}; leave out what lies beyond, or run longer"
        raise SpecError(field, int(at[-1]), "lies beyond the end of the run", remedy)
    return at


@lru_cache(maxsize=64)
def _log_spaced(generations: int) -> npt.NDArray[np.uint32]:
    """At most 200 generations with one ratio, found by halving: no logarithm, the same everywhere."""
    if generations < _LOG_MOST:
        return np.arange(generations + 1, dtype=np.uint32)
    low, high = 1.0, 2.0
    while len(_geometric(high, generations)) > _LOG_MOST - 1:
        low, high = high, high * high
    for _ in range(30):
        middle = (low + high) / 2
        if len(_geometric(middle, generations)) > _LOG_MOST - 1:
            low = middle
        else:
            high = middle
    at = np.array([0, *_geometric(high, generations)], np.uint32)
    at.flags.writeable = False  # shared by everyone who asks
    return at


def _geometric(ratio: float, last: int) -> list[int]:
    """1, then multiples by ``ratio`` (each at least one more), then ``last``; cut when too long."""
    out, value = [1], 1.0
    while len(out) <= _LOG_MOST:
        value = max(value * ratio, out[-1] + 1.0)
        step = int(value + 0.5)
        if step >= last:
            break
        out.append(step)
    return [*out, last]

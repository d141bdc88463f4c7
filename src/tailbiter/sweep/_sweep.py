# SPDX-License-Identifier: MIT
"""A grid of Specs: which fields vary, over what, and in which design."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tailbiter import _document
from tailbiter._checks import (
    SET,
    Described,
    as_dict,
    check_keys,
    check_table,
    choice,
    is_list,
    make,
    number,
    whole,
)
from tailbiter.errors import SpecError
from tailbiter.record import Record
from tailbiter.reference import Reference, Table
from tailbiter.spec import Spec

from ._design import DESIGNS, Axis, columns_of
from ._fields import is_whole, refuse_unknown, replaced
from ._range import Range

__all__ = ["Cell", "Sweep"]

_LAST_SEED = 2**63 - 1
_SCALAR = (bool, int, float, str)
_LIST = "give a list such as [0, 0.01, 0.1], or a range"
_ID_DIGITS = 32
# Of checked Specs that are kept until they are run: a generation takes about 24 bytes of each.
_KEPT_GENERATIONS = 4_000_000
_KEYS = ("vary", "design", "points", "seed", "common_random_numbers", "invalid")


class Cell(NamedTuple):
    """One point of a sweep's grid.

    Attributes
    ----------
    number : int
        Its place in the sweep, from 0; of a product, the last field runs fastest.
    values : dict of str to value
        What each swept field is here.
    id : str
        128 bits in hexadecimal: what is run and what is kept of it, whichever sweep asks.
    spec : Spec
        What is run: ``simulate(cell.spec, record=sweep.record)`` gives the same bits.
    """

    number: int
    values: dict[str, Any]
    id: str
    spec: Spec


class Sweep(Described, frozen=True, dict=True):
    """A grid of Specs.

    Parameters
    ----------
    base : Spec
        What all cells have in common.
    vary : mapping of str to list or Range; or a table, as a list of mappings
        Fields by dotted name ("samples", "regime.real", "reference.exponent", "regime"), and their values. A
        table has a row for every cell, as a zip does.
    design : {"product", "zip", "latin_hypercube", "sobol"}, default "product"
        Every combination; the first values together, then the second ones, and so on; or ``points`` spread
        over the ranges (scipy.stats.qmc), where a list is divided into equal parts.
    points : int, optional
        Cells of a Latin hypercube or Sobol design, for the latter a power of two.
    seed : int, optional
        Of every cell and of the design, the base's if left out. A cell's random words follow from it and
        the cell's law, so values added later change no cell that was there.
    common_random_numbers : bool, default False
        Let all cells share their random words, which may make their differences less noisy.
    record : Record, optional
        What to keep of every cell.
    invalid : {"refuse", "skip"}, default "refuse"
        What to do about combinations that cannot be run: nothing starts, or they are left out.

    Raises
    ------
    SpecError
        For an unknown field (the nearest is named), an empty range, more than a million cells, and cells that
        cannot be run.

    Examples
    --------
    >>> import tailbiter as tb
    >>> base = tb.Spec(reference=tb.Zipf(100), regime=tb.Anchored(real=0.0), generations=100, replicates=4)
    >>> shares = [0, 0.01, 0.1]
    >>> sweep = Sweep(base, vary={"samples": tb.Range(100, 10_000, 3, scale="log"), "regime.real": shares})
    >>> len(sweep), sweep.cell(5).values
    (9, {'samples': 1000, 'regime.real': 0.1})
    >>> sweep == Sweep.from_toml(sweep.to_toml())
    True
    """

    base: Spec
    vary: Mapping[str, Axis]
    design: str = "product"
    points: int | None = None
    seed: int | None = None
    common_random_numbers: bool = False
    record: Record = Record()
    invalid: str = "refuse"

    def __post_init__(self) -> None:
        if not isinstance(self.base, Spec):
            raise SpecError("sweep.base", self.base, "is not a Spec", "give a Spec")
        if not isinstance(self.record, Record):
            raise SpecError("record", self.record, "is not a Record", "give a Record")
        choice(self.design, "sweep.design", DESIGNS)
        choice(self.invalid, "sweep.invalid", ("refuse", "skip"))
        seed = self.base.seed if self.seed is None else self.seed
        SET(self, "seed", whole(seed, "sweep.seed", 0, _LAST_SEED, "give a whole number such as 1851"))
        if not isinstance(self.common_random_numbers, bool):
            value = self.common_random_numbers
            raise SpecError(
                "sweep.common_random_numbers", value, "is not true or false", "give true or false"
            )
        if self.base.common_random_numbers:
            SET(self, "common_random_numbers", True)
        SET(self, "vary", self._axes(self.vary))
        _ = self.columns  # refuses what makes no cells

    def _axes(self, vary: object) -> dict[str, Axis]:
        """What varies, by name, checked and in plain values."""
        if is_list(vary):
            vary = self._table(vary)
        check_table(vary, "sweep.vary")
        flat = dict(_flattened(vary))  # type: ignore[arg-type]  # checked to be a mapping
        if not flat:
            raise SpecError("sweep.vary", {}, "is empty", 'give a field and its values, such as "samples"')
        for name in flat:
            refuse_unknown(self.base, name)
            above = [other for other in flat if name.startswith(f"{other}.")]
            if above:
                problem = f"stands below {above[0]}, which varies too"
                raise SpecError("sweep.vary", name, problem, "vary one of the two")
        return {name: self._axis(name, values) for name, values in flat.items()}

    def _table(self, rows: Sequence[Any]) -> dict[str, list[Any]]:
        """A table's columns."""
        if self.design not in ("product", "zip"):
            raise SpecError("sweep.design", self.design, "does not go with a table", "leave it out")
        SET(self, "design", "zip")
        names = list(rows[0]) if rows and isinstance(rows[0], Mapping) else []
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping) or list(row) != names:
                problem = f"is no row like the first, with {', '.join(map(str, names))}"
                raise SpecError(f"sweep.vary[{index}]", row, problem, "give every row the same fields")
        return {name: [row[name] for row in rows] for name in names}

    def _axis(self, name: str, values: object) -> Axis:
        field = f"sweep.vary.{name}"
        if isinstance(values, Mapping):
            values = _range_from(values, field)
        if isinstance(values, Range):
            return values
        if isinstance(values, np.ndarray):
            values = values.tolist()
        if not is_list(values):
            raise SpecError(field, values, "is not a list of values", _LIST)
        if not values:
            raise SpecError(field, [], "is empty", _LIST)
        integers = is_whole(self.base, name)
        axis = tuple(_plain(value, f"{field}[{i}]", integers) for i, value in enumerate(values))
        if self.design == "product":
            labels = [label_of(value) for value in axis]
            twice = (
                [label for i, label in enumerate(labels) if label in labels[:i]]
                if len(labels) < 10**4
                else []
            )
            if twice:
                raise SpecError(field, twice[0], "stands there twice", "give every value once")
        return axis

    @cached_property
    def columns(self) -> dict[str, Sequence[Any]]:
        """Values of every field: along its own dim for a product, of every cell otherwise."""
        wholes = {name for name in self.vary if is_whole(self.base, name)}
        return columns_of(self.vary, self.design, self.points, int(self.seed or 0), wholes)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that vary."""
        return tuple(self.vary)

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each dim: a dim for every field of a product, else one."""
        lengths = [len(column) for column in self.columns.values()]
        return tuple(lengths) if self.design == "product" else (lengths[0],)

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def values(self, number: int) -> tuple[Any, ...]:
        """Return the values of cell ``number``, in the order of `names`."""
        if self.design != "product":
            return tuple(column[number] for column in self.columns.values())
        out: list[Any] = []
        for column in reversed(self.columns.values()):
            number, place = divmod(number, len(column))
            out.append(column[place])
        return tuple(reversed(out))

    def spec(self, number: int) -> Spec:
        """Return the Spec of cell ``number``.

        Raises
        ------
        SpecError
            If it cannot be run.
        """
        made = self._specs.get(number)
        return self._maker.spec(self.values(number)) if made is None else made

    def cell(self, number: int) -> Cell:
        """Return cell ``number``."""
        values, spec = self.values(number), self.spec(number)
        return Cell(number, dict(zip(self.names, values, strict=True)), self.id_of(spec), spec)

    def cells(self) -> Iterator[Cell]:
        """Go through all cells that can be run."""
        return (self.cell(number) for number, cell in enumerate(self.ids) if cell is not None)

    @cached_property
    def _specs(self) -> dict[int, Spec]:
        """Specs made when cells were checked, where all of them take little memory."""
        return {}

    @cached_property
    def _maker(self) -> _Maker:
        return _Maker(self)

    def id_of(self, spec: Spec) -> str:
        """Return a cell's identity: its Spec's, how long and how wide it is run, and what is kept."""
        text = f"{spec.digest()} {spec.generations} {spec.replicates} {self._record_json}"
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]

    @cached_property
    def base_id(self) -> str:
        """What stands for all that cells have in common: with it, a cell's values tell the cell."""
        return self.id_of(self._maker.start)

    @cached_property
    def _record_json(self) -> str:
        return self.record.to_json()

    @cached_property
    def ids(self) -> list[str | None]:
        """Identity of every cell, None where it cannot be run and ``invalid`` is "skip".

        Raises
        ------
        SpecError
            For the first cell that cannot be run, saying how many there are; and where all are skipped.
        """
        out: list[str | None] = []
        first: tuple[int, SpecError] | None = None
        for place in range(len(self)):
            try:
                spec = self.spec(place)
                _refuse_other_family(self.base, spec)
                self.record.at(spec.generations)
                out.append(self.id_of(spec))
                if len(self._specs) * spec.generations < _KEPT_GENERATIONS:
                    self._specs[place] = spec
            except SpecError as error:
                first = first or (place, error)
                out.append(None)
        bad = out.count(None)
        if first and (self.invalid == "refuse" or bad == len(out)):
            raise self._invalid(*first, bad)
        return out

    def _invalid(self, number: int, error: SpecError, bad: int) -> SpecError:
        shown = describe(dict(zip(self.names, self.values(number), strict=True)))
        problem = f"{error.problem} (cell {shown}; {bad:,} of {len(self):,} cells cannot be run)"
        remedy = error.remedy if self.invalid == "skip" else f'{error.remedy}, or invalid = "skip"'
        return type(error)(error.field, error.value, problem, remedy)

    def to_dict(self, *, folder: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Return the sweep as plain data: the base Spec's, with ``record`` and ``sweep``."""
        plain: dict[str, Any] = {"design": self.design}
        if self.points is not None:
            plain["points"] = self.points
        plain |= {
            "seed": self.seed,
            "common_random_numbers": self.common_random_numbers,
            "invalid": self.invalid,
        }
        plain["vary"] = {
            name: as_dict(axis) if isinstance(axis, Range) else [plain_value(value) for value in axis]
            for name, axis in self.vary.items()
        }
        return {**self.base.to_dict(folder=folder), "record": self.record.to_dict(), "sweep": plain}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, folder: str | os.PathLike[str] | None = None) -> Sweep:
        """Make a Sweep from plain data, as `to_dict` returns it."""
        check_table(data, "sweep")
        rest = dict(data)
        rest.pop("store", None)  # a store's own copy says which format it has
        record = Record.from_dict(rest.pop("record", {}))
        table = rest.pop("sweep", None)
        if table is None:
            raise SpecError("sweep", sorted(rest), "is missing", "add a [sweep] table, with what to vary")
        check_table(table, "sweep")
        check_keys(table, _KEYS, "sweep")
        if "vary" not in table:
            raise SpecError(
                "sweep", sorted(table), "lacks the key 'vary'", "add [sweep.vary], with fields and values"
            )
        return cls(Spec.from_dict(rest, folder=folder), record=record, **table)

    def to_toml(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the sweep as TOML, a Spec with ``[sweep]``, and write it to ``path`` if given."""
        folder = None if path is None else Path(path).resolve().parent
        text = _document.write_toml(self.to_dict(folder=folder))
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Sweep:
        """Make a Sweep from a TOML file or text; relative paths of tables start from the file's folder."""
        data, folder = _document.read_toml(source)
        return cls.from_dict(data, folder=folder)


def _refuse_other_family(base: Spec, spec: Spec) -> None:
    """What is recorded of one family is not of another: a sweep's records are one table."""
    if spec.reference.family != base.reference.family:
        problem = f"is of another family than the base's, {base.reference.family}"
        raise SpecError("reference", spec.reference.family, problem, "sweep each family on its own")


class _Maker:
    """Makes the Specs of a sweep's cells; what several cells have in common is made once."""

    def __init__(self, sweep: Sweep) -> None:
        changes = {"seed": sweep.seed, "common_random_numbers": sweep.common_random_numbers}
        self.start = msgspec.structs.replace(sweep.base, **changes)
        self.ways: dict[str, list[tuple[int, list[str]]]] = {}
        for place, name in enumerate(sweep.names):
            head, *rest = name.split(".")
            self.ways.setdefault(head, []).append((place, rest))
        self.made: dict[tuple[str, ...], Any] = {}

    def spec(self, values: tuple[Any, ...]) -> Spec:
        """The Spec with these values."""
        return msgspec.structs.replace(
            self.start, **{head: self._part(head, ways, values) for head, ways in self.ways.items()}
        )

    def _part(self, head: str, ways: list[tuple[int, list[str]]], values: tuple[Any, ...]) -> Any:
        if not ways[0][1]:
            return values[ways[0][0]]
        key = (head, *(repr(values[place]) for place, _ in ways))
        part = self.made.get(key)
        if part is None:
            part = replaced(getattr(self.start, head), [(rest, values[place]) for place, rest in ways])
            if len(self.made) < 10_000:
                self.made[key] = part
        return part


def _flattened(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables by dotted names: in TOML, ``regime.real = [...]`` without quotes is one."""
    for key, value in table.items():
        if isinstance(value, Mapping) and "start" not in value:
            yield from _flattened(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _range_from(table: Mapping[str, Any], field: str) -> Range:
    try:
        made: Range = make(Range, table, field)
    except SpecError as error:
        raise SpecError(
            error.field.replace("range", field, 1), error.value, error.problem, error.remedy
        ) from error
    return made


def _plain(value: Any, field: str, integers: bool) -> Any:
    """A value as it will stand in the Spec, where that can be known."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if integers and isinstance(value, float):
        return whole(value, field, 0, _LAST_SEED, "give a whole number")
    if not integers and isinstance(value, int) and not isinstance(value, bool):
        return number(value, field, "give a number")
    if isinstance(value, Mapping):
        return dict(value)
    if not isinstance(value, Table):
        value = plain_value(value)
    return list(value) if isinstance(value, tuple) else value


def plain_value(value: Any) -> Any:
    """A value of a swept field as plain data."""
    if isinstance(value, Reference):
        return value.to_dict()
    return as_dict(value) if isinstance(value, msgspec.Struct) else value


def label_of(value: Any) -> int | float | str | bool:
    """What stands for a value where only scalars can: itself, its kind, or its JSON."""
    if isinstance(value, _SCALAR):
        return value
    plain = value.to_dict(brief=True) if isinstance(value, Reference) else plain_value(value)
    if isinstance(plain, dict) and list(plain) == ["kind"]:
        return str(plain["kind"])
    return _document.write_json(plain)


def describe(values: Mapping[str, Any]) -> str:
    """Values of a cell on one line."""
    return ", ".join(f"{name} = {label_of(value)}" for name, value in values.items())


def labels_of(values: Iterable[Any]) -> list[Any]:
    """Labels of a column, all of one type: where they are not, text."""
    labels = [label_of(value) for value in values]
    kinds = {type(label) for label in labels}
    if len(kinds) > 1 and not kinds <= {int, float}:
        return [str(label) for label in labels]
    return labels

# SPDX-License-Identifier: MIT
"""Groups of categories: a style, a dialect, a viewpoint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .._checks import SET, is_list, with_article
from ..errors import DataError, SpecError
from ._files import Column, read_columns
from ._support import Labels, Reference, content_digest
from ._tables import Counts, Probabilities, Table

MOST_GROUPS = 256
REST = "rest"
_FIELD = "groups"
_GIVE = "name a column of the reference's table, or give a list or a mapping of labels to groups"
_BRIEF = 1000


class Groups(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The group of each category; equal by content.

    Parameters
    ----------
    names : sequence of str, shape [n]
        One for each row of the reference's table, or for each category of a law. What has none (an empty
        text, None) is of the group "rest".
    column : str or int, optional
        The column of the reference's file that they were read from.

    Raises
    ------
    SpecError
        For names that are no texts, or more than 256 different ones.

    Examples
    --------
    >>> Groups(["old", "", "new"]).names.tolist()
    ['old', 'rest', 'new']
    """

    names: Labels
    column: Column | None = None

    def __post_init__(self) -> None:
        items = [_name(item, index) for index, item in enumerate(_listed(self.names))]
        if not items:
            raise SpecError(_FIELD, [], "is empty", "give each category a group")
        if len(set(items)) > MOST_GROUPS:
            problem = f"groups exceed {MOST_GROUPS}"
            raise SpecError(_FIELD, len(set(items)), problem, "merge some of them")
        names = np.empty(len(items), object)
        names[:] = items
        names.flags.writeable = False
        SET(self, "names", names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return content_digest(np.zeros(0), self.names)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.digest == other.digest

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own would be inherited, and compare fields

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<Groups: {len(set(self.names))} of {len(self.names):,} categories>"

    def plain(self, *, brief: bool = False) -> Any:
        """Return plain data: the column, or all names; with ``brief`` many names by their digest."""
        if self.column is not None:
            return self.column
        if brief and len(self.names) > _BRIEF:
            return {"digest": self.digest}
        return self.names.tolist()


def as_groups(value: object, reference: Reference) -> Groups | None:
    """Return the groups of a reference's categories.

    Parameters
    ----------
    value : Groups, str, int, sequence, mapping or None
        A column of the file that the reference was read from, by name or number; or a name for each row of
        its table, or for each category of a law; or a mapping of labels to names, in which labels that it
        lacks are of the group "rest".
    reference : Reference
        What they are groups of.

    Raises
    ------
    SpecError
        If they do not go with the reference.
    """
    if value is None:
        return None
    if not reference.traits.has_categories:
        problem = f"is about categories, which {with_article(reference.family)} reference has none of"
        raise SpecError(_FIELD, value, problem, "leave it out")
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        value = _column(value, reference)
    elif isinstance(value, Mapping):
        value = _mapped(value, reference)
    groups = value if isinstance(value, Groups) else Groups(_listed(value))
    rows = reference.rows if isinstance(reference, Table) else len(reference.support)
    if len(groups.names) != rows:
        problem = f"names do not match {rows:,} rows of the reference"
        raise SpecError(_FIELD, len(groups.names), problem, "give each of them one group")
    return groups


def _listed(value: object) -> Any:
    """The items of what is a flat list."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return value.tolist()
    if hasattr(value, "to_list"):  # a column of pandas or polars
        return value.to_list()
    if not is_list(value):
        raise SpecError(_FIELD, value, "is not a list of groups", _GIVE)
    return value


def _name(item: object, index: int) -> str:
    if item is None or item == "":
        return REST
    if isinstance(item, bool) or not isinstance(item, (str, int)):
        raise SpecError(f"{_FIELD}[{index}]", item, "is not the name of a group", "give a text")
    return str(item)


def _column(column: Column, reference: Reference) -> Groups:
    source = reference.source if isinstance(reference, (Counts, Probabilities)) else None
    if source is None:
        problem = "is a column of no file: the reference was not read from one"
        raise SpecError(_FIELD, column, problem, "give a list or a mapping of labels to groups")
    try:
        table = read_columns(Path(source.path), source.values, column)
    except DataError as error:
        raise DataError(f"{_FIELD}, {error.field}", error.value, error.problem, error.remedy) from error
    if table.labels is None:
        raise SpecError(_FIELD, column, "is not a column of names", _GIVE)
    return Groups(table.labels, column)


def _mapped(mapping: Mapping[Any, Any], reference: Reference) -> Groups:
    labels = reference.labels if isinstance(reference, (Counts, Probabilities)) else None
    if labels is None:
        problem = "maps labels, and the reference has none"
        raise SpecError(_FIELD, dict(list(mapping.items())[:3]), problem, "give a list of groups")
    if not any(label in mapping for label in labels):
        first = next(iter(mapping), None)
        problem = "is the first label of a mapping that holds none of the reference's"
        raise SpecError(_FIELD, first, problem, f"give a group to labels such as {labels[0]!r}")
    return Groups([mapping.get(label) for label in labels])  # type: ignore[arg-type]  # normalised there

# SPDX-License-Identifier: MIT
"""Held-out human data: counts that are never trained on, joined to the categories of a reference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks import is_list, with_article
from ..errors import DataError, SpecError
from ._support import Reference
from ._tables import Counts, Probabilities, Table

_FIELD = "held_out"
_GIVE = "give Counts of text that is not trained on, or the name of a column of the reference's file"


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out counts by the categories of a reference.

    Attributes
    ----------
    tokens : uint64[K]
        Of each category of the reference's support, from common to rare.
    total, types : int
        Tokens and different categories in all, those that the reference lacks too.
    squares_outside : float
        Sum of the squared shares of those that it lacks.
    """

    tokens: npt.NDArray[np.uint64]
    total: int
    types: int
    squares_outside: float


def as_held_out(
    value: object, reference: Reference, folder: str | os.PathLike[str] | None = None
) -> Counts | None:
    """Return held-out counts that can be joined to a reference.

    Parameters
    ----------
    value : Counts, str, int, mapping or None
        Counts; or a column of the file that the reference was read from; or a table as TOML gives it, in
        which ``counts`` without ``path`` is such a column.
    reference : Reference
        What they are held out from.
    folder : path, optional
        Where a relative path starts from.

    Raises
    ------
    SpecError
        If they cannot be used, or share no label with the reference.
    """
    if value is None:
        return None
    if not reference.traits.has_categories:
        problem = f"is about categories, which {with_article(reference.family)} reference has none of"
        raise SpecError(_FIELD, value, problem, "leave it out")
    if isinstance(value, Mapping):
        value = _from_table(value, folder)
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        value = _column(value, reference)
    if not isinstance(value, Counts):
        remedy = "give Counts(...) of it, with the reference's labels" if is_list(value) else _GIVE
        raise SpecError(_FIELD, value, "is no table of counts", remedy)
    join(reference, value)
    return value


def _from_table(data: Mapping[str, Any], folder: str | os.PathLike[str] | None) -> Counts | str | int:
    kind = data.get("kind", "counts")
    if kind != "counts":
        raise SpecError(f"{_FIELD}.kind", kind, "is not a table of counts", "leave the kind out")
    rest = {key: value for key, value in data.items() if key != "kind"}
    column = rest.get("counts")
    if rest.keys() == {"counts"} and isinstance(column, (str, int)):
        return column
    with _named():
        return Counts.from_dict(rest, folder)


@contextmanager
def _named() -> Iterator[None]:
    """Name the field in what is wrong with a table, which is told of a reference otherwise."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{_FIELD}, {error.field}", error.value, error.problem, error.remedy) from error
    except SpecError as error:
        field = _FIELD + error.field.removeprefix("reference")
        raise SpecError(field, error.value, error.problem, error.remedy) from error


def _column(column: str | int, reference: Reference) -> Counts:
    source = reference.source if isinstance(reference, (Counts, Probabilities)) else None
    if source is None:
        problem = "is a column of no file: the reference was not read from one"
        raise SpecError(_FIELD, column, problem, "give Counts")
    with _named():
        return Counts.read(source.path, counts=column, labels=source.labels)


@lru_cache(maxsize=64)  # cells of a sweep have them in common
def join(reference: Reference, held_out: Counts) -> HeldOut:
    """Join held-out counts to the categories of a reference: by label, or by row where neither has labels.

    Parameters
    ----------
    reference : Reference
        With categories.
    held_out : Counts
        What the reference has no label for stays outside it.

    Raises
    ------
    SpecError
        If only one of them has labels, none is shared, or rows without labels differ in number.
    """
    rows, labels = _rows_of(reference)
    counts = held_out.counts.astype(np.uint64)
    if (labels is None) != (held_out.labels is None):
        which = "held-out counts have" if labels is None else "the reference has"
        problem = f"cannot be joined: only {which} labels"
        raise SpecError(_FIELD, held_out, problem, "give both of them labels, or neither")
    if labels is None or held_out.labels is None:
        if len(counts) != rows:
            problem = f"counts without labels do not match {rows:,} rows of the reference"
            raise SpecError(_FIELD, len(counts), problem, "give both of them labels")
        by_row = counts
    else:
        of_label = dict(zip(held_out.labels.tolist(), counts.tolist(), strict=True))
        by_row = np.array([of_label.get(label, 0) for label in labels.tolist()], np.uint64)
    support = reference.support
    tokens = by_row[support.position[support.order]]
    if not tokens.any():
        raise SpecError(_FIELD, held_out, "shares no category with the reference", _ALIKE)
    tokens.flags.writeable = False
    return _joined(tokens, counts)


_ALIKE = "give it labels that are spelled like the reference's"


def _rows_of(reference: Reference) -> tuple[int, npt.NDArray[np.object_] | None]:
    if isinstance(reference, Table):
        labels = reference.labels if isinstance(reference, (Counts, Probabilities)) else None
        return reference.rows, labels
    return len(reference.support), None


def _joined(tokens: npt.NDArray[np.uint64], counts: npt.NDArray[np.uint64]) -> HeldOut:
    """Squares outside are what those inside leave, in whole numbers so that nothing is lost."""
    total = int(counts.sum())
    squares = sum(int(count) ** 2 for count in counts.tolist()) - sum(int(n) ** 2 for n in tokens.tolist())
    return HeldOut(tokens, total, int(np.count_nonzero(counts)), squares / total**2)

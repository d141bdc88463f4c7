# SPDX-License-Identifier: MIT
"""References given by a table: counts or probabilities, inline or from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
import numpy as np
import numpy.typing as npt

from .._checks import SET, check_keys
from ..errors import DataError, SpecError
from ._files import Column, read_columns
from ._support import Categorical, Labels, Support, content_digest, quantise, support_of
from ._values import Place, as_counts, as_labels, as_weights

_SHIPPED = "tailbiter:"
_SHIPPED_FOLDER = Path(__file__).resolve().parent.parent / "data"
_BRIEF = 1000


class Source(msgspec.Struct, frozen=True):
    """The file that a table was read from.

    Attributes
    ----------
    path : str
        The file, absolute.
    values, labels : str or int or None
        Its columns, by name or by number from 0.
    first_row : int
        Line of the file that holds the first category; 0 for files that are no text.
    """

    path: str
    values: Column | None = None
    labels: Column | None = None
    first_row: int = 1


class Table(Categorical, frozen=True):
    """What tables of counts and of probabilities share; equal by content, whatever file it came from."""

    _column: ClassVar[str]

    def _field(self, name: str) -> Any:
        """A field of the subclass."""
        return getattr(self, name)

    @property
    def _numbers(self) -> npt.NDArray[Any]:
        return self._field(self._column)

    @property
    def _names(self) -> Labels | None:
        return self._field("labels")

    @property
    def _source(self) -> Source | None:
        return self._field("source")

    def _place(self, column: str) -> Place:
        source = self._source
        if source is None:
            return Place(column)
        named = source.values if column == self._column else source.labels
        name = column if named is None else f"column {named!r}"
        return Place(name, source.path, source.first_row)

    def _normalise_labels(self) -> None:
        if self._names is not None:
            SET(self, "labels", as_labels(self._names, len(self._numbers), self._place("labels")))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, labels included."""
        return content_digest(self._numbers, self._names)

    @property
    def rows(self) -> int:
        """Number of rows of the table, categories that never occur among them."""
        return len(self._numbers)

    @property
    def categories(self) -> int:
        """Number of categories of positive weight, K."""
        return int(np.count_nonzero(self._numbers))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.digest == other.digest

    def __ne__(self, other: object) -> bool:
        return not self == other  # msgspec's own would be inherited, and compare fields

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        origin = "" if self._source is None else f" from {self._source.path!r}"
        return f"<{type(self).__name__}: {self.categories:,} categories{origin}>"

    @cached_property
    def _digest_of_numbers(self) -> str:
        """SHA-256 of the table without its labels."""
        return content_digest(self._numbers)

    def canonical(self, *, labels: bool = True) -> dict[str, Any]:
        """Return plain data that names the content by digest, with or without the labels."""
        digest = self.digest if labels else self._digest_of_numbers
        return {"kind": self.__struct_config__.tag, "digest": digest}

    def to_dict(self, *, folder: str | os.PathLike[str] | None = None, brief: bool = False) -> dict[str, Any]:
        """Return the reference as plain data: the file it was read from, or the table itself.

        Parameters
        ----------
        folder : path, optional
            A file at or below it is named relative to it.
        brief : bool, default False
            Name a large table that no file holds by its digest only. Such data cannot be read back.
        """
        out: dict[str, Any] = {"kind": self.__struct_config__.tag}
        source = self._source
        if source is not None:
            out |= {"path": _portable(source.path, folder), "digest": self.digest}
            columns = {self._column: source.values, "labels": source.labels}
            return out | {name: column for name, column in columns.items() if column is not None}
        if brief and len(self._numbers) > _BRIEF:
            return out | {"categories": self.categories, "digest": self.digest}
        out[self._column] = self._numbers.tolist()
        return out if self._names is None else out | {"labels": self._names.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], folder: str | os.PathLike[str] | None = None) -> Self:
        """Make the table from plain data; a relative path starts from ``folder``.

        Raises
        ------
        SpecError
            For an unknown key, or a table that cannot be used.
        DataError
            If the file cannot be used, or its content is not what ``digest`` says.
        """
        check_keys(data, ("path", cls._column, "labels", "digest"), "reference")
        if "path" not in data and cls._column not in data:
            remedy = f"give {cls._column} = [...], or path = a file"
            raise SpecError("reference", sorted(data), f"has neither {cls._column} nor path", remedy)
        if "path" in data:
            out = cls._read(data["path"], data.get(cls._column), data.get("labels"), folder)
        else:
            out = cls._given(data)
        if data.get("digest", out.digest) != out.digest:
            where = "reference" if out._source is None else out._source.path
            remedy = "restore the table, or remove the digest to accept this one"
            raise DataError(where, out.digest, "is not the digest that the Spec was written with", remedy)
        return out

    @classmethod
    def _given(cls, data: Mapping[str, Any]) -> Self:
        """Make a table from its columns; alone it does not know that it is a Spec's reference."""
        try:
            return cls(**{cls._column: data[cls._column], "labels": data.get("labels")})
        except SpecError as error:
            raise SpecError(f"reference.{error.field}", error.value, error.problem, error.remedy) from error

    @classmethod
    def _read(
        cls,
        path: object,
        values: Column | None,
        labels: Column | None,
        folder: str | os.PathLike[str] | None = None,
    ) -> Self:
        if not isinstance(path, (str, os.PathLike)):
            raise SpecError("reference.path", path, "is not a path", "give the name of a file")
        table = read_columns(_resolved(os.fspath(path), folder), values, labels)
        source = Source(str(table.path), table.values_column, table.labels_column, table.first_row)
        return cls(**{cls._column: table.values, "labels": table.labels, "source": source})


def _resolved(path: str, folder: str | os.PathLike[str] | None) -> Path:
    if path.startswith(_SHIPPED):
        from .. import data

        return data.path(path.removeprefix(_SHIPPED).removesuffix(".csv"))
    try:
        return (Path.cwd() if folder is None else Path(folder)).resolve() / Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(path, path, "starts from no user's folder", "write the folder out") from error


def _portable(path: str, folder: str | os.PathLike[str] | None) -> str:
    """Name a shipped file, or one below ``folder``, so that the name holds on another machine."""
    real = Path(path).parent.resolve() / Path(path).name
    if real.is_relative_to(_SHIPPED_FOLDER):
        return _SHIPPED + real.relative_to(_SHIPPED_FOLDER).as_posix()
    if folder is not None and real.is_relative_to(Path(folder).resolve()):
        return real.relative_to(Path(folder).resolve()).as_posix()
    return path


class Counts(Table, frozen=True, eq=False, tag="counts"):
    """How often each category occurs.

    Parameters
    ----------
    counts : sequence of int, shape [n]
        Whole, not negative, at most 2**53 in all. A category that never occurs is kept out of the run.
    labels : sequence of str, shape [n], optional
        Names of the categories, no two alike.
    source : Source, optional
        Set by `Counts.read`.

    Raises
    ------
    SpecError
        For counts or labels that cannot be used; the message names the first one.

    Examples
    --------
    >>> Counts([3, 0, 5], labels=["the", "thee", "a"]).support.weights.tolist()
    [3, 5]
    """

    _column: ClassVar[str] = "counts"

    counts: npt.NDArray[np.int64]
    labels: Labels | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        SET(self, "counts", as_counts(self.counts, self._place("counts")))
        self._normalise_labels()

    def _support(self) -> Support:
        return support_of(self.counts.astype(np.uint64), self.labels)

    @classmethod
    def of(cls, mapping: Mapping[Any, int]) -> Counts:
        """Make counts from a dict or Counter; its keys become the labels.

        Examples
        --------
        >>> Counts.of({"the": 3, "a": 5}).labels.tolist()
        ['the', 'a']
        """
        if not isinstance(mapping, Mapping):
            raise SpecError("counts", mapping, "is not a mapping", "give a dict or Counter")
        labels = [key if isinstance(key, str) else str(key) for key in mapping]
        return cls(list(mapping.values()), labels)  # type: ignore[arg-type]  # normalised on construction

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], counts: Column | None = None, labels: Column | None = None
    ) -> Counts:
        """Read counts from a file.

        Parameters
        ----------
        path : path
            CSV or TSV (UTF-8, with a header or without, compressed or not), Parquet (``.parquet``) or numpy
            (``.npy``). ``tailbiter:NAME`` is a table that ships with the package.
        counts, labels : str or int, optional
            The columns, by name or by number from 0. Left out: the only column of numbers, and the first that
            is not of numbers.

        Raises
        ------
        DataError
            If the file cannot be used; the message names file, row and column.

        Notes
        -----
        The first row is a header if it has a word above a column of numbers, if a column was asked for by its
        name, or if one of the usual words (word, label, category, name, token, type, species, language, code,
        lemma, term) stands above the labels. Otherwise ``lions,2020`` cannot be told from a category: ask for
        the column by its name, ``counts="2020"``.

        Examples
        --------
        >>> Counts.read("tailbiter:shakespeare", counts="train").labels[:3].tolist()
        ['the', 'and', 'i']
        """
        return cls._read(path, counts, labels)


class Probabilities(Table, frozen=True, eq=False, tag="probabilities"):
    """Real-valued weights of categories; only their ratios matter.

    Parameters
    ----------
    values : sequence of float, shape [n]
        Finite and not negative; they need not sum to 1. They are turned into whole weights with a total of at
        most 2**53 by multiplying with a power of two and rounding half up.
    labels : sequence of str, shape [n], optional
        Names of the categories, no two alike.
    source : Source, optional
        Set by `Probabilities.read`.

    Raises
    ------
    SpecError
        For values or labels that cannot be used; the message names the first one.

    Examples
    --------
    >>> Probabilities([0.75, 0.25]).support.weights.tolist() == [3 * 2**51, 2**51]
    True
    """

    _column: ClassVar[str] = "values"

    values: npt.NDArray[np.float64]
    labels: Labels | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        SET(self, "values", as_weights(self.values, self._place("values")))
        self._normalise_labels()

    def _support(self) -> Support:
        place = self._place("values")
        return support_of(quantise(self.values, place.item, "give 0, or a larger value"), self.labels)

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], values: Column | None = None, labels: Column | None = None
    ) -> Probabilities:
        """Read values from a file; see `Counts.read`.

        Parameters
        ----------
        path : path
            As for `Counts.read`.
        values, labels : str or int, optional
            The columns, by name or by number from 0.

        Raises
        ------
        DataError
            If the file cannot be used; the message names file, row and column.

        Examples
        --------
        >>> Probabilities.read("tailbiter:languages", values="people", labels="code").labels[:2].tolist()
        ['en', 'zh']
        """
        return cls._read(path, values, labels)

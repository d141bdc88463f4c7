# SPDX-License-Identifier: MIT
"""A Spec by flags: what several commands of the command line have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from tailbiter._checks import choice, whole
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    from tailbiter.reference import Counts, Reference
    from tailbiter.spec import Spec

__all__ = ["Count", "SpecFlags", "flag", "numeric"]

# The regimes that flags can spell; of the flags, those of each regime: "needs one of" and "may have".
REGIMES = {
    "replace": ((), ()),
    "accumulate": ((), ()),
    "accumulate_subsample": ((), ("draw",)),
    "anchored": (("real", "real_count"), ("source", "hoard")),
    "window": (("k",), ()),
    "crawl": (("real",), ()),
    "real_only": ((), ()),
}
# What a field is called on the command line, where it is not its own name.
FLAG_OF = {"real_count": "real-count", "k": "window", "kind": "regime", "held_out": "held-out"}
EXAMPLE_OF = {"real": "0.01", "k": "5"}
AUTO = "auto"
TRIED = range(1, 9)  # numbers of components that auto chooses from


def number(_: type, tokens: Sequence[Token]) -> int | float:
    """Numbers as people write them (200000, 2e5); whether a fraction is allowed is for the Spec to say."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'unable to read "{text}" as a number') from None


def flag(help_text: str, *names: str) -> Parameter:
    return Parameter(names or None, help=help_text, negative=())


def numeric(help_text: str, metavar: str = "N") -> Parameter:
    return Parameter(help=help_text, metavar=metavar, converter=number, n_tokens=1, allow_leading_hyphen=True)


Count = int | float | None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SpecFlags:
    """The fields of a Spec that flags can say."""

    counts: Annotated[Path | None, flag("Table of counts instead: CSV, TSV, Parquet or .npy")] = None
    counts_column: Annotated[str | None, flag("Its column of counts, where that is not plain")] = None
    labels_column: Annotated[str | None, flag("Its column of labels, where that is not plain")] = None
    table: Annotated[Path | None, flag("Table of numbers instead, to fit normal laws to its rows")] = None
    columns: Annotated[str | None, flag("Its columns, such as a,b; by default all of numbers")] = None
    components: Annotated[
        str | None, flag("Fit a mixture of so many; auto: 1 to 8, by BIC; left out: one Gaussian")
    ] = None
    covariance: Annotated[
        str | None, flag("Of the mixture's components: full, tied, diagonal or spherical")
    ] = None
    samples: Annotated[
        Count, numeric("Size of each generation's new batch (2e5; of a --table, its rows)")
    ] = None
    generations: Annotated[Count, numeric("How many (2000)")] = None
    replicates: Annotated[Count, numeric("Independent lineages (32)")] = None
    seed: Annotated[Count, numeric("Whole number; same seed, same bits")] = None
    regime: Annotated[
        str | None, flag("replace, accumulate, accumulate_subsample, anchored, window, crawl or real_only")
    ] = None
    real: Annotated[Count, numeric("anchored, crawl: human share, such as 0.01", "SHARE")] = None
    real_count: Annotated[Count, numeric("anchored: human items of the batch, instead of --real")] = None
    source: Annotated[str | None, flag("anchored: fresh, fixed or hoard")] = None
    hoard: Annotated[Count, numeric("anchored, hoard: size of the kept human set")] = None
    window: Annotated[Count, numeric("window: how many batches")] = None
    draw: Annotated[Count, numeric("accumulate_subsample: size of the training set")] = None
    estimator: Annotated[
        str | None, flag("mle, add_k, good_turing, discount or shrinkage, with its defaults")
    ] = None
    temperature: Annotated[Count, numeric("Decoding: probabilities to the power 1/temperature", "X")] = None
    top_k: Annotated[Count, numeric("Decoding: only so many of the most probable")] = None
    top_p: Annotated[Count, numeric("Decoding: only the fewest that hold this share", "SHARE")] = None
    min_p: Annotated[Count, numeric("Decoding: only this share of the most probable one's", "SHARE")] = None
    epsilon: Annotated[Count, numeric("Decoding: only at least this probable", "P")] = None
    error_rate: Annotated[Count, numeric("Share of output outside the reference", "SHARE")] = None
    tpr: Annotated[Count, numeric("crawl: share of synthetic data that a detector finds", "SHARE")] = None
    fpr: Annotated[Count, numeric("crawl: share of human data that it takes for synthetic", "SHARE")] = None
    held_out: Annotated[
        str | None, flag("Counts to judge by: FILE, FILE:column, or :column of the same file")
    ] = None
    groups: Annotated[str | None, flag("Column of the table that names the group of each category")] = None

    def resolve(self, path: Path | None) -> Spec:
        """Return the Spec of a file, a table or the shipped example, with what the flags change."""
        from tailbiter import data
        from tailbiter.reference import Counts
        from tailbiter.spec import Spec

        regime = _regime(self.regime, self._table)
        changes = self._sizes if regime is None else {**self._sizes, "regime": regime}
        changes |= self._judged | self._levers
        self._refuse_lone(path)
        if path is not None:
            return Spec.from_toml(path).replace(**changes)
        if self.table is not None:
            reference, rows = self._fitted(self.table)
            return Spec(reference=reference, **{"samples": rows, **changes})
        if self.counts is not None:
            words = Counts.read(self.counts, counts=self.counts_column, labels=self.labels_column)
        else:
            words = Counts.read(data.path("shakespeare"), counts="train", labels="word")
            changes = {"held_out": "heldout", **changes}
        return Spec(reference=words, **changes)

    def _refuse_lone(self, path: Path | None) -> None:
        """Refuse flags about a table that is not there, and two things to run."""
        for name, column in self._given("counts_column", "labels_column").items():
            if self.counts is None:
                raise SpecError(flag_of(name), column, "is a column of no table", "add --counts FILE")
        for name, value in self._fit.items():
            if self.table is None:
                raise SpecError(flag_of(name), value, "is about no table", "add --table FILE")
        if self.covariance is not None and self.components is None:
            problem = "is a type of a mixture's covariances, and there is no mixture"
            raise SpecError("--covariance", self.covariance, problem, "add --components 3, or leave it out")
        for name, table in self._given("table", "counts").items():
            if path is not None or None not in (self.table, self.counts):
                what = "a Spec file" if path is not None else "--counts"
                raise SpecError(
                    f"--{name}", str(table), f"cannot be joined with {what}", "give one of the two"
                )

    def _fitted(self, path: Path) -> tuple[Reference, int]:
        """The law that is fitted to a table, and how many rows it has."""
        from tailbiter.reference import Gaussian, GaussianMixture
        from tailbiter.reference._matrix import as_matrix

        columns = None if self.columns is None else [name.strip() for name in self.columns.split(",")]
        rows = as_matrix(path, columns)
        if self.components is None:
            return Gaussian.fit(rows), len(rows.values)
        counts = TRIED if self.components == AUTO else _components(self.components)
        law = GaussianMixture.fit(rows, components=counts, covariance=self.covariance or "full")
        return law, len(rows.values)

    @contextmanager
    def spoken(self, *others: str) -> Iterator[None]:
        """Name the flag, not the field, in an error about a value that was given by flag."""
        given = {
            "": {*self._sizes, *self._fit, *self._judged, *self._given("error_rate", "estimator"), *others},
            "regime": set(self._table),
            "decoding": set(self._decoding),
            "detector": set(self._detector),
        }
        try:
            yield
        except SpecError as error:
            table, _, name = error.field.rpartition(".")
            if name not in given.get(table, ()):
                raise
            raise type(error)(flag_of(name), error.value, error.problem, error.remedy) from error

    @property
    def _sizes(self) -> dict[str, Any]:
        """Fields at the top of a Spec."""
        return self._given("samples", "generations", "replicates", "seed")

    @property
    def _decoding(self) -> dict[str, Any]:
        return self._given("temperature", "top_k", "top_p", "min_p", "epsilon")

    @property
    def _detector(self) -> dict[str, Any]:
        return self._given("tpr", "fpr")

    @property
    def _levers(self) -> dict[str, Any]:
        """What shapes the data beside the regime; each as a whole, whatever a Spec file says of it."""
        out = self._given("error_rate")
        if self.estimator is not None:
            out["estimator"] = {"kind": self.estimator.replace("-", "_")}
        if self._decoding:
            out["decoding"] = self._decoding
        if self._detector:
            out["detector"] = {"tpr": 0.0, "fpr": 0.0, **self._detector}
        return out

    @property
    def _judged(self) -> dict[str, Any]:
        """What generations are judged by."""
        given = self._given("held_out", "groups")
        return given if self.held_out is None else {**given, "held_out": _held_out(self.held_out)}

    @property
    def _fit(self) -> dict[str, Any]:
        """How a law is fitted to a table."""
        return self._given("columns", "components", "covariance")

    @property
    def _table(self) -> dict[str, Any]:
        """Fields of the regime."""
        table = self._given("real", "real_count", "source", "hoard", "draw")
        return table if self.window is None else {**table, "k": self.window}

    def _given(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def flag_of(name: str) -> str:
    return f"--{FLAG_OF.get(name, name).replace('_', '-')}"


def _components(text: str) -> int:
    from tailbiter.reference import MAX_COMPONENTS

    remedy = f"give a number such as 3, or {AUTO}"
    try:
        count = int(text)
    except ValueError:
        raise SpecError("components", text, "is no number of components", remedy) from None
    return whole(count, "components", 1, MAX_COMPONENTS, remedy)


def _held_out(text: str) -> Counts | str:
    """The counts that FILE or FILE:column names; a column alone is one of the reference's file."""
    from tailbiter.reference import Counts

    if Path(text).exists():
        return Counts.read(text)
    path, colon, column = text.rpartition(":")
    if not colon:
        return Counts.read(text)  # which says what is wrong
    return Counts.read(path, counts=column) if path else column


def _regime(name: str | None, table: dict[str, Any]) -> dict[str, Any] | None:
    """The [regime] table that the flags spell; None when there is none."""
    if name is None:
        for key, value in table.items():
            owner = next(regime for regime, flags in REGIMES.items() if key in chain(*flags))
            raise SpecError(flag_of(key), value, "needs a regime", f"add --regime {owner}")
        return None
    kind = name.replace("-", "_")
    if kind == "mix":
        raise SpecError("--regime", name, "is too rich for flags", "write it in a Spec file (TOML)")
    needs, may = REGIMES[choice(kind, "--regime", list(REGIMES))]
    for key, value in table.items():
        if key not in needs + may:
            raise SpecError(flag_of(key), value, f"does not go with --regime {name}", "leave it out")
    if needs and len(table.keys() & set(needs)) != 1:
        given = [flag_of(key) for key in needs if key in table]
        wanted = " or ".join(map(flag_of, needs))
        problem = f"cannot have both {wanted.replace(' or ', ' and ')}" if given else f"needs {wanted}"
        raise SpecError("--regime", name, problem, f"give {flag_of(needs[0])} {EXAMPLE_OF[needs[0]]}, say")
    if ("hoard" in table) != (table.get("source") == "hoard"):
        raise SpecError("--source", table.get("source"), "and --hoard go together", "give both, or neither")
    return {"kind": kind, **table}

# SPDX-License-Identifier: MIT
"""What a reproduction consists of: a claim, its rows, and the verdict on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["ERRORS", "HOLDS", "Claim", "Kind", "Outcome", "Row", "tally"]

# Standard errors within which a measured mean lies of its expectation, but for one case in 1.7 million.
ERRORS = 5.0

Kind = Literal["paper", "statement", "theory"]
COMPARED: dict[Kind, str] = {
    "paper": "numbers of the paper",
    "statement": "what the paper states, as bounds that ours could break",
    "theory": "the exact law, where the paper has no number",
}
HOLDS: dict[Kind, str] = {
    "paper": "agrees with the paper",
    "theory": "agrees with theory",
    "statement": "statement holds",
}
FAILS: dict[Kind, str] = {
    "paper": "differs from the paper",
    "theory": "differs from theory",
    "statement": "statement fails",
}


@dataclass(frozen=True)
class Row:
    """One number that a paper states, bounds or implies, beside ours.

    Attributes
    ----------
    quantity : str
        What it is, and where.
    ours, error : float
        As simulated, and its standard error (0 where chance has no part worth the name).
    sees : float
        The row's power: so large a change of ours, upwards or downwards, turns the verdict (a statement is
        only turned towards its bound).
    exact : float or None
        By theory, where that is known.
    published, tolerance : float or None
        As the paper has it, and the error that the paper states or implies. Our own discrepancy is no part
        of it.
    because : str
        Where the tolerance comes from.
    below, above : float or None
        What a statement without a number comes to: ours must lie clear of the bound by five standard errors.
    resolution : float
        What ours lacks besides chance: rounding, few samples, or half the bracket in which a search ended.
    note : str
        What a reader must know.
    """

    quantity: str
    ours: float
    error: float = 0.0
    sees: float = 0.0
    exact: float | None = None
    published: float | None = None
    tolerance: float | None = None
    because: str = ""
    below: float | None = None
    above: float | None = None
    resolution: float = 0.0
    note: str = ""

    @property
    def room(self) -> float:
        """How far ours may lie from what it measures: five standard errors, and the resolution."""
        return ERRORS * self.error + self.resolution

    @property
    def kind(self) -> Kind:
        """What the row compares: the paper's number, else its statement, else theory alone."""
        if self.published is not None:
            return "paper"
        return "theory" if self.below is None and self.above is None else "statement"

    @property
    def failed(self) -> tuple[Kind, ...]:
        """What ours contradicts."""
        out: list[Kind] = []
        tolerated = self.room + (self.tolerance or 0.0)
        if self.published is not None and _apart(self.ours, self.published, tolerated):
            out.append("paper")
        if self.below is not None and not self.ours + self.room < self.below:
            out.append("statement")
        if self.above is not None and not self.ours - self.room > self.above:
            out.append("statement")
        if self.exact is not None and _apart(self.ours, self.exact, self.room + 1e-12 * abs(self.exact)):
            out.append("theory")
        return tuple(out)

    @property
    def agrees(self) -> bool:
        """Whether ours contradicts neither theory nor paper."""
        return not self.failed

    @property
    def verdict(self) -> str:
        """``agrees with the paper``, ``agrees with theory``, ``statement holds``, or what it differs from."""
        return FAILS[self.failed[0]] if self.failed else HOLDS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, kind and verdict included."""
        return {**self.__dict__, "kind": self.kind, "verdict": self.verdict}


def _apart(one: float, other: float, room: float) -> bool:
    return not abs(one - other) <= room


@dataclass(frozen=True)
class Claim:
    """A published result and the way to measure it.

    Attributes
    ----------
    name : str
        By which it is asked for.
    paper : str
        Authors, year and arXiv number.
    statement : str
        What the paper claims, in one sentence.
    compares : tuple of {"paper", "statement", "theory"}
        What the rows are compared with: numbers of the paper, statements of the paper, theory alone.
    measure : callable
        Given a number of threads, returns the rows.
    """

    name: str
    paper: str
    statement: str
    compares: tuple[Kind, ...]
    measure: Callable[[int | None], Sequence[Row]]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: what is claimed, and what it is compared with."""
        keys = ("name", "paper", "statement", "compares")
        return {key: getattr(self, key) for key in keys}

    def text(self) -> str:
        """What is claimed, by whom, and what it is compared with."""
        from ._table import paragraph

        compared = paragraph(f"Compared with {'; '.join(COMPARED[kind] for kind in self.compares)}.")
        return f"{self.name}: {self.paper}\n{paragraph(self.statement)}\n{compared}"


@dataclass(frozen=True)
class Outcome:
    """A claim, measured.

    Attributes
    ----------
    claim : Claim
        What was measured.
    rows : tuple of Row
        The numbers.
    seconds : float
        How long it took.
    """

    claim: Claim
    rows: tuple[Row, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether every row does."""
        return all(row.agrees for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            **self.claim.to_dict(),
            "agrees": self.agrees,
            "verdicts": dict(Counter(row.verdict for row in self.rows)),
            "seconds": self.seconds,
            "rows": [row.to_dict() for row in self.rows],
        }

    def text(self) -> str:
        """Claim, table and notes, for people."""
        from ._table import paragraph, table

        head = f"{self.claim.name}: {self.claim.paper}\n{paragraph(self.claim.statement)}"
        tolerances = [f"tolerance: {row.because}" for row in self.rows if row.because]
        notes = dict.fromkeys([*tolerances, *(row.note for row in self.rows if row.note)])
        return "\n".join(
            [head, *table(self.rows), *(paragraph(f"Note: {note}.", hanging=6) for note in notes)]
        )


def tally(outcomes: Iterable[Outcome]) -> str:
    """Say in one line how many rows there are of each verdict."""
    found = Counter(row.verdict for outcome in outcomes for row in outcome.rows)
    order = [*HOLDS.values(), *FAILS.values()]
    parts = [f"{found[verdict]} {_plural(verdict, found[verdict])}" for verdict in order if found[verdict]]
    return f"{found.total()} rows: {', '.join(parts)}."


def _plural(verdict: str, count: int) -> str:
    if count == 1:
        return verdict
    verb, _, rest = verdict.partition(" ")
    if verb == "statement":
        return f"statements {rest.removesuffix('s')}"
    return f"{verb.removesuffix('s')} {rest}"

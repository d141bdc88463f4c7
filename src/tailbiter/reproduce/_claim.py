# SPDX-License-Identifier: MIT
"""What a reproduction consists of: a claim, its rows, and the verdict on each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Claim", "Outcome", "Row", "table"]

# Standard errors within which a measured mean lies of its expectation, but for one case in 1.7 million.
ERRORS = 5.0


@dataclass(frozen=True)
class Row:
    """One number of a paper, beside ours.

    Attributes
    ----------
    quantity : str
        What it is, and where.
    ours, error : float
        As simulated, and its standard error (0 for what is not sampled).
    exact : float or None
        By theory, where that is known.
    published : float or None
        As the paper has it; None where the paper states an inequality or a limit.
    tolerance : float or None
        Stated or implied error of the published number.
    holds : bool or None
        Whether a statement without a number holds.
    note : str
        What a reader must know: where the tolerance comes from, why numbers differ.
    """

    quantity: str
    ours: float
    error: float = 0.0
    exact: float | None = None
    published: float | None = None
    tolerance: float | None = None
    holds: bool | None = None
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether ours agrees with theory, paper and statement, as far as there are such."""
        room = ERRORS * self.error
        checks = [True if self.holds is None else self.holds]
        if self.exact is not None:
            checks.append(abs(self.ours - self.exact) <= room + 1e-12 * abs(self.exact))
        if self.published is not None:
            checks.append(abs(self.ours - self.published) <= room + (self.tolerance or 0.0))
        return all(checks)

    @property
    def verdict(self) -> str:
        """One word: agrees, differs, or shown, where there is nothing to agree with."""
        if self.exact is None and self.published is None and self.holds is None:
            return "shown"
        return "agrees" if self.agrees else "differs"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, verdict included."""
        return {**self.__dict__, "verdict": self.verdict}


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
    measure : callable
        Given a number of threads, returns the rows.
    """

    name: str
    paper: str
    statement: str
    measure: Callable[[int | None], Sequence[Row]]


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
            "name": self.claim.name,
            "paper": self.claim.paper,
            "statement": self.claim.statement,
            "agrees": self.agrees,
            "seconds": self.seconds,
            "rows": [row.to_dict() for row in self.rows],
        }

    def text(self) -> str:
        """Claim, table and notes, for people."""
        head = f"{self.claim.name}: {self.claim.paper}\n  {self.claim.statement}"
        notes = dict.fromkeys(row.note for row in self.rows if row.note)
        return "\n".join([head, *table(self.rows), *(f"  Note: {note}." for note in notes)])


def table(rows: Sequence[Row]) -> list[str]:
    """Lay rows out in columns."""
    cells = [("", "published", "exact", "ours", "")]
    cells += [
        (
            row.quantity,
            _number(row.published, row.tolerance),
            _number(row.exact),
            _number(row.ours, ERRORS * row.error),
            row.verdict,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return [
        "  " + f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}  {e}".rstrip()
        for a, b, c, d, e in cells
    ]


def _number(value: float | None, error: float | None = None) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    if not error:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}" if digits <= 6 else f"{value:.4g} ± {error:.2g}"

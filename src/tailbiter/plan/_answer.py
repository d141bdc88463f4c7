# SPDX-License-Identifier: MIT
"""The answer: a sentence, a table and a curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._axis import SHARES, Axis
from ._evidence import interval
from ._levels import KEPT, NOT_KEPT, Expected, Level
from ._search import Found
from ._target import Part, Target

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.spec import Spec

__all__ = ["Plan", "Row", "answer"]


@dataclass(frozen=True)
class Row:
    """One level of the varied field.

    Attributes
    ----------
    value : float or int
        Of the field.
    replicates : int
        Lineages simulated; 0 where theory alone was asked.
    kept : float
        Mean share kept, as simulated.
    successes : int
        Lineages that keep enough.
    share, share_low, share_high : float
        Share of lineages that keep enough, or the mean share kept where the target asks for a mean; and
        between what it lies with the plan's confidence, in the lineages of the test.
    expected, expected_sd : float
        Mean share kept by theory, and its standard deviation or a bound on it from above; NaN where theory
        says nothing.
    verdict : str
        "kept", "not kept", "undecided", or "" where the level was only looked at.
    """

    value: float | int
    replicates: int
    kept: float
    successes: int
    share: float
    share_low: float
    share_high: float
    expected: float
    expected_sd: float
    verdict: str


@dataclass(frozen=True)
class Plan:
    """What `plan` found.

    Attributes
    ----------
    vary : str
        The field.
    target : Target
        What is to be kept.
    value : float or int
        Smallest value of the field at which enough is kept; where it is simulated, the best guess within the
        interval.
    low : float, int or None
        Largest value shown to keep too little; None where nothing is, as when the least keeps enough.
    high : float or int
        Smallest value shown to keep enough.
    least : float or int
        Smallest value that may be asked for.
    kind : {"exact", "bound", "simulated"}
        How low and high are known: by theory without error, or with one that was allowed for; or by tests
        that all hold with the confidence stated, if more of the field keeps more.
    confidence : float
        Of the interval, where it is simulated.
    spec : Spec
        The Spec with the field at high.
    rows : tuple of Row
        The levels looked at, ascending.
    """

    vary: str
    target: Target
    value: float | int
    low: float | int | None
    high: float | int
    least: float | int
    kind: str
    confidence: float
    spec: Spec
    rows: tuple[Row, ...]

    @property
    def sentence(self) -> str:
        """The answer in words."""
        at = self.target.generations or self.spec.generations
        return f"{_capital(self.target.text(at))}, {self._instruction()}."

    def _instruction(self) -> str:
        human = self.vary.rpartition(".")[2] in SHARES
        shown = _percent if human else _number
        if self.low is None and self.high > self.least:
            most = f"at most {shown(self.high)}"
            do = f"mix in {most} human data" if human else f"set {self.vary} to {most}"
            return f"{do} (nothing below is shown to be too little): {self.vary} = {_number(self.high)}"
        if self.low is None:
            least = (
                "no human data is needed"
                if human and self.high == 0
                else "the least that was asked for will do"
            )
            return f"{least}: {self.vary} = {_number(self.high)}"
        if self.kind != "simulated":
            about = f"{shown(self.low)} is too little"
        elif human:
            about = f"{shown(self.low)[:-2]} to {shown(self.high)}"
        else:
            about = f"{shown(self.low)} to {shown(self.high)}"
        if human:
            return f"mix in {shown(self.value)} human data ({about}): {self.vary} = {_number(self.value)}"
        return f"set {self.vary} to {shown(self.value)} ({about})"

    def text(self) -> str:
        """Sentence, reasons and table, for people."""
        return "\n".join([self.sentence, self._reasons(), "", *self._table()])

    def _reasons(self) -> str:
        if self.kind == "exact":
            return "Exact, by theory; lineages simulated are there to be looked at."
        if self.kind == "bound":
            return "By theory, its proved error allowed for; lineages simulated are there to be looked at."
        parts = [] if self.low is None else [f"too little is kept at {_number(self.low)}"]
        parts.append(f"enough at {_number(self.high)}")
        sure = f"Simulated, {_percent(self.confidence)} sure: {', '.join(parts)}"
        return f"{sure} (if more of {self.vary} keeps more)."

    def _table(self) -> list[str]:
        mean = self.target.probability is None
        head = [
            self.vary,
            "lineages",
            "kept",
            "" if mean else "keep enough",
            "between",
            "by theory",
            "verdict",
        ]
        cells = [head, *(self._cells(row) for row in self.rows)]
        keep = [i for i, name in enumerate(head) if name]
        widths = {i: max(len(line[i]) for line in cells) for i in keep}
        return ["  ".join(f"{line[i]:>{widths[i]}}" for i in keep).rstrip() for line in cells]

    def _cells(self, row: Row) -> list[str]:
        simulated = row.replicates > 0
        between = f"{100 * row.share_low:.4g} to {_percent(row.share_high)}" if simulated else ""
        return [
            _number(row.value),
            f"{row.replicates:,}" if simulated else "",
            _percent(row.kept) if simulated else "",
            _percent(row.share) if simulated else "",
            between,
            "" if math.isnan(row.expected) else _percent(row.expected),
            row.verdict,
        ]

    @property
    def curve(self) -> xr.Dataset:
        """What is kept at each level looked at: dim ``level``, with the field's values as coordinate.

        Variables as the attributes of `Row`; NaN where nothing was simulated, or theory says nothing.
        """
        import xarray as xr

        about = {
            "replicates": ("lineages simulated", "1"),
            "kept": ("mean share kept, as simulated", "1"),
            "successes": ("lineages that keep enough", "1"),
            "share": ("share of lineages that keep enough, or mean share kept if the target is a mean", "1"),
            "share_low": ("lower end of the interval of share", "1"),
            "share_high": ("upper end of the interval of share", "1"),
            "expected": ("mean share kept, by theory", "1"),
            "expected_sd": ("standard deviation of the share kept, by theory, or a bound from above", "1"),
            "verdict": ("whether enough is kept", "1"),
        }
        data = {
            name: (
                "level",
                [getattr(row, name) for row in self.rows],
                {"long_name": long_name, "units": unit},
            )
            for name, (long_name, unit) in about.items()
        }
        values = ("level", [row.value for row in self.rows], {"long_name": self.vary, "units": "1"})
        attrs = {**self._facts(), "spec": self.spec.to_json(brief=True)}
        return xr.Dataset(data, {self.vary: values}, {k: v for k, v in attrs.items() if v is not None})

    def _facts(self) -> dict[str, Any]:
        names = ("vary", "value", "low", "high", "least", "kind", "confidence")
        return {"sentence": self.sentence, **{name: getattr(self, name) for name in names}}

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        names = Row.__dataclass_fields__
        target = {name: getattr(self.target, name) for name in self.target.__struct_fields__}
        rows = [{name: _finite(getattr(row, name)) for name in names} for row in self.rows]
        return {**self._facts(), "target": target, "rows": rows}


def answer(
    axis: Axis,
    part: Part,
    found: Found,
    levels: dict[int, Level],
    theory: dict[int, Expected | None],
    confidence: float,
) -> Plan:
    """Put together what a search came to."""
    seen = {n for n, level in levels.items() if len(level.shares)} | {
        n for n, known in theory.items() if known
    }
    rows = tuple(_row(axis, part, n, levels.get(n), theory.get(n), found, confidence) for n in sorted(seen))
    return Plan(
        vary=axis.name,
        target=part.target,
        value=axis.value(found.value),
        low=None if found.low is None else axis.value(found.low),
        high=axis.value(found.high),
        least=axis.value(axis.low),
        kind=found.kind,
        confidence=confidence,
        spec=axis.spec(found.high),
        rows=rows,
    )


def _row(
    axis: Axis,
    part: Part,
    number: int,
    level: Level | None,
    known: Expected | None,
    found: Found,
    confidence: float,
) -> Row:
    shares = np.empty(0) if level is None else level.shares
    values = np.empty(0) if level is None else level.values
    low, high = interval(values, 1 - confidence)
    verdict = "" if level is None else level.verdict
    if found.kind != "simulated":
        verdict = KEPT if number >= found.high else NOT_KEPT if number <= (found.low or -1) else ""
    return Row(
        value=axis.value(number),
        replicates=len(shares),
        kept=float(shares.mean()) if len(shares) else math.nan,
        successes=int(part.enough(shares).sum()),
        share=float(values.mean()) if len(values) else math.nan,
        share_low=low,
        share_high=high,
        expected=math.nan if known is None else known.mean,
        expected_sd=math.nan if known is None else known.sd,
        verdict=verdict,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.12g}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

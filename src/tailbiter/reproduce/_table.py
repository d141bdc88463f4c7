# SPDX-License-Identifier: MIT
"""Rows of a reproduction in columns, for people."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from ._claim import Row

__all__ = ["paragraph", "table"]

WIDTH = 110
HEAD = ("", "paper", "theory", "ours", "sees", "")


def paragraph(text: str, hanging: int = 0) -> str:
    """Break a text into lines, indented by two and those after the first by more."""
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent=" " * (2 + hanging))


def table(rows: Sequence[Row]) -> list[str]:
    """Lay rows out in columns."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return [_line(line, widths) for line in cells]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.quantity,
        _stated(row),
        _number(row.exact),
        _number(row.ours, row.room),
        f"{row.sees:.4g}",
        row.verdict,
    )


def _stated(row: Row) -> str:
    bounds = (("above", row.above), ("below", row.below))
    numbers = [] if row.published is None else [_published(row.published, row.tolerance)]
    return ", ".join([*numbers, *(f"{word} {value:.4g}" for word, value in bounds if value is not None)])


def _published(value: float, tolerance: float | None) -> str:
    """Number of a paper, with its error where it has one, in as many digits below 100 as above."""
    if not tolerance:
        return f"{value:.4g}"
    return f"{value:.4g} ± {_two_digits(tolerance)}"


def _two_digits(value: float) -> str:
    return f"{value:.2g}" if value < 99.5 else f"{round(value, 1 - math.floor(math.log10(value))):.0f}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers, verdict = cells
    middle = "  ".join(f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:-1], strict=True))
    return f"  {name:<{widths[0]}}  {middle}  {verdict}".rstrip()


def _number(value: float | None, error: float | None = None) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    if not error:
        return f"{value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}" if digits <= 6 else f"{value:.4g} ± {error:.2g}"

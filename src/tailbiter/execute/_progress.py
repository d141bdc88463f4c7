# SPDX-License-Identifier: MIT
"""How far a sweep has come."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tailbiter.families import Control

__all__ = ["Progress"]

INTERVAL = 0.5


class Progress:
    """Cells done, survivor-generations per second, time left, failures so far.

    A survivor-generation is a category that lives through a generation: what the work of a run grows with. Of
    models without categories the generations of all lineages are counted.

    Parameters
    ----------
    missing, total : int
        Cells to run, and cells of the sweep.
    shown : bool
        Whether to show a bar, if this is a terminal.
    """

    def __init__(self, missing: int, total: int, *, shown: bool) -> None:
        self.missing = missing
        self.total = total
        self.shown = shown and sys.stderr.isatty()
        self.done = self.failed = self.generations = self.survivors = 0
        self.begun = self.last = time.monotonic()
        self.bar: Any = None

    def __enter__(self) -> Self:
        if self.shown:
            from tqdm import tqdm

            # A terminal that does not tell its size (a bare pseudo-terminal) would be given an empty bar.
            columns, lines = os.get_terminal_size(sys.stderr.fileno())
            self.bar = tqdm(
                desc="cells",
                total=self.total,
                initial=self.total - self.missing,
                unit="cell",
                leave=False,
                ncols=columns or 80,
                nrows=lines or 24,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def add(self, cells: int, generations: int = 0, survivors: int = 0) -> None:
        """Count finished cells."""
        self.done += cells
        self.generations += generations
        self.survivors += survivors

    def fail(self) -> None:
        """Count a cell that failed."""
        self.failed += 1

    def show(self, running: Control | None) -> None:
        """Draw the bar anew, now and then; what runs in this process tells how far it is."""
        now = time.monotonic()
        if self.bar is None or now - self.last < INTERVAL:
            return
        self.last = now
        generations = self.generations if running is None else running.progress
        survivors = self.survivors if running is None else running.survivors
        done, unit = (survivors, "survivor") if survivors else (generations, "lineage")
        rate = done / (now - self.begun)
        failures = f", {self.failed:,} failed" if self.failed else ""
        self.bar.n = self.total - self.missing + self.done + self.failed
        self.bar.set_postfix_str(f"{rate:.3g} {unit}-generations/s{failures}", refresh=True)

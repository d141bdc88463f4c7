# SPDX-License-Identifier: MIT
"""How much memory a run will hold, and whether the machine has it: asked before anything is allocated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tailbiter._variables import FAMILIES
from tailbiter.errors import MemoryEstimateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailbiter.program import Program

__all__ = [
    "Estimate",
    "Part",
    "available_memory",
    "estimate",
    "readable",
    "refuse_if_too_large",
    "refuse_parts",
]

COUNTS = ("survivors", "survivors_output", "lost", "revived", "tail_survivors", "band_survivors")
INT32 = frozenset((*COUNTS, "group_survivors"))
KNOWN = FAMILIES["categorical"].known
# Bytes that the engine's state takes, from above; a test holds them against what the engine says it held.
SHARED_PER_CATEGORY = 64  # weights, order, alias tables, coordinates of the result: once
THREAD_PER_CATEGORY = 72  # counts, ids, pools, kept items and scratch
SHAPED_PER_CATEGORY = 32  # a shaped model, the one before, places
BATCH_PER_CATEGORY = 8  # each batch that a window remembers
PER_LINEAGE = 6144  # few survivors left, waiting to be run in a pack
SNAPSHOT_ENTRY = 72  # 20 in a list that doubles as it grows, its copies joined, their sort and its result
# Lineages of a small reference run side by side, in so many rows of lanes: all of these remember batches.
DENSE_CATEGORIES, LANES, DENSE_ROWS = 256, 8, 128
LINEAGES_PER_THREAD = 256  # as many as a block of replicates has at most
# Left to the system and to what else the process does.
HEADROOM = 0.95


class Part(NamedTuple):
    """Bytes that a run holds for one thing, and what to say if they are too many."""

    nbytes: int
    field: str
    value: str
    remedy: str


@dataclass(frozen=True)
class Estimate:
    """Bytes a run will hold at its peak, by what they are for.

    Attributes
    ----------
    records : int
        Recorded variables, for every replicate and recorded generation.
    forgotten : int
        The table of replicates by categories, if asked for.
    snapshots : int
        Entries of the snapshots, at most.
    state : int
        The engine's own state, but for batches.
    batches : int
        Batches remembered: one, or as many as a window holds.
    """

    records: int
    forgotten: int
    snapshots: int
    state: int
    batches: int

    @property
    def total(self) -> int:
        """Sum of the parts, in bytes."""
        return self.records + self.forgotten + self.snapshots + self.state + self.batches


def estimate(program: Program, replicates: int, threads: int) -> Estimate:
    """Estimate the memory a run holds, from above.

    Parameters
    ----------
    program : Program
        What would be run.
    replicates, threads : int
        How many, and how many at a time.

    Returns
    -------
    Estimate
        In bytes.
    """
    categories = int(program.weights.size)
    widths = {"band": int(program.band_start.size), "group": len(program.group_names), None: 1}
    cell = sum(_bytes_of(name, widths[KNOWN[name].dim]) for name in program.variables)
    # A training set of one batch has no more categories than items.
    largest = min(categories, int(program.samples.max())) if program.ages.size == 1 else categories
    return Estimate(
        records=replicates * int(program.at.size) * cell,
        forgotten=replicates * categories * 8 * program.forgotten,
        snapshots=replicates * int(program.snapshots.size) * largest * SNAPSHOT_ENTRY,
        state=_state(categories, replicates, threads)
        + _levers(program, categories, min(threads, replicates)),
        batches=BATCH_PER_CATEGORY
        * _side_by_side(categories)
        * int(program.ages.size)
        * min(threads, replicates),
    )


def _state(categories: int, replicates: int, threads: int) -> int:
    waiting = PER_LINEAGE * min(replicates, threads * LINEAGES_PER_THREAD)
    return categories * (SHARED_PER_CATEGORY + THREAD_PER_CATEGORY * min(threads, replicates)) + waiting


def _side_by_side(categories: int) -> int:
    """Categories of all lineages that a thread runs at a time."""
    return categories if categories > DENSE_CATEGORIES else LANES * max(categories, DENSE_ROWS)


def _levers(program: Program, categories: int, threads: int) -> int:
    """The model that is sampled, where that is not the counts; tables of human items of other laws."""
    levers = program.levers
    laws = sum(law is not None for law in (levers.first_weights, levers.kept_weights))
    return categories * (SHARED_PER_CATEGORY * laws + (0 if levers.none else SHAPED_PER_CATEGORY * threads))


def _bytes_of(name: str, width: int) -> int:
    size = 4 if name in INT32 else 8
    if name == "survivors_output":
        size += 8  # its float copy, where NaN marks what is undefined
    return size * width


def available_memory() -> int:
    """Bytes that can be allocated now without swapping.

    Returns
    -------
    int
        From ``/proc/meminfo`` and the control group's limit where the system has them, else the physical
        memory.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fields = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    machine = 1024 * fields.get("MemAvailable", fields["MemFree"])
    group = control_group_memory(Path("/sys/fs/cgroup"))
    return machine if group is None else min(machine, group)


def control_group_memory(root: Path) -> int | None:
    """Bytes that a container's limit leaves; clean file pages count as free.

    Parameters
    ----------
    root : Path
        Where the control group's files are.

    Returns
    -------
    int or None
        None where there is no limit.
    """
    try:
        limit = (root / "memory.max").read_text(encoding="ascii").strip()
        used = int((root / "memory.current").read_text(encoding="ascii"))
        pages = dict(line.split() for line in (root / "memory.stat").read_text(encoding="ascii").splitlines())
    except OSError:
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - used + int(pages.get("inactive_file", 0)))


def refuse_if_too_large(
    program: Program, replicates: int, threads: int, *, available: int | None = None
) -> Estimate:
    """Raise before a run that cannot fit in memory.

    Parameters
    ----------
    program : Program
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    available : int, optional
        Bytes to fit into; by default `available_memory`.

    Returns
    -------
    Estimate
        What the run will hold.

    Raises
    ------
    MemoryEstimateError
        Naming the largest part, its size and what would make it smaller.
    """
    need = estimate(program, replicates, threads)
    refuse_parts(_parts(need, program, replicates), available=available)
    return need


def refuse_parts(parts: Sequence[Part], *, available: int | None = None) -> None:
    """Raise before a run whose parts cannot fit in memory together.

    Parameters
    ----------
    parts : sequence of Part
        All that the run will hold.
    available : int, optional
        Bytes to fit into; by default `available_memory`.

    Raises
    ------
    MemoryEstimateError
        Naming the largest part, its size and what would make it smaller.
    """
    total = sum(part.nbytes for part in parts)
    room = available_memory() if available is None else available
    if total > HEADROOM * room:
        largest = max(parts, key=lambda part: part.nbytes)
        problem = f"needs {readable(total)} of memory in all, {readable(room)} are available"
        raise MemoryEstimateError(largest.field, largest.value, problem, largest.remedy)


def _parts(need: Estimate, program: Program, replicates: int) -> tuple[Part, ...]:
    """Bytes, field, value and remedy of every part."""
    generations = int(program.at.size)
    categories = f"{program.weights.size} categories"
    window = int(program.ages.size)
    return (
        Part(
            need.records,
            "record.generations",
            f"{generations} generations x {replicates} replicates x {len(program.variables)} variables",
            "record fewer generations or variables, or run fewer replicates",
        ),
        Part(
            need.forgotten,
            "record.forgotten",
            f"{categories} x {replicates} replicates",
            "leave it out, or run fewer replicates",
        ),
        Part(
            need.snapshots,
            "record.snapshots",
            f"{program.snapshots.size} generations x {replicates} replicates",
            "ask for fewer snapshots, or run fewer replicates",
        ),
        Part(need.state, "reference", categories, "use fewer categories or fewer threads"),
        Part(
            need.batches,
            "regime.k" if len(set(program.ages.tolist())) == 1 else "regime.ages",
            f"{window} batches x {categories}",
            "use a shorter window, fewer categories or fewer threads",
        ),
    )


def readable(nbytes: int) -> str:
    """Bytes for people: 12.3 GB."""
    units = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
    step = min((len(str(nbytes)) - 1) // 3, len(units) - 1)
    return f"{nbytes / 1000**step:.3g} {units[step]}"

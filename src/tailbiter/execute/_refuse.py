# SPDX-License-Identifier: MIT
"""Sweeps that no store can hold, refused before anything starts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tailbiter._variables import ALL
from tailbiter.errors import SpecError
from tailbiter.estimate import readable
from tailbiter.families import family_of

if TYPE_CHECKING:
    from tailbiter.reference import Reference
    from tailbiter.spec import Spec
    from tailbiter.sweep import Sweep

__all__ = ["bytes_of_lineage", "estimate_bytes", "refuse_too_large", "refuse_what_no_store_holds"]


def refuse_what_no_store_holds(sweep: Sweep) -> None:
    """Raise for records that have no place in a table of all cells."""
    record = sweep.record
    if record.snapshots:
        problem = "are kept of single runs, not of sweeps"
        raise SpecError(
            "record.snapshots",
            record.snapshots,
            problem,
            "leave them out, and simulate the cells of interest",
        )
    for name in sorted({*ALL}.intersection(sweep.names)):
        if name in record.names_of(sweep.base.reference.family, sweep.base.also_recorded):
            problem = "names a field that varies and a variable recorded: a store has one column of a name"
            remedy = 'record other variables, as Record(variables=["survivors"]) does'
            raise SpecError(f"sweep.vary.{name}", name, problem, remedy)
    if not record.forgotten:
        return
    numbers = _numbers(sweep)
    first = sweep.spec(numbers[0])
    family_of(first.reference).lower(first, record)  # which refuses what has no categories
    if any(name.partition(".")[0] == "reference" for name in sweep.names):
        for reference in dict.fromkeys(sweep.spec(number).reference for number in numbers):
            if not _same_categories(first.reference, reference):
                problem = "is kept by category, and cells have others than the first"
                remedy = "leave it out, or vary nothing that changes the categories or their order"
                raise SpecError("record.forgotten", record.forgotten, problem, remedy)


def _same_categories(a: Reference, b: Reference) -> bool:
    """Whether two references have the same categories in the same order, common to rare."""
    one, other = a.support, b.support
    if not np.array_equal(one.position[one.order], other.position[other.order]):
        return False
    if one.labels is None or other.labels is None:
        return one.labels is other.labels
    return np.array_equal(one.labels, other.labels)


def refuse_too_large(sweep: Sweep, out: str | os.PathLike[str]) -> None:
    """Raise where the store would not fit on its disk even if it shrank to a tenth, as records do at best."""
    folder = Path(out).resolve()
    while not folder.is_dir():
        folder = folder.parent
    size = estimate_bytes(sweep)
    disk = shutil.disk_usage(folder)
    if not disk.total:  # such as /proc
        problem = "is on a file system that holds no files"
        raise SpecError("out", str(out), problem, "name a directory you may write to")
    free = disk.free
    if size // 10 > free:
        problem = f"makes records of {readable(size)} before compression, and {readable(free)} are free"
        remedy = "record fewer generations or variables, or vary less"
        raise SpecError("record", len(sweep), problem, remedy)


def estimate_bytes(sweep: Sweep) -> int:
    """Bytes of all cells' records before compression, from the first and the last cell."""
    numbers = _numbers(sweep)
    specs = [sweep.spec(numbers[0]), sweep.spec(numbers[-1])]
    return max(spec.replicates * bytes_of_lineage(spec, sweep) for spec in specs) * len(numbers)


def bytes_of_lineage(spec: Spec, sweep: Sweep) -> int:
    """Bytes that a lineage's records take in memory, lists counted as one value."""
    variables = sweep.record.names_of(sweep.base.reference.family, sweep.base.also_recorded)
    dates = len(spec.reference.support) if sweep.record.forgotten else 0
    return 8 * (len(variables) * len(sweep.record.at(spec.generations)) + dates)


def _numbers(sweep: Sweep) -> list[int]:
    """Cells that can be run."""
    return [number for number, id_ in enumerate(sweep.ids) if id_ is not None]

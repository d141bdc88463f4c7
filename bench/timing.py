# SPDX-License-Identifier: MIT
"""Timing of several sides in one run, taking turns, so that a slow spell of the machine hits all of them."""

from __future__ import annotations

import gc
import os
import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any


# Bytes touched before each timed call: more than any side allocates.
MEMORY = 400_000_000


@dataclass(frozen=True)
class Sample:
    """Seconds of one timed call: on the wall, of this process's processors, and of that not the system's."""

    wall: float
    cpu: float
    user: float

    def per(self, count: int) -> Sample:
        """Return the time of one of `count` equal parts."""
        return Sample(self.wall / count, self.cpu / count, self.user / count)


@dataclass(frozen=True)
class Ratio:
    """Median, least and greatest of the ratios of neighbouring calls."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, above: Sequence[float], below: Sequence[float]) -> Ratio:
        """Return the ratios above/below, call by call."""
        each = [a / b for a, b in zip(above, below, strict=True)]
        return cls(median(each), min(each), max(each))


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep this thread, and those it starts, on one processor (the last: the first serves interrupts).

    A public call runs on a thread of its own, which the system may put on another processor than that of a
    loop in the main thread. On virtual machines one of two may be a fifth slower for seconds.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def clock(call: Callable[[int], object], argument: int) -> Sample:
    """Time one call.

    Not charged to it: what earlier calls left to the garbage collector, and what the host of a virtual
    machine takes to find memory that this machine has not touched before, or gave back. That is ten times
    what the system takes to clear it, comes and goes, and has nothing to do with either side.
    """
    gc.collect()
    _touch_memory()
    wall, cpu, user = time.perf_counter(), time.process_time(), _user()
    call(argument)
    return Sample(time.perf_counter() - wall, time.process_time() - cpu, _user() - user)


def _touch_memory() -> None:
    """Fill as much memory as the largest outputs take, and give it back."""
    np.ones(MEMORY, dtype=np.uint8)


def _user() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def take_turns(
    ours: Callable[[int], object], others: Mapping[str, Callable[[int], object]], rounds: int
) -> dict[str, list[tuple[Sample, Sample]]]:
    """Time `ours`, then one of the others, again and again: A B A C, A B A C, ...

    Each call gets the number of its round. Returned by name: (ours just before, theirs) of each round.
    """
    pairs: dict[str, list[tuple[Sample, Sample]]] = {name: [] for name in others}
    for turn in range(rounds):
        for name, other in others.items():
            pairs[name].append((clock(ours, turn), clock(other, turn)))
    return pairs


def summary(samples: Sequence[Sample], replicates: int) -> dict[str, Any]:
    """Return medians over calls, as the JSON holds them and the tables show them."""
    wall = [sample.wall for sample in samples]
    return {
        "replicates": replicates,
        "seconds": median(wall),
        "cpu_seconds": median(sample.cpu for sample in samples),
        "cpu_share": median(sample.cpu / sample.wall for sample in samples),
        "all": wall,
    }

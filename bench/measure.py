# SPDX-License-Identifier: MIT
"""Everything measured of one workload, as plain dictionaries: what the JSON holds and the tables show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import floors, ours
from bench.sides import SIDES, present
from bench.timing import Ratio, clock, one_processor, summary, take_turns
from tailbiter.simulate import default_threads

if TYPE_CHECKING:
    from bench.series import Side
    from bench.workloads import Workload

# Public call over the C loop at most; two threads over one at least; own allocations over the state at most.
API_BAR, THREADS_BAR, MEMORY_BAR = 1.10, 1.85, 3.0
# Replicates, at least, when two threads are compared with one: shorter runs would time their start.
THREADS_REPLICATES = 64
# Calls for each round where the public call is compared with the loop: ten per cent is little to see.
API_TURNS = 3
# Frees go back to the system at once, so that the peak of the resident set is that of the run.
UNCACHED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}


def measure(workload: Workload, rounds: int) -> dict[str, Any]:
    """Time a workload against its other sides, then take ours apart."""
    warm_up(workload)
    with one_processor():
        compared, called = compare(workload, rounds), api(workload, API_TURNS * rounds)
    return {
        "name": workload.name,
        "title": workload.title,
        "judged": bool(workload.bars),
        **compared,
        "work": work(workload),
        "api": called,
        "threads": threads(workload, rounds),
        "memory": memory(workload),
        "floors": floors.measure(),
    }


def warm_up(workload: Workload) -> None:
    """Run every side once at a small size: compilation and imports stay out of the times."""
    small = workload.shrunk(50, min(workload.samples, 1_000), 3)
    for side in (ours.simulate, *(SIDES[name] for name in present(workload.others))):
        side(small, 2, 0)


def compare(workload: Workload, rounds: int) -> dict[str, Any]:
    """Return seconds per replicate of each side, and the ratios with their bars."""
    count = workload.replicates
    mine = partial(_run, ours.simulate, workload, count)
    counts = {name: workload.others[name] for name in present(workload.others)}
    others = {name: partial(_run, SIDES[name], workload, each) for name, each in counts.items()}
    sides, ratios, all_mine = {}, {}, []
    for name, pairs in take_turns(mine, others, rounds).items():
        below = [sample.per(count) for sample, _ in pairs]
        above = [sample.per(counts[name]) for _, sample in pairs]
        all_mine += below
        sides[name] = summary(above, counts[name])
        wall = Ratio.of([sample.wall for sample in above], [sample.wall for sample in below])
        cpu = Ratio.of([sample.cpu for sample in above], [sample.cpu for sample in below])
        ratios[name] = asdict(wall) | {"by_cpu": cpu.median, "bar": _bar(workload, name)}
    return {"sides": {"tailbiter": summary(all_mine, count)} | sides, "ratios": ratios}


def work(workload: Workload) -> dict[str, float]:
    """Return the survivor-generations and fresh human draws of one replicate: what the time is spent on."""
    replicates = min(workload.replicates, 16)
    survivors = ours.simulate(workload, replicates, 0).survivors
    return {
        "survivor_generations": float(survivors[:, 1:].sum() / replicates),
        "human_draws": float(workload.human * (workload.generations - 1)),
        "most_survivors": float(survivors[:, 1:].max()),
    }


def api(workload: Workload, rounds: int) -> dict[str, Any]:
    """Return the public call over the C loop alone, whose Spec, engine and outputs were made before.

    By processor time outside the system: both run on one thread and fill pages that nobody has touched, and
    what the system takes to clear those swings by a factor of ten on virtual machines.
    """
    count = workload.replicates
    whole, loops, specs = [], [], []
    for turn in range(rounds):
        engine, outputs = ours.prepare(workload, count, turn)
        loops.append(clock(partial(ours.loop, engine, outputs), count).user)
        del engine, outputs
        whole.append(clock(partial(_run, ours.simulate, workload, count), turn).user)
        specs.append(clock(partial(ours.spec, workload, count), turn).user)
    return asdict(Ratio.of(whole, loops)) | {
        "bar": API_BAR,
        "loop": median(loops) / count,
        "spec": median(specs),
    }


def threads(workload: Workload, rounds: int) -> dict[str, Any]:
    """Return how much faster two threads are than one; None on a machine with one processor."""
    if default_threads() < 2:
        return {"median": None, "bar": THREADS_BAR}
    count = max(workload.replicates, THREADS_REPLICATES)
    two = partial(_run, partial(ours.simulate, threads=2), workload, count)
    one = partial(_run, ours.simulate, workload, count)
    pairs = take_turns(two, {"one": one}, rounds)["one"]
    return asdict(Ratio.of([b.wall for _, b in pairs], [a.wall for a, _ in pairs])) | {"bar": THREADS_BAR}


def memory(workload: Workload) -> dict[str, Any]:
    """Return the bytes the core takes for a run, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.memory", json.dumps(asdict(workload) | {"bars": {}})]
    run = subprocess.run(command, env=os.environ | UNCACHED, stdout=subprocess.PIPE, check=True, text=True)
    taken: dict[str, float] = json.loads(run.stdout)
    return taken | {"bar": MEMORY_BAR}


def _run(side: Side, workload: Workload, replicates: int, seed: int) -> None:
    side(workload, replicates, seed)


def _bar(workload: Workload, name: str) -> dict[str, float] | None:
    bar = workload.bars.get(name)
    return None if bar is None else asdict(bar)

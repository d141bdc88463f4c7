# SPDX-License-Identifier: MIT
"""What the core allocates for a run on one thread: `python -m bench.memory WORKLOAD-AS-JSON`.

The core counts its own bytes. Beside them stands how far the resident set rose during the run, in
a process of its own whose outputs were touched and whose engine was built before: a check that the
core counts right.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench import ours
from bench.workloads import Workload

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"
ID_BYTES, COUNT_BYTES = 4, 8
# Replacing lineages no larger than this run side by side, so many at a time: their state is held together.
SIDE_BY_SIDE, TOGETHER = 512, 256


def resident(field: str) -> int:
    """Return VmRSS (now) or VmHWM (peak) in bytes; 0 where the system does not tell."""
    if not STATUS.exists():
        return 0
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def state_bytes(workload: Workload) -> int:
    """Return what a run must hold: an id and a count for each category that a lineage starts with.

    Fresh human data may bring back any category, which takes a slot for each besides.
    """
    slot = ID_BYTES if workload.human else 0
    together = workload.categories <= SIDE_BY_SIDE and not workload.human
    lineages = min(workload.replicates, TOGETHER) if together else 1
    return lineages * workload.categories * (ID_BYTES + COUNT_BYTES + slot)


def measure(workload: Workload) -> dict[str, Any]:
    """Return bytes: the core's state at its peak, its shared tables, the state a run must hold."""
    ours.simulate(workload.shrunk(50, min(workload.samples, 1_000), 3), 2, 0)
    engine, outputs = ours.prepare(workload, workload.replicates, 0)
    for values in outputs.values():
        values.fill(0)
    built = resident("VmRSS")
    if CLEAR.exists():
        CLEAR.write_text(RESET_PEAK)
    ours.loop(engine, outputs, workload.replicates)
    rise = resident("VmHWM") - built
    held, state = engine.state_bytes, state_bytes(workload)
    return {"held": held, "rise": rise, "shared": engine.shared_bytes, "state": state, "ratio": held / state}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Workload(**json.loads(sys.argv[1])))))

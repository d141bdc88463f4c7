# SPDX-License-Identifier: MIT
"""What the core allocates for a run on one thread: `python -m bench.memory WORKLOAD-AS-JSON`.

A process of its own, so that nothing else moves the peak of the resident set. Outputs are touched
and the engine is built before the run starts: what they take is told apart from what the run takes.
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


def resident(field: str) -> int:
    """Return VmRSS (now) or VmHWM (peak) in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def state_bytes(workload: Workload, most_survivors: int) -> int:
    """Return the least a lineage must hold: an id and a count for each category alive at its fullest.

    Ids take 4 bytes, counts 4 below 2^32 and 8 above. Fresh human data needs a slot for each
    category besides, since any may come back.
    """
    count = 4 if workload.samples < 2**32 else 8
    return most_survivors * (4 + count) + (4 * workload.categories if workload.human else 0)


def measure(workload: Workload) -> dict[str, Any]:
    """Return bytes: of the engine, of the run above it, and of the state it must hold."""
    ours.simulate(workload.shrunk(50, min(workload.samples, 1_000), 3), 2, 0)
    count = workload.replicates
    before = resident("VmRSS")
    engine, outputs = ours.prepare(workload, count, 0)
    for values in outputs.values():
        values.fill(0)
    output_bytes = sum(values.nbytes for values in outputs.values())
    built = resident("VmRSS")
    CLEAR.write_text(RESET_PEAK)
    ours.loop(engine, outputs, count)
    run = resident("VmHWM") - built
    state = state_bytes(workload, int(outputs["survivors"][:, 1:].max()))
    return {"engine": built - before - output_bytes, "run": run, "state": state, "ratio": run / state}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Workload(**json.loads(sys.argv[1])))))

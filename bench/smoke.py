# SPDX-License-Identifier: MIT
"""The whole bench in seconds: every side checked against exact laws, then timed at tiny sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench import ours
from bench.agree import Disagreement, check_side
from bench.measure import SIDES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workloads import Workload

REPLICATES = 2_000
SEED = 1851


def checked(workload: Workload) -> tuple[Workload, ...]:
    """Return the small cases of a workload whose laws are known exactly."""
    if workload.samples > workload.categories**2:
        return (replace(workload.shrunk(20, workload.samples, 6), tail_mass=0.2),)
    real = 0.1 if workload.human else 0.0
    return (
        replace(workload.shrunk(30, 60, 12), tail_mass=0.2, real=real),
        replace(workload.shrunk(2, 12, 8), tail_mass=0.4, real=real),
    )


def agree(workloads: Sequence[Workload]) -> int:
    """Check every side on these workloads, and two threads against one; return the number of checks."""
    checks = 0
    for workload in workloads:
        for name, side in {
            "tailbiter": ours.simulate,
            **{key: SIDES[key] for key in workload.others},
        }.items():
            for case in checked(workload):
                check_side(name, side, case, REPLICATES, SEED)
                checks += 1
        one, two = (ours.simulate(checked(workload)[0], 64, SEED, threads=count) for count in (1, 2))
        if not all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)):
            raise Disagreement(f"tailbiter on {workload.name}: two threads and one differ")
        checks += 1
    return checks


def tiny(workload: Workload) -> Workload:
    """Return a workload of the same kind that every side runs in milliseconds."""
    small = workload.shrunk(min(workload.categories, 500), min(workload.samples, 10**9), 20)
    if workload.samples == workload.categories:
        small = replace(small, samples=small.categories)
    others = {name: min(count, 100) for name, count in workload.others.items()}
    return replace(small, replicates=min(workload.replicates, 200), others=others)

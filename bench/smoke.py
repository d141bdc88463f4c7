# SPDX-License-Identifier: MIT
"""The whole bench in seconds: every side checked against exact laws, then timed at tiny sizes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from bench import ours
from bench.agree import Disagreement, check_side
from bench.sides import SIDES, present

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
    checks, seen = 0, set()
    for workload in workloads:
        for case, name in product(checked(workload), ("tailbiter", *present(workload.others))):
            law = (name, case.categories, case.samples, case.real)
            if law not in seen:
                check_side(name, SIDES.get(name, ours.simulate), case, REPLICATES, SEED)
                seen.add(law)
        one, two = (ours.simulate(checked(workload)[0], 64, SEED, threads=count) for count in (1, 2))
        if not all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)):
            raise Disagreement(f"tailbiter on {workload.name}: two threads and one differ")
        checks += 1
    return checks + len(seen)


def tiny(workload: Workload) -> Workload:
    """Return a workload of the same kind that every side runs in milliseconds, and that no bar is set for."""
    small = workload.shrunk(min(workload.categories, 500), workload.samples, 20)
    if workload.samples == workload.categories:
        small = replace(small, samples=small.categories)
    size = f"K={small.categories}, N={small.samples:g}, T={small.generations}"
    others = {name: min(count, 100) for name, count in workload.others.items()}
    return replace(
        small,
        title=f"{workload.title.partition(',')[0]}, tiny: {size}",
        replicates=min(workload.replicates, 200),
        others=others,
        bars={},
    )

# SPDX-License-Identifier: MIT
"""simuPOP, the simulator of population genetics: replace is its haploid Wright-Fisher model of one locus.

A category is an allele, an item an individual, a training set a generation: each individual copies a parent
that was chosen at random. simuPOP has no wheels and takes half an hour to build: it is no dependency of the
bench: where it is not installed, its rows are left out and the bench says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.series import Series, blank
from bench.workloads import Workload


def haploid(workload: Workload, replicates: int, seed: int) -> Series:
    """Evolve populations of N individuals, and count the alleles by the operator for that."""
    if workload.human:
        raise ValueError("the simuPOP loop knows the replace regime only")
    sim, q, series = _simupop(), workload.reference(), blank(workload, replicates)
    counting = sim.Stat(alleleFreq=[0], vars=["alleleNum"])
    for r in range(replicates):
        sim.setRNG(seed=1 + seed * replicates + r)
        lineage = sim.Population(size=workload.samples, ploidy=1, loci=1)
        recording = sim.PyOperator(func=_Recorder(workload, series, r))
        lineage.evolve(
            # The first training set is drawn from the reference: it is who is there before any mate.
            initOps=[sim.InitGenotype(freq=q.tolist()), counting, recording],
            matingScheme=sim.RandomSelection(),
            postOps=[counting, recording],
            gen=workload.generations - 1,
        )
    return series


class _Recorder:
    """What simuPOP calls after each generation."""

    def __init__(self, workload: Workload, series: Series, row: int) -> None:
        self.samples, self.tail = workload.samples, workload.tail_start()
        self.rows = [values[row] for values in series]
        self.at = 0

    def __call__(self, pop: Any) -> bool:
        self.at += 1
        found = pop.dvars().alleleNum[0]
        ids = np.fromiter(found.keys(), np.int64, len(found))
        counts = np.fromiter(found.values(), np.float64, len(found))
        ids, p = ids[counts > 0], counts[counts > 0] / self.samples
        survivors, entropy, tail_mass = self.rows
        survivors[self.at] = p.size
        entropy[self.at] = -(p * np.log(p)).sum()
        tail_mass[self.at] = p[ids >= self.tail].sum()
        return True


def _simupop() -> Any:
    """Return simuPOP, its optimised module for many alleles, on one thread."""
    from simuOpt import setOptions

    setOptions(optimized=True, alleleType="long", quiet=True, numThreads=1)
    import simuPOP

    return simuPOP

# SPDX-License-Identifier: MIT
"""The same workloads through the public `tailbiter.simulate`, and through the C loop alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tailbiter as tb
from bench.series import Series
from tailbiter import _core
from tailbiter.program import lower

if TYPE_CHECKING:
    from bench.workloads import Workload

RECORD = tb.Record(generations="all", variables=list(Series._fields))


def spec(workload: Workload, replicates: int, seed: int) -> tb.Spec:
    """Return the Spec of a workload."""
    regime = tb.Anchored(real=workload.real) if workload.human else tb.Replace()
    return tb.Spec(
        reference=tb.Zipf(categories=workload.categories, exponent=1.0),
        regime=regime,
        samples=workload.samples,
        generations=workload.generations,
        replicates=replicates,
        seed=seed,
        tail_mass=workload.tail_mass,
    )


def simulate(workload: Workload, replicates: int, seed: int, threads: int = 1) -> Series:
    """Make the Spec, run it through the public function, and take the three variables out."""
    dataset = tb.simulate(spec(workload, replicates, seed), record=RECORD, threads=threads)
    return Series(*(dataset[name].to_numpy() for name in Series._fields))


def prepare(workload: Workload, replicates: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """Return an engine and its outputs, ready for `loop`."""
    engine = _core.Engine(lower(spec(workload, replicates, seed), RECORD))
    return engine, engine.outputs(replicates)


def loop(engine: Any, outputs: dict[str, Any], replicates: int) -> None:
    """Run the C loop alone, on one thread."""
    engine.run(0, replicates, outputs, _core.Control())

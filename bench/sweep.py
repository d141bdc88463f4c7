# SPDX-License-Identifier: MIT
"""A sweep into a store, beside the same sweep by batched numpy on two joblib processes; what a cell costs.

``python -m bench.sweep`` needs joblib (the ``bench`` extra). The sweep that users ask for has 10,000 cells;
it is measured here with fewer values over the same ranges, both sides in one run, taking turns. Both record
survivors, entropy and tail mass at the same generations, and both end with files on the disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import tailbiter as tb
from bench import machine
from tailbiter.families import family_of

K, T, REPLICATES = 100, 1_000, 16
RECORD = tb.Record(variables=["survivors", "entropy", "tail_mass"])
ROWS = 1_000  # of a block of numpy's: the fastest of 256, 1000 and 4000


def sweep_of(side: int) -> tb.Sweep:
    """Make the sweep: N from 100 to 10,000 and real shares from 0 to one half, ``side`` values of each."""
    base = tb.Spec(
        reference=tb.Zipf(K), regime=tb.Anchored(real=0.0), samples=1000, generations=T, replicates=REPLICATES
    )
    vary = {"samples": tb.Range(100, 10_000, side, scale="log"), "regime.real": tb.Range(0, 0.5, side)}
    return tb.Sweep(base, vary, record=RECORD, invalid="skip")


def ours(sweep: tb.Sweep, out: Path) -> None:
    """Run the sweep as a user does."""
    tb.run_sweep(sweep, out, threads=2)


def theirs(sweep: tb.Sweep, out: Path) -> None:
    """Run the same by numpy: blocks of cells, two processes, a file for each block."""
    from joblib import Parallel, delayed

    out.mkdir()
    cells = [(c.values["samples"], c.values["regime.real"]) for c in sweep.cells()]
    per = max(1, min(ROWS // REPLICATES, -(-len(cells) // 2)))
    blocks = [cells[i : i + per] for i in range(0, len(cells), per)]
    at = sweep.record.at(T)
    Parallel(n_jobs=2)(delayed(_block)(block, at, out / f"{i}.npz") for i, block in enumerate(blocks))


def _block(cells: list[tuple[int, float]], at: np.ndarray, path: Path) -> None:
    """Some cells, all their replicates side by side."""
    rng = np.random.default_rng(len(cells))
    q = 1.0 / np.arange(1, K + 1)
    q /= q.sum()
    tail = K - int(np.searchsorted(q[::-1].cumsum(), 0.05, side="right"))
    n = np.repeat([samples for samples, _ in cells], REPLICATES)
    human = np.repeat([int(samples * real + 0.5) for samples, real in cells], REPLICATES)
    out = {name: np.zeros((len(n), len(at))) for name in RECORD.variables}
    p = np.broadcast_to(q, (len(n), K))
    record = {int(t): i for i, t in enumerate(at)}
    for t in range(1, T + 1):
        fresh = human if t > 1 else np.zeros_like(human)
        counts = rng.multinomial(n - fresh, p)
        if t > 1 and human.any():
            counts += rng.multinomial(fresh, q)
        p = counts / n[:, None]
        if t in record:
            i = record[t]
            out["survivors"][:, i] = np.count_nonzero(counts, axis=1)
            safe = np.where(p > 0, p, 1.0)
            out["entropy"][:, i] = -(p * np.log(safe)).sum(axis=1)
            out["tail_mass"][:, i] = p[:, tail:].sum(axis=1)
    np.savez(path, **out)


def clock(run: Any, sweep: tb.Sweep) -> tuple[float, float]:
    """Wall and processor seconds, those of processes that it started included."""
    folder = Path(tempfile.mkdtemp())
    wall, cpu = time.perf_counter(), _cpu()
    try:
        run(tb.Sweep.from_dict(sweep.to_dict()), folder / "out")
        return time.perf_counter() - wall, _cpu() - cpu
    finally:
        shutil.rmtree(folder)


def _cpu() -> float:
    if "joblib.externals.loky" in sys.modules:
        # Its processes stay for reuse, and are counted once they have ended.
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, who))


def engine_seconds(sweep: tb.Sweep) -> float:
    """Processor seconds of the engine alone, one cell after the other: what no sweep can save."""
    family = family_of(sweep.base.reference)
    spent = 0.0
    for cell in sweep.cells():
        engine = family.engine(family.lower(cell.spec, sweep.record))
        outputs, control = engine.outputs(cell.spec.replicates), family.control()
        begun = time.process_time()
        engine.run(0, cell.spec.replicates, outputs, control)
        spent += time.process_time() - begun
    return spent


def tiny_cells(side: int) -> tuple[float, float]:
    """Processor microseconds of one of ``side`` squared tiny cells: from Spec to disk; the engine alone."""
    base = tb.Spec(
        reference=tb.Zipf(20), regime=tb.Anchored(real=0.1), samples=100, generations=10, replicates=2
    )
    vary = {"samples": tb.Range(100, 99 + side, side), "regime.real": tb.Range(0.01, 0.5, side)}
    sweep = tb.Sweep(base, vary, record=RECORD)
    _, cpu = clock(lambda one, out: tb.run_sweep(one, out, threads=1), sweep)
    return cpu / side**2 * 1e6, engine_seconds(sweep) / side**2 * 1e6


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--side", type=int, default=8, help="values of each of the two fields")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sweep = sweep_of(options.side)
    clock(ours, sweep_of(2))  # imports are paid once
    pairs = [(clock(ours, sweep), clock(theirs, sweep)) for _ in range(options.rounds)]
    engine = engine_seconds(sweep)
    spent = clock(lambda one, out: tb.run_sweep(one, out, threads=1), sweep)[1]
    whole, run = tiny_cells(100)
    print(
        json.dumps(
            {
                "machine": machine.facts(),
                "cells": len(sweep),
                "skipped": sweep.ids.count(None),
                "ours_wall": median(mine[0] for mine, _ in pairs),
                "theirs_wall": median(other[0] for _, other in pairs),
                "ratio_wall": median(other[0] / mine[0] for mine, other in pairs),
                "ratio_cpu": median(other[1] / mine[1] for mine, other in pairs),
                "overhead": 1 - engine / spent,
                "tiny_cell_microseconds": whole,
                "tiny_cell_engine_microseconds": run,
            },
            indent=1,
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: MIT
"""Cells of a sweep, run: many small ones in one call, or one large one by blocks of its replicates."""

from __future__ import annotations

import pickle
import threading
import time
from dataclasses import dataclass, field, replace

from tailbiter.families import Control, family_of
from tailbiter.store import CellResult, Failure, Store
from tailbiter.sweep import Sweep, label_of

from ._provenance import provenance
from ._refuse import bytes_of_lineage

__all__ = ["Batch", "BatchResult", "Large", "Runner", "run_batch"]

# Below so many bytes of records nobody asks whether they fit in memory: asking takes longer than many a cell.
SURELY_FITS = 64 << 20


@dataclass
class Batch:
    """Cells to be run together."""

    numbers: list[int]
    ids: list[str]


@dataclass
class BatchResult:
    """What came of a batch.

    Attributes
    ----------
    results : list of CellResult
        Finished cells; empty where the worker has stored them itself.
    stored : dict of str to int
        Cells that it has stored: by id, the key of their random words.
    failures : list of Failure
        Cells that raised an exception.
    generations, survivors : int
        Lineage-generations run; survivor-generations, where they were run in another process.
    seconds : float
        How long it took.
    """

    results: list[CellResult] = field(default_factory=list)
    stored: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    generations: int = 0
    survivors: int = 0
    seconds: float = 0.0


class Runner:
    """Runs cells of one sweep; safe to use from many threads at once.

    Parameters
    ----------
    sweep : Sweep
        What to run.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.family = family_of(sweep.base.reference)
        self.control = self.family.control()

    def run(self, batch: Batch, control: Control | None = None) -> BatchResult:
        """Run cells one after the other; a failing one is told of, and the rest goes on."""
        out = BatchResult()
        begun = last = time.perf_counter()
        for number, id_ in zip(batch.numbers, batch.ids, strict=True):
            try:
                cell = Large(self, number, id_)
                cell.run(0, cell.replicates, control)
            except KeyboardInterrupt:
                break  # cancelled: what is finished counts
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this cell's alone
                out.failures.append(self.failure(number, id_, error))
                continue
            now = time.perf_counter()
            out.results.append(cell.result(now - last))
            out.generations += cell.replicates * cell.generations
            last = now
        out.seconds = last - begun
        return out

    def failure(self, number: int, id_: str, error: BaseException) -> Failure:
        """Say what went wrong with a cell."""
        values = self.sweep.values(number)
        labels = {name: label_of(value) for name, value in zip(self.sweep.names, values, strict=True)}
        return Failure(id_, labels, type(error).__name__, str(error))


class Large:
    """One cell, whose replicates may be run in blocks by several threads."""

    def __init__(self, runner: Runner, number: int, id_: str) -> None:
        sweep = runner.sweep
        self.runner = runner
        self.number = number
        self.id = id_
        self.values = sweep.values(number)
        spec = sweep.spec(number)
        self.replicates = spec.replicates
        self.generations = spec.generations
        self.program = runner.family.lower(spec, sweep.record)
        if bytes_of_lineage(spec, sweep) * self.replicates > SURELY_FITS:
            runner.family.refuse_if_too_large(self.program, self.replicates, 1)
        self.engine = runner.family.engine(self.program)
        self.outputs = self.engine.outputs(self.replicates)
        self.left = 0
        self.failed: tuple[int, Exception] | None = None
        self.lock = threading.Lock()
        self.seconds = 0.0

    def run(self, start: int, stop: int, control: Control | None = None) -> None:
        """Run some replicates."""
        self.engine.run(start, stop, self.outputs, control or self.runner.control)

    def run_block(self, start: int, stop: int) -> BatchResult:
        """Run some replicates; the last hands over the cell, or what the first block that failed raised."""
        begun = time.perf_counter()
        generations = 0
        try:
            if self.failed is None or start < self.failed[0]:
                self.run(start, stop)
                generations = (stop - start) * self.generations
        except KeyboardInterrupt:
            return BatchResult()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this cell's alone
            with self.lock:
                if self.failed is None or start < self.failed[0]:
                    self.failed = start, error
        seconds = time.perf_counter() - begun
        with self.lock:
            self.left -= 1
            self.seconds += seconds
            last = self.left == 0
        ended = self._end() if last else BatchResult()
        return replace(ended, generations=generations, seconds=seconds)

    def _end(self) -> BatchResult:
        if self.failed is None:
            return BatchResult([self.result(self.seconds)])
        return BatchResult(failures=[self.runner.failure(self.number, self.id, self.failed[1])])

    def result(self, seconds: float) -> CellResult:
        """What was recorded."""
        return CellResult(
            id=self.id,
            key=self.program.key,
            values=[label_of(value) for value in self.values],
            generations=self.program.at,
            columns=self.runner.family.values(self.program, self.outputs),
            seconds=seconds,
        )


_LOADED: dict[bytes, Runner] = {}


def run_batch(pickled: bytes, batch: Batch, directory: str | None) -> BatchResult:
    """Run a batch in another process; there, store it too if a directory is given.

    Parameters
    ----------
    pickled : bytes
        The sweep.
    batch : Batch
        Cells of it.
    directory : str or None
        A store that this process can reach.
    """
    runner = _LOADED.get(pickled)
    if runner is None:
        _LOADED.clear()
        runner = _LOADED[pickled] = Runner(pickle.loads(pickled))  # noqa: S301  # from our own client
    control = runner.family.control()
    out = runner.run(batch, control)
    out.survivors = control.survivors
    if directory is not None and out.results:
        Store(directory).add(out.results, provenance())
        out.stored = {result.id: result.key for result in out.results}
        out.results = []
    return out

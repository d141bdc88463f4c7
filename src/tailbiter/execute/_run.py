# SPDX-License-Identifier: MIT
"""The loop over a sweep's cells: hand out, take back, store, and go on whatever dies."""

from __future__ import annotations

import gc
import os
import secrets
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tailbiter._checks import whole
from tailbiter._interrupt import check
from tailbiter.errors import SpecError
from tailbiter.families import Control
from tailbiter.simulate import MAX_THREADS, default_threads, split
from tailbiter.store import CellResult, Failure, Store, check_directory
from tailbiter.sweep import Sweep

from ._cells import Batch, BatchResult, Large
from ._pools import DaskPool, ExecutorPool, Pool, ProcessPool, ThreadPool, dask_client
from ._progress import Progress
from ._provenance import provenance
from ._refuse import refuse_too_large, refuse_what_no_store_holds

__all__ = ["run_sweep"]

# Seconds between looks at progress and signals.
TICK = 0.1
# Finished cells are written once they hold so many bytes, or are so many, or the first has waited so long.
PACK_BYTES = 48 << 20
PACK_CELLS = 4096
PACK_SECONDS = 1.0
# Of what a sweep has taken so far; so that long sweeps of small cells do not end in thousands of parts.
PACK_SHARE = 0.05
PACK_SECONDS_MOST = 60.0
MOST_OF_BATCH = 1024
# A cell that takes longer is run by all threads together.
LARGE_SECONDS = 2.0
# Seconds for a lineage-generation of a hundred categories, until it has been measured.
FIRST_GUESS = 2e-6
# A cell is given up when it was alone so many times with a worker that died.
MOST_DEATHS = 3


def run_sweep(
    sweep: Sweep,
    out: str | os.PathLike[str],
    *,
    threads: int | None = None,
    processes: int | None = None,
    dask: str | Any | None = None,
    executor: Executor | None = None,
    workers_write: bool = False,
    progress: bool = False,
) -> Store:
    """Run what is missing of a sweep, and store it.

    Parameters
    ----------
    sweep : Sweep
        What to run.
    out : path
        The store: a directory that does not exist yet (its parent must), or one that holds this sweep, whole
        or in part, or with other values.
    threads : int, optional
        Threads of this process; by default as many as it may use.
    processes : int, optional
        Processes instead.
    dask : str or distributed.Client, optional
        A cluster instead: its scheduler's address, "local" for one on this machine, or a client.
    executor : concurrent.futures.Executor, optional
        Anything else that runs functions; what it is sent must be picklable.
    workers_write : bool
        Let workers write to the store themselves, which they must then reach under the same path. By default
        they send results to this process, which writes them.
    progress : bool
        Show a progress bar, on a terminal only.

    Returns
    -------
    Store
        With every cell but those that failed (see `Store.failures`).

    Raises
    ------
    SpecError
        Before anything starts, for cells that cannot be run and for a directory that cannot be used; later,
        for a full disk: finished cells stay.
    KeyboardInterrupt
        Within a second of Ctrl-C; finished cells stay, and the same call does the rest.

    Examples
    --------
    >>> import tailbiter as tb, tempfile, pathlib
    >>> base = tb.Spec(reference=tb.Zipf(50), samples=100, generations=20, replicates=4)
    >>> sweep = tb.Sweep(base, vary={"samples": [50, 100, 200]})
    >>> store = tb.run_sweep(sweep, pathlib.Path(tempfile.mkdtemp()) / "sweep")
    >>> store.status().done
    3
    """
    chosen = {"threads": threads, "processes": processes, "dask": dask, "executor": executor}
    given = [name for name, value in chosen.items() if value is not None]
    if len(given) > 1:
        raise SpecError(
            given[1], str(chosen[given[1]]), f"cannot stand beside {given[0]}", "give one of the two"
        )
    count = _count(threads, "threads") if processes is None else _count(processes, "processes")
    ids = sweep.ids  # refuses what cannot be run
    refuse_what_no_store_holds(sweep)
    refuse_too_large(sweep, out)
    check_directory(out, sweep)
    with ExitStack() as stack:
        client = stack.enter_context(dask_client(dask, count)) if isinstance(dask, str) else dask
        store = Store.create(out, sweep)
        store.set_damaged_aside()
        missing = store.missing()
        if not missing:
            return store
        directory = str(store.path.resolve()) if workers_write else None
        pool: Pool
        if client is not None:
            pool = DaskPool(sweep, client, directory)
        elif executor is not None:
            pool = ExecutorPool(sweep, executor, default_threads(), directory)
        elif processes is not None:
            pool = ProcessPool(sweep, count, directory)
        else:
            pool = ThreadPool(sweep, count)
        bar = stack.enter_context(Progress(len(missing), len(sweep) - ids.count(None), shown=progress))
        stack.enter_context(_settled())
        _Loop(store, pool, missing, bar).run()
    return store


@contextmanager
def _settled() -> Iterator[None]:
    """Spare the garbage collector thousands of Specs that are there: a fifth of the time of tiny ones."""
    ours = gc.get_freeze_count() == 0
    if ours:
        gc.freeze()
    try:
        yield
    finally:
        if ours:
            gc.unfreeze()


def _count(value: int | None, field: str) -> int:
    if value is None:
        return default_threads()
    return whole(value, field, 1, MAX_THREADS, "give a whole number, or leave it out to use all processors")


def _size_of(sweep: Sweep) -> float:
    """Hundreds of categories, at least one: how much more than a small one a lineage-generation may take."""
    reference = sweep.base.reference
    return max(1.0, len(reference.support) / 100) if reference.traits.has_categories else 1.0


@dataclass
class _Writer:
    """Gathers finished cells, and writes them as parts."""

    store: Store
    begun: float = field(default_factory=time.monotonic)
    results: list[CellResult] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    held: int = 0
    first: float = 0.0

    def add(self, results: list[CellResult]) -> None:
        """Take finished cells."""
        if results and not self.results:
            self.first = time.monotonic()
        self.results += results
        self.held += sum(result.nbytes for result in results)

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        now = time.monotonic()
        patience = min(max(PACK_SECONDS, PACK_SHARE * (now - self.begun)), PACK_SECONDS_MOST)
        many = self.held >= PACK_BYTES or len(self.results) >= PACK_CELLS
        return bool(self.results) and (many or now - self.first >= patience)

    def flush(self) -> None:
        """Write what there is."""
        if self.results:
            self.written.add(self.store.add(self.results, provenance()).name)
            self.results, self.held = [], 0


class _Loop:
    """Hands cells out and takes results back, until nothing is missing."""

    def __init__(self, store: Store, pool: Pool, missing: list[int], bar: Progress) -> None:
        self.store = store
        self.pool = pool
        self.bar = bar
        self.sweep = store.sweep
        self.writer = _Writer(store)
        # Two clients of one store begin at different cells, and meet late.
        start = secrets.randbelow(len(missing))
        self.pending = deque(missing[start:] + missing[:start])
        self.flying: dict[Future[BatchResult], Batch] = {}
        self.suspects: deque[int] = deque()
        self.alone: dict[int, int] = {}
        there = store.places
        self.keys = {there[id_].kept.key: id_ for id_ in self.sweep.ids if id_ is not None and id_ in there}
        self.per_generation = FIRST_GUESS * _size_of(store.sweep)
        self.size = 1

    def run(self) -> None:
        """Run everything."""
        cancel = True
        try:
            while self.pending or self.flying or self.suspects:
                self._hand_out()
                done, _ = wait(self.flying, timeout=TICK, return_when=FIRST_COMPLETED)
                for future in done:
                    self._take_back(future)
                if self.writer.due:
                    self.writer.flush()
                    self._drop_what_others_did()
                self.bar.show(self._running())
                check()
            cancel = False
        finally:
            self._end(cancel=cancel)

    def _end(self, *, cancel: bool) -> None:
        """Stop, and keep what is finished."""
        if cancel:
            for future in self.flying:
                future.cancel()
        self.pool.close(cancel=cancel)
        for future in self.flying:
            if cancel and future.done() and not future.cancelled() and future.exception() is None:
                self.writer.add(future.result().results)
        self.writer.flush()

    def _running(self) -> Control | None:
        """What cells have come to, where that can be seen while they run."""
        return self.pool.runner.control if isinstance(self.pool, ThreadPool) else None

    def _hand_out(self) -> None:
        if self.suspects and not self.flying:
            self._submit([self.suspects.popleft()])
            return
        if self.suspects:
            return  # a cell that may kill its worker waits until it is alone
        while self.pending and len(self.flying) < 2 * self.pool.workers:
            if isinstance(self.pool, ThreadPool) and self._is_large(self.pending[0]):
                self._submit_large(self.pool, self.pending.popleft())
            else:
                some = min(self._batch_size(), len(self.pending))
                self._submit([self.pending.popleft() for _ in range(some)])

    def _weight(self, number: int) -> int:
        """Lineage-generations of a cell."""
        values = dict(zip(self.sweep.names, self.sweep.values(number), strict=True))
        base = self.sweep.base
        return int(values.get("replicates", base.replicates)) * int(
            values.get("generations", base.generations)
        )

    def _is_large(self, number: int) -> bool:
        seconds = self._weight(number) * self.per_generation
        few = len(self.pending) < self.pool.workers and seconds > self.pool.target
        return seconds > LARGE_SECONDS or few

    def _batch_size(self) -> int:
        """Cells that take as long as a batch should; fewer towards the end, so that all finish together."""
        each = max(self._weight(self.pending[0]) * self.per_generation, 1e-9)
        fitting = int(self.pool.target / each)
        share = -(-len(self.pending) // (2 * self.pool.workers))
        self.size = max(1, min(fitting, 4 * self.size, share, MOST_OF_BATCH))
        return self.size

    def _batch(self, numbers: list[int]) -> Batch:
        return Batch(numbers, [str(self.sweep.ids[number]) for number in numbers])

    def _submit(self, numbers: list[int]) -> None:
        batch = self._batch(numbers)
        try:
            self.flying[self.pool.submit(batch)] = batch
        except BrokenExecutor as error:  # a worker died, and what was with it has not come back yet
            self._lost(batch, error)

    def _submit_large(self, pool: ThreadPool, number: int) -> None:
        batch = self._batch([number])
        try:
            cell = Large(pool.runner, number, batch.ids[0])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this cell's alone
            self._fail(pool.runner.failure(number, batch.ids[0], error))
            return
        for future in pool.submit_blocks(cell, split(cell.replicates, pool.workers)):
            self.flying[future] = batch

    def _take_back(self, future: Future[BatchResult]) -> None:
        if future not in self.flying:
            return  # given out again already
        batch = self.flying.pop(future)
        error = future.exception()
        if error is not None:
            self._lost(batch, error)
            return
        result = future.result()
        if result.generations:
            measured = result.seconds / result.generations
            self.per_generation += 0.3 * (measured - self.per_generation)
        for failure in result.failures:
            self._fail(failure)
        for id_, key in result.stored.items() | {cell.id: cell.key for cell in result.results}.items():
            self._check_key(id_, key)
        self.writer.add(result.results)
        self.bar.add(len(result.results) + len(result.stored), result.generations, result.survivors)

    def _fail(self, failure: Failure) -> None:
        self.store.add_failure(failure)
        self.bar.fail()

    def _check_key(self, id_: str, key: int) -> None:
        """Two laws with one key would share their random words: at a million cells, a chance of 3e-8."""
        other = self.keys.setdefault(key, id_)
        same_words = self.sweep.common_random_numbers or other == id_
        if not same_words and self._law(other) != self._law(id_):
            raise SpecError("sweep.seed", self.sweep.seed, "gives two cells one key", "use another seed")

    def _law(self, id_: str) -> Any:
        """What the key of a cell is made of."""
        return self.sweep.spec(self.sweep.ids.index(id_)).law()

    def _lost(self, batch: Batch, error: BaseException) -> None:
        """A worker died. Whoever was with it is tried again, each alone if it died with several."""
        self.pool.repair(error)
        together = [batch, *self.flying.values()] if isinstance(self.pool, ProcessPool) else [batch]
        if isinstance(self.pool, ProcessPool):
            self.flying.clear()
        numbers = list(dict.fromkeys(number for one in together for number in one.numbers))
        if len(together) > 1 or len(numbers) > 1:
            self._suspect(numbers)
            return
        (number,) = numbers
        self.alone[number] = self.alone.get(number, 0) + 1
        if self.alone[number] < MOST_DEATHS:
            self.suspects.appendleft(number)
            return
        died = RuntimeError(f"its worker died {MOST_DEATHS} times")
        values = dict(zip(self.sweep.names, self.sweep.values(number), strict=True))
        self._fail(Failure(str(self.sweep.ids[number]), values, "WorkerDied", str(died)))

    def _suspect(self, numbers: list[int]) -> None:
        """Cells that were with a worker when it died: the second time, each is run alone."""
        for number in numbers:
            seen = self.alone.get(number, -1) + 1
            self.alone[number] = 0
            if seen > 0:
                self.suspects.append(number)
            else:
                self.pending.append(number)
        self.size = 1

    def _drop_what_others_did(self) -> None:
        """Another client may be at work on the same store."""
        if not self.store.has_others(self.writer.written):
            return
        places = self.store.places
        before = len(self.pending)
        self.pending = deque(number for number in self.pending if self.sweep.ids[number] not in places)
        self.bar.add(before - len(self.pending))

# SPDX-License-Identifier: MIT
"""Who runs cells: threads of this process, processes, Dask's workers, or whatever is an Executor."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from tailbiter.errors import SpecError, TailbiterError
from tailbiter.sweep import Sweep

from ._cells import Batch, BatchResult, Large, Runner, run_batch

__all__ = ["DaskPool", "ExecutorPool", "Pool", "ProcessPool", "ThreadPool"]


class Pool(Protocol):
    """What the loop over cells needs of those who run them."""

    workers: int
    target: float

    def submit(self, batch: Batch) -> Future[BatchResult]:
        """Run cells."""

    def repair(self, error: BaseException) -> None:
        """Make it work again after a worker died; raise what cannot be mended."""

    def close(self, *, cancel: bool) -> None:
        """Let go of it; with `cancel`, at once."""


class ThreadPool:
    """Threads of this process; cells and blocks of a large cell's replicates share them."""

    target = 0.1  # seconds that a batch should take: to hand one over takes a ten-thousandth of one

    def __init__(self, sweep: Sweep, threads: int) -> None:
        self.workers = threads
        self.runner = Runner(sweep)
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="tailbiter")

    def submit(self, batch: Batch) -> Future[BatchResult]:
        """Run cells."""
        return self.executor.submit(self.runner.run, batch)

    def submit_blocks(self, cell: Large, blocks: list[tuple[int, int]]) -> list[Future[BatchResult]]:
        """Run one cell by blocks of its replicates."""
        cell.left = len(blocks)
        return [self.executor.submit(cell.run_block, start, stop) for start, stop in blocks]

    def repair(self, error: BaseException) -> None:
        """Threads do not die."""
        raise error

    def close(self, *, cancel: bool) -> None:
        """Stop the threads."""
        if cancel:
            self.runner.control.cancel()
        self.executor.shutdown(wait=True, cancel_futures=cancel)


class ExecutorPool:
    """Any Executor of somebody else's: it is used, and left as it was."""

    target = 0.25

    def __init__(self, sweep: Sweep, executor: Executor, workers: int, directory: str | None) -> None:
        self.pickled = pickle.dumps(sweep)
        self.executor = executor
        self.workers = workers
        self.directory = directory

    def submit(self, batch: Batch) -> Future[BatchResult]:
        """Run cells."""
        return self.executor.submit(run_batch, self.pickled, batch, self.directory)

    def repair(self, error: BaseException) -> None:
        """What is not ours cannot be mended; a task that was lost can be given out again."""
        if isinstance(error, BrokenExecutor | TailbiterError):
            raise error

    def close(self, *, cancel: bool) -> None:
        """Leave it to its owner."""
        del cancel


class ProcessPool(ExecutorPool):
    """Processes of our own, started anew when one of them dies."""

    def __init__(self, sweep: Sweep, processes: int, directory: str | None) -> None:
        super().__init__(sweep, self._start(processes), processes, directory)

    @staticmethod
    def _start(processes: int) -> ProcessPoolExecutor:
        # A forked child of a process with threads may hang; these start clean.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, mp_context=context, initializer=_begin_worker)

    def repair(self, error: BaseException) -> None:
        """Start the processes anew."""
        if not isinstance(error, BrokenExecutor):
            raise error
        self.executor.shutdown(wait=True, cancel_futures=True)
        self.executor = self._start(self.workers)

    def close(self, *, cancel: bool) -> None:
        """Stop the processes."""
        children = list((getattr(self.executor, "_processes", None) or {}).values()) if cancel else []
        self.executor.shutdown(wait=not cancel, cancel_futures=cancel)
        for child in children:
            child.kill()


def _begin_worker() -> None:
    """Ctrl-C is for the client, which stops its workers; a worker whose client is gone goes too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    client = multiprocessing.parent_process()

    def follow() -> None:
        if client is not None:
            client.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


class DaskPool(ExecutorPool):
    """Workers of a Dask cluster, which gives lost tasks out again by itself."""

    target = 0.5

    def __init__(self, sweep: Sweep, client: Any, directory: str | None) -> None:
        workers = sum(client.nthreads().values())
        super().__init__(sweep, client.get_executor(pure=False), max(1, workers), directory)

    def repair(self, error: BaseException) -> None:
        """A task was given up after several workers died with it: it may be tried again."""
        from distributed import CancelledError, KilledWorker

        if not isinstance(error, KilledWorker | CancelledError):
            raise error


@contextmanager
def dask_client(address: str, workers: int) -> Iterator[Any]:
    """A client of the cluster at an address; "local" starts one on this machine.

    Parameters
    ----------
    address : str
        Such as ``tcp://scheduler:8786``, or ``local``.
    workers : int
        Processes of a local cluster.
    """
    try:
        import distributed
    except ImportError as error:
        problem = "needs the package distributed"
        raise SpecError("dask", address, problem, "pip install 'tailbiter[dask]'") from error
    if address == "local":
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        remedy = "give a scheduler's address such as tcp://scheduler:8786, or local"
        raise SpecError("dask", address, "does not answer", remedy) from error
    with client:
        yield client

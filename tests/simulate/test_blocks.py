# SPDX-License-Identifier: MIT
"""Blocks of replicates over threads: who runs what, and how it stops. The engines here are stand-ins."""

import os
import signal
import threading
import time
from typing import Self

import numpy as np
import pytest

from tailbiter.errors import SpecError
from tailbiter.simulate import default_threads, run_blocks, split


class Control:
    """As the core's: a flag that engines look at, and a count of what is done."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.progress = 0

    def cancel(self) -> None:
        self.stopped.set()


class Marking:
    """Adds 1 to every row it is asked for."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, int]] = []

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Control) -> None:
        out["row"][start:stop] += 1
        self.blocks.append((start, stop))


class Endless:
    """Runs until cancelled; fails in one block if asked to."""

    def __init__(self, failing_row: int | None = None) -> None:
        self.failing_row = failing_row
        self.ended: list[int] = []
        self.began = threading.Event()

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Control) -> None:
        self.began.set()
        if start == self.failing_row:
            raise ArithmeticError(start)
        control.stopped.wait(60)
        self.ended.append(start)


def rows(replicates: int) -> dict[str, np.ndarray]:
    return {"row": np.zeros(replicates, dtype=np.int64)}


@pytest.mark.parametrize("replicates", [1, 2, 7, 8, 9, 32, 100, 1000])
@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_every_row_is_filled_once(replicates: int, threads: int) -> None:
    engine, out = Marking(), rows(replicates)
    run_blocks(engine, out, replicates, threads, Control())
    assert (out["row"] == 1).all()
    assert [row for block in split(replicates, threads) for row in range(*block)] == list(range(replicates))
    assert len(engine.blocks) >= (threads if replicates >= 8 * threads else min(threads, replicates) / 2)


@pytest.mark.parametrize("replicates", [129, 1000])
def test_large_blocks_are_whole_packs_of_eight(replicates: int) -> None:
    engine, out = Marking(), rows(replicates)
    run_blocks(engine, out, replicates, 4, Control())
    assert all(start % 8 == 0 for start, _ in engine.blocks)


@pytest.mark.parametrize("replicates", [64, 128, 1000, 10_000])
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_blocks_are_large_and_the_last_are_small(replicates: int, threads: int) -> None:
    """Every thread begins with most of its share, and who ends first waits for one pack."""
    sizes = [stop - start for start, stop in split(replicates, threads)]
    assert min(sizes[:threads]) >= min(replicates / threads / 2, 256)
    assert sizes[-1] <= 8
    assert sizes == sorted(sizes, reverse=True)


def test_one_thread_is_waited_for_by_none() -> None:
    assert split(100, 1) == [(0, 100)]


def test_no_block_is_larger_than_its_bound() -> None:
    engine = Marking()
    run_blocks(engine, rows(10_000), 10_000, 1, Control())
    assert max(stop - start for start, stop in engine.blocks) == 256


def test_few_replicates_still_use_every_thread() -> None:
    engine = Marking()
    run_blocks(engine, rows(2), 2, 2, Control())
    assert sorted(engine.blocks) == [(0, 1), (1, 2)]


def test_a_failing_block_stops_the_others_and_is_reported() -> None:
    engine, control = Endless(failing_row=8), Control()
    started = time.monotonic()
    with pytest.raises(ArithmeticError, match="8"):
        run_blocks(engine, rows(16), 16, 2, control)
    assert time.monotonic() - started < 1
    assert control.stopped.is_set()
    assert engine.ended == [0]


class Failing:
    """Every block raises what it is told to, those before the last after all others."""

    def __init__(self, errors: dict[int, Exception]) -> None:
        self.errors = errors
        self.last = threading.Event()

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Control) -> None:
        if start == max(self.errors):
            self.last.set()
        elif start in self.errors:
            self.last.wait(10)
            time.sleep(0.05)
        out["row"][start:stop] += 1
        if start in self.errors:
            raise self.errors[start]


def bad(row: int) -> SpecError:
    return SpecError("row", row, "fails", "mend it")


def test_of_several_blocks_that_fail_the_first_one_is_told() -> None:
    """Whichever fails first by the clock; blocks before it are run to their end."""
    out, control = rows(16), Control()
    with pytest.raises(SpecError, match=r"^row: 0 fails"):
        run_blocks(Failing({0: bad(0), 8: bad(8)}), out, 16, 2, control)
    assert control.stopped.is_set()
    out = rows(64)
    with pytest.raises(SpecError, match=r"^row: 24 fails"):
        run_blocks(Failing({24: bad(24), 48: bad(48)}), out, 64, 2, Control())
    assert (out["row"][:48] == 1).all()


def test_what_is_not_the_spec_s_fault_is_told_at_once() -> None:
    with pytest.raises(MemoryError):
        run_blocks(Failing({0: bad(0), 8: MemoryError()}), rows(16), 16, 2, Control())


def test_ctrl_c_stops_every_thread_within_a_second() -> None:
    engine, control = Endless(), Control()
    pressed = []

    def press() -> None:
        engine.began.wait(10)
        time.sleep(0.2)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        run_blocks(engine, rows(64), 64, 2, control)
    assert time.monotonic() - pressed[0] < 1
    presser.join()
    assert len(engine.ended) == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tailbiter")]


def test_the_bar_ends_at_what_the_control_counted() -> None:
    class Bar:
        n = 0
        closed = False

        def refresh(self) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.closed = True

    bar, control = Bar(), Control()
    control.progress = 123
    run_blocks(Marking(), rows(4), 4, 2, control, bar)
    assert (bar.n, bar.closed) == (123, True)


def test_threads_default_to_what_this_process_may_use() -> None:
    assert default_threads() == len(os.sched_getaffinity(0))

# SPDX-License-Identifier: MIT
"""Whoever runs the cells, the store holds the same; what fails is told, and the rest goes on."""

import errno
import gc
import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import tailbiter as tb
from tailbiter.execute import _cells, _pools, _run
from tailbiter.store import Store, _files
from tests.sweep import workers
from tests.sweep.grids import BASE, alike, grid


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return tb.run_sweep(grid(), tmp_path_factory.mktemp("stores") / "store", threads=1).digest()


class Threads(ThreadPoolExecutor):
    """No other pool's kind, either."""


class Inline(ThreadPoolExecutor):
    """Runs what it is given at once; none of the pools that the package knows."""

    def submit(self, run, *arguments):
        future: Future = Future()
        future.set_result(run(*arguments))
        return future


@pytest.mark.parametrize("write", [False, True], ids=["client writes", "workers write"])
@pytest.mark.parametrize("kind", ["threads", "processes", "executor"])
def test_every_executor_gives_the_same_store(tmp_path, undisturbed, kind, write):
    who = {"executor": Inline()} if kind == "executor" else {kind: 2}
    store = tb.run_sweep(grid(), tmp_path / "store", workers_write=write, **who)
    assert store.digest() == undisturbed
    assert store.status().missing == 0


def test_a_full_disk_of_a_worker_ends_the_sweep(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_files.Sealed, "write", full)
    with pytest.raises(tb.SpecError, match="is on a disk that is full"):
        tb.run_sweep(grid(), tmp_path / "store", executor=Threads(1), workers_write=True)
    assert Store(tmp_path / "store").failures() == {}


@pytest.mark.slow
def test_an_executor_of_somebody_else_is_left_as_it_was(tmp_path, undisturbed):
    with ProcessPoolExecutor(2, mp_context=_pools.multiprocessing.get_context("spawn")) as executor:
        assert tb.run_sweep(grid(), tmp_path / "store", executor=executor).digest() == undisturbed
        assert executor.submit(abs, -3).result() == 3


def test_a_large_cell_is_run_by_all_threads(tmp_path, monkeypatch):
    """And small ones beside it; the same bits as alone."""
    monkeypatch.setattr(_run, "LARGE_SECONDS", 1e-9)
    blocks = []
    run_block = _cells.Large.run_block

    def watched(self, start, stop):
        blocks.append((self.id, start, stop))
        return run_block(self, start, stop)

    monkeypatch.setattr(_cells.Large, "run_block", watched)
    sweep = grid(BASE.replace(replicates=40), {"samples": [50, 100]})
    tb.run_sweep(sweep, tmp_path / "store", threads=2)
    assert {id_ for id_, _, _ in blocks} == set(sweep.ids)
    assert len(blocks) > 4
    ds = tb.open_sweep(tmp_path / "store")
    for cell in sweep.cells():
        alike(cell, sweep, ds.sel(cell.values))


@pytest.mark.parametrize("large", [False, True], ids=["in a batch", "by blocks"])
def test_a_failing_cell_is_recorded_and_the_rest_goes_on(tmp_path, monkeypatch, undisturbed, large):
    if large:
        monkeypatch.setattr(_run, "LARGE_SECONDS", 1e-9)
    lower = _cells.family_of(BASE.reference).lower

    def failing(self, spec, record):
        if spec.samples == 50:
            raise ArithmeticError("no such luck")
        return lower(spec, record)

    with monkeypatch.context() as patch:
        patch.setattr("tailbiter.families.categorical.CategoricalFamily.lower", failing)
        store = tb.run_sweep(grid(), tmp_path / "store", threads=2)
    status = store.status()
    assert (status.done, status.failed, status.missing) == (6, 3, 3)
    failures = store.failures()
    assert failures.keys() == {cell.id for cell in grid().cells() if cell.values["samples"] == 50}
    one = failures[grid().cell(1).id]
    assert (one.values, one.kind, one.message) == (
        {"samples": 50, "regime.real": 0.2},
        "ArithmeticError",
        "no such luck",
    )
    again = tb.run_sweep(grid(), tmp_path / "store", threads=2)
    assert again.failures() == {}
    assert again.digest() == undisturbed


def test_a_cell_that_fits_in_no_memory_fails_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(_cells, "SURELY_FITS", 0)
    monkeypatch.setattr("tailbiter.estimate.available_memory", lambda: 2**20)
    sweep = grid(vary={"replicates": [3, 10_000]})
    store = tb.run_sweep(sweep, tmp_path / "store", threads=1)
    assert [failure.kind for failure in store.failures().values()] == ["MemoryEstimateError"]
    assert store.status().done == 1


@pytest.mark.slow
def test_a_cell_that_kills_its_worker_is_given_up_and_the_rest_goes_on(tmp_path, monkeypatch, undisturbed):
    def start(processes):
        context = _pools.multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, mp_context=context, initializer=workers.begin_dying)

    with monkeypatch.context() as patch:
        patch.setattr(_pools.ProcessPool, "_start", staticmethod(start))
        store = tb.run_sweep(grid(), tmp_path / "store", processes=2)
    assert store.status().done == 6
    assert {(f.values["samples"], f.kind) for f in store.failures().values()} == {(50, "WorkerDied")}
    assert tb.run_sweep(grid(), tmp_path / "store").digest() == undisturbed


@pytest.mark.parametrize("who", ["threads", "workers", "an earlier run"])
def test_two_laws_with_one_key_are_refused(tmp_path, monkeypatch, who):
    monkeypatch.setattr(tb.Spec, "key", property(lambda self: 5))
    chosen = {"threads": 1}
    if who == "workers":
        chosen = {"executor": ThreadPoolExecutor(1), "workers_write": True}
    if who == "an earlier run":
        tb.run_sweep(grid(vary={"samples": [50], "regime.real": [0.1]}), tmp_path / "store")
    vary = {"samples": [50, 100], "regime.real": [0.1]}
    with pytest.raises(tb.SpecError, match=r"sweep\.seed: 7 gives two cells one key; use another seed"):
        tb.run_sweep(grid(vary=vary), tmp_path / "store", **chosen)


def test_cells_that_differ_in_what_is_measured_share_their_words(tmp_path):
    vary = {"tail_mass": [0.1, 0.3], "generations": [5, 9]}
    sweep = grid(vary=vary, record=tb.Record(variables=["tail_survivors"]))
    store = tb.run_sweep(sweep, tmp_path / "store")
    assert store.status().done == 4


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"threads": 0}, "threads: 0"),
        ({"processes": 1.5}, "processes: 1.5"),
        ({"threads": 2, "processes": 2}, "cannot stand beside threads"),
        ({"dask": "nowhere"}, "dask: 'nowhere'"),
    ],
)
def test_bad_executors(tmp_path, arguments, expected):
    with pytest.raises(tb.SpecError) as caught:
        tb.run_sweep(grid(), tmp_path / "store", **arguments)
    assert expected in str(caught.value)


def test_ctrl_c_keeps_finished_cells(tmp_path, monkeypatch):
    """The signal comes while a cell is running that would take a minute; cells before it are there."""
    sweep = tb.Sweep(
        BASE.replace(reference=tb.Zipf(1000), regime=tb.RealOnly(), samples=10**6, replicates=1),
        {"generations": [2, 3, 4, 2_000_000]},
        record=tb.Record(variables=["survivors"]),
    )
    monkeypatch.setattr(_run.secrets, "randbelow", lambda most: 0)
    monkeypatch.setattr(_run, "LARGE_SECONDS", 1e9)
    monkeypatch.setattr(_run, "MOST_OF_BATCH", 1)
    begun = []
    run = _cells.Large.run

    def press():
        begun.append(
            time.process_time()
        )  # the clock on the wall runs on where others keep the processors busy
        os.kill(os.getpid(), signal.SIGINT)

    def start(cell, *how):
        if cell.generations == 2_000_000:
            threading.Timer(0.2, press).start()
        run(cell, *how)

    monkeypatch.setattr(_cells.Large, "run", start)
    with pytest.raises(KeyboardInterrupt):
        tb.run_sweep(sweep, tmp_path / "store", threads=1)
    assert time.process_time() - begun[0] < 1
    assert Store(tmp_path / "store").status().done == 3


def test_packs_are_written_when_they_are_full_or_have_waited(tmp_path, monkeypatch):
    monkeypatch.setattr(_run, "PACK_CELLS", 4)
    monkeypatch.setattr(_run, "PACK_SECONDS", 1e9)
    monkeypatch.setattr(_run, "PACK_SECONDS_MOST", 1e9)
    monkeypatch.setattr(_run, "MOST_OF_BATCH", 1)
    store = tb.run_sweep(grid(), tmp_path / "store", threads=1)
    packs = [len(part.note.cells) for part in store.parts]
    assert sum(packs) == 9
    assert max(packs) <= 5  # four, and one that finished in the same moment


def test_two_clients_at_once(tmp_path, undisturbed):
    stores = []

    def client():
        stores.append(tb.run_sweep(grid(), tmp_path / "store", threads=1))

    threads = [threading.Thread(target=client) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.digest() for store in stores] == [undisturbed] * 3
    assert len(tb.sweep_table(tmp_path / "store")) == 9 * 3 * 13


def test_what_another_client_did_is_not_done_again(tmp_path, monkeypatch):
    """The other one finishes while this one writes its first part."""
    monkeypatch.setattr(_run, "PACK_CELLS", 1)
    monkeypatch.setattr(_run, "MOST_OF_BATCH", 1)
    add, ran = Store.add, []

    def adding(self, results, about):
        first = not ran
        ran.extend(result.id for result in results)
        if first:
            monkeypatch.setattr(Store, "add", add)
            tb.run_sweep(grid(), tmp_path / "store", threads=1)
            monkeypatch.setattr(Store, "add", adding)
        return add(self, results, about)

    monkeypatch.setattr(Store, "add", adding)
    tb.run_sweep(grid(), tmp_path / "store", threads=1)
    assert len(ran) <= 4  # two at first, where both came back in the same moment, and two that were under way


def test_a_pool_that_breaks_between_two_cells_is_mended(tmp_path, monkeypatch, undisturbed):
    """The executor notices before any cell has come back: it refuses what it is given."""
    submit, refused = _pools.ProcessPool.submit, []

    def refusing(self, batch):
        if len(refused) < 2:
            refused.append(batch)
            raise BrokenExecutor("a child process terminated abruptly")
        return submit(self, batch)

    monkeypatch.setattr(_pools.ProcessPool, "submit", refusing)
    store = tb.run_sweep(grid(), tmp_path / "store", processes=1)
    assert store.digest() == undisturbed


def test_the_garbage_collector_is_left_as_it_was(tmp_path):
    tb.run_sweep(grid(), tmp_path / "store", threads=1)
    assert gc.get_freeze_count() == 0

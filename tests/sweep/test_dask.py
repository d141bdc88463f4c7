# SPDX-License-Identifier: MIT
"""A real Dask cluster over loopback: a scheduler and two worker processes of this test's own."""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest

import tailbiter as tb
from tailbiter.cli import main
from tailbiter.execute import _run
from tests.sweep.grids import BASE, grid
from tests.sweep.test_kills import SWEEP

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # Dask's own warnings are its own

TIMEOUT = 60


def start(stack, module, *arguments):
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


@pytest.fixture
def cluster(tmp_path):
    """Address of the scheduler, and the two workers."""
    file = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        common = ["--no-dashboard", "--scheduler-file", str(file)]
        start(stack, "dask_scheduler", *common, "--host", "127.0.0.1", "--port", "0", "--no-show")
        deadline = time.monotonic() + TIMEOUT
        while not file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        alone = ["--nthreads", "1", "--no-nanny", "--local-directory", str(tmp_path)]
        workers = [start(stack, "dask_worker", *common, *alone) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        import distributed

        with distributed.Client(address, timeout=TIMEOUT, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=TIMEOUT)
        yield address, workers


@pytest.mark.parametrize("write", [False, True], ids=["client writes", "workers write"])
def test_dask_gives_the_bits_of_threads(cluster, tmp_path, write):
    store = tb.run_sweep(grid(), tmp_path / "dask", dask=cluster[0], workers_write=write)
    assert store.digest() == tb.run_sweep(grid(), tmp_path / "threads", threads=2).digest()
    assert store.status().missing == 0


def test_a_worker_is_killed_half_way(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(_run, "PACK_CELLS", 20)
    address, workers = cluster
    sweep = tb.Sweep.from_toml(SWEEP)
    expected = tb.run_sweep(sweep, tmp_path / "threads").digest()
    killed = threading.Event()

    def kill_when_some_cells_are_there():
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if list((tmp_path / "dask").glob("records-*.parquet")):
                workers[0].kill()
                killed.set()
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill_when_some_cells_are_there)
    thread.start()
    store = tb.run_sweep(sweep, tmp_path / "dask", dask=address)
    thread.join()
    assert killed.is_set()
    assert len(store.parts) > 1  # some were written after the first
    assert store.digest() == expected
    assert store.failures() == {}


def test_the_command_line_and_a_cluster_of_its_own(tmp_path, capsys):
    grid(BASE.replace(replicates=2)).to_toml(tmp_path / "sweep.toml")
    assert (
        main(
            [
                "sweep",
                str(tmp_path / "sweep.toml"),
                "--out",
                str(tmp_path / "store"),
                "--dask",
                "local",
                "--json",
            ]
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out)["done"] == 9

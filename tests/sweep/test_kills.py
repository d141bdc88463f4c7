# SPDX-License-Identifier: MIT
"""kill -9 at random moments, of the client and of its workers: nothing is lost, nothing doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import tailbiter as tb
from tailbiter.store._files import is_intact
from tests.sweep.grids import parts

SWEEP = """
samples = 2000
generations = 300
replicates = 2
[reference]
kind = "zipf"
categories = 200
[regime]
kind = "anchored"
real = 0.1
[record]
variables = ["survivors", "entropy", "band_mass"]
[sweep.vary]
samples = { start = 1000, stop = 3000, count = 21 }
regime.real = { start = 0.05, stop = 0.5, count = 19 }
"""
CELLS = 21 * 19


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "store"
    return tb.run_sweep(tb.Sweep.from_toml(SWEEP), path).digest()


def start(spec: Path, store: Path, *who: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tailbiter", "sweep", str(spec), "--out", str(store), "--quiet", *who]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def workers_of(client: int) -> list[int]:
    """Worker processes of a client, by what /proc says of its children."""
    try:
        children = Path(f"/proc/{client}/task/{client}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except FileNotFoundError:
        return []


def awaited_workers(client: subprocess.Popen) -> list[int]:
    """Worker processes of a client, once there are some; none if it ends before."""
    deadline = time.monotonic() + 60
    while not (workers := workers_of(client.pid)) and client.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return workers


def check(store: Path, before: int) -> int:
    """What is there is whole, each cell once, and never less than before."""
    if not (store / "sweep.toml").is_file():
        return 0
    assert all(map(is_intact, parts(store)))
    done = tb.Store(store).status().done
    if done:
        table = tb.sweep_table(store, ["survivors"])
        assert len(table) == done * 2 * 200
        assert len(set(table["cell"].to_pylist())) == done
    assert done >= before
    return done


def seconds_of_a_run(spec: Path, store: Path) -> float:
    """How long the command takes here and now: kills are spaced by it, for busy machines take longer."""
    begun = time.monotonic()
    client = start(spec, store, "--processes", "2")
    _, errors = client.communicate()
    assert client.returncode == 0, errors
    return time.monotonic() - begun


def disturb(spec: Path, folder: Path, kills: int, undisturbed: str) -> int:
    """Kill until there were so many kills, in store after store; return how many were finished."""
    random_ = random.Random(1851)
    finished = done = 0
    store = folder / "store0"
    whole = seconds_of_a_run(spec, folder / "unhurried")
    killed = {"client": 0, "worker": 0}
    while sum(killed.values()) < kills or done < CELLS:
        if done == CELLS:
            assert tb.Store(store).digest() == undisturbed
            finished += 1
            store, done = folder / f"store{finished}", 0
        who = ("--threads", "2") if random_.random() < 0.4 else ("--processes", "2")
        client, begun = start(spec, store, *who), time.monotonic()
        workers: list[int] = []
        while sum(killed.values()) < kills and client.poll() is None:
            # Within what is left to do: a start takes about three tenths of a whole run.
            time.sleep(random_.uniform(0.1, 1.2) * whole * (1 - 0.7 * done / CELLS))
            workers = workers_of(client.pid)
            if "--processes" in who and not workers and killed["worker"] <= killed["client"]:
                workers = awaited_workers(client)  # a busy machine takes its time to start them
                time.sleep(random_.uniform(0.0, 1.0))
            if workers and killed["worker"] <= killed["client"]:
                with suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(random_.choice(workers), signal.SIGKILL)
                    killed["worker"] += 1
            elif client.poll() is None:
                client.kill()
                killed["client"] += 1
        _, errors = client.communicate()
        assert client.returncode in (0, -signal.SIGKILL), errors
        wait_for_the_end_of(workers)
        if client.returncode == 0:  # nobody killed it in time: whoever was busy here is gone
            whole = min(whole, time.monotonic() - begun)
        done = check(store, done)
        assert done == CELLS or client.returncode != 0
    assert tb.Store(store).digest() == undisturbed
    assert min(killed.values()) > 0
    return finished + 1


def wait_for_the_end_of(workers: list[int]) -> None:
    """Workers of a client that is gone go too."""
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.long
@pytest.mark.slow
def test_twenty_kills(tmp_path, undisturbed):
    (tmp_path / "sweep.toml").write_text(SWEEP)
    assert disturb(tmp_path / "sweep.toml", tmp_path, 20, undisturbed) >= 1


@pytest.mark.verification
def test_two_hundred_kills(tmp_path, undisturbed):
    (tmp_path / "sweep.toml").write_text(SWEEP)
    assert disturb(tmp_path / "sweep.toml", tmp_path, 200, undisturbed) > 5

# SPDX-License-Identifier: MIT
"""The command line: what it prints, what it writes, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import tailbiter as tb
from tailbiter.cli import main
from tests.sweep.grids import grid, parts


@pytest.fixture
def spec(tmp_path):
    grid().to_toml(tmp_path / "sweep.toml")
    return str(tmp_path / "sweep.toml")


@pytest.fixture
def out(tmp_path):
    return str(tmp_path / "store")


def test_sweep_tells_what_is_there(spec, out, capsys):
    assert main(["sweep", spec, "--out", out]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("9 of 9 cells done, 0 missing\n1 part, ")
    assert main(["store", "status", out]) == 0
    assert capsys.readouterr().out == printed
    assert main(["sweep", spec, "--out", out, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json(spec, out, capsys):
    assert main(["sweep", spec, "--out", out, "--json", "--processes", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["cells"], told["done"], told["failures"], told["out"]) == (9, 9, [], out)
    assert told["digest"] == tb.Store(out).digest()


def test_failed_cells_are_told_and_the_exit_code_is_1(spec, out, capsys, monkeypatch):
    def failing(self, spec, record):
        raise ArithmeticError("no such luck")

    monkeypatch.setattr("tailbiter.families.categorical.CategoricalFamily.lower", failing)
    assert main(["sweep", spec, "--out", out]) == 1
    printed = capsys.readouterr().out
    assert "0 of 9 cells done, 9 missing\n9 of them failed when last tried: see failed/\n" in printed
    assert printed.count("no such luck") == 5
    assert main(["store", "status", out, "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["failures"]) == 9


def test_store_verbs(spec, out, tmp_path, capsys):
    main(["sweep", spec, "--out", out, "--quiet"])
    assert main(["store", "merge", out, out]) == 0
    assert main(["store", "gc", out, "--prune", "0"]) == 0
    assert main(["store", "export", out, str(tmp_path / "all.parquet")]) == 0
    assert capsys.readouterr().out == (
        f"0 parts copied\n0 files removed, 0 packed anew\nWritten to {tmp_path / 'all.parquet'}\n"
    )


def test_cells_of_another_sweep_go_only_where_their_number_is_said(spec, out, capsys):
    main(["sweep", spec, "--out", out, "--quiet"])
    assert main(["store", "gc", out, "--prune", "1"]) == 2
    told = (
        "--prune: 1 is not the number of cells of other sweeps and stream versions: there are 0 cells; give 0"
    )
    assert told in capsys.readouterr().err


BAD = {
    "no file": (["sweep", "@no.toml", "--out", "@new"], "no.toml"),
    "no sweep": (["sweep", "@plain.toml", "--out", "@new"], "add a [sweep] table"),
    "unknown field": (["sweep", "@field.toml", "--out", "@new"], "did you mean 'samples'"),
    "too many": (["sweep", "@many.toml", "--out", "@new"], "makes 1,000,000,000 cells"),
    "empty": (["sweep", "@empty.toml", "--out", "@new"], "the range is empty"),
    "cannot be run": (["sweep", "@cells.toml", "--out", "@new"], "1 of 2 cells cannot be run"),
    "foreign directory": (["sweep", "@sweep.toml", "--out", "@"], "--out: "),
    "threads": (["sweep", "@sweep.toml", "--out", "@new", "--threads", "0"], "--threads: 0"),
    "no --out": (["sweep", "@sweep.toml"], "--out"),
    "no scheduler": (["sweep", "@sweep.toml", "--out", "@new", "--dask", "nowhere"], "--dask: 'nowhere'"),
    "no store": (["store", "status", "@nowhere"], "holds no sweep.toml"),
    "nothing to merge": (["store", "merge", "@"], "name those to copy from"),
    "export": (["store", "export", "@", "@all.csv"], "ends in neither"),
}
FILES = {
    "plain.toml": "",
    "field.toml": "[sweep.vary]\nsmaples = [1]\n",
    "many.toml": "[sweep.vary]\nsamples = {start = 1, stop = 1e6, count = 1000000}\n"
    "regime.real = {start = 0, stop = 1, count = 1000}\n",
    "empty.toml": "[sweep.vary]\nsamples = {start = 5, stop = 1, count = 3}\n",
    "cells.toml": "[sweep.vary]\nregime.real = [0.5, 1.5]\n",
}


@pytest.mark.parametrize(("arguments", "expected"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_writes_nothing(arguments, expected, spec, tmp_path, capsys):
    for name, text in FILES.items():
        (tmp_path / name).write_text(grid().base.to_toml() + text)
    before = sorted(tmp_path.rglob("*"))
    given = [str(tmp_path / word[1:]) if word.startswith("@") else word for word in arguments]
    assert main(given) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert expected in errors
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("who", ["--threads", "--processes"])
def test_ctrl_c_keeps_what_is_finished_and_says_so(tmp_path, who):
    """As a terminal sends it, to the client and its workers; within a second, and no worker stays behind."""
    base = grid().base.replace(reference=tb.Zipf(300), samples=10_000, generations=3_000, replicates=8)
    sweep = tb.Sweep(
        base, {"regime.real": tb.Range(0.01, 0.99, 500)}, record=tb.Record(variables=["survivors"])
    )
    sweep.to_toml(tmp_path / "sweep.toml")
    store = tmp_path / "store"
    command = [
        sys.executable,
        "-m",
        "tailbiter",
        "sweep",
        str(tmp_path / "sweep.toml"),
        "--out",
        str(store),
        who,
        "1",
    ]
    client = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (store.is_dir() and parts(store)) and client.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pressed = time.monotonic()
    os.killpg(client.pid, signal.SIGINT)
    _, errors = client.communicate()
    assert time.monotonic() - pressed < 2  # one to stop, one for Python to end on a busy machine
    assert client.returncode == 130
    assert errors.splitlines()[-1] == (
        f"interrupted: finished cells are in {store}; the same command does the rest"
    )
    assert 0 < tb.Store(store).status().done < 500

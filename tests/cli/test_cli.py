# SPDX-License-Identifier: MIT
"""The command line, as people and programs use it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tailbiter
from tailbiter.cli import main
from tailbiter.record import Record
from tailbiter.run_files import read_run
from tailbiter.spec import Spec

SMALL = ["--generations", "20", "--replicates", "4", "--samples", "2e4"]
COMMAND = [sys.executable, "-m", "tailbiter"]
SPEC = """
samples = 100
generations = 5
replicates = 2
reference = {kind = "uniform", categories = 8}
[record]
generations = "all"
variables = ["survivors", "entropy"]
"""


def test_the_shipped_example_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *SMALL]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # no progress bar in a pipe
    lines = out.splitlines()
    assert "20,000 samples, regime replace, 20 generations, 4 replicates, seed 1851" in lines[0]
    head = next(line for line in lines if line.lstrip().startswith("generation"))
    assert head.split()[:3] == ["generation", "survivors", "[0,1)"]
    rows = [line.split() for line in lines if line.strip()[:1].isdigit() and "%" in line]
    assert [row[0] for row in rows][:2] == ["0", "1"]
    assert rows[-1][0] == "20"
    for phrase in (
        "Forgotten first",
        "The first sample already missed",
        "The most common that vanished",
        "The tail",
    ):
        assert phrase in out


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *SMALL, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json_is_one_object_and_no_more(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["run", *SMALL, "--json", "--out", str(tmp_path / "run")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["spec"]["samples"] == 20_000
    assert report["out"] == str(tmp_path / "run")
    assert report["digest"] == report["provenance"]["digest"]
    ds = read_run(tmp_path / "run")
    last = report["summary"]["rows"][-1]
    assert last["generation"] == 20
    assert last["survivors"] == np.median(ds["survivors"].sel(generation=20))


def test_flags_make_the_spec_they_spell(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("word,n\nthe,60\nof,30\nand,9\n")
    where = ["--counts", str(tmp_path / "words.csv"), "--counts-column", "n", "--out", str(tmp_path / "run")]
    flags = ["--samples", "2e2", "--generations", "20", "--replicates", "3", "--seed", "5", "--quiet"]
    regime = ["--regime", "anchored", "--real", "0.01", "--source", "fixed"]
    assert main(["run", *where, *flags, *regime]) == 0
    expected = Spec(
        reference=tailbiter.Counts.read(tmp_path / "words.csv", counts="n"),
        regime=tailbiter.Anchored(real=0.01, source="fixed"),
        samples=200,
        generations=20,
        replicates=3,
        seed=5,
    )
    assert Spec.from_toml(tmp_path / "run" / "spec.toml") == expected
    assert read_run(tmp_path / "run")["label"].values.tolist() == ["the", "of", "and"]


@pytest.mark.parametrize(
    ("flags", "regime"),
    [
        (["accumulate"], tailbiter.Accumulate()),
        (["accumulate-subsample", "--draw", "50"], tailbiter.AccumulateSubsample(draw=50)),
        (["window", "--window", "3"], tailbiter.Window(3)),
        (["real_only"], tailbiter.RealOnly()),
        (["anchored", "--real-count", "7"], tailbiter.Anchored(real_count=7)),
        (
            ["anchored", "--real", "0.1", "--source", "hoard", "--hoard", "40"],
            tailbiter.Anchored(real=0.1, source="hoard", hoard=40),
        ),
    ],
)
def test_every_regime_has_its_flags(flags: list[str], regime: object, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    where = [str(tmp_path / "spec.toml"), "--quiet", "--out", str(tmp_path / "run")]
    assert main(["run", *where, "--regime", *flags]) == 0
    assert Spec.from_toml(tmp_path / "run" / "spec.toml").regime == regime


def test_a_spec_file_and_its_record_are_run_and_flags_change_them(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    out = tmp_path / "run"
    assert main(["run", str(tmp_path / "spec.toml"), "--replicates", "3", "--quiet", "--out", str(out)]) == 0
    ds = read_run(out)
    assert (ds.sizes["replicate"], ds.sizes["generation"]) == (3, 6)
    assert set(ds.data_vars) == {"survivors", "entropy", "forgotten"}
    # What was written runs again, to the same bits.
    again = tmp_path / "again"
    assert main(["run", str(out / "spec.toml"), "--quiet", "--out", str(again)]) == 0
    assert read_run(again).equals(ds)
    assert Record.from_toml(again / "spec.toml") == Record.from_toml(out / "spec.toml")


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["tailbiter"] == tailbiter.__version__
    assert facts["isa_chosen"] in facts["isa_found"]
    assert facts["numpy"] == np.__version__
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in facts)


def test_a_column_called_by_a_number_is_found_by_name_or_else_by_place(tmp_path: Path) -> None:
    (tmp_path / "years.csv").write_text("word,2019,2020\nthe,60,7\nof,30,5\n")
    for column, counts in (("2020", [7, 5]), ("2", [7, 5]), ("2019", [60, 30])):
        where = [
            "--counts",
            str(tmp_path / "years.csv"),
            "--counts-column",
            column,
            "--labels-column",
            "word",
        ]
        assert main(["run", *where, *SMALL, "--quiet", "--out", str(tmp_path / column)]) == 0
        read = Spec.from_toml(tmp_path / column / "spec.toml").reference
        assert (read.counts.tolist(), read.labels.tolist()) == (counts, ["the", "of"])


def test_one_is_singular(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(SPEC.replace("categories = 8", "categories = 1"))
    sizes = ["--samples", "1", "--generations", "1", "--replicates", "1"]
    assert main(["run", str(tmp_path / "spec.toml"), *sizes]) == 0
    head = capsys.readouterr().out.splitlines()[0]
    assert head.startswith("1 category, 1 sample, regime replace, 1 generation, 1 replicate, seed 1851: ")
    assert " s on 1 thread (" in head


@pytest.mark.parametrize("verb", ["run", "info"])
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert f"Example: tailbiter {verb}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == tailbiter.__version__


# As processes.


def test_the_module_is_the_command() -> None:
    done = subprocess.run([*COMMAND, "run", "--smaples", "3"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_is_no_error() -> None:
    child = subprocess.Popen([*COMMAND, "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.close()
    assert child.wait(60) == 0
    assert child.stderr.read() == ""
    child.stderr.close()


@pytest.mark.parametrize("verb", ["run", "info"])
def test_an_instruction_set_that_is_not_there(verb: str) -> None:
    environment = {**os.environ, "TAILBITER_ISA": "foo"}
    done = subprocess.run([*COMMAND, verb], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: TAILBITER_ISA: 'foo'")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_behind_the_output() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "info"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: standard output: No space left on device\n")


# Presses Ctrl-C, so to say, when a module is imported; then runs the command line.
PRESSED = """
import signal, sys
module = sys.argv.pop(1)
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Press())
from tailbiter.__main__ import command
sys.exit(command())
"""


@pytest.mark.parametrize(
    "module", ["cyclopts", "tailbiter.errors", "pandas.core.api", "xarray", "matplotlib"]
)
def test_ctrl_c_during_an_import_is_not_lost(module: str, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("word,count\nthe,60\nof,30\n")
    arguments = ["run", "--counts", "words.csv", *SMALL, "--out", "run"]
    done = subprocess.run(
        [sys.executable, "-c", PRESSED, module, *arguments],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted: nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["words.csv"]


LONG = ["run", "--generations", "1e6", "--samples", "1e9", "--regime", "anchored", "--real", "0.5"]


def test_ctrl_c_ends_a_run_within_a_second_and_writes_nothing(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    child = subprocess.Popen(
        [*COMMAND, *LONG, "--out", str(tmp_path / "run")], stdout=subprocess.PIPE, stderr=end
    )
    os.close(end)
    try:
        _read_until(terminal, b"gen/s")  # the progress bar counts: the engine's threads are at work
        pressed = time.monotonic()
        child.send_signal(signal.SIGINT)
        _read_until(terminal, b"interrupted: nothing was written")
        assert time.monotonic() - pressed < 1
        assert child.wait(60) == 130
    finally:
        child.kill()
        assert child.communicate()[0] == b""
        os.close(terminal)
    assert list(tmp_path.iterdir()) == []


def _read_until(terminal: int, text: bytes) -> None:
    """Read what a child shows on its terminal, for a minute at most."""
    deadline = time.monotonic() + 60
    shown = b""
    while text not in shown:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], shown
        shown += os.read(terminal, 4096)

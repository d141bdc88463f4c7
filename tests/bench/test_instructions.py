# SPDX-License-Identifier: MIT
"""The gate on instructions fails when runs take more of them, and says so when it can not judge."""

import subprocess
from pathlib import Path

import pytest

from bench import instructions

FIGURES = {"avx2": {"sweep": 1_000_000, "replace": 2_000_000}}


def counts(sweep, replace=2_000_000):
    return {"avx2": {"sweep": sweep, "replace": replace}}


@pytest.mark.parametrize("sweep", [970_001, 1_000_000, 1_029_999])
def test_within_the_margin_nothing_is_said(sweep):
    assert instructions.changed(counts(sweep), FIGURES) == []


@pytest.mark.parametrize(("sweep", "more"), [(1_031_000, "+3.1%"), (2_000_000, "+100.0%")])
def test_more_than_the_margin_fails(sweep, more, capsys):
    assert instructions.verdict("gcc 1", counts(sweep), {"gcc 1": FIGURES}) == 1
    said = capsys.readouterr().out
    assert f"error: sweep with avx2 takes {more} instructions" in said
    assert "error: replace" not in said


@pytest.mark.parametrize(("sweep", "fewer"), [(969_000, "-3.1%"), (500_000, "-50.0%")])
def test_fewer_than_the_margin_fails_until_the_figures_are_written(sweep, fewer, capsys):
    assert instructions.verdict("gcc 1", counts(sweep), {"gcc 1": FIGURES}) == 1
    said = capsys.readouterr().out
    assert (
        f"error: sweep with avx2 takes {fewer} instructions: keep what is won, write the new figures" in said
    )
    assert "error: replace" not in said


def test_a_workload_without_a_figure_fails():
    (said,) = instructions.changed({"plain": {"new": 1}}, FIGURES)
    assert said.startswith("new with plain has no figure: write the new figures")


@pytest.mark.parametrize(
    ("require", "status", "word"), [(False, 0, "nothing is judged"), (True, 1, "error:")]
)
def test_another_compiler_is_not_judged_which_may_be_a_failure(require, status, word, capsys):
    assert instructions.verdict("gcc 2", counts(9_000_000), {"gcc 1": FIGURES}, require) == status
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(word)
    assert "no figures for gcc 2 (there are: gcc 1): write the new figures" in last


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--require"], 1)])
def test_without_valgrind_nothing_is_counted_which_may_be_a_failure(options, status, monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert instructions.main(options) == status
    (said,) = capsys.readouterr().out.splitlines()
    assert "no valgrind here: install it" in said
    assert said.startswith("error: ") == bool(status)


def callgrind(monkeypatch, **status):
    """A valgrind under which these instruction sets end with these statuses, the others with 0."""

    def run(command, **_):
        code = status.get(command[-3], 0)
        return subprocess.CompletedProcess(
            command, code, "gcc 1", "first\nIllegal instruction\n" if code else ""
        )

    monkeypatch.setattr(subprocess, "run", run)


def test_an_instruction_set_that_valgrind_lacks_is_left_out_and_told(monkeypatch, capsys):
    callgrind(monkeypatch, avx2=instructions.LACKING)
    assert instructions.runnable(Path("program")) == ["plain"]
    assert capsys.readouterr().out == "avx2 is not counted: the processor that valgrind shows here lacks it\n"


@pytest.mark.parametrize("status", [-4, 1, 2, 132])
def test_a_crash_is_not_taken_for_a_lacking_instruction_set(status, monkeypatch):
    callgrind(monkeypatch, avx2=status)
    with pytest.raises(
        instructions.Unfit, match=rf"sweep with avx2 failed .* status {status}: Illegal instr"
    ):
        instructions.runnable(Path("program"))


def test_what_cannot_be_counted_is_one_line(monkeypatch, capsys):
    def broken(folder):
        raise instructions.Unfit("why")

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr(instructions, "build", broken)
    assert instructions.main([]) == 1
    assert capsys.readouterr().out == "error: why\n"


def counter(per_run):
    return lambda program, isa, workload, times=1: ("gcc 1", per_run(times))


@pytest.mark.parametrize("isas", [["avx2", "plain"], ["plain"]])
def test_every_workload_is_counted_for_every_instruction_set(isas, monkeypatch):
    monkeypatch.setattr(instructions, "count", counter(lambda times: 1000 * times))
    monkeypatch.setattr(instructions, "runnable", lambda program: isas)
    compiler, found = instructions.count_all("program")
    assert compiler == "gcc 1"
    assert found == {isa: dict.fromkeys(instructions.WORKLOADS, 1000) for isa in isas}


def test_a_gate_that_does_not_see_twice_the_work_is_refused(monkeypatch):
    monkeypatch.setattr(instructions, "count", counter(lambda times: 1000))
    monkeypatch.setattr(instructions, "runnable", lambda program: ["plain"])
    with pytest.raises(instructions.Unfit, match="run twice"):
        instructions.count_all("program")


def test_committed_figures_are_complete():
    import json

    known = json.loads(instructions.FIGURES.read_text(encoding="utf-8"))
    assert known
    for figures in known.values():
        assert {isa: set(each) for isa, each in figures.items()} == {
            isa: set(instructions.WORKLOADS) for isa in instructions.ISAS
        }

# SPDX-License-Identifier: MIT
"""The gate on instructions fails when runs take more of them, and says so when it can not judge."""

import pytest

from bench import instructions

FIGURES = {"avx2": {"sweep": 1_000_000, "replace": 2_000_000}}


def counts(sweep, replace=2_000_000):
    return {"avx2": {"sweep": sweep, "replace": replace}}


@pytest.mark.parametrize("sweep", [500_000, 1_000_000, 1_029_999])
def test_within_the_margin_nothing_is_said(sweep):
    assert instructions.grown(counts(sweep), FIGURES) == []


@pytest.mark.parametrize(("sweep", "more"), [(1_031_000, "+3.1%"), (2_000_000, "+100.0%")])
def test_more_than_the_margin_fails(sweep, more, capsys):
    assert instructions.verdict("gcc 1", counts(sweep), {"gcc 1": FIGURES}) == 1
    said = capsys.readouterr().out
    assert f"error: sweep with avx2 takes {more} instructions" in said
    assert "error: replace" not in said


def test_a_workload_without_a_figure_fails():
    assert instructions.grown({"plain": {"new": 1}}, FIGURES) == ["new with plain has no figure: write them"]


def test_another_compiler_is_not_judged(capsys):
    assert instructions.verdict("gcc 2", counts(9_000_000), {"gcc 1": FIGURES}) == 0
    assert "no figures for gcc 2 (there are: gcc 1): nothing is judged" in capsys.readouterr().out


def test_without_valgrind_nothing_is_counted(monkeypatch, capsys):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert instructions.main([]) == 0
    assert "no valgrind here" in capsys.readouterr().out


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

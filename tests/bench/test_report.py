# SPDX-License-Identifier: MIT
"""The tables say what was measured, and who missed a bar."""

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from bench import cli, machine, report, sides
from bench.families import FAMILIES
from bench.timing import Ratio, clock, one_processor, take_turns
from bench.workloads import WORKLOADS, by_name
from tailbiter.simulate import default_threads

RESULT = {
    "name": "replace-1e5",
    "title": "replace, K=N=1e5",
    "judged": True,
    "sides": {
        "tailbiter": {
            "replicates": 16,
            "seconds": 0.005,
            "cpu_seconds": 0.005,
            "cpu_share": 0.99,
            "all": [0.005],
        },
        "numpy_naive": {"replicates": 1, "seconds": 3.0, "cpu_share": 0.5, "all": [3.0]},
        "numba_compacted": {"replicates": 2, "seconds": 0.05, "cpu_share": 1.0, "all": [0.05]},
    },
    "ratios": {
        "numpy_naive": {
            "median": 600.0,
            "least": 580.0,
            "greatest": 620.0,
            "by_cpu": 610.0,
            "bar": {"avx512": 550, "avx2": 340, "aim": 1000},
        },
        "numba_compacted": {"median": 10.0, "least": 9.0, "greatest": 11.0, "by_cpu": 10.5, "bar": None},
    },
    "work": {"survivor_generations": 9e5, "human_draws": 1e5, "most_survivors": 45_000},
    "api": {"median": 1.2, "bar": 1.1},
    "threads": {"median": 1.9, "bar": 1.85},
    "memory": {"held": 2_000_000, "rise": 2_100_000, "shared": 3_000_000, "ratio": 2.5, "bar": 3.0},
    "floors": {"rng": 0.5, "gather": 1.0},
}


def line_of(table, word):
    return next(line for line in table.splitlines() if word in line)


def test_ratios_stand_beside_bar_and_aim():
    line = line_of(report.ratios([RESULT], "avx512"), "numpy_naive")
    for cell in ("5 ms", "3 s", "600.0x", "(580.0..620.0)", "610.0x", "550x", "1000x", "bar met"):
        assert cell in line


def test_a_side_without_a_bar_is_not_judged():
    line = line_of(report.ratios([RESULT], "avx512"), "numba_compacted")
    assert line.split()[-2:] == ["-", "-"]


def test_other_instruction_sets_have_other_bars():
    assert "340x" in line_of(report.ratios([RESULT], "avx2"), "numpy_naive")
    assert "340x" not in report.ratios([RESULT], "plain")


@pytest.mark.parametrize(
    ("ratio", "least", "aim", "said"),
    [
        (5, 10, 20, "BELOW"),
        (10, 10, 20, "bar met"),
        (20, 10, 20, "aim met"),
        (5, None, 20, ""),
        (5, None, None, ""),
    ],
)
def test_verdicts(ratio, least, aim, said):
    assert report.verdict(ratio, least, aim) == said


def test_costs_show_floors_and_missed_limits():
    line = line_of(report.costs([RESULT]), "replace-1e5")
    for cell in (
        "1e+06",
        "5.00",
        "1.20 (<=1.1: MISSED)",
        "1.90 (>=1.85)",
        "2.50 (<=3)",
        "500 us",
        "1 ms",
    ):
        assert cell in line


def test_tiny_sizes_are_not_judged():
    line = line_of(report.costs([{**RESULT, "judged": False}]), "replace-1e5")
    assert "1.20  " in line
    assert "MISSED" not in line


def test_without_a_second_processor_there_is_no_speedup():
    line = line_of(report.costs([{**RESULT, "threads": {"median": None, "bar": 1.85}}]), "replace-1e5")
    assert "1.85" not in line


def test_a_side_that_waited_for_a_processor_is_named():
    assert report.busy([RESULT]) == ["replace-1e5: numpy_naive had a processor 50 % of the time"]


def test_columns_line_up():
    table = report.ratios([RESULT], "avx512").splitlines()
    column = table[0].index("ratio")
    assert all(line[column - 1] == " " and line[column] != " " for line in table)


def test_widths_have_a_column_each():
    slow = {**RESULT, "sides": {"tailbiter": {"seconds": 0.5}}}
    reports = {"avx2": RESULT, "plain": slow}
    table = report.widths({isa: {"workloads": [one], "families": []} for isa, one in reports.items()})
    assert line_of(table, "replace-1e5").split() == ["replace-1e5", "5", "ms", "500", "ms"]


def test_sides_take_turns():
    calls = []
    others = {name: lambda turn, name=name: calls.append((name, turn)) for name in ("b", "c")}
    pairs = take_turns(lambda turn: calls.append(("a", turn)), others, 2)
    assert calls == [(name, turn) for turn in (0, 1) for name in ("a", "b", "a", "c")]
    assert [len(each) for each in pairs.values()] == [2, 2]


def test_clock_tells_waiting_from_working():
    import time

    sample = clock(time.sleep, 0.05)
    assert sample.wall >= 0.05
    assert sample.cpu < 0.04


def test_ratios_are_of_neighbours():
    assert Ratio.of([10.0, 30.0, 20.0], [1.0, 2.0, 1.0]) == Ratio(15.0, 10.0, 20.0)


def test_workloads_are_found_by_name_and_bars_are_in_order():
    for workload in WORKLOADS:
        assert by_name(workload.name) is workload
        assert workload.bars.keys() <= workload.others.keys()
        assert workload.replicates >= 16
        for bar in workload.bars.values():
            assert all(low <= high for low, high in pairwise((bar.avx2, bar.avx512, bar.aim)))


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_the_tail_is_as_large_as_allowed(workload):
    q, start = workload.reference(), workload.tail_start()
    assert q[start:].sum() <= workload.tail_mass < q[start - 1 :].sum()


def test_families_have_rows_of_their_own():
    rows = FAMILIES["gaussian"](1, tiny=True)
    assert [row["name"] for row in rows] == ["gaussian-d1-n1e3", "gaussian-d1-n1e6", "gaussian-d10-n1e3"]
    for row in rows:
        line = line_of(report.ratios([row], "avx512"), row["name"])
        assert line.split()[1] == "numpy"
        assert line.endswith("-    -")
        assert row["ratios"]["numpy"]["by_cpu"] > 1.0


def test_what_is_not_installed_is_left_out_and_the_table_says_why(monkeypatch, capsys):
    monkeypatch.setattr(sides, "MISSING", {})
    assert sides.present(["simupop", "numpy_naive"]) == ["simupop", "numpy_naive"]
    monkeypatch.setattr(sides, "MISSING", {"simupop": "it is not there"})
    assert sides.present(["simupop", "numpy_naive"]) == ["numpy_naive"]
    made = {"machine": machine.facts(), "workloads": [], "families": [], "missing": sides.MISSING}
    cli._emit(made | {"families": FAMILIES["gaussian"](1, tiny=True)}, None)
    said = capsys.readouterr().out
    assert "left out: simupop, as it is not there" in said
    assert f"a random word {made['machine']['floors']['rng']:.2f} ns" in said


def test_help_names_every_other_bench(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = re.findall(r"^  python -m bench\.(\w+)  ", capsys.readouterr().out, re.MULTILINE)
    commands = [
        path for path in Path(cli.__file__).parent.glob("*.py") if "ArgumentParser(" in path.read_text()
    ]
    assert {*told, "cli"} == {path.stem for path in commands}


def test_one_processor_and_then_all_of_them_again():
    before, seen = default_threads(), []

    def fail():
        seen.append(default_threads())
        raise ArithmeticError

    with pytest.raises(ArithmeticError), one_processor():
        fail()
    assert seen == [1 if hasattr(os, "sched_setaffinity") else before]
    assert default_threads() == before

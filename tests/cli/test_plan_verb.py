# SPDX-License-Identifier: MIT
"""plan on the command line: what it prints, what a Spec file may ask, and how it exits."""

import json
from pathlib import Path

import pytest

import tailbiter as tb
from tailbiter.cli import main

SPEC = """
samples = 60
generations = 12
[reference]
kind = "zipf"
categories = 30
[plan]
vary = "regime.real_count"
keep = 0.8
at_least = 2
probability = "mean"
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_a_file_asks(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(spec)]) == 0
    printed = capsys.readouterr().out
    found = tb.plan(
        tb.Spec.from_toml(spec), "regime.real_count", tb.Target(keep=0.8, at_least=2, probability=None)
    )
    assert printed == found.text() + "\n"
    assert printed.startswith(
        "To keep 80 % of the categories expected at least 2 times for 12 generations on"
    )


def test_flags_come_before_the_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--vary", "regime.real", "--keep", "0.7", "--generations", "9", "--between", "0.1", "1"]
    assert main(["plan", str(spec), *flags, "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    found = tb.plan(
        tb.Spec.from_toml(spec).replace(generations=9),
        "regime.real",
        tb.Target(keep=0.7, at_least=2, probability=None),
        between=(0.1, 1),
    )
    assert out == json.loads(json.dumps(found.to_dict()))
    assert (out["value"], out["kind"]) == (found.value, "exact")
    assert out["rows"][0]["kept"] is None or out["rows"][0]["replicates"] > 0


def test_probability_by_flag(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--probability", "0.8", "--most", "512", "--tolerance", "0.5", "--confidence", "0.9"]
    assert main(["plan", str(spec), *flags, "--threads", "1"]) == 0
    assert "Simulated, 90 % sure: too little is kept at" in capsys.readouterr().out


def test_across_another_field(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(spec), "--across", "samples=20,60", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    target = tb.Target(keep=0.8, at_least=2, probability=None)
    ds = tb.phase(tb.Spec.from_toml(spec), {"samples": [20, 60]}, "regime.real_count", target)
    assert [row["boundary"] for row in out["rows"]] == ds.boundary.values.tolist()
    spec.write_text(SPEC + "across.samples = [20, 60]\n", encoding="utf-8")
    assert main(["plan", str(spec)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("regime.real_count, to keep 80 % of the categories expected at least 2 times")
    assert lines[2].split() == ["samples", "boundary", "boundary_low", "boundary_high", "phase", "kind"]
    assert [line.split()[0] for line in lines[3:]] == ["20", "60"]


def test_quiet_prints_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(spec), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_the_file_can_still_be_run(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(spec)]) == 0
    assert "survivors" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--keep", "2"], "error: --keep: 2.0 is outside (0, 1]; give a share such as 0.9"),
        (
            ["--vary", "sampels"],
            "error: --vary: 'sampels' is not a field of this Spec; did you mean 'samples'?",
        ),
        (["--at-least", "1e4"], "error: --at-least: 10000.0 leaves no category"),
        (["--mean", "--probability", "0.5"], "error: --probability: 0.5 cannot stand beside --mean"),
        (["--generations", "0"], "error: --generations: 0 is outside"),
        (["--between", "1", "0"], "error: --between: [1.0, 0.0] is the wrong way round"),
        (
            ["--across", "samples"],
            "error: --across: 'samples' is not a field and its numbers; write --across",
        ),
        (["--keep", "1"], "error: --keep: 1.0 cannot be reached: with regime.real_count at 60"),
    ],
)
def test_bad_flags_are_one_line(
    spec: Path, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(spec), *flags]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1


def test_keep_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 2
    assert capsys.readouterr().err == "error: --keep: None is missing; say how much to keep: --keep 0.9\n"


def test_unknown_keys_of_a_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(SPEC.replace("at_least", "at_leats"), encoding="utf-8")
    assert main(["plan", str(spec)]) == 2
    assert "plan: 'at_leats' is not a known key; did you mean 'at_least'?" in capsys.readouterr().err

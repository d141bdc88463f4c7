# SPDX-License-Identifier: MIT
"""predict and verify on the command line: what they print, and how they exit."""

import json
import sys
from pathlib import Path

import pytest

import tailbiter as tb
from tailbiter.cli import main

SPEC = """
samples = 40
generations = 6
replicates = 4
[reference]
kind = "zipf"
categories = 12
[regime]
kind = "{regime}"
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.format(regime="replace"), encoding="utf-8")
    return path


def test_predict_prints_a_table_and_what_is_not_known(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(spec)]) == 0
    printed = capsys.readouterr().out
    assert printed.split()[0] == "generation"
    assert "Exact: survivors" in printed
    assert "Not known: largest_share: record.variables: 'largest_share' has" in printed


def test_predict_tells_a_reason_once_of_all_it_holds_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--samples", "2e5", "--generations", "2"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Not known")]
    names = [line.split(": ")[1] for line in told]
    assert names[0] == "entropy, kl, total_variation"
    assert names[1].startswith("largest_share, ")
    assert "record.variables: each has no law of its own" in told[1]
    assert len(told) == 2


def test_predict_as_json_holds_every_variable(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(spec), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    th = tb.predict(tb.Spec.from_toml(spec))
    assert out["digest"] == tb.Spec.from_toml(spec).digest()
    assert out["variables"].keys() == set(th.variables)
    assert out["variables"]["survivors"]["values"] == th.survivors.values.tolist()
    assert out["variables"]["survivors"]["kind"] == "exact"
    assert out["variables"]["band_hi"]["values"][-1] is None or out["variables"]["band_hi"]["values"][-1] > 0


def test_flags_are_those_of_run(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["predict", str(spec), "--generations", "3", "--regime", "anchored", "--real", "0.1", "--json"])
        == 0
    )
    out = json.loads(capsys.readouterr().out)
    assert out["variables"]["generation"]["values"] == [0, 1, 2, 3]


def test_verify_agrees(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(spec), "--rate", "1e-9"]) == 0
    printed = capsys.readouterr().out
    assert printed.split()[0] == "variable"
    assert "agree (rate of false alarms: 1e-09)" in printed


def test_verify_exits_with_1_where_they_part(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(described: tb.Spec, **arguments: object) -> object:
        return tb.simulate(described.replace(samples=20), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", wrong)
    assert main(["verify", str(spec), "--replicates", "2000", "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    assert out["agrees"] is False
    assert {row["verdict"] for row in out["rows"]} >= {"parts"}
    assert out["replicates"] == 2000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--rate", "2"], "error: --rate: 2.0 is outside [1e-300, 0.5]; give a chance"),
        (["verify", "--replicates", "1"], "error: --replicates: 1 is outside 2 to"),
        (["predict", "--real", "0.1"], "error: --real: 0.1 needs a regime; add --regime anchored"),
        (["predict", "nowhere.toml"], "error: "),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)
    assert captured.err.count("\n") == 1


def test_json_of_what_theory_does_not_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "window.toml"
    path.write_text(SPEC.format(regime="window") + "k = 2\n", encoding="utf-8")
    assert main(["predict", str(path), "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out["survivors"].startswith("regime.k: 2 has no known law of presence")


@pytest.mark.parametrize(
    ("regime", "named"),
    [
        ("accumulate", "regime: 'accumulate' has no known law of presence"),
        ("mix", "regime.ages: (1.0, 0.5) have no known law of presence"),
    ],
)
def test_what_rules_a_law_out_is_what_was_given(
    regime: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "past.toml"
    more = "ages = [1.0, 0.5]\n" if regime == "mix" else ""
    path.write_text(SPEC.format(regime=regime) + more, encoding="utf-8")
    assert main(["predict", str(path), "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out["survivors_output"].startswith(named)

# SPDX-License-Identifier: MIT
"""Laws fitted to a table of numbers on the command line are those that Python fits."""

import json
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.cli import main

RUN = ["--generations", "6", "--replicates", "3", "--quiet"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    rows = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(9, 1, (30, 2))]).round(3)
    lines = [f"{a},{b},{'x' if a < 5 else 'y'}" for a, b in rows.tolist()]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["left,right,name", *lines]) + "\n", encoding="utf-8")
    return path


def spec_of(flags: list[str], table: Path, folder: Path) -> tb.Spec:
    assert main(["run", "--table", str(table), *flags, *RUN, "--out", str(folder / "run")]) == 0
    return tb.Spec.from_toml(folder / "run" / "spec.toml")


def test_without_components_one_gaussian_with_as_many_samples_as_rows(table: Path, tmp_path: Path) -> None:
    found = spec_of([], table, tmp_path)
    reference = tb.Gaussian.fit(table, ["left", "right"])
    assert found == tb.Spec(reference=reference, samples=90, generations=6, replicates=3)


@pytest.mark.parametrize(
    ("flags", "columns", "fit"),
    [
        (["--components", "3"], None, {"components": 3}),
        (["--components", "2", "--covariance", "tied"], None, {"components": 2, "covariance": "tied"}),
        (["--components", "2", "--columns", "right"], "right", {"components": 2}),
        (["--components", "2", "--columns", "1, left"], [1, "left"], {"components": 2}),
        (["--components", "auto"], None, {"components": range(1, 9)}),
    ],
)
def test_a_mixture_is_the_one_that_python_fits(flags, columns, fit, table: Path, tmp_path: Path) -> None:
    found = spec_of([*flags, "--samples", "50"], table, tmp_path)
    reference = tb.GaussianMixture.fit(table, columns, **fit)
    assert found == tb.Spec(reference=reference, samples=50, generations=6, replicates=3)


def test_auto_finds_the_two_clusters(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--table", str(table), "--components", "auto", *RUN[:-1], "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert summary["reference_weights"] == pytest.approx([2 / 3, 1 / 3], abs=1e-3)


def test_a_prediction_shows_the_rarest_component(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--table", str(table), "--components", "2", "--generations", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["generation", "components_alive", "weight", "of", "component", "1", "+-"]
    # sqrt(1/3 2/3 (1 - (1 - 1/90)^4)) = .0986
    assert lines[5].split() == ["4", "2", "33.3", "%", "9.9", "%"]
    assert "In a limit only: weights, components_alive." in lines


@pytest.mark.parametrize("verb", ["predict", "verify"])
def test_predict_and_verify_take_a_table(verb: str, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--table", str(table), "--generations", "4", "--replicates", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["digest"] == tb.Spec(reference=tb.Gaussian.fit(table), samples=90).digest()

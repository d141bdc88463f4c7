# SPDX-License-Identifier: MIT
"""Every block of docs/mixtures.md runs, and its tables say what comes out."""

import contextlib
import csv
import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tailbiter.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "mixtures.md").read_text(encoding="utf-8")


def rows(first: str) -> list[list[str]]:
    """Cells of the table rows that begin so."""
    found = re.findall(rf"^\| {first}[^|]*\|(.*)\|$", PAGE, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in found]


@pytest.fixture(scope="module")
def names() -> dict:
    out: dict = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for text in re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
            exec(compile(text, "docs/mixtures.md", "exec"), out)
    return {**out, "printed": printed.getvalue()}


def test_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with Path("irises.csv").open("w", encoding="utf-8", newline="") as file:
        header = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
        csv.writer(file).writerows([header, *load_iris().data.tolist()])
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            command, *arguments = shlex.split(line)
            assert (command, main(arguments)) == ("tailbiter", 0)
    assert "2 components in 4 dimensions, 150 samples, regime anchored" in capsys.readouterr().out


@pytest.mark.slow
def test_weights_of_the_minority(names):
    for regime, weight in names["minority"].items():
        low, high = np.quantile(weight.values, [0.1, 0.9], axis=0)
        dead = (weight.values == 0).sum(axis=0)
        cells = [
            f"{a:.2f} to {b:.2f}" + (f", {n} dead" if n else "")
            for a, b, n in zip(low, high, dead, strict=True)
        ]
        assert cells[1:] == rows(regime)[0]


def printed(names: dict, regime: str) -> list[list[float]]:
    """Numbers of the lines that blocks printed about a regime: theory, coverage, held-out data."""
    lines = re.findall(rf"^{regime}:? (.*)$", names["printed"], flags=re.MULTILINE)
    return [[float(number) for number in re.findall(r"-?\d+\.\d*", line)] for line in lines]


@pytest.mark.slow
def test_what_the_blocks_print(names):
    """Theory is near: within a third, where 32 lineages know a standard deviation to an eighth."""
    for regime in names["regimes"]:
        (expected, seen), shares, likelihoods = printed(names, regime)
        assert abs(seen / expected - 1) < 1 / 3
        covered, outside = shares[:3], shares[3:]
        assert [f"{a:.2f}, {b:.2f}" for a, b in zip(covered, outside, strict=True)] == rows(regime)[1]
        assert [f"{value:.1f}" for value in likelihoods] == rows(regime)[2]

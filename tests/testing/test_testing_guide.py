# SPDX-License-Identifier: MIT
"""The guide runs, from its first block to its last, and prints what it shows."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"


def blocks(language: str) -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_every_block_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    source = blocks("python")
    assert len(source) >= 8
    for block in source:
        exec(compile(block, str(GUIDE), "exec"), names)
    printed = capsys.readouterr().out
    (shown,) = blocks("text")
    assert shown.strip() in printed.splitlines()
    assert names["power"] > 0.999


def test_the_title_is_true() -> None:
    assert len([line for line in blocks("python")[0].splitlines() if line]) <= 10

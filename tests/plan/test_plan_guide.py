# SPDX-License-Identifier: MIT
"""Every block of docs/plan.md does what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from tailbiter.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_block_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {}
    shown: list[str] = []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        if language == "toml":
            Path("words.toml").write_text(text, encoding="utf-8")
        elif language == "sh":
            command, *arguments = shlex.split(text)
            assert (command, main(arguments)) == ("tailbiter", 0)
        elif language == "text":
            shown += text.splitlines()
        else:
            exec(compile(text, "docs/plan.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert shown
    assert [line for line in shown if printed.count(line) != 2] == []  # the command's and Python's

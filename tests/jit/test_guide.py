# SPDX-License-Identifier: MIT
"""Every block of docs/your-own-family.md does what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from tailbiter.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "your-own-family.md"


@pytest.mark.slow
def test_every_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict = {}
    text = PAGE.read_text(encoding="utf-8")
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        if language == "toml":
            Path("waiting.toml").write_text(block, encoding="utf-8")
        elif language == "sh":
            command, *arguments = shlex.split(block)
            assert (command, main(arguments)) == ("tailbiter", 0)
        elif block.startswith("# my_family.py"):
            Path("my_family.py").write_text(block, encoding="utf-8")
        else:
            exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "2 components of waiting, 500 samples, regime anchored" in printed
    assert "reference.laws.log_density: 'broken' does not compile: No implementation of" in printed

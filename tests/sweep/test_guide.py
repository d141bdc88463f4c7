# SPDX-License-Identifier: MIT
"""Every block of docs/sweeps.md does what the page says."""

import re
import shlex
from pathlib import Path

import tailbiter as tb
from tailbiter.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")


def test_every_block_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        if language == "toml":
            Path("shares.toml").write_text(text, encoding="utf-8")
        elif language == "sh":
            for line in text.splitlines():
                command, *arguments = shlex.split(line)
                assert (command, main(arguments)) == ("tailbiter", 0)
        else:
            exec(compile(text, "docs/sweeps.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "20 of 20 cells done, 0 missing" in printed
    assert "regime.real" in printed  # DuckDB's table
    assert Path("shares.nc").stat().st_size > 10_000
    assert len(tb.sweep_table("shares.toml".removesuffix(".toml"))) == 20 * 8 * 200

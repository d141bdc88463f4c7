# SPDX-License-Identifier: MIT
"""Every example runs: the docstrings', and the README's."""

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import pytest

import tailbiter
from tailbiter.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
MODULES = sorted(found.name for found in pkgutil.walk_packages(tailbiter.__path__, "tailbiter."))
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", ["tailbiter", *MODULES])
def test_docstring_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # an example may write files
    assert doctest.testmod(importlib.import_module(name), optionflags=OPTIONS).failed == 0


def test_there_are_docstring_examples() -> None:
    finder = doctest.DocTestFinder()
    tests = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(tests) >= 10


def fenced(language: str, page: Path = README) -> list[str]:
    """Blocks of this language in a page."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.mark.parametrize(
    "page", [ROOT / "docs" / name for name in ("theory.md", "judgement.md")], ids=lambda page: page.name
)
def test_pages_run_from_their_first_block_to_their_last(page: Path) -> None:
    names: dict[str, object] = {}
    assert fenced("python", page)
    for block in fenced("python", page):
        exec(compile(block, str(page), "exec"), names)


def test_readme_python(capsys: pytest.CaptureFixture[str]) -> None:
    for block in fenced("python"):
        exec(compile(block, str(README), "exec"), {})
    assert "survivors" in capsys.readouterr().out


def test_readme_commands_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(fenced("sh")).replace("\\\n", "").splitlines()
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("tailbiter ")]
    assert commands
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "src" / "tailbiter" / "data" / "languages.csv", tmp_path / "words.csv")
    first = ["run"]  # follows an installation on its line
    assert [main(command) for command in [first, *commands]] == [0] * (1 + len(commands))
    printed = capsys.readouterr().out.splitlines()
    shown = [line for block in fenced("text") for line in block.splitlines()]
    assert [line for line in shown if line not in printed] == []

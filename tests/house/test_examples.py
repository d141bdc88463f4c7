# SPDX-License-Identifier: MIT
"""Every example runs: the docstrings', and the README's."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import tailbiter

README = Path(__file__).resolve().parents[2] / "README.md"
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


def test_readme_example(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert blocks
    for block in blocks:
        exec(compile(block, str(README), "exec"), {})  # the README is ours
    assert "survivors" in capsys.readouterr().out

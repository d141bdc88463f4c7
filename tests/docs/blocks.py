# SPDX-License-Identifier: MIT
"""Blocks of code of a page: found, and run in order as a reader would."""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tailbiter import Spec

ROOT = Path(__file__).resolve().parents[2]
SHELL = ("sh", "console", "bash", "shell")
# Commands that no test types, each with the reason; a block's other lines run.
NOT_TYPED = {
    "pip install": "installs; test_newcomer.py and continuous integration type it",
    "pytest": "this test among others",
    ".ci/run": "runs this test among others",
    "dask scheduler": "stays until it is stopped, on a machine of the cluster",
    "dask worker": "stays until it is stopped, on a machine of the cluster",
}


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page that people read."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, those inside of lists too."""
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [Block(language, textwrap.dedent(text)) for _, language, text in found]


def typed(block: Block) -> str:
    """What of a block of the shell is typed in a test."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return "\n".join(line for line in lines if not line.startswith(tuple(NOT_TYPED)))


class Reader:
    """Somebody who does what a page says, from its first block to its last, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {}
        self.functions: list[str] = []
        self.printed = ""
        (folder / "src").symlink_to(ROOT / "src")
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / "bin").mkdir()
        self._command("tailbiter", "-m tailbiter")
        self._command("python", "")

    def _command(self, name: str, more: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {more} "$@"\n', encoding="utf-8")
        path.chmod(0o755)

    def follow(self, page: Path) -> None:
        """Run all blocks."""
        for block in blocks(page):
            if named := re.match(r"# ([\w.-]+\.(?:toml|csv|py))\b.*\n", block.text):
                # A table has no comments.
                text = block.text[named.end() :] if named[1].endswith(".csv") else block.text
                (self.folder / named[1]).write_text(text, encoding="utf-8")
            elif block.language in SHELL:
                self._type(typed(block))
            elif block.language == "python":
                self._run(block.text, page.name)
            elif block.language == "toml":
                self._complete(block.text)
            elif block.language == "text":
                self._compare(block.text)

    def _type(self, text: str) -> None:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        # The package under test, whatever else is installed.
        python = os.pathsep.join(filter(None, (str(self.folder), *sys.path)))
        environment = os.environ | {"PATH": path, "PYTHONPATH": python, "MPLBACKEND": "agg"}
        command = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        self.printed += done.stdout

    def _run(self, text: str, name: str) -> None:
        parts = ast.parse(text).body
        self.functions += [ast.unparse(part) for part in parts if isinstance(part, ast.FunctionDef)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, name, "exec"), self.names)
        self.printed += out.getvalue()

    def _complete(self, text: str) -> None:
        """A part of a Spec makes a Spec with what is needed besides; rules are those that the page wrote."""
        if rules := re.search(r'^rule = "(\w+):', text, re.M):
            (self.folder / f"{rules[1]}.py").write_text("\n\n".join(self.functions), encoding="utf-8")
        path = self.folder / "part.toml"
        path.write_text(
            f'samples = 9\ngenerations = 2\n[reference]\nkind = "uniform"\ncategories = 3\n{text}'
        )
        assert Spec.from_toml(path).to_dict(brief=True).keys() > {"samples", "generations", "reference"}

    def _compare(self, text: str) -> None:
        """What is shown was printed, line by line, and nothing of a line is left out."""
        there = {" ".join(line.split()) for line in self.printed.splitlines()}
        for line in filter(str.strip, text.splitlines()):
            assert " ".join(line.split()) in there, f"not printed: {line}"

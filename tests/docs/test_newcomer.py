# SPDX-License-Identifier: MIT
"""A newcomer's path, timed: from a clone to a page about one's own words."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, SHELL, blocks, pages

MOST_COMMANDS, MOST_SECONDS = 4, 300.0
NOT_CLONED = (".git", "build", "*.so", "*.egg-info", "__pycache__", ".venv", "venv", ".*_cache")
# Left to those who have no table of their own.
INSTEAD = "cp src/tailbiter/data/languages.csv words.csv"


def path(page: Path) -> list[str]:
    """Every command of a page up to its first report, one by one."""
    lines = [line for b in blocks(page) if b.language in SHELL for line in b.text.splitlines()]
    commands = [command for line in lines for command in line.split(" && ") if command != INSTEAD]
    last = next(i for i, command in enumerate(commands) if command.startswith("tailbiter report"))
    return commands[: last + 1]


class Newcomer:
    """Somebody with a clone, an empty virtual environment, and a table of their own."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        shutil.copytree(ROOT, self.clone, ignore=shutil.ignore_patterns(*NOT_CLONED))
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        kept = ("HOME", "LANG", "TMPDIR", "http", "https", "HTTP", "HTTPS", "PIP_", "SSL_", "CC")
        self.environment = {name: value for name, value in os.environ.items() if name.startswith(kept)}
        self.environment["PATH"] = f"{folder / 'venv' / 'bin'}:{os.defpath}"
        self.environment["PIP_NO_CACHE_DIR"] = "1"  # newcomers have none
        self.seconds: dict[str, float] = {}
        text = "".join(page.read_text(encoding="utf-8") for page in pages())
        self.words = [("word", "count"), *Counter(re.findall(r"[a-z]+", text.lower())).most_common()]
        with (self.clone / "words.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(self.words)

    def type(self, command: str) -> float:
        """Type a command; return the seconds that it took, of an installation the first time."""
        if not (command.startswith("pip install") and command in self.seconds):
            begun = time.monotonic()
            shell = ["bash", "-euo", "pipefail", "-c", command]
            done = subprocess.run(
                shell, cwd=self.clone, env=self.environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            self.seconds[command] = time.monotonic() - begun
        return self.seconds[command]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    return Newcomer(tmp_path_factory.mktemp("newcomer"))


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "index.md"], ids=lambda page: page.name)
def test_the_path_is_short(page: Path) -> None:
    commands = path(page)
    assert commands[0] == "pip install ."
    assert "--counts words.csv" in " ".join(commands)
    assert len(commands) <= MOST_COMMANDS


# Installs what the package needs, so it wants a registry of packages: only where that is promised.
@pytest.mark.verification
@pytest.mark.skipif(not os.environ.get("TAILBITER_REGISTRY"), reason="no registry of packages is promised")
@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "index.md"], ids=lambda page: page.name)
def test_the_path_is_walked_in_time(page: Path, newcomer: Newcomer) -> None:
    (newcomer.clone / "words.html").unlink(missing_ok=True)
    shutil.rmtree(newcomer.clone / "words", ignore_errors=True)
    taken = sum(map(newcomer.type, path(page)))
    html = (newcomer.clone / "words.html").read_text(encoding="utf-8")
    assert all(word in html for word, _ in newcomer.words[-9:])
    print(f"{page.name}: {taken:.0f} s, {newcomer.seconds}")
    assert taken < MOST_SECONDS

# SPDX-License-Identifier: MIT
"""Every block of Python in the documentation runs, page by page, in a namespace of the page's own."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Pages whose blocks have tests of their own, which also read what they print.
ELSEWHERE = {"mixtures.md", "plan.md", "sweeps.md", "testing.md", "theory.md", "your-own-family.md"}
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if page.name not in ELSEWHERE and "```python" in page.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_python_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        exec(compile(block, page.name, "exec"), names)

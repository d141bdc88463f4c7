# SPDX-License-Identifier: MIT
"""Every block of code in the documentation runs: Python, commands, files; and prints what is shown."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import NOT_TYPED, ROOT, SHELL, Block, Reader, blocks, pages, typed

# Pages whose blocks are run, and what they print read, by tests of their own.
ELSEWHERE = {
    "README.md": "house/test_examples.py",
    "judgement.md": "house/test_examples.py",
    "mixtures.md": "mixture/test_mixture_guide.py",
    "plan.md": "plan/test_plan_guide.py",
    "sweeps.md": "sweep/test_guide.py",
    "testing.md": "testing/test_testing_guide.py",
    "theory.md": "house/test_examples.py",
    "your-own-family.md": "jit/test_guide.py",
}
CODE = (*SHELL, "python", "toml")
# Commands take seconds, as each starts anew.
HERE = [
    pytest.param(page, marks=[pytest.mark.slow] if any(map(typed, commands)) else [], id=page.name)
    for page in pages()
    if page.name not in ELSEWHERE and any(b.language in CODE for b in blocks(page))
    for commands in [[b for b in blocks(page) if b.language in SHELL]]
]


@pytest.mark.parametrize("page", HERE)
def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "agg")
    Reader(tmp_path).follow(page)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_others_have_tests_of_their_own(name: str) -> None:
    text = (ROOT / "tests" / ELSEWHERE[name]).read_text(encoding="utf-8")
    assert name in text


def test_what_is_not_typed_is_little() -> None:
    """Every reason is needed, and only whole lines are left out."""
    lines = [
        line for page in pages() for b in blocks(page) if b.language in SHELL for line in b.text.splitlines()
    ]
    for start in NOT_TYPED:
        assert any(line.startswith(start) for line in lines), start
    assert not [line for line in lines if re.match(r"\s*(pip|pytest)\b", line) and line[0] == " "]


def test_a_reader_notices_what_fails_and_what_was_not_printed(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    page = tmp_path / "page.md"
    for text in (
        "```sh\nfalse | true\n```",
        "```python\nraise SystemExit\n```",
        "```text\nfour\n```",
        "```text\nthree ...\n```",
    ):
        page.write_text(f"```sh\necho three ' 4'\n```\n\n{text}\n", encoding="utf-8")
        with pytest.raises((AssertionError, SystemExit)):
            reader.follow(page)
    page.write_text(
        "1. So:\n\n   ```sh\n   echo three \\\n     four\n   ```\n\n```text\nthree four\n```\n", "utf-8"
    )
    reader.follow(page)
    assert typed(Block("sh", "pip install .\necho 1\n")) == "echo 1"

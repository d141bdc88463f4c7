# SPDX-License-Identifier: MIT
"""What the project says about itself in several places, it says the same."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import tailbiter

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
MARKDOWN = sorted(path for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md"))


def test_one_version() -> None:
    version = PROJECT["project"]["version"]
    assert tailbiter.__version__ == version
    assert metadata.version("tailbiter") == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_opens_with_the_two_commands_that_ci_runs() -> None:
    commands = re.findall(r"^pip install.*$", README, flags=re.MULTILINE)
    assert commands == ["pip install . && tailbiter run", 'pip install -e ".[test]" && pytest']


@pytest.mark.parametrize("requirement", PROJECT["project"]["dependencies"])
def test_every_dependency_has_a_lower_bound_and_a_reason(requirement: str) -> None:
    name = re.match(r"[A-Za-z0-9_-]+", requirement)[0]
    assert ">=" in requirement
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {name} \| \S", architecture, flags=re.MULTILINE)


def test_linters_are_pinned() -> None:
    pinned = {
        item.split("==")[0] for item in PROJECT["project"]["optional-dependencies"]["dev"] if "==" in item
    }
    assert pinned >= {"ruff", "mypy", "cython-lint", "clang-format"}


def test_core_flags_are_the_same_in_both_builds() -> None:
    makefile = re.search(
        r"^FLAGS = (.*)$", (ROOT / "csrc" / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    setup = re.search(r"^FLAGS = \[(.*)\]$", (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert makefile[1].split() == re.findall(r'"([^"]+)"', setup[1])


def test_entry_point_is_callable() -> None:
    (script,) = (
        entry for entry in metadata.entry_points(group="console_scripts") if entry.name == "tailbiter"
    )
    assert callable(script.load())


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: path.name)
def test_links_have_texts(page: Path) -> None:
    """A site fills in the title of a page; where the source is read, a link without a text is not there."""
    assert re.findall(r"\[\s*\]\([^)]*\)", page.read_text(encoding="utf-8")) == []


def test_the_first_page_leads_to_every_other() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages


def test_every_public_name_is_documented() -> None:
    undocumented = [name for name in tailbiter.__all__ if not getattr(tailbiter, name).__doc__]
    assert undocumented == []

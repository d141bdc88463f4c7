# SPDX-License-Identifier: MIT
"""Every source file: short, marked with its licence, nothing left for later."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("csrc", "src", "tests", "bench", "examples")
SOURCES = sorted(
    path
    for folder in FOLDERS
    for ending in ("*.py", "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "Makefile")
    for path in (ROOT / folder).rglob(ending)
    if "build" not in path.relative_to(ROOT).parts
)
SOURCES += [ROOT / "setup.py", ROOT / "pyproject.toml", ROOT / ".ci" / "run"]
COMMENT = {".c": ("/*", "//"), ".h": ("/*", "//")}
LEFT_FOR_LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<codes>[:\[][^#]*)?(?P<reason>#.*)?$")


def complaints(path: Path, text: str) -> list[str]:
    """What the house rules say against this file: one line each."""
    lines = text.splitlines()
    found = []
    if len(lines) >= 600:
        found.append(f"{len(lines)} lines; split it below 600")
    opening = lines[1] if lines and lines[0].startswith("#!") else "".join(lines[:1])
    if (
        not opening.startswith(COMMENT.get(path.suffix, ("#",)))
        or "SPDX-License-Identifier: MIT" not in opening
    ):
        found.append("does not open with its SPDX line")
    for number, line in enumerate(lines, 1):
        if LEFT_FOR_LATER.search(line):
            found.append(f"line {number} leaves something for later")
        silenced = SILENCED.search(line)
        if silenced and not (silenced["codes"] and silenced["reason"]):
            found.append(f"line {number} silences a checker without a code and a reason")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_source_file_keeps_the_house_rules(path: Path) -> None:
    if path == Path(__file__):
        return  # holds the words it looks for
    assert complaints(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("long.py", "# SPDX-License-Identifier: MIT\n" * 600),
        ("bare.py", "import os\n"),
        ("bare.c", "int x;\n"),
        ("wrong.c", "# SPDX-License-Identifier: MIT\n"),
        ("empty.py", ""),
        ("later.py", "# SPDX-License-Identifier: MIT\n# TODO: more\n"),
        ("quiet.py", "# SPDX-License-Identifier: MIT\nimport os  # noqa\n"),
        ("quiet.py", "# SPDX-License-Identifier: MIT\nimport os  # noqa: F401\n"),
        ("quiet.py", "# SPDX-License-Identifier: MIT\nx = f()  # type: ignore[arg-type]\n"),
    ],
)
def test_the_rules_catch_a_bad_file(name: str, text: str) -> None:
    assert len(complaints(Path(name), text)) == 1


def test_the_rules_pass_a_good_file() -> None:
    assert complaints(Path("a.c"), "/* SPDX-License-Identifier: MIT */\nint x;\n") == []
    quiet = "#!/bin/sh\n# SPDX-License-Identifier: MIT\nx = f()  # type: ignore[arg-type]  # f has no types\n"
    assert complaints(Path("run"), quiet) == []


def test_setup_stays_small() -> None:
    assert len((ROOT / "setup.py").read_text(encoding="utf-8").splitlines()) < 80

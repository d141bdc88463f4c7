# SPDX-License-Identifier: MIT
"""Pictures of the documentation: drawn by docs/draw.py, all of them shown, and light to load."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.blocks import ROOT, pages

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 60_000


def looked_at(folder: Path) -> dict[str, tuple[tuple[int, int], int]]:
    """Size and number of colours of each picture of a folder."""
    found = {}
    for path in folder.iterdir():
        with Image.open(path) as picture:
            found[path.name] = (picture.size, len(picture.getcolors()))
    return found


@pytest.mark.slow
def test_the_script_draws_what_is_shown(tmp_path: Path) -> None:
    """The same names and sizes; their pixels depend on the version of Matplotlib and its fonts."""
    script = [sys.executable, str(ROOT / "docs" / "draw.py"), str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True)
    drawn, committed = looked_at(tmp_path), looked_at(IMAGES)
    assert {name: size for name, (size, _) in drawn.items()} == {
        name: size for name, (size, _) in committed.items()
    }
    assert len(committed) >= 6
    assert all(colours > 10 for _, colours in [*drawn.values(), *committed.values()])


def test_every_picture_is_light_and_shown_with_words_for_it() -> None:
    shown = [
        (alt, (page.parent / target).resolve())
        for page in pages()
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8"))
    ]
    assert {path for _, path in shown} == set(IMAGES.iterdir())
    assert all(len(alt.split()) >= 5 for alt, _ in shown)
    assert all(path.stat().st_size < MOST_BYTES for path in IMAGES.iterdir())
    assert {page.name for page in pages() if "images/tails.png" in page.read_text("utf-8")} >= {
        "README.md",
        "index.md",
        "pictures.md",
    }

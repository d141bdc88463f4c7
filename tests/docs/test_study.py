# SPDX-License-Identifier: MIT
"""The study of Shakespeare at reduced size: its answers point the same way as the page's."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def answers(text: str) -> dict[str, list[float]]:
    """Numbers of each row, by its name."""
    rows = [line.rsplit(None, 5) for line in text.splitlines() if line.endswith("%")]
    return {name.strip(): [float(value.rstrip("%")) for value in values] for name, *values in rows}


# What the page says: of two rows, in a column, the first is below the second. Columns: words left that had
# 1 to 10 uses expected, 10 to 100, 100 to 1000, what is unknown of the held-out text, the distance.
SAID = [
    ("0.0%", "1.0%", 1),
    ("1.0%", "10.0%", 1),
    ("10.0%", "50.0%", 0),
    ("finds 0%, wrongly 0%", "finds 50%, wrongly 1%", 0),
    ("finds 50%, wrongly 1%", "finds 99%, wrongly 1%", 0),
    ("top-p 0.95", "as it is", 1),
    ("temperature 0.9", "as it is", 1),
    ("temperature 1.1", "as it is", 3),
    ("as it is", "temperature 1.1", 4),
    ("maximum likelihood", "Good-Turing", 0),
    ("maximum likelihood", "add 1", 0),
    ("maximum likelihood", "add 1", 4),
    ("maximum likelihood", "absolute discounting", 0),
]


def wrong(found: dict[str, list[float]]) -> list[tuple[str, str, int]]:
    """What is said and does not hold."""
    return [(low, high, at) for low, high, at in SAID if not found[low][at] < found[high][at]]


@pytest.fixture(scope="module")
def found() -> dict[str, list[float]]:
    size = ["--samples", "20000", "--generations", "20", "--replicates", "4"]
    script = [sys.executable, str(ROOT / "examples" / "shakespeare_study.py"), *size]
    return answers(subprocess.run(script, capture_output=True, text=True, check=True).stdout)


def test_answers_point_the_same_way(found: dict[str, list[float]]) -> None:
    assert len(found) == 20
    assert not wrong(found)


def test_an_answer_that_points_the_other_way_is_found(found: dict[str, list[float]]) -> None:
    """Two rows change places."""
    for low, high, at in SAID:
        assert (low, high, at) in wrong({**found, low: found[high], high: found[low]})


def test_what_the_page_says_holds_of_its_numbers(found: dict[str, list[float]]) -> None:
    page = answers((ROOT / "docs" / "study.md").read_text(encoding="utf-8"))
    assert page.keys() == found.keys()
    assert not wrong(page)

# SPDX-License-Identifier: MIT
"""The study of Shakespeare at reduced size: it runs, and its answers point the same way."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def answers(text: str) -> dict[str, list[float]]:
    """Numbers of each row, by its name."""
    rows = [line.rsplit(None, 5) for line in text.splitlines() if line.endswith("%")]
    return {name.strip(): [float(value.rstrip("%")) for value in values] for name, *values in rows}


def test_answers_point_the_same_way() -> None:
    size = ["--samples", "20000", "--generations", "20", "--replicates", "4"]
    script = [sys.executable, str(ROOT / "examples" / "shakespeare_study.py"), *size]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    found = answers(done.stdout)
    assert len(found) == 20
    middle = {name: row[1] for name, row in found.items()}
    assert middle["0.0%"] < middle["1.0%"] < middle["10.0%"] <= middle["50.0%"]
    assert middle["finds 0%, wrongly 0%"] < middle["finds 99%, wrongly 1%"]
    assert middle["top-p 0.95"] < middle["as it is"]
    assert found["Good-Turing"][0] > found["maximum likelihood"][0]
    assert found["add 1"][4] > found["maximum likelihood"][4]
    assert found["temperature 1.1"][3] < found["as it is"][3]
    assert found["temperature 1.1"][4] > found["as it is"][4]

# SPDX-License-Identifier: MIT
"""Published results: each is measured, and the verdict is one that can fail."""

import json
import re
from pathlib import Path

import pytest

from tailbiter.cli import main
from tailbiter.errors import SpecError
from tailbiter.reproduce import Row, claims, reproduce
from tailbiter.reproduce._claim import ERRORS

QUICK = ("sigma-decay", "wasserstein", "heterozygosity")
GRID = "workflows-by-dimension"


@pytest.mark.parametrize("name", QUICK)
def test_quick_results_agree(name: str) -> None:
    """A row's mean lies five standard errors off once in 1.7 million."""
    [outcome] = reproduce([name])
    assert outcome.agrees, outcome.text()


@pytest.mark.slow
@pytest.mark.parametrize("name", [claim.name for claim in claims() if claim.name not in (*QUICK, GRID)])
def test_results_agree(name: str) -> None:
    """As above."""
    [outcome] = reproduce([name])
    assert outcome.agrees, outcome.text()


def test_every_claim_has_its_name_and_a_paper_that_can_be_found() -> None:
    names = [claim.name for claim in claims()]
    assert len(set(names)) == len(names)
    assert all("arXiv " in claim.paper and claim.statement.endswith(".") for claim in claims())


@pytest.mark.parametrize(
    ("row", "agrees"),
    [
        (Row("", 1.0, exact=1.0), True),
        (Row("", 1.0, exact=1.001), False),
        (Row("", 1.0, 0.001, exact=1.004), True),
        (Row("", 1.0, 0.001, exact=1.006), False),
        (Row("", 1.0, published=1.1, tolerance=0.2), True),
        (Row("", 1.0, published=1.1, tolerance=0.05), False),
        (Row("", 1.0, exact=1.0, published=2.0, tolerance=0.1), False),
        (Row("", 1.0, holds=False), False),
        (Row("", 1.0, exact=1.0, holds=True), True),
    ],
)
def test_verdicts(row: Row, agrees: bool) -> None:
    assert row.agrees is agrees
    assert row.to_dict()["verdict"] == ("agrees" if agrees else "differs")


def test_a_row_with_nothing_to_agree_with_has_no_verdict() -> None:
    assert Row("", 1.0).to_dict()["verdict"] == "shown"


def test_the_page_lists_every_claim() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == {claim.name for claim in claims()}


@pytest.mark.slow
def test_the_grid_of_dimensions_tells_a_trace_from_no_trace() -> None:
    """Rows agree, and would not if .12 more or less of the first trace were left."""
    [outcome] = reproduce([GRID])
    assert outcome.agrees, outcome.text()
    assert all(ERRORS * row.error < 0.12 for row in outcome.rows)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'forgetting'"):
        reproduce(["forgeting"])


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    assert "forgetting: Suresh" in capsys.readouterr().out
    assert main(["reproduce", "sigma-decay"]) == 0
    assert "agrees" in capsys.readouterr().out
    assert main(["reproduce", "sigma-decay", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["agrees"]
    assert found["rows"][0]["exact"] == pytest.approx(0.986934, abs=1e-6)
    assert main(["reproduce", "--list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(claims())


@pytest.mark.parametrize("words", [[], ["forgeting"], ["forgetting", "--all"]], ids=str)
def test_bad_words_are_one_line_and_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1

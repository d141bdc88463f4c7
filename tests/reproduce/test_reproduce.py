# SPDX-License-Identifier: MIT
"""Published results: each is measured, and every verdict is one that can fail."""

import json
import math
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tailbiter._reproduce_verb import LEGEND
from tailbiter._reproduce_verb import reproduce as verb
from tailbiter.cli import main
from tailbiter.errors import SpecError
from tailbiter.reproduce import Outcome, Row, claims, reproduce, tally
from tailbiter.reproduce._claim import HOLDS
from tailbiter.reproduce._measure import halved, jackknifed, mean_of
from tailbiter.reproduce._table import table

QUICK = ("sigma-decay", "wasserstein", "heterozygosity", "verifier")
# Largest error that may be granted to each paper's numbers, in the order of the rows: what the paper states,
# half a unit of its last digit, the order of what its expansion leaves out, or three standard errors of its
# own runs (of 1000 Bernoulli trials, of 300 variances with standard deviations of about .92, .18 and .24).
GRANTED = {
    "forgetting": (0.02, 0.025, 0.025, 0.02),
    "one-category": (2.0, 26.0, 174.0),
    "heterozygosity": (0.0, 0.0, 0.0),
    "accumulate": (0.005,),
    "golden-ratio": (0.0005,),
    "spread": (0.014, 0.042, 0.047, 0.027, 0.014, 0.007),
    "wasserstein": (0.001, 0.005, 0.02, 0.05),
    "workflows": (0.17, 0.033, 0.044),
    "curated": (0.0042,),
    "tails": (0.005, 0.005, 0.005, 0.005, 0.005),
}
COUNTS = "83 rows: 31 agree with the paper, 20 agree with theory, 32 statements hold."
# Where five standard errors of ours are wider than what the paper's number is granted.
COARSER = {"accumulate", "golden-ratio", "wasserstein", "curated", "tails"}


@cache
def outcome(name: str) -> Outcome:
    [found] = reproduce([name])
    return found


def shifts(row: Row) -> tuple[float, ...]:
    """So much more and less than ours; a statement alone fails on one side only."""
    if row.exact is not None or row.published is not None:
        return (row.sees, -row.sees)
    return (row.sees,) if row.below is not None else (-row.sees,)


def check(found: Outcome) -> None:
    """Every row's verdict, of the kinds that its claim names; and that each would fail.

    A row's mean lies five standard errors off once in 1.7 million. The mutations: ours moved by the
    stated effect; ours on a statement's bound; a paper's number alone, ours beyond what it is granted.
    """
    assert found.agrees, found.text()
    assert {row.kind for row in found.rows} == set(found.claim.compares)
    for row in found.rows:
        assert row.verdict == HOLDS[row.kind]
        assert row.sees > 0, row
        for shift in shifts(row):
            assert not replace(row, ours=row.ours + shift).agrees, (row, shift)
        for bound in (row.below, row.above):
            if bound is not None:
                assert replace(row, ours=bound, exact=None).verdict == "statement fails", row
    check_granted(found)


def check_granted(found: Outcome) -> None:
    """A paper's number has an error whose origin is told, and which is no larger than its origin makes it."""
    rows = [row for row in found.rows if row.published is not None]
    for row, most in zip(rows, GRANTED.get(found.claim.name, ()), strict=True):
        assert row.published is not None
        assert row.tolerance is not None
        assert row.tolerance <= most * (1 + 1e-9), row
        assert row.because
        beyond = replace(row, ours=row.published + 1.01 * (row.tolerance + row.room), exact=None)
        assert beyond.verdict == "differs from the paper"


@pytest.mark.parametrize("name", QUICK)
def test_quick_results_agree_and_could_fail(name: str) -> None:
    check(outcome(name))


@pytest.mark.long
@pytest.mark.slow
def test_all_results_agree_and_could_fail() -> None:
    """What ``reproduce --all`` runs, whole."""
    found = [outcome(claim.name) for claim in claims()]
    for each in found:
        check(each)
    assert tally(found) == COUNTS
    rows = [(each.claim.name, row) for each in found for row in each.rows]
    assert {name for name, row in rows if row.tolerance and row.room > row.tolerance} == COARSER


@pytest.mark.parametrize(
    "row",
    [
        Row("no power", 0.62, published=0.618, tolerance=0.0005, because="digits", resolution=0.01),
        Row("less than it says", 0.62, 0.01, sees=0.03, published=0.618, tolerance=0.0005, because="digits"),
        Row("ours in the tolerance", 0.65, sees=0.1, published=0.618, tolerance=0.65 - 0.618, because="ours"),
        Row("no origin", 0.618, sees=0.01, published=0.618, tolerance=0.0005),
        Row("another kind", 0.618, sees=0.01, exact=0.618),
        Row("wrong", 0.6, sees=0.01, published=0.618, tolerance=0.0005, because="digits"),
    ],
    ids=lambda row: row.quantity,
)
def test_a_row_that_cannot_fail_is_noticed(row: Row) -> None:
    claim = next(each for each in claims() if each.name == "golden-ratio")
    good = replace(row, quantity="", ours=0.618, error=0.0, sees=0.01, exact=None, published=0.618)
    check(Outcome(claim, (replace(good, tolerance=0.0005, because="digits", resolution=0.0),), 0.0))
    with pytest.raises(AssertionError):
        check(Outcome(claim, (row,), 0.0))


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("", 1.0, exact=1.0), "agrees with theory"),
        (Row("", 1.0, exact=1.001), "differs from theory"),
        (Row("", 1.0, 0.001, exact=1.004), "agrees with theory"),
        (Row("", 1.0, 0.001, exact=1.006), "differs from theory"),
        (Row("", 1.0, resolution=0.01, exact=1.006), "agrees with theory"),
        (Row("", 1.0, published=1.1, tolerance=0.2), "agrees with the paper"),
        (Row("", 1.0, published=1.1, tolerance=0.05), "differs from the paper"),
        (Row("", 1.0, exact=1.0, published=1.1, tolerance=0.2), "agrees with the paper"),
        (Row("", 1.0, exact=1.0, published=2.0, tolerance=0.1), "differs from the paper"),
        (Row("", 1.0, exact=1.1, published=1.1, tolerance=0.2), "differs from theory"),
        (Row("", 1.0, below=1.1), "statement holds"),
        (Row("", 1.0, below=1.0), "statement fails"),
        (Row("", 1.0, 0.03, below=1.1), "statement fails"),
        (Row("", 1.0, above=0.9), "statement holds"),
        (Row("", 1.0, 0.03, above=0.9), "statement fails"),
        (Row("", 1.0, exact=1.0, above=0.9), "statement holds"),
        (Row("", 1.0, exact=1.1, above=0.9), "differs from theory"),
        (Row("", math.nan, exact=1.0), "differs from theory"),
        (Row("", math.nan, below=1.0), "statement fails"),
    ],
)
def test_verdicts(row: Row, verdict: str) -> None:
    assert row.verdict == row.to_dict()["verdict"] == verdict
    assert row.agrees is (verdict in HOLDS.values())


def test_every_claim_says_who_claims_what() -> None:
    names = [claim.name for claim in claims()]
    assert len(set(names)) == len(names)
    for claim in claims():
        assert "arXiv " in claim.paper
        assert claim.statement.endswith(".")
        assert len(claim.statement) > 50  # a sentence that ends without saying what is shorter
        assert claim.compares


def test_the_page_lists_every_claim() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == {claim.name for claim in claims()}


def test_the_page_counts_the_verdicts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    rows, paper, theory, statements = re.findall(r"\d+", COUNTS)
    counts = f"Of {rows} rows {paper} compare a paper's number, {statements} test a statement, and {theory}"
    assert counts in page.replace("\n", " ")


def test_the_page_says_which_rows_are_coarser_than_the_paper() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    [told] = re.findall(r"coarser than the paper's number(.*?)What these rows can tell", page, re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", told)) == COARSER


@pytest.mark.parametrize(
    ("tolerance", "shown"), [(0.0, "1830"), (26.0, "1830 ± 26"), (99.6, "1830 ± 100"), (174.0, "1830 ± 170")]
)
def test_errors_of_papers_are_plain_numbers(tolerance: float, shown: str) -> None:
    [_, line] = table([Row("", 1830.0, sees=1.0, published=1830.0, tolerance=tolerance)])
    assert line.rsplit("1830", 1)[0].strip() == shown


def test_a_search_ends_around_what_it_seeks() -> None:
    middle, half = halved(lambda x: x > 0.3, 0.0, 1.0, 10)
    assert abs(middle - 0.3) <= half == 2.0**-11


@pytest.mark.parametrize("threshold", [-1.0, 2.0])
def test_a_search_without_a_threshold_between_its_ends_agrees_with_nothing(threshold: float) -> None:
    middle, half = halved(lambda x: x > threshold, 0.0, 1.0, 10)
    assert not Row("", middle, resolution=half, exact=threshold).agrees


def test_errors_of_few_replicates_are_wider() -> None:
    """Five of them mean as much as of many: Student's law with 15 degrees of freedom has 8.267 there."""
    values = np.arange(16.0)
    mean, error = mean_of(values)
    assert mean == 7.5
    assert 5 * error == pytest.approx(8.267 * values.std(ddof=1) / 4, rel=1e-4)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=(2000, 1))
    estimate, error = jackknifed(values, lambda means: float(means[0]), groups=2000)
    assert estimate == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(2000), rel=1e-9)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'forgetting'"):
        reproduce(["forgeting"])


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "forgetting: Suresh" in listed
    assert "Compared with numbers of the paper." in listed
    assert main(["reproduce", "sigma-decay"]) == 0
    printed = capsys.readouterr().out
    assert "statement holds" in printed
    assert printed.endswith("\n".join([*LEGEND, ""]))
    assert main(["reproduce", "sigma-decay", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["agrees"]
    assert found["verdicts"] == {"statement holds": 3}
    assert found["rows"][0]["exact"] == pytest.approx(0.986934, abs=1e-6)
    assert main(["reproduce", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed) == len(claims())
    assert all(set(each["compares"]) <= set(HOLDS) for each in listed)


def test_the_help_has_the_same_legend() -> None:
    assert " ".join(" ".join(LEGEND).split()) in " ".join(str(verb.__doc__).split())


def test_a_verdict_that_fails_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine that is wrong by three per cent."""
    from tailbiter.reproduce import _normal

    right = _normal.measured
    monkeypatch.setattr(_normal, "measured", lambda *given: right(*given) + 0.06)
    assert main(["reproduce", "sigma-decay"]) == 1
    assert "differs from theory" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["forgeting"], ["forgetting", "--all"]], ids=str)
def test_bad_words_are_one_line_and_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1

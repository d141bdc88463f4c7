# SPDX-License-Identifier: MIT
"""Cuts at exactly the share that a count has: as it is written, not as doubles round it."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest

import tailbiter as tb
from tests.oracles import levers

HUNDREDTHS = [f"0.{part:02}" for part in (3, 7, 10, 14, 25, 29, 30, 55, 57, 70)]
SHARES = [*HUNDREDTHS, "1e-12", "0.06999999999999999", "0.5500000000000002"]
RULES = {"top_p": levers.top_p, "min_p": levers.min_p, "epsilon": levers.epsilon}
WEIGHTS = (36, 21, 14, 10, 8, 7, 3, 1)


def supports(samples: int, fields: dict[str, Any]) -> list[tuple[dict[int, int], dict[int, int]]]:
    """Counts of generation 1 of many replicates, and of a second that is large enough to have all it can."""
    spec = tb.Spec(
        reference=tb.Counts(list(WEIGHTS)),
        samples=[samples, 10**6],
        generations=2,
        replicates=40,
        seed=3,
        decoding=tb.Decoding(**fields),
    )
    ds = tb.simulate(spec, record=tb.Record(generations=[2], snapshots=[1, 2], variables=["survivors"]))
    names = ("generation", "replicate", "category", "count")
    found: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for t, r, i, c in zip(*(ds[f"snapshot_{name}"].values.tolist() for name in names), strict=True):
        found[t, r][i] = c
    return [(found[1, r], found[2, r]) for r in range(40)]


def kept(rule: str, share: Fraction, counts: dict[int, int]) -> set[int]:
    row = [counts.get(i, 0) for i in range(len(WEIGHTS))]
    law = RULES[rule](share)(levers.model_of(row))
    return {i for i, p in enumerate(law) if p}


@pytest.mark.parametrize("samples", [30, 100])
@pytest.mark.parametrize("rule", RULES)
def test_what_has_exactly_the_share_stays(rule: str, samples: int) -> None:
    """Every count is whole hundredths (or thirtieths) of the total, so ties are many.

    A category kept has a probability of at least 1 / samples: among 10**6 items it is missing with one of
    exp(-10,000).
    """
    ties = 0
    for share in SHARES:
        exact = Fraction(share)
        for counts, found in supports(samples, {rule: float(share)}):
            assert set(found) == kept(rule, exact, counts), (share, counts)
            nudged = kept(rule, exact + Fraction(1, 10**15), counts)
            ties += nudged != set(found)
    assert ties >= 5, "the table has no ties that a rounded share could fall on either side of"


def test_the_tie_that_doubles_round_away() -> None:
    """.07 of 100 is 7; the product of doubles is more, so counts of 7 would be cut."""
    assert 0.07 * 100 > 7
    seen = 0
    for counts, found in supports(100, {"epsilon": 0.07}):
        for i, count in counts.items():
            assert (i in found) == (count >= 7)
            seen += count == 7
    assert seen > 0


def test_beyond_what_whole_numbers_hold_shares_stay_on_their_side() -> None:
    """A share of many digits becomes the nearest with a smaller divisor: no share of counts lies between."""
    for written in (0.12345678901234568, 1e-5, 1.0000000000000001e-5, 7.123456789012345e-9, 5e-324):
        part, of = tb.Decoding(epsilon=written).ratios[2]
        exact, near = Fraction(repr(written)), Fraction(part, of)
        assert of <= 2**63
        if exact.denominator <= 2**63:
            assert near == exact
        for total in (10, 100, 10**5, 10**9, 2**53 - 1, 2**53):
            for count in {int(exact * total), int(exact * total) + 1} - {0}:
                assert (Fraction(count, total) >= exact) == (Fraction(count, total) >= near)

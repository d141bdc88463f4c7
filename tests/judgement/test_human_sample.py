# SPDX-License-Identifier: MIT
"""What human samples are expected to have, and bounds of chance, against every sample that there is."""

import json
import math
from itertools import combinations_with_replacement

import numpy as np
import pytest
from scipy import stats as law_of

import tailbiter as tb
from tailbiter.human_sample import describe, grouped
from tailbiter.program import lower
from tailbiter.stages._chance import FALSE_ALARM, SCORE, Human, beyond_all, in_a_row

HELD = tb.Counts([4, 0, 3, 1, 2], labels=list("abcdz"))
TABLES = [((6, 3, 2, 1), 7), ((1, 1, 1, 1), 5), ((50, 1, 1, 0), 9), ((3, 3, 2, 2), 1)]


def spec_of(table: tuple[int, ...], items: int, **more: object) -> tb.Spec:
    reference = tb.Counts(table, labels=list("abcd"))
    return tb.Spec(reference=reference, samples=items, held_out=HELD, tail_mass=0.4, generations=3, **more)


def every_sample(spec: tb.Spec, items: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Probability of each sample, and its values, by plain enumeration."""
    program = lower(spec)
    q = program.weights / program.weights.sum()
    draws = combinations_with_replacement(range(q.size), items)
    counts = np.array([np.bincount(draw, minlength=q.size) for draw in draws])
    chance = law_of.multinomial(items, q).pmf(counts)
    p, here, tail = counts / items, counts > 0, np.arange(q.size) >= program.tail_start
    held = program.held_out.tokens / program.held_out.total
    logs = np.log(np.where(p > 0, p, 1))
    return chance, {
        "coverage": here @ q,
        "tail_coverage": here @ (q * tail),
        "gini_simpson": 1 - (p * p).sum(1),
        "brier": ((p - q) ** 2).sum(1),
        "entropy": -(p * logs).sum(1),
        "total_variation": abs(p - q).sum(1) / 2,
        "largest_share": p.max(1),
        "survivors": here.sum(1),
        SCORE: -np.log(np.maximum(p, 1e-9)) @ held - (1 - held.sum()) * math.log(1e-9),
    }


@pytest.mark.parametrize(("table", "items"), TABLES)
def test_expectations_are_those_of_all_samples(table: tuple[int, ...], items: int) -> None:
    about = describe(lower(spec_of(table, items)))
    chance, values = every_sample(spec_of(table, items), items)
    assert about["items"] == about["fewest"] == items
    for name, mean in about["expected"].items():
        if name != "largest_share":  # that is the reference's
            assert mean == pytest.approx(chance @ values[name], abs=1e-12), name
    for name in ("gini_simpson", "brier"):
        square = chance @ (values[name] - about["expected"][name]) ** 2
        assert about["chance"][name]["sd"] ** 2 == pytest.approx(square, abs=1e-12), name
    assert about["chance"]["survivors"]["one"] == pytest.approx(chance[values["survivors"] == 1].sum())
    assert about["expected"].keys() == values.keys() - {"survivors"} - (
        set() if "tail_coverage" in about["expected"] else {"tail_coverage"}
    )


@pytest.mark.parametrize(("table", "items"), TABLES)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_no_chance_is_above_its_bound(table: tuple[int, ...], items: int, share: float) -> None:
    """At generation 1's size, and at a smaller one, which thresholds know nothing of."""
    for fewest in {items, 1, 4}:
        about = describe(lower(spec_of(table, [items, fewest, items])))
        chance, values = every_sample(spec_of(table, items), min(fewest, items))
        human, by = Human(about), tb.Stages(risk_rise=share)
        assert human.fewest == min(fewest, items)
        first = about["expected"]
        way = about["chance"]["gini_simpson"]["reference"] - first["brier"]
        apart, top = first["total_variation"], first["largest_share"]
        crossed = [
            (human.fewer("coverage", share), values["coverage"] < share * first["coverage"]),
            (human.concentrated(share), values["gini_simpson"] < share * first["gini_simpson"]),
            (human.catastrophic(share), values["brier"] >= first["brier"] + share * way),
            (human.risen(by), values["brier"] > human.raised(by)),
            (human.moved(share), values["total_variation"] >= apart + share * (1 - apart)),
            (human.narrowed(share), values["entropy"] < first["entropy"] + math.log(share)),
            (human.dominated(share), values["largest_share"] >= top + share * (1 - top)),
            (human.scored(share), values[SCORE] > first[SCORE] + math.log1p(share)),
        ]
        for bound, there in crossed:
            assert chance[there].sum() <= bound + 1e-12


def test_bounds_are_of_use() -> None:
    """A sample of 10,000 words of 1,000: chance does none of it, and a smaller tail is missed more often."""
    human = Human(describe(lower(tb.Spec(reference=tb.Zipf(1000), samples=10_000))))
    each = (
        human.fewer("tail_coverage", 0.5),
        human.concentrated(0.5),
        human.moved(0.5),
        human.narrowed(0.5),
        human.dominated(0.5),
        human.catastrophic(0.5),
    )
    assert max(each) < 1e-12
    assert human.risen(tb.Stages()) == pytest.approx(0.1)
    assert human.fewer("coverage", 0.99) < human.fewer("coverage", 0.999) < 1


def test_sums_over_many_items_and_steps_of_many_categories() -> None:
    """Beside SciPy's binomials; a law of 40,000 categories, half again as large, in steps of a thousandth."""
    program = lower(tb.Spec(reference=tb.Zipf(40_000), samples=30_000))
    q = program.weights / program.weights.sum()
    about = describe(program)["expected"]
    alike = grouped(program)
    assert alike.q.size < 2**14 < np.unique(q).size
    assert alike.count.sum() == q.size
    k = np.arange(30_001)
    rare = q < 1e-3
    pmf = [law_of.binom.pmf(k[:200], 30_000, one) for one in q[rare][::50]]
    means = np.array(pmf) @ (k[:200] * np.log(np.maximum(k[:200], 1)))
    few = tb.Spec(reference=tb.Probabilities([*q[rare][::50], 1 - q[rare][::50].sum()]), samples=30_000)
    rest = describe(lower(few))["expected"]["entropy"]
    top = 1 - q[rare][::50].sum()
    there = k > 0
    common = law_of.binom.pmf(k, 30_000, top)[there] @ (k[there] * np.log(k[there]))
    assert rest == pytest.approx(math.log(30_000) - (means.sum() + common) / 30_000, abs=1e-9)
    assert about["coverage"] == pytest.approx(float((q * -np.expm1(30_000 * np.log1p(-q))).sum()), rel=1e-6)


def test_runs_of_chance() -> None:
    assert [in_a_row(p, 1e-6) for p in (0.0, 1e-6, 1e-3, 0.1, 0.5)] == [1, 1, 2, 6, 20]
    assert in_a_row(1.0, 1e-6) == math.inf
    for others, records in ((32, 9), (100, 6)):
        assert beyond_all(others, 5e-9, 200) == records
        assert math.comb(others + records - 1, records - 1) < 2e8 <= math.comb(others + records, records)
    assert beyond_all(1, 5e-9, 200) == math.inf


LAWS = [
    (tb.Zipf(1000), 10),
    (tb.Zipf(1000), 200),
    (tb.Zipf(300), 3000),
    (tb.Uniform(2), 10),
    (tb.Uniform(300), 300),
    (tb.Counts([90, 5, 3, 1, 1]), 30),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reference", "samples", "estimator"),
    [(*law, tb.MLE()) for law in LAWS] + [(*LAWS[1], tb.AddK(0.5))],
    ids=str,
)
def test_human_data_alone_reaches_no_stage(reference, samples: int, estimator) -> None:
    """Of 1,000 lineages with at most 14 stages of 1e-6 each, five or more reach one with 5e-12.

    A bound that chance passes with 1e-2 in a lineage would be caught in more than nine of ten such tests.
    """
    spec = tb.Spec(
        reference=reference,
        regime=tb.RealOnly(),
        samples=samples,
        estimator=estimator,
        generations=300,
        replicates=1000,
        tail_mass=0.3,
        held_out=reference if isinstance(reference, tb.Counts) else None,
        stages=tb.Stages(),
    )
    found = tb.stages(tb.simulate(spec))
    assert found.attrs["false_alarm"] == FALSE_ALARM
    assert int(np.isfinite(found.onset).any("stage").sum()) <= 4
    assert len(found.stage) >= 6


def test_a_rule_that_takes_each_lineage_for_its_own_base_and_asks_once_fires_on_human_data() -> None:
    """What the test above would catch: nearly every lineage passes 1.1 times its own generation 1."""
    law = {"reference": tb.Zipf(1000), "regime": tb.RealOnly(), "samples": 200}
    brier = tb.simulate(tb.Spec(generations=300, replicates=50, **law)).brier
    passed = brier.sel(generation=slice(2, None)) > 1.1 * brier.sel(generation=1)
    assert float(passed.any("generation").mean()) > 0.8


@pytest.mark.parametrize("samples", [10, 200, 20_000])
def test_models_of_models_do(samples: int) -> None:
    """The same rule, at every size: what is so in every lineage is told in every lineage."""
    spec = tb.Spec(
        reference=tb.Zipf(1000), samples=samples, generations=300, replicates=50, stages=tb.Stages()
    )
    ds = tb.simulate(spec)
    found = tb.stages(ds)
    assert set(found.share_reached.sel(stage=["risk_rise", "entropy_lost"]).values.tolist()) == {1.0}
    fixed = (ds.survivors.isel(generation=-10) == 1).mean()
    assert float(found.share_reached.sel(stage="one_left")) >= float(fixed)
    assert json.loads(found.attrs["human_sample"])["items"] == samples

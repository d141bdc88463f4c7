# SPDX-License-Identifier: MIT
"""Every lever by `verify`: right runs agree with theory, and runs that bend models wrongly are told apart."""

import math
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.testing import assert_mean, replicates_of

REWARD = (0.0, 1.5, 0.5)
BASE: dict[str, Any] = {"reference": tb.Counts([5, 3, 2]), "samples": 12, "generations": 6, "seed": 3}
# Expected counts in the first batch are 6, 3.6 and 2.4: three bands, from rare to common.
BANDS = (3, 5)
BY_BAND = tb.Detector(tpr=(0.2, 0.5, 0.9), fpr=(0.6, 0.1, 0.0))
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "add-k": {"estimator": tb.AddK(0.3)},
    "turing": {"estimator": tb.GoodTuring("none")},
    "turing-smoothed": {"estimator": tb.GoodTuring()},
    "discount": {"estimator": tb.Discount()},
    "james-stein": {"estimator": tb.Shrinkage()},
    "cold": {"decoding": tb.Decoding(temperature=0.7)},
    "hot": {"decoding": tb.Decoding(temperature=1.6)},
    "top-k": {"decoding": tb.Decoding(top_k=2)},
    "top-p": {"decoding": tb.Decoding(top_p=0.75)},
    "min-p": {"decoding": tb.Decoding(min_p=0.4)},
    "epsilon": {"decoding": tb.Decoding(epsilon=0.25)},
    "chain": {"decoding": tb.Decoding(temperature=1.3, top_k=2, top_p=0.8)},
    "choice-2": {"curation": tb.Choice(k=2, reward=REWARD)},
    "choice-4": {"curation": tb.Choice(k=4, reward=REWARD)},
    "choice-all": {"curation": tb.Choice(k=math.inf, reward=REWARD)},
    "best-of": {"curation": tb.BestOf(k=3, reward=REWARD)},
    "verifier": {"curation": tb.Verifier(accepts_good=0.8, accepts_bad=0.3, reward=REWARD)},
    "top-share": {"curation": tb.TopShare(share=0.5, reward=REWARD)},
    "errors": {"error_rate": 0.1, "regime": tb.Anchored(real=0.2)},
    "crawl": {"regime": tb.Crawl(real=0.3), "detector": tb.Detector(tpr=0.6, fpr=0.2)},
    "crawl by band": {"regime": tb.Crawl(real=0.3), "bands": BANDS, "detector": BY_BAND},
    # Some batches are all human, beside a model of which everything is listed.
    "crawl by band, smoothed": {
        "regime": tb.Crawl(real=0.6),
        "bands": BANDS,
        "detector": BY_BAND,
        "estimator": tb.AddK(0.2),
        "error_rate": 0.1,
        "samples": 10,
    },
    "label noise": {"fault": tb.LabelNoise(0.3)},
    "truncation": {"fault": tb.Truncation(below=3)},
    "duplication": {"fault": tb.Duplication(copies=5)},
    "pooled": {"regime": tb.Accumulate(), "curation": tb.Choice(k=2, reward=REWARD)},
    "two together": {
        "regime": tb.Anchored(real=0.3),
        "curation": tb.TopShare(share=0.5, reward=REWARD),
        "decoding": tb.Decoding(temperature=0.8),
    },
    "three together": {
        "regime": tb.Anchored(real=0.2),
        "estimator": tb.AddK(0.5),
        "decoding": tb.Decoding(temperature=0.8),
        "error_rate": 0.1,
    },
    "judged": {
        "decoding": tb.Decoding(temperature=0.8),
        "held_out": tb.Counts([4, 4, 2]),
        "groups": ["a", "b", "a"],
        "stages": tb.Stages(),
    },
}


def spec_of(**fields: Any) -> tb.Spec:
    return tb.Spec(**BASE | fields)


@pytest.mark.parametrize("name", CASES)
def test_every_lever_agrees(name: str) -> None:
    """False alarms: 1e-9 a lever; effect: .09 in the mean of the largest share."""
    found = tb.verify(spec_of(**CASES[name]), rate=1e-9, replicates=3000)
    assert found.agrees, found.text()
    judged = {row.variable: row for row in found.rows if row.verdict == "agrees"}
    assert {"survivors", "entropy", "largest_share", "kl", "total_variation", "band_mass", "lost"} <= set(
        judged
    )
    assert set(found.left_out) <= {"survivors_output", "top_share_held_out"}
    assert judged["largest_share"].sees < 0.09


def half_toward_the_reference(
    weights: np.ndarray, ranks: np.ndarray, others: float, other: float, generation: int
) -> float:
    """Adds as many items as add-k does, by the reference and not evenly."""
    for i in range(len(weights)):
        weights[i] += 0.9 * (0.5, 0.3, 0.2)[ranks[i]]
    return 0.9 * 0.2


def heated_last(
    weights: np.ndarray, ranks: np.ndarray, others: float, other: float, generation: int
) -> float:
    """A temperature of 1.3 after the cuts."""
    for i in range(len(weights)):
        weights[i] = weights[i] ** (1 / 1.3)
    return other


def rarer_of_equals(
    weights: np.ndarray, ranks: np.ndarray, others: float, other: float, generation: int
) -> float:
    """The two most probable stay; of equal ones the rarer."""
    for i in range(len(weights)):
        better = 0
        for j in range(len(weights)):
            if weights[j] > weights[i] or (weights[j] == weights[i] and ranks[j] > ranks[i]):
                better += 1
        if better >= 2:
            weights[i] = -1.0
    for i in range(len(weights)):
        weights[i] = max(weights[i], 0.0)
    return other


SWAPPED = tb.Detector(tpr=0.2, fpr=0.6)
WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "added by the reference, not evenly": (
        "add-k",
        {"estimator": tb.UserEstimator(half_toward_the_reference)},
    ),
    "twice as much added": ("add-k", {"estimator": tb.AddK(0.6)}),
    "temperature upside down": ("cold", {"decoding": tb.Decoding(temperature=1 / 0.7)}),
    "temperature after the cuts": (
        "chain",
        {"decoding": tb.Decoding(top_k=2, top_p=0.8, rule=heated_last)},
    ),
    "ties to the rarer": ("top-k", {"decoding": tb.Decoding(rule=rarer_of_equals)}),
    "one more is kept": ("top-k", {"decoding": tb.Decoding(top_k=3)}),
    "epsilon without its equals": ("epsilon", {"decoding": tb.Decoding(epsilon=0.2501)}),
    "rewards ignored": ("choice-2", {"curation": None}),
    "the best, not a choice": ("choice-2", {"curation": tb.BestOf(k=2, reward=REWARD)}),
    "one candidate fewer": ("best-of", {"curation": tb.BestOf(k=2, reward=REWARD)}),
    "rewards of other categories": ("best-of", {"curation": tb.BestOf(k=3, reward=(0.5, 0.0, 1.5))}),
    "the verifier's rates swapped": (
        "verifier",
        {"curation": tb.Verifier(accepts_good=0.3, accepts_bad=0.8, reward=REWARD)},
    ),
    "a share by chance": ("top-share", {"curation": None}),
    "the detector's rates swapped": ("crawl", {"detector": SWAPPED}),
    "a fixed split": ("crawl", {"regime": tb.Anchored(real=0.46), "detector": None}),
    "bands from common to rare": (
        "crawl by band",
        {"detector": tb.Detector(tpr=BY_BAND.tpr[::-1], fpr=BY_BAND.fpr[::-1])},
    ),
    "no fault": ("label noise", {"fault": None}),
    "copies that vary like single items": ("duplication", {"fault": None}),
    "errors forgotten": ("errors", {"error_rate": 0.0}),
}


# Compiling a user's rule takes a second.
COMPILED = ("added by the reference, not evenly", "temperature after the cuts", "ties to the rarer")


@pytest.mark.parametrize(
    "wrong", [pytest.param(one, marks=[pytest.mark.slow] if one in COMPILED else []) for one in WRONG]
)
def test_wrong_levers_part(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is found among 3000 replicates at 1e-6: the power that `verify` has over these effects."""
    name, fields = WRONG[wrong]
    right = spec_of(**CASES[name])
    other = spec_of(**CASES[name] | fields)
    record = tb.Record(
        generations=range(7),
        variables=[
            *("survivors", "entropy", "largest_share", "kl", "band_mass", "gini_simpson"),
            *(["real_share"] if name.startswith("crawl") else []),
            *(["wrong_mass"] if right.error_rate else []),
        ],
    )

    def simulated(spec: tb.Spec, **arguments: Any) -> Any:
        return tb.simulate(other.replace(replicates=spec.replicates), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", simulated)
    assert not tb.verify(right, replicates=3000, record=record).agrees


@pytest.mark.parametrize("samples", [495, 980, 2000])
def test_rounding_is_no_difference_where_training_sets_are_many(samples: int) -> None:
    """Probabilities of thousands of sets that did not add up to 1 made a mean leave its bounds."""
    spec = tb.Spec(
        reference=tb.Counts([9, 1]), samples=samples, generations=3, decoding=tb.Decoding(temperature=0.7)
    )
    assert tb.verify(spec).agrees


@pytest.mark.parametrize(
    "levers",
    [
        {"decoding": tb.Decoding(min_p=1.0)},
        {"decoding": tb.Decoding(top_k=2)},
        {"decoding": tb.Decoding(top_p=0.6)},
        {"decoding": tb.Decoding(temperature=0.9), "generations": 100},
    ],
)
def test_no_limit_is_told_where_chance_decides_however_many_samples_there_are(levers: dict[str, Any]) -> None:
    """Cuts among ties, and differences that a temperature below 1 enlarges: by 1 / .9 a generation."""
    spec = tb.Spec(**{"reference": tb.Uniform(4), "samples": 10**6, "generations": 2, **levers})
    assert "gini_simpson" in tb.predict(spec.replace(decoding=tb.Decoding(temperature=1.1)))
    record = tb.Record(variables=["gini_simpson"])
    with pytest.raises(tb.PredictionError):
        tb.predict(spec, record=record)


def test_what_is_not_judged_does_not_agree() -> None:
    """A limit alone says nothing of a run."""
    spec = tb.Spec(reference=tb.Zipf(10), samples=10**7, generations=3, decoding=tb.Decoding(temperature=0.9))
    found = tb.verify(spec, record=tb.Record(variables=["gini_simpson"]))
    assert {row.verdict for row in found.rows} == {"not judged"}
    assert not found.agrees


LEVELS = (0.0, 0.4, 0.9)
LUMPS = {
    "choice": lambda reward: tb.Choice(k=3, reward=reward),
    "best-of": lambda reward: tb.BestOf(k=2, reward=reward),
    "verifier": lambda reward: tb.Verifier(accepts_good=0.9, accepts_bad=0.6, reward=reward),
    "top-share": lambda reward: tb.TopShare(share=0.8, reward=reward),
}


@pytest.mark.slow
@pytest.mark.parametrize("regime", [tb.Replace(), tb.Anchored(real=0.2), tb.Accumulate()], ids=str)
@pytest.mark.parametrize("name", LUMPS)
def test_levels_of_reward_have_the_law_of_one_category_each(name: str, regime: Any) -> None:
    """Sixty categories beside the exact law of three: false alarms 1e-9; effect: a share of .03."""
    table = np.array([5, 3, 2] * 20)
    level = np.repeat([0, 1, 2], [30, 20, 10])
    samples = 14 if isinstance(regime, tb.Accumulate) else 40
    size: dict[str, Any] = {"samples": samples, "generations": 5, "regime": regime}
    many = tb.Spec(
        reference=tb.Counts(table.tolist()),
        curation=LUMPS[name]([LEVELS[i] for i in level]),
        groups=["xyz"[i] for i in level],
        **size,
    )
    weights = [int(table[level == i].sum()) for i in range(3)]
    few = tb.Spec(reference=tb.Counts(weights), curation=LUMPS[name](LEVELS), groups=list("xyz"), **size)
    record = tb.Record(variables=["group_mass"])
    exact = tb.predict(few, record=record).group_mass.sel(group=list("xyz"))
    assert exact.attrs["kind"] == "exact"

    def mass(ds: xr.Dataset) -> Any:
        return ds.group_mass.sel(group=list("xyz")).values[:, 1:]

    draw = replicates_of(many, mass, record=record)
    assert_mean(draw, exact.values[1:], effect=0.03, bounds=(0.0, 1.0))
    assert not np.allclose(
        exact.values[1], exact.values[5], atol=0.03
    )  # so that there is something to be seen

# SPDX-License-Identifier: MIT
"""What theory says of levers, against runs; and the one line it says where it knows nothing."""

import sys
from typing import Any

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.summary import expected_table
from tests.oracles.stat import mean_test, require

RECORD = tb.Record(generations=[0, 1, 2, 10, 30])
CASES: dict[str, dict[str, Any]] = {
    "add-k": {"estimator": tb.AddK(0.1)},
    "add-k with fresh items": {"estimator": tb.AddK(0.1), "regime": tb.Anchored(real=0.2)},
    "shrinkage": {"estimator": tb.Shrinkage(0.3)},
    "errors": {"error_rate": 0.05, "regime": tb.Anchored(real=0.1)},
    "crawl": {"regime": tb.Crawl(real=0.3), "detector": tb.Detector(tpr=0.5, fpr=0.1)},
    "by-band false positives": {
        "regime": tb.Crawl(real=0.4),
        "bands": (4, 10),
        "detector": tb.Detector(tpr=0.5, fpr=(0.8, 0.3, 0.0)),
        "estimator": tb.AddK(0.1),
    },
    "label noise": {"fault": tb.LabelNoise(0.4), "regime": tb.Anchored(real=0.1)},
    "truncation": {"fault": tb.Truncation(below=4)},
    "duplication": {"fault": tb.Duplication(copies=7), "estimator": tb.Shrinkage(0.1)},
    "judged": {
        "estimator": tb.AddK(0.1),
        "held_out": tb.Counts(list(range(1, 51))),
        "groups": ["a"] * 20 + ["b"] * 30,
    },
    "human data alone": {"estimator": tb.AddK(0.1), "regime": tb.RealOnly()},
    "crawl and add-k": {"regime": tb.Crawl(real=0.3), "estimator": tb.AddK(1)},
}
EXPECTED = {"gini_simpson", "brier", "tail_mass", "band_mass"}


def spec(**fields: Any) -> tb.Spec:
    base = {"reference": tb.Zipf(50), "samples": 200, "generations": 30, "replicates": 4000, "seed": 2}
    return tb.Spec(**base | fields)


# The others stand beside enumeration, too: tests/predict/test_levers_exact.py.
FAST = ("add-k", "errors", "crawl and add-k")


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[] if one in FAST else [pytest.mark.slow]) for one in CASES]
)
def test_means_are_as_predicted(name: str) -> None:
    """False alarms 1e-9 a variable; effect: .08 in the mean of a share (in nats), 1.2 categories."""
    one = spec(**CASES[name])
    known, ds = tb.predict(one, record=RECORD), tb.simulate(one, record=RECORD)
    assert ({"wrong_mass"} if one.error_rate else EXPECTED) <= set(known.data_vars)
    for variable in sorted(set(known.data_vars) & set(ds.data_vars)):
        values, mean = ds[variable].values, known[variable].values
        counted = known[variable].attrs["units"] == "categories"
        verdict = mean_test(values, mean, span=50.0 if counted else 2.0, tests=values[0].size)
        require(verdict, effect=1.2 if counted else 0.08, name=f"{name}, {variable}")


def test_a_wrong_amount_is_told_apart() -> None:
    """Runs with k = 0.1 before the moments of k = 0.2."""
    known, ds = (
        tb.predict(spec(estimator=tb.AddK(0.2)), record=RECORD),
        tb.simulate(spec(estimator=tb.AddK(0.1)), record=RECORD),
    )
    verdict = mean_test(ds.gini_simpson.values, known.gini_simpson.values, span=1.0, tests=5)
    assert verdict.rejected


@pytest.mark.parametrize(
    "fields", [{"estimator": tb.GoodTuring()}, {"decoding": tb.Decoding(top_k=9)}, {"error_rate": 0.1}]
)
def test_what_is_not_known_is_said_in_one_line(fields: dict[str, Any]) -> None:
    (field,) = fields
    with pytest.raises(tb.PredictionError, match=f"^{field}: .* no law is known for entropy"):
        tb.predict(spec(**fields), record=tb.Record(variables=["entropy"]))


@pytest.mark.parametrize("estimator", [tb.MLE(), tb.AddK(1), tb.GoodTuring()])
def test_no_number_stands_for_a_mean_that_does_not_exist(estimator: Any) -> None:
    """Both items may be wrong from generation 2 on: what is NaN there says so, and nothing else does."""
    small = {"reference": tb.Zipf(4), "samples": 2, "error_rate": 0.5, "estimator": estimator}
    found = tb.predict(tb.Spec(generations=3, replicates=2, **small))
    said = "; no mean from generation 2 on, where nothing may be right"
    for name in found:
        missing = np.isnan(found[name].values).reshape(4, -1).any(axis=1).tolist()
        if not name.startswith("tail"):  # there is none
            assert missing in ([False] * 4, [False, False, True, True])
            assert (said in found[name].attrs["statement"]) == missing[2]
    assert said in found["gini_simpson"].attrs["statement"]
    lines = expected_table(found).splitlines()
    assert [line.split()[-1] == "-" for line in lines[1:5]] == [False, False, True, True]
    told = [line for line in lines if line.startswith("No mean from generation 2 on, where nothing may be ")]
    assert len(told) == 1
    assert "gini_simpson" in told[0]
    assert "survivors" not in told[0]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"decoding": tb.Decoding(top_k=5)}, "decoding"),
        ({"estimator": tb.GoodTuring()}, "estimator"),
        ({"curation": tb.BestOf(k=2, reward=[1.0] * 25 + [0.0] * 25)}, "curation"),
        ({"estimator": tb.AddK(1), "decoding": tb.Decoding(top_k=5)}, "decoding"),
        ({"estimator": tb.AddK(1), "regime": tb.Window(3)}, "regime"),
    ],
    ids=["decoding", "estimator", "curation", "decoding beside add-k", "regime beside add-k"],
)
def test_what_rules_laws_out_is_named(fields: dict[str, Any], field: str) -> None:
    """The lever that no law is known for, and the regime only where it is that."""
    record = tb.Record(variables=["gini_simpson", "brier"])
    for ask in (tb.predict, tb.verify):
        with pytest.raises(tb.PredictionError, match=f"^{field}: "):
            ask(spec(**fields), record=record)


@pytest.mark.parametrize("wrong", [{"tpr": 0.1, "fpr": 0.5}, {"tpr": 0.5, "fpr": 0.1, "labelled": 0.3}])
def test_a_detector_that_is_run_by_other_rates_is_told_apart(
    wrong: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is expected of a detector is worked out anew, not read from what the engine is given."""
    right = spec(**CASES["crawl"])
    other = right.replace(detector=tb.Detector(**wrong))

    def simulated(one: tb.Spec, **arguments: Any) -> Any:
        return tb.simulate(other.replace(replicates=one.replicates), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", simulated)
    found = tb.verify(right, record=RECORD)
    parted = {row.variable for row in found.rows if row.verdict == "parts"}
    assert {"real_share", "real_discarded", "band_real_discarded"} <= parted

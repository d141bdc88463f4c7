# SPDX-License-Identifier: MIT
"""Laws of their own under levers, beside every training set followed: two ways that share no step."""

from typing import Any

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.predict._categorical import CategoricalCase

CASES: dict[str, dict[str, Any]] = {
    "add-k": {"estimator": tb.AddK(0.3)},
    "add-k, fresh": {"estimator": tb.AddK(0.3), "regime": tb.Anchored(real=0.3)},
    "shrinkage, sizes": {"estimator": tb.Shrinkage(0.2), "samples": [9, 4, 12, 7, 6]},
    "errors": {"error_rate": 0.1, "regime": tb.Anchored(real=0.25)},
    "errors of a crawl": {"error_rate": 0.2, "regime": tb.Crawl(real=0.5)},
    "crawl": {"regime": tb.Crawl(real=[1.0, 0.6, 0.3]), "detector": tb.Detector(tpr=0.6, fpr=0.2)},
    "false positives by band": {
        "regime": tb.Crawl(real=0.4),
        "bands": (3, 5),
        "detector": tb.Detector(tpr=0.5, fpr=(0.9, 0.4, 0.0), labelled=0.1),
        "estimator": tb.AddK(0.2),
    },
    "label noise": {"fault": tb.LabelNoise(0.3), "regime": tb.Anchored(real=0.3)},
    "truncation": {"fault": tb.Truncation(below=3), "estimator": tb.AddK(0.1)},
    "duplication": {"fault": tb.Duplication(copies=4), "estimator": tb.AddK(0.1)},
    "human data": {"regime": tb.RealOnly(), "estimator": tb.AddK(1)},
}
OWN = {
    *("survivors", "coverage", "band_survivors", "oov_tokens", "oov_types", "held_out_coverage"),
    "group_survivors",
}
MOMENTS = {
    *("gini_simpson", "brier", "band_mass", "group_mass", "overconfidence", "held_out_brier"),
    *("entropy", "kl", "total_variation"),
}


@pytest.mark.parametrize("name", CASES)
def test_laws_agree_with_every_training_set(name: str) -> None:
    spec = tb.Spec(
        reference=tb.Counts([5, 3, 2]),
        held_out=tb.Counts([4, 0, 5]),
        groups=["a", "b", "a"],
        generations=5,
        **{"samples": 9} | CASES[name],
    )
    case = CategoricalCase(spec, tb.Record(generations=range(6)))
    assert isinstance(case.enumerated, dict)
    compared = set()
    for variable, followed in case.enumerated.items():
        known = case.known(variable)
        if known is followed:
            continue
        compared.add(variable)
        found, want = known.mean.values, followed.mean.values
        defined = ~np.isnan(want)  # nothing may be right
        np.testing.assert_allclose(found[defined], want[defined], atol=1e-11, err_msg=variable)
    assert compared >= OWN | ({"wrong_mass"} if spec.error_rate else MOMENTS)


def test_counts_with_mutation_are_followed_at_sizes_of_use() -> None:
    """Add-k over 100 categories: what nobody could enumerate, in a moment."""
    spec = tb.Spec(reference=tb.Zipf(100), estimator=tb.AddK(0.01), samples=300, generations=40)
    th = tb.predict(spec, record=tb.Record(generations=[1, 40], variables=["survivors", "entropy", "kl"]))
    assert {th[name].attrs["kind"] for name in ("survivors", "entropy", "kl")} == {"exact"}
    assert th.survivors.values[0] > 2 * th.survivors.values[1] > 10


def test_limits_need_many_samples() -> None:
    """What chance does is not small with 100 items, and the limit is not given for the law."""
    spec = tb.Spec(reference=tb.Zipf(40), decoding=tb.Decoding(temperature=0.9), samples=100, generations=5)
    with pytest.raises(tb.PredictionError, match=r"^decoding: .* no law is known for entropy"):
        tb.predict(spec, record=tb.Record(variables=["entropy"]))
    th = tb.predict(spec.replace(samples=10**7), record=tb.Record(variables=["entropy"]))
    assert th.entropy.attrs["kind"] == "limit"


@pytest.mark.parametrize("generations", [1, 3])
def test_human_data_put_out_nothing(generations: int) -> None:
    """Not even for the batch after the last generation; and what is certain is so to the last bit."""
    spec = tb.Spec(
        reference=tb.Counts([1, 1]), regime=tb.RealOnly(), samples=529, generations=generations, seed=1
    )
    found = tb.verify(spec, rate=1e-9, replicates=300)
    assert found.agrees, found.text()
    assert set(found.left_out) == {"survivors_output"}

# SPDX-License-Identifier: MIT
"""Predictions of a Gaussian's run, beside its simulation."""

import json

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import PredictionError

WIDE = tb.Gaussian(mean=[1.0, -2.0, 0.5], covariance=[[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 1.0]])


def spec_of(reference: tb.Gaussian, regime: object = tb.Replace(), ddof: int = 0, n: int = 40) -> tb.Spec:
    return tb.Spec(reference=reference, regime=regime, samples=n, generations=60, estimator=tb.MLE(ddof=ddof))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(
    "reference", [tb.Gaussian(), tb.Gaussian(covariance=9.0), WIDE], ids=["1", "wide", "3-d"]
)
def test_replace_agrees(reference: tb.Gaussian, ddof: int) -> None:
    """False alarms: 1e-9 each."""
    found = tb.verify(spec_of(reference, ddof=ddof), rate=1e-9, replicates=2000)
    assert found.agrees, found.text()
    judged = {row.variable for row in found.rows if row.verdict == "agrees"}
    assert judged == {"log_det", "squared_mean_error", "w2_squared", "kl"} | (
        {"log_trace"} if reference is not WIDE else set()
    )


@pytest.mark.parametrize(
    "regime",
    [tb.Accumulate(), tb.AccumulateSubsample(), tb.Window(4), tb.Anchored(real=0.1), tb.RealOnly()],
    ids=lambda regime: type(regime).__name__,
)
def test_drift_of_the_mean_in_every_regime(regime: object) -> None:
    found = tb.verify(spec_of(WIDE, regime), rate=1e-9, replicates=2000)
    assert found.agrees, found.text()
    assert "squared_mean_error" in {row.variable for row in found.rows}


def test_a_wrong_divisor_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    def wrong(spec: tb.Spec, **arguments: object) -> object:
        return tb.simulate(spec.replace(estimator=tb.MLE(ddof=1)), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", wrong)
    found = tb.verify(spec_of(tb.Gaussian(), n=40), replicates=4000)
    assert {row.variable for row in found.rows if row.verdict == "parts"} >= {"log_det"}


def test_closed_forms() -> None:
    n, t = 40, np.arange(61)
    record = tb.Record(generations="all")
    th = tb.predict(spec_of(tb.Gaussian(covariance=9.0), ddof=1, n=n), record=record)
    assert th.squared_mean_error.values == pytest.approx(9.0 * t / n)
    from scipy.special import digamma

    drift = digamma((n - 1) / 2) - np.log((n - 1) / 2)
    assert th.log_det.values == pytest.approx(np.log(9.0) + t * drift)
    assert th.kl.values == pytest.approx((t / n - t * drift) / 2)  # E sigma^2 stays


def test_it_lies_over_the_simulation() -> None:
    spec = spec_of(WIDE)
    ds, th = tb.simulate(spec.replace(replicates=2)), tb.predict(spec)
    for name in set(th.data_vars) & set(ds.data_vars):
        assert th[name].dims == tuple(dim for dim in ds[name].dims if dim != "replicate")
        assert th[name].attrs["units"] == ds[name].attrs["units"]
    assert np.array_equal(th.generation, ds.generation)


def test_what_is_not_known_says_why() -> None:
    left_out = json.loads(tb.predict(spec_of(WIDE, tb.Accumulate())).attrs["left_out"])
    assert left_out["log_det"].startswith("regime: ")
    assert left_out["log_trace"].startswith("reference.dimensions: 3 leave")
    with pytest.raises(PredictionError, match=r"^record\.variables: 'mass_beyond' has no known mean"):
        tb.predict(spec_of(WIDE), record=tb.Record(variables=["mass_beyond"]))


def test_too_few_samples_for_the_dimensions() -> None:
    with pytest.raises(
        PredictionError, match=r"^samples: 3 are too few for 3 dimensions: the covariance is singular"
    ):
        tb.predict(spec_of(WIDE, n=3), record=tb.Record(variables=["log_det"]))

# SPDX-License-Identifier: MIT
"""Mixtures by theory: as if items came with labels. Far apart, EM does what labels would do."""

import json

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import PredictionError

FAR = tb.GaussianMixture([0.6, 0.3, 0.1], [0.0, 100.0, 200.0], [1.0, 4.0, 1.0])
BY_COMPONENT = ("component_mean_error", "component_log_det")
AT = [0, 1, 5, 20]


def run(spec: tb.Spec, variables: tuple[str, ...]) -> tuple:
    record = tb.Record(generations=AT, variables=variables)
    return tb.simulate(spec, record=record), tb.predict(spec, record=record)


def off(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Distance of the replicates' mean from a prediction, in standard errors."""
    se = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    beyond = np.maximum(np.abs(values.mean(axis=0) - mean) - 1e-9, 0.0)
    return np.divide(beyond, se, out=np.where(beyond > 0, np.inf, 0.0), where=se > 0)


@pytest.mark.parametrize(
    "regime",
    [tb.Replace(), tb.Accumulate(), tb.Anchored(real=0.2), tb.Window(3), tb.AccumulateSubsample()],
    ids=lambda regime: type(regime).__name__,
)
def test_weights_far_apart_are_the_shares_of_labels(regime: object) -> None:
    """Seven standard errors, 2.6e-12 each; another variance by a half would be seen."""
    spec = tb.Spec(reference=FAR, regime=regime, samples=300, generations=20, replicates=600)
    ds, th = run(spec, ("weights",))
    assert off(ds.weights.values, th.weights.values).max() < 7
    squares = (ds.weights.values - FAR.weight_vector) ** 2
    assert off(squares, th.weights_sd.values**2).max() < 7
    assert th.weights.attrs["kind"] == th.weights_sd.attrs["kind"] == "limit"


def test_components_alive_are_the_categories_present() -> None:
    """Two or three in a hundred would be seen."""
    spec = tb.Spec(reference=FAR, samples=20, generations=20, replicates=2000)
    ds, th = run(spec, ("components_alive",))
    assert off(ds.components_alive.values, th.components_alive.values).max() < 7
    assert 1.5 < th.components_alive.values[-1] < 2.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "law",
    [
        tb.GaussianMixture([0.5, 0.5], [0.0, 100.0], [1.0, 4.0]),
        tb.GaussianMixture([0.5, 0.5], [[0, 0], [90, 0]], [[[2, 1], [1, 1]], [[1, 0], [0, 3]]]),
        tb.GaussianMixture([0.5, 0.5], [[0, 0], [90, 0]], [[2, 1], [1, 3]], "diagonal"),
    ],
    ids=["1", "full", "diagonal"],
)
def test_components_are_refitted_normal_laws(law: tb.GaussianMixture) -> None:
    """Within a tenth of the drift, which the changing sizes make, and 7 standard errors (2.6e-12 each).

    A divisor of n - 1 would halve the drift of one dimension's log-determinant.
    """
    spec = tb.Spec(reference=law, samples=1000, generations=20, replicates=1500)
    ds, th = run(spec, BY_COMPONENT)
    for name in BY_COMPONENT:
        drift = np.abs(th[name].values - th[name].values[0])
        assert (drift[1:] > 0).all()
        values = ds[name].values
        se = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        assert (np.abs(values.mean(axis=0) - th[name].values) <= 0.1 * drift + 7 * se + 1e-9).all()
    spread = ds.component_log_det.values.std(axis=0, ddof=1)[1:]
    assert spread == pytest.approx(th.component_log_det_sd.values[1:], rel=0.2)


def test_the_reference_is_generation_zero() -> None:
    for kind, covariances in (
        ("full", [[[4, 1], [1, 2]], [[1, 0], [0, 1]]]),
        ("tied", [[4, 1], [1, 2]]),
        ("diagonal", [[4, 2], [1, 1]]),
        ("spherical", [4, 1]),
    ):
        law = tb.GaussianMixture([0.5, 0.5], [[0, 0], [9, 9]], covariances, kind)
        spec = tb.Spec(reference=law, samples=50, generations=20, replicates=2)
        ds = tb.simulate(spec, record=tb.Record(generations=[0, 1], variables=BY_COMPONENT))
        squares = np.array(covariances, float)
        if kind in ("diagonal", "spherical"):
            squares = np.array([np.diag(np.broadcast_to(row, 2)) for row in squares])
        expected = np.broadcast_to(np.linalg.slogdet(squares)[1], 2)
        assert ds.component_log_det.values[0, 0] == pytest.approx(expected, abs=1e-12)
        assert (ds.component_mean_error.values[0, 0] == 0).all()
        assert (ds.component_mean_error.values[:, 1] > 0).all()


def test_what_is_not_known_is_named() -> None:
    spec = tb.Spec(reference=FAR, regime=tb.Accumulate(), samples=50, generations=20)
    left_out = json.loads(tb.predict(spec).attrs["left_out"])
    assert {"l2_squared", "log_likelihood", "weight_drift"} <= left_out.keys()
    for name in BY_COMPONENT:
        with pytest.raises(PredictionError, match="regime"):
            tb.predict(spec, record=tb.Record(variables=[name]))
    tied = tb.GaussianMixture([0.5, 0.5], [0.0, 9.0], [1.0], "tied")
    with pytest.raises(PredictionError, match=r"reference\.covariance: 'tied'"):
        tb.predict(tb.Spec(reference=tied), record=tb.Record(variables=["component_log_det"]))
    few = tb.Spec(reference=FAR, samples=5, generations=3)
    with pytest.raises(PredictionError, match="samples"):
        tb.predict(few, record=tb.Record(variables=["component_log_det"]))


def test_verify_judges_no_limit_and_says_so() -> None:
    found = tb.verify(tb.Spec(reference=FAR, samples=50, generations=3))
    assert {row.verdict for row in found.rows} == {"not judged"}
    assert not found.agrees
    assert "a limit is no bound" in found.text()
    assert "agree" not in found.text()

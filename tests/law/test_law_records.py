# SPDX-License-Identifier: MIT
"""Every recorded variable against its definition, worked out by numpy from the training counts themselves."""

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import ONE, REST, SEED
from tests.oracles.reading import dense

GENERATIONS = (0, 1, 2, 5, 9, 30)
REFERENCES = {
    "zipf-1000": lambda: tb.Zipf(categories=1000),
    "ties": lambda: tb.Counts([5, 1, 1, 9, 1, 5, 0, 2, 1, 1] * 20),
    "two": lambda: tb.Counts([99, 1]),
    "one": lambda: tb.Counts([7]),
    "steep": lambda: tb.Geometric(categories=40, ratio=0.5),
}
REGIMES = {
    "replace": tb.Replace(),
    "accumulate": tb.Accumulate(),
    "subsample": tb.AccumulateSubsample(),
    "anchored": tb.Anchored(real=0.1),
    "hoard": tb.Anchored(real_count=12, source="hoard", hoard=500),
    "weights": tb.Mix((tb.Fresh(count=20, weight=0.3), tb.Synthetic(weight=0.7))),
    "ages": tb.Mix((ONE, REST), ages=(1.0, 0.5)),
}
SIZES = (120, 5_000, 10**9)


def record(spec: tb.Spec):
    variables = tb.Record(snapshots=GENERATIONS[1:], generations=GENERATIONS)
    return tb.simulate(spec, record=variables, threads=1)


def support(spec: tb.Spec) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the categories, and their places in the user's table."""
    weights = spec.reference.support.weights
    return weights / weights.sum(), spec.reference.support.position


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("reference", REFERENCES)
def test_every_variable_is_what_its_name_says(reference: str, regime: str, n: int) -> None:
    spec = tb.Spec(
        reference=REFERENCES[reference](),
        regime=REGIMES[regime],
        samples=n,
        generations=GENERATIONS[-1],
        replicates=4,
        seed=SEED,
        tail_mass=0.2,
    )
    ds = record(spec)
    q, position = support(spec)
    counts = dense(ds, GENERATIONS[1:], int(position.max()) + 1)[:, :, position]
    p = np.concatenate([np.broadcast_to(q, (1, 4, len(q))), counts / counts.sum(axis=2, keepdims=True)])
    p = np.moveaxis(p, 0, 1)  # [replicate, record, category]
    present = p > 0
    expected = {
        "survivors": present.sum(axis=2),
        "coverage": (present * q).sum(axis=2),
        "entropy": -_plogp(p, p).sum(axis=2),
        "gini_simpson": 1 - (p**2).sum(axis=2),
        "largest_share": p.max(axis=2),
        "kl": _plogp(p, p / q).sum(axis=2),
        "total_variation": np.abs(p - q).sum(axis=2) / 2,
        "brier": ((p - q) ** 2).sum(axis=2),
        "lost": _changes(present[:, :-1] & ~present[:, 1:]),
        "revived": _changes(~present[:, :-1] & present[:, 1:]),
        "tail_survivors": np.nan,
        "tail_mass": np.nan,
    }
    tail = _tail(q, spec.tail_mass)
    if tail.any():
        expected["tail_survivors"] = (present & tail).sum(axis=2)
        expected["tail_mass"] = (p * tail).sum(axis=2)
    for name, values in expected.items():
        assert ds[name].values == pytest.approx(
            np.broadcast_to(values, ds[name].shape), rel=1e-11, abs=1e-12, nan_ok=True
        ), name
    for band, (lo, hi) in enumerate(zip(ds["band_lo"].values, ds["band_hi"].values, strict=True)):
        inside = (n * q >= lo * (1 - 1e-12)) & (n * q < hi * (1 - 1e-12))
        assert ds["band_survivors"].values[:, :, band] == pytest.approx((present & inside).sum(axis=2))
        assert ds["band_mass"].values[:, :, band] == pytest.approx((p * inside).sum(axis=2), abs=1e-12)
    assert ds["band_lo"].values[0] == 0
    assert np.all(
        (ds["survivors_output"].values[:, :-1] >= 1) & (ds["survivors_output"].values[:, :-1] <= len(q))
    )


def _plogp(p: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    return p * np.log(np.where(p > 0, ratio, 1.0))


def _changes(flags: np.ndarray) -> np.ndarray:
    """Row 0 compares the reference with itself."""
    found = flags.sum(axis=2)
    return np.concatenate([np.zeros_like(found[:, :1]), found], axis=1)


def _tail(q: np.ndarray, most: float) -> np.ndarray:
    """The rarest whole tie-groups whose mass does not exceed `most`."""
    inside = np.zeros(len(q), bool)
    for value in np.unique(q):
        group = q == value
        if q[inside | group].sum() > most * (1 + 1e-12):
            break
        inside |= group
    return inside


def test_output_of_a_model_is_its_synthetic_part() -> None:
    """Under accumulation the batch made by model t is what training set t+1 adds to training set t."""
    spec = tb.Spec(
        reference=tb.Zipf(categories=100),
        regime=tb.Accumulate(),
        samples=50,
        generations=6,
        replicates=20,
        seed=SEED,
    )
    ds = tb.simulate(spec, record=tb.Record(snapshots=range(1, 7), generations="all"), threads=1)
    models = dense(ds, tuple(range(1, 7)), 100)
    batches = np.diff(models, axis=0, prepend=0)
    assert np.array_equal(ds["survivors_output"].values[:, :6], (batches > 0).sum(axis=2).T)

# SPDX-License-Identifier: MIT
"""Every variable of a shaped model against its definition, worked out from the training counts by oracles."""

import numpy as np
import pytest

import tailbiter as tb
from tests.levers.cases import ESTIMATORS, table

T = 12
GENERATIONS = tuple(range(1, T + 1))
REFERENCES = {
    "wide": (tb.Zipf(categories=2000), 300),
    "narrow": (tb.Zipf(categories=90), 5_000),
    "ties": (tb.Counts([5, 1, 1, 9, 1, 5, 2, 1, 1] * 20), 40),
    "large": (tb.Zipf(categories=60), 10**9),
    "two": (tb.Counts([99, 1]), 7),
    "one": (tb.Counts([7]), 3),
}
REGIMES = {
    "replace": tb.Replace(),
    "anchored": tb.Anchored(real=0.3),
    "accumulate": tb.Accumulate(),
    "subsample": tb.AccumulateSubsample(),
    "window": tb.Window(3),
}


def models(counts: np.ndarray, fit) -> np.ndarray:
    """Probabilities by generation and replicate, ``counts[generation, replicate, category]``."""
    out = np.full(counts.shape, np.nan)
    for r in range(counts.shape[1]):
        before = None
        for t in range(len(counts)):
            if counts[t, r].sum():
                before = out[t, r] = fit([int(c) for c in counts[t, r]], before)
    return out


def expected(p: np.ndarray, present: np.ndarray, q: np.ndarray) -> dict[str, np.ndarray]:
    positive = np.where(p > 0, p, 1.0)
    return {
        "survivors": present.sum(axis=2),
        "coverage": (present * q).sum(axis=2),
        "entropy": -(p * np.log(positive)).sum(axis=2),
        "gini_simpson": 1 - (p**2).sum(axis=2),
        "largest_share": p.max(axis=2),
        "kl": (p * np.log(np.where(p > 0, p / q, 1.0))).sum(axis=2),
        "total_variation": np.abs(p - q).sum(axis=2) / 2,
        "brier": ((p - q) ** 2).sum(axis=2),
    }


@pytest.mark.parametrize("error", [0.0, 0.2])
@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_variable_is_what_its_name_says(name: str, reference: str, error: float) -> None:
    check(name, reference, "replace", error)


@pytest.mark.slow
@pytest.mark.parametrize("error", [0.0, 0.2])
@pytest.mark.parametrize("reference", ["wide", "ties"])
@pytest.mark.parametrize("regime", [name for name in REGIMES if name != "replace"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_variable_in_other_regimes(name: str, regime: str, reference: str, error: float) -> None:
    check(name, reference, regime, error)


def check(name: str, reference: str, regime: str, error: float) -> None:
    estimator, fit = ESTIMATORS[name]
    human, n = REFERENCES[reference]
    spec = tb.Spec(
        reference=human,
        regime=REGIMES[regime],
        samples=n,
        generations=T,
        replicates=3,
        estimator=estimator,
        error_rate=error,
        tail_mass=0.2,
        seed=5,
    )
    names = (*tb.Record().names_of("categorical"), "wrong_mass")
    ds = tb.simulate(
        spec, record=tb.Record(generations="all", snapshots=GENERATIONS, variables=names), threads=1
    )
    weights = spec.reference.support.weights
    q = weights / weights.sum()
    counts = table(ds, GENERATIONS, len(q))
    totals = spec.composition.samples[:T].astype(float)
    if regime == "accumulate":
        totals = np.cumsum(totals)
    if regime == "window":
        totals = np.minimum(np.arange(1, T + 1), 3) * float(n)
    wrong = 1 - counts.sum(axis=2) / totals[:, None]
    assert pytest.approx(wrong, abs=1e-12) == ds.wrong_mass.values[:, 1:].T
    p = models(counts, fit)
    for variable, values in expected(p, counts > 0, q).items():
        assert pytest.approx(values, rel=1e-8, abs=1e-9, nan_ok=True) == ds[variable].values[:, 1:].T, (
            variable
        )
    expect = n * q
    for band, (lo, hi) in enumerate(zip(ds["band_lo"].values, ds["band_hi"].values, strict=True)):
        inside = (expect >= lo * (1 - 1e-12)) & (expect < hi * (1 - 1e-12))
        mass = (p * inside).sum(axis=2)
        mass[np.isnan(p[:, :, 0])] = np.nan
        assert pytest.approx(mass, abs=1e-9, nan_ok=True) == ds["band_mass"].values[:, 1:, band].T
        present = ((counts > 0) & inside).sum(axis=2)
        assert np.array_equal(ds["band_survivors"].values[:, 1:, band].T, present)


@pytest.mark.parametrize("categories", range(10, 60, 7))
def test_a_detector_that_throws_out_nothing_discards_no_less(categories: int) -> None:
    """A band without items can't bring the share below 0, however the shares of the others round."""
    spec = tb.Spec(
        reference=tb.Zipf(categories=categories, exponent=1.0),
        samples=100,
        generations=2,
        regime=tb.Crawl(real=0.5),
        bands=(1e-3,),
        detector=tb.Detector(tpr=0.0, fpr=(0.7, 0.0)),
    )
    assert (tb.simulate(spec, record=tb.Record(variables=("real_discarded",))).real_discarded == 0).all()

# SPDX-License-Identifier: MIT
"""Crawls of models without categories: binomial human items, and given these the bits of a known split."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

import tailbiter as tb
from tailbiter.testing import assert_law, assert_mean, replicates_of

REFERENCES: dict[str, Any] = {
    "gaussian": tb.Gaussian(),
    "mixture": tb.GaussianMixture([0.5, 0.5], [[0], [4]], [1, 1], "spherical"),
    "poisson": tb.Poisson(3.0),
    "exponential": tb.Exponential(2.0),
    "kernels": tb.KDE([0.0, 1.0, 3.0], 1.0),
    "documents": tb.CategoricalMixture([0.6, 0.4], [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], length=5),
    "laws of a user's": tb.UserMixture(tb.jit.laplace, [1.0, 2.0]),
}
JUDGE = tb.Detector(tpr=0.6, fpr=0.2, adoption=0.5, labelled=0.1)
FOUND, LOST = 0.1 + 0.9 * 0.3, 0.9 * 0.2
ALL = tb.Record(generations="all")


def crawl(reference: Any, **fields: Any) -> tb.Spec:
    size = {"samples": 30, "generations": 6, "replicates": 10, "common_random_numbers": True}
    regime = tb.Crawl(real=tb.Schedule(start=0.9, end=0.2, over=5))
    return tb.Spec(**{"reference": reference, "regime": regime, "detector": JUDGE} | size | fields)


def differ(one: xr.Dataset, other: xr.Dataset, rows: Any = slice(None)) -> list[str]:
    """Variables of the second that the first has other values of."""
    return [
        str(name)
        for name in other.data_vars
        if not np.array_equal(one[name].values[rows], other[name].values[rows], equal_nan=True)
    ]


@pytest.mark.parametrize("name", REFERENCES)
def test_given_its_human_items_a_lineage_is_one_of_a_known_split(name: str) -> None:
    spec = crawl(REFERENCES[name])
    ds = tb.simulate(spec, record=ALL, threads=2)
    shares = ds.real_share.values
    assert (shares[:, :2] == 1).all()
    assert len(np.unique(shares[:, 2:])) > 8
    for row in (0, 7):
        split = tb.Anchored(real=shares[row, 1:].tolist())
        alone = tb.simulate(spec.replace(detector=None, regime=split), record=ALL)
        assert len(alone.data_vars) > 2
        assert not differ(ds, alone, row)


@pytest.mark.parametrize("name", ["gaussian", "mixture", "documents"])
def test_a_pool_of_crawls_and_none_or_nothing_but_human_items(name: str) -> None:
    reference = REFERENCES[name]
    pooled = tb.simulate(crawl(reference, regime=tb.Mix([tb.Crawled(real=0.4)], ages="all")), record=ALL)
    split = tb.Mix([tb.Fresh(share=pooled.real_share.values[3, 1:].tolist()), tb.Synthetic()], ages="all")
    alone = tb.simulate(crawl(reference, regime=split, detector=None), record=ALL)
    assert not differ(pooled, alone, 3)
    for real, regime in ((0.0, tb.Replace()), (1.0, tb.RealOnly())):
        ds = tb.simulate(crawl(reference, regime=tb.Crawl(real=real)), record=ALL)
        assert not differ(ds, tb.simulate(crawl(reference, regime=regime, detector=None), record=ALL))
        assert (ds.real_share.values[:, 2:] == real).all()


def kept(real: float) -> float:
    return real * (1 - LOST) / (real * (1 - LOST) + (1 - real) * (1 - FOUND))


@pytest.mark.slow
def test_human_items_of_a_batch_are_binomial() -> None:
    """False alarms 1e-9; effect: chi-square distance .1. The share before the detector is caught."""
    spec = crawl(tb.Exponential(2.0), regime=tb.Crawl(real=0.4), samples=5, generations=3)
    draw = replicates_of(
        spec, lambda ds: np.rint(5 * ds.real_share.values[:, 3]).astype(int), record=ALL, threads=1
    )
    right, wrong = ({k: float(binom.pmf(k, 5, p)) for k in range(6)} for p in (kept(0.4), 0.4))
    assert_law(draw, right, effect=0.1)
    with pytest.raises(AssertionError):
        assert_law(draw, wrong, effect=0.1)


@pytest.mark.slow
def test_a_gaussian_s_mean_drifts_by_what_two_items_have_in_common() -> None:
    """With v the chance that two items are one human item's: v' = 1/N + (1 - 1/N)(1 - a)^2 v; at 1e-9."""
    spec = crawl(tb.Gaussian(), regime=tb.Crawl(real=0.1), samples=5, generations=6)
    drift = replicates_of(spec, "squared_mean_error", threads=1)
    forms = []
    for share in (kept(0.1), 0.1):
        v = [0.0, 0.2]
        while len(v) < 7:
            v.append(0.2 + 0.8 * (1 - share) ** 2 * v[-1])
        forms.append(v)
    assert_mean(drift, forms[0], effect=0.05, sd=1.5)
    with pytest.raises(AssertionError):
        assert_mean(drift, forms[1], effect=0.05, sd=1.5)


def test_theory_knows_what_is_kept_and_nothing_of_models() -> None:
    spec = crawl(tb.Gaussian(), samples=100)
    found = tb.verify(spec)
    assert found.agrees
    assert {row.variable for row in found.rows} == {"real_share", "real_share_crawled", "real_discarded"}
    assert "leaves human items to chance" in found.left_out["log_det"]
    th = tb.predict(spec, record=ALL)
    real = th.real_share_crawled.values
    np.testing.assert_allclose(th.real_share.values[2:], [kept(a) for a in real[2:]], rtol=1e-12)
    assert th.real_discarded.values.round(12).tolist() == [0.0, 0.0, *[0.18] * 5]


def test_threads_and_records_change_no_bit() -> None:
    spec = crawl(tb.Gaussian())
    whole = tb.simulate(spec, record=ALL, threads=1)
    assert not differ(whole, tb.simulate(spec, record=ALL, threads=3))
    alone = tb.simulate(spec, record=tb.Record(generations="all", variables=["real_share"]))
    assert list(alone.data_vars) == ["real_share"]
    assert not differ(whole, alone)
    longer = tb.simulate(spec.replace(generations=9), record=ALL).isel(generation=slice(7))
    assert not differ(longer, whole)


def test_it_is_written_and_read_and_swept(tmp_path: Any) -> None:
    spec = crawl(tb.Poisson(3.0))
    assert tb.Spec.from_toml(spec.to_toml()) == spec
    sweep = tb.Sweep(spec, {"detector.tpr": [0.0, 0.9]})
    tb.run_sweep(sweep, tmp_path / "store")
    ds = tb.open_sweep(tmp_path / "store").sel({"detector.tpr": 0.9})
    assert not differ(ds, tb.simulate(sweep.spec(1), record=sweep.record))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"detector": tb.Detector(tpr=(0.1, 0.2))},
            "detector.tpr: (0.1, 0.2) has rates by band, of which a gaussian reference has none; give one",
        ),
        (
            {"regime": tb.Crawl(real=0.0), "detector": tb.Detector(labelled=1.0)},
            "may keep nothing of what is crawled for generation 2",
        ),
        ({"regime": tb.Replace()}, "detector: {"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], line: str) -> None:
    with pytest.raises(tb.SpecError) as caught:
        tb.simulate(crawl(tb.Gaussian(), **fields))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)

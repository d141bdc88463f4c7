# SPDX-License-Identifier: MIT
"""Exact expectations, in every regime, and where the double's range ends.

Means over independent replicates against exact values, by `normal_test` at seven standard errors (2.6e-12
each): the values are sums of so many terms, or means of so many replicates, that they are close to normal.
"""

import numpy as np
import pytest
from scipy.special import gammaln, polygamma, psi

import tailbiter as tb
from tailbiter.theory import gaussian as theory
from tests.gaussian.programs import REGIMES, STANDARD, program, run
from tests.oracles.stat import normal_test, require

SIZE = 40_000


def estimated(values, mean, effect, name=""):
    """Test a mean whose variance is the sample's own."""
    require(normal_test(values, mean, float(np.var(values))), effect=effect, name=name)


def log_det_drift(n, d, ddof=1):
    j = np.arange(1, d + 1)
    return float(np.sum(psi((n - j) / 2) - np.log((n - ddof) / 2)))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("name", REGIMES)
def test_expected_covariance_and_drift(name, ddof):
    source = program(
        REGIMES[name], 20, 8, d=2, ddof=ddof, variables=("mean", "factor", "exponent"), at=[1, 2, 4, 8]
    )
    made = source.composition
    alike = made.item_weights is None and (made.ages.size < 2 or len(set(made.ages.tolist())) == 1)
    if ddof and not alike:
        pytest.skip("no one unbiased divisor")
    exact = theory.spread(made, ddof, source.at)
    out = run(source, SIZE)
    trace = np.trace(out.covariances(), axis1=2, axis2=3) / np.sum(source.factor**2)
    drift = np.sum((out["mean"] - source.mean) ** 2, axis=2) / np.sum(source.factor**2)
    for i, t in enumerate(source.at):
        estimated(trace[:, i], exact.values[i], 0.08, f"{name}: covariance, generation {t}")
        estimated(drift[:, i], exact.drift[i], 0.04, f"{name}: drift, generation {t}")


def test_covariance_keeps_its_shape():
    source = program(tb.Window(2), 15, 4, d=3, variables=("factor", "exponent"), at=[4])
    factor = np.zeros((3, 3))
    factor[np.tril_indices(3)] = source.factor
    expected = factor @ factor.T * theory.spread(source.composition, 1, [4]).values[0]
    seen = run(source, SIZE).covariances()[:, 0]
    for i in range(3):
        for j in range(3):
            estimated(seen[:, i, j], expected[i, j], 0.1)


def test_kept_set_beyond_generation_one():
    """Generation 1's items are the first of the kept set."""
    regime, sizes = tb.Anchored(real_count=12, source="fixed"), [5, *[20] * 7]
    source = program(regime, sizes, 8, d=2, ddof=1, variables=("mean", "factor", "exponent"), at=[1, 2, 8])
    exact = theory.spread(source.composition, 1, source.at)
    out = run(source, SIZE)
    trace = np.trace(out.covariances(), axis1=2, axis2=3) / np.sum(source.factor**2)
    drift = np.sum((out["mean"] - source.mean) ** 2, axis=2) / np.sum(source.factor**2)
    for i in range(3):
        estimated(trace[:, i], exact.values[i], 0.04)
        estimated(drift[:, i], exact.drift[i], 0.04)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_sigma_in_one_dimension(n):
    generations = 10
    out = run(
        program(samples=n, generations=generations, d=1, law=STANDARD, variables=("factor", "w2_squared")),
        SIZE,
    )
    c4 = np.sqrt(2 / (n - 1)) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))
    for t in (1, 3) if n < 10 else (1, 3, 10):
        estimated(out["factor"][:, t, 0], c4**t, 0.1, f"sigma, generation {t}")
        estimated(out["w2_squared"][:, t], t / n + 2 * (1 - c4**t), 0.3, f"W2, generation {t}")


@pytest.mark.parametrize(("n", "d"), [(4, 3), (12, 10), (50, 10), (1000, 40)])
@pytest.mark.parametrize("ddof", [0, 1])
def test_drift_of_log_det(n, d, ddof):
    t, size = 6, 4000 if d < 20 else 800
    source = program(samples=n, generations=t, d=d, ddof=ddof, variables=("log_det",), at=[0, t])
    out = run(source, size)["log_det"]
    variance = t * float(np.sum(polygamma(1, (n - np.arange(1, d + 1)) / 2)))
    require(normal_test(out[:, 1] - out[:, 0], t * log_det_drift(n, d, ddof), variance), effect=1.5)


def test_largest_samples():
    n, t = 10**15, 20
    source = program(
        samples=n, generations=t, d=1, law=STANDARD, variables=("factor", "mean", "w2_squared"), at=[t]
    )
    out = run(source, SIZE)
    change = (out["factor"][:, 0, 0] - 1.0) * np.sqrt(2.0 * n / t)
    require(normal_test(change, 0.0, 1.0), effect=0.06)
    require(normal_test((change**2 - 1.0) / np.sqrt(2.0), 0.0, 1.0), effect=0.06)
    require(normal_test(out["mean"][:, 0, 0] * np.sqrt(n / t), 0.0, 1.0), effect=0.06)
    estimated(out["w2_squared"][:, 0] * n / t, 1.5, 0.1)


def test_collapse_far_below_the_range():
    n, t = 5, 100_000
    source = program(
        samples=n, generations=t, d=1, law=STANDARD, variables=("log_trace", "exponent", "rank"), at=[t]
    )
    out = run(source, 64)
    drift = t * log_det_drift(n, 1)
    assert drift < -20_000
    require(normal_test(out["log_trace"][:, 0], drift, t * float(polygamma(1, (n - 1) / 2))), effect=500)
    assert (out["exponent"] < -15_000).all()
    assert (out["rank"] == 1).all()


def test_collapse_of_a_window():
    """Two batches side by side collapse as well; their means part by less than the mean's own last digit."""
    out = run(program(tb.Window(2), 4, 20_000, d=1, variables=("log_det", "mean"), at=[10_000, 20_000]), 16)
    rate = (out["log_det"][:, 1] - out["log_det"][:, 0]) / 10_000
    first = run(program(tb.Window(2), 4, 110, d=1, variables=("log_det",), at=[10, 110]), SIZE)["log_det"]
    exact = float(np.mean(first[:, 1] - first[:, 0])) / 100
    assert exact < -0.1
    # 16 lineages of 10,000 generations, a few of which go together: standard error below .01.
    assert abs(rate.mean() / exact - 1.0) < 0.05


@pytest.mark.parametrize("name", REGIMES)
def test_rank(name):
    """Rank of the fitted covariance, beside numpy's of the whole sample where that is clear."""
    source = program(
        REGIMES[name], 4, 3, d=6, variables=("rank", "factor", "exponent", "log_det", "log_pseudo_det")
    )
    out = run(source, 8)
    values = np.linalg.eigvalsh(out.covariances())
    seen = (values > 1e-13 * values[..., -1:]).sum(-1)
    assert (seen == out["rank"]).all()
    assert (out["rank"][:, 0] == 6).all()
    assert (out["rank"][:, 1] == 3).all()
    assert (np.isneginf(out["log_det"]) == (out["rank"] < 6)).all()
    assert np.isfinite(out["log_pseudo_det"]).all()


@pytest.mark.parametrize("ddof", [0, 1])
def test_single_items(ddof):
    out = run(program(samples=1, generations=3, d=3, ddof=ddof), 8)
    assert (out["rank"][:, 1:] == 0).all()
    assert (out["factor"][:, 1:] == 0).all()
    assert np.isneginf(out["log_trace"][:, 1:]).all()
    assert (out["effective_rank"][:, 1:] == 0).all()
    assert np.isposinf(out["kl"][:, 1:]).all()
    assert (out["mean"][:, 1] == out["mean"][:, 3]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("regime", "exact"),
    [(tb.Replace(), 0.3660), (tb.Accumulate(), 0.9837), (tb.AccumulateSubsample(), 0.9713)],
)
def test_published_trace_ratios(regime, exact):
    """Kazdan et al. (2410.16713): n = 100, generation 100; the exact values beside their .361, .979, .957."""
    source = program(regime, 100, 100, d=1, ddof=0, law=STANDARD, variables=("factor",), at=[100])
    size = 2000 if source.draw is not None else SIZE
    estimated(run(source, size)["factor"][:, 0, 0] ** 2, exact, 0.1)


@pytest.mark.verification
def test_a_window_of_more_items_than_a_word_counts():
    """2^64 + 1 items are no single item: a rank of 0 is what a count that wraps would give."""
    most, batches = 10**15, 18_447
    sizes = [most] * (batches - 1) + [2**64 + 1 - (batches - 1) * most]
    given = program(tb.Window(2), sizes, batches, d=1, variables=("rank",), at=[batches])
    given.ages = np.zeros(batches, np.uint64)
    given.ages[0] = 1
    assert run(given, 1)["rank"].item() == 1

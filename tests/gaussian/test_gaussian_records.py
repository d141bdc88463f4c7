# SPDX-License-Identifier: MIT
"""What is recorded of a model, against numpy, scipy and mpmath on the recorded mean and factor."""

import mpmath
import numpy as np
import pytest
from scipy.stats import norm

import tailbiter as tb
from tests.gaussian.programs import program, run

LEVELS = 10.0 ** -np.arange(2, 7)


def expected(mean, factor, reference_mean, reference_factor):
    """Every scalar, by textbook formulas on full matrices."""
    q, p = reference_factor @ reference_factor.T, factor @ factor.T
    value = np.maximum(np.linalg.eigvalsh(p), 0.0)
    share = value[value > 1e-13 * value.max()] / value.sum()
    off, d = mean - reference_mean, len(mean)
    inverse = np.linalg.inv(q)
    sigma, edge = np.sqrt(np.diag(p)), norm.isf(LEVELS)[:, None] * np.sqrt(np.diag(q))
    out = {
        "log_trace": np.log(np.trace(p)),
        "effective_rank": np.exp(-np.sum(share * np.log(share))),
        "squared_mean_error": off @ off,
        "w2_squared": off @ off + np.trace(q + p) - 2 * np.linalg.svd(reference_factor.T @ factor)[1].sum(),
        "mass_beyond": (norm.sf((edge + off) / sigma) + norm.sf((edge - off) / sigma)).mean(1),
        "log_pseudo_det": np.sum(np.log(share * value.sum())),
    }
    if len(share) == d:
        log_det = np.linalg.slogdet(p)[1]
        spread = np.trace(inverse @ p) + off @ inverse @ off - d
        out["log_det"] = log_det
        out["kl"] = (spread - log_det + np.linalg.slogdet(q)[1]) / 2
    return out


@pytest.mark.parametrize(("d", "n"), [(1, 5), (2, 9), (4, 30), (7, 10), (12, 400), (5, 4), (6, 3)])
def test_against_numpy(d, n):
    source = program(tb.Anchored(real_count=1) if n < 5 else tb.Replace(), n, 3, d=d, ddof=0)
    out = run(source, 9)
    factors = out.factors()
    reference = factors[0, 0]
    for r in range(9):
        for t in range(4):
            wanted = expected(out["mean"][r, t], factors[r, t], source.mean, reference)
            for name, value in wanted.items():
                close = np.allclose(out[name][r, t], value, rtol=2e-9, atol=1e-10)
                assert close or (name == "w2_squared" and abs(out[name][r, t] - value) < 1e-6), (name, r, t)


def exact_w2(mean, factor, reference_factor):
    """At 60 digits: tr Q + tr P - 2 tr (Q^1/2 P Q^1/2)^1/2, the root's trace from eigenvalues of Q P."""
    with mpmath.workdps(60):
        q = mpmath.matrix(reference_factor) * mpmath.matrix(reference_factor).T
        p = mpmath.matrix(factor) * mpmath.matrix(factor).T
        root = mpmath.cholesky(q)
        value, _ = mpmath.eigsy(root.T * p * root)
        cross = sum(mpmath.sqrt(abs(v)) for v in value)
        trace = sum(q[i, i] + p[i, i] for i in range(q.rows))
        return float(trace - 2 * cross + sum(mpmath.mpf(float(m)) ** 2 for m in mean))


def exact_kl(mean, factor, reference_factor):
    """At 60 digits."""
    with mpmath.workdps(60):
        left, right = mpmath.matrix(reference_factor), mpmath.matrix(factor)
        y = mpmath.inverse(left) * right
        whitened = mpmath.inverse(left) * mpmath.matrix(mean.tolist())
        d = y.rows
        total = sum(y[i, j] ** 2 for i in range(d) for j in range(d)) + sum(w**2 for w in whitened)
        return float((total - d - 2 * sum(mpmath.log(y[i, i]) for i in range(d))) / 2)


@pytest.mark.parametrize("n", [10**3, 10**6, 10**9, 10**12])
def test_small_distances_keep_their_digits(n):
    """Textbook forms subtract numbers that agree to n's digits."""
    _, factor = (np.zeros(3), np.tril(np.array([[1.0, 0, 0], [0.3, 0.8, 0], [-0.2, 0.5, 1.7]])))
    source = program(samples=n, generations=2, d=3, law=(np.zeros(3), factor), at=[2])
    out = run(source, 8)
    for r in range(8):
        model = out.factors()[r, 0]
        # The recorded factor has 16 digits; relative to its distance from the reference, some 1e-16 sqrt n.
        tolerance = 1e-13 + 2e-15 * np.sqrt(n)
        assert out["w2_squared"][r, 0] == pytest.approx(
            exact_w2(out["mean"][r, 0], model, factor), rel=tolerance
        )
        assert out["kl"][r, 0] == pytest.approx(exact_kl(out["mean"][r, 0], model, factor), rel=tolerance)


def test_units_do_not_matter():
    """Other units of measurement change nothing but units."""
    source = program(tb.Window(2), 20, 5, d=4)
    plain = run(source, 8)
    unit = 2.0 ** np.array([300, -280, 0, 77])
    factor = np.zeros((4, 4))
    factor[np.tril_indices(4)] = source.factor
    scaled = run(program(tb.Window(2), 20, 5, d=4, law=(source.mean * unit, factor * unit[:, None])), 8)
    rows = np.tril_indices(4)[0]
    assert (scaled["factor"] == plain["factor"] * unit[rows]).all()
    assert (scaled["mean"] == plain["mean"] * unit).all()
    assert (scaled["kl"] == plain["kl"]).all()
    assert (scaled["mass_beyond"] == plain["mass_beyond"]).all()
    log_unit = 2.0 * np.log(unit).sum()
    assert scaled["log_det"] == pytest.approx(plain["log_det"] + log_unit, abs=1e-10)


def test_first_row_is_the_reference():
    source = program(d=5)
    out = run(source, 9)
    assert (out["mean"][:, 0] == source.mean).all()
    assert (out["factor"][:, 0] == source.factor).all()
    assert (out["kl"][:, 0] == 0).all()
    assert out["w2_squared"][:, 0].max() < 1e-27
    assert out["mass_beyond"][:, 0] == pytest.approx(np.tile(2 * LEVELS, (9, 1)), rel=1e-12)

# SPDX-License-Identifier: MIT
"""Published results about Gaussians."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ._claim import Claim, Row
from ._words import mean_of, measured


def _spread(threads: int | None) -> list[Row]:
    from tailbiter.estimator import MLE
    from tailbiter.reference import Gaussian
    from tailbiter.spec import Spec
    from tailbiter.theory import gaussian

    at = [10, 25, 50, 100, 150, 200]
    spec = Spec(
        reference=Gaussian(),
        estimator=MLE(ddof=1),
        samples=10,
        generations=200,
        replicates=100_000,
        seed=2412,
    )
    mean, error = mean_of((measured(spec, "log_det", at, threads) > 2 * math.log(0.1)).astype(np.float64))
    exact = gaussian.exceeds(0.1, [10] * 200, 1, at).values
    published = (0.981, 0.747, 0.378, 0.090, 0.018, 0.007)
    return [
        Row(
            f"P(sigma > 0.1), n = 10, t = {t}",
            float(mean[i]),
            float(error[i]),
            exact=float(exact[i]),
            published=value,
            tolerance=3 * math.sqrt(float(exact[i]) * (1 - float(exact[i])) / 1000) + 0.0005,
            note="tolerance: three standard errors of the paper's 1000 runs, and its rounding",
        )
        for i, (t, value) in enumerate(zip(at, published, strict=True))
    ]


def _decay(threads: int | None) -> list[Row]:
    from tailbiter.estimator import MLE
    from tailbiter.reference import Gaussian
    from tailbiter.spec import Spec

    n, at = 20, [1, 10, 50]
    spec = Spec(
        reference=Gaussian(),
        estimator=MLE(ddof=1),
        samples=n,
        generations=50,
        replicates=100_000,
        seed=2310,
    )
    mean, error = mean_of(np.exp(measured(spec, "log_det", at, threads) / 2))
    shrink = math.sqrt(2 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    return [
        Row(
            f"mean of sigma, unbiased variance, n = {n}, t = {t}",
            float(mean[i]),
            float(error[i]),
            exact=shrink**t,
        )
        for i, t in enumerate(at)
    ]


def _wasserstein(threads: int | None) -> list[Row]:
    from tailbiter.estimator import MLE
    from tailbiter.reference import Gaussian
    from tailbiter.spec import Spec
    from tailbiter.theory import gaussian

    n, at = 1000, [1, 5, 20, 50]
    spec = Spec(
        reference=Gaussian(),
        estimator=MLE(ddof=1),
        samples=n,
        generations=50,
        replicates=50_000,
        seed=2305,
    )
    mean, error = mean_of(measured(spec, "w2_squared", at, threads))
    exact = gaussian.wasserstein([n] * 50, 1, at, variances=[1.0]).values
    return [
        Row(
            f"mean squared W2 over t/n, n = {n}, t = {t}",
            float(mean[i]) * n / t,
            float(error[i]) * n / t,
            exact=float(exact[i]) * n / t,
            published=1.5,
            tolerance=2 * t / n,
            note="the paper's rate holds for t much below n; tolerance: 2t/n",
        )
        for i, t in enumerate(at)
    ]


def _workflows(threads: int | None) -> list[Row]:
    from tailbiter.reference import Gaussian
    from tailbiter.regime import Accumulate, AccumulateSubsample, Regime, Replace
    from tailbiter.spec import Spec

    published: tuple[tuple[Regime, float, float], ...] = (
        (Replace(), 0.361, 0.3660),
        (Accumulate(), 0.979, 0.9837),
        (AccumulateSubsample(), 0.957, 0.9713),
    )
    rows = []
    for regime, value, exact in published:
        spec = Spec(
            reference=Gaussian(), regime=regime, samples=100, generations=100, replicates=4000, seed=2410
        )
        traces = np.exp(measured(spec, "log_trace", [100], threads)[:, 0])
        mean, error = mean_of(traces)
        rows.append(
            Row(
                f"mean variance over the first's, n = 100, t = 100, {type(regime).__name__}",
                float(mean),
                float(error),
                exact=exact,
                published=value,
                tolerance=3 * float(traces.std(ddof=1)) / math.sqrt(300) + 0.0005,
                note="tolerance: three standard errors of the paper's 300 runs, and its rounding",
            )
        )
    return rows


def _loops(threads: int | None) -> list[Row]:
    from tailbiter.reference import Gaussian
    from tailbiter.regime import Anchored, Regime, Replace
    from tailbiter.spec import Spec
    from tailbiter.theory import gaussian

    n, last = 100, 2000
    loops: tuple[tuple[str, Regime], ...] = (
        ("fully synthetic", Replace()),
        ("synthetic augmentation, 10 % fixed", Anchored(real=0.1, source="fixed")),
        ("fresh data, 10 %", Anchored(real=0.1)),
    )
    rows = []
    for name, regime in loops:
        spec = Spec(
            reference=Gaussian(), regime=regime, samples=n, generations=last, replicates=20_000, seed=2307
        )
        traces = np.exp(measured(spec, "log_trace", [last], threads)[:, 0])
        mean, error = mean_of(traces)
        exact = gaussian.spread(spec.composition, 0, [last])
        rows.append(
            Row(
                f"mean variance over the reference's, t = {last}, {name}",
                float(mean),
                float(error),
                exact=float(exact.values[0]),
                note="the less of the variance is left, the more of the diversity is gone",
            )
        )
    least, fixed, fresh = (row.ours for row in rows)
    rows[-1] = replace(rows[-1], holds=least < 0.01 and fixed < fresh and fresh > 0.9)
    return rows


CLAIMS = (
    Claim(
        "spread",
        "Suresh, Thangaraj & Khandavally 2025, arXiv 2412.17646",
        "The spread of a Gaussian refitted to ten samples falls below a tenth at this rate.",
        _spread,
    ),
    Claim(
        "sigma-decay",
        "Bertrand et al. 2024, arXiv 2310.00429",
        "Even with an unbiased variance the mean of sigma falls by one factor a generation.",
        _decay,
    ),
    Claim(
        "wasserstein",
        "Shumailov et al. 2024, arXiv 2305.17493",
        "The squared Wasserstein distance to the first Gaussian grows by 3/2 sigma^2 / n a generation.",
        _wasserstein,
    ),
    Claim(
        "workflows",
        "Kazdan, Schaeffer et al. 2025, arXiv 2410.16713",
        "Replacing data collapses; accumulating them does not; a subsample of what accumulates lies between.",
        _workflows,
    ),
    Claim(
        "loops",
        "Alemohammad et al. 2024, arXiv 2307.01850",
        "Without fresh human data in every generation quality or diversity goes; with enough, it stays.",
        _loops,
    ),
)

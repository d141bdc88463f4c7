# SPDX-License-Identifier: MIT
"""Published results about distributions over categories."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._claim import Claim, Row

if TYPE_CHECKING:
    from tailbiter.spec import Spec

Floats = npt.NDArray[np.float64]


def measured(spec: Spec, variable: str, at: list[int], threads: int | None) -> Floats:
    """Values of one variable, ``[replicates, len(at)]``."""
    from tailbiter.record import Record
    from tailbiter.simulate import simulate

    ds = simulate(spec, record=Record(generations=tuple(at), variables=(variable,)), threads=threads)
    return np.asarray(ds[variable].values, np.float64)


def mean_of(values: Floats) -> tuple[Any, Any]:
    """Means over replicates, and their standard errors."""
    return values.mean(axis=0), values.std(axis=0, ddof=1) / math.sqrt(len(values))


def _expected(spec: Spec, variable: str, at: list[int]) -> Floats:
    from tailbiter.predict import predict
    from tailbiter.record import Record

    ds = predict(spec, record=Record(generations=tuple(at), variables=(variable,)))
    return np.asarray(ds[variable].values, np.float64)


def _forgetting(threads: int | None) -> list[Row]:
    from tailbiter.reference import Zipf
    from tailbiter.spec import Spec

    words = Zipf(1000, exponent=1.0, shift=2.7)
    spec = Spec(reference=words, samples=1000, generations=10, replicates=20_000, seed=2412)
    at = [1, 2, 3, 5, 10]
    survivors, exact = measured(spec, "survivors", at, threads), _expected(spec, "survivors", at)
    rows = []
    for i, value in enumerate((0.7464, 0.6146, 0.4593, 0.2990), start=1):
        share = survivors[:, i] / survivors[:, 0].mean()
        # The paper starts all its runs from one first sample, whose own luck they share.
        luck = float(np.std(survivors[:, i] / survivors[:, 0], ddof=1))
        mean, error = mean_of(share)
        note = "the paper's runs share one first sample; tolerance: three standard deviations of such a share"
        rows.append(
            Row(
                f"share of words left, t = {at[i]}, of those at t = 1",
                float(mean),
                float(error),
                exact=float(exact[i] / exact[0]),
                published=value,
                tolerance=3 * luck,
                note=note,
            )
        )
    return rows


def _one_category(threads: int | None) -> list[Row]:
    from tailbiter.reference import Uniform
    from tailbiter.spec import Spec
    from tailbiter.theory import exact

    rows = []
    for samples, value, tolerance in ((10, 17.1, 1.0), (100, 204.0, 13.0), (1000, 1830.0, 87.0)):
        last = 20 * samples  # by when a run in a hundred million is not done
        spec = Spec(reference=Uniform(10), samples=samples, generations=last, replicates=2000, seed=2410)
        alive = measured(spec, "survivors", list(range(last + 1)), threads)
        mean, error = mean_of((alive > 1).sum(axis=1).astype(np.float64))
        theory, _ = exact.collapse_time([0.1], [10], samples)
        rows.append(
            Row(
                f"generations until one of 10 categories is left, N = {samples}",
                float(mean),
                float(error),
                exact=float(theory.values),
                published=value,
                tolerance=2 * tolerance,
                note="tolerance: twice the error that the paper states",
            )
        )
    return rows


def _heterozygosity(threads: int | None) -> list[Row]:
    from tailbiter.reference import Zipf
    from tailbiter.spec import Spec

    at = [0, 10, 100, 300]
    spec = Spec(reference=Zipf(100), samples=100, generations=300, replicates=4000, seed=2404)
    values = measured(spec, "gini_simpson", at, threads)
    mean, error = mean_of(values / values[0, 0])
    return [
        Row(
            f"mean Gini-Simpson index over the reference's, N = 100, t = {t}",
            float(mean[i]),
            float(error[i]),
            exact=(1 - 1 / 100) ** t,
        )
        for i, t in enumerate(at)
        if t
    ]


def _accumulate(threads: int | None) -> list[Row]:
    from tailbiter.reference import Uniform
    from tailbiter.regime import Accumulate
    from tailbiter.spec import Spec

    n, last = 100, 1000
    spec = Spec(
        reference=Uniform(50),
        regime=Accumulate(),
        samples=n,
        generations=last,
        replicates=4000,
        seed=2404_01413,
    )
    values = measured(spec, "gini_simpson", [0, last], threads)
    mean, error = mean_of(n * (1 - values[:, 1] / values[:, 0]))
    generations = np.arange(1, last + 1, dtype=np.float64)
    exact = n * -math.expm1(float(np.log1p(-1 / (n * generations**2)).sum()))
    limit = math.pi**2 / 6
    return [
        Row(
            f"variance times N, in units of the first sample's, t = {last}",
            float(mean),
            float(error),
            exact=exact,
            published=limit,
            tolerance=abs(exact - limit),
            note=f"pi^2/6 is the bound for large N and t; at N = {n} and t = {last} the law is {exact:.4f}",
        )
    ]


def _golden_ratio(threads: int | None) -> list[Row]:
    from tailbiter.reference import Uniform
    from tailbiter.regime import Fresh, Mix, Synthetic
    from tailbiter.spec import Spec
    from tailbiter.theory import moments

    weights, blocks = np.linspace(0.45, 0.79, 8), 20
    curve = []
    for weight in weights.tolist():
        sources = (Fresh(share=0.5, weight=weight), Synthetic(weight=1 - weight))
        spec = Spec(
            reference=Uniform(10),
            regime=Mix(sources),
            samples=200,
            generations=30,
            replicates=20_000,
            seed=2502,
            common_random_numbers=True,
        )
        curve.append(measured(spec, "brier", [30], threads)[:, 0].reshape(blocks, -1).mean(axis=1))
    best = np.array([_lowest(weights, np.array(part)) for part in np.transpose(curve)])
    return [
        Row(
            "best weight on human data, as much human as synthetic",
            float(best.mean()),
            float(best.std(ddof=1) / math.sqrt(blocks)),
            exact=None,
            published=(math.sqrt(5) - 1) / 2,
            tolerance=abs((math.sqrt(5) - 1) / 2 - float(moments.best_weight(100, 100).values)) + 0.01,
            note="the least of a cubic through eight weights; tolerance: what cubic and N = 200 leave out",
        )
    ]


def _lowest(at: Floats, values: Floats) -> float:
    """Where a cubic through these values is least."""
    centre = at.mean()
    cubic = np.polynomial.Polynomial.fit(at - centre, values, 3)
    turning = [x.real for x in cubic.deriv().roots() if abs(x.imag) < 1e-12]
    inside = [x for x in turning if cubic.deriv(2)(x) > 0]
    return float(centre + inside[0])


CLAIMS = (
    Claim(
        "forgetting",
        "Suresh, Thangaraj & Khandavally 2025, arXiv 2412.17646",
        "Of 1000 words by a law of Zipf-Mandelbrot, resampled 1000 at a time, so many are left.",
        _forgetting,
    ),
    Claim(
        "one-category",
        "Kazdan, Schaeffer et al. 2025, arXiv 2410.16713",
        "Generations until one category is left grow in proportion to the samples.",
        _one_category,
    ),
    Claim(
        "heterozygosity",
        "Seddik et al. 2024, arXiv 2404.05090",
        "Trained on nothing but synthetic data, diversity falls by the factor 1 - 1/N a generation.",
        _heterozygosity,
    ),
    Claim(
        "accumulate",
        "Gerstgrasser et al. 2024, arXiv 2404.01413; Dey & Donoho 2024, arXiv 2410.22812",
        "Where all data accumulate, error stays within pi^2/6 of the first sample's.",
        _accumulate,
    ),
    Claim(
        "golden-ratio",
        "He, Xu & Cheng 2025, arXiv 2502.18049",
        "With as many human as synthetic samples the best weight on the human ones is .618.",
        _golden_ratio,
    ),
)

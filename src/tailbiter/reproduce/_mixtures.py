# SPDX-License-Identifier: MIT
"""Published results about mixtures, and about Gaussians in many dimensions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ._claim import ERRORS, Claim, Row
from ._words import mean_of, measured

if TYPE_CHECKING:
    import xarray as xr

PARAMETERS = ("weights", "means", "factors")
SNAPSHOTS = (0, 50, 100, 150, 200, 350, 2000)
# Dimensions, and replicates where items of the pool are made again: in more of them a trace varies less.
# Under replace it does not, as what is left of it lies in a few directions, however many there were.
SUBSAMPLES = {1: 1000, 3: 400, 10: 160, 30: 48, 100: 16}
REPLICATES = 1000


def _magnitudes_left(ds: xr.Dataset) -> npt.NDArray[np.float64]:
    """Decimal logarithm of the variance within components over the reference's; [replicates, rows]."""
    weights = ds["weights"].values
    squares = (ds["factors"].values.reshape(*weights.shape, -1) ** 2).sum(axis=-1)
    within = (weights * squares).sum(axis=-1)
    return np.asarray(np.log10(within / within[:, :1]))


def _mixture(threads: int | None) -> list[Row]:
    from tailbiter.density import density_coverage
    from tailbiter.record import Record
    from tailbiter.reference import GaussianMixture
    from tailbiter.simulate import simulate
    from tailbiter.spec import Spec

    means = ((-2.0, 0.0), (2.0, 0.0))
    law = GaussianMixture((0.5, 0.5), means, (((1.0, 0.5), (0.5, 1.0)), ((1.0, -0.5), (-0.5, 1.0))))
    spec = Spec(reference=law, samples=1000, generations=SNAPSHOTS[-1], replicates=32, seed=2305)
    record = Record(generations=SNAPSHOTS, variables=PARAMETERS)
    ds = simulate(spec, record=record, threads=threads)
    note = "the paper shows pictures: at 50 another distribution, at 2000 a state with very little variance"
    rows = []
    for quantity, values, most in (
        ("variance within components, powers of ten", _magnitudes_left(ds), -1.0),
        ("reference mass covered", density_coverage(ds)["coverage"].values, 0.05),
    ):
        mean, error = mean_of(values)
        rows += [
            Row(f"{quantity}, n = 1000, t = {t}", float(mean[i]), float(error[i]), note=note)
            for i, t in enumerate(SNAPSHOTS)
        ]
        rows[-1] = replace(rows[-1], holds=bool(mean[-1] + ERRORS * error[-1] < most))
    return rows


def _dimensions(threads: int | None) -> list[Row]:
    from tailbiter.reference import Gaussian
    from tailbiter.regime import Accumulate, AccumulateSubsample, Replace
    from tailbiter.spec import Spec
    from tailbiter.theory import gaussian

    rows = []
    for regime in (Replace(), Accumulate(), AccumulateSubsample()):
        for d, subsamples in SUBSAMPLES.items():
            spec = Spec(
                reference=Gaussian(dimensions=d),
                regime=regime,
                samples=100,
                generations=100,
                replicates=subsamples if isinstance(regime, AccumulateSubsample) else REPLICATES,
                seed=2410,
            )
            traces = np.exp(measured(spec, "log_trace", [100], threads)[:, 0]) / d
            mean, error = mean_of(traces)
            exact = float(gaussian.spread(spec.composition, 0, [100]).values[0])
            quantity = f"mean trace over the first's, d = {d}, {type(regime).__name__}"
            rows.append(Row(quantity, float(mean), float(error), exact=exact))
    return rows


CLAIMS = (
    Claim(
        "mixture",
        "Shumailov et al. 2024, arXiv 2305.17493",
        "Two components refitted to a thousand samples a generation end in next to no variance.",
        _mixture,
    ),
    Claim(
        "workflows-by-dimension",
        "Kazdan, Schaeffer et al. 2025, arXiv 2410.16713",
        "Whatever the dimension, each way of training leaves its own share of the variance.",
        _dimensions,
    ),
)

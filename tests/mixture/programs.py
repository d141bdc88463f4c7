# SPDX-License-Identifier: MIT
"""Programs for the mixture engine, and laws to put into them."""

from types import SimpleNamespace

import numpy as np

import tailbiter as tb
from tailbiter._compose import compose
from tailbiter._core import em, mixture
from tailbiter._core.common import Control

ALL = tuple(mixture.VARIABLES)
REGIMES = {
    "replace": tb.Replace(),
    "anchored": tb.Anchored(real=0.25),
    "fixed": tb.Anchored(real_count=90, source="fixed"),
    "hoard": tb.Anchored(real_count=60, source="hoard", hoard=500),
    "weighted": tb.Mix((tb.Fresh(share=0.3, weight=0.7), tb.Synthetic(weight=0.3))),
    "accumulate": tb.Accumulate(),
    "fresh, accumulated": tb.Mix((tb.Fresh(share=0.2), tb.Synthetic()), ages="all"),
    "window": tb.Window(2),
    "ages": tb.Mix(ages=(1.0, 0.5, 0.0, 0.25)),
    "subsample": tb.AccumulateSubsample(),
    "half": tb.AccumulateSubsample(101),
}


def random_law(dimension, components, covariance, rng, spread=3.0):
    """A random law: weights, means, factors."""
    shape = em.factor_shape(covariance, components, dimension)
    if covariance in ("spherical", "diagonal"):
        factors = rng.uniform(0.5, 2.0, shape)
    else:
        lower = np.tril_indices(dimension)
        squares = [a @ a.T / dimension for a in rng.normal(size=(shape[0], dimension, dimension))]
        factors = np.array([np.linalg.cholesky(s + 0.3 * np.eye(dimension))[lower] for s in squares])
    means = spread * rng.normal(size=(components, dimension))
    return rng.dirichlet(np.full(components, 3.0)), means, factors


def program(reference, covariance="full", *, regime=None, samples=200, generations=5, **changes):
    """A program of this regime; samples is a number, or one for each generation and the next."""
    sizes = np.broadcast_to(np.asarray(samples, np.uint64), generations + 1).copy()
    made = compose(regime or tb.Replace(), sizes)
    weights, means, factors = reference
    attributes = {
        "key": 0x9E3779B97F4A7C15,
        "samples": made.samples,
        "fresh": made.fresh,
        "kept": made.kept,
        "from_kept": made.from_kept,
        "item_weights": made.item_weights,
        "ages": made.ages,
        "draw": made.draw,
        "at": np.arange(generations + 1, dtype=np.uint32),
        "variables": ALL,
        "weights": weights,
        "means": means,
        "factors": factors,
        "covariance": covariance,
        "start": "warm",
        "floor": 1e-6,
        "tolerance": 1e-3,
        "iterations": 100,
        "memory": 0,
    }
    return SimpleNamespace(**attributes | changes)


def run(given, replicates=1, start=0):
    """Records of replicates start.. of a program."""
    engine = mixture.Engine(given)
    out = engine.outputs(start + replicates)
    engine.run(start, start + replicates, out, Control())
    return {name: values[start:] for name, values in out.items()}

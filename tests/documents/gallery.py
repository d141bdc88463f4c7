# SPDX-License-Identifier: MIT
"""Mixtures of categorical laws and regimes for tests."""

import numpy as np

import tailbiter as tb
from tailbiter._variables import FAMILIES

STYLES = [
    [0.4, 0.3, 0.2, 0.1, 0.0, 0.0],
    [0.0, 0.1, 0.2, 0.2, 0.5, 0.0],
    [0.2, 0.0, 0.0, 0.1, 0.1, 0.6],
]
LAW = tb.CategoricalMixture([0.5, 0.3, 0.2], STYLES, length=[7, 4, 11])
# Words of each component alone: which one wrote a document is plain.
APART = tb.CategoricalMixture([0.6, 0.3, 0.1], np.kron(np.eye(3), [[0.5, 0.3, 0.2]]), length=6)

REGIMES = {
    "replace": tb.Replace(),
    "fresh": tb.Anchored(real=0.3),
    "fixed": tb.Anchored(real=0.3, source="fixed"),
    "golden": tb.Mix((tb.Fresh(share=0.5, weight=0.618), tb.Synthetic(weight=0.382))),
    "fixed, and weighted": tb.Mix((tb.Fixed(count=14, weight=0.7), tb.Synthetic(weight=0.3))),
    "accumulate": tb.Accumulate(),
    "window": tb.Window(2),
    "ages": tb.Mix((tb.Fresh(share=0.25), tb.Synthetic()), ages=(3.0, 0.0, 1.0)),
    "real only": tb.RealOnly(),
}
DRAWN = {
    "subsample": tb.AccumulateSubsample(draw=9),
    "hoard": tb.Anchored(real_count=5, source="hoard", hoard=20),
}
ALL = tb.Record(generations="all", variables=list(FAMILIES["categorical_mixture"].known))


def spec_of(regime=None, reference=LAW, **fields):
    """A Spec of a short run."""
    known = {"samples": [12, 20, 25, 16, 18, 16], "generations": 5, "replicates": 6, "seed": 3}
    return tb.Spec(reference=reference, regime=regime or tb.Replace(), **(known | fields))

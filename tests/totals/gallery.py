# SPDX-License-Identifier: MIT
"""Regimes for runs of sums, and short ways to make and run their Specs."""

import tailbiter as tb

NEWEST = {
    "replace": tb.Replace(),
    "fresh": tb.Anchored(real=0.3),
    "fixed": tb.Anchored(real=0.3, source="fixed"),
    "fixed, and more than the batch": tb.Mix((tb.Fixed(count=9, weight=0.7), tb.Synthetic(weight=0.3))),
    "golden": tb.Mix((tb.Fresh(share=0.5, weight=0.618), tb.Synthetic(weight=0.382))),
    "real only": tb.RealOnly(),
}
SPANNING = {
    "accumulate": tb.Accumulate(),
    "window": tb.Window(3),
    "ages": tb.Mix(ages=(3.0, 0.0, 1.0)),
    "fresh in a window": tb.Mix((tb.Fresh(share=0.25), tb.Synthetic()), ages=(1.0, 1.0)),
    "fresh and all": tb.Mix((tb.Fresh(share=0.25), tb.Synthetic()), ages="all"),
}
REGIMES = NEWEST | SPANNING
LAWS = {"poisson": tb.Poisson(0.4), "exponential": tb.Exponential(2.5)}
ALL = tb.Record(generations="all")


def spec_of(law="poisson", regime=None, **fields):
    """A Spec of a short run; batches differ in size."""
    reference = LAWS[law] if isinstance(law, str) else law
    known = {"samples": [8, 12, 11, 20, 10, 15, 12, 12, 11], "generations": 8, "replicates": 20, "seed": 5}
    return tb.Spec(reference=reference, regime=regime or tb.Replace(), **(known | fields))


def mean_of(law):
    """Name of the variable that holds the model's mean."""
    return "rate" if law == "poisson" else "scale"

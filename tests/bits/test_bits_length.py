# SPDX-License-Identifier: MIT
"""A longer run extends a shorter one, also where what comes later differs in kind from what came before."""

import numpy as np
import pytest

import tailbiter as tb

LATE = [0.0] * 4 + [0.01] * 10
RISING = [0.01] * 4 + [0.9] * 10
SHIFTED = tb.Mix(
    (tb.Fresh(share=0.3, weight=[0.3, 0.3, 0.3, 0.6]), tb.Synthetic(weight=[0.7, 0.7, 0.7, 0.4])),
)
CASES = {
    "shrinking": (5_000, tb.Growth(first=20_000, factor=0.9, step=100), tb.Replace()),
    "anchored": (5_000, 20_000, tb.Anchored(real=0.01)),
    "rising share": (5_000, 20_000, tb.Mix((tb.Fresh(share=RISING), tb.Synthetic()))),
    "late share": (300, 2_000, tb.Mix((tb.Fresh(share=LATE), tb.Synthetic()))),
    "weights that change": (300, 2_000, SHIFTED),
    "window": (300, 2_000, tb.Window(6)),
    "real only": (3_000, 2_000, tb.RealOnly()),
    "large hoard": (3_000, 200, tb.Anchored(real=0.1, source="hoard", hoard=10**12)),
}


@pytest.mark.parametrize("short", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_a_longer_run_extends_a_shorter_one(name: str, short: int) -> None:
    categories, samples, regime = CASES[name]
    reference = tb.Zipf(categories=categories)
    everything = tb.Record(generations="all")
    runs = [
        tb.simulate(
            tb.Spec(reference=reference, regime=regime, samples=samples, generations=t, replicates=4, seed=1),
            record=everything,
            threads=1,
        )
        for t in (short, 9)
    ]
    for variable, values in runs[0].data_vars.items():
        longer = runs[1][variable].sel(generation=runs[0].generation)
        np.testing.assert_array_equal(values, longer, err_msg=str(variable))

# SPDX-License-Identifier: MIT
"""On which side of a threshold a mean of shares lies, by evidence that may be looked at at any time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tailbiter.testing._evidence import Known, Sums

__all__ = ["interval", "side_evidence"]

Floats = npt.NDArray[np.float64]

HALVINGS = 40
# What is known of shares.
OF_SHARES = Known(np.asarray(0.0), np.asarray(1.0), None, None)


def side_evidence(values: Floats, threshold: float, side: str) -> float:
    """Log evidence that the mean of independent values in [0, 1] lies above or below a threshold.

    Parameters
    ----------
    values : float64[n]
        In [0, 1].
    threshold : float
        The null hypothesis is that their mean does not lie beyond it.
    side : {"above", "below"}
        Beyond on which side.

    Returns
    -------
    float
        Natural logarithm of an e-value: under the null hypothesis it ever reaches ``log(1/rate)`` with
        probability at most ``rate``, however often one looks (`tailbiter.testing`, `above_by_bound` and
        `above_by_coin`).
    """
    centre, none = np.asarray(threshold), np.asarray(0.0)
    sums = Sums.of(values, centre)
    test = OF_SHARES.above if side == "above" else OF_SHARES.below
    return float(test(sums, centre, none))


def interval(values: Floats, rate: float) -> tuple[float, float]:
    """Return between what the mean of values in [0, 1] lies, but for probability ``rate``, at any time."""
    if not len(values):
        return 0.0, 1.0
    mean, needed = float(values.mean()), math.log(2.0 / rate)

    def end(outer: float, side: str) -> float:
        """The farthest threshold that is not refuted; the mean itself never is."""
        inner = mean
        if side_evidence(values, outer, side) < needed:
            return outer
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            if side_evidence(values, middle, side) < needed:
                inner = middle
            else:
                outer = middle
        return inner

    return end(0.0, "above"), end(1.0, "below")

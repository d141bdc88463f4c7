# SPDX-License-Identifier: MIT
"""The product-limit estimate of a distribution of times, some of which were not seen to their end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A share of one half is one, whatever the rounding of its factors.
ROUNDING = 1e-9


def kaplan_meier(time: npt.ArrayLike, observed: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Estimate which share lasts longer than each time (Kaplan & Meier 1958, doi:10.2307/2281868).

    Parameters
    ----------
    time : float[n]
        When something happened, or until when it had not.
    observed : bool[n]
        Whether it happened; else the time is censored.

    Returns
    -------
    times, surviving : float64[m]
        Distinct times at which it happened, ascending, and the share to which it has not happened by then.

    Examples
    --------
    >>> times, surviving = kaplan_meier([1, 2, 2, 3], [True, True, False, True])
    >>> times.tolist(), surviving.tolist()
    ([1.0, 2.0, 3.0], [0.75, 0.5, 0.0])
    """
    when, seen = np.asarray(time, dtype=np.float64), np.asarray(observed, dtype=bool)
    times = np.unique(when[seen])
    at_risk = np.array([np.sum(when >= t) for t in times], dtype=np.float64)
    events = np.array([np.sum(seen & (when == t)) for t in times], dtype=np.float64)
    return times, np.cumprod(1.0 - events / at_risk).astype(np.float64)


def median(time: npt.ArrayLike, observed: npt.ArrayLike) -> float:
    """First time by which half has happened; NaN where that was not seen.

    Parameters
    ----------
    time, observed
        As for `kaplan_meier`.

    Returns
    -------
    float
    """
    times, surviving = kaplan_meier(time, observed)
    half = np.flatnonzero(surviving <= 0.5 + ROUNDING)
    return float(times[half[0]]) if half.size else float("nan")

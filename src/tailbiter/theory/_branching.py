# SPDX-License-Identifier: MIT
"""Descent of a rare item: the numbers behind the branching limit."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from ._result import Floats

__all__ = ["EULER", "SHIFT", "first_below", "lifetime", "survival"]

EULER = 0.5772156649015329
# lim t - 2/g_t + ln(1/g_t)/3, where g_1 = 1 and g_{t+1} = 1 - exp(-g_t).
SHIFT = -1.029297214418
_TABLE = 4096


def survival(alpha: float, last: int) -> Floats:
    """Return ``u_0 .. u_last``: the chance that an item's line reaches s generations on.

    ``u_0 = 1``, ``u_{s+1} = 1 - exp(-(1 - alpha) u_s)``: Poisson many copies, ``1 - alpha`` on average.
    """
    out = np.zeros(last + 1)
    u = 1.0
    for s in range(last + 1):
        out[s] = u
        u = -math.expm1((alpha - 1.0) * u)
        if u == 0.0:
            break
    return out


def lifetime(alpha: float) -> float:
    """Return the expected generations that an item's line lasts, its own included: the sum of all ``u_s``.

    Where alpha is small the sum is ended by that of ``1/u' = 1/((1 - alpha) u) + 1/2``, to 1e-4 in all.
    """
    total, u = 0.0, 1.0
    least = 1e-4 if alpha < 0.01 else 1e-17
    while u > least:
        total += u
        u = -math.expm1((alpha - 1.0) * u)
    if alpha >= 0.01:
        return total
    rate, half = -math.log1p(-alpha), (1.0 - alpha) / (2.0 * alpha)
    speed = (1.0 / u + half) * rate * u * u  # minus the derivative of u
    return total + math.log1p(half * u) / (rate * half) + u / 2.0 + speed / 12.0


def first_below(level: npt.ArrayLike) -> Floats:
    """Return the first generation t with ``g_t = u_{t-1} <= level`` where nothing human is added."""
    g = np.asarray(level, dtype=np.float64)
    table = _table()
    near = np.searchsorted(-table, -g, side="left") + 1.0
    r = 1.0 / np.minimum(g, 0.1)  # the series is for the far end alone
    far = np.ceil(2.0 * r - np.log(r) / 3.0 + 1.0 / (36.0 * r) + SHIFT)
    return np.where(g >= table[-1], near, far)


@cache
def _table() -> Floats:
    return survival(0.0, _TABLE - 1)

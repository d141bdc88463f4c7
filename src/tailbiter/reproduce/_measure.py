# SPDX-License-Identifier: MIT
"""What all measurements share: values of one variable, estimates with their errors, a search by halving."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._claim import ERRORS

if TYPE_CHECKING:
    from tailbiter.spec import Spec

__all__ = ["Floats", "expected", "halved", "jackknifed", "mean_of", "measured"]

Floats = npt.NDArray[np.float64]
ONE_SIDE = 2.866516e-7  # of a normal law, beyond five standard deviations


def measured(spec: Spec, variable: str, at: list[int], threads: int | None) -> Floats:
    """Values of one variable, ``[replicates, len(at)]``."""
    from tailbiter.record import Record
    from tailbiter.simulate import simulate

    ds = simulate(spec, record=Record(generations=tuple(at), variables=(variable,)), threads=threads)
    return np.asarray(ds[variable].values, np.float64)


def expected(spec: Spec, variable: str, at: list[int]) -> Floats:
    """The same by theory, ``[len(at)]``."""
    from tailbiter.predict import predict
    from tailbiter.record import Record

    ds = predict(spec, record=Record(generations=tuple(at), variables=(variable,)))
    return np.asarray(ds[variable].values, np.float64)


def mean_of(values: Floats) -> tuple[Any, Any]:
    """Means over replicates, and their standard errors.

    Those of few replicates are widened by Student's law, so that five of them mean as much as of many.
    """
    from scipy.special import stdtrit

    widened = -stdtrit(len(values) - 1, ONE_SIDE) / ERRORS
    return values.mean(axis=0), widened * values.std(axis=0, ddof=1) / math.sqrt(len(values))


def jackknifed(values: Floats, estimate: Callable[[Floats], float], groups: int = 200) -> tuple[float, float]:
    """What is estimated from means over replicates, the first axis, and its standard error.

    Each of so many groups of replicates is left out once.
    """
    parts = values.reshape(groups, -1, *values.shape[1:]).mean(axis=1)
    whole = parts.mean(axis=0)
    each = np.array([estimate(whole + (whole - part) / (groups - 1)) for part in parts])
    return estimate(whole), float(each.std() * math.sqrt(groups - 1))


def halved(broken: Callable[[float], bool], low: float, high: float, steps: int) -> tuple[float, float]:
    """Where something breaks between ``low`` (whole) and ``high`` (broken): middle and half of the bracket.

    A bracket whose ends are not of these two kinds has no such place: NaN.
    """
    if broken(low) or not broken(high):
        return math.nan, 0.0
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (low, middle) if broken(middle) else (middle, high)
    return (low + high) / 2, (high - low) / 2

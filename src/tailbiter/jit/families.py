# SPDX-License-Identifier: MIT
"""Families written as users write theirs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tailbiter.jit import draws
from tailbiter.jit._family import Family

__all__ = ["laplace", "log_normal", "student_t"]

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_STEPS = 20  # of a fit that has no closed form; the next begins where it ends
_NEAR = 1e-12  # of the scale


def laplace_log_density(x: Any, p: Any) -> Any:
    """Log-density of the Laplace law; parameters: location, scale."""
    return -abs(x - p[0]) / p[1] - math.log(2.0 * p[1])


def laplace_fit(x: Any, w: Any, p: Any, floor: Any) -> None:
    """Weighted median, and the mean distance from it (its variance, 2 scale^2, at least the floor)."""
    order = np.argsort(x)
    half, below, at = 0.5 * w.sum(), 0.0, 0
    for i in range(len(order)):
        at = order[i]
        below += w[at]
        if below >= half:
            break
    p[0] = x[at]
    p[1] = max((w * np.abs(x - p[0])).sum() / w.sum(), math.sqrt(0.5 * floor))


def laplace_sample(p: Any, at: Any) -> Any:
    """One of two exponentials, to either side."""
    side = draws.below(at, 2)
    return p[0] + (2 * side - 1) * p[1] * draws.exponential(at)


def log_normal_log_density(x: Any, p: Any) -> Any:
    """Log-density of the log-normal law; parameters: mean and deviation of the logarithm."""
    if x <= 0.0:
        return -np.inf
    log_x = math.log(x)
    z = (log_x - p[0]) / p[1]
    return -0.5 * z * z - log_x - math.log(p[1]) - _HALF_LOG_TWO_PI


def log_normal_fit(x: Any, w: Any, p: Any, floor: Any) -> None:
    """Mean and variance of the logarithms, the floor added to the variance."""
    total = w.sum()
    mean = (w * np.log(x)).sum() / total
    p[0] = mean
    p[1] = math.sqrt((w * (np.log(x) - mean) ** 2).sum() / total + floor)


def log_normal_sample(p: Any, at: Any) -> Any:
    """The exponential of a normal."""
    return math.exp(p[0] + p[1] * draws.normal(at))


def student_t_log_density(x: Any, p: Any) -> Any:
    """Log-density of Student's t; parameters: location, scale, degrees of freedom."""
    z = (x - p[0]) / p[1]
    half = 0.5 * (p[2] + 1.0)
    level = math.lgamma(half) - math.lgamma(0.5 * p[2]) - 0.5 * math.log(math.pi * p[2])
    return level - math.log(p[1]) - half * math.log1p(z * z / p[2])


def student_t_fit(x: Any, w: Any, p: Any, floor: Any) -> None:
    """Location and scale by the EM of Lange, Little & Taylor 1989; the degrees of freedom stay."""
    total = w.sum()
    for _ in range(_STEPS):
        z = (x - p[0]) / p[1]
        u = w * (p[2] + 1.0) / (p[2] + z * z)
        location = (u * x).sum() / u.sum()
        scale = math.sqrt((u * (x - location) ** 2).sum() / total + floor)
        moved = abs(location - p[0]) + abs(scale - p[1])
        p[0], p[1] = location, scale
        if moved < _NEAR * scale:
            break


def student_t_sample(p: Any, at: Any) -> Any:
    """A normal over the root of a mean square."""
    return p[0] + p[1] * draws.student_t(at, p[2])


laplace = Family(
    "laplace",
    laplace_log_density,
    laplace_fit,
    laplace_sample,
    parameters={"location": 0.0, "scale": 1.0},
)
log_normal = Family(
    "log_normal",
    log_normal_log_density,
    log_normal_fit,
    log_normal_sample,
    parameters={"log_mean": 0.0, "log_sd": 1.0},
)
student_t = Family(
    "student_t",
    student_t_log_density,
    student_t_fit,
    student_t_sample,
    parameters={"location": 0.0, "scale": 1.0, "freedom": 4.0},
)

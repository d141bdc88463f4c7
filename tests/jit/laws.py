# SPDX-License-Identifier: MIT
"""Families as users write them, for these tests; and functions that are wrong."""

import math

import numba
import numpy as np

from tailbiter.jit import Family, draws

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def normal_log_density(x, p):
    z = (x - p[0]) / p[1]
    return -0.5 * z * z - math.log(p[1]) - HALF_LOG_TWO_PI


def normal_fit(x, w, p, floor):
    total, mean, spread = 0.0, 0.0, 0.0
    for i in range(len(x)):
        total += w[i]
        mean += w[i] * x[i]
    mean /= total
    for i in range(len(x)):
        spread += w[i] * (x[i] - mean) ** 2
    p[0], p[1] = mean, math.sqrt(spread / total + floor)


def normal_sample(p, at):
    return p[0] + p[1] * draws.normal(at)


NAMES = {"mean": 0.0, "sd": 1.0}
normal = Family("normal", normal_log_density, normal_fit, normal_sample, parameters=NAMES)


def plane_log_density(x, p):
    total = -2 * HALF_LOG_TWO_PI - math.log(p[2]) - math.log(p[3])
    for j in range(2):
        total -= 0.5 * ((x[j] - p[j]) / p[2 + j]) ** 2
    return total


def plane_fit(x, w, p, floor):
    total = w.sum()
    for j in range(2):
        p[j] = (w * x[:, j]).sum() / total
        p[2 + j] = math.sqrt((w * (x[:, j] - p[j]) ** 2).sum() / total + floor)


def plane_sample(p, at, x):
    for j in range(2):
        x[j] = p[j] + p[2 + j] * draws.normal(at)


plane = Family(
    "plane",
    plane_log_density,
    plane_fit,
    plane_sample,
    parameters={"mean_x": 0.0, "mean_y": 0.0, "sd_x": 1.0, "sd_y": 1.0},
    dimension=2,
)


density = numba.njit(nogil=True, error_model="numpy")(normal_log_density)
fitted = numba.njit(nogil=True, error_model="numpy")(normal_fit)
item = numba.njit(nogil=True, error_model="numpy")(normal_sample)


def too_wide_sample(p, at):
    """Wrong on purpose: a deviation 3 % too large."""
    return p[0] + 1.03 * p[1] * draws.normal(at)


def unweighted_fit(x, w, p, floor):
    """Wrong on purpose: weights are left out."""
    fitted(x, np.ones(len(x)), p, floor)


# What goes wrong in the family below: the value of its third parameter.
(IN_DENSITY, IN_FIT, IN_SAMPLE, NO_NUMBER, NOWHERE, NO_PARAMETER, FAR) = range(1, 8)


def failing_log_density(x, p):
    if p[2] == IN_DENSITY and x > 2.5:
        raise ArithmeticError("too far out")
    if p[2] == NOWHERE:
        return -math.inf
    return math.sqrt(-p[2]) if p[2] == NO_NUMBER else density(x, p)


def failing_fit(x, w, p, floor):
    if p[2] == IN_FIT and p[0] != 0.0:
        raise ValueError("the mean has moved")
    fitted(x, w, p, floor)
    if p[2] == NO_PARAMETER:
        p[1] = math.inf


def failing_sample(p, at):
    if p[2] == IN_SAMPLE and p[0] != 0.0:
        raise RuntimeError("no more items")
    return math.inf if p[2] == FAR else item(p, at)


failing = Family(
    "failing", failing_log_density, failing_fit, failing_sample, parameters={**NAMES, "what": 0.0}
)


def untyped(x, p):
    return x + "a"


def unknown(x, p):
    return no_such_name(x)  # noqa: F821  # that is the point


def returns_text(x, p):
    return "a"


def returns_fit(x, w, p, floor):
    return 1.0


def reads_beyond(x, p):
    return -x * x - p[7]


def fits_beyond(x, w, p, floor):
    p[5] = (x * w).sum() + floor

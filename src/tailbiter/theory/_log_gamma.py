# SPDX-License-Identifier: MIT
"""Products of independent chi-squares over their degrees of freedom: moments of any power, and the law."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ._result import Floats

__all__ = ["log_mean", "log_moment", "product_tail"]

Numbers = npt.NDArray[np.inexact]
_LARGE = 40.0  # Stirling's five terms leave 1e-19 from here on
_NOTHING = -746.0  # exp(-746) is 0
_DEEP = 42.0  # exp(-42) is below the rounding of 1


def log_moment(half: Floats, power: complex | Numbers) -> Numbers:
    """``ln E (X/a)^power`` of a gamma variable X of shape a = ``half``: ``ln G(a+s) - ln G(a) - s ln a``.

    Exact to 1e-13 of itself also where a is so large that it is near 0. ``half`` and ``power`` broadcast;
    the real part of ``power`` must exceed ``-half``.
    """
    from scipy.special import loggamma

    a, s = np.broadcast_arrays(np.asarray(half, dtype=np.float64), np.asarray(power) + 0.0)
    out = np.empty(a.shape, dtype=s.dtype)
    large = (a >= _LARGE) & (a + s.real >= _LARGE)
    b, p = a[large], s[large]
    x = p / b
    out[large] = (b + p - 0.5) * _log_minus(x) + p * (p - 0.5) / b + (_stirling(b + p) - _stirling(b))
    b, p = a[~large], s[~large]
    out[~large] = loggamma(b + p) - loggamma(b) - p * np.log(b)
    return out


def _stirling(z: Numbers) -> Numbers:
    """``ln G(z) - (z - 1/2) ln z + z - ln(2 pi)/2``."""
    w = 1.0 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z


def _log_minus(x: Numbers) -> Numbers:
    """``ln(1 + x) - x``, by its series where x is small."""
    small = np.abs(x) < 0.05
    y = np.where(small, x, 0.0)
    series = np.zeros_like(y)
    for k in range(13, 1, -1):
        series = (-1.0) ** (k + 1) / k + y * series
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(small, y * y * series, np.log(1.0 + x) - x)


def log_mean(half: Floats) -> Floats:
    """``E ln(X/a)`` of a gamma variable of shape a: ``psi(a) - ln a``."""
    from scipy.special import psi

    a = np.asarray(half, dtype=np.float64)
    w = 1.0 / (a * a)
    far = -0.5 / a - w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w / 240)))
    return np.where(a >= _LARGE, far, psi(a) - np.log(a))


def product_tail(half: Floats, copies: Floats, level: float) -> float:
    """``P(prod of X/a > exp(level))`` for ``copies`` independent gamma variables of each shape ``half``.

    The moments' inverse transform, along the vertical line through the saddle point of the integrand, by the
    trapezoid rule: what it leaves out falls exponentially in its step, so the smaller of the two tails is
    exact to about 1e-12 of itself.
    """

    def log_mgf(s: Numbers) -> Numbers:
        return copies @ log_moment(half[:, None], np.atleast_1d(s)[None, :])

    above = level >= float(copies @ log_mean(half))
    bound = math.inf if above else float(half.min())
    c = _saddle(log_mgf, level, 1.0 if above else -1.0, bound)
    if c == 0.0:
        return 0.0 if above else 1.0
    # The rule's error is the tilted tail, one reach away: so many of its widths, as it is and as tilted.
    widths = (1.0 / abs(c), _sd(half, copies), _sd(half + c, copies))
    reach = _DEEP * max(widths)
    tail = abs(_line(log_mgf, level, c, 2.0 * math.pi / reach))
    return tail if above else 1.0 - tail


def _sd(half: Floats, copies: Floats) -> float:
    from scipy.special import polygamma

    return math.sqrt(float(copies @ polygamma(1, half)))


def _saddle(log_mgf: Callable[[Numbers], Numbers], level: float, sign: float, bound: float) -> float:
    """Where ``log_mgf(c) - c level - ln |c|`` is least, on one side of 0 and within ``bound``.

    Returns 0 where a point on the way there shows, by Markov's inequality, that the tail is below doubles.
    """
    from scipy.optimize import brentq

    def exponent(size: float) -> float:
        return float(log_mgf(np.array([sign * size]))[0]) - sign * size * level

    def slope(size: float) -> float:
        c = sign * size
        step = 1e-20 * size
        return sign * float(log_mgf(np.array([c + 1j * step]))[0].imag / step - level) - 1.0 / size

    low = min(1.0, 0.5 * bound)
    while slope(low) > 0.0:
        low *= 0.5
    high = low
    while slope(high) < 0.0:
        if exponent(high) < _NOTHING:
            return 0.0
        high = 2.0 * high if math.isinf(bound) else 0.5 * (high + bound)
    if exponent(high) < _NOTHING:
        return 0.0
    return sign * (brentq(slope, low, high, xtol=1e-6 * low, rtol=1e-6) if high > low else low)


def _line(log_mgf: Callable[[Numbers], Numbers], level: float, c: float, step: float) -> float:
    """``1/(2 pi i)`` times the integral of ``exp(log_mgf(s) - s level)/s`` along ``Re s = c``."""
    total, first, chunk = 0.0, 0, 64
    scale = float(log_mgf(np.array([c + 0j]))[0].real) - c * level
    while True:
        s = c + 1j * step * np.arange(first, first + chunk)
        values = np.exp(log_mgf(s) - s * level - scale) / s
        total += float(values.real.sum()) - (0.5 * float(values[0].real) if first == 0 else 0.0)
        if abs(values[-1]) * abs(c) < math.exp(-_DEEP):
            return total * step / math.pi * math.exp(scale)
        first, chunk = first + chunk, 2 * chunk

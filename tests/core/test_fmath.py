# SPDX-License-Identifier: MIT
"""Elementary functions of the core against 60-digit arithmetic."""

import math
import random

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from tailbiter._core import fmath

COUNT = 1500


def ulps(got: float, exact: mpf) -> float:
    """Distance in units in the last place of the exact value."""
    nearest = float(exact)
    return float(abs(mpf(got) - exact) / math.ulp(nearest)) if math.isfinite(nearest) else math.inf


def stirling_error(n: mpf) -> mpf:
    return mpmath.loggamma(n + 1) - (n + mpf(1) / 2) * mpmath.log(n) + n - mpmath.log(2 * mpmath.pi) / 2


class Draw:
    """Arguments from everywhere that a function treats in its own way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def many(self, draw) -> list:
        return [draw() for _ in range(COUNT)]

    def size(self, low: float, high: float) -> list[float]:
        """Magnitudes log-uniform between powers of two."""
        return self.many(lambda: 2.0 ** self.random.uniform(low, high))

    def signed(self, low: float, high: float) -> list[float]:
        return [x * self.random.choice((-1.0, 1.0)) for x in self.size(low, high)]

    def flat(self, low: float, high: float) -> list[float]:
        return self.many(lambda: self.random.uniform(low, high))


def arguments(name: str) -> list[float]:
    d = Draw(1851)
    near_one = [1 + x for x in d.signed(-52, -1)]
    return {
        "log": [*d.size(-1022, 1023), *near_one, *d.size(-1074, -1022), *d.flat(0.5, 2.0)],
        "log1p": [*d.signed(-60, -0.001), *d.size(-2, 1023), *[x - 1 for x in d.size(-53, -1)]],
        "exp": [*d.flat(-708, 709.7), *d.signed(-60, 3)],
        "expm1": [*d.flat(-40, 709.7), *d.signed(-60, 2), *d.flat(-0.3, 0.3)],
        "erf": [*d.signed(-60, -1), *d.flat(-6, 6), *d.flat(0.4, 1.2)],
        "erfc": [*d.signed(-60, -1), *d.flat(-6, 26.5), *d.flat(0.2, 1.2)],
        "stirling_error": [float(n) for n in range(1, 200)] + [float(int(x)) for x in d.size(4, 53)],
    }[name]


# The bounds are the largest errors measured, rounded up.
@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("log", 0.51),
        ("log1p", 0.51),
        ("exp", 0.6),
        ("expm1", 0.7),
        ("erf", 1.2),
        ("erfc", 1.6),
        ("stirling_error", 2.2),
    ],
)
def test_function_is_accurate(scalar, name, bound):
    function, exact = getattr(scalar, f"tb_{name}"), globals().get(name) or getattr(mpmath, name)
    with mp.workprec(260):
        worst = max((ulps(function(x), exact(mpf(x))), x) for x in arguments(name))
    assert worst[0] <= bound, f"{worst[0]:.2f} ulp at {worst[1]!r}"


def test_power_is_accurate(scalar):
    d = Draw(1852)
    bases = [*d.size(-1022, 1023), *[1 + x for x in d.signed(-50, -1)], *d.size(-1074, -1022)]
    pairs = [(x, d.random.uniform(-700, 700) / math.log(x)) for x in bases if x != 1]
    pairs += [(float(d.random.randint(1, 10**7)), -1.1) for _ in range(COUNT)]
    with mp.workprec(260):
        worst = max((ulps(scalar.tb_pow(x, y), mpmath.power(mpf(x), mpf(y))), x, y) for x, y in pairs)
    assert worst[0] <= 0.52, f"{worst[0]:.2f} ulp at {worst[1:]!r}"


def test_subnormal_results_lose_no_more_than_their_last_bit(scalar):
    for x in Draw(1853).flat(-745.1, -708.4):
        assert abs(mpf(scalar.tb_exp(x)) - mpmath.exp(mpf(x))) < 5e-324


def test_arrays_hold_the_scalar_values(scalar):
    x, y = np.array(Draw(1854).size(-40, 40)), np.array(Draw(1855).flat(-9.0, 9.0))
    assert fmath.log_array(x).tolist() == [scalar.tb_log(v) for v in x]
    assert fmath.exp_array(y).tolist() == [scalar.tb_exp(v) for v in y]
    assert fmath.pow_array(x, y).tolist() == [scalar.tb_pow(*v) for v in zip(x, y, strict=True)]
    assert fmath.pow_array(x, y[:1]).tolist() == [scalar.tb_pow(v, y[0]) for v in x]
    assert fmath.pow_array(x[:1], y).tolist() == [scalar.tb_pow(x[0], v) for v in y]


def test_power_arrays_must_match():
    with pytest.raises(ValueError, match="x has 2 elements and y has 3"):
        fmath.pow_array(np.ones(2), np.ones(3))
    assert len(fmath.pow_array(np.ones(1), np.ones(0))) == 0

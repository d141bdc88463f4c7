# SPDX-License-Identifier: MIT
"""Numbers of ancestors as sums of independent Bernoulli variables, known by three power sums.

Let A have a generating polynomial ``f(x) = E x^A`` with real, non-positive zeros only: A is then distributed
as a sum of independent Bernoulli variables of some probabilities p_j. Throw A balls into N boxes and let A'
count the boxes hit. Then ``E x^A' = E f(Bin(N, x)/N)``, and with ``v = x/(1-x)`` this is ``(1-x)^N`` times
``f(D/N) (1+v)^N``, where ``D = v d/dv``. Each factor ``D/N + r`` with r >= 0 keeps all zeros v in [-1, 0]
(Rolle), which are zeros x <= 0. So every A that a deterministic number of balls leads to is again such a sum
(after any number of throws, of any sizes; also where some boxes are not counted, or count with a weight in
[0, 1]: then by the theorem of Grace, Walsh and Szego on symmetric multi-affine polynomials).

What is followed are the sums ``S_k = p_1^k + p_2^k + ...`` for k = 1, 2, 3, each with a proved radius. They
give

    L(z) = -log E (1-z)^A = S_1 z + S_2 z^2/2 + S_3 z^3/3 + ...

with the rest between bounds, since ``S_3 (S_3/S_2)^(k-3) <= S_k <= S_3``. The empty boxes of a throw have
factorial moments ``N (N-1) ... exp(-L(j/N))``, where z is tiny: a throw loses next to nothing at any N.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ._result import Floats

__all__ = ["Differences", "Sums", "advance", "certain", "log_absence", "take", "throw"]

_ROUNDING = 4e-15  # of one throw, relative to each sum
_SMALL = 0.1  # below it divided differences are taken from their series
_NEAR_ONE = 0.98  # tangent points stop short of 1, where divided differences lose digits


class Sums(NamedTuple):
    """Power sums 1 to 3 of the probabilities, and the radius within which each is known."""

    first: Floats
    second: Floats
    third: Floats
    radius1: Floats
    radius2: Floats
    radius3: Floats


class Differences(NamedTuple):
    """Differences over j of ``-ln M_j``, M_j the chance (or weight) that j given boxes stay empty, at j = 0.

    The first, second and third, each with its radius.
    """

    ell: Floats
    bend: Floats
    twist: Floats
    radius1: Floats
    radius2: Floats
    radius3: Floats


def certain(count: Floats) -> Sums:
    """Sums of a number that is not random."""
    return Sums(*(np.array(count, dtype=float) for _ in range(3)), *np.zeros((3, *np.shape(count))))


def take(sums: Sums, where: Any) -> Sums:
    """Entries of every field."""
    return Sums(*(field[where] for field in sums))


def throw(sums: Sums, boxes: int, counted: int) -> Sums:
    """Sums of the number of `counted` boxes that A balls hit, thrown into `boxes` boxes."""
    return advance(_differences(sums, np.asarray(float(boxes))), np.asarray(float(counted)))


def tails(sums: Sums) -> tuple[Floats, Floats]:
    """Upper bound of all power sums beyond the third, and the least ratio of one to the one before."""
    high = sums.third + sums.radius3
    low = np.maximum(sums.third - sums.radius3, 0.0)
    scale = sums.second + sums.radius2
    return high, np.divide(low, scale, out=np.zeros_like(low), where=scale > 0)


def _differences(sums: Sums, boxes: Floats) -> Differences:
    one = 1.0 / boxes
    a, b, c = sums.first * one, sums.second * one**2, sums.third * one**3
    ra, rb, rc = sums.radius1 * one, sums.radius2 * one**2, sums.radius3 * one**3
    value, radius = _beyond_third(sums, one)
    return Differences(
        a + b / 2 + c / 3 + value[0],
        b + 2 * c + value[1],
        2 * c + value[2],
        ra + rb / 2 + rc / 3 + radius[0],
        rb + 2 * rc + radius[1],
        2 * rc + radius[2],
    )


def _beyond_third(sums: Sums, one: Floats) -> tuple[list[Floats], list[Floats]]:
    """What power sums from the fourth on add to the three differences, and how far off that may be."""
    high, ratio = tails(sums)
    low = high * 0 + np.maximum(sums.third - sums.radius3, 0.0)
    value, radius = [0.0 * high] * 3, [0.0 * high] * 3
    for k in range(4, 8):
        low = low * ratio
        for j, weight in enumerate((1.0, 2.0**k - 2.0, 3.0**k - 3.0 * 2.0**k + 3.0)):
            scale = weight / k * one**k
            value[j] = value[j] + scale * (low + high) / 2
            radius[j] = radius[j] + scale * (high - low) / 2
    rest = [high * (j * one) ** 8 / (8 * (1.0 - j * one)) for j in (1, 2, 3)]
    return value, [r + more for r, more in zip(radius, rest, strict=True)]


def advance(differences: Differences, counted: Floats) -> Sums:
    """Sums of the number of boxes hit among `counted`, from what is known of the empty ones.

    With ``w = exp(-ell)`` the factorial cumulants of the number of empty boxes are brought to those of the
    hit ones by hand: all leading powers of N cancel there and not in the arithmetic. Radii go by the mean
    value theorem, with each factor at its largest; a difference off by more than 1 says nothing.
    """
    ell, bend, twist, *radii = differences
    r1, r2, r3 = (np.minimum(radius, 1.0) for radius in radii)
    n = counted
    pairs, triples = n * (n - 1.0), n * (n - 1.0) * (n - 2.0) / 2.0
    w, hit = np.exp(-ell), -np.expm1(-ell)
    u, eps = -np.expm1(-bend), -np.expm1(-twist)
    kappa = (1.0 - u) ** 3 * eps - 3.0 * u**2 + u**3
    first = n * hit
    second = n * hit**2 + pairs * w**2 * u
    third = n * hit**3 + 3.0 * pairs * w**2 * hit * u + triples * w**3 * kappa
    top, hits = np.minimum(w * np.exp(r1), 1.0), hit + r1
    ut, et = u + r2, np.abs(eps) + r3
    kt, rk = et + 3 * ut**2 + ut**3, r3 + (3 * et + 6 * ut + 3 * ut**2) * r2
    radius1 = n * top * r1
    radius2 = 2 * n * hits * top * r1 + pairs * top**2 * (2 * ut * r1 + r2)
    radius3 = (
        3 * n * hits**2 * top * r1
        + 3 * pairs * top**2 * ((2 * hits + top) * ut * r1 + hits * r2)
        + triples * top**3 * (3 * kt * r1 + rk)
    )
    radius1 = radius1 + _ROUNDING * first
    radius2 = radius2 + _ROUNDING * second
    radius3 = radius3 + _ROUNDING * (second + np.abs(third))
    first, radius1 = _within(first, radius1, 0.0 * n, n)
    second, radius2 = _within(second, radius2, 0.0 * n, first + radius1)
    third, radius3 = _within(third, radius3, 0.0 * n, second + radius2)
    return Sums(first, second, third, radius1, radius2, radius3)


def _within(centre: Floats, radius: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Use what holds of itself, ``low <= truth <= high``, where a radius says less."""
    low, high = np.maximum(centre - radius, low), np.minimum(centre + radius, high)
    centre = np.clip(centre, low, high)
    return centre, np.minimum(np.maximum(high - centre, centre - low), radius)


def log_absence(sums: Sums, z: Floats) -> tuple[Floats, Floats]:
    """Lower and upper bound of ``L(z) = -log E (1-z)^A`` for z in [0, 1).

    ``L`` is the integral of ``phi(p) = -log(1 - z p)/p`` over the points p_j with weights p_j, of which three
    moments are known. All derivatives of phi are positive, so the parabola through phi at 0 and tangent at
    any r lies below it on [0, 1], and the one tangent at r and through phi at 1 lies above. The r chosen are
    the atoms of the extreme measures (Chebyshev, Markov, Krein).
    """
    s1, s2, s3 = sums[:3]
    r = np.clip(_ratio(s3, s2), 0.0, _NEAR_ONE)
    s = z * r
    _, g1, _, g2 = _series(s)
    low = _line(sums, (z, z**2 * (g1 - s * g2), z**3 * g2), -1.0)
    atom = np.maximum(_ratio(s1 * s3 - s2**2, s1 - 2.0 * s2 + s3), 0.0)
    r = np.clip(_ratio(s2 - atom, s1 - atom), 0.0, _NEAR_ONE)
    s = z * r
    g, _, slope, _ = _series(s)
    value, slope = z * g, z**2 * slope
    bend = ((-np.log1p(-z) - value) / (1.0 - r) - slope) / (1.0 - r)
    high = _line(sums, (value - slope * r + bend * r**2, slope - 2.0 * bend * r, bend), 1.0)
    rounding = 1e-12 * np.abs(low)
    return np.maximum(low - rounding, 0.0), np.maximum(high, low) + rounding


def _line(sums: Sums, weights: tuple[Floats, Floats, Floats], side: float) -> Floats:
    value = radius = np.zeros(())
    for weight, centre, off in zip(weights, sums[:3], sums[3:], strict=True):
        value = value + weight * centre
        radius = radius + np.abs(weight) * off
    return np.asarray(value + side * radius)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom > 0)


def _series(s: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """``g = -log(1-s)/s``, ``g1 = (g-1)/s``, ``g'`` and ``g2 = (g'-g1)/s``, at s in [0, 1)."""
    small = np.minimum(s, _SMALL)
    g1, g2 = np.zeros_like(s), np.zeros_like(s)
    for k in range(17, 0, -1):
        g1 = g1 * small + 1.0 / (k + 1)
        g2 = g2 * small + (k / (k + 2.0))
    large = np.maximum(s, _SMALL)
    g = -np.log1p(-large) / large
    big1 = (g - 1.0) / large
    big2 = ((1.0 / (1.0 - large) - g) / large - big1) / large
    tiny = s < _SMALL
    g1, g2 = np.where(tiny, g1, big1), np.where(tiny, g2, big2)
    return 1.0 + s * g1, g1, g1 + s * g2, g2

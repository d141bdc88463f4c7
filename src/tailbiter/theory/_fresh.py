# SPDX-License-Identifier: MIT
"""Absence where every generation gets fresh human items, at any size: one chain for each reference mass q.

A chosen item of a training set is fresh, and then it settles whether it belongs to the set of mass q (chance
q), or it is a ball thrown into the boxes of the generation before. With ``y = 1-q`` as the weight of each
fresh item found so far, the balls under way are, given that none of the fresh ones belongs, again a sum of
independent Bernoulli variables (`_bernoulli`), whose power sums are followed together with ``-log`` of the
weight.

Of N boxes m are fresh, and B ~ Bin(m, q) of these belong. That nothing found belongs and j given synthetic
boxes stay empty has weight ``M_j = E_B exp(-L((j+B)/N))``: a short sum over B, since absence, at most
``(1-q)^m``, is nothing where m q is large.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb

import numpy as np

from ..errors import SpecError
from ._bernoulli import Differences, Sums, advance, certain, log_absence, tails, throw
from ._result import Floats

__all__ = ["Belonging", "Tilted"]

_WIDEST = 1000.0  # expected fresh items of a set in one earlier batch that are still summed over
_TAIL = 1e-30  # chances of single B above their mean that are dropped
_J = (1.0, 2.0, 3.0)
# moments 0 to 4 of the sum of 1, 2, 3 uniform variables: a difference is a mean of a derivative over that sum
_STEPS = (
    (1.0, 1 / 2, 1 / 3, 1 / 4, 1 / 5),
    (1.0, 1.0, 7 / 6, 3 / 2, 31 / 15),
    (1.0, 3 / 2, 5 / 2, 9 / 2, 43 / 5),
)


class Belonging:
    """Numbers B of fresh items that belong, of every q, one after the other in flat arrays."""

    def __init__(self, mass: Floats, fresh: int) -> None:
        self.fresh, self.mean = fresh, fresh * mass
        if self.mean.max(initial=0.0) > _WIDEST:
            problem = f"brings more than {_WIDEST:g} expected items of a set that later generations may miss"
            raise SpecError("fresh", fresh, problem, "ask for sets of smaller mass")
        mean = float(self.mean.max(initial=0.0))
        many = np.arange(int(min(fresh, mean + 14.0 * np.sqrt(mean) + 30.0)) + 1)
        ratio = np.log((fresh - many[:-1]) / (many[1:]))
        odds = np.log(mass) - np.log1p(-mass)
        logs = np.empty((len(mass), len(many)))
        logs[:, 0] = fresh * np.log1p(-mass)
        logs[:, 1:] = logs[:, :1] + np.cumsum(ratio[None, :] + odds[:, None], axis=1)
        held = (logs > np.log(_TAIL)) | (many[None, :] <= self.mean[:, None])
        self.row, column = np.nonzero(held)
        self.begin = np.searchsorted(self.row, np.arange(len(mass)))
        self.many, self.chance = column.astype(float), np.exp(logs[held])
        self.top = np.maximum.reduceat(self.many, self.begin)
        self.powers = [_mean_powers(self.mean, steps) for steps in _STEPS]

    def total(self, values: Floats) -> Floats:
        """Sum over B, for every q."""
        return np.asarray(np.add.reduceat(values, self.begin))


class Tilted:
    """Balls under way, and ``-log`` of the weight of what was found, for every chain and its q."""

    def __init__(self) -> None:
        self.mass = self.loss = self.radius = self.least = np.empty(0)
        self.sums = certain(np.empty(0))

    def join(self, mass: Floats, balls: int, found: int) -> None:
        """Begin a chain for each q, with some fresh items found and the other items as balls."""
        self.mass = np.concatenate([self.mass, mass])
        begun = certain(np.full(len(mass), float(balls)))
        self.sums = Sums(*(np.concatenate(pair) for pair in zip(self.sums, begun, strict=True)))
        loss = -found * np.log1p(-mass)
        self.loss = np.concatenate([self.loss, loss])
        self.radius = np.concatenate([self.radius, np.zeros(len(mass))])
        self.least = np.concatenate([self.least, loss])

    @property
    def under_way(self) -> bool:
        """Whether any ball is, but for a chance below rounding."""
        return bool((self.sums.first + self.sums.radius1).max() > 1e-16)

    def throw(self, boxes: int, among: Belonging) -> None:
        """Throw into a training set of `boxes` items, of which some are fresh."""
        one = 1.0 / boxes
        high, ratio = tails(self.sums)
        low = np.maximum(self.sums.third - self.sums.radius3, 0.0) * ratio
        scaled = [s * one**k for k, s in enumerate((*self.sums[:3], (low + high) / 2), 1)]
        centre, loss = _centre(scaled, among)
        radii, off = _radii(self.sums, (high - low) / 2, one, among)
        self.loss = self.loss + loss
        self.radius = self.radius + off + 1e-15 * self.loss
        self.least = np.maximum(self.least, self.loss - self.radius)
        self.sums = advance(Differences(*centre, *radii), np.asarray(float(boxes - among.fresh)))

    def bounds(self, boxes: int) -> tuple[Floats, Floats]:
        """Bounds of ``-log`` of absence, if generation 1, of `boxes` human items, comes next."""
        low, high = log_absence(throw(self.sums, boxes, boxes), self.mass)
        return np.maximum(self.loss + low - self.radius, self.least), self.loss + high + self.radius


def _centre(scaled: list[Floats], among: Belonging) -> tuple[list[Floats], Floats]:
    """Differences of ``-ln M_j`` at j = 0, and ``-ln M_0``; ``scaled[k-1] = S_k/N^k``, and none beyond k = 4.

    With b the mean of B given that what is found does not belong, ``L((j+B)/N) - L(B/N)`` is its value at b,
    whose differences are polynomials, and a rest of order ``(B-b)/N``, averaged without loss of digits.
    """
    s1, s2, s3, s4 = scaled
    f1, f2, f3, f4 = (s[among.row] for s in scaled)
    many = among.many
    logs = -many * (f1 + many * (f2 / 2 + many * (f3 / 3 + many * (f4 / 4))))
    weight = among.chance * np.exp(logs)
    total = among.total(weight)
    missing = np.maximum(among.total(among.chance * np.expm1(logs)), -0.5)
    loss = np.where(missing > -0.5, -np.log1p(missing), -np.log(total))
    weight = weight / total[among.row]
    b = among.total(weight * many)
    apart = many - b[among.row]
    second, third = among.total(weight * apart**2), among.total(weight * apart**3)
    rests = []
    for j in _J:
        linear = j * s2 + s3 * (2 * b * j + j * j) + s4 * (3 * j * b**2 + 3 * j * j * b + j**3)
        square, cube = j * s3 + s4 * (3 * j * b + 1.5 * j * j), j * s4
        rest = apart * (linear[among.row] + apart * (square[among.row] + apart * cube[among.row]))
        mean = -(square * second + cube * third) + among.total(weight * _beyond_linear(rest))
        rests.append(-np.log1p(mean))
    ell = s1 + s2 * (b + 0.5) + s3 * (b**2 + b + 1 / 3) + s4 * (b**3 + 1.5 * b**2 + b + 0.25)
    bend = s2 + s3 * (2 * b + 2) + s4 * (3 * b**2 + 6 * b + 3.5)
    twist = 2 * s3 + s4 * (6 * b + 9)
    h1, h2, h3 = rests
    return [ell + h1, bend + h2 - 2 * h1, twist + h3 - 3 * h2 + 3 * h1], loss


def _beyond_linear(x: Floats) -> Floats:
    """``exp(-x) - 1 + x``, by its series where x is small throughout."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest > 0.5:
        return np.asarray(np.expm1(-x) + x)
    terms, size = 2, largest / 3.0
    while size > 1e-17:
        terms, size = terms + 1, size * largest / (terms + 2)
    result = np.full_like(x, 1.0)
    for k in range(terms, 1, -1):
        result = 1.0 - result * x / (k + 1)
    return np.asarray(result * x * x / 2)


def _radii(sums: Sums, off4: Floats, one: float, among: Belonging) -> tuple[list[Floats], Floats]:
    """Radii of the three differences, and of ``-ln M_0``, from those of the power sums.

    Let L be off by E. A change of L by ``theta E`` moves ``-ln M_j`` by theta times the mean of
    ``E((j+B)/N)`` over B with weights ``P(B) exp(-L)``. Derivatives of that mean in j are means of
    derivatives of E and joint cumulants of these with derivatives of L, which are at most products of
    Lipschitz constants and central moments of B. Under those weights B is ultra-log-concave with mean at most
    m q, so its central moments are at most those of a Poisson variable of that mean (Whitt 1985, J. Appl.
    Prob. 22: a log-concave ratio orders by convexity).
    """
    top = sums.third + sums.radius3
    widest = (among.top + 3.0) * one
    if widest.max() >= 0.9:
        raise SpecError(
            "samples", round(1 / one), "is too small beside its fresh items", "ask for sets of smaller mass"
        )
    m, rest = among.mean, 1.0 - widest
    spread = 3 * m**2 + m
    usual = [
        _derivatives(sums, off4, one, [p * one**k for k, p in enumerate(powers, 1)], rest)[i]
        for i, powers in enumerate(among.powers)
    ]
    worst = _derivatives(sums, off4, one, [widest**k for k in (1, 2, 3, 4)], rest)
    l2 = (sums.second + sums.radius2 + 2 * top * widest / rest**2) * one**2
    l3, l4 = 2 * top * one**3 / rest**3, 6 * top * one**4 / rest**4
    m3 = 8 * np.sqrt(m * spread)
    radii = [
        usual[0] + m * worst[0] * l2,
        usual[1] + m * (2 * worst[1] * l2 + worst[0] * l3) + m3 * worst[0] * l2**2,
        usual[2]
        + m * (3 * worst[2] * l2 + 3 * worst[1] * l3 + worst[0] * l4)
        + m3 * (3 * worst[1] * l2**2 + 3 * worst[0] * l2 * l3)
        + 64 * spread * worst[0] * l2**3,
    ]
    return radii, usual[0] * m + 0.5 * usual[1] * m


def _mean_powers(m: Floats, steps: tuple[float, ...]) -> list[Floats]:
    """Moments 1 to 4 of ``B + J`` at most, for B below Poisson of mean m and J of moments `steps`."""
    poisson = (1.0, m, m**2 + m, m**3 + 3 * m**2 + m, m**4 + 6 * m**3 + 7 * m**2 + m)
    return [
        np.asarray(sum(comb(k, i) * poisson[i] * steps[k - i] for i in range(k + 1))) for k in range(1, 5)
    ]


def _derivatives(sums: Sums, off4: Floats, one: float, x: Iterable[Floats], rest: Floats) -> list[Floats]:
    """Bounds of three derivatives, in B, of what L may be off; ``x`` bounds powers of the argument."""
    x1, x2, x3, x4 = x
    top = sums.third + sums.radius3
    e1, e2, e3 = sums[3:]
    return [
        (e1 + e2 * x1 + e3 * x2 + off4 * x3 + top * x4 / rest) * one,
        (e2 + 2 * e3 * x1 + 3 * off4 * x2 + 4 * top * x3 / rest**2) * one**2,
        (2 * e3 + 6 * off4 * x1 + 12 * top * x2 / rest**3) * one**3,
    ]

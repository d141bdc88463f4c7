# SPDX-License-Identifier: MIT
"""Laws of the number of boxes hit, in full."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from ._bernoulli import Sums, log_absence
from ._result import Floats

__all__ = ["NEGLIGIBLE", "stand_in", "table", "throw_many", "throw_stream"]

NEGLIGIBLE = 1e-40  # probabilities dropped: a law holds fewer than 1e5 of them
_GRID = np.concatenate([np.geomspace(1e-9, 1e-3, 200, endpoint=False), np.geomspace(1e-3, 0.999, 700)])


def table(boxes: int, marked: int, top: int) -> Floats:
    """Chance ``[a, b]`` that a balls thrown into `boxes` boxes hit b outside the `marked`, up to `top`."""
    result = np.zeros((top + 1, top + 1))
    result[0, 0] = 1.0
    hit = np.arange(top + 1)
    again = (marked + hit) / boxes
    new = np.maximum(boxes - marked - hit[1:] + 1, 0) / boxes
    for a in range(top):
        row = result[a + 1, : a + 2]
        np.multiply(result[a, : a + 2], again[: a + 2], out=row)
        row[1:] += result[a, : a + 1] * new[: a + 1]
    return result


def throw_many(laws: Floats, step: Floats, times: int) -> Floats:
    """Laws, one a row, after `times` throws of the same table, by its powers where that is cheaper."""
    laws = laws.copy()
    while times:
        low, high = _support(laws)
        if high and times > 2 * high * np.log2(times + 1.0):
            square = step[: high + 1, : high + 1]
            laws[:, : high + 1] = laws[:, : high + 1] @ np.linalg.matrix_power(square, times)
            times = 0
        else:
            begin, end = int(np.argmax(step[low] > NEGLIGIBLE)), _support(step[high : high + 1])[1] + 1
            after = laws[:, low : high + 1] @ step[low : high + 1, begin:end]
            laws[:, low : high + 1] = 0.0
            laws[:, begin:end] = after
            times -= 1
        laws[laws < NEGLIGIBLE] = 0.0
    return laws


def _support(laws: Floats) -> tuple[int, int]:
    held = np.flatnonzero((laws > NEGLIGIBLE).any(axis=0))
    return int(held[0]), int(held[-1])


def throw_stream(law: Floats, start: int, boxes: int, marked: int) -> Floats:
    """Law of the boxes hit outside the `marked`, 0 to ``boxes - marked``, if ``P(A = start+j) = law[j]``."""
    counted = boxes - marked
    hit = np.arange(counted + 1)
    again, new = (marked + hit) / boxes, (counted - hit[1:] + 1) / boxes
    row, total = np.zeros(counted + 1), np.zeros(counted + 1)
    row[0] = 1.0
    for a in range(start + len(law)):
        if a >= start:
            total += law[a - start] * row
        after = row * again
        after[1:] += row[:-1] * new
        after[after < NEGLIGIBLE] = 0.0
        row = after
    return total


def stand_in(sums: Sums) -> tuple[Floats, int, float, float]:
    """A law in place of a sum of independent Bernoulli variables of which three power sums are known.

    Two binomials with the same first and second power sum, and the third as near as whole numbers of trials
    allow.

    Returns
    -------
    tuple
        The law as ``P(start + j) = law[j]``; `start`; and two proved bounds of the difference D(x) of the two
        generating polynomials on [0, 1]: ``|D(x)| <= slack`` and ``|D(x)| <= slope (1-x)``.
    """
    first, second, third = (float(field) for field in sums[:3])
    if first == second == third == round(first) and not any(float(radius) for radius in sums[3:]):
        return np.ones(1), round(first), 0.0, 0.0
    trials, few = _two_binomials(first, second, third)
    mean, other = first / trials, trials - few
    spread = np.sqrt(max(second / trials - mean**2, 0.0))
    p = np.clip([mean + spread * np.sqrt(other / few), mean - spread * np.sqrt(few / other)], 0.0, 1.0)
    law, start = _binomial(few, p[0])
    more, at = _binomial(other, p[1])
    missed = (abs(few * p[0] ** k + other * p[1] ** k - s) for k, s in enumerate((first, second, third), 1))
    wide = Sums(*sums[:3], *(radius + miss for radius, miss in zip(sums[3:], missed, strict=True)))
    return np.convolve(law, more), start + at, *_apart(wide)


def _two_binomials(first: float, second: float, third: float) -> tuple[int, int]:
    """Trials in all, and those of the likelier kind."""
    least = max(int(np.ceil(first**2 / second * (1.0 + 1e-9))), 2)
    trials = np.unique(
        np.concatenate([least + np.arange(40), (least * np.linspace(1.0, 1.8, 60)).astype(int)])
    )
    share = np.concatenate([np.linspace(0.0, 1.0, 400)[1:-1], np.geomspace(1e-4, 1e-2, 40)])
    few = np.clip(np.rint(trials[:, None] * share), 1, trials[:, None] - 1)
    count = trials[:, None].astype(float)
    other, mean = count - few, first / count
    spread = np.sqrt(np.maximum(second / count - mean**2, 0.0))
    possible = (mean + spread * np.sqrt(other / few) <= 1.0) & (mean >= spread * np.sqrt(few / other))
    reached = count * (mean**3 + 3 * mean * spread**2 + spread**3 * (other - few) / np.sqrt(few * other))
    best = np.unravel_index(np.argmin(np.where(possible, np.abs(reached - third), np.inf)), few.shape)
    return int(trials[best[0]]), int(few[best])


def _binomial(trials: int, p: float) -> tuple[Floats, int]:
    if p in (0.0, 1.0):
        return np.ones(1), int(trials * p)
    centre, reach = trials * p, 15.0 * np.sqrt(trials * p * (1.0 - p)) + 60.0
    k = np.arange(max(int(centre - reach), 0), min(int(centre + reach), trials) + 1)
    ways = gammaln(trials + 1.0) - gammaln(k + 1.0) - gammaln(trials - k + 1.0)
    law = np.exp(ways + k * np.log(p) + (trials - k) * np.log1p(-p))
    return law / law.sum(), int(k[0])


def _apart(sums: Sums) -> tuple[float, float]:
    """How far two such sums with these power sums may be apart: both lie between the same bounds.

    The gap between the bounds grows with z, the bounded value falls: a grid is enough.
    """
    low, high = log_absence(sums, _GRID)
    gap = (high - low)[1:] * np.exp(-low[:-1])
    beyond = float(np.exp(-low[-1]))
    slack = max(float(gap.max()), float(high[0] - low[0]), beyond)
    slope = max(float((gap / _GRID[1:]).max()), float((high[0] - low[0]) / _GRID[0]), beyond / _GRID[-1])
    return slack, slope

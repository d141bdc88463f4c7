# SPDX-License-Identifier: MIT
"""Estimators by their definitions, in the plainest words: counts in, probabilities out."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

Law = list[float]
Estimate = Callable[[Sequence[int], Sequence[float] | None], Law]


def counted(counts: Sequence[int], before: Sequence[float] | None = None) -> Law:
    """Maximum likelihood."""
    total = sum(counts)
    return [c / total for c in counts]


def add_k(k: float) -> Estimate:
    """k items more of everything."""

    def fit(counts: Sequence[int], before: Sequence[float] | None = None) -> Law:
        total = sum(counts) + k * len(counts)
        return [(c + k) / total for c in counts]

    return fit


def discount(d: float | None) -> Estimate:
    """Counts lowered by d, and what that frees spread evenly."""

    def fit(counts: Sequence[int], before: Sequence[float] | None = None) -> Law:
        once, twice = counts.count(1), counts.count(2)
        lowered = d if d is not None else (once / (once + 2 * twice) if once else 0.0)
        total, seen = sum(counts), sum(c > 0 for c in counts)
        return [max(c - lowered, 0) / total + lowered * seen / total / len(counts) for c in counts]

    return fit


def shrinkage(weight: float | None, *, previous: bool) -> Estimate:
    """A mixture with a target, by James and Stein's rule where no weight is given."""

    def fit(counts: Sequence[int], before: Sequence[float] | None = None) -> Law:
        total = sum(counts)
        p = [c / total for c in counts]
        if previous and before is None:
            return p
        target = before if previous and before is not None else [1 / len(counts)] * len(counts)
        w = weight
        if w is None:
            away = sum((t - x) ** 2 for t, x in zip(target, p, strict=True))
            below = (total - 1) * away
            w = min(1.0, max(0.0, (1 - sum(x * x for x in p)) / below)) if below > 1e-300 else 1.0
        return [w * t + (1 - w) * x for t, x in zip(target, p, strict=True)]

    return fit


def good_turing(*, smoothed: bool) -> Estimate:
    """Simple Good-Turing, after Gale and Sampson's own description."""

    def fit(counts: Sequence[int], before: Sequence[float] | None = None) -> Law:
        total = sum(counts)
        often = Counter(c for c in counts if c)
        unseen = counts.count(0)
        zero = min(often[1] / total, 1 - 1 / total) if unseen else 0.0
        star = _smoothed(often) if smoothed else _raw(often)
        scale = (1 - zero) / sum(often[r] * star[r] for r in often)
        return [star[c] * scale if c else zero / unseen for c in counts]

    return fit


def _raw(often: Counter[int]) -> dict[int, float]:
    return {r: (r + 1) * often[r + 1] / n if often[r + 1] else float(r) for r, n in often.items()}


def _smoothed(often: Counter[int]) -> dict[int, float]:
    sizes = sorted(often)
    below = [0, *sizes[:-1]]
    above = [*sizes[1:], 2 * sizes[-1] - below[-1]]
    x = [math.log(r) for r in sizes]
    y = [math.log(2 * often[r] / (t - q)) for r, q, t in zip(sizes, below, above, strict=True)]
    slope = -1.0
    if len(sizes) > 1:
        mx, my = sum(x) / len(x), sum(y) / len(y)
        rise = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
        slope = min(-1.0, rise / sum((a - mx) ** 2 for a in x))
    star, switched = {}, False
    for r in sizes:
        line = r * (1 + 1 / r) ** (slope + 1)
        if not switched and often[r + 1]:
            raw = (r + 1) * often[r + 1] / often[r]
            sd = math.sqrt((r + 1) ** 2 * often[r + 1] / often[r] ** 2 * (1 + often[r + 1] / often[r]))
            switched = abs(raw - line) <= 1.65 * sd
        else:
            switched = True
        star[r] = line if switched else raw
    return star

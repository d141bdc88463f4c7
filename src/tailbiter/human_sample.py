# SPDX-License-Identifier: MIT
"""What one human sample is expected to look like, and how far chance alone takes it from there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._variables import FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .program import Program

__all__ = ["Categories", "describe", "grouped"]

Floats = npt.NDArray[np.float64]

# Laws with more distinct weights are worked out in steps of a thousandth, an error of 1e-7.
_MOST_GROUPS = 2**14
_FINENESS = 1000.0
# Categories of which more items are expected have the normal limit, an error below 1e-6 of a small term.
_MANY = 1e4
# Terms of binomial sums that are held at a time.
_CHUNK = 2**20
# Chernoff's bound is the best at any of so many rates, each half of the one before.
_RATES = 20


@dataclass(frozen=True)
class Categories:
    """Categories in groups that are alike.

    Attributes
    ----------
    q : float64[g]
        Reference probability of one.
    count : float64[g]
        How many there are.
    tail : bool[g]
        Whether they are of the tail.
    held : float64[g] or None
        Held-out share of one.
    outside : float
        Held-out share outside the reference.
    """

    q: Floats
    count: Floats
    tail: npt.NDArray[np.bool_]
    held: Floats | None = None
    outside: float = 0.0


def describe(program: Program) -> dict[str, Any]:
    """Describe a human sample as large as generation 1's, and the chance in one as small as any.

    Parameters
    ----------
    program : Program
        What is run.

    Returns
    -------
    dict
        ``items`` of the first sample and ``expected`` values of it; ``fewest`` items of any training set and
        ``chance``: what bounds the chance in a sample of so many. What models have is left out where an
        estimator other than MLE makes them, for its expectation is not known.
    """
    alike = grouped(program)
    first = int(program.samples[0])
    sizes = [program.samples[:-1]] if program.draw is None else [program.samples[:-1], program.draw[:-1]]
    fewest = min(int(some.min()) for some in sizes)
    counted = not program.levers.estimator
    chance = _chance(alike, fewest, counted)
    expected = chance if fewest == first else _chance(alike, first, counted)
    return {
        "items": first,
        "expected": {name: some["mean"] for name, some in expected.items() if "mean" in some},
        "fewest": fewest,
        "chance": chance,
    }


def grouped(program: Program) -> Categories:
    """Put categories together that are alike: equal, or of 2**14 and more distinct ones to a thousandth."""
    weights = program.weights.astype(np.float64)
    tail = np.arange(weights.size) >= program.tail_start
    keys = [_steps(weights), tail.astype(np.float64)]
    if program.held_out is not None:
        tokens = program.held_out.tokens.astype(np.float64)
        keys.append(_steps(tokens))
    if len(keys) == 2:  # weights descend, and so the tail is the end
        edge = (np.diff(keys[0]) != 0) | (np.diff(keys[1]) != 0)
        index = np.concatenate([[0], np.cumsum(edge)])
    else:
        index = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)[1].ravel()
    count = np.bincount(index).astype(np.float64)
    q = np.bincount(index, weights) / count / weights.sum()
    inside = np.bincount(index, tail) > 0
    if program.held_out is None:
        return Categories(q, count, inside)
    held = np.bincount(index, tokens) / count / program.held_out.total
    return Categories(q, count, inside, held, 1.0 - float((held * count).sum()))


def _steps(values: Floats) -> Floats:
    """Values, or steps of their logarithm where too many are distinct."""
    if np.unique(values).size <= _MOST_GROUPS:
        return values
    return np.where(values > 0, np.floor(_FINENESS * np.log(np.maximum(values, 1e-300))), -np.inf)


def _chance(alike: Categories, items: int, counted: bool) -> dict[str, dict[str, Any]]:
    """Expected values of one sample, and what bounds its chance, by variable."""
    out: dict[str, dict[str, Any]] = {"coverage": _presence(alike, np.ones_like(alike.tail), items)}
    if alike.tail.any():
        out["tail_coverage"] = _presence(alike, alike.tail, items)
    out["survivors"] = {"one": float((alike.count * alike.q**items).sum())}
    if counted:
        out |= _squares(alike, items) | _sums(alike, items)
        if alike.held is not None:
            out["cross_entropy_floor_1e_9"] = _scored(alike, alike.held, items)
    return out


def _presence(alike: Categories, of: npt.NDArray[np.bool_], items: int) -> dict[str, Any]:
    """Coverage: its mean, and of what is missing the logarithm of the moment generating function."""
    q, count = alike.q[of], alike.count[of]
    with np.errstate(divide="ignore"):
        absent = items * np.log1p(-q)  # of the probability to be absent
        there = np.log(-np.expm1(absent))
    mean = float((count * q * -np.expm1(absent)).sum())
    rates = 2.0 * items * 0.5 ** np.arange(_RATES)
    missing = float((count * q * np.exp(absent)).sum())
    # Presences are negatively associated (Joag-Dev & Proschan 1983): sums spread less than independent ones.
    logs = [float((count * np.logaddexp(there, absent + r * q)).sum() - r * missing) for r in rates]
    return {"mean": mean, "rates": rates.tolist(), "logs": logs}


def _squares(alike: Categories, items: int) -> dict[str, dict[str, Any]]:
    """Gini-Simpson index and Brier distance: exact means and deviations; and the largest probability."""
    n = float(items)
    s2, s3 = (float((alike.count * alike.q**power).sum()) for power in (2, 3))
    gini = (1 - s2) * (1 - 1 / n)
    spread = s2 - 2 * s3 + s2 * s2
    brier = 4 * n * (s3 - s2 * s2) + 2 * n * (n - 1) * spread
    squares = 2 * n * (n - 1) * (s2 + 2 * (n - 2) * s3 - (2 * n - 3) * s2 * s2)
    return {
        "gini_simpson": {"mean": gini, "sd": math.sqrt(max(squares, 0.0)) / n**2, "reference": 1 - s2},
        "brier": {"mean": (1 - s2) / n, "sd": math.sqrt(max(brier, 0.0)) / n**2},
        "largest_share": {"mean": float(alike.q.max())},
    }


def _sums(alike: Categories, items: int) -> dict[str, dict[str, Any]]:
    """Entropy and total variation: means, by sums over binomial laws."""
    n, q = float(items), alike.q
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(q < 1, -q * np.log(q) - (1 - q) / (2 * n), 0.0)  # what the limit has for many items
    apart = np.sqrt(2 * q * (1 - q) / (np.pi * n))
    for rows, k, law in _windows(q, items):
        p = k / n
        with np.errstate(divide="ignore", invalid="ignore"):
            terms[rows] = (law * np.where(k > 0, -p * np.log(p), 0.0)).sum(axis=1)
        apart[rows] = (law * np.abs(p - q[rows, None])).sum(axis=1)
    return {
        "entropy": {"mean": float((alike.count * terms).sum())},
        "total_variation": {"mean": float((alike.count * apart).sum()) / 2},
    }


def _scored(alike: Categories, held: Floats, items: int) -> dict[str, Any]:
    """Held-out cross-entropy: its mean, and the logarithm of its moment generating function."""
    n, seen = float(items), held > 0
    q, count, held = alike.q[seen], alike.count[seen], held[seen]
    highest = -math.log(FLOOR)
    common = n * q > 150
    ratio = float((q[common] / held[common]).min(initial=np.inf))
    # So that what windows leave out, all items of a common category gone, weighs nothing at any rate.
    rates = n * min(0.5, 0.75 * ratio) / highest * 0.5 ** np.arange(_RATES)
    mean = -np.log(np.maximum(q, FLOOR)) + (1 - q) / (2 * n * q)
    logs = 0.5 * (rates[:, None] * held) ** 2 * (1 - q) / (n * q)
    for rows, k, law in _windows(q, items):
        with np.errstate(divide="ignore"):
            loss = -np.log(np.maximum(k / n, FLOOR))
        mean[rows] = (law * loss).sum(axis=1)
        above = held[rows, None] * (loss - mean[rows, None])
        for r, rate in enumerate(rates):
            logs[r, rows] = np.log((law * np.exp(rate * above)).sum(axis=1))
    total = float((count * held * mean).sum()) + alike.outside * highest
    return {"mean": total, "rates": rates.tolist(), "logs": (logs @ count).tolist()}


def _windows(q: Floats, items: int) -> Iterator[tuple[npt.NDArray[np.intp], Floats, Floats]]:
    """Binomial laws of groups with few items: rows, counts[rows, w] and probabilities[rows, w], in turn."""
    few = np.flatnonzero((items * q <= _MANY) & (q < 1))
    half = 2 ** np.ceil(np.log2(10 * np.sqrt(items * q[few]) + 40)).astype(np.int64)
    for width in np.unique(half).tolist():
        rows = few[half == width]
        for some in np.array_split(rows, -(-rows.size * 2 * width // _CHUNK)):
            yield some, *_window(q[some], items, width)


def _window(q: Floats, items: int, half: int) -> tuple[Floats, Floats]:
    """Counts around the mean, and their probabilities, from the ratios of one to the next."""
    k = np.maximum(np.floor(items * q) - half, 0)[:, None] + np.arange(2 * half, dtype=np.float64)
    with np.errstate(divide="ignore"):
        ratio = np.log(np.maximum(items - k, 0) / (k + 1)) + (np.log(q) - np.log1p(-q))[:, None]
    logs = np.concatenate([np.zeros_like(k[:, :1]), np.cumsum(ratio[:, :-1], axis=1)], axis=1)
    law = np.exp(logs - logs.max(axis=1, keepdims=True))
    return k, law / law.sum(axis=1, keepdims=True)

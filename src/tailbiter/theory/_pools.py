# SPDX-License-Identifier: MIT
"""Second moments where a training set spans several batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..errors import SpecError
from ._result import Floats
from ._scan import two_ends

__all__ = ["all_batches", "check_window", "pooled", "subsampled", "windowed"]

MAX_TABLE = 10_000
Indices = npt.NDArray[np.int64]


def all_batches(ages: npt.NDArray[np.uint64], generations: int) -> bool:
    """Whether a run trains on all batches alike: by its regime, or as it is no longer than the window."""
    return not ages.size or (1 < generations <= len(ages) and bool(np.all(ages == ages[0])))


def check_window(span: int) -> None:
    """Refuse a window whose table of pairs of batches would be too large."""
    if span > MAX_TABLE:
        problem = "batches make too large a table of second moments"
        remedy = f"use at most {MAX_TABLE:,} batches, or a run no longer than the window"
        raise SpecError("regime.ages", span, problem, remedy)


def pooled(sizes: Floats, fresh: Floats) -> tuple[Floats, Floats]:
    """Return v and 1 - v of models fitted to all batches so far, every item alike.

    Of two items of the pool both are old, or one is (the new one's parent is an old item), or both are new.
    """
    total = np.cumsum(sizes)
    born = sizes - fresh
    old = total - fresh  # items that are old, or whose parent is
    stay = (old**2 - born) / total**2
    return two_ends(stay, sizes / total**2, fresh * (total + old - 1.0) / total**2)


def subsampled(sizes: Floats, draw: Floats) -> tuple[Floats, Floats]:
    """Return v and 1 - v of models fitted to ``draw`` items, without replacement, of all batches so far."""
    total = np.cumsum(sizes)
    # A pair of drawn items is one item, or two of the pool: what the draw merges of what the pool has apart.
    merged = (total - draw) / (draw * np.maximum(total - 1.0, 1.0))
    left = np.where(total > 1.0, (draw - 1.0) / draw * total / np.maximum(total - 1.0, 1.0), 1.0)
    old = total - sizes
    low, stay = 1.0 / sizes, 1.0 - 1.0 / sizes
    low[1:] = (sizes / total)[1:] ** 2 * (merged[:-1] + left[:-1] / sizes[1:])
    apart_new = left[:-1] * sizes[1:] * (sizes[1:] - 1.0)
    stay[1:] = (old[1:] * (old[1:] + 2.0 * sizes[1:]) + apart_new) / total[1:] ** 2
    same, apart = two_ends(stay, low, np.zeros_like(low))
    same[1:] += apart[1:] * merged
    apart[1:] *= left
    return same, apart


def windowed(ages: Floats, sizes: Floats, fresh: Floats) -> tuple[Floats, Floats]:
    """Return v and 1 - v of models fitted to the last batches, an item weighted by the age of its batch.

    Raises
    ------
    SpecError
        Where the table of pairs of batches would be too large.
    """
    check_window(len(ages))
    alike = bool(np.all(ages == ages[0]))
    models = _alike_window(len(ages), sizes, fresh) if alike else _window(ages, sizes, fresh)
    out = np.array([(0.0, 1.0), *models])
    return out[:, 0].copy(), out[:, 1].copy()


def _new_batch(model: Floats, cross: Floats, size: float, fresh: float) -> tuple[Floats, Floats]:
    """(v, 1-v) of the new batch with itself, and with older ones given those of the model."""
    born = size - fresh
    share, human = born / size, fresh / size
    same, apart = model
    one = 1.0 / max(born, 1.0)
    own = np.array(
        [
            share**2 * (same + apart * one) + human / size,
            share**2 * apart * (1.0 - one) + human * (human - 1.0 / size) + 2.0 * share * human,
        ]
    )
    old = cross * share
    old[1] += human
    return own, old


def _window(ages: Floats, sizes: Floats, fresh: Floats) -> Iterator[tuple[float, float]]:
    """Ages of any weights: the whole table, ``[v or 1 - v, batch, batch]`` in a ring, every generation."""
    span = len(ages)
    table = np.zeros((2, span, span))
    model, cross = np.array([0.0, 1.0]), np.stack([np.zeros(span), np.ones(span)])
    for t, (size, human) in enumerate(zip(sizes.tolist(), fresh.tolist(), strict=True)):
        here = t % span
        own, old = _new_batch(model, cross, size, human)
        table[:, here, :] = table[:, :, here] = old
        table[:, here, here] = own
        alive = np.arange(min(t + 1, span))
        rows = (t - alive) % span
        weight = np.zeros(span)
        weight[rows] = ages[alive] * sizes[t - alive]
        weight /= weight.sum()
        cross = table @ weight
        model = cross @ weight
        yield float(model[0]), float(model[1])


def _alike_window(span: int, sizes: Floats, fresh: Floats) -> Iterator[tuple[float, float]]:
    """Ages all alike: sums over the window, kept so that nothing is ever subtracted.

    For each batch: the sum over younger ones grows as they are born; the sum over older ones shrinks as they
    leave, so every shorter sum is kept from its birth on. A generation takes time linear in the window.
    """
    older = np.zeros((span, span, 2))  # [batch in a ring, how many of its elders, v or 1 - v]
    rest = np.zeros((2, span))  # by age: with itself and with younger batches, weighted by size
    model, cross = np.array([0.0, 1.0]), np.zeros((2, 0))
    for t, (size, human) in enumerate(zip(sizes.tolist(), fresh.tolist(), strict=True)):
        count = min(t + 1, span)
        own, old = _new_batch(model, cross[:, : count - 1], size, human)
        by_age = sizes[t - count + 1 : t + 1][::-1]
        older[t % span, 1:count] = np.cumsum(old * by_age[1:], axis=1).T
        rest[:, 1:count] = rest[:, : count - 1] + size * old
        rest[:, 0] = size * own
        age = np.arange(count)
        elders = older[(t - age) % span, count - 1 - age].T
        total = by_age.sum()
        cross = (rest[:, :count] + elders) / total
        model = cross @ by_age / total
        yield float(model[0]), float(model[1])

# SPDX-License-Identifier: MIT
"""Laws that hold at any size: one category against the rest, and one generation given the one before."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from tests.oracles.twin import Counts

Floats = NDArray[np.float64]


def count_laws(q: float, samples: Sequence[int], fresh: Sequence[int] = ()) -> Iterator[Floats]:
    """Law of the training count of a set of categories of mass `q`, generation by generation.

    Merging categories gives the same regime on two types: a chain on 0 .. N, here under Replace, or Anchored
    with fresh data (entry 0 of `fresh` is not read).
    """
    size = samples[0]
    law = binom.pmf(np.arange(size + 1), size, q)
    yield law
    for t in range(2, len(samples) + 1):
        human = fresh[t - 1] if fresh else 0
        made = samples[t - 1] - human
        law = np.convolve(law @ _drift(size, made), binom.pmf(np.arange(human + 1), human, q))
        size = samples[t - 1]
        yield law


@lru_cache(maxsize=8)
def _drift(size: int, made: int) -> Floats:
    """``[a, b]``: b of `made` items, drawn from a training set that holds a of `size`."""
    return binom.pmf(np.arange(made + 1)[None, :], made, np.arange(size + 1)[:, None] / size)


def pooled(law: Floats, cells: int) -> NDArray[np.intp]:
    """Cell of each outcome when neighbours are pooled into at most `cells` of about equal probability."""
    below = np.cumsum(law) - law / 2
    return np.unique(np.minimum((below * cells).astype(int), cells - 1), return_inverse=True)[1]


def uniforms(counts: Counts, weights: Counts, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Turn multinomial draws into independent uniforms, if and only if they are multinomial.

    Given the categories before it, a count is binomial; its randomised distribution function is uniform and
    independent of them (Rosenblatt 1952).

    Parameters
    ----------
    counts, weights
        ``[row, category]``: what was drawn, and the integer weights it should have been drawn with.
    rng
        For the randomisation.

    Returns
    -------
    values, expected
        The uniforms, and the expected count of their category: for every category with positive weight but
        the last of each row, and with something left to draw.

    Raises
    ------
    AssertionError
        If something without weight was drawn.
    """
    assert not counts[weights == 0].any(), "drawn without weight"
    left = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    mass = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
    open_ = (weights > 0) & (weights < mass) & (left > 0)
    values = _randomised(counts[open_], left[open_], weights[open_] / mass[open_], rng)
    return values, (weights * (left[:, :1] / np.maximum(mass[:, :1], 1)))[open_]


def uniform_tally(values: Floats, cells: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Counts of uniforms in equal cells, and of neighbours (2i, 2i+1) in a square of cells."""
    place = np.minimum((values * cells).astype(int), cells - 1)
    half = len(place) // 2 * 2
    pairs = place[:half:2] * cells + place[1:half:2]
    return np.bincount(place, minlength=cells), np.bincount(pairs, minlength=cells * cells)


def sum_uniforms(
    counts: Counts, parts: Sequence[tuple[int, Floats | float]], rng: np.random.Generator
) -> Floats:
    """Turn sums of one or two binomials ``(n, p)`` into uniforms; the first of two is summed over."""
    counts = np.asarray(counts)
    if len(parts) == 1:
        return _randomised(counts, *parts[0], rng)
    (n, p), (m, r) = parts
    k = np.arange(n + 1)[None, :]
    chance = np.broadcast_to(binom.pmf(k, n, np.reshape(p, (-1, 1))), (len(counts), n + 1))
    left, r = counts[:, None] - k, np.reshape(r, (-1, 1))
    below = (chance * binom.cdf(left - 1, m, r)).sum(axis=1)
    upto = (chance * binom.cdf(left, m, r)).sum(axis=1)
    return below + rng.random(len(counts)) * (upto - below)


def _randomised(k: Counts, n: Counts | int, p: Floats | float, rng: np.random.Generator) -> Floats:
    below = binom.cdf(k - 1, n, p)
    return below + rng.random(np.size(k)) * (binom.cdf(k, n, p) - below)

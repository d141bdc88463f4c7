# SPDX-License-Identifier: MIT
"""Expected variance of a Gaussian fitted again and again, and how far its mean has drifted.

All is told by ``H(x, y) = E |X - Y|^2 / 2`` over the reference's variance, for an item X of one batch and Y
of another (or of the same, drawn with replacement). Human items are 1 apart. A model has the mean of its
training set and, with the divisor M - ddof, ``F = M / (M - ddof)`` times its variance, so to anything else it
is ``(F - 1) / 2`` of that variance farther than a training item is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ._pools import all_batches, check_window
from ._result import Floats

if TYPE_CHECKING:
    from .._compose import Composition

__all__ = ["spread_and_drift"]

Moments = Iterator[tuple[float, float]]  # H(model, model), H(model, reference)


def spread_and_drift(made: Composition, ddof: int) -> tuple[Floats, Floats]:
    """Return ``E var / var_0`` and ``E (mean - mean_0)^2 / var_0`` for t = 0 .. T; items alike in weight."""
    sizes = made.samples[:-1].astype(np.float64)
    fresh = made.fresh[:-1].astype(np.float64)
    if made.draw is not None:
        steps = _subsampled(sizes, made.draw[:-1].astype(np.float64), ddof)
    elif all_batches(made.ages, len(sizes)):
        steps = _pooled(sizes, fresh, ddof)
    elif len(made.ages) > 1:
        steps = _windowed(len(made.ages), sizes, fresh, ddof)
    else:
        steps = _newest(made, sizes, fresh, ddof)
    own, far = np.array([(1.0, 1.0), *steps]).T
    return own, 2.0 * far - 1.0 - own


def _newest(made: Composition, sizes: Floats, fresh: Floats, ddof: int) -> Moments:
    """Training sets of synthetic, fresh and kept items."""
    kept = made.from_kept[:-1].astype(np.float64)
    h = z = 1.0  # model with itself, with the reference
    y = 1.0  # with the kept set
    parts = np.stack([sizes - fresh - kept, fresh, kept, sizes], axis=1)
    for t, (born, new, again, size) in enumerate(parts.tolist()):
        s, f, k = born / size, new / size, again / size
        within = s * (s - 1.0 / size) * h + f * (f - 1.0 / size) + k * (k - 1.0 / size)
        within += 2.0 * (s * f * z + s * k * y + f * k)
        more = 0.5 * ddof / (size - ddof) * within
        if made.kept:
            one = 1.0 / (max(made.kept, size) if t == 0 else made.kept)
            y = (1.0 - one if t == 0 else s * y + f + k * (1.0 - one)) + more
        h = within * size / (size - ddof)
        z = s * z + f + k + more
        yield h, z


def _pooled(sizes: Floats, fresh: Floats, ddof: int) -> Moments:
    """Training sets of all batches so far: distances ``within`` the pool, ``far`` to the reference."""
    total, within, far = 0.0, 0.0, 1.0
    h = z = cross = 1.0  # of the model; with the pool
    for size, new in zip(sizes.tolist(), fresh.tolist(), strict=True):
        born, grown = size - new, total + size
        pairs = total * total * within + 2.0 * total * (born * cross + new * far)
        pairs += born * (born - 1.0) * h + new * (new - 1.0) + 2.0 * born * new * z
        far = (total * far + born * z + new) / grown
        within = pairs / grown**2
        total = grown
        more = 0.5 * ddof / (total - ddof) * within
        h, cross, z = within * total / (total - ddof), within + more, far + more
        yield h, z


def _subsampled(sizes: Floats, draw: Floats, ddof: int) -> Moments:
    """Training sets drawn without replacement from all batches so far."""
    total, within, far = 0.0, 0.0, 1.0
    h = z = cross = 1.0
    for size, drawn in zip(sizes.tolist(), draw.tolist(), strict=True):
        grown = total + size
        within = (total**2 * within + 2.0 * total * size * cross + size * (size - 1.0) * h) / grown**2
        far = (total * far + size * z) / grown
        total = grown
        moved = within * (total - drawn) / (drawn * max(total - 1.0, 1.0))  # variance of the drawn mean
        h = (within - moved) * drawn / (drawn - ddof)
        # A drawn item is an item of the pool; the model is farther off by half of what its divisor adds.
        more = 0.5 * (h - (within - moved))
        cross, z = within + more, far + more
        yield h, z


def _windowed(span: int, sizes: Floats, fresh: Floats, ddof: int) -> Moments:
    """Training sets of the last batches, items all alike; the table of pairs of batches in a ring."""
    check_window(span)
    table, far, held = np.zeros((span, span)), np.zeros(span), np.zeros(span)
    h = z = 1.0
    cross = np.ones(span)
    for t, (size, new) in enumerate(zip(sizes.tolist(), fresh.tolist(), strict=True)):
        here, s, f = t % span, 1.0 - new / size, new / size
        table[here] = table[:, here] = s * cross + f * far
        table[here, here] = s * (s - 1.0 / size) * h + f * (f - 1.0 / size) + 2.0 * s * f * z
        far[here], held[here] = s * z + f, size
        total = held.sum()
        cross = table @ held / total
        within = float(cross @ held) / total
        more = 0.5 * ddof / (total - ddof) * within
        cross += more
        h, z = within * total / (total - ddof), float(far @ held) / total + more
        yield h, z

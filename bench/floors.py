# SPDX-License-Identifier: MIT
"""What no sampler can pass on this machine: random words alone, and table look-ups alone.

A survivor takes one random word to be drawn and one look-up to be measured, at the least.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from tailbiter._core import engine

if TYPE_CHECKING:
    from collections.abc import Callable

# Words fit the second-level cache and the table the first: memory is no part of these floors.
WORDS, TABLE, REPEATS = 1 << 15, 1 << 11, 200


def measure() -> dict[str, float]:
    """Return the least nanoseconds a 64-bit random word and a look-up take."""
    words = np.empty(WORDS, np.uint64)
    rng = np.random.default_rng(0)
    table, index = rng.random(TABLE), rng.integers(TABLE, size=WORDS, dtype=np.uint32)
    return {
        "rng": _least(lambda: engine.fill_words(words)) / WORDS,
        "gather": _least(lambda: engine.gather_floor(table, index)) / WORDS,
    }


def _least(call: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return float(min(times))

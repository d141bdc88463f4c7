# SPDX-License-Identifier: MIT
"""Steps of distribution functions, exactly, and the words beside them."""

import math
from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate

BITS = 260
WORDS = 2**64
DISTANCES = [2.0**-e for e in range(7, 63, 5)]


class Window:
    """F(first), F(first + 1), ... wherever a word can fall.

    The probabilities start from 1 at the mode and go both ways by their ratios, in integers of 260 bits.
    `ratio(k)` is that of the probabilities of k + 1 and k, as a pair of integers.
    """

    def __init__(self, mode: int, most: float, ratio: Callable[[int], tuple[int, int]]) -> None:
        down, up = [1 << BITS], [1 << BITS]
        k = mode
        while k > 0 and down[-1] >> 120:
            k -= 1
            above, below = ratio(k)
            down.append(down[-1] * below // above)
        self.first = k
        k = mode
        while k < most and up[-1] >> 120:
            above, below = ratio(k)
            up.append(up[-1] * above // below)
            k += 1
        self.sums = list(accumulate([*down[:0:-1], *up]))

    def __len__(self) -> int:
        return len(self.sums)

    def step(self, i: int) -> Fraction:
        return Fraction(self.sums[i], self.sums[-1])

    def quantile(self, word: int) -> int:
        return self.first + bisect_left(self.sums, -(-(2 * word + 1) * self.sums[-1] // (2 * WORDS)))


def binomial(n: int, p: float) -> Window:
    win, lose = Fraction(p).numerator, Fraction(p).denominator - Fraction(p).numerator
    mode = min(n, int((n + 1) * Fraction(p)))
    return Window(mode, n, lambda k: ((n - k) * win, (k + 1) * lose))


def poisson(mean: float) -> Window:
    top, bottom = Fraction(mean).as_integer_ratio()
    return Window(int(mean), math.inf, lambda k: (top, bottom * (k + 1)))


def last_word(step: Fraction) -> int:
    """The largest R with (R + 1/2)/2^64 <= step; -1 if there is none."""
    return math.floor(step * WORDS - Fraction(1, 2))


def words_beside(step: Fraction, distances: list[float]) -> list[int]:
    """The two words next to the step, and words so far away, in units of the smaller tail."""
    tail = min(step, 1 - step)
    places = [step + sign * Fraction(d) * tail for d in distances for sign in (-1, 1)]
    return [
        word for word in [last_word(step), last_word(step) + 1, *map(last_word, places)] if 0 <= word < WORDS
    ]

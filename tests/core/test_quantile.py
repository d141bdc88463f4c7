# SPDX-License-Identifier: MIT
"""The binomial quantile against rational and integer arithmetic.

Every check asks on which side of one step of the distribution function a word falls. The checkers share
nothing with the routine: no logarithm, factorial or expansion, but ratios of neighbouring probabilities in
integers of 260 bits, started from the mode and divided by their total.
"""

import math
import random
import subprocess
from bisect import bisect_left
from fractions import Fraction
from itertools import accumulate

import pytest
from mpmath import mp, mpf

from tests.core.conftest import CSRC, FLAGS, SOURCES, compile_c

BITS = 260
WORDS = 2**64


def exact_cdf(n: int, p: float) -> list[Fraction]:
    """F(0), ..., F(n - 1) as fractions."""
    success = Fraction(p)
    terms = (math.comb(n, k) * success**k * (1 - success) ** (n - k) for k in range(n))
    return list(accumulate(terms))


class Window:
    """F(first), F(first + 1), ... wherever a word can fall."""

    def __init__(self, n: int, p: float) -> None:
        win, lose = Fraction(p).numerator, Fraction(p).denominator - Fraction(p).numerator
        mode = min(n, int((n + 1) * Fraction(p)))
        down, up = [1 << BITS], [1 << BITS]
        for k in range(mode, 0, -1):
            down.append(down[-1] * (k * lose) // ((n - k + 1) * win))
            if down[-1] < 1 << 120:
                break
        for k in range(mode, n):
            up.append(up[-1] * ((n - k) * win) // ((k + 1) * lose))
            if up[-1] < 1 << 120:
                break
        self.first = mode - len(down) + 1
        self.sums = list(accumulate([*down[:0:-1], *up]))

    def __len__(self) -> int:
        return len(self.sums)

    def step(self, i: int) -> Fraction:
        return Fraction(self.sums[i], self.sums[-1])

    def quantile(self, word: int) -> int:
        return self.first + bisect_left(self.sums, -(-(2 * word + 1) * self.sums[-1] // (2 * WORDS)))


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


DISTANCES = [2.0**-e for e in range(7, 63, 5)]


@pytest.mark.parametrize("p", [0.5, 0.3, 2**-7, 1e-9, 0.75, 0.999])
def test_every_step_of_small_laws(scalar, p):
    for n in [*range(1, 24), 40, 66]:
        for k, step in enumerate(exact_cdf(n, p)):
            for word in words_beside(step, DISTANCES):
                tie = Fraction(2 * word + 1, 2 * WORDS) == step
                below = scalar.tb_binomial_quantile(n, p, word) <= k
                assert below == (word <= last_word(step) and not (tie and p > 0.5)), (n, k, word)


def laws(count: int, largest: float) -> list[tuple[int, float]]:
    """Laws with n from 1 to 1e12, means from 1e-9 and standard deviations up to the largest."""
    draw = random.Random(1851)
    found = []
    while len(found) < count:
        n = int(math.exp(draw.uniform(0, math.log(1e12))))
        p = draw.choice((0.5, draw.random(), math.exp(draw.uniform(math.log(1e-9), math.log(n))) / n))
        if 0 < p < 1 and n * p * (1 - p) <= largest**2:
            found.append((n, p))
    return found


def test_steps_of_laws_of_every_size(scalar):
    draw = random.Random(1852)
    for n, p in laws(150, 200.0):
        window = Window(n, p)
        for _ in range(8):
            i = draw.randrange(len(window))
            for word in words_beside(window.step(i), DISTANCES):
                below = scalar.tb_binomial_quantile(n, p, word) <= window.first + i
                assert below == (word <= last_word(window.step(i))), (n, p, window.first + i, word)


def test_random_words(scalar):
    draw = random.Random(1853)
    for n, p in laws(100, 100.0):
        window = Window(n, p)
        for _ in range(20):
            word = draw.getrandbits(64)
            expected = window.quantile(word)
            assert scalar.tb_binomial_quantile(n, p, word) == expected, (n, p, word)


def test_checker_sees_a_normal_approximation(scalar):
    """What the checks above are for: the rounded normal quantile fails them."""
    wrong = total = 0
    draw = random.Random(1854)
    window = Window(1000, 0.01)
    for _ in range(200):
        word = draw.getrandbits(64)
        normal = math.floor(10 + math.sqrt(9.9) * scalar.tb_normal_quantile(word) + 0.5)
        wrong += normal != window.quantile(word)
        total += 1
    assert wrong > total / 20


@pytest.mark.parametrize(("n", "p"), [(10**12, 1e-5), (4 * 10**8, 0.5), (10**10, 0.0123)])
def test_steps_of_wide_laws(scalar, n, p):
    window = Window(n, p)
    for i in range(0, len(window), len(window) // 40):
        for word in words_beside(window.step(i), [2.0**-7, 2.0**-36]):
            assert (scalar.tb_binomial_quantile(n, p, word) <= window.first + i) == (
                word <= last_word(window.step(i))
            ), (
                i,
                word,
            )


def test_median_of_the_widest_law(scalar):
    """N odd, p = 1/2: F((n - 1)/2) = 1/2, and the step is found by the expansion alone."""
    for n in (10**12 + 1, 2**53 - 1):
        assert scalar.tb_binomial_quantile(n, 0.5, WORDS // 2 - 1) == (n - 1) // 2
        assert scalar.tb_binomial_quantile(n, 0.5, WORDS // 2) == (n + 1) // 2


def test_mirrored_law(scalar):
    draw = random.Random(1855)
    for n, p in laws(500, 1e6):
        word = draw.getrandbits(64)
        if p > 0.5:
            mirrored = n - scalar.tb_binomial_quantile_half(n, 1 - p, word ^ (WORDS - 1))
            assert scalar.tb_binomial_quantile(n, p, word) == mirrored


def test_normal_quantile(scalar):
    draw = random.Random(1856)
    words = [draw.getrandbits(64) >> draw.randrange(60) for _ in range(500)]
    words += [
        WORDS // 2 + draw.choice((-1, 1)) * (draw.getrandbits(62) >> draw.randrange(62)) for _ in range(500)
    ]
    with mp.workprec(200):
        for word in words:
            z, tail = (
                scalar.tb_normal_quantile(word),
                mpf(min(2 * word + 1, 2 * WORDS - 2 * word - 1)) / (2 * WORDS),
            )
            density = mp.exp(-(mpf(z) ** 2) / 2) / mp.sqrt(2 * mp.pi)
            error = (mp.erfc(abs(mpf(z)) / mp.sqrt(2)) / 2 - tail) / density
            assert abs(error) <= 1e-15 * abs(z), word


@pytest.mark.verification
@pytest.mark.parametrize(("laws", "largest"), [(40_000, 10), (20_000, 300), (1_000, 10_000), (60, 1_000_000)])
def test_scan(tmp_path, laws, largest):
    """1.6e7 words against sums in 113-bit arithmetic; x86-64 with gcc or clang."""
    program = str(tmp_path / "scan")
    flags = ["-std=gnu11" if flag.startswith("-std") else flag for flag in FLAGS]
    source = str(CSRC / "tests" / "scan_quantile.c")
    compile_c([*flags, f"-I{CSRC}", source, *map(str, SOURCES), "-lm", "-o", program])
    command = [program, "1851", str(laws), str(largest)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout

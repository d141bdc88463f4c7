# SPDX-License-Identifier: MIT
"""The binomial quantile against rational and integer arithmetic.

Every check asks on which side of one step of the distribution function a word falls. The checkers share
nothing with the routine: no logarithm, factorial or expansion, but ratios of neighbouring probabilities in
integers of 260 bits, started from the mode and divided by their total.
"""

import math
import random
import subprocess
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from mpmath import mp, mpf

from tests.core.conftest import CSRC, FLAGS, SOURCES, compile_c
from tests.core.steps import DISTANCES, WORDS, binomial, last_word, words_beside


def exact_cdf(n: int, p: float) -> list[Fraction]:
    """F(0), ..., F(n - 1) as fractions."""
    success = Fraction(p)
    terms = (math.comb(n, k) * success**k * (1 - success) ** (n - k) for k in range(n))
    return list(accumulate(terms))


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
        window = binomial(n, p)
        for _ in range(8):
            i = draw.randrange(len(window))
            for word in words_beside(window.step(i), DISTANCES):
                below = scalar.tb_binomial_quantile(n, p, word) <= window.first + i
                assert below == (word <= last_word(window.step(i))), (n, p, window.first + i, word)


def test_random_words(scalar):
    draw = random.Random(1853)
    for n, p in laws(100, 100.0):
        window = binomial(n, p)
        for _ in range(20):
            word = draw.getrandbits(64)
            expected = window.quantile(word)
            assert scalar.tb_binomial_quantile(n, p, word) == expected, (n, p, word)


def test_checker_sees_a_normal_approximation(scalar):
    """What the checks above are for: the rounded normal quantile fails them."""
    wrong = total = 0
    draw = random.Random(1854)
    window = binomial(1000, 0.01)
    for _ in range(200):
        word = draw.getrandbits(64)
        normal = math.floor(10 + math.sqrt(9.9) * scalar.tb_normal_quantile(word) + 0.5)
        wrong += normal != window.quantile(word)
        total += 1
    assert wrong > total / 20


@pytest.mark.parametrize(("n", "p"), [(10**12, 1e-5), (4 * 10**8, 0.5), (10**10, 0.0123)])
def test_steps_of_wide_laws(scalar, n, p):
    window = binomial(n, p)
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


def scan(folder: Path, name: str, *arguments: int) -> str:
    """What a program of csrc/tests prints; it fails where it finds anything. x86-64 with gcc or clang."""
    program = str(folder / name)
    flags = ["-std=gnu11" if flag.startswith("-std") else flag for flag in FLAGS]
    source = str(CSRC / "tests" / f"{name}.c")
    compile_c([*flags, f"-I{CSRC}", source, *map(str, SOURCES), "-lm", "-o", program])
    run = subprocess.run([program, *map(str, arguments)], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.mark.verification
@pytest.mark.parametrize(("laws", "largest"), [(40_000, 10), (20_000, 300), (1_000, 10_000), (60, 1_000_000)])
def test_scan(tmp_path, laws, largest):
    """3e7 words against sums in 113-bit arithmetic, half of them of binomial and half of Poisson laws."""
    assert " 0 mismatches" in scan(tmp_path, "scan_quantile", 1851, laws, largest)


@pytest.mark.verification
def test_expansion_stays_within_its_bound(tmp_path):
    """At 3e6 steps of Poisson laws, and on the words around them in the vector kernels."""
    assert " 0 of them wrong" in scan(tmp_path, "scan_cornish_fisher", 5_000)

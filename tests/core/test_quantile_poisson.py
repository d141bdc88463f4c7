# SPDX-License-Identifier: MIT
"""The Poisson quantile against 260-bit sums, and beyond their reach against Temme's expansion in 80 digits.

Like the checks of the binomial quantile, these ask on which side of a step of the distribution function a
word falls.
"""

import math
import random
from fractions import Fraction

import mpmath
import pytest
from mpmath import mp, mpf

from tests.core.steps import DISTANCES, WORDS, last_word, poisson, words_beside


def exact_cdf(mean: float) -> list[Fraction]:
    """F(0), F(1), ... up to where no word can fall, from exp(-mean) to 100 digits."""
    with mp.workdps(100):
        man, exponent = mpmath.exp(-mpf(mean)).man_exp
    term = Fraction(man) * Fraction(2) ** exponent
    steps = [term]
    while 1 - steps[-1] > Fraction(1, 2 * WORDS):
        term = term * Fraction(mean) / len(steps)
        steps.append(steps[-1] + term)
    return steps


@pytest.mark.parametrize(
    "mean", [2**-40, 0.25, 1.0, 2.5, math.nextafter(5.0, 0.0), 5.0, 9.0, 12.0, 12.3, 20.0, 48.5, 49.0, 64.0]
)
def test_every_step_of_small_means(scalar, mean):
    for k, step in enumerate(exact_cdf(mean)):
        for word in words_beside(step, DISTANCES):
            assert (scalar.tb_poisson_quantile(mean, word) <= k) == (word <= last_word(step)), (k, word)


def means(count: int, smallest: float, largest: float) -> list[float]:
    """Half of them whole."""
    draw = random.Random(1861)
    found = [smallest * (largest / smallest) ** draw.random() for _ in range(count)]
    return [mean if i % 2 else float(int(mean)) for i, mean in enumerate(found)]


def test_steps_of_means_of_every_size(scalar):
    draw = random.Random(1862)
    for mean in [*means(100, 10.0, 5e3), *means(20, 5e3, 1e5)]:
        window = poisson(mean)
        for _ in range(10):
            i = draw.randrange(len(window))
            for word in words_beside(window.step(i), DISTANCES):
                below = scalar.tb_poisson_quantile(mean, word) <= window.first + i
                assert below == (word <= last_word(window.step(i))), (mean, window.first + i, word)


def test_random_words(scalar):
    draw = random.Random(1863)
    for mean in means(100, 0.1, 1e4):
        window = poisson(mean)
        for _ in range(50):
            word = draw.getrandbits(64)
            assert scalar.tb_poisson_quantile(mean, word) == window.quantile(word), (mean, word)


def test_checker_sees_the_nearest_binomial_law(scalar):
    """What the checks above are for: a law that differs by 1e-14 of a probability fails them."""
    window, wrong = poisson(100.0), 0
    for i in range(60, 140):
        wrong += scalar.tb_binomial_quantile_half(2**53, 100 * 2.0**-53, last_word(window.step(i))) != (
            window.first + i
        )
    assert wrong > 20


def test_steps_of_a_wide_law(scalar):
    window = poisson(1e8)
    for i in range(0, len(window), len(window) // 40):
        for word in words_beside(window.step(i), [2.0**-7, 2.0**-36]):
            assert (scalar.tb_poisson_quantile(1e8, word) <= window.first + i) == (
                word <= last_word(window.step(i))
            ), (i, word)


def temme_cdf(mean: int, k: int) -> Fraction:
    """F(k) = Q(a, mean) with a = k + 1, to about 1/a^2 of its step's height (Temme's uniform expansion)."""
    with mp.workdps(80):
        a = mpf(k + 1)
        ratio = mean / a
        eta = mp.sign(ratio - 1) * mp.sqrt(2 * (ratio - 1 - mp.log(ratio)))
        first = 1 / (ratio - 1) - 1 / eta
        second = 1 / eta**3 - 1 / (ratio - 1) ** 3 - 1 / (ratio - 1) ** 2 - 1 / (12 * (ratio - 1))
        rest = mp.exp(-a * eta**2 / 2) / mp.sqrt(2 * mp.pi * a) * (first + second / a)
        man, exponent = (mp.erfc(eta * mp.sqrt(a / 2)) / 2 + rest).man_exp
    return Fraction(man) * Fraction(2) ** exponent


def test_temme_agrees_with_sums():
    window = poisson(1e6)
    for k in range(991_000, 1_009_000, 1500):
        step = window.step(k - window.first)
        height = step - window.step(k - window.first - 1)
        assert abs(temme_cdf(10**6, k) - step) < 1e-14 * height


@pytest.mark.parametrize("mean", [10**10 + 1, 10**12, 10**15 + 7, 2**53 - 1, 2**53])
def test_steps_of_the_widest_laws(scalar, mean):
    """The documented 2e-14 of a step's height, by sums and by the expansion alone."""
    draw = random.Random(1864)
    for _ in range(12):
        k = mean + round(math.sqrt(mean) * draw.uniform(-6.0, 6.0))
        step = temme_cdf(mean, k)
        height = step - temme_cdf(mean, k - 1)
        for distance in (Fraction(2, 10**14), Fraction(1, 10**9), Fraction(1, 10)):
            near = distance * height + Fraction(1, WORDS)
            assert scalar.tb_poisson_quantile(mean, last_word(step - near)) == k
            assert scalar.tb_poisson_quantile(mean, last_word(step + near)) == k + 1

# SPDX-License-Identifier: MIT
"""Draws of an item: the core's words by address, their laws, and code that caches."""

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy import stats

from tailbiter._core import item as core
from tailbiter.jit import draws

N = 40_000
BOUND = np.sqrt(np.log(2 * 20 / 1e-9) / (2 * N))  # Massart's, at 1e-9 over twenty tests
LAWS = {
    "uniform": (draws.uniform, stats.uniform()),
    "normal": (draws.normal, stats.norm()),
    "exponential": (draws.exponential, stats.expon()),
    "gamma 0.3": (lambda at: draws.gamma(at, 0.3), stats.gamma(0.3)),
    "gamma 1": (lambda at: draws.gamma(at, 1.0), stats.gamma(1.0)),
    "gamma 7.5": (lambda at: draws.gamma(at, 7.5), stats.gamma(7.5)),
    "beta": (lambda at: draws.beta(at, 2.0, 0.7), stats.beta(2.0, 0.7)),
    "student_t": (lambda at: draws.student_t(at, 3.0), stats.t(3.0)),
    "binomial": (lambda at: draws.binomial(at, 12, 0.3), stats.binom(12, 0.3)),
    "poisson": (lambda at: draws.poisson(at, 4.5), stats.poisson(4.5)),
    "below": (lambda at: draws.below(at, 7), stats.randint(0, 7)),
}


def philox(counter, key):
    """Philox4x32-10 in whole numbers, after Salmon et al. 2011."""
    x, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [q >> 32 ^ x[1] ^ k[0], q & 0xFFFFFFFF, p >> 32 ^ x[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return [x[0] | x[1] << 32, x[2] | x[3] << 32]


def test_words_are_those_of_the_address():
    key, generation, replicate, slot = 0x0123456789ABCDEF, 3, 2**31 + 5, 2**32 - 2
    purpose = core.PURPOSES["fresh"]
    at = draws.item(key, generation, replicate, slot, "fresh")
    for call in range(300):  # more than fit the eight bits of an attempt
        counter = (slot, generation, replicate, purpose | call << 8)
        for word in philox(counter, (key & 0xFFFFFFFF, key >> 32)):
            assert draws.uniform(at) == ((word >> 12) + 0.5) * 2.0**-52


def test_no_purpose_is_shared():
    assert len(set(core.PURPOSES.values())) == 4
    assert draws.normal(draws.item(1, purpose="fresh")) != draws.normal(draws.item(1))


def sampled(draw, count):
    function = draw if hasattr(draw, "py_func") else numba.njit(draw)

    @numba.njit
    def many(key, out):
        for i in range(len(out)):
            out[i] = function(key)

    out = np.empty(count)
    many(draws.item(20261122), out)
    return out


@pytest.mark.parametrize("name", LAWS)
def test_draws_have_their_law(name):
    """Kolmogorov-Smirnov distance within Massart's bound: at 1e-9 over all, .0176 would be seen."""
    draw, law = LAWS[name]
    assert BOUND < 0.0176
    values = np.sort(sampled(draw, N))
    points = np.unique(values)
    seen = np.searchsorted(values, points, side="right") / N
    below = np.searchsorted(values, points, side="left") / N
    discrete = hasattr(law.dist, "pmf")
    before = law.cdf(points - 1) if discrete else law.cdf(points)
    assert max(np.abs(seen - law.cdf(points)).max(), np.abs(below - before).max()) < BOUND


def test_a_wrong_law_is_seen():
    values = sampled(LAWS["gamma 7.5"][0], N)
    assert stats.kstest(values, stats.gamma(7.9).cdf).statistic > BOUND


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda at: draws.gamma(at, 0.0), "gamma: the shape is not a positive number"),
        (lambda at: draws.gamma(at, np.nan), "gamma: the shape is not a positive number"),
        (lambda at: draws.student_t(at, -1.0), "gamma: the shape is not a positive number"),
        (
            lambda at: draws.binomial(at, 3, 1.5),
            "binomial: n is not from 0 to 2**53, or p is not from 0 to 1",
        ),
        (lambda at: draws.poisson(at, -0.1), "poisson: the mean is not from 0 to 2**53"),
        (lambda at: draws.below(at, 0), "below: n is not positive"),
    ],
)
def test_bad_parameters_raise(draw, message):
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        draw(draws.item(1))


MODULE = """
import numba
from tailbiter.jit import draws

@numba.njit(cache=True)
def three(at):
    return draws.normal(at) + draws.poisson(at, 3.0) + draws.gamma(at, 2.0)
"""
USE = """
import mine
from tailbiter.jit import draws
print(repr(mine.three(draws.item(5))), sum(mine.three.stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_code_that_draws_caches(tmp_path: Path):
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    told = [
        subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    (first, hits), (again, more) = (done.stdout.split() for done in told)
    assert first == again
    assert (hits, more) == ("0", "1")

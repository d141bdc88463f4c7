# SPDX-License-Identifier: MIT
"""Runs by sufficient statistics and runs item by item have one law.

Two-sample Kolmogorov-Smirnov tests; for two samples of n >= 458 each, P(D >= e) <= 2 exp(-n e^2) at every n
(Wei & Dudley 2012), and all tests of the file share 1e-9. Effect: distribution functions farther apart than
1.5 times that e (.055) are seen with probability above .999.
"""

import numpy as np
import pytest

import tailbiter as tb
from tests.gaussian import twin
from tests.gaussian.programs import REGIMES, program, reference, run

SIZE = 20_000
FALSE_ALARM = 1e-9
TESTS = 2 * 3 * 5 * (len(REGIMES) + 3)


def distance(a, b):
    """Largest difference of two empirical distribution functions."""
    both = np.sort(np.concatenate([a, b]))
    f = np.searchsorted(np.sort(a), both, side="right") - np.searchsorted(np.sort(b), both, side="right")
    return np.abs(f).max() / len(a)


def far(a, b):
    """Whether two samples contradict one law."""
    return distance(a, b) >= np.sqrt(np.log(2.0 * TESTS / FALSE_ALARM) / len(a))


def features(mean, covariance):
    """What is compared: sizes, shape, place, and how they go together."""
    d = mean.shape[1]
    trace = np.trace(covariance, axis1=1, axis2=2)
    return [
        trace,
        covariance[:, 0, 0],
        np.linalg.det(covariance),
        mean[:, -1],
        mean[:, 0] * covariance[:, d - 1, 0],
    ]


def compare(source, ddof, generations, d):
    """Features of the engine's models and the twin's."""
    mean, factor = reference(d)
    made = run(source, SIZE)
    ours = features(made["mean"][:, -1], made.covariances()[:, -1])
    rng = np.random.default_rng(12)
    theirs = features(*twin.lineages(source.composition, ddof, mean, factor, SIZE, generations, rng))
    return list(zip(ours, theirs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("name", REGIMES)
def test_every_regime(name, d):
    ddof = 1 + (len(name) + d) % 2 - 1
    source = program(REGIMES[name], 8, 4, d=d, ddof=ddof, at=[4], variables=("mean", "factor", "exponent"))
    for ours, theirs in compare(source, ddof, 4, d):
        assert not far(ours, theirs)


@pytest.mark.slow
def test_sizes_that_change():
    source = program(
        tb.Anchored(real=0.5), [4, 9, 20], 3, d=2, at=[3], variables=("mean", "factor", "exponent")
    )
    for ours, theirs in compare(source, 1, 3, 2):
        assert not far(ours, theirs)


@pytest.mark.slow
def test_fewer_items_than_dimensions():
    source = program(
        tb.Anchored(real_count=1), 3, 3, d=4, ddof=0, at=[3], variables=("mean", "factor", "exponent")
    )
    for index, (ours, theirs) in enumerate(compare(source, 0, 3, 4)):
        assert index == 2 or not far(ours, theirs)  # the determinant of a singular matrix is rounding


def test_what_would_be_seen():
    wrong = program(tb.Replace(), 8, 4, d=1, ddof=1, at=[4], variables=("mean", "factor", "exponent"))
    assert far(*compare(wrong, 0, 4, 1)[0])
    late = program(tb.Accumulate(), 8, 3, d=1, ddof=0, at=[3], variables=("mean", "factor", "exponent"))
    right = program(tb.Accumulate(), 8, 4, d=1, ddof=0, at=[3], variables=("mean", "factor", "exponent"))
    assert not far(*compare(late, 0, 3, 1)[0])
    assert far(compare(late, 0, 3, 1)[3][0], 1.3 * compare(right, 0, 3, 1)[3][1])

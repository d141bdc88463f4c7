# SPDX-License-Identifier: MIT
"""What the engine refuses, and how it is stopped."""

import threading
import time

import numpy as np
import pytest

import tailbiter as tb
from tailbiter._core import em, mixture
from tailbiter._core.common import Control
from tests.mixture.programs import program, random_law, run

LAW = (np.array([0.25, 0.75]), np.array([[0.0, 0.0], [4.0, 0.0]]), np.array([[1.0, 0.0, 1.0]] * 2))


def changed(index, value):
    law = [a.copy() for a in LAW]
    law[index].flat[0] = value
    return tuple(law)


@pytest.mark.parametrize(
    ("law", "changes", "match"),
    [
        (changed(0, 0.5), {}, "weights are negative or do not sum to 1"),
        (changed(0, np.nan), {}, "weights are negative"),
        (changed(1, np.inf), {}, "a mean is not a number"),
        (changed(2, 0.0), {}, "a diagonal that is not"),
        (changed(2, np.nan), {}, "a factor has numbers"),
        (LAW, {"floor": 0.0}, "floor"),
        (LAW, {"tolerance": -1.0}, "tolerance"),
        (LAW, {"iterations": 0}, "no iterations"),
        (LAW, {"at": np.array([3, 2], np.uint32)}, "do not ascend"),
        (LAW, {"at": np.array([9], np.uint32)}, "beyond the end"),
        (LAW, {"samples": np.zeros(6, np.uint64)}, "no items"),
        (LAW, {"draw": np.zeros(6, np.uint64), "ages": np.zeros(0, np.uint64)}, "no item is drawn"),
        (LAW, {"from_kept": np.full(6, 3, np.uint64), "kept": 2}, "kept set"),
        (LAW, {"fresh": np.full(6, 201, np.uint64)}, "more human items"),
        ((LAW[0], LAW[1], LAW[2][:1]), {}, "factors: shape"),
        ((LAW[0][:1], LAW[1], LAW[2]), {}, "weights: shape"),
    ],
)
def test_programs(law, changes, match):
    with pytest.raises(ValueError, match=match):
        mixture.Engine(program(law, **changes))


def test_sizes():
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="dimension is not from 1 to 32"):
        mixture.Engine(program(random_law(33, 1, "diagonal", rng), "diagonal"))
    with pytest.raises(ValueError, match="components is not from 1 to 64"):
        mixture.Engine(program(random_law(1, 65, "full", rng)))
    largest = random_law(32, 64, "full", rng)
    assert run(program(largest, samples=100, generations=1, iterations=1))["alive"][0, 0] == 64


@pytest.mark.parametrize(
    ("data", "items", "match"),
    [
        ([[np.nan]], None, "table"),
        ([[1e101]], None, "table"),
        ([1.0, 2.0], None, "table"),
        ([[1.0]], [-1.0], "negative"),
    ],
)
def test_tables(data, items, match):
    with pytest.raises(ValueError, match=match):
        em.Fitter(data, items)


def test_nothing_to_fit_to():
    fitter = em.Fitter([[1.0, 2.0]], [0.0])
    for call in (
        lambda: fitter.fit(LAW, "full"),
        lambda: fitter.score(LAW, "full"),
        lambda: fitter.seed(2, "full", 1),
    ):
        with pytest.raises(ValueError, match="nothing to fit to"):
            call()
    with pytest.raises(ValueError, match="2 dimensions, but items have 1"):
        em.Fitter([[1.0]]).fit(LAW, "full")


def test_rows_that_do_not_fit():
    engine = mixture.Engine(program(LAW))
    out = engine.outputs(2)
    with pytest.raises(ValueError, match="as outputs"):
        engine.run(0, 3, out, Control())
    with pytest.raises(ValueError, match="no range"):
        engine.run(2, 2, out, Control())


@pytest.mark.parametrize("regime", [tb.Replace(), tb.AccumulateSubsample()])
@pytest.mark.parametrize("start", mixture.STARTS)
def test_cancelled_within_a_second(regime, start):
    """A fit that would take an hour: the flag is looked at within every pass."""
    given = program(
        LAW, regime=regime, samples=4_000_000, generations=3, tolerance=0.0, iterations=10**5, start=start
    )
    engine, control = mixture.Engine(given), Control()
    out = engine.outputs(1)
    began = []

    def stop():
        began.append(time.monotonic())
        control.cancel()

    timer = threading.Timer(0.7, stop)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(0, 1, out, control)
    assert time.monotonic() - began[0] < 1.0
    assert control.progress == 0


def test_row_of_the_reference():
    out = run(program(LAW))
    assert (out["weights"][0, 0] == LAW[0]).all()
    assert (out["means"][0, 0] == LAW[1]).all()
    assert (out["factors"][0, 0] == LAW[2]).all()
    assert np.isnan(out["log_likelihood"][0, 0])
    assert np.isfinite(out["log_likelihood"][0, 1:]).all()
    assert (out["iterations"][0, 0], out["alive"][0, 0], out["l2_squared"][0, 0]) == (0, 2, 0.0)
    assert (out["l2_squared"][0, 1:] > 0).all()


@pytest.mark.parametrize("covariance", em.COVARIANCES)
def test_singular_components_are_counted(covariance):
    """One item has no width, and two never span three dimensions: singular, but for the floor."""
    law = random_law(3, 1, covariance, np.random.default_rng(1))
    for samples in (1, 2) if covariance in ("tied", "full") else (1,):
        out = run(program(law, covariance, samples=samples, floor=1e-4))
        assert out["singular"][0].tolist() == [0, 1, 1, 1, 1, 1]
    wide = run(program(law, covariance, samples=500, floor=1e-4))
    assert not wide["singular"].any()


def test_memory_is_bounded():
    small = mixture.Engine(program(LAW, samples=10**9, generations=2)).state_bytes
    pool = program(LAW, regime=tb.AccumulateSubsample(1000), samples=10**9, generations=2)
    assert 2**28 <= small < 2**28 + 2**20
    assert mixture.Engine(pool).state_bytes < 2**20

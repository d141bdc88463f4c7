# SPDX-License-Identifier: MIT
"""Dead stays dead, and the records say so."""

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import SEED, run, trainings
from tests.oracles.compare import first_revival

LONG = 100_000


def spec(samples: int | list[int], generations: int, k: int, replicates: int, regime=None) -> tb.Spec:
    return tb.Spec(
        reference=tb.Zipf(categories=k),
        regime=regime or tb.Replace(),
        samples=samples,
        generations=generations,
        replicates=replicates,
        seed=SEED,
    )


# The last two swing between sizes at which the engine takes different paths.
SAMPLES = {
    "300": (300, LONG, 2_000),
    "1e6": (10**6, LONG, 300),
    "swinging": ([10**6, 2_000, 50_000, 2_000_000], LONG, 3_000),
    "1e12": (10**12, 300, 2_000),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_dead_stays_dead_for_a_hundred_thousand_generations(name: str) -> None:
    samples, generations, k = SAMPLES[name]
    if isinstance(samples, list):
        samples = np.resize(samples, generations).tolist()
    at = np.unique(np.geomspace(1, generations, 60).astype(int)).tolist()
    run_of = spec(samples, generations, k, 2)
    ds = run(run_of, "survivors", "lost", "revived")
    survivors = ds["survivors"].values
    assert survivors[0, 0] == k
    assert np.all(np.diff(survivors, axis=1) <= 0)
    assert survivors.min() >= 1
    assert not ds["revived"].values.any()
    assert np.array_equal(ds["lost"].values[:, 1:], -np.diff(survivors, axis=1))
    models = trainings(run_of, tuple(at))
    assert first_revival(models) is None
    assert np.array_equal((models > 0).sum(axis=2).T, survivors[:, at])


def test_forgotten_is_the_first_generation_of_the_last_absence() -> None:
    """Against the survivors of every generation, where the dead stay dead and where they come back."""
    for regime in (tb.Replace(), tb.Anchored(real=0.05), tb.AccumulateSubsample(), tb.Window(2)):
        run_of = spec(60, 40, 30, 50, regime)
        ds = run(run_of, "survivors", "lost", "revived", forgotten=True)
        models = trainings(run_of, tuple(range(1, 41)))
        present = models > 0
        later = np.logical_or.accumulate(present[::-1])[::-1]  # at t or after it
        expected = np.where(present[-1], 0, 1 + later.sum(axis=0))
        place = ds["forgotten"]["category"].values
        assert np.array_equal(ds["forgotten"].values, expected[:, place])
        with_first = np.concatenate([np.ones_like(present[:1]), present])
        lost = (with_first[:-1] & ~with_first[1:]).sum(axis=2).T
        back = (~with_first[:-1] & with_first[1:]).sum(axis=2).T
        assert np.array_equal(ds["lost"].values[:, 1:], lost)
        assert np.array_equal(ds["revived"].values[:, 1:], back)
        assert back.any() == (not isinstance(regime, (tb.Replace, tb.Window)))

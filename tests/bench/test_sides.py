# SPDX-License-Identifier: MIT
"""The loops that tailbiter is timed beside simulate the right law, and the check would notice if not.

False alarms: 1e-9 a call of `check_side` (Bernstein's and Hoeffding's inequalities, `bench.agree`).
"""

from dataclasses import replace

import numpy as np
import pytest

from bench import expected, loops_numpy
from bench.agree import Disagreement, check_law, check_side, check_structure, reach
from bench.sides import SIDES as ALL
from bench.workloads import by_name

REPLICATES = 2_000
SEED = 1851
REPLACE = replace(by_name("replace-1e5").shrunk(30, 60, 12), tail_mass=0.2)
ANCHORED = replace(by_name("anchored").shrunk(30, 60, 12), tail_mass=0.2, real=0.1)
TWO = replace(by_name("replace-1e5").shrunk(2, 12, 8), tail_mass=0.4)
TWO_ANCHORED = replace(TWO, real=0.25)
IMMORTAL = replace(by_name("nothing-dies").shrunk(20, 10**9, 6), tail_mass=0.2)

# simuPOP's loop is checked by the smoke of the bench, where simuPOP is installed.
SIDES = {name: side for name, side in ALL.items() if name != "simupop"}
ANCHORED_SIDES = ("numpy_naive", "numpy_inverse_cdf", "numpy_compacted", "choice_counts", "token_lists")


@pytest.mark.parametrize("name", SIDES)
@pytest.mark.parametrize("workload", [REPLACE, TWO], ids=["thirty", "two"])
def test_replace_follows_the_exact_law(name, workload):
    check_side(name, SIDES[name], workload, REPLICATES, SEED)


@pytest.mark.parametrize("name", ANCHORED_SIDES)
@pytest.mark.parametrize("workload", [ANCHORED, TWO_ANCHORED], ids=["thirty", "two"])
def test_anchored_follows_the_exact_law(name, workload):
    check_side(name, SIDES[name], workload, REPLICATES, SEED)


@pytest.mark.parametrize("name", ["numpy_naive", "numpy_compacted", "numba_compacted"])
def test_nothing_dies_in_a_billion_samples(name):
    series = SIDES[name](IMMORTAL, 200, SEED)
    check_structure(series, IMMORTAL, 200)
    check_law(series, IMMORTAL)
    assert (series.survivors == 20).all()


@pytest.mark.parametrize("name", ["numpy_batched", "numba_compacted"])
def test_loops_refuse_a_regime_they_do_not_know(name):
    with pytest.raises(ValueError, match="replace regime only"):
        SIDES[name](ANCHORED, 1, SEED)


def one_generation_late(workload, replicates, seed):
    """Wrong on purpose: every record after the first is that of the generation before."""
    series = loops_numpy.naive(workload, replicates, seed)
    for values in series:
        values[:, 2:] = values[:, 1:-1].copy()
    return series


def without_human_data(workload, replicates, seed):
    """Wrong on purpose: the fresh human items are forgotten."""
    return loops_numpy.naive(replace(workload, real=0.0), replicates, seed)


def humans_drawn_evenly(workload, replicates, seed):
    """Wrong on purpose: the fresh items are drawn evenly, not from the reference."""
    even = np.arange(1, workload.categories + 1) / workload.categories
    return loops_numpy._over_all(
        workload, replicates, seed, lambda rng, human: loops_numpy._found(rng, human, even)
    )


def reference_only(workload, replicates, seed):
    """Wrong on purpose: every generation is drawn from the reference."""
    first = loops_numpy.batched(workload.shrunk(workload.categories, workload.samples, 1), replicates, seed)
    return type(first)(*(np.repeat(values, [1, workload.generations], axis=1) for values in first))


@pytest.mark.parametrize(
    ("wrong", "workload"),
    [
        (one_generation_late, REPLACE),
        (without_human_data, ANCHORED),
        (humans_drawn_evenly, ANCHORED),
        (reference_only, REPLACE),
    ],
    ids=["late", "no-human", "even-human", "no-recursion"],
)
def test_a_wrong_law_is_caught(wrong, workload):
    with pytest.raises(Disagreement, match="is off by"):
        check_side("wrong", wrong, workload, REPLICATES, SEED)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("survivors", 31, "outside 1..K"),
        ("entropy", 9.0, r"outside 0..ln\(alive\)"),
        ("tail_mass", 1.5, "outside 0..1"),
        ("tail_mass", 0.1234, "whole number of items"),
    ],
)
def test_broken_records_are_caught(field, value, message):
    series = loops_numpy.batched(REPLACE, 3, SEED)
    getattr(series, field)[1, 4] = value
    with pytest.raises(Disagreement, match=message):
        check_structure(series, REPLACE, 3)


def test_the_dead_are_not_raised_unnoticed():
    series = loops_numpy.batched(REPLACE, 3, SEED)
    series.survivors[1, 6] = series.survivors[1, 5] + 1
    with pytest.raises(Disagreement, match="the dead came back"):
        check_structure(series, REPLACE, 3)


def test_exact_survivors_land_on_known_values():
    """Share of the categories present, Zipf-Mandelbrot with shift 2.7 and K = N = 1000."""
    weights = 1.0 / (np.arange(1, 1001) + 2.7)
    absent = expected.absence(weights / weights.sum(), samples=1_000, human=0, generations=10)
    present = 1.0 - absent.mean(axis=1)
    np.testing.assert_allclose(
        present[[0, 1, 2, 4, 9]], [0.39007, 0.29259, 0.23941, 0.17983, 0.11541], atol=5e-6
    )


def test_two_categories_agree_with_the_dual():
    """Mean and variance of survivors, and heterozygosity, in closed form where only one can be lost."""
    workload = replace(TWO_ANCHORED, samples=8)
    q = workload.reference()
    lost = expected.absence(q, 8, workload.human, 8)
    law = expected.survivors(workload)
    np.testing.assert_allclose(law.mean, 2.0 - lost.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(law.variance, lost.sum(axis=1) * (1.0 - lost.sum(axis=1)), rtol=1e-9)
    heterozygosity = expected.mixing(replace(workload, real=0.0)).mean
    np.testing.assert_allclose(heterozygosity, q[0] * q[1] * (1.0 - 1.0 / 8) ** np.arange(1, 9), rtol=1e-12)


def test_reach_shrinks_with_replicates():
    law = expected.survivors(REPLACE)
    assert (reach(law, 8_000, 24) < 0.6 * reach(law, 2_000, 24)).all()

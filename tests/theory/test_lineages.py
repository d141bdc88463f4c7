# SPDX-License-Identifier: MIT
"""The spread of the Gini-Simpson index and of the Brier distance, against everything that can happen."""

from types import SimpleNamespace

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import PredictionError
from tailbiter.theory import lineages, moments
from tests.oracles.chain import path_law
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan


def composition(plan: Plan) -> SimpleNamespace:
    """The arrays that theory reads, made from a plan and not by the package."""
    none = (0,) * len(plan.samples)
    columns = {
        "samples": plan.samples,
        "fresh": plan.fresh or none,
        "from_kept": plan.from_kept or none,
        "item_weights": plan.item_weights,
        "ages": () if plan.ages is None or plan.draw else plan.ages,
        "draw": plan.draw or None,
    }
    made = {name: value if value is None else np.array(value, np.uint64) for name, value in columns.items()}
    return SimpleNamespace(kept=plan.kept, **made)


def enumerated(plan: Plan, t: int) -> tuple[float, float]:
    """Standard deviations of both at generation t, by summing over all outcomes."""
    q = np.array(plan.reference)
    law = path_law(plan, [t])
    chance = np.array(list(law.values()))
    models = np.array([np.array(vectors[0]) / sum(vectors[0]) for vectors in law])
    both = np.stack([1 - (models**2).sum(axis=1), ((models - q) ** 2).sum(axis=1)])
    mean = both @ chance
    of_index, of_distance = np.sqrt((both - mean[:, None]) ** 2 @ chance)
    return float(of_index), float(of_distance)


ONE_AGE_OR_ALL = sorted(name for name in TINY if not name.startswith(("window", "mix-ages")))


@pytest.mark.parametrize("name", ONE_AGE_OR_ALL)
def test_every_outcome_of_tiny_runs(name: str) -> None:
    plan = TINY[name].plan
    q = np.array(plan.reference)
    last = len(plan.samples)
    index, distance = lineages.spread(composition(plan), (q @ q, q @ q**2), np.arange(last + 1))
    assert index.values[0] == distance.values[0] == 0.0
    for t in range(1, last + 1):
        found = (index.values[t], distance.values[t])
        # A standard deviation of 0 is the root of a rounding error.
        assert found == pytest.approx(enumerated(plan, t), rel=1e-12, abs=1e-8)


def test_replace_by_its_closed_steps() -> None:
    spec = tb.Spec(reference=tb.Zipf(50), samples=300, generations=400)
    q = spec.reference.support.ranked / spec.reference.support.total
    found, _ = lineages.spread(spec.composition, (q @ q, q @ q**2), np.arange(401))
    assert found.values == pytest.approx(moments.gini_simpson_sd([300] * 400, q).values, rel=1e-7)


def test_generations_asked_for_are_rows_of_all() -> None:
    spec = tb.Spec(reference=tb.Uniform(7), samples=40, generations=3000, regime=tb.Accumulate())
    sums, at = (1 / 7, 1 / 49), [0, 1, 2049, 2050, 3000]
    some = lineages.spread(spec.composition, sums, at)
    every = lineages.spread(spec.composition, sums, np.arange(3001))
    for one, other in zip(some, every, strict=True):
        assert np.array_equal(one.values, other.values[at])


def test_what_rounding_hides_is_not_a_number() -> None:
    spec = tb.Spec(reference=tb.Zipf(1000), samples=10**12, generations=2)
    q = spec.reference.support.ranked / spec.reference.support.total
    index, _ = lineages.spread(spec.composition, (q @ q, q @ q**2), [0, 1, 2])
    assert index.values[0] == 0.0
    assert np.isnan(index.values[1:]).all()


def test_nothing_varies_with_one_category() -> None:
    spec = tb.Spec(reference=tb.Uniform(1), samples=10, generations=2)
    for one in lineages.spread(spec.composition, (1.0, 1.0), [0, 1, 2]):
        assert one.values.tolist() == [0.0, 0.0, 0.0]


def test_batches_of_several_ages_are_refused() -> None:
    spec = tb.Spec(reference=tb.Uniform(3), samples=10, generations=5, regime=tb.Window(2))
    with pytest.raises(PredictionError, match=r"^regime\.ages: \[1, 1\] parts"):
        lineages.spread(spec.composition, (1 / 3, 1 / 9), [5])
    both = lineages.spread(spec.composition, (1 / 3, 1 / 9), [0, 1, 2])  # so far the window holds all batches
    all_of_them = spec.replace(regime=tb.Accumulate()).composition
    for one, other in zip(both, lineages.spread(all_of_them, (1 / 3, 1 / 9), [0, 1, 2]), strict=True):
        assert np.array_equal(one.values, other.values)


def test_runs_too_long_are_refused() -> None:
    spec = tb.Spec(reference=tb.Uniform(3), samples=10, generations=200_001)
    with pytest.raises(PredictionError, match=r"^generations: 200001 are more than 200,000"):
        lineages.spread(spec.composition, (1 / 3, 1 / 9), [200_001])


def test_sizes_that_end_with_the_run_leave_nothing_to_divide_by() -> None:
    """The batch drawn from the last model is not said: its size stands as 0."""
    spec = tb.Spec(reference=tb.Uniform(2), samples=[2], generations=1, regime=tb.AccumulateSubsample())
    index, _ = lineages.spread(spec.composition, (1 / 2, 1 / 4), [0, 1])
    assert index.values.tolist() == [0.0, 0.25]  # both items alike, or not, each with chance 1/2

# SPDX-License-Identifier: MIT
"""The C path and plain numpy in extended precision agree to 1e-12: steps, whole fits, weighted items."""

import numpy as np
import pytest

from tailbiter._core import em, mixture
from tests.mixture import loop, twin
from tests.mixture.programs import REGIMES, program, random_law, run

CLOSE = 1e-12


def difference(ours, theirs, covariance, before=None):
    """Largest difference between two laws, by their standard deviations.

    Second moments are about the means `before`: what is rounded is as large as a mean's way to the new one.
    """
    (weights, means, factors), (w, m, f) = ours, theirs
    way = 0.0 if before is None else ((m - before) ** 2).sum(axis=1, keepdims=True)
    sigma = twin.covariances(f, covariance, *m.shape)
    scale = np.sqrt(np.einsum("kii->ki", sigma) + way)
    other = twin.covariances(factors, covariance, *m.shape)
    errors = [
        np.abs(weights - w).max(),
        np.abs((means - m) / scale).max(),
        np.abs((other - sigma) / (scale[:, :, None] * scale[:, None, :])).max(),
    ]
    return max(errors)


def law_of(found):
    return found["weights"], found["means"], found["factors"]


@pytest.mark.parametrize("covariance", em.COVARIANCES)
@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 9, 32])
@pytest.mark.parametrize("components", [1, 2, 9])
def test_one_step(dimension, components, covariance):
    rng = np.random.default_rng([dimension, components])
    law, start = (random_law(dimension, components, covariance, rng, spread=2.0) for _ in range(2))
    data, _ = mixture.sample(901 + 7 * components, law, covariance, 5, 3, 1)
    for items in (None, rng.integers(0, 4, len(data)), rng.uniform(0, 1e6, len(data))):
        found = em.em_step(data, start, covariance, items=items)
        theirs, log_likelihood = twin.step(data, start, covariance, items)
        assert difference(law_of(found), theirs, covariance, start[1]) < CLOSE
        assert abs(found["log_likelihood"] / log_likelihood - 1) < CLOSE


@pytest.mark.parametrize("covariance", em.COVARIANCES)
@pytest.mark.parametrize(("dimension", "components"), [(1, 2), (1, 6), (2, 3), (3, 4), (7, 2)])
def test_whole_fits(dimension, components, covariance):
    rng = np.random.default_rng([dimension, components, 1])
    law, start = (random_law(dimension, components, covariance, rng) for _ in range(2))
    data, _ = mixture.sample(700, law, covariance, 5, 3, 1)
    for items in (None, rng.integers(0, 4, len(data))):
        found = em.fit(data, start, covariance, items=items, tolerance=1e-4, iterations=60)
        theirs, log_likelihood, iterations, converged = twin.fit(
            data, start, covariance, items, tolerance=1e-4, iterations=60
        )
        assert (found["iterations"], found["converged"]) == (iterations, converged)
        assert iterations > 2
        assert difference(law_of(found), theirs, covariance) < CLOSE
        assert abs(found["log_likelihood"] - log_likelihood) < CLOSE * max(1, abs(log_likelihood))


def test_means_far_from_the_origin_and_narrow_components():
    """Moments are about the components' means: nothing cancels where raw moments lose all digits."""
    law = (np.array([0.3, 0.7]), np.array([[1e6], [1e6 + 1]]), np.array([[1e-3], [2e-3]]))
    data, _ = mixture.sample(2000, law, "full", 5, 3, 1)
    found = em.em_step(data, law, "full", floor=1e-15)
    theirs, _ = twin.step(data, law, "full", floor=1e-15)
    assert np.abs(found["factors"] / theirs[2] - 1).max() < 1e-10


def test_component_without_weight_dies_and_stays():
    law = (np.array([0.5, 0.5]), np.array([[0.0], [60.0]]), np.array([[1.0], [1.0]]))
    data, _ = mixture.sample(500, (np.ones(1), np.zeros((1, 1)), np.ones((1, 1))), "full", 1, 1, 0)
    found = em.fit(data, law, "full", tolerance=0.0, iterations=3)
    assert found["weights"].tolist() == [1.0, 0.0]
    assert (found["alive"], found["means"][1, 0], found["factors"][1, 0]) == (1, 60.0, 1.0)
    again = em.fit(60 + data, law_of(found), "full", tolerance=0.0, iterations=3)
    assert again["weights"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("covariance", em.COVARIANCES)
def test_coinciding_items_leave_the_floor(covariance):
    data = np.full((40, 3), 2.5)
    start = random_law(3, 2, covariance, np.random.default_rng(1), spread=0.1)
    found = em.fit(data, start, covariance, floor=1e-4, iterations=5)
    sigma = twin.covariances(found["factors"], covariance, 2, 3)
    assert np.abs(sigma - 1e-4 * np.eye(3)).max() < 1e-16
    assert np.abs(found["means"] - 2.5).max() < 1e-14


@pytest.mark.parametrize("covariance", em.COVARIANCES)
def test_score_is_the_log_likelihood(covariance):
    rng = np.random.default_rng(4)
    law = random_law(3, 4, covariance, rng)
    data, _ = mixture.sample(333, law, covariance, 5, 3, 1)
    score = em.Fitter(data).score(law, covariance)
    assert abs(score - em.em_step(data, law, covariance)["log_likelihood"]) == 0.0


@pytest.mark.parametrize("covariance", em.COVARIANCES)
@pytest.mark.parametrize("regime", REGIMES)
def test_whole_runs(regime, covariance):
    """Every regime's training sets, one after another, in a lineage that is not the first."""
    law = random_law(2, 3, covariance, np.random.default_rng(8), spread=4.0)
    sizes = [203, 180, 211, 300, 190, 240, 200]
    given = program(law, covariance, regime=REGIMES[regime], samples=sizes, generations=6, iterations=8)
    out = run(given, 2)
    for t, (theirs, log_likelihood, iterations, converged) in enumerate(loop.run(given, 1), 1):
        ours = tuple(out[name][1, t] for name in ("weights", "means", "factors"))
        # A difference of rounding grows from generation to generation, as samples follow the law.
        assert difference(ours, theirs, covariance) < 1e-10, t
        assert abs(out["log_likelihood"][1, t] - log_likelihood) < 1e-10
        assert (out["iterations"][1, t], out["converged"][1, t]) == (iterations, converged)


@pytest.mark.parametrize("covariance", em.COVARIANCES)
def test_squared_distance(covariance):
    """Against a sum over a grid, which is exact to 1e-10 for densities as smooth as these."""
    rng = np.random.default_rng(12)
    a, b = (random_law(2, 3, covariance, rng, spread=1.0) for _ in range(2))
    axis = np.linspace(-16, 16, 401)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    p, q = (np.exp(twin.log_densities(grid, law, covariance).astype(float)).sum(axis=1) for law in (a, b))
    exact = ((p - q) ** 2).sum() * (axis[1] - axis[0]) ** 2
    assert abs(em.l2_squared(a, b, covariance) - exact) < 1e-9
    assert em.l2_squared(a, a, covariance) == 0.0

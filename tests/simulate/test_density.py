# SPDX-License-Identifier: MIT
"""Coverage both ways against integrals over a grid, held-out data against scipy, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal, norm

import tailbiter as tb
from tests.spec.test_bad_input import check

PARAMETERS = ("weights", "means", "factors")
PAIR = tb.GaussianMixture([0.9, 0.1], [0.0, 8.0], [1.0, 0.25])
# The floor keeps models wider than the grid's steps.
SPEC = tb.Spec(reference=PAIR, estimator=tb.EM(floor=0.01), samples=30, generations=200, replicates=6, seed=3)
RECORD = tb.Record(generations=[0, 1, 20, 200], variables=PARAMETERS)
GRID = np.linspace(-40.0, 60.0, 40_001)


@pytest.fixture(scope="module")
def ds():
    return tb.simulate(SPEC, record=RECORD)


def density(weights, means, factors):
    """On the grid."""
    return sum(w * norm.pdf(GRID, m[0], f[0]) for w, m, f in zip(weights, means, factors, strict=True) if w)


def region(values, epsilon):
    """Grid points of highest density that hold 1 - epsilon."""
    order = np.argsort(-values)
    inside = np.zeros(GRID.size, bool)
    inside[order[np.cumsum(values[order]) <= (1 - epsilon) * values.sum()]] = True
    return inside


def laws(run):
    """(index, law) of every row of a run of two components in one dimension."""
    shape = run["weights"].shape[:2]
    for index in np.ndindex(shape):
        parameters = [run[name].values[index] for name in PARAMETERS]
        yield index, [values.reshape(2, -1) if i else values for i, values in enumerate(parameters)]


def by_grid(run, epsilon):
    reference = density([0.9, 0.1], [[0.0], [8.0]], [[1.0], [0.5]])
    known = region(reference, epsilon)
    coverage, outside = np.empty((2, *run["weights"].shape[:2]))
    for index, law in laws(run):
        values = density(*law)
        coverage[index] = reference[region(values, epsilon)].sum() / reference.sum()
        outside[index] = values[~known].sum() / values.sum()
    return coverage, outside


@pytest.mark.parametrize("epsilon", [0.01, 0.2])
def test_both_ways_against_a_grid(ds, epsilon):
    """7 standard errors: 2.6e-12 for each of 48; 0.07 of mass put elsewhere would be seen in most."""
    found = tb.density_coverage(ds, epsilon=epsilon, points=20_000)
    for name, exact in zip(("coverage", "outside"), by_grid(ds, epsilon), strict=True):
        se = found[f"{name}_se"].values
        assert np.median(se) < 0.01
        assert (np.abs(found[name].values - exact) <= 7 * se + 1e-3).all()
    assert found.coverage.dims == ("replicate", "generation")
    # The minority is lost in some lineage, and both ways tell different things.
    assert found.coverage.sel(generation=200).min() < 0.6
    assert abs(found.coverage - (1 - found.outside)).max() > 0.1


SQUARE = [[4.0, 1.5, 0.0], [1.5, 1.0, 0.3], [0.0, 0.3, 2.0]]
TYPES = {"full": [SQUARE], "tied": SQUARE, "diagonal": [[4.0, 1.0, 2.0]], "spherical": [3.0]}


@pytest.mark.parametrize("covariance", TYPES)
def test_both_ways_in_three_dimensions(covariance):
    """A law twice as wide, and half as wide: chi-squares.

    7 standard errors: 2.6e-12 for each of 4; a tenth of mass put elsewhere would be seen.
    """
    law = tb.GaussianMixture([1.0], [[1.0, 2.0, 3.0]], TYPES[covariance], covariance)
    spec = tb.Spec(reference=law, samples=50, generations=1, replicates=1)
    run = tb.simulate(spec, record=tb.Record(generations=[0], variables=PARAMETERS))
    edge = chi2.ppf(0.95, 3)
    for scale in (2.0, 0.5):
        found = tb.density_coverage(run.assign(factors=scale * run["factors"]), epsilon=0.05)
        for name, exact in (
            ("coverage", chi2.cdf(scale**2 * edge, 3)),
            ("outside", chi2.sf(edge / scale**2, 3)),
        ):
            se = max(found[f"{name}_se"].item(), 1e-4)
            assert se < 0.015
            assert abs(found[name].item() - exact) < 7 * se


@pytest.mark.slow
def test_standard_errors_are_neither_too_small_nor_too_large(ds):
    """Squared errors over their claimed variances, mean over 300 seeds: sd .08; [.6, 1.5] is five of it."""
    rows = ds.isel(replicate=[0], generation=[2])
    exact = [value.item() for value in by_grid(rows, 0.1)]
    runs = [tb.density_coverage(rows, epsilon=0.1, points=1000, seed=seed) for seed in range(300)]
    for name, value in zip(("coverage", "outside"), exact, strict=True):
        squares = [((run[name] - value) / run[f"{name}_se"]).item() ** 2 for run in runs]
        assert 0.6 < np.mean(squares) < 1.5


def test_rows_stand_for_themselves(ds):
    whole = tb.density_coverage(ds, epsilon=0.05, points=500)
    one = tb.density_coverage(ds.isel(replicate=3).sel(generation=[20, 200]), epsilon=0.05, points=500)
    assert one.coverage.dims == ("generation",)
    assert one.coverage.equals(whole.coverage.isel(replicate=3).sel(generation=[20, 200]))


@pytest.mark.parametrize("covariance", ["full", "tied", "diagonal", "spherical"])
def test_held_out_against_scipy(covariance, tmp_path: Path):
    rng = np.random.default_rng(5)
    train, held_out = rng.normal(size=(2, 300, 3)) + 4 * rng.integers(0, 2, (2, 300, 1))
    law = tb.GaussianMixture.fit(train, components=2, covariance=covariance)
    spec = tb.Spec(reference=law, samples=100, generations=5, replicates=2)
    run = tb.simulate(spec, record=tb.Record(variables=PARAMETERS))
    np.save(tmp_path / "held_out.npy", held_out)
    found = tb.held_out_log_likelihood(run, tmp_path / "held_out.npy")
    assert (found.dims, found.attrs["items"]) == (("replicate", "generation"), 300)
    for index in np.ndindex(found.shape):
        weights = run["weights"].values[index]
        means = run["means"].values[index].reshape(2, 3)
        squares = covariances(run["factors"].values[index], covariance)
        each = [multivariate_normal.logpdf(held_out, m, s) for m, s in zip(means, squares, strict=True)]
        exact = np.logaddexp.reduce(np.log(weights)[:, None] + each).mean()
        assert abs(found.values[index] - exact) < 1e-10


def covariances(factors, covariance):
    if covariance in ("full", "tied"):
        lower = np.zeros((len(factors) // 6, 3, 3))
        lower[:, *np.tril_indices(3)] = factors.reshape(-1, 6)
        return np.broadcast_to(lower @ lower.transpose(0, 2, 1), (2, 3, 3))
    widths = np.broadcast_to(factors.reshape(2, -1), (2, 3))
    return [np.diag(width**2) for width in widths]


def test_a_component_that_died_has_no_say():
    spec = SPEC.replace(reference=tb.GaussianMixture([0.95, 0.05], [0.0, 50.0], [1.0, 1.0]), samples=10)
    run = tb.simulate(spec, record=tb.Record(generations=[200], variables=PARAMETERS))
    assert (run["weights"].values == 0).any(axis=2).all()
    assert (tb.held_out_log_likelihood(run, [[50.0]]) < -100).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 1.5}, "epsilon: 1.5"),
        ({"epsilon": 0.001}, "points: 4096 leave fewer than 20"),
        ({"epsilon": 0.999}, "points: 4096 leave fewer than 20"),
        ({"points": 0.5}, "points: 0.5"),
        ({"points": 10**9}, "points: 1000000000 is outside"),
        ({"seed": -1}, "seed: -1"),
    ],
)
def test_refused_options(ds, options, message):
    check(lambda: tb.density_coverage(ds, **options), message)


def test_refused_runs(ds):
    other = tb.simulate(tb.Spec(reference=tb.Gaussian(), samples=5, generations=2, replicates=1))
    check(lambda: tb.density_coverage(other), "ds: 'gaussian'")
    check(lambda: tb.density_coverage(ds.drop_vars("factors")), "ds: 'factors' was not recorded")
    check(lambda: tb.held_out_log_likelihood(ds.drop_vars("means"), [[0.0]]), "ds: 'means' was not recorded")


@pytest.mark.parametrize(
    ("held_out", "words"),
    [
        ([[1.0, 2.0]], "2 columns cannot be held out for a reference in 1 dimensions"),
        ([[1.0], [np.nan]], "nan is not a finite number"),
        ([[1.0], [1e200]], "1e200 is beyond 1e+100"),
        (np.empty((0, 1)), "0 rows are no held-out data"),
    ],
)
def test_refused_data(ds, held_out, words):
    with pytest.raises(tb.DataError) as caught:
        tb.held_out_log_likelihood(ds, held_out)
    assert words in str(caught.value).replace(": ", " ", 1)


def test_what_is_returned_says_how_it_was_made(ds):
    found = tb.density_coverage(ds.isel(replicate=[0]), epsilon=0.5, points=100)
    assert found.attrs == {"epsilon": 0.5, "points": 100, "seed": 1851}
    assert all(found[name].attrs["units"] == "1" for name in found.data_vars)
    assert json.loads(ds.attrs["spec"])["reference"]["kind"] == "gaussian_mixture"

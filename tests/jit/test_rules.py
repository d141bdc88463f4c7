# SPDX-License-Identifier: MIT
"""The loops that call users' functions: by the numpy twin, item by item, and by the C engine in law."""

import numpy as np
import pytest
from scipy import stats

import tailbiter as tb
from tailbiter._core import item as core
from tailbiter.errors import SpecError
from tailbiter.jit._mixture import Law, MixtureModel, cells_of
from tests.jit import laws
from tests.jit.test_compile import altered
from tests.mixture import twin
from tests.oracles import stat

SETTINGS = (1e-6, 1e-3, 100)


def law_of(components, dimension=1):
    weights = np.arange(1.0, components + 1)
    means = 2.5 * np.arange(components)
    parameters = np.column_stack([means] * dimension + [np.linspace(1, 2, components)] * dimension)
    return Law(weights / weights.sum(), np.ascontiguousarray(parameters))


def model_of(law, family=laws.normal, settings=SETTINGS):
    return MixtureModel(family, law, settings)


def address(key=5, generation=1, replicate=0, purpose="synthetic"):
    return np.array([key, generation, replicate, core.PURPOSES[purpose]], np.uint64)


def fitted(model, law, x, w=None):
    return model.fit(law, x, np.ones(len(x)) if w is None else w, "a test", core.Control())


@pytest.mark.parametrize("components", [1, 2, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_fits_are_those_of_the_numpy_twin(components, weighted):
    """Independent of the package: extended precision, other formulas."""
    rng = np.random.default_rng(components)
    law = law_of(components)
    x = rng.normal(3, 3, size=701)
    w = rng.integers(0, 4, size=701).astype(float) if weighted else np.ones(701)
    for settings in ((1e-6, 0.0, 1), (1e-2, 1e-3, 100)):
        found, how = fitted(model_of(law, settings=settings), law, x, w)
        start = (law.weights, law.parameters[:, :1], law.parameters[:, 1:])
        floor, tolerance, most = settings
        (weights, means, factors), likelihood, count, converged = twin.fit(
            x[:, None], start, "full", w, floor, tolerance, most
        )
        assert (how.iterations, bool(how.converged)) == (count, converged and count > 1)
        assert abs(how.log_likelihood - likelihood) < 1e-12
        assert np.abs(found.weights - weights).max() < 1e-12
        assert np.abs(found.parameters - np.column_stack([means, factors])).max() < 1e-11


@pytest.mark.slow
def test_fits_in_two_dimensions_are_those_of_the_twin():
    rng = np.random.default_rng(3)
    law, x = law_of(3, 2), rng.normal(3, 3, size=(500, 2))
    found, _ = fitted(model_of(law, laws.plane, (1e-6, 0.0, 4)), law, x)
    start = (law.weights, law.parameters[:, :2], law.parameters[:, 2:])
    (weights, means, factors), *_ = twin.fit(x, start, "diagonal", None, 1e-6, 0.0, 4)
    assert np.abs(found.weights - weights).max() < 1e-12
    assert np.abs(found.parameters - np.column_stack([means, factors])).max() < 1e-11


@pytest.mark.slow
def test_a_fit_that_leaves_weights_out_is_seen():
    x = np.random.default_rng(1).normal(size=300)
    w = np.arange(300.0)
    law = law_of(1)
    right, _ = fitted(model_of(law), law, x, w)
    wrong, _ = fitted(model_of(law, altered(fit=laws.unweighted_fit)), law, x, w)
    assert np.abs(right.parameters - wrong.parameters).max() > 1e-3


def test_a_component_without_items_dies_and_stays_as_it_was():
    law = Law(np.array([0.5, 0.5]), np.array([[0.0, 1.0], [1e6, 1.0]]))
    found, how = fitted(model_of(law), law, np.linspace(-1, 1, 50))
    assert found.weights.tolist() == [1.0, 0.0]
    assert found.parameters[1].tolist() == [1e6, 1.0]
    assert np.isfinite(how.log_likelihood)


@pytest.mark.parametrize(
    ("family", "dimension"), [(laws.normal, 1), pytest.param(laws.plane, 2, marks=pytest.mark.slow)]
)
def test_items_are_the_same_one_by_one(family, dimension):
    law = law_of(3, dimension)
    model, control = model_of(law, family), core.Control()
    whole = model.draw(law, address(), 3000, control)
    slots = np.array([2999, 0, 17, 255, 256, 257, 17], np.uint64)
    assert (model.gather(law, address(), slots, control) == whole[slots.astype(int)]).all()
    assert (model.draw(law, address(), 300, control) == whole[:300]).all()
    other = model.draw(law, address(purpose="fresh"), 3000, control)
    assert not (other == whole).any()


def test_arrays_may_lie_anywhere():
    """Loops are compiled twice, and addresses decide which version runs: both must give the same bits."""
    law = law_of(2)
    model = model_of(law)
    x = model.draw(law, address(), 5000, core.Control())
    results = set()
    for shift in range(40):
        room = np.empty(5000 + shift)
        room[shift:] = x
        junk = [np.empty(8 * k) for k in range(shift)]
        found, how = fitted(model, law, room[shift:])
        results.add((found.weights.tobytes(), found.parameters.tobytes(), how.log_likelihood))
        del junk
    assert len(results) == 1


def test_cells_are_as_long_as_weights_say():
    weights = np.array([0.3, 0.0, 0.7 - 2.0**-53, 2.0**-53])
    cells = [int(c) for c in cells_of(weights)]
    lengths = np.diff([0, *cells])
    assert cells[-1] == 2**53
    assert lengths[1] == 0
    assert lengths[3] == 1
    assert np.abs(lengths / 2.0**53 - weights / weights.sum()).max() <= 2.0**-53


def test_components_are_drawn_in_proportion():
    """G-test at 1e-9; sees an effect of .05."""
    law = Law(np.array([0.05, 0.25, 0.7]), np.array([[0.0, 1.0], [1e3, 1.0], [2e3, 1.0]]))
    x = model_of(law).draw(law, address(), 60_000, core.Control())
    seen = np.bincount(np.rint(x / 1e3).astype(int), minlength=3)
    stat.require(stat.g_test(seen, law.weights), effect=0.05, name="components")
    with pytest.raises(AssertionError):
        stat.require(stat.g_test(seen, [0.06, 0.25, 0.69]), effect=0.05)


def gaussian_run(sample, replicates=4000):
    """Log-variances of a normal law written by a user after three generations of 20."""
    law = tb.UserMixture(sample, [0.0, 1.0])
    spec = tb.Spec(
        reference=law,
        samples=20,
        generations=3,
        replicates=replicates,
        estimator=tb.EM(iterations=2, floor=1e-18),
    )
    return tb.simulate(spec, record=tb.Record(generations=[3]))["parameters"].values[:, 0, 1] ** 2


@pytest.mark.slow
def test_a_normal_law_by_users_functions_is_the_gaussian_in_law():
    """Two samples, Kolmogorov-Smirnov, each within Massart's bound at 5e-10: sees a distance of .1."""
    spec = tb.Spec(reference=tb.Gaussian(), samples=20, generations=3, replicates=4000)
    theirs = np.exp(tb.simulate(spec, record=tb.Record(generations=[3]))["log_det"].values[:, 0])
    bound = 2 * np.sqrt(np.log(2 / 5e-10) / 8000)
    assert bound < 0.11
    assert stats.ks_2samp(gaussian_run(laws.normal), theirs).statistic < bound
    wrong = gaussian_run(altered(sample=laws.too_wide_sample))
    assert stats.ks_2samp(wrong, theirs).statistic > bound


@pytest.mark.slow
def test_the_mean_variance_shrinks_as_it_must():
    """E sigma_t^2 = (1 - 1/n)^t: `assert_mean` at 1e-9, effect .04; a generation too few moves it by .07."""
    from tailbiter.testing import assert_mean, replicates_of

    law = tb.UserMixture(laws.normal, [0.0, 1.0])
    estimator = tb.EM(iterations=1, floor=1e-18)
    spec = tb.Spec(reference=law, samples=10, generations=4, estimator=estimator)
    variance = replicates_of(spec, lambda ds: ds["parameters"].isel(component_parameter=1) ** 2)
    # E sigma_t^4 = (1 - 1/n^2)^t: the standard deviation of sigma^2 is largest at the end.
    sd = (0.99**4 - 0.81**4) ** 0.5
    assert_mean(variance, [0.9**t for t in range(5)], effect=0.04, sd=sd)


@pytest.mark.slow
def test_a_fit_to_a_table_ends_where_the_twin_does():
    rng = np.random.default_rng(8)
    rows = np.concatenate([rng.normal(0, 1, 300), rng.normal(12, 2, 100), rng.normal(-9, 0.5, 50)])
    law = tb.UserMixture.fit(laws.normal, rows[:, None], components=3, floor=1e-9)
    assert list(law.weights) == sorted(law.weights, reverse=True)
    start = (law.weight_vector, law.parameter_matrix[:, :1], law.parameter_matrix[:, 1:])
    (weights, means, factors), *_ = twin.fit(rows[:, None], start, "full", None, 1e-9, 0.0, 50)
    assert np.abs(weights - law.weights).max() < 1e-4
    assert np.abs(np.column_stack([means, factors]) - law.parameters).max() < 1e-2
    assert np.abs(means[:, 0] - [0, 12, -9]).max() < 1
    again = tb.UserMixture.fit(laws.normal, rows[:, None], components=3, floor=1e-9)
    assert again == law


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        ([[0.0, 1.0], [1.0, 3.0]], {}, "2 columns cannot be items in 1 dimension; name as many columns"),
        ([[0.0], [1.0]], {"components": 3}, "2 rows cannot give 3 components; give more rows, or fewer"),
        ([[0.0], [np.nan]], {}, "nan"),
        ([[0.0], [1.0]], {"components": 0}, "components: 0 is outside 1 to 64"),
    ],
)
def test_tables_that_cannot_be_fitted(rows, fields, message):
    with pytest.raises(SpecError) as caught:
        tb.UserMixture.fit(laws.normal, rows, **fields)
    assert message in str(caught.value)

# SPDX-License-Identifier: MIT
"""One iteration equals scikit-learn's to 1e-10, on ten data sets that come with it or are made by it."""

import numpy as np
import pytest
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from bench import mixture as bench
from tailbiter._core import em
from tests.mixture import twin

NAMES = {"spherical": "spherical", "diagonal": "diag", "tied": "tied", "full": "full"}


def tables():
    """Name, items and number of components."""
    digits = datasets.load_digits().data[:, [20, 21, 28, 36, 43]]
    cancer = datasets.load_breast_cancer().data[:, :6]
    return {
        "iris": (datasets.load_iris().data, 3),
        "wine": (datasets.load_wine().data[:, :8], 3),
        "cancer": (cancer, 2),
        "digits": (digits, 4),
        "diabetes": (datasets.load_diabetes().data[:, :4] * 20, 3),
        "linnerud": (datasets.load_linnerud().data, 2),
        "blobs": (datasets.make_blobs(800, 2, centers=6, random_state=0)[0], 6),
        "moons": (datasets.make_moons(500, noise=0.1, random_state=0)[0], 5),
        "circles": (datasets.make_circles(500, noise=0.1, factor=0.4, random_state=0)[0], 4),
        "one coordinate": (datasets.make_blobs(900, 1, centers=3, random_state=1)[0], 3),
    }


def start(data, components, covariance):
    """Weights, means spread over the data, and the data's own widths."""
    d = data.shape[1]
    means = data[np.linspace(0, len(data) - 1, components).astype(int)]
    deviations = data.std(axis=0)
    if covariance == "spherical":
        factors = np.full((components, 1), deviations.mean())
    elif covariance == "diagonal":
        factors = np.tile(deviations, (components, 1))
    else:
        lower = np.diag(deviations)[np.tril_indices(d)]
        factors = np.tile(lower, (1 if covariance == "tied" else components, 1))
    return np.full(components, 1 / components), means, factors


def sklearn_step(data, law, covariance):
    """The law after one iteration, and the mean log-likelihood before."""
    k, d = law[1].shape
    sigma = twin.covariances(law[2], covariance, k, d)
    precisions = np.linalg.inv(sigma)
    given = {
        "spherical": precisions[:, 0, 0],
        "diagonal": np.einsum("kii->ki", precisions),
        "tied": precisions[0],
        "full": precisions,
    }[covariance]
    model = GaussianMixture(
        k,
        covariance_type=NAMES[covariance],
        weights_init=law[0],
        means_init=law[1],
        precisions_init=given,
        max_iter=1,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(data)
    found = model.covariances_
    if covariance == "spherical":
        found = found[:, None, None] * np.eye(d)
    elif covariance == "diagonal":
        found = found[:, :, None] * np.eye(d)
    elif covariance == "tied":
        found = np.array([found] * k)
    return model.weights_, model.means_, found, model.lower_bound_


@pytest.mark.parametrize("covariance", NAMES)
@pytest.mark.parametrize("name", tables())
def test_one_step(name, covariance):
    data, components = tables()[name]
    law = start(data, components, covariance)
    weights, means, sigma, log_likelihood = sklearn_step(data, law, covariance)
    found = em.em_step(data, law, covariance)
    ours = twin.covariances(found["factors"], covariance, *means.shape)
    scale = np.sqrt(np.einsum("kii->ki", sigma))
    assert np.abs(found["weights"] - weights).max() < 1e-10
    assert np.abs((found["means"] - means) / scale).max() < 1e-10
    assert np.abs((ours - sigma) / (scale[:, :, None] * scale[:, None, :])).max() < 1e-10
    assert abs(found["log_likelihood"] - log_likelihood) < 1e-10 * max(1.0, abs(log_likelihood))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_what_is_timed_is_the_same(covariance):
    """The bench's two sides: twelve iterations to the same means (it stops where not), and loops as long."""
    case = bench.Case(2, 3, covariance, 600, 4)
    assert bench.iterations(case, 1)["bars"] == bench.BARS
    counts = bench.our_loop(case, 1), bench.their_loop(case, 1)
    assert [len(each) for each in counts] == [4, 4]
    assert all(1 < count <= 100 for each in counts for count in each)

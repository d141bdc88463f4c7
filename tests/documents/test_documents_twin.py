# SPDX-License-Identifier: MIT
"""The engine of documents against a plain twin: fits to 1e-12, and whole lineages word by word."""

import numpy as np
import pytest

import tailbiter as tb
from tailbiter._core import documents
from tests.documents.gallery import ALL, APART, LAW, REGIMES, STYLES, spec_of
from tests.documents.twin import fit, models


def sparse(counts):
    """Documents as the core takes them."""
    number = counts[counts > 0].astype(np.uint32)
    category = np.nonzero(counts)[1].astype(np.uint32)
    return category, number, np.append(0, np.cumsum((counts > 0).sum(axis=1))).astype(np.uint64)


def tables():
    """Ten tables of documents, and laws to begin with, of all sorts of sizes."""
    rng = np.random.default_rng(8)
    for components, categories, count, length in [
        (1, 3, 5, 4),
        (2, 2, 9, 1),
        (2, 30, 40, 12),
        (3, 6, 70, 8),
        (4, 100, 50, 30),
        (7, 11, 200, 25),
        (8, 40, 33, 90),
        (9, 25, 60, 40),
        (17, 50, 300, 60),
        (64, 9, 400, 20),
    ]:
        own = rng.dirichlet(np.full(categories, 0.5), components)
        counts = np.array([rng.multinomial(length, own[i % components]) for i in range(count)])
        law = rng.dirichlet(np.full(components, 3.0)), rng.dirichlet(np.ones(categories), components)
        yield counts, rng.uniform(0.2, 3.0, count), law


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_fits_equal_the_twins(steps: int) -> None:
    for counts, items, law in tables():
        found = documents.fit(*sparse(counts), *law, items=items, floor=1e-6, tolerance=0.0, iterations=steps)
        weights, probabilities, likelihood, made = fit(counts, items, law, 1e-6, 0.0, steps)
        np.testing.assert_allclose(found["weights"], weights, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=1e-12)
        assert found["log_likelihood"] == pytest.approx(likelihood, rel=1e-12)
        assert found["iterations"] == made


def test_fits_end_by_their_tolerance() -> None:
    ends = set()
    for counts, items, law in tables():
        found = documents.fit(*sparse(counts), *law, items=items, tolerance=1e-2, iterations=500)
        made = fit(counts, items, law, 1e-6, 1e-2, 500)[3]
        assert found["converged"]
        assert found["iterations"] == made
        ends.add(made)
    assert len(ends) > 3


@pytest.mark.parametrize("regime", REGIMES)
def test_lineages_equal_the_twins(regime: str) -> None:
    """Every word is read as it is told: documents, regimes, weights, the order in which batches train."""
    spec = spec_of(REGIMES[regime])
    ds = tb.simulate(spec, record=ALL)
    for replicate in (0, 5):
        for t, (weights, probabilities) in enumerate(models(spec, replicate)):
            one = ds.isel(replicate=replicate).sel(generation=t)
            np.testing.assert_allclose(one["weights"], weights, rtol=0, atol=1e-11)
            np.testing.assert_allclose(one["probabilities"], np.ravel(probabilities), rtol=0, atol=1e-11)


def test_what_is_measured() -> None:
    ds = tb.simulate(spec_of(REGIMES["fresh"]), record=ALL)
    weights = ds["weights"].values
    p, q = ds["probabilities"].values.reshape(6, 6, 3, 6), np.array(STYLES)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(p > 0, p * np.log(p), 0.0).sum(axis=-1)
        kl = np.where(p > 0, p * np.log(p / np.maximum(q, 1e-6)), 0.0).sum(axis=-1)
        mean = np.einsum("rtk,rtkc->rtc", weights, p)
        joint = weights[..., None] * p
        information = np.where(joint > 0, joint * np.log(p / mean[:, :, None]), 0.0).sum(axis=(-1, -2))
    np.testing.assert_allclose(ds["component_entropy"], entropy, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ds["component_kl"], kl, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(ds["mutual_information"], information, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(ds["component_variation"], np.abs(p - q).sum(axis=-1) / 2, atol=1e-14)
    np.testing.assert_array_equal(ds["component_largest_share"], p.max(axis=-1))
    np.testing.assert_array_equal(ds["components_alive"], (weights > 0).sum(axis=-1))
    np.testing.assert_allclose(ds["weight_drift"], np.abs(weights - LAW.weights).sum(axis=-1) / 2, atol=1e-15)
    assert ds["component_survivors"].sel(generation=0).values.tolist() == [[4, 4, 4]] * 6


def test_survivors_are_what_the_documents_hold() -> None:
    """Where it is plain who wrote what, half a token is one: survivors are the categories seen."""
    ds = tb.simulate(spec_of(reference=APART, generations=5), record=ALL)
    p = ds["probabilities"].values.reshape(6, 6, 3, 9)[:, 1:]
    alive = ds["weights"].values[:, 1:] > 0
    np.testing.assert_array_equal(ds["component_survivors"][:, 1:], (p > 1e-3).sum(axis=-1) * alive)
    assert not alive.all()

# SPDX-License-Identifier: MIT
"""Laws: of batches, of the weights of components far apart, of choices, and of seeds."""

import numpy as np
import pytest
from scipy import stats

import tailbiter as tb
from tailbiter._core import em, mixture
from tests.mixture.programs import program, random_law, run
from tests.oracles import stat

ONE = np.ones((1, 1))


def far_apart(weights, gap=1000.0):
    """A law in one dimension with components that no item could be mistaken for another's."""
    k = len(weights)
    return np.array(weights), gap * np.arange(k)[:, None].astype(float), np.ones((k, 1))


def chain(size, share, steps):
    """The Wright-Fisher chain's law of one type's count after so many resamplings."""
    counts = np.arange(size + 1)
    law = stats.binom.pmf(counts, size, share)
    matrix = stats.binom.pmf(counts[None, :], size, counts[:, None] / size)
    for _ in range(steps - 1):
        law = law @ matrix
    return law / law.sum()


@pytest.mark.parametrize("generation", [1, 2, 6])
def test_weights_of_components_far_apart_follow_the_chain(generation):
    """G-test at 1e-9 over three tests; a chain off by one generation is seen."""
    size, replicates = 12, 20_000
    given = program(far_apart([0.3, 0.7]), samples=size, generations=6, variables=("weights",))
    counts = run(given, replicates)["weights"][:, generation, 0] * size
    whole = np.rint(counts).astype(int)
    assert np.abs(counts - whole).max() < 1e-9
    law = chain(size, 0.3, generation)
    verdict = stat.g_test(np.bincount(whole, minlength=size + 1), law, tests=3)
    stat.require(verdict, effect=0.1, name=f"generation {generation}")
    off = chain(size, 0.3, generation + 1)
    assert np.sqrt(((off - law) ** 2 / law).sum()) > 0.1


def test_what_died_stays_dead_and_is_counted():
    given = program(far_apart([0.05, 0.15, 0.8]), samples=12, generations=30)
    out = run(given, 50)
    dead = out["weights"] == 0
    assert (dead[:, 1:] >= dead[:, :-1]).all()
    assert (out["alive"] == (~dead).sum(axis=2)).all()
    assert dead[:, -1].sum() > 50
    assert np.abs(out["weights"].sum(axis=2) - 1).max() < 1e-12


def test_seeds_bring_components_back():
    """Components without identity: as many clusters are sought in every generation, wherever items are."""
    given = program(far_apart([0.5, 0.5]), samples=20, generations=12, start="kmeans++", iterations=3)
    out = run(given, 50)
    assert (out["alive"][:, 1:] == 2).all()
    low = np.sort(out["means"][:, 1, :, 0], axis=1)
    assert (np.abs(low - [0.0, 1000.0]) < 5).all()


@pytest.mark.parametrize("covariance", em.COVARIANCES)
def test_items_have_their_components_law(covariance):
    """Whitened items are normal: Kolmogorov-Smirnov, Massart's bound at 1e-9 over all; sees .025."""
    law = (np.array([0.5, 0.5]), *random_law(3, 2, covariance, np.random.default_rng(2))[1:])
    data, counts = mixture.sample(60_000, law, covariance, 11, 2, 3)
    ends = np.cumsum(counts)
    for k, items in enumerate(np.split(data, ends[:-1])):
        f = law[2][0 if covariance == "tied" else k]
        root = np.zeros((3, 3))
        if covariance in ("spherical", "diagonal"):
            root[np.diag_indices(3)] = f
        else:
            root[np.tril_indices(3)] = f
        z = np.linalg.solve(root, (items - law[1][k]).T)
        for w in (z[0], z[1], z[2], (z[0] + z[1]) / np.sqrt(2), (z[1] - z[2]) / np.sqrt(2)):
            bound = np.sqrt(np.log(2 * 40 / 1e-9) / (2 * len(w)))
            assert bound < 0.025
            assert stats.kstest(w, "norm").statistic < bound


def test_accumulate_holds_every_batch():
    """With all components far apart the accumulated weight is the mean of the batches' shares, exactly."""
    given = program(far_apart([0.4, 0.6]), regime=tb.Accumulate(), samples=50, generations=5)
    weights = run(given, 20)["weights"][..., 0]
    totals = weights[:, 1:] * 50 * np.arange(1, 6)
    drawn = np.diff(totals, axis=1, prepend=0)
    assert np.abs(drawn - np.rint(drawn)).max() < 1e-9
    assert ((drawn > -1e-9) & (drawn < 50 + 1e-9)).all()


def test_each_place_gets_a_seed():
    """Items at as many places as there are seeds: what has squared distance 0 is never chosen.

    All places are found, but for a share of 2^-900 that what is not nearest keeps.
    """
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [5.0, 5.0], [-3.0, 1.0]])
    data = np.repeat(places, [1, 30, 5, 200, 64], axis=0)
    items = np.ones(300)
    for key in range(30):
        weights, means, _ = em.Fitter(data, items).seed(5, "full", key)
        found = sorted(np.round(means, 9).tolist())
        assert np.abs(np.array(found) - sorted(places.tolist())).max() < 1e-200
        assert np.abs(np.sort(weights) * 300 - [1, 5, 30, 64, 200]).max() < 1e-9


def test_items_without_weight_are_no_seeds():
    data = np.array([[0.0], [7.0], [3.0]])
    for key in range(30):
        weights, means, _ = em.Fitter(data, [1.0, 1.0, 0.0]).seed(2, "full", key)
        assert np.abs(np.sort(means.ravel()) - [0.0, 7.0]).max() < 1e-200
        assert weights.tolist() == [0.5, 0.5]


def test_more_seeds_than_places():
    """The rest coincide with others and share, or die; nothing breaks, however near items are."""
    for gap in (1.0, 1e-99, 1e-160, 0.0):
        law = em.Fitter(np.repeat([[0.0], [gap]], 10, axis=0)).seed(4, "full", 3)
        assert abs(law[0].sum() - 1) < 1e-12
        assert ((law[1] >= 0) & (law[1] <= gap)).all()


def test_first_seed_in_proportion_to_weight():
    """The second seed is the other place, so which place is first shows in the order of the means."""
    weights = [1.0, 3.0]
    fitter = em.Fitter(np.array([[0.0], [1.0]]), weights)
    first = [int(fitter.seed(2, "full", key)[1][0, 0]) for key in range(4000)]
    verdict = stat.g_test(np.bincount(first, minlength=2), [0.25, 0.75])
    stat.require(verdict, effect=0.2, name="first seed")

# SPDX-License-Identifier: MIT
"""The engine against slow twins: word by word, and in law against items drawn one by one."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

import tailbiter as tb
from tests.totals.gallery import ALL, NEWEST, REGIMES, mean_of, spec_of
from tests.totals.twin import lineages, means

DRAWS = {
    "poisson": lambda rng, mean, n: rng.poisson(mean[:, None], (len(mean), n)),
    "exponential": lambda rng, mean, n: rng.exponential(mean[:, None], (len(mean), n)),
}


@pytest.mark.parametrize("regime", NEWEST)
@pytest.mark.parametrize("law", DRAWS)
def test_every_word_is_read_as_it_is_told(law: str, regime: str) -> None:
    """Poisson sums are the same whole numbers; exponential ones agree to rounding, attempts included."""
    spec = spec_of(law, NEWEST[regime], replicates=12)
    ds = tb.simulate(spec, record=ALL)
    for replicate in (0, 3, 11):
        expected = means(spec, spec.key, replicate)
        np.testing.assert_allclose(ds[mean_of(law)][replicate], expected, rtol=1e-12, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("law", DRAWS)
def test_sums_have_the_law_of_their_items(law: str, regime: str) -> None:
    """Two samples of 20,000, Kolmogorov-Smirnov at 1e-9: sees a distance of .035; ties make it the safer."""
    spec = spec_of(law, REGIMES[regime], replicates=20_000)
    engine = tb.simulate(spec, record=tb.Record(generations=[8]))[mean_of(law)].values[:, 0]
    rng = np.random.default_rng(11)
    plain = lineages(spec.composition, spec.reference.mean, DRAWS[law], 20_000, rng)
    # Equal means must look equal: sums in another order differ by rounding.
    assert ks_2samp(np.round(engine, 9), np.round(plain, 9)).pvalue > 1e-9


def test_a_twin_with_one_item_too_few_is_caught() -> None:
    """Batches one item smaller give another law: the same test sees it."""
    spec = spec_of("exponential", replicates=20_000, samples=3)
    engine = tb.simulate(spec, record=tb.Record(generations=[8]))["scale"].values[:, 0]
    other = spec.replace(samples=2).composition
    plain = lineages(other, 2.5, DRAWS["exponential"], 20_000, np.random.default_rng(11))
    assert ks_2samp(engine, plain).pvalue < 1e-9

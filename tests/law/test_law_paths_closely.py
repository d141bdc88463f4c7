# SPDX-License-Identifier: MIT
"""Every path of the engine at full size: sixty times what continuous integration draws."""

import pytest

from tests.law.test_law_paths import FLOWS, MARGINALS, check_flow, check_marginals, flow


@pytest.mark.verification
@pytest.mark.parametrize("name", FLOWS)
def test_every_generation_is_a_multinomial_draw_seen_more_closely(name: str) -> None:
    """As in test_law_paths.py; effects .01 and .03."""
    check_flow((flow(name, seed) for seed in range(60)), name, effect=0.01, effect_pairs=0.03)


@pytest.mark.verification
@pytest.mark.parametrize("name", MARGINALS)
def test_counts_of_merged_categories_at_every_age(name: str) -> None:
    """As in test_law_paths.py; effect .04."""
    check_marginals(name, 200_000, effect=0.04, seed=3)

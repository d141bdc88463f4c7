# SPDX-License-Identifier: MIT
"""Valid Specs of every kind, and Records that fit all of them."""

from hypothesis import strategies as st

import tailbiter as tb
from tailbiter import testing

specs = testing.specs(max_categories=40, max_samples=10**9, max_generations=20, max_replicates=9)
records = st.builds(
    tb.Record,
    generations=st.sampled_from(["log", "all"]) | st.lists(st.integers(0, 1), min_size=1),
    variables=st.just("standard") | st.lists(st.sampled_from(["survivors", "kl", "band_mass"]), min_size=1),
    forgotten=st.booleans(),
    snapshots=st.sampled_from([(), (1,)]),
)

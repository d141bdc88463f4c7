# SPDX-License-Identifier: MIT
"""Valid Specs of every kind, small and plain first."""

from hypothesis import strategies as st

import tailbiter as tb

shares = st.sampled_from([0.5, 0.25, 0.1, 1 / 3, 0.07, 1.0, 0.0])
schedules = st.builds(
    tb.Schedule,
    start=shares,
    end=shares,
    over=st.integers(1, 9),
    shape=st.sampled_from(["linear", "logistic"]),
)
varying = st.one_of(shares, st.lists(shares, min_size=1, max_size=4), schedules)

labels = st.lists(st.text(max_size=5).filter(lambda s: s.isprintable()), min_size=4, max_size=4, unique=True)
references = st.one_of(
    st.builds(tb.Uniform, st.integers(1, 40)),
    st.builds(tb.Zipf, st.integers(1, 40), st.floats(0, 2), st.floats(-0.5, 5)),
    st.builds(tb.Geometric, st.integers(1, 20), st.floats(0.5, 1)),
    st.builds(tb.Dirichlet, st.integers(1, 20), st.floats(0.5, 9), st.integers(0, 2**63 - 1)),
    st.builds(tb.Counts, st.lists(st.integers(1, 2**40), min_size=4, max_size=4), st.none() | labels),
    st.builds(tb.Probabilities, st.lists(st.floats(1e-6, 1), min_size=4, max_size=4), st.none() | labels),
)

samples = st.one_of(
    st.integers(100, 10**9),
    st.lists(st.integers(100, 300), min_size=20, max_size=22),
    st.builds(
        tb.Growth, st.integers(100, 1000), st.floats(1, 1.1), st.floats(0, 50), st.none() | st.just(10**4)
    ),
)

anchored = st.one_of(
    st.builds(tb.Anchored, real=varying),
    st.builds(tb.Anchored, real_count=st.integers(0, 100)),
    st.builds(tb.Anchored, real=st.sampled_from([0.1, 1 / 3, 0.0]), source=st.just("fixed")),
    st.builds(
        tb.Anchored, real_count=st.integers(1, 50), source=st.just("hoard"), hoard=st.integers(50, 10**9)
    ),
)
weighted = st.builds(
    lambda share, weight: tb.Mix(
        (tb.Fresh(share=share, weight=weight), tb.Synthetic(weight=round(1 - weight, 3)))
    ),
    st.sampled_from([0.5, 0.25, 0.07]),
    st.integers(0, 1000).map(lambda n: n / 1000),
)
mixes = st.one_of(
    st.builds(
        tb.Mix,
        st.just((tb.Fresh(share=0.25), tb.Hoard(size=10**9, share=0.1))),
        st.just((1.0,)),
    ),
    st.builds(
        tb.Mix,
        st.just((tb.Synthetic(),)),
        st.just("all") | st.lists(st.sampled_from([1.0, 0.5, 0.3, 0.0]), max_size=3).map(lambda a: (1.0, *a)),
    ),
    weighted,
)
regimes = st.one_of(
    st.just(tb.Replace()),
    st.just(tb.Accumulate()),
    st.builds(tb.AccumulateSubsample, st.none() | st.integers(1, 100)),
    st.builds(tb.Window, st.integers(1, 7)),
    st.just(tb.RealOnly()),
    anchored,
    mixes,
)

specs = st.builds(
    tb.Spec,
    reference=references,
    regime=regimes,
    samples=samples,
    generations=st.integers(1, 20),
    replicates=st.integers(1, 9),
    seed=st.integers(0, 2**63 - 1),
    bands=st.none() | st.sampled_from([[1.0], [0.5, 2, 30]]),
    tail_mass=st.sampled_from([0.05, 0.0, 1.0, 1 / 3]),
)
records = st.builds(
    tb.Record,
    generations=st.sampled_from(["log", "all"]) | st.lists(st.integers(0, 1), min_size=1),
    variables=st.just("standard") | st.lists(st.sampled_from(["survivors", "kl", "band_mass"]), min_size=1),
    forgotten=st.booleans(),
    snapshots=st.sampled_from([(), (1,)]),
)

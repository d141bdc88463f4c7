# SPDX-License-Identifier: MIT
"""Every named regime equals the Mix it is a name for: same digest, same program, same bits."""

import numpy as np
import pytest

import tailbiter as tb
from tests.law.runs import REST, SEED

SAME = {
    "replace": (tb.Replace(), tb.Mix()),
    "replace, in words": (tb.Replace(), tb.Mix((REST,), ages=(1.0,))),
    "replace, window": (tb.Replace(), tb.Window(1)),
    "accumulate": (tb.Accumulate(), tb.Mix((REST,), ages="all")),
    "window": (tb.Window(3), tb.Mix((REST,), ages=(1.0, 1.0, 1.0))),
    "window, scaled": (tb.Window(3), tb.Mix((REST,), ages=(0.1, 0.1, 0.1))),
    "fresh": (tb.Anchored(real=0.1), tb.Mix((tb.Fresh(share=0.1), REST))),
    "fresh, count": (tb.Anchored(real_count=7), tb.Mix((tb.Fresh(count=7), REST))),
    "fresh, schedule": (tb.Anchored(real=[0.9, 0.5, 0.1]), tb.Mix((tb.Fresh(share=[0.9, 0.5, 0.1]), REST))),
    "fixed": (tb.Anchored(real=0.2, source="fixed"), tb.Mix((tb.Fixed(share=0.2), REST))),
    "hoard": (
        tb.Anchored(real=0.2, source="hoard", hoard=300),
        tb.Mix((tb.Hoard(size=300, share=0.2), REST)),
    ),
    "real only": (tb.RealOnly(), tb.Mix((tb.Fresh(share=1.0),))),
    "order of sources": (tb.Mix((tb.Fresh(count=3), REST)), tb.Mix((REST, tb.Fresh(count=3)))),
}
# The same law in other words: the digests may differ, the draws must not.
SAME_DRAWS = {
    "one weighted source": (tb.Replace(), tb.Mix((tb.Synthetic(weight=1.0),))),
    "alike by weights": (
        tb.Anchored(real=0.25),
        tb.Mix((tb.Fresh(share=0.25, weight=0.25), tb.Synthetic(weight=0.75))),
    ),
    "a share of nothing": (tb.Replace(), tb.Anchored(real=0.0)),
    "all human": (tb.RealOnly(), tb.Anchored(real=1.0)),
}


def spec(regime: object) -> tb.Spec:
    return tb.Spec(
        reference=tb.Zipf(categories=150),
        regime=regime,
        samples=200,
        generations=30,
        replicates=9,
        seed=SEED,
    )


def bits(spec: tb.Spec) -> dict[str, bytes]:
    record = tb.Record(generations="all", forgotten=True, snapshots=(1, 7, 30))
    ds = tb.simulate(spec, record=record, threads=1)
    return {name: ds[name].values.tobytes() for name in ds.data_vars}


@pytest.mark.parametrize("name", SAME)
def test_named_regime_equals_its_mix(name: str) -> None:
    one, other = (spec(regime) for regime in SAME[name])
    assert one.digest() == other.digest()
    assert one.key == other.key
    assert tb.lower(one) == tb.lower(other)
    assert bits(one) == bits(other)


@pytest.mark.parametrize("name", SAME_DRAWS)
def test_same_law_in_other_words_gives_the_same_program(name: str) -> None:
    """But for the key, where the digest tells the two apart."""
    one, other = (tb.lower(spec(regime)) for regime in SAME_DRAWS[name])
    for field in ("samples", "fresh", "from_kept", "ages"):
        assert np.array_equal(getattr(one, field), getattr(other, field)), field
    assert one.item_weights is None
    assert other.item_weights is None
    assert one.kept == other.kept

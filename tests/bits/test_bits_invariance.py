# SPDX-License-Identifier: MIT
"""How a run is carried out changes no bit: threads, blocks, order, what is recorded, how long it goes on."""

from itertools import pairwise

import numpy as np
import pytest
from msgspec.structs import replace

import tailbiter as tb
from tailbiter import _core
from tests.bits.gallery import bent, fingerprint, gallery, with_snapshots

SPECS = gallery() | bent()
# Rows compare with the record before, so these depend on what else is recorded.
SINCE_RECORD = ("lost", "revived")


def bits(ds) -> dict[str, bytes]:
    return {name: ds[name].values.tobytes() for name in ds.data_vars}


def outputs_in_blocks(spec: tb.Spec, blocks: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    """Final values, filled block by block in the order given."""
    engine = _core.Engine(tb.lower(spec, tb.Record(generations="all", forgotten=True)))
    out = engine.outputs(spec.replicates)
    control = _core.Control()
    for start, stop in blocks:
        engine.run(start, stop, out, control)
    return out


@pytest.mark.parametrize("name", SPECS)
def test_two_threads_give_the_bits_of_one(name: str) -> None:
    spec = SPECS[name]
    one, two = (tb.simulate(spec, record=with_snapshots(spec), threads=n) for n in (1, 2))
    assert bits(one) == bits(two)


@pytest.mark.parametrize("name", SPECS)
def test_replicates_may_be_run_in_any_blocks_and_order(name: str) -> None:
    spec = SPECS[name]
    r = spec.replicates
    whole = outputs_in_blocks(spec, [(0, r)])
    cuts = sorted({0, r, *(c for c in (1, 2, 7, 8, 9, 255, 256, 257, r // 2) if c < r)})
    blocks = list(pairwise(cuts))
    parts = outputs_in_blocks(spec, blocks[::-1])
    for key, values in whole.items():
        assert np.array_equal(values, parts[key], equal_nan=values.dtype.kind == "f"), key


@pytest.mark.parametrize("name", SPECS)
def test_replicates_one_at_a_time(name: str) -> None:
    """The first few and the last, each alone."""
    spec = SPECS[name]
    r = spec.replicates
    whole = outputs_in_blocks(spec, [(0, r)])
    chosen = sorted({0, 1, 2, r // 2, r - 1})
    alone = outputs_in_blocks(spec, [(i, i + 1) for i in chosen])
    for key, values in whole.items():
        assert np.array_equal(values[chosen], alone[key][chosen], equal_nan=values.dtype.kind == "f"), key


@pytest.mark.parametrize("name", SPECS)
def test_more_replicates_extend_fewer(name: str) -> None:
    spec = SPECS[name]
    fewer = tb.simulate(replace(spec, replicates=3), record=tb.Record(generations="all"), threads=1)
    more = tb.simulate(spec, record=tb.Record(generations="all"), threads=1).isel(replicate=slice(3))
    assert bits(fewer) == bits(more)


@pytest.mark.parametrize("name", SPECS)
def test_a_sparse_record_is_a_part_of_a_dense_one(name: str) -> None:
    spec = SPECS[name]
    last = spec.generations
    at = sorted({0, 1, 2, last // 2, last})
    dense = tb.simulate(spec, record=with_snapshots(spec), threads=1).sel(generation=at)
    record = tb.Record(generations=at, forgotten=True, snapshots=(1, 3, last))
    sparse = tb.simulate(spec, record=record, threads=1)
    few = tb.simulate(spec, record=tb.Record(generations=[last], variables=["entropy"]), threads=1)
    expected, found = bits(dense), bits(sparse)
    assert found.keys() == expected.keys()
    for key in found.keys() - set(SINCE_RECORD):
        assert found[key] == expected[key], key
    assert few["entropy"].values.tobytes() == dense["entropy"].isel(generation=[-1]).values.tobytes()


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.generations <= 300])
def test_a_longer_run_extends_a_shorter_one(name: str) -> None:
    spec = SPECS[name]
    short = replace(spec, generations=spec.generations - 3)
    if isinstance(spec.samples, tuple):
        short = replace(spec, generations=spec.generations - 1)
    assert short.key == spec.key
    record = tb.Record(generations="all", snapshots=(1, 3))
    before = tb.simulate(short, record=record, threads=1)
    after = tb.simulate(spec, record=record, threads=1).sel(generation=slice(0, short.generations))
    assert bits(before) == bits(after)


def test_another_seed_gives_other_draws() -> None:
    spec = SPECS["replace"]
    runs = {fingerprint(tb.simulate(replace(spec, seed=seed), threads=1))["drawn"] for seed in range(5)}
    assert len(runs) == 5


def test_replicates_differ() -> None:
    ds = tb.simulate(SPECS["sweep"], record=tb.Record(generations=[300], variables=["entropy"]), threads=1)
    assert len(np.unique(ds["entropy"].values)) > 250

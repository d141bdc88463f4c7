# SPDX-License-Identifier: MIT
"""Every variable, recomputed from the counts of the same run."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import tailbiter as tb
from tailbiter import _core
from tailbiter._variables import FLOOR, GROUPS, HELD_OUT, STAGES
from tailbiter.estimator import AddK
from tests.judgement import judges

TABLE = [900, 0, 400, 400, 120, 60, 60, 30, 9, 9, 9, 3, 1, 1] + [2] * 60
HELD = [70, 3, 0, 55, 9, 0, 7, 0, 1, 0, 2, 0, 1, 0] + [0, 1] * 30
OUTSIDE = [4, 1, 1]
NAMES = ["dialect" if i % 3 else "verse" if i % 2 else "" for i in range(len(TABLE))]
LABELS = [f"w{i}" for i in range(len(TABLE))]
REGIMES = {
    "replace": tb.Replace(),
    "accumulate": tb.Accumulate(),
    "subsample": tb.AccumulateSubsample(),
    "fresh": tb.Anchored(real=0.2),
    "hoard": tb.Anchored(real=0.2, source="hoard", hoard=300),
    "window": tb.Window(3),
    "weights": tb.Mix((tb.Fresh(share=0.3, weight=0.6), tb.Synthetic(weight=0.4))),
}


def spec(regime: tb.Mix | None = None, **more) -> tb.Spec:
    """A table whose rows are not in order, with a row that never occurs but is held out."""
    held = tb.Counts(HELD + OUTSIDE, labels=[*LABELS, "new1", "new2", "new3"])
    given = {"held_out": held, "groups": NAMES, "stages": tb.Stages()} | more
    reference = given.pop("reference", tb.Counts(TABLE, labels=LABELS))
    samples = given.pop("samples", 500)
    return tb.Spec(
        reference=reference,
        regime=regime or tb.Replace(),
        samples=samples,
        generations=40,
        replicates=4,
        **given,
    )


def record(ran: tb.Spec, **more) -> tb.Record:
    return tb.Record(generations="all", snapshots=range(ran.generations + 1), **more)


@pytest.mark.parametrize("name", REGIMES)
def test_variables_are_what_the_counts_say(name: str) -> None:
    check(spec(REGIMES[name]))


@pytest.mark.parametrize("k", [0.5, 40.0])
@pytest.mark.parametrize("name", ["replace", "fresh"])
def test_unseen_categories_have_their_share_in_every_sum(name: str, k: float) -> None:
    """The larger k gives what is not listed more than the reference has for most of it."""
    check(spec(REGIMES[name], samples=60, estimator=AddK(k)), Fraction(k))


def check(ran: tb.Spec, k: Fraction = Fraction(0)) -> None:
    """Compare every variable with what it is by definition, at some generations of two replicates."""
    ds = tb.simulate(ran, record=record(ran))
    counts = judges.dense(ds, len(TABLE))
    rows = np.flatnonzero(TABLE)
    expected = np.array(TABLE) * (ds.attrs["first_sample"] / sum(TABLE))
    edges = zip(ds.band_lo.values, ds.band_hi.values, strict=True)
    bands = [[i for i in rows if lo <= expected[i] < hi] for lo, hi in edges]
    known = [n if TABLE[i] else 0 for i, n in enumerate(HELD)]
    outside = [n for i, n in enumerate(HELD) if not TABLE[i] and n] + OUTSIDE
    tail = sorted(rows, key=lambda i: TABLE[i])[: ds.tail_coverage.attrs["categories"]]
    names = [name or "rest" if TABLE[i] else "none" for i, name in enumerate(NAMES)]
    there = [n > 0 for n in TABLE]
    first = None
    for replicate in (0, 3):
        for t in (0, 1, 2, 3, 7, 15, 40):
            row = counts[replicate, t]
            model = judges.law(row, k if t else Fraction(0), there)
            wanted = judges.held_out(row, model, known, outside, bands)
            first = wanted["cross_entropy_floor_1e_9"] if first is None else first
            wanted["cross_entropy_excess_floor_1e_9"] = wanted["cross_entropy_floor_1e_9"] - first
            wanted |= judges.stages(row, model, TABLE, tail)
            wanted |= judges.groups(row, model, names, ds.group.values.tolist())
            for variable, value in wanted.items():
                got = ds[variable].values[replicate, t]
                np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-12, err_msg=f"{variable}, {t}")
    assert wanted.keys() == {*HELD_OUT, *GROUPS, *STAGES}


def test_groups_are_those_of_the_table() -> None:
    ds = tb.simulate(spec())
    mass = dict.fromkeys(("dialect", "verse", "rest"), 0)
    for count, name in zip(TABLE, NAMES, strict=True):
        mass[name or "rest"] += count
    assert ds.group.values.tolist() == sorted(mass, key=mass.__getitem__, reverse=True)
    assert ds.group_categories.values.sum() == np.count_nonzero(TABLE)
    assert float(ds.group_reference_mass.sum()) == pytest.approx(1)
    np.testing.assert_allclose(ds.group_mass.sum("group"), 1, rtol=1e-12)
    assert bool((ds.group_survivors.sum("group") == ds.survivors).all())


def test_judging_changes_no_bit() -> None:
    judged = spec()
    bare = judged.replace(held_out=None, groups=None, stages=None)
    a, b = tb.simulate(judged, record=record(judged)), tb.simulate(bare, record=record(bare))
    assert judged.key == bare.key
    assert judged.digest() != bare.digest()
    for name in b.data_vars:
        assert a[name].identical(b[name]), name


def test_lineages_alone_and_in_packs_are_judged_alike() -> None:
    ran = spec(samples=60, reference=tb.Counts(TABLE * 40), held_out=tb.Counts(HELD * 40), groups=NAMES * 40)
    ran = ran.replace(generations=200, replicates=11)
    program = tb.lower(ran, tb.Record(generations="all"))
    together, alone = (_run(program, 11), _run(dataclasses.replace(program, plain=False), 11))
    for name in (*HELD_OUT, *GROUPS, *STAGES):
        assert alone[name].tobytes() == together[name].tobytes(), name
    assert together["survivors"][:, -1].min() == 1  # down to the last category


def _run(program: tb.Program, replicates: int) -> dict[str, np.ndarray]:
    engine = _core.Engine(program)
    out = engine.outputs(replicates)
    engine.run(0, replicates, out, _core.Control())
    return out


def test_the_floor_is_the_one_in_the_name() -> None:
    assert _core.engine.FLOOR == FLOOR == 1e-9
    assert tb.simulate(spec()).cross_entropy_floor_1e_9.attrs["floor"] == FLOOR


def test_another_floor_follows() -> None:
    """As the attribute says: only what is absent costs the floor."""
    ran = spec()
    ds = tb.simulate(ran, record=record(ran))
    counts = judges.dense(ds, len(TABLE))[0, 20]
    total = sum(HELD) + sum(OUTSIDE)
    other = 1e-6
    p = np.maximum(counts / counts.sum(), other)
    wanted = -(np.dot(HELD, np.log(p)) + sum(OUTSIDE) * np.log(other)) / total
    here = ds.isel(replicate=0, generation=20)
    got = here.cross_entropy_floor_1e_9 + here.oov_tokens * np.log(FLOOR / other)
    assert float(got) == pytest.approx(wanted, rel=1e-12)


def test_threads_and_replicates_change_no_bit() -> None:
    ran = spec(REGIMES["fresh"])
    one = tb.simulate(ran, threads=1)
    more = tb.simulate(ran.replace(replicates=9), threads=2).isel(replicate=slice(4))
    for name in (*HELD_OUT, *GROUPS, *STAGES):
        assert one[name].values.tobytes() == np.ascontiguousarray(more[name].values).tobytes(), name

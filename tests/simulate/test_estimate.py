# SPDX-License-Identifier: MIT
"""A run that cannot fit is refused before it allocates, with the part that is too large."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tailbiter import _core
from tailbiter.errors import MemoryEstimateError
from tailbiter.estimate import (
    LINEAGES_PER_THREAD,
    PER_LINEAGE,
    Part,
    available_memory,
    control_group_memory,
    estimate,
    refuse_if_too_large,
    refuse_parts,
)
from tailbiter.levers import Levers
from tailbiter.program import lower
from tailbiter.record import Record
from tailbiter.reference import Zipf
from tailbiter.regime import (
    Accumulate,
    AccumulateSubsample,
    Anchored,
    RealOnly,
    Regime,
    Replace,
    Window,
)
from tailbiter.simulate import MAX_BLOCK
from tailbiter.spec import Spec

FIXED_TABLES = 2**18  # tables of small means and the like: the same for any run


def program(**changes: object) -> SimpleNamespace:
    base = {
        "weights": np.ones(100, dtype=np.uint64),
        "band_start": np.array([50, 10, 0]),
        "group_names": ("verse", "prose"),
        "variables": ("survivors", "entropy", "band_survivors"),
        "samples": np.full(11, 1000, dtype=np.uint64),
        "ages": np.ones(1, dtype=np.uint64),
        "at": np.arange(11),
        "forgotten": False,
        "snapshots": np.array([], dtype=np.uint32),
    }
    return SimpleNamespace(levers=Levers(), **{**base, **changes})


def test_records_are_counted_exactly() -> None:
    # 4 for a count, 8 for a float, 4 for each of 3 bands; 5 replicates, 11 generations.
    assert estimate(program(), 5, 1).records == 5 * 11 * (4 + 8 + 12)


def test_tables_on_request_count_too() -> None:
    need = estimate(program(forgotten=True, snapshots=np.array([3, 7])), 5, 1)
    assert need.forgotten == 5 * 100 * 8
    assert need.snapshots == 5 * 2 * 100 * 72
    assert need.total == need.records + need.forgotten + need.snapshots + need.state + need.batches


@pytest.mark.parametrize(
    ("samples", "ages", "entries"), [(30, 1, 30), (300, 1, 100), (30, 0, 100), (30, 2, 100)]
)
def test_a_snapshot_holds_no_more_than_can_be_present(samples: int, ages: int, entries: int) -> None:
    asked = program(
        samples=np.full(11, samples), ages=np.ones(ages, dtype=np.uint64), snapshots=np.array([3])
    )
    assert estimate(asked, 1, 1).snapshots == entries * 72


@pytest.mark.parametrize("samples", [10**4, 10**6])
@pytest.mark.parametrize(
    "regime",
    [
        Replace(),
        Accumulate(),
        AccumulateSubsample(),
        Anchored(real=0.1),
        Anchored(real_count=500, source="hoard", hoard=1000),
        Window(3),
        Window(30),
        RealOnly(),
    ],
)
@pytest.mark.parametrize(("categories", "replicates"), [(100_000, 2), (50, 1000), (1000, 1000)])
def test_state_covers_what_the_engine_held(
    categories: int, replicates: int, regime: Regime, samples: int
) -> None:
    spec = Spec(
        reference=Zipf(categories=categories),
        regime=regime,
        samples=samples,
        generations=4,
        replicates=replicates,
    )
    lowered = lower(spec, Record(variables=["survivors", "entropy", "tail_mass"]))
    engine = _core.Engine(lowered)
    engine.run(0, replicates, engine.outputs(replicates), _core.Control())
    held = engine.shared_bytes + engine.state_bytes
    parts = estimate(lowered, replicates, 1)
    need = parts.state + parts.batches
    assert held <= need + FIXED_TABLES
    assert need <= 4 * held + PER_LINEAGE * replicates


def test_more_threads_hold_more_state_up_to_one_a_replicate() -> None:
    one, two, many = (estimate(program(), 2, threads).state for threads in (1, 2, 64))
    assert one < two == many


@pytest.mark.parametrize(
    ("changes", "replicates", "field"),
    [
        ({"at": np.broadcast_to(0, 10**6)}, 100, "record.generations"),
        ({"forgotten": True, "weights": np.ones(2000, dtype=np.uint64)}, 2000, "record.forgotten"),
        ({"snapshots": np.arange(1000)}, 10, "record.snapshots"),
        ({"weights": np.broadcast_to(np.uint64(1), 10**7)}, 1, "reference"),
        ({"ages": np.ones(1000, dtype=np.uint64)}, 1, "regime.k"),
        ({"ages": np.arange(1, 1001, dtype=np.uint64)}, 1, "regime.ages"),
    ],
)
def test_the_largest_part_is_named(changes: dict[str, object], replicates: int, field: str) -> None:
    with pytest.raises(MemoryEstimateError) as caught:
        refuse_if_too_large(program(**changes), replicates, 1, available=10**5)
    assert caught.value.field == field
    assert "100 kB are available" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parts_of_the_same_size_do_not_hide_each_other() -> None:
    alike = [Part(9, "record.generations", "", ""), Part(9, "record.forgotten", "", "")]
    with pytest.raises(MemoryEstimateError, match=r"^record\.generations"):
        refuse_parts(alike, available=1)


def test_as_many_lineages_are_counted_as_a_block_has() -> None:
    assert LINEAGES_PER_THREAD == MAX_BLOCK
    held = 2 * MAX_BLOCK
    few, many, most = (estimate(program(), count, 2).state for count in (held - 1, held, 10**6))
    assert few < many == most


def test_what_fits_is_let_through() -> None:
    need = refuse_if_too_large(program(), 5, 1, available=10**8)
    assert need.total < 10**5


def test_available_memory_is_plausible() -> None:
    assert 2**20 < available_memory() < 2**50


def test_a_container_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 250\n")
    assert control_group_memory(tmp_path) == 550
    (tmp_path / "memory.max").write_text("max\n")
    assert control_group_memory(tmp_path) is None
    assert control_group_memory(tmp_path / "absent") is None

# SPDX-License-Identifier: MIT
"""A store on the disk: whole or not there, known by content, never mixed up."""

import base64
import errno
import json
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import tailbiter as tb
from tailbiter.store import _files, _store
from tests.sweep.grids import BASE, VARY, alike, grid, parts


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "finished"
    tb.run_sweep(grid(), path, threads=2)
    return path


@pytest.fixture
def store(finished, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(finished, tmp_path / "store")


def digest(path) -> str:
    return tb.Store(path).digest()


def test_cells_are_what_simulate_gives(finished):
    ds, sweep = tb.open_sweep(finished), tb.Store(finished).sweep
    for cell in sweep.cells():
        alike(cell, sweep, ds.sel(cell.values))


def test_a_gaussian_sweep_is_stored_too(tmp_path):
    base = tb.Spec(reference=tb.Gaussian(dimensions=2), samples=50, generations=6, replicates=3)
    sweep = tb.Sweep(base, {"samples": [20, 50]})
    tb.run_sweep(sweep, tmp_path / "store")
    ds = tb.open_sweep(tmp_path / "store")
    assert ds.mass_beyond.dims == ("samples", "replicate", "generation", "level")
    for cell in sweep.cells():
        alike(cell, sweep, ds.sel(cell.values))


def test_running_again_writes_nothing(store):
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    tb.run_sweep(grid(), store)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_the_store_says_what_was_run(store):
    assert tb.Sweep.from_toml(store / "sweep.toml") == grid()
    assert tb.Store(store).status().done == 9
    (part,) = parts(store)
    note = tb.Store(store).parts[0].note
    assert {"tailbiter", "isa", "build", "written", "spec"} <= note.provenance.keys()
    assert tb.Spec.from_json(note.provenance["spec"]) == BASE
    assert part.name.startswith("records-")


def test_content_is_apart_from_provenance_and_packing(store, tmp_path):
    tb.run_sweep(grid(vary={"samples": [50, 100], "regime.real": VARY["regime.real"]}), tmp_path / "other")
    tb.run_sweep(grid(), tmp_path / "other", threads=1)
    assert len(parts(tmp_path / "other")) == 2
    assert {path.name for path in parts(tmp_path / "other")}.isdisjoint(path.name for path in parts(store))
    assert digest(tmp_path / "other") == digest(store)


def test_a_wider_sweep_keeps_the_cells_that_are_there(store):
    (before,) = parts(store)
    wider = grid(vary={**VARY, "samples": [*VARY["samples"], 400]})
    tb.run_sweep(wider, store)
    assert before in parts(store)
    assert len(parts(store)) == 2
    assert tb.Store(store).status().done == 12
    ds = tb.open_sweep(store)
    alike(wider.cell(10), wider, ds.sel(wider.cell(10).values))


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "a bit of a value": lambda data: data[:200] + bytes([data[200] ^ 4]) + data[201:],
    "a bit of the footer": lambda data: data[:-60] + bytes([data[-60] ^ 1]) + data[-59:],
    "a byte more": lambda data: data + b"\0",
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("spoil", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_part_is_set_aside_and_computed_anew(store, finished, spoil):
    (part,) = parts(store)
    part.write_bytes(spoil(part.read_bytes()))
    tb.run_sweep(grid(), store)
    assert [path.name for path in store.glob("*.damaged")] == [f"{part.name}.damaged"]
    assert digest(store) == digest(finished)
    assert tb.Store(store).status().damaged == 1


def test_reading_a_damaged_part_is_an_error(store):
    (part,) = parts(store)
    data = part.read_bytes()
    part.write_bytes(data[: len(data) // 2])
    assert tb.Store(store).status().done == 0
    assert tb.Store(store).status().damaged == 1
    for read in (tb.open_sweep, tb.sweep_table):
        with pytest.raises(tb.DataError, match="cannot be read; run the sweep again"):
            read(store)


def test_a_flipped_bit_is_noticed_when_its_page_is_read(store):
    """Without a look at the whole file: pages carry checksums of their own."""
    (part,) = parts(store)
    data = bytearray(part.read_bytes())
    column = pq.ParquetFile(part).metadata.row_group(0)
    index = [column.column(i).path_in_schema for i in range(column.num_columns)].index("entropy")
    chunk = column.column(index)
    data[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    part.write_bytes(bytes(data))
    ds = tb.open_sweep(store)
    with pytest.raises(tb.DataError, match="is damaged"):
        _ = ds.entropy.values
    assert ds.survivors.values.max() == 30


def test_a_full_disk_is_one_line_and_nothing_half_written(tmp_path, monkeypatch, finished):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_files.Sealed, "write", full)
        with pytest.raises(tb.SpecError, match="is on a disk that is full; make room"):
            tb.run_sweep(grid(), tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["sweep.toml"]
    tb.run_sweep(grid(), tmp_path / "store")
    assert digest(tmp_path / "store") == digest(finished)


def test_a_changed_stream_version_keeps_old_cells_apart(store, monkeypatch):
    old = set(parts(store))
    for module in ("spec", "store._store"):
        monkeypatch.setattr(f"tailbiter.{module}.STREAM_VERSION", 2)
    new = grid()
    assert tb.Store(store).status().outdated == 9
    assert tb.Store(store).status().missing == 9
    tb.run_sweep(new, store)
    status = tb.Store(store).status()
    assert (status.done, status.outdated, status.others) == (9, 9, 0)
    assert old < set(parts(store))
    assert bool(tb.open_sweep(store).done.all())


FOREIGN = {
    "a file": lambda path: path.write_text(""),
    "somebody's directory": lambda path: (path.mkdir(), (path / "notes.txt").write_text("mine")),
    "no parent": lambda path: path.parent.rmdir(),
    "sweep.toml of a user": lambda path: (path.mkdir(), grid().to_toml(path / "sweep.toml")),
    "broken sweep.toml": lambda path: (path.mkdir(), (path / "sweep.toml").write_text("= 3")),
    "newer": lambda path: (
        path.mkdir(),
        (path / "sweep.toml").write_text(grid().to_toml() + "[store]\nformat = 2\n"),
    ),
    "another seed": lambda path: tb.run_sweep(grid(seed=3, vary={"samples": [50]}), path),
    "another reference": lambda path: tb.run_sweep(
        grid(BASE.replace(reference=tb.Zipf(31)), {"samples": [50]}), path
    ),
    "another record": lambda path: tb.run_sweep(
        grid(vary={"samples": [50]}, record=tb.Record(generations="all")), path
    ),
}


@pytest.mark.parametrize("place", FOREIGN.values(), ids=FOREIGN)
def test_a_directory_that_is_no_store_of_this_sweep(tmp_path, place, monkeypatch):
    path = tmp_path / "parent" / "store"
    path.parent.mkdir()
    place(path)
    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr("tailbiter.execute._run._Loop", None)  # nothing may start
        with pytest.raises(tb.SpecError) as caught:
            tb.run_sweep(grid(), path)
    assert "\n" not in str(caught.value)
    assert str(path.name) in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_directory_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(_store.os, "access", lambda path, mode: False)
    with pytest.raises(tb.SpecError, match="permission denied"):
        tb.run_sweep(grid(), tmp_path / "store")


def test_a_file_system_that_holds_no_files(tmp_path, monkeypatch):
    """As /proc is, whose size is 0 bytes."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 0))
    with pytest.raises(tb.SpecError, match="is on a file system that holds no files; name a directory"):
        tb.run_sweep(grid(), tmp_path / "store")


def test_a_part_of_a_newer_version_is_neither_read_nor_touched(store, monkeypatch):
    monkeypatch.setattr("tailbiter.store._parts.FORMAT", 0)
    before = parts(store)
    for use in (tb.open_sweep, lambda path: tb.Store(path).status(), lambda path: tb.run_sweep(grid(), path)):
        with pytest.raises(tb.DataError, match="newer version; upgrade"):
            use(store)
    assert parts(store) == before


def test_a_sweep_whose_records_no_disk_could_hold(tmp_path):
    base = BASE.replace(generations=10**6, replicates=10**6)
    with pytest.raises(
        tb.SpecError, match=r"9 makes records of 1\.08 PB before compression, and [\d.]+ [kMG]B are free"
    ):
        tb.run_sweep(grid(base, record=tb.Record(generations="all")), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_stores_merge_by_copying(finished, tmp_path):
    halves = [
        {"samples": [50, 100], "regime.real": VARY["regime.real"]},
        {"samples": [100, 200], "regime.real": VARY["regime.real"]},
    ]
    for name, vary in zip("ab", halves, strict=True):
        tb.run_sweep(grid(vary=vary), tmp_path / name)
    both = shutil.copytree(tmp_path / "a", tmp_path / "both")
    (both / "sweep.toml").write_text((finished / "sweep.toml").read_text())
    assert tb.Store(both).merge([tmp_path / "b"]) == 1
    assert tb.Store(both).merge([tmp_path / "a", tmp_path / "b"]) == 0
    assert digest(both) == digest(finished)
    by_hand = shutil.copytree(finished, tmp_path / "hand")
    for path in parts(tmp_path / "a"):
        shutil.copy(path, by_hand)
    assert digest(by_hand) == digest(finished)
    assert len(tb.sweep_table(by_hand)) == len(tb.sweep_table(finished))
    np.testing.assert_array_equal(tb.open_sweep(both).entropy, tb.open_sweep(finished).entropy)


def test_what_cannot_be_merged(store, tmp_path):
    tb.run_sweep(grid(vary={"samples": [50]}, record=tb.Record(variables=["entropy"])), tmp_path / "other")
    with pytest.raises(tb.SpecError, match="keeps other variables"):
        tb.Store(store).merge([tmp_path / "other"])
    with pytest.raises(tb.DataError, match="holds no sweep"):
        tb.Store(store).merge([tmp_path])
    twin = shutil.copytree(store, tmp_path / "twin")
    (part,) = parts(twin)
    spoilt = part.with_name(part.name.replace("records-", "records-0"))
    part.rename(spoilt)
    with pytest.raises(tb.DataError, match="is damaged"):
        (spoilt.write_bytes(DAMAGE["a bit of a value"](spoilt.read_bytes())), tb.Store(store).merge([twin]))
    assert len(parts(store)) == 1


def test_gc_packs_small_parts_and_drops_what_stands_twice(store, finished, tmp_path):
    for real in (0.1, 0.2):
        twin = tmp_path / f"twin{real}"
        tb.run_sweep(grid(vary={"samples": VARY["samples"], "regime.real": [real]}), twin)
        tb.Store(store).merge([twin])
    (store / ".0123.partial").write_bytes(b"half")
    import os

    os.utime(store / ".0123.partial", (0, 0))
    (store / ".young.partial").write_bytes(b"half")
    (store / "failed").mkdir()
    shutil.copy2(store / ".0123.partial", store / "failed")
    (store / "records-x.parquet.damaged").write_bytes(b"")
    assert len(parts(store)) == 3
    assert tb.Store(store).gc() == {"removed": 6, "packed": 1}
    assert list((store / "failed").iterdir()) == []
    assert len(parts(store)) == 1
    assert digest(store) == digest(finished)
    kept = {"sweep.toml", ".young.partial", "failed", parts(store)[0].name}
    assert {path.name for path in store.iterdir()} == kept
    assert tb.Store(store).gc() == {"removed": 0, "packed": 0}


def test_gc_gives_no_sound_name_to_a_damaged_note(store, finished, tmp_path):
    """A flipped digit of a swept value reads well: only digests tell."""
    twin = tmp_path / "twin"
    tb.run_sweep(grid(vary={"samples": VARY["samples"], "regime.real": [0.1]}), twin)
    tb.Store(store).merge([twin])
    spoilt = next(path for path in parts(store) if (twin / path.name).exists())
    before = spoilt.read_bytes()
    schema = max(re.findall(rb"[A-Za-z0-9+/=]{400,}", before), key=len)  # what Arrow reads the note from
    wrong = base64.b64encode(base64.b64decode(schema).replace(b"0.1]", b"0.2]"))
    spoilt.write_bytes(before.replace(schema, wrong))
    note = pq.read_schema(spoilt).metadata[b"tailbiter"]
    assert b"0.2]" in note
    assert b"0.1]" not in note
    with pytest.raises(tb.DataError, match="is damaged; run the sweep again"):
        tb.open_sweep(store)
    tb.Store(store).gc()
    status = tb.Store(store).status()
    assert (status.damaged, status.parts) == (1, 1)
    assert digest(store) == digest(finished)


def test_gc_keeps_cells_of_other_sweeps_unless_they_are_to_go(store):
    narrow = grid(vary={"samples": [50], "regime.real": [0.1]})
    tb.run_sweep(narrow, store)
    assert tb.Store(store).status().others == 8
    tb.Store(store).gc()
    assert tb.Store(store).status().others == 8
    before = parts(store)
    for wrong in (0, 7, 9, True):
        with pytest.raises(tb.SpecError, match=r"there are 8 cells; give 8|is no number of cells"):
            tb.Store(store).gc(prune=wrong)
    assert parts(store) == before
    tb.Store(store).gc(prune=8)
    status = tb.Store(store).status()
    assert (status.done, status.others, status.parts) == (1, 0, 1)
    alike(narrow.cell(0), narrow, tb.open_sweep(store).isel(samples=0, **{"regime.real": 0}))


def test_status_is_json(store):
    told = json.loads(json.dumps(tb.Store(store).status().to_dict()))
    assert told["done"] == 9
    assert told["digest"] == digest(store)


def test_a_field_and_a_variable_of_one_name_are_refused_before_anything_runs(tmp_path):
    """One column would hold the one and lose the other."""
    sweep = grid(vary={"tail_mass": [0.1, 0.4]})
    with pytest.raises(tb.SpecError) as caught:
        tb.run_sweep(sweep, tmp_path / "store")
    told = "sweep.vary.tail_mass: 'tail_mass' names a field that varies and a variable recorded: "
    assert str(caught.value).startswith(told)
    assert not (tmp_path / "store").exists()
    other = grid(vary={"tail_mass": [0.1, 0.4]}, record=tb.Record(variables=["tail_survivors"]))
    tb.run_sweep(other, tmp_path / "store")
    found = tb.open_sweep(tmp_path / "store")
    assert found.tail_mass.values.tolist() == [0.1, 0.4]
    for number, share in enumerate([0.1, 0.4]):
        alike(other.cell(number), other, found.sel(tail_mass=share))

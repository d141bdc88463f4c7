# SPDX-License-Identifier: MIT
"""A run on disk: what is read back is identical, and nothing is ever half-written."""

import errno
import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

from tailbiter import run_files
from tailbiter._interrupt import guarded
from tailbiter.errors import DataError, SpecError
from tailbiter.record import Record
from tailbiter.reference import Counts, Zipf
from tailbiter.run_files import check_target, read_run, write_run
from tailbiter.simulate import simulate
from tailbiter.spec import Spec

SPEC = Spec(reference=Zipf(categories=60), samples=300, generations=40, replicates=5, seed=7)
WORDS = Counts([5, 900, 20, 1, 0], labels=["five", "most", "some", "one", "none"])
EVERYTHING = Record(forgotten=True, snapshots=[1, 40])


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return simulate(SPEC, record=EVERYTHING)


@pytest.mark.parametrize(
    ("spec", "record"),
    [
        (SPEC, EVERYTHING),
        (SPEC, Record()),
        (SPEC, Record(generations=[3], variables=["entropy"])),
        (SPEC, Record(variables=[])),
        (SPEC.replace(reference=WORDS, bands=(2.0, 50.0)), EVERYTHING),
        (SPEC.replace(samples=[300] * 40), EVERYTHING),
        (SPEC.replace(replicates=1, generations=1), Record(forgotten=True, snapshots=[1])),
    ],
)
def test_round_trip(spec: Spec, record: Record, tmp_path: Path) -> None:
    run = simulate(spec, record=record)
    back = read_run(write_run(run, spec, tmp_path / "run"))
    xr.testing.assert_identical(back, run)
    assert {name: v.dtype for name, v in back.variables.items()} == {
        n: v.dtype for n, v in run.variables.items()
    }
    assert list(back.data_vars) == list(run.data_vars)
    assert Spec.from_toml(tmp_path / "run" / "spec.toml") == spec
    assert Record.from_toml(tmp_path / "run" / "spec.toml") == record


def test_round_trip_over_many_row_groups(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "GROUP_ROWS", 90)
    where = write_run(ds, SPEC, tmp_path / "run", picture=False)
    assert pq.ParquetFile(where / "records.parquet").num_row_groups == 3
    xr.testing.assert_identical(read_run(where), ds)


def test_what_is_read_back_can_be_written_to(ds: xr.Dataset, tmp_path: Path) -> None:
    back = read_run(write_run(ds, SPEC, tmp_path / "run", picture=False))
    back["survivors"][0, 0] = -1
    assert int(back["survivors"][0, 0]) == -1


def test_any_reader_sees_plain_columns(ds: xr.Dataset, tmp_path: Path) -> None:
    where = write_run(ds, SPEC, tmp_path / "run", picture=False)
    records = pq.read_table(where / "records.parquet")
    assert records.num_rows == 5 * ds.sizes["generation"]
    row = records.slice(ds.sizes["generation"] + 3, 1).to_pylist()[0]
    there = ds.isel(replicate=1, generation=3)
    assert (row["replicate"], row["generation"]) == (1, int(there["generation"]))
    assert row["survivors"] == int(there["survivors"])
    assert row["band_survivors"] == there["band_survivors"].values.tolist()
    categories = pq.read_table(where / "categories.parquet", filters=[("replicate", "==", 2)]).to_pandas()
    assert categories["forgotten"].tolist() == ds["forgotten"].values[2].tolist()
    assert categories["category"].tolist() == ds["category"].values.tolist()
    snapshots = pq.read_table(where / "snapshots.parquet").to_pandas()
    assert (
        snapshots.groupby(["snapshot_replicate", "snapshot_generation"])["snapshot_count"].sum() == 300
    ).all()


def test_only_what_was_recorded_is_written(tmp_path: Path) -> None:
    plain = simulate(SPEC, record=Record(variables=["entropy"]))
    where = write_run(plain, SPEC, tmp_path / "run")
    assert sorted(path.name for path in where.iterdir()) == ["records.parquet", "spec.toml"]


def test_a_failure_half_way_leaves_nothing(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tailbiter.plot.save_tails", fail)  # the last file to be written
    with pytest.raises(SpecError, match=r"out: .* cannot be written \(no space left on device\)"):
        write_run(ds, SPEC, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_half_way_leaves_nothing(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tailbiter.plot.save_tails", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_run(ds, SPEC, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_force_replaces_a_run_and_nothing_else(ds: xr.Dataset, tmp_path: Path) -> None:
    where = write_run(ds, SPEC, tmp_path / "run")
    (where / "notes.txt").write_text("mine")
    plain = simulate(SPEC, record=Record(variables=["entropy"]))
    with pytest.raises(SpecError, match="--force"):
        write_run(plain, SPEC, where)
    xr.testing.assert_identical(read_run(where), ds)
    write_run(plain, SPEC, where, force=True)
    assert sorted(path.name for path in where.iterdir()) == ["notes.txt", "records.parquet", "spec.toml"]
    xr.testing.assert_identical(read_run(where), plain)


def test_an_empty_directory_may_be_used(ds: xr.Dataset, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    xr.testing.assert_identical(read_run(write_run(ds, SPEC, tmp_path / "run")), ds)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_directory_one_stands_in_may_be_used(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_target(".") == write_run(ds, SPEC, ".", picture=False) == tmp_path
    xr.testing.assert_identical(read_run(tmp_path), ds)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(ds: xr.Dataset, tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert check_target(tmp_path / "link") == tmp_path / "real"
    write_run(ds, SPEC, tmp_path / "link", picture=False)
    assert (tmp_path / "link").is_symlink()
    xr.testing.assert_identical(read_run(tmp_path / "real"), ds)


@pytest.mark.parametrize("name", ["", "a" * 300, "loop", "file/run"])
def test_a_name_that_cannot_be_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"^out: "):
        check_target(name)


@pytest.mark.parametrize("content", [b"no table", None])
def test_force_replaces_nothing_but_a_run(ds: xr.Dataset, tmp_path: Path, content: bytes | None) -> None:
    mine = tmp_path / "records.parquet"
    if content is None:
        pq.write_table(pa.table({"mine": [1]}), mine)
    else:
        mine.write_bytes(content)
    before = mine.read_bytes()
    with pytest.raises(SpecError, match="holds no run"):
        write_run(ds, SPEC, tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["records.parquet"]
    assert mine.read_bytes() == before


def press_at(monkeypatch: pytest.MonkeyPatch, moves: int, problem: Exception | None = None) -> None:
    """Press Ctrl-C, or fail, when that many files have been moved."""
    real, done = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        done.append(self)
        if len(done) == moves:
            if problem is not None:
                raise problem
            signal.raise_signal(signal.SIGINT)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("moves", [1, 3, 6])
def test_ctrl_c_waits_until_all_files_are_replaced(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    write_run(ds, SPEC, tmp_path, picture=False)
    other = simulate(SPEC.replace(seed=8), record=EVERYTHING)

    def command() -> int:
        press_at(monkeypatch, moves)
        write_run(other, SPEC.replace(seed=8), tmp_path, picture=False, force=True)
        return 0

    assert guarded(command) == 130
    xr.testing.assert_identical(read_run(tmp_path), other)
    assert Spec.from_toml(tmp_path / "spec.toml").seed == 8
    assert len(list(tmp_path.iterdir())) == 4


def test_the_message_tells_what_had_happened(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        press_at(monkeypatch, 1)
        write_run(ds, SPEC, tmp_path / "run", picture=False)
        return 0

    assert guarded(command) == 130
    assert capsys.readouterr().err == f"interrupted: the run had been written to {tmp_path / 'run'}\n"


@pytest.mark.parametrize("moves", [1, 3, 6])
def test_a_failure_among_the_moves_brings_the_old_run_back(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    write_run(ds, SPEC, tmp_path, picture=False)
    other = simulate(SPEC.replace(seed=8), record=EVERYTHING)
    press_at(monkeypatch, moves, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(SpecError, match="input/output error"):
        write_run(other, SPEC.replace(seed=8), tmp_path, picture=False, force=True)
    xr.testing.assert_identical(read_run(tmp_path), ds)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    assert check_target(tmp_path / "run") == tmp_path / "run"
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_created_is_refused_before_the_run() -> None:
    with pytest.raises(SpecError, match=r"out: '/proc/run' cannot be written"):
        check_target("/proc/run")


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"records\.parquet"):
        read_run(tmp_path)


def test_another_format_is_refused(ds: xr.Dataset, tmp_path: Path) -> None:
    where = write_run(ds, SPEC, tmp_path / "run", picture=False)
    table = pq.read_table(where / "records.parquet").replace_schema_metadata(
        {b"tailbiter": b'{"format": 99}'}
    )
    pq.write_table(table, where / "records.parquet")
    with pytest.raises(DataError, match="not written by this version"):
        read_run(where)


def test_what_is_not_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="cannot be read"):
        read_run(tmp_path)


def test_bands_without_an_end_keep_it(tmp_path: Path) -> None:
    spec = SPEC.replace(bands=(1.0, 10.0))
    run = simulate(spec)
    assert np.isinf(run["band_hi"][-1])
    xr.testing.assert_identical(read_run(write_run(run, spec, tmp_path / "run")), run)

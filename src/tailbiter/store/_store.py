# SPDX-License-Identifier: MIT
"""A directory of parts: what is in it, what is missing, and how two become one."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tailbiter import _document
from tailbiter.errors import DataError, SpecError
from tailbiter.spec import STREAM_VERSION
from tailbiter.summary import counted
from tailbiter.sweep import Sweep, label_of

from ._files import DAMAGED, FIELD, PARTIAL, is_intact, publish, unwritable
from ._parts import FORMAT, KIND, CellResult, Kept, NewerError, Part, read_note, write_part

__all__ = ["Failure", "Place", "Status", "Store"]

SWEEP = "sweep.toml"
FAILED = "failed"
STALE_SECONDS = 3600
# Parts below this size are packed together by `gc`.
SMALL_BYTES = 8 << 20
PACK_BYTES = 64 << 20
_NEW = "name a directory that does not exist yet"


class Failure(msgspec.Struct, frozen=True):
    """A cell that could not be run, and why."""

    id: str
    values: dict[str, Any]
    kind: str
    message: str


@dataclass(frozen=True)
class Place:
    """Where a cell is: a part, and its number there."""

    part: Part
    number: int

    @property
    def kept(self) -> Kept:
        """What the part's note says of it."""
        return self.part.note.cells[self.number]


@dataclass(frozen=True)
class Status:
    """What a store holds.

    Attributes
    ----------
    cells, done, failed, missing, skipped : int
        Of the store's sweep: all, finished, recorded as failing, not there yet (failing ones too), and those
        that cannot be run.
    others : int
        Finished cells of other sweeps.
    outdated : int
        Finished cells whose bits are of another stream version: kept, and not used.
    parts, bytes, damaged : int
        Files, their size, and how many were set aside.
    digest : str
        Of the content of all the sweep's finished cells: the same for two stores that hold the same.
    """

    cells: int
    done: int
    failed: int
    missing: int
    skipped: int
    others: int
    outdated: int
    parts: int
    bytes: int
    damaged: int
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def text(self) -> str:
        """One line for each thing worth telling."""
        lines = [f"{self.done:,} of {self.cells - self.skipped:,} cells done, {self.missing:,} missing"]
        if self.failed:
            lines.append(f"{self.failed:,} of them failed when last tried: see {FAILED}/")
        if self.skipped:
            lines.append(f"{self.skipped:,} combinations cannot be run and are skipped")
        if self.others:
            lines.append(f"{counted(self.others, 'cell', 'cells')} of other sweeps")
        if self.outdated:
            here = counted(self.outdated, "cell", "cells")
            lines.append(f"{here} of another stream version, kept and not used")
        if self.damaged:
            lines.append(f"{counted(self.damaged, 'damaged part', 'damaged parts')}, set aside")
        parts = counted(self.parts, "part", "parts")
        lines.append(f"{parts}, {self.bytes / 1e6:,.1f} MB; content {self.digest[:32]}")
        return "\n".join(lines)


class Store:
    """A sweep's directory: ``sweep.toml``, parts, and what failed.

    Parameters
    ----------
    directory : path
        A store that is there; `Store.create` makes one.
    sweep : Sweep, optional
        Whose cells to look for; those of the store's own ``sweep.toml`` if left out.

    Raises
    ------
    DataError
        If it holds no sweep, or a newer version wrote it.
    """

    def __init__(self, directory: str | os.PathLike[str], sweep: Sweep | None = None) -> None:
        self.path = Path(directory)
        self.sweep = read_sweep(self.path) if sweep is None else sweep
        self._parts: dict[str, Part] = {}
        self._places: dict[str, Place] = {}
        self.unreadable: list[DataError] = []

    @classmethod
    def create(cls, directory: str | os.PathLike[str], sweep: Sweep) -> Store:
        """Open the store of a sweep, made if need be, or extended by the sweep's new values.

        Raises
        ------
        SpecError
            If the directory cannot be written, holds something else, or a sweep with another base.
        """
        path = check_directory(directory, sweep)
        try:
            path.mkdir(exist_ok=True)
            text = _document.write_toml(
                {
                    "store": {"format": FORMAT},
                    **sweep.to_dict(folder=path.resolve()),
                }
            )
            file = path / SWEEP
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                publish(file, text.encode())
        except OSError as error:
            raise unwritable(path, error) from error
        return cls(path, sweep)

    def refresh(self) -> None:
        """Look for parts that came or went."""
        names = {path.name: path for path in self.path.glob(f"{KIND}-*.parquet")}
        if names.keys() == self._parts.keys():
            return
        gone = self._parts.keys() - names.keys()
        for name in gone:
            del self._parts[name]
        self.unreadable = []
        new = []
        for name in sorted(names.keys() - self._parts.keys()):
            try:
                self._parts[name] = read_note(names[name])
                new.append(name)
            except NewerError:
                raise
            except DataError as error:
                self.unreadable.append(error)
        if gone:
            self._places, new = {}, sorted(self._parts)
        for name in new:
            part = self._parts[name]
            for number, cell in enumerate(part.note.cells):
                self._places.setdefault(cell.id, Place(part, number))

    def has_others(self, written: Iterable[str]) -> bool:
        """Whether there are parts that are neither known yet nor among those just written."""
        names = {path.name for path in self.path.glob(f"{KIND}-*.parquet")}
        return not names <= self._parts.keys() | set(written)

    @property
    def places(self) -> Mapping[str, Place]:
        """Where every finished cell is, by its id."""
        self.refresh()
        return self._places

    def refuse_unreadable(self) -> None:
        """Raise if a part cannot be read."""
        self.refresh()
        if self.unreadable:
            raise self.unreadable[0]

    @property
    def parts(self) -> list[Part]:
        """Every part."""
        self.refresh()
        return list(self._parts.values())

    def set_damaged_aside(self) -> list[Path]:
        """Rename every part whose bytes are not those that were written; return their new names."""
        paths = sorted(self.path.glob(f"{KIND}-*.parquet"))
        with ThreadPoolExecutor(2) as pool:
            intact = list(pool.map(is_intact, paths))
        aside = []
        for path, whole in zip(paths, intact, strict=True):
            if not whole:
                with suppress(FileNotFoundError):  # another client was faster
                    aside.append(path.rename(path.with_name(path.name + DAMAGED)))
        return aside

    def add(self, results: list[CellResult], provenance: Mapping[str, Any]) -> Path:
        """Write finished cells as one part.

        Raises
        ------
        SpecError
            If the disk is full or the directory cannot be written: nothing is left half-written.
        """
        try:
            path = write_part(
                self.path,
                results,
                family=self.sweep.base.reference.family,
                base=self.sweep.base_id,
                fields=self.sweep.names,
                stream_version=STREAM_VERSION,
                provenance={**provenance, "spec": self._base_json},
            )
            self._forgive({f"{result.id}.json" for result in results})
        except OSError as error:
            raise unwritable(self.path, error) from error
        return path

    @cached_property
    def _base_json(self) -> str:
        """The Spec that the sweep varies; a large table by its digest."""
        return self.sweep.base.to_json(brief=True)

    def _forgive(self, names: set[str]) -> None:
        """Cells that are there have not failed."""
        folder = self.path / FAILED
        if folder.is_dir():
            for path in folder.iterdir():
                if path.name in names:
                    path.unlink(missing_ok=True)

    def add_failure(self, failure: Failure) -> None:
        """Record that a cell failed."""
        folder = self.path / FAILED
        try:
            folder.mkdir(exist_ok=True)
            publish(folder / f"{failure.id}.json", msgspec.json.encode(failure))
        except OSError as error:
            raise unwritable(self.path, error) from error

    def failures(self) -> dict[str, Failure]:
        """Cells that failed when last tried, by id."""
        out = {}
        for path in sorted((self.path / FAILED).glob("*.json")):
            failure = msgspec.json.decode(path.read_bytes(), type=Failure)
            out[failure.id] = failure
        return out

    def located(self) -> list[Place | None]:
        """Where every cell of the sweep is, None where it is not there.

        Cells of parts that were written for this very base are known by their values: to work out all
        identities would take longer than to read the first slice.
        """
        places = self.places
        here = (STREAM_VERSION, self.sweep.base_id, list(self.sweep.names))
        ours: dict[tuple[Any, ...], Place] = {}
        strangers = False
        for place in places.values():
            note = place.part.note
            if (note.stream_version, note.base, note.fields) == here:
                ours[tuple(place.kept.values)] = place
            else:
                strangers = True
        labels = [tuple(map(label_of, self.sweep.values(number))) for number in range(len(self.sweep))]
        found = [ours.get(label) for label in labels]
        if strangers and None in found:
            ids = self.sweep.ids
            return [places.get(id_) if id_ else None for id_ in ids]
        return found

    def missing(self) -> list[int]:
        """Numbers of the sweep's cells that are not there."""
        places = self.places
        return [number for number, id_ in enumerate(self.sweep.ids) if id_ is not None and id_ not in places]

    def digest(self, ids: Iterable[str] | None = None) -> str:
        """Return the SHA-256 of the content of cells, those of the sweep by default."""
        places = self.places
        wanted = {id_ for id_ in (self.sweep.ids if ids is None else ids) if id_ is not None}
        lines = sorted(f"{id_} {places[id_].kept.content}\n" for id_ in wanted if id_ in places)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def status(self) -> Status:
        """Count what is there."""
        places, parts = self.places, self.parts
        ids = {id_ for id_ in self.sweep.ids if id_ is not None}
        done = sum(id_ in places for id_ in ids)
        outdated = sum(place.part.note.stream_version != STREAM_VERSION for place in places.values())
        failed = sum(id_ in ids and id_ not in places for id_ in self.failures())
        return Status(
            cells=len(self.sweep),
            done=done,
            failed=failed,
            missing=len(ids) - done,
            skipped=self.sweep.ids.count(None),
            others=len(places) - done - outdated,
            outdated=outdated,
            parts=len(parts),
            bytes=sum(part.size for part in parts),
            damaged=len(list(self.path.glob(f"*{DAMAGED}"))) + len(self.unreadable),
            digest=self.digest(),
        )

    def merge(self, others: Iterable[str | os.PathLike[str]]) -> int:
        """Copy the parts of other stores that are not here; return how many.

        Raises
        ------
        SpecError, DataError
            If one of them is no store, keeps other variables, or has damaged parts; nothing of it is copied.
        """
        copied = 0
        for other in map(Store, others):
            _refuse_other_record(self.path, self.sweep, other.sweep)
            new = [part.path for part in other.parts if not (self.path / part.path.name).exists()]
            for path in new:
                if not is_intact(path):
                    raise DataError(FIELD, str(path), "is damaged", f"run its sweep again in {other.path}")
            for path in new:
                self._copy(path)
            copied += len(new)
        return copied

    def _copy(self, path: Path) -> None:
        partial = self.path / f".{path.stem[-16:]}{PARTIAL}"
        try:
            shutil.copyfile(path, partial)
            partial.replace(self.path / path.name)
        except OSError as error:
            raise unwritable(self.path, error) from error
        finally:
            partial.unlink(missing_ok=True)

    def gc(self, *, prune: int | None = None) -> dict[str, int]:
        """Tidy up: leftovers, damaged parts, cells that stand twice, many small parts.

        Not for a time when somebody else reads or writes here.

        Parameters
        ----------
        prune : int, optional
            Drop cells that are not of this sweep, too, those of other stream versions among them: so many as
            `status` counts. None are dropped unasked, for they may be all that an earlier sweep came to.

        Returns
        -------
        dict of str to int
            How many files were removed, and how many packed anew.

        Raises
        ------
        SpecError
            If that is not the number of cells that would be dropped: then nothing is touched.
        """
        wanted = {id_ for id_ in self.sweep.ids if id_ is not None}
        if prune is None:
            wanted |= self.places.keys()
        elif isinstance(prune, bool):
            raise SpecError("prune", prune, "is no number of cells", "give the number that status counts")
        elif (others := len(self.places.keys() - wanted)) != prune:
            here = counted(others, "cell", "cells")
            problem = f"is not the number of cells of other sweeps and stream versions: there are {here}"
            raise SpecError("prune", prune, problem, f"give {others}, or leave it out to keep what is there")
        removed = self._remove_leftovers()
        self.set_damaged_aside()  # packed anew, a damaged note would pass for a sound one
        live: dict[str, set[int]] = {}
        for id_, place in self.places.items():
            if id_ in wanted:
                live.setdefault(place.part.path.name, set()).add(place.number)
        untidy = [
            part
            for part in self.parts
            if len(live.get(part.path.name, ())) < len(part.note.cells) or part.size < SMALL_BYTES
        ]
        if len(untidy) < 2 and all(len(live.get(p.path.name, ())) == len(p.note.cells) for p in untidy):
            return {"removed": removed, "packed": 0}
        written = self._repack(untidy, live)
        old = [part.path for part in untidy if part.path not in written]
        for path in old:
            path.unlink(missing_ok=True)
        self.refresh()
        return {"removed": removed + len(old), "packed": len(written)}

    def _remove_leftovers(self) -> int:
        """Remove what was set aside, and what a writer left half-written long ago; return how many."""
        partial = [path for folder in (self.path, self.path / FAILED) for path in folder.glob(f".*{PARTIAL}")]
        long_ago = time.time() - STALE_SECONDS
        gone = [path for path in partial if path.stat().st_mtime < long_ago]
        gone += self.path.glob(f"*{DAMAGED}")
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _repack(self, parts: list[Part], live: Mapping[str, set[int]]) -> set[Path]:
        """Write the live cells of these parts into new ones, packs of one kind together."""
        kinds: dict[tuple[Any, ...], list[Part]] = {}
        for part in parts:
            note = part.note
            kinds.setdefault((note.stream_version, note.family, note.base, *note.fields), []).append(part)
        written = set()
        for (version, family, base, *fields), some in kinds.items():
            for pack in _packs(some, live):
                try:
                    written.add(
                        write_part(
                            self.path,
                            pack,
                            family=family,
                            base=base,
                            fields=fields,
                            stream_version=version,
                            provenance={"packed_from": [part.note.provenance for part in some[:8]]},
                        )
                    )
                except OSError as error:
                    raise unwritable(self.path, error) from error
        return written


def _packs(parts: list[Part], live: Mapping[str, set[int]]) -> Iterator[list[CellResult]]:
    pack: list[CellResult] = []
    held = 0
    for part in parts:
        for number, result in enumerate(part.results()):
            if number in live.get(part.path.name, ()):
                pack.append(result)
                held += result.nbytes
            if held > PACK_BYTES:
                yield pack
                pack, held = [], 0
    if pack:
        yield pack


def read_sweep(path: Path) -> Sweep:
    """Return the sweep that a store was made for.

    Raises
    ------
    DataError
        If there is none, or a newer version wrote it.
    """
    file = path / SWEEP
    if not file.is_file():
        raise DataError(FIELD, str(path), f"holds no {SWEEP}", "name a directory that a sweep was written to")
    data, folder = _document.read_toml(file)
    _refuse_newer(file, data)
    return Sweep.from_dict(data, folder=folder)


def _refuse_newer(file: Path, data: Mapping[str, Any]) -> None:
    table = data.get("store")
    version = table.get("format") if isinstance(table, Mapping) else None
    if not isinstance(version, int):
        raise DataError(FIELD, str(file.parent), "is no store of a sweep", _NEW)
    if version > FORMAT:
        raise DataError(FIELD, str(file.parent), "was written by a newer version", "upgrade tailbiter")


def check_directory(directory: str | os.PathLike[str], sweep: Sweep) -> Path:
    """Make sure, before anything is run, that a sweep can be stored here.

    Raises
    ------
    SpecError
        Naming what stands in the way.
    """
    if not os.fspath(directory):
        raise SpecError(FIELD, directory, "is empty", _NEW)
    path = Path(directory)
    try:
        if os.path.lexists(path) and not path.is_dir():
            raise SpecError(FIELD, str(path), "is not a directory", _NEW)
        if not path.resolve().parent.is_dir():
            raise SpecError(
                FIELD, str(path), "has no parent directory", f"create {path.resolve().parent} first"
            )
        if path.is_dir():  # asked last: another client may be making it
            _check_store(path, sweep)
        writable = path if path.is_dir() else path.resolve().parent
        if not os.access(writable, os.W_OK | os.X_OK):
            remedy = "name a directory you may write to"
            raise SpecError(FIELD, str(path), "cannot be written (permission denied)", remedy)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def _check_store(path: Path, sweep: Sweep) -> None:
    # Another client may be about to make it a store, or was killed at that.
    if all(entry.name.endswith(PARTIAL) for entry in path.iterdir()):
        return
    if not (path / SWEEP).is_file():
        raise SpecError(FIELD, str(path), "is not empty, and no store of a sweep", _NEW)
    here = read_sweep(path)
    _refuse_other_record(path, here, sweep)
    varied = {*here.names, *sweep.names}
    old, new = (_constant(one, varied) for one in (here, sweep))
    for name in old.keys() | new.keys():
        if old.get(name) != new.get(name):
            problem = f"holds another sweep, with {name} = {_shown(old.get(name))}"
            raise SpecError(FIELD, str(path), problem, "name another directory, or leave the base as it was")


def _shown(value: Any) -> Any:
    return None if value is None else label_of(value)


def _constant(sweep: Sweep, varied: set[str]) -> dict[str, Any]:
    """What two sweeps of one store have in common: fields of the base that neither varies, by dotted name."""
    data = sweep.base.to_dict(brief=True)
    data["reference"] = sweep.base.reference.canonical()
    data |= {"seed": sweep.seed, "common_random_numbers": sweep.common_random_numbers}
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": below for inner, below in value.items()}
        else:
            flat[name] = value
    heads = {name for name in varied if "." not in name}
    return {
        name: value
        for name, value in flat.items()
        if name not in varied and name.partition(".")[0] not in heads
    }


def _refuse_other_record(path: Path, here: Sweep, other: Sweep) -> None:
    if here.record != other.record:
        problem = "holds a sweep that keeps other variables or generations"
        raise SpecError(FIELD, str(path), problem, "name another directory, or record the same")

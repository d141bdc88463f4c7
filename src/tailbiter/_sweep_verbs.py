# SPDX-License-Identifier: MIT
"""The command line's verbs about sweeps and their stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from tailbiter._flags import flag, numeric
from tailbiter._interrupt import promise
from tailbiter.errors import SpecError
from tailbiter.summary import counted

if TYPE_CHECKING:
    from tailbiter.store import Store

__all__ = ["store_app", "sweep"]

FAILED = 1
SHOWN_FAILURES = 5

Directory = Annotated[Path, Parameter(help="The store")]
AsJson = Annotated[bool, flag("Print it as JSON", "--json")]
Quiet = Annotated[bool, flag("Print nothing but errors")]


def sweep(
    spec: Annotated[Path, Parameter(help="A TOML file: a Spec with [sweep]")],
    /,
    *,
    out: Annotated[str, flag("Store: a new directory, or one that holds this sweep in part")],
    threads: Annotated[int | None, numeric("Of this process, by default all processors")] = None,
    processes: Annotated[int | None, numeric("Processes instead of threads")] = None,
    dask: Annotated[str | None, flag("A Dask scheduler, tcp://host:8786, or local")] = None,
    workers_write: Annotated[bool, flag("Let workers write to --out, which they share")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run every cell of a sweep that its store does not hold yet; exit 1 if cells failed.

    Example: tailbiter sweep shares.toml --out sweeps/shares
    """
    from tailbiter.execute import run_sweep
    from tailbiter.sweep import Sweep

    wanted = Sweep.from_toml(spec)
    promise(f"finished cells are in {out}; the same command does the rest")
    try:
        store = run_sweep(
            wanted,
            out,
            threads=threads,
            processes=processes,
            dask=dask,
            workers_write=workers_write,
            progress=not quiet,
        )
    except SpecError as error:
        if error.field not in ("out", "threads", "processes", "dask"):
            raise
        raise type(error)(f"--{error.field}", error.value, error.problem, error.remedy) from error
    return _tell(store, as_json=as_json, quiet=quiet)


def _tell(store: Store, *, as_json: bool, quiet: bool) -> int:
    """Print what a store holds; the exit status says whether cells failed."""
    status = store.status()
    failures = list(store.failures().values()) if status.failed else []
    if as_json:
        told: dict[str, Any] = {"out": str(store.path), **status.to_dict()}
        told["failures"] = [{"values": f.values, "kind": f.kind, "message": f.message} for f in failures]
        print(json.dumps(told))
    elif not quiet:
        print(status.text())
        for failure in failures[:SHOWN_FAILURES]:
            values = ", ".join(f"{name} = {value}" for name, value in failure.values.items())
            print(f"failed: {values}: {failure.message or failure.kind}")
    return FAILED if status.failed else 0


store_app = App(name="store", help="Look after the directory of a sweep.")


@store_app.command
def status(directory: Directory, /, *, as_json: AsJson = False) -> int:
    """Tell what a store holds and what is missing; exit 1 if cells failed.

    Example: tailbiter store status sweeps/shares
    """
    from tailbiter.store import Store

    return _tell(Store(directory), as_json=as_json, quiet=False)


@store_app.command
def merge(
    directory: Directory,
    /,
    *others: Annotated[Path, Parameter(help="Stores to copy from")],
    quiet: Quiet = False,
) -> int:
    """Copy into a store what others have and it has not.

    Example: tailbiter store merge sweeps/shares sweeps/shares-of-the-other-machine
    """
    from tailbiter.store import Store

    if not others:
        raise SpecError("merge", str(directory), "is the only store", "name those to copy from")
    copied = Store(directory).merge(others)
    if not quiet:
        print(f"{counted(copied, 'part', 'parts')} copied")
    return 0


@store_app.command
def gc(
    directory: Directory,
    /,
    *,
    prune: Annotated[
        int | None, numeric("Drop so many cells of other sweeps and stream versions, as status counts them")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Tidy up: leftovers, damaged parts, cells that stand twice, many small parts. Not while others use it.

    Example: tailbiter store gc sweeps/shares
    """
    from tailbiter.store import Store

    try:
        done = Store(directory).gc(prune=prune)
    except SpecError as error:
        if error.field != "prune":
            raise
        raise type(error)("--prune", error.value, error.problem, error.remedy) from error
    if not quiet:
        print(f"{counted(done['removed'], 'file', 'files')} removed, {done['packed']:,} packed anew")
    return 0


@store_app.command
def export(
    directory: Directory,
    path: Annotated[Path, Parameter(help="A file that ends in .parquet or .nc")],
    /,
    *,
    quiet: Quiet = False,
) -> int:
    """Write a sweep as one file: tidy Parquet, or NetCDF with the swept fields as dims.

    Example: tailbiter store export sweeps/shares shares.parquet
    """
    from tailbiter.store import export as write

    write(directory, path)
    if not quiet:
        print(f"Written to {path}")
    return 0

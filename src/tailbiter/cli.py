# SPDX-License-Identifier: MIT
"""The command line. Exit 0: done; 1: a check failed; 2: bad input, one line on stderr, nothing written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import tailbiter
from tailbiter.errors import SpecError, TailbiterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from cyclopts import Token

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["app", "main"]

BAD_INPUT = 2
INTERRUPTED = 130
# The table of forgetting, replicates x categories x 8 bytes, is kept for the summary up to this size.
FORGOTTEN_BYTES = 2**30
# Which regime each of the flags belongs to, for the remedy when it is given alone.
REGIME_OF = {"real": "anchored", "real_count": "anchored", "source": "anchored", "hoard": "anchored"}
REGIME_OF |= {"k": "window", "draw": "accumulate_subsample"}

app = App(
    name="tailbiter",
    help="What happens to the tails when models train on their own output.",
    version=lambda: tailbiter.__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


def _number(_: type, tokens: Sequence[Token]) -> int | float:
    """Numbers as people write them (200000, 2e5); whether a fraction is allowed is for the Spec to say."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'unable to read "{text}" as a number') from None


def _flag(help_text: str, *names: str) -> Parameter:
    return Parameter(names or None, help=help_text, negative=())


def _numeric(help_text: str, metavar: str = "N") -> Parameter:
    return Parameter(
        help=help_text, metavar=metavar, converter=_number, n_tokens=1, allow_leading_hyphen=True
    )


Count = int | float | None


@app.command
def run(
    spec: Annotated[Path | None, Parameter(help="A TOML file; without it, Shakespeare's words")] = None,
    /,
    *,
    counts: Annotated[Path | None, _flag("Table of counts instead: CSV, TSV, Parquet or .npy")] = None,
    counts_column: Annotated[str | None, _flag("Its column of counts, where that is not plain")] = None,
    labels_column: Annotated[str | None, _flag("Its column of labels, where that is not plain")] = None,
    samples: Annotated[Count, _numeric("Size of each generation's new batch (2e5)")] = None,
    generations: Annotated[Count, _numeric("How many (2000)")] = None,
    replicates: Annotated[Count, _numeric("Independent lineages (32)")] = None,
    seed: Annotated[Count, _numeric("Whole number; same seed, same bits")] = None,
    regime: Annotated[
        str | None,
        _flag("replace, accumulate, accumulate_subsample, anchored, window or real_only"),
    ] = None,
    real: Annotated[Count, _numeric("anchored: human share of the batch, such as 0.01", "SHARE")] = None,
    real_count: Annotated[Count, _numeric("anchored: human items of the batch, instead of --real")] = None,
    source: Annotated[str | None, _flag("anchored: fresh, fixed or hoard")] = None,
    hoard: Annotated[Count, _numeric("anchored, hoard: size of the kept human set")] = None,
    window: Annotated[Count, _numeric("window: how many batches")] = None,
    draw: Annotated[Count, _numeric("accumulate_subsample: size of the training set")] = None,
    threads: Annotated[int | None, _numeric("By default all processors; changes no bit")] = None,
    out: Annotated[Path | None, _flag("New directory for tables, Spec and picture")] = None,
    force: Annotated[bool, _flag("Replace a run that --out already holds")] = False,
    as_json: Annotated[bool, _flag("Print the summary as JSON", "--json")] = False,
    quiet: Annotated[bool, _flag("Print nothing but errors")] = False,
) -> int:
    """Run generations of models, each trained on the output of the one before.

    Prints a short table, and writes Parquet tables, the Spec and a picture where --out says.

    Example: tailbiter run --counts words.csv --samples 2e5 --generations 2000 --replicates 32
    --regime anchored --real 0.01 --out runs/words
    """
    from tailbiter.run_files import check_target, write_run
    from tailbiter.simulate import simulate
    from tailbiter.summary import summarise

    sizes = _given(samples=samples, generations=generations, replicates=replicates, seed=seed)
    table = _given(real=real, real_count=real_count, source=source, hoard=hoard, k=window, draw=draw)
    resolved = _spec(spec, (counts, counts_column, labels_column), _regime(regime, table), sizes)
    if out is not None:
        check_target(out, force=force)
    ds = simulate(resolved, record=_record(spec, resolved), threads=threads, progress=not quiet)
    if out is not None:
        write_run(ds, resolved, out, force=force)
    if as_json:
        print(json.dumps(_report(resolved, ds, out)))
    elif not quiet:
        print(_headline(resolved, ds), summarise(ds).text(), sep="\n\n")
        if out is not None:
            print(f"Written to {out}")
    return 0


@app.command
def info(*, as_json: Annotated[bool, _flag("Print it as JSON", "--json")] = False) -> int:
    """Tell about this copy: build, instruction sets found and chosen, versions.

    Example: tailbiter info --json
    """
    facts = _facts()
    if as_json:
        print(json.dumps(facts))
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            print(f"{name:<{width}}  {_plain(value)}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit status.
    """
    try:
        status = app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except TailbiterError as error:
        return _fail(str(error))
    except CycloptsError as error:
        return _fail(f"{str(error).rstrip('.')}; see tailbiter --help")
    except BrokenPipeError:
        # The reader left; what Python still holds for it must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    return int(status or 0)


def _fail(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _regime(name: str | None, table: dict[str, Any]) -> dict[str, Any] | None:
    """The [regime] table that the flags spell; None when there is none."""
    if name is not None:
        return {"kind": name.replace("-", "_"), **table}
    if not table:
        return None
    key, value = next(iter(table.items()))
    raise SpecError(f"regime.{key}", value, "needs a regime", f"add --regime {REGIME_OF[key]}")


def _spec(
    path: Path | None,
    counts: tuple[Path | None, str | None, str | None],
    regime: dict[str, Any] | None,
    sizes: dict[str, Any],
) -> Spec:
    """The Spec that a file, a table or the shipped example gives, with what the flags change."""
    from tailbiter import data
    from tailbiter.reference import Counts
    from tailbiter.spec import Spec

    changes = sizes if regime is None else {**sizes, "regime": regime}
    table, count_column, label_column = counts[0], _column(counts[1]), _column(counts[2])
    if table is None and counts[1:] != (None, None):
        raise SpecError("counts", counts[1] or counts[2], "is a column of no table", "add --counts FILE")
    if path is not None and table is not None:
        raise SpecError("counts", str(table), "cannot be joined with a Spec file", "give one of the two")
    if path is not None:
        return Spec.from_toml(path).replace(**changes)
    if table is not None:
        return Spec(reference=Counts.read(table, counts=count_column, labels=label_column), **changes)
    words = Counts.read(data.path("shakespeare"), counts="train", labels="word")
    return Spec(reference=words, **changes)


def _column(name: str | None) -> str | int | None:
    """A column by name, or by number from 0."""
    return int(name) if name is not None and name.isdecimal() else name


def _record(path: Path | None, spec: Spec) -> Record:
    """What the Spec file asks for, else the standard set; with the forgetting table where that is small."""
    from msgspec.structs import replace

    from tailbiter.record import Record

    record = Record() if path is None else Record.from_toml(path)
    size = 8 * spec.replicates * len(spec.reference.support)
    return record if record.forgotten or size > FORGOTTEN_BYTES else replace(record, forgotten=True)


def _headline(spec: Spec, ds: xr.Dataset) -> str:
    provenance = json.loads(ds.attrs["provenance"])
    regime = spec.to_dict()["regime"]["kind"]
    return (
        f"{ds.attrs['categories']:,} categories, {int(ds.attrs['first_sample']):,} samples, regime {regime}, "
        f"{spec.generations:,} generations, {spec.replicates:,} replicates, seed {spec.seed}: "
        f"{provenance['wall_seconds']:.2f} s on {provenance['threads']} threads ({provenance['isa']})"
    )


def _report(spec: Spec, ds: xr.Dataset, out: Path | None) -> dict[str, Any]:
    """What --json prints: never the reference itself, which may be as large as the input."""
    from tailbiter.summary import summarise

    described = {name: value for name, value in spec.to_dict().items() if name != "reference"}
    return {
        "spec": described,
        "digest": spec.digest(),
        "summary": summarise(ds).to_dict(),
        "provenance": json.loads(ds.attrs["provenance"]),
        "out": None if out is None else str(out),
    }


def _facts() -> dict[str, Any]:
    """Build, instruction sets, versions; from package metadata, so that nothing heavy is imported."""
    import platform
    from importlib.metadata import version

    from tailbiter import _core
    from tailbiter.estimate import available_memory
    from tailbiter.simulate import default_threads

    isa = _core.isa()
    packages = ("numpy", "scipy", "numba", "msgspec", "xarray", "pyarrow", "cyclopts", "tqdm", "matplotlib")
    return {
        "tailbiter": tailbiter.__version__,
        **_core.build_info(),
        "isa_found": isa["found"],
        "isa_chosen": isa["chosen"],
        "threads": default_threads(),
        "memory_available": available_memory(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in packages},
    }


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

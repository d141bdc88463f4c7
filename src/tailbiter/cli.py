# SPDX-License-Identifier: MIT
"""The command line. Exit 0: done; 2: bad input, one line on stderr, nothing written; 130: Ctrl-C."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import tailbiter
from tailbiter._checks import choice
from tailbiter._interrupt import check
from tailbiter.errors import SpecError, TailbiterError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    import xarray as xr
    from cyclopts import Token

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["app", "main"]

BAD_INPUT = 2
# The table of forgetting, replicates x categories x 8 bytes, is kept for the summary up to this size.
FORGOTTEN_BYTES = 2**30
# The regimes that flags can spell; of the flags, those of each regime: "needs one of" and "may have".
REGIMES = {
    "replace": ((), ()),
    "accumulate": ((), ()),
    "accumulate_subsample": ((), ("draw",)),
    "anchored": (("real", "real_count"), ("source", "hoard")),
    "window": (("k",), ()),
    "real_only": ((), ()),
}
# What a field is called on the command line, where it is not its own name.
FLAG_OF = {"real_count": "real-count", "k": "window", "kind": "regime"}
EXAMPLE_OF = {"real": "0.01", "k": "5"}

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
    out: Annotated[str | None, _flag("New directory for tables, Spec and picture")] = None,
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
    with _spoken_as_flags({*sizes, *_given(threads=threads, out=out)}, set(table)):
        resolved = _spec(spec, (counts, counts_column, labels_column), _regime(regime, table), sizes)
        if out is not None:
            check_target(out, force=force)
        check()
        ds = simulate(resolved, record=_record(spec, resolved), threads=threads, progress=not quiet)
        check()
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
    """Run the command line; Ctrl-C is left to the caller.

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
        _drop_output()
        return 0
    except OSError as error:
        if error.filename is None:
            _drop_output()
        return _fail(f"{error.filename or 'standard output'}: {error.strerror or error}")
    except ImportError as error:
        # The engine looks at the environment while it is imported.
        if not str(error).startswith("TAILBITER_ISA"):
            raise
        return _fail(str(error))
    return int(status or 0)


def _drop_output() -> None:
    """Nobody takes the output; what Python still holds of it must not raise again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return BAD_INPUT


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@contextmanager
def _spoken_as_flags(fields: Container[str], regime_fields: Container[str]) -> Iterator[None]:
    """Name the flag, not the field, in an error about a value that was given by flag."""
    try:
        yield
    except SpecError as error:
        table, _, name = error.field.rpartition(".")
        if name not in {"": fields, "regime": regime_fields}.get(table, ()):
            raise
        raise type(error)(_flag_of(name), error.value, error.problem, error.remedy) from error


def _flag_of(name: str) -> str:
    return f"--{FLAG_OF.get(name, name)}"


def _regime(name: str | None, table: dict[str, Any]) -> dict[str, Any] | None:
    """The [regime] table that the flags spell; None when there is none."""
    if name is None:
        for key, value in table.items():
            owner = next(regime for regime, flags in REGIMES.items() if key in chain(*flags))
            raise SpecError(_flag_of(key), value, "needs a regime", f"add --regime {owner}")
        return None
    kind = name.replace("-", "_")
    if kind == "mix":
        raise SpecError("--regime", name, "is too rich for flags", "write it in a Spec file (TOML)")
    needs, may = REGIMES[choice(kind, "--regime", list(REGIMES))]
    for key, value in table.items():
        if key not in needs + may:
            raise SpecError(_flag_of(key), value, f"does not go with --regime {name}", "leave it out")
    if needs and len(table.keys() & set(needs)) != 1:
        given = [_flag_of(key) for key in needs if key in table]
        wanted = " or ".join(map(_flag_of, needs))
        problem = f"cannot have both {wanted.replace(' or ', ' and ')}" if given else f"needs {wanted}"
        raise SpecError("--regime", name, problem, f"give {_flag_of(needs[0])} {EXAMPLE_OF[needs[0]]}, say")
    if ("hoard" in table) != (table.get("source") == "hoard"):
        raise SpecError("--source", table.get("source"), "and --hoard go together", "give both, or neither")
    return {"kind": kind, **table}


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
    table, *columns = counts
    if table is None and columns != [None, None]:
        flag, column = ("--counts-column", columns[0]) if columns[0] else ("--labels-column", columns[1])
        raise SpecError(flag, column, "is a column of no table", "add --counts FILE")
    if path is not None and table is not None:
        raise SpecError("--counts", str(table), "cannot be joined with a Spec file", "give one of the two")
    if path is not None:
        return Spec.from_toml(path).replace(**changes)
    if table is not None:
        return Spec(reference=Counts.read(table, counts=columns[0], labels=columns[1]), **changes)
    words = Counts.read(data.path("shakespeare"), counts="train", labels="word")
    return Spec(reference=words, **changes)


def _record(path: Path | None, spec: Spec) -> Record:
    """What the Spec file asks for, else the standard set; with the forgetting table where that is small."""
    from msgspec.structs import replace

    from tailbiter.record import Record

    record = Record() if path is None else Record.from_toml(path)
    size = 8 * spec.replicates * len(spec.reference.support)
    return record if record.forgotten or size > FORGOTTEN_BYTES else replace(record, forgotten=True)


def _headline(spec: Spec, ds: xr.Dataset) -> str:
    from tailbiter.summary import counted

    provenance = json.loads(ds.attrs["provenance"])
    regime = spec.to_dict()["regime"]["kind"]
    sizes = (
        counted(ds.attrs["categories"], "category", "categories"),
        counted(int(ds.attrs["first_sample"]), "sample", "samples"),
        f"regime {regime}",
        counted(spec.generations, "generation", "generations"),
        counted(spec.replicates, "replicate", "replicates"),
        f"seed {spec.seed}",
    )
    threads = counted(provenance["threads"], "thread", "threads")
    return f"{', '.join(sizes)}: {provenance['wall_seconds']:.2f} s on {threads} ({provenance['isa']})"


def _report(spec: Spec, ds: xr.Dataset, out: str | None) -> dict[str, Any]:
    """What --json prints: never the reference itself, which may be as large as the input."""
    from tailbiter.summary import summarise

    described = {name: value for name, value in spec.to_dict().items() if name != "reference"}
    return {
        "spec": described,
        "digest": spec.digest(),
        "summary": summarise(ds).to_dict(),
        "provenance": json.loads(ds.attrs["provenance"]),
        "out": out,
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

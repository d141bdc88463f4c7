# SPDX-License-Identifier: MIT
"""The command line. Exit 0: done; 1: a check failed; 2: bad input, one line on stderr; 130: Ctrl-C."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import tailbiter
from tailbiter._flags import Count, SpecFlags, flag, numeric
from tailbiter._interrupt import check
from tailbiter._plan_verbs import plan
from tailbiter._reproduce_verb import reproduce
from tailbiter._sweep_verbs import store_app, sweep
from tailbiter.errors import TailbiterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["app", "main"]

PARTED = 1
BAD_INPUT = 2
app = App(
    name="tailbiter",
    help="What happens to the tails when models train on their own output.",
    version=lambda: tailbiter.__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


SpecFile = Annotated[Path | None, Parameter(help="A TOML file; without it, Shakespeare's words")]
Threads = Annotated[int | None, numeric("By default all processors; changes no bit")]


@app.command
def run(
    spec: SpecFile = None,
    /,
    *,
    flags: SpecFlags | None = None,
    threads: Threads = None,
    out: Annotated[str | None, flag("New directory for tables, Spec and picture")] = None,
    force: Annotated[bool, flag("Replace a run that --out already holds")] = False,
    as_json: Annotated[bool, flag("Print the summary as JSON", "--json")] = False,
    quiet: Annotated[bool, flag("Print nothing but errors")] = False,
) -> int:
    """Run generations of models, each trained on the output of the one before.

    Prints a short table, and writes Parquet tables, the Spec and a picture where --out says.

    Example: tailbiter run --counts words.csv --samples 2e5 --generations 2000 --replicates 32
    --regime anchored --real 0.01 --out runs/words

    Of measurements: tailbiter run --table data.csv --columns a,b --components 3 --generations 500
    """
    from tailbiter.families import family_of
    from tailbiter.run_files import check_target, write_run
    from tailbiter.simulate import simulate

    flags = flags or SpecFlags()
    with flags.spoken("threads", "out"):
        resolved = flags.resolve(spec)
        if out is not None:
            check_target(out, force=force)
        check()
        family = family_of(resolved.reference)
        record = family.for_summary(resolved, _asked(spec))
        ds = simulate(resolved, record=record, threads=threads, progress=not quiet)
        check()
        if out is not None:
            write_run(ds, resolved, out, force=force)
    if as_json:
        print(json.dumps(_report(resolved, ds, out)))
    elif not quiet:
        print(_headline(resolved, ds), family.summarise(ds).text(), sep="\n\n")
        if out is not None:
            print(f"Written to {out}")
    return 0


@app.command
def predict(
    spec: SpecFile = None,
    /,
    *,
    flags: SpecFlags | None = None,
    as_json: Annotated[bool, flag("Print all of it as JSON", "--json")] = False,
) -> int:
    """Say by theory what run will measure, without running it.

    Example: tailbiter predict --counts words.csv --samples 2e5 --generations 2000
    """
    from tailbiter.predict import predict as expect
    from tailbiter.summary import expected_table

    flags = flags or SpecFlags()
    with flags.spoken():
        resolved = flags.resolve(spec)
        theory = expect(resolved, record=_asked(spec))
    if as_json:
        print(json.dumps({"digest": resolved.digest(), **_plain_data(theory)}))
    else:
        print(expected_table(theory))
    return 0


@app.command
def verify(
    spec: SpecFile = None,
    /,
    *,
    flags: SpecFlags | None = None,
    rate: Annotated[Count, numeric("Chance of a false alarm over the whole table (1e-6)", "CHANCE")] = None,
    threads: Threads = None,
    as_json: Annotated[bool, flag("Print it as JSON", "--json")] = False,
    quiet: Annotated[bool, flag("Print nothing but errors")] = False,
) -> int:
    """Simulate, predict, and say where they part; exit 1 if they do.

    Example: tailbiter verify --counts words.csv --samples 2e5 --generations 200 --regime accumulate
    """
    from tailbiter.verify import verify as compare

    flags = flags or SpecFlags()
    with flags.spoken("threads", "rate"):
        resolved = flags.resolve(spec)
        found = compare(
            resolved,
            record=_asked(spec),
            rate=1e-6 if rate is None else rate,
            replicates=None if flags.replicates is None else resolved.replicates,
            threads=threads,
            progress=not quiet,
        )
    if as_json:
        print(json.dumps({"digest": resolved.digest(), **found.to_dict()}))
    elif not quiet:
        print(found.text())
    return PARTED if any(row.verdict == "parts" for row in found.rows) else 0


app.command(plan)
app.command(sweep)
app.command(store_app)
app.command(reproduce)


@app.command
def report(
    run: Annotated[Path, Parameter(help="Directory of a run or of a sweep, as --out made it")],
    /,
    *,
    out: Annotated[str, flag("The page to write", "--out", "-o")] = "report.html",
    force: Annotated[bool, flag("Replace a page that is there")] = False,
) -> int:
    """Write a run, or a sweep, as one self-contained page: charts, what vanished, how to run it again.

    Example: tailbiter report runs/words -o words.html
    """
    from tailbiter.report import report as write

    print(f"Written to {write(run, out, force=force)}")
    return 0


@app.command
def info(*, as_json: Annotated[bool, flag("Print it as JSON", "--json")] = False) -> int:
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


def _asked(path: Path | None) -> Record:
    """What the Spec file asks for, else the standard set."""
    from tailbiter.record import Record

    return Record() if path is None else Record.from_toml(path)


def _plain_data(ds: xr.Dataset) -> dict[str, Any]:
    """Every variable and coordinate, ready for JSON: what is not finite becomes null."""

    def numbers(values: Any) -> Any:
        if hasattr(values, "tolist"):
            values = values.tolist()
        if isinstance(values, list):
            return [numbers(value) for value in values]
        return None if isinstance(values, float) and not math.isfinite(values) else values

    return {
        "left_out": json.loads(ds.attrs["left_out"]),
        "variables": {
            str(name): {
                "dims": list(array.dims),
                **{key: numbers(value) for key, value in array.attrs.items()},
                "values": numbers(array.values),
            }
            for name, array in ds.variables.items()
        },
    }


def _headline(spec: Spec, ds: xr.Dataset) -> str:
    from tailbiter.families import family_of
    from tailbiter.summary import counted

    provenance = json.loads(ds.attrs["provenance"])
    regime = spec.to_dict()["regime"]["kind"]
    sizes = (
        family_of(spec.reference).size(ds),
        counted(int(spec.composition.samples[0]), "sample", "samples"),
        f"regime {regime}",
        counted(spec.generations, "generation", "generations"),
        counted(spec.replicates, "replicate", "replicates"),
        f"seed {spec.seed}",
    )
    threads = counted(provenance["threads"], "thread", "threads")
    return f"{', '.join(sizes)}: {provenance['wall_seconds']:.2f} s on {threads} ({provenance['isa']})"


def _report(spec: Spec, ds: xr.Dataset, out: str | None) -> dict[str, Any]:
    """What --json prints: never the reference itself, which may be as large as the input."""
    from tailbiter.families import family_of

    described = {name: value for name, value in spec.to_dict().items() if name != "reference"}
    return {
        "spec": described,
        "digest": spec.digest(),
        "summary": family_of(spec.reference).summarise(ds).to_dict(),
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

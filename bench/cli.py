# SPDX-License-Identifier: MIT
"""Command line of the bench."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.families import FAMILIES
from bench.sides import MISSING, present
from bench.workloads import WORKLOADS, by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workloads import Workload

NAMES = [*(workload.name for workload in WORKLOADS), *FAMILIES]
ROUNDS, FULL_ROUNDS = 3, 7
NOTES = """\
Wall time per replicate, one thread on one processor; medians of rounds that take turns in this one process.
by CPU: the same ratio of processor times, for a machine that does other work besides. Ours include making
the Spec and the Dataset; compilation by Numba is left out. All sides record survivors, entropy and tail
mass at every generation, and --smoke checks each against exact laws. No run is cut short nor extrapolated
over generations; a side may run fewer replicates than ours (JSON: replicates), as they are independent and
cost the same.
numpy_naive draws each source by a multinomial over all K; numpy_inverse_cdf the same, but human items one by
one from the distribution function; bars are of the first.
choice_counts, token_lists: every item of a batch is drawn, then counted, as published code does. simupop:
haploid Wright-Fisher populations of simuPOP. gaussian, em: time of a generation of one lineage, drawn, fitted
and recorded (mean and covariance; the parameters of the mixture); both sides are checked before.
SG: survivor-generations of one replicate, fresh human draws included. RNG only, gather only: what one random
word, and one look-up, for each of these takes. core: bytes that the core allocates for a run; tables: shared
by all threads, made from the reference; state: ids and counts."""

OTHERS = """\
other benches, each with --help of its own:
  python -m bench.levers        levers beside plain sampling
  python -m bench.gaussian      normal laws beside numpy
  python -m bench.mixture       mixtures beside scikit-learn
  python -m bench.sweep         a sweep into a store beside numpy on joblib
  python -m bench.user          laws that users write beside the core's
  python -m bench.instructions  instructions of fixed runs beside the committed figures"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit status (1 when sides disagree)."""
    options = _parser().parse_args(arguments)
    if options.isa:
        return _each_isa(options)
    names = options.workload or NAMES
    workloads = [by_name(name) for name in names if name not in FAMILIES]
    families = present(name for name in names if name in FAMILIES)
    if options.smoke:
        return _smoke(options, workloads, families)
    _emit(_report(workloads, families, FULL_ROUNDS if options.full else ROUNDS), options.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Time tailbiter beside what is used today.",
        epilog=OTHERS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--smoke", action="store_true", help="check all sides, and time tiny sizes: seconds")
    mode.add_argument("--full", action="store_true", help=f"{FULL_ROUNDS} rounds in place of {ROUNDS}")
    parser.add_argument("--workload", action="append", choices=NAMES, help="this one only; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--isa", action="store_true", help="once for each instruction set of this machine")
    return parser


def _report(
    workloads: Sequence[Workload], families: Sequence[str], rounds: int, tiny: bool = False
) -> dict[str, Any]:
    from bench import machine
    from bench.measure import measure

    report: dict[str, Any] = {
        "machine": machine.facts(),
        "rounds": rounds,
        "missing": MISSING,
        "workloads": [],
        "families": [],
    }
    for workload in workloads:
        _tell(workload.title)
        report["workloads"].append(measure(workload, rounds))
    for name in families:
        _tell(name)
        report["families"] += FAMILIES[name](rounds, tiny)
    return report


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"{what} ...", file=sys.stderr)


def _emit(report: dict[str, Any], path: Path | None) -> None:
    from bench import report as tables

    results = [*report["workloads"], *report["families"]]
    print(tables.facts(report["machine"]))
    print("\n" + tables.legend(results))
    print("\n" + tables.ratios(results, report["machine"]["isa"]["chosen"]))
    if report["workloads"]:
        print("\n" + tables.costs(report["workloads"]))
    print("\n" + NOTES)
    for side, why in report["missing"].items():
        print(f"left out: {side}, as {why}")
    for warning in tables.busy(results):
        print(f"busy machine: {warning}")
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _smoke(options: argparse.Namespace, workloads: Sequence[Workload], families: Sequence[str]) -> int:
    from bench import smoke
    from bench.agree import Disagreement

    start = time.perf_counter()
    try:
        checks = smoke.agree(workloads)
    except Disagreement as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    tiny = {small.title: small for small in map(smoke.tiny, workloads)}
    _emit(_report(list(tiny.values()), families, 1, tiny=True), options.json)
    print(f"\nsmoke: {checks} checks, no side disagrees; {time.perf_counter() - start:.1f} s")
    return 0


def _each_isa(options: argparse.Namespace) -> int:
    """Run this bench again under each instruction set, in a process of its own: it is chosen at import."""
    from bench import report as tables
    from tailbiter import _core

    reports: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for isa in _core.isa()["found"]:
            path = Path(folder, f"{isa}.json")
            command = [sys.executable, "-m", "bench", "--json", str(path)]
            command += [f"--workload={name}" for name in options.workload or ()]
            command += [f"--{mode}" for mode in ("smoke", "full") if getattr(options, mode)]
            print(f"== {isa} ==", flush=True)
            status = subprocess.run(command, env=os.environ | {"TAILBITER_ISA": isa}, check=False).returncode
            if status:
                return status
            reports[isa] = json.loads(path.read_text(encoding="utf-8"))
    print("\n== ours, by instruction set ==\n" + tables.widths(reports))
    if options.json is not None:
        options.json.write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
    return 0

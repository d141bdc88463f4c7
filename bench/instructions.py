# SPDX-License-Identifier: MIT
"""Instructions of fixed runs, beside those that were committed: `python -m bench.instructions`.

Times wander on shared machines, counts do not: callgrind counts what csrc/tests/count_runs.c executes, on its
model of a processor (no AVX-512). Figures are of one compiler at one version, as others make other code of
the same source; under a compiler without figures the counts are printed and judge nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ISAS = ("avx2", "plain")
WORKLOADS = ("replace", "sweep", "anchored", "anchored-small", "nothing-dies", "window", "subsample")
WORKLOADS += ("gaussian", "mixture")
# More than this over the committed figure fails. Reruns give the same counts; other C libraries nearly so.
MARGIN = 0.03
FIGURES = Path(__file__).with_name("instructions.json")
CORE = Path(__file__).parents[1] / "csrc"

Counts = dict[str, dict[str, int]]  # by instruction set and workload


class Unfit(Exception):
    """The gate could not see what it is there to see."""


def build(folder: Path) -> Path:
    """Compile the core and the counted program, with the flags of a release."""
    command = ["make", "-s", f"-j{os.cpu_count()}", "-C", str(CORE), "count", f"BUILD={folder}"]
    subprocess.run(command, check=True)
    return folder / "count_runs"


def count(program: Path, isa: str, workload: str, times: int = 1) -> tuple[str, int]:
    """Return the compiler's name, and the instructions executed inside the counted function."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "counts")
        tool = ["valgrind", "--tool=callgrind", "--toggle-collect=counted", f"--callgrind-out-file={out}"]
        run = subprocess.run(
            [*tool, program, isa, workload, str(times)], capture_output=True, check=True, text=True
        )
        found = re.search(r"^totals: (\d+)$", out.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None or int(found[1]) == 0:
        raise Unfit(f"callgrind saw nothing of {workload} with {isa}")
    return run.stdout.strip(), int(found[1])


def runnable(program: Path) -> list[str]:
    """Return the instruction sets that this machine has, of those that are counted."""
    runs = (subprocess.run([program, isa, "sweep", "0"], capture_output=True, check=False) for isa in ISAS)
    return [isa for isa, run in zip(ISAS, runs, strict=True) if run.returncode == 0]


def count_all(program: Path) -> tuple[str, Counts]:
    """Return the compiler's name and all counts; refuse a gate that would let twice the work through."""
    isas = runnable(program)
    pairs = list(product(isas, WORKLOADS))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda pair: count(program, *pair), pairs))
    counts: Counts = {isa: {} for isa in isas}
    for (isa, workload), (_, counted) in zip(pairs, found, strict=True):
        counts[isa][workload] = counted
    single = {isas[0]: {"sweep": counts[isas[0]]["sweep"]}}
    twice = {isas[0]: {"sweep": count(program, isas[0], "sweep", times=2)[1]}}
    if not grown(twice, single):
        raise Unfit("a workload run twice was not found to take more instructions")
    return found[0][0], counts


def grown(counts: Counts, figures: Counts) -> list[str]:
    """Return what takes more instructions than its figure and the margin allow, or has no figure."""
    found = []
    for isa, each in counts.items():
        for workload, counted in each.items():
            figure = figures.get(isa, {}).get(workload)
            if figure is None:
                found.append(f"{workload} with {isa} has no figure: write them")
            elif counted > figure * (1.0 + MARGIN):
                found.append(f"{workload} with {isa} takes {counted / figure - 1.0:+.1%} instructions")
    return found


def table(counts: Counts, figures: Counts) -> str:
    """Return counts beside figures, in millions."""
    lines = [f"{'workload':16}{'ISA':7}{'counted':>10}{'figure':>10}   change"]
    for isa, each in counts.items():
        for workload, counted in each.items():
            figure = figures.get(isa, {}).get(workload)
            known = "-" if figure is None else f"{figure / 1e6:.2f}"
            change = "" if figure is None else f"{counted / figure - 1.0:+.1%}"
            lines.append(f"{workload:16}{isa:7}{counted / 1e6:10.2f}{known:>10}   {change}".rstrip())
    return "\n".join(lines)


def verdict(compiler: str, counts: Counts, known: dict[str, Counts]) -> int:
    """Print the table and what follows from it; return the exit status."""
    print(f"millions of instructions, {compiler}\n{table(counts, known.get(compiler, {}))}")
    if compiler not in known:
        print(f"no figures for {compiler} (there are: {', '.join(known) or 'none'}): nothing is judged")
        return 0
    problems = grown(counts, known[compiler])
    for problem in problems:
        print(f"error: {problem} (at most {MARGIN:+.0%}; python -m bench.instructions --write, if it must)")
    return 1 if problems else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and compare or write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures of this compiler anew")
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        print("no valgrind here: instructions are not counted (install valgrind)")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        compiler, counts = count_all(build(Path(folder)))
    known: dict[str, Counts] = json.loads(FIGURES.read_text(encoding="utf-8"))
    if options.write:
        known[compiler] = counts
        FIGURES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return verdict(compiler, counts, known)


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: MIT
"""Instructions of fixed runs, beside those that were committed: `python -m bench.instructions`.

Times wander on shared machines, counts do not: callgrind counts what csrc/tests/count_runs.c executes, on its
model of a processor (no AVX-512). Figures are of one compiler at one version, as others make other code of
the same source; under a compiler without figures the counts are printed and judge nothing, which with
`--require` is a failure, as is a machine without valgrind. A run that takes fewer instructions fails as
well, until its figure is written: what was won is kept.
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
LACKING = 3  # what count_runs returns where the processor lacks the instruction set
# A change by more than this fails, either way. Reruns give the same counts; other C libraries nearly so.
MARGIN = 0.03
WRITE = "write the new figures (python -m bench.instructions --write)"
FIGURES = Path(__file__).with_name("instructions.json")
CORE = Path(__file__).parents[1] / "csrc"

Counts = dict[str, dict[str, int]]  # by instruction set and workload


class Unfit(Exception):
    """The gate could not see what it is there to see."""


def build(folder: Path) -> Path:
    """Compile the core and the counted program, with the flags of a release."""
    command = ["make", "-s", f"-j{os.cpu_count()}", "-C", str(CORE), "count", f"BUILD={folder}"]
    if subprocess.run(command, check=False).returncode:
        raise Unfit("the counted program does not build; what make said stands above")
    return folder / "count_runs"


def run(program: Path, isa: str, workload: str, times: int, out: Path) -> subprocess.CompletedProcess[str]:
    """Run a workload under callgrind, which shows the program a processor of its own."""
    tool = ["valgrind", "--tool=callgrind", "--toggle-collect=counted", f"--callgrind-out-file={out}"]
    command = [*tool, str(program), isa, workload, str(times)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    if done.returncode not in (0, LACKING):
        last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        raise Unfit(f"{workload} with {isa} failed under callgrind, status {done.returncode}: {last}")
    return done


def count(program: Path, isa: str, workload: str, times: int = 1) -> tuple[str, int]:
    """Return the compiler's name, and the instructions executed inside the counted function."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "counts")
        done = run(program, isa, workload, times, out)
        found = re.search(r"^totals: (\d+)$", out.read_text(encoding="utf-8"), re.MULTILINE)
    if done.returncode == LACKING or found is None or int(found[1]) == 0:
        raise Unfit(f"callgrind saw nothing of {workload} with {isa}")
    return done.stdout.strip(), int(found[1])


def runnable(program: Path) -> list[str]:
    """Return the instruction sets that callgrind's processor has, of those that are counted."""
    with tempfile.TemporaryDirectory() as folder:
        status = {isa: run(program, isa, "sweep", 0, Path(folder, isa)).returncode for isa in ISAS}
    for isa in ISAS:
        if status[isa] == LACKING:
            print(f"{isa} is not counted: the processor that valgrind shows here lacks it")
    return [isa for isa in ISAS if status[isa] == 0]


def count_all(program: Path) -> tuple[str, Counts]:
    """Return the compiler's name and all counts; refuse a gate that would let twice the work through."""
    isas = runnable(program)
    if not isas:
        raise Unfit(f"the processor that valgrind shows here has none of {', '.join(ISAS)}")
    pairs = list(product(isas, WORKLOADS))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda pair: count(program, *pair), pairs))
    counts: Counts = {isa: {} for isa in isas}
    for (isa, workload), (_, counted) in zip(pairs, found, strict=True):
        counts[isa][workload] = counted
    single = {isas[0]: {"sweep": counts[isas[0]]["sweep"]}}
    twice = {isas[0]: {"sweep": count(program, isas[0], "sweep", times=2)[1]}}
    if not changed(twice, single):
        raise Unfit("a workload run twice was not found to take more instructions")
    return found[0][0], counts


def changed(counts: Counts, figures: Counts) -> list[str]:
    """Return what takes more or fewer instructions than its figure and the margin allow, or has no figure."""
    found = []
    for isa, each in counts.items():
        for workload, counted in each.items():
            figure = figures.get(isa, {}).get(workload)
            where = f"{workload} with {isa}"
            if figure is None:
                found.append(f"{where} has no figure: {WRITE}")
            elif abs(change := counted / figure - 1.0) > MARGIN:
                what = "make it take fewer, or" if change > 0.0 else "keep what is won,"
                found.append(f"{where} takes {change:+.1%} instructions: {what} {WRITE}")
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


def verdict(compiler: str, counts: Counts, known: dict[str, Counts], require: bool = False) -> int:
    """Print the table and what follows from it; return the exit status."""
    print(f"millions of instructions, {compiler}\n{table(counts, known.get(compiler, {}))}")
    if compiler not in known:
        there = f"no figures for {compiler} (there are: {', '.join(known) or 'none'})"
        return unjudged(f"{there}: {WRITE}, on a tree before your change", require)
    problems = changed(counts, known[compiler])
    for problem in problems:
        print(f"error: {problem}")
    return 1 if problems else 0


def unjudged(why: str, require: bool) -> int:
    """Tell why nothing is judged; return the exit status."""
    print(f"error: {why}" if require else f"nothing is judged, {why}")
    return 1 if require else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and compare or write; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures of this compiler anew")
    parser.add_argument("--require", action="store_true", help="fail where nothing can be judged")
    options = parser.parse_args(arguments)
    if shutil.which("valgrind") is None:
        return unjudged("no valgrind here: install it (on Debian: apt-get install valgrind)", options.require)
    try:
        with tempfile.TemporaryDirectory() as folder:
            compiler, counts = count_all(build(Path(folder)))
    except Unfit as error:
        print(f"error: {error}")
        return 1
    known: dict[str, Counts] = json.loads(FIGURES.read_text(encoding="utf-8"))
    if options.write:
        known[compiler] = known.get(compiler, {}) | counts
        FIGURES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return verdict(compiler, counts, known, options.require)


if __name__ == "__main__":
    raise SystemExit(main())

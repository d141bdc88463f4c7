# SPDX-License-Identifier: MIT
"""A normal family written by a user beside the C engine of mixtures. Run by `python -m bench.user`."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import tailbiter as tb
from bench import machine
from bench import report as tables
from bench.timing import Ratio, take_turns
from tailbiter.families import family_of
from tailbiter.jit import Family, draws
from tailbiter.record import Record
from tailbiter.simulate import run_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR = 5.0
GENERATIONS = 20
SAMPLES = 100_000
COMPONENTS = (1, 2, 5, 10)
NOTES = """\
Recursive loops in one dimension (draw, fit by EM from the last model, record), one thread, rounds that take
turns in this one process; compiled before. by CPU: ratio of processor times; the verdict goes by it."""


def log_density(x, p):
    """As a user would write it."""
    z = (x - p[0]) / p[1]
    return -0.5 * z * z - math.log(p[1]) - 0.9189385332046727


def fit(x, w, p, floor):
    """Weighted mean and deviation in one pass, about the mean as it was."""
    total, first, second = 0.0, 0.0, 0.0
    for i in range(len(x)):
        shift = x[i] - p[0]
        total += w[i]
        first += w[i] * shift
        second += w[i] * shift * shift
    first /= total
    p[0] += first
    p[1] = math.sqrt(second / total - first * first + floor)


def sample(p, at):
    """One normal."""
    return p[0] + p[1] * draws.normal(at)


NORMAL = Family("normal", log_density, fit, sample, parameters={"mean": 0.0, "sd": 1.0})


def specs(components: int, samples: int) -> tuple[tb.Spec, tb.Spec]:
    """Return the same law twice: written by a user, and as the C engine has it."""
    weights, means = [1 / components] * components, [3.0 * k for k in range(components)]
    users = tb.UserMixture(NORMAL, [[mean, 1.0] for mean in means], weights)
    ours = tb.GaussianMixture(weights, means, [1.0] * components)
    shape: dict[str, Any] = {"samples": samples, "generations": GENERATIONS, "replicates": 1}
    return tb.Spec(reference=users, **shape), tb.Spec(reference=ours, **shape)


def run(spec: tb.Spec, seed: int) -> None:
    """Run a lineage, without a Dataset."""
    family = family_of(spec.reference)
    record = Record(generations=[GENERATIONS], variables=["weights"])
    engine = family.engine(family.lower(spec.replace(seed=seed), record))
    run_blocks(engine, engine.outputs(1), 1, 1, family.control())


def measure(components: int, samples: int, rounds: int) -> dict[str, Any]:
    """Time both, by turns."""
    users, ours = specs(components, samples)
    run(users, 0)
    pairs = take_turns(partial(run, ours), {"user": partial(run, users)}, rounds)["user"]
    each = 1e9 / (GENERATIONS * samples)
    return asdict(Ratio.of([a.wall for _, a in pairs], [b.wall for b, _ in pairs])) | {
        "c": median(own.cpu * each for own, _ in pairs),
        "user": median(other.cpu * each for _, other in pairs),
        "by_cpu": median(other.cpu / own.cpu for own, other in pairs),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.user", description="Users' laws beside C.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: seconds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    options = parser.parse_args(arguments)
    samples, rounds = (2000, 1) if options.smoke else (SAMPLES, options.rounds)
    made: dict[str, Any] = {"machine": machine.facts(), "rounds": rounds, "loop": {}}
    print(tables.facts(made["machine"]) + "\n")
    print(f"ns of CPU per item and generation\n{'components':>10} {'C':>7} {'user':>7} {'by CPU':>7}  bar")
    for components in COMPONENTS:
        row = made["loop"][components] = measure(components, samples, rounds)
        verdict = "" if options.smoke else f"{BAR:.0f} " + ("met" if row["by_cpu"] <= BAR else "MISSED")
        print(
            f"{components:10} {row['c']:7.1f} {row['user']:7.1f} {row['by_cpu']:7.2f}  {verdict}", flush=True
        )
    print(NOTES)
    if options.json is not None:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

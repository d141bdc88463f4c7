# SPDX-License-Identifier: MIT
"""What users write beside what is built in: a normal family, estimators. Run by `python -m bench.user`."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import tailbiter as tb
from bench import machine
from bench import report as tables
from bench.timing import Ratio, clock, take_turns
from tailbiter.families import family_of
from tailbiter.jit import Family, draws
from tailbiter.record import Record
from tailbiter.simulate import run_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BAR, RULE_BAR = 5.0, 3.0
CATEGORIES = 100_000
LENGTHS = (50, 200, 1000)
GENERATIONS = 20
SAMPLES = 100_000
COMPONENTS = (1, 2, 5, 10)
NOTES = """\
Recursive loops in one dimension (draw, fit by EM from the last model, record), one thread, rounds that take
turns in this one process; compiled before. by CPU: ratio of processor times; the verdict goes by it.
Estimators: Zipf 1, as many items as categories; least processor time of the rounds, but for generation 1."""


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


def add_one(weights, ranks, others, other, generation):
    """As `AddK(1)`."""
    weights += 1.0
    return 1.0


def add_little(weights, ranks, others, other, generation):
    """As `AddK(0.01)`."""
    weights += 0.01
    return 0.01


def good_turing(weights, ranks, others, other, generation):
    """Without smoothing, as a user would write it."""
    often = np.zeros(int(weights.max()) + 2)
    for count in weights:
        often[int(count)] += 1.0
    total, unseen, taken = weights.sum(), others + often[0], 0.0
    for i in range(len(weights)):
        count = int(weights[i])
        if count > 0 and often[count + 1] > 0:
            weights[i] = (count + 1) * often[count + 1] / often[count]
        taken += weights[i]
    once = min(often[1], total - 1.0) if unseen > 0 else 0.0
    rest = once / unseen if unseen > 0 else 0.0
    for i in range(len(weights)):
        weights[i] = weights[i] * (total - once) / taken if weights[i] > 0 else rest
    return rest


def add_by_rank(weights, ranks, others, other, generation):
    """Beside the count, a weight hangs a little on the category."""
    for i in range(len(weights)):
        weights[i] += 1.0 + 1e-6 * ranks[i]
    return 1.0


RULES: dict[str, tuple[Any, Any]] = {
    "add-k, k = 1": (tb.AddK(1), add_one),
    "add-k, k = .01": (tb.AddK(0.01), add_little),
    "Good-Turing, raw": (tb.GoodTuring("none"), good_turing),
    "add-one by rank": (tb.AddK(1), add_by_rank),
}


def lineage(estimator: Any, categories: int, generations: int) -> Callable[[int], None]:
    """Return a function that runs a lineage, without a Dataset."""
    shape: dict[str, Any] = {"samples": categories, "generations": generations, "replicates": 1}
    family = family_of(tb.Zipf(categories))
    spec = tb.Spec(reference=tb.Zipf(categories), estimator=estimator, **shape)
    engine = family.engine(family.lower(spec, Record(generations=[generations], variables=["survivors"])))
    return lambda _: run_blocks(engine, engine.outputs(1), 1, 1, family.control())


def measure_rule(name: str, categories: int, generations: int, rounds: int) -> dict[str, float]:
    """Time a built-in estimator and one that a user wrote, but for generation 1, by turns."""
    built_in, rule = RULES[name]
    sides = (built_in, tb.UserEstimator(rule))
    calls = [lineage(by, categories, length) for by in sides for length in (generations, 1)]
    for call in calls:
        call(0)
    turns = [[clock(call, 0).cpu for call in calls] for _ in range(rounds)]
    least = [1e6 * min(times) / (generations - 1) for times in zip(*turns, strict=True)]
    ours, users = least[0] - least[1], least[2] - least[3]
    return {"built_in": ours, "user": users, "by_cpu": users / ours}


def compare_rules(rounds: int, *, smoke: bool) -> dict[str, dict[str, float]]:
    """Print and return the table of estimators."""
    made = {}
    print("\nus of CPU per generation")
    print(f"{'estimator':>17} {'T':>5} {'built-in':>8} {'user':>7} {'by CPU':>7}  bar")
    for name in RULES:
        for length in (20,) if smoke else LENGTHS:
            row = measure_rule(name, 2_000 if smoke else CATEGORIES, length, rounds)
            made[f"{name}, T = {length}"] = row
            verdict = "" if smoke else f"{RULE_BAR:.0f} " + ("met" if row["by_cpu"] <= RULE_BAR else "MISSED")
            numbers = f"{row['built_in']:8.1f} {row['user']:7.1f} {row['by_cpu']:7.2f}"
            print(f"{name:>17} {length:5} {numbers}  {verdict}", flush=True)
    return made


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
    made["rules"] = compare_rules(rounds, smoke=options.smoke)
    print(NOTES)
    if options.json is not None:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: MIT
"""Levers beside plain replacement at the same survivors. Run by `python -m bench.levers`."""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import tailbiter as tb
from bench import machine
from bench.timing import clock
from tailbiter.families import family_of
from tailbiter.record import Record
from tailbiter.simulate import run_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

BAR, LARGE_BAR = 3.0, 4.0
CATEGORIES, GENERATIONS, REPLICATES = 100_000, 1_000, 4
LARGE_CATEGORIES, LARGE_GENERATIONS = 10**7, 5
NOTES = """\
Least processor time of the rounds, which take turns in this one process, but for generation 1 and tables of
the reference. ratio: beside plain replacement at as many survivors, timed in spans of generations."""


def levers(categories: int) -> dict[str, dict[str, Any]]:
    """Return every built-in lever, each alone; rewards and cuts so mild that lineages live on."""
    reward = np.random.default_rng(0).permutation(np.linspace(0, 1, categories)).round(2)
    good = np.where(reward > 0.5, 1.0, 0.0)
    return {
        "error rate": {"error_rate": 1e-4},
        "add-k, k = 1e-3": {"estimator": tb.AddK(1e-3)},
        "add-k, k = 1": {"estimator": tb.AddK(1)},
        "James-Stein": {"estimator": tb.Shrinkage()},
        "shrinkage to the last": {"estimator": tb.Shrinkage(target="previous")},
        "discount": {"estimator": tb.Discount()},
        "Good-Turing": {"estimator": tb.GoodTuring()},
        "Good-Turing, raw": {"estimator": tb.GoodTuring("none")},
        "temperature .9995": {"decoding": tb.Decoding(temperature=0.9995)},
        "temperature 1.0005": {"decoding": tb.Decoding(temperature=1.0005)},
        "top-k": {"decoding": tb.Decoding(top_k=categories // 5)},
        "top-p": {"decoding": tb.Decoding(top_p=0.99999)},
        "min-p": {"decoding": tb.Decoding(min_p=1e-6)},
        "epsilon": {"decoding": tb.Decoding(epsilon=1e-6)},
        "Choice, k = 2": {"curation": tb.Choice(k=2, reward=(1e-3 * good).tolist())},
        "Choice, k = inf": {"curation": tb.Choice(k=float("inf"), reward=(1e-3 * reward).tolist())},
        "BestOf": {"curation": tb.BestOf(k=2, reward=np.where(reward > 0.998, 1.0, 0.0).tolist())},
        "Verifier": {"curation": tb.Verifier(accepts_good=1, accepts_bad=0.999, reward=good.tolist())},
        "TopShare": {"curation": tb.TopShare(share=0.9999, reward=reward.tolist())},
    }


class Run:
    """A Spec whose loop is timed, without a Dataset."""

    def __init__(
        self, categories: int, generations: int, replicates: int, fields: Mapping[str, Any], at: Sequence[int]
    ) -> None:
        shape: dict[str, Any] = {"samples": categories, "generations": generations, "replicates": replicates}
        spec = tb.Spec(reference=tb.Zipf(categories), seed=1, **shape, **fields)
        self.family, self.replicates, self.seconds = family_of(spec.reference), replicates, np.inf
        record = Record(generations=tuple(at), variables=("survivors",))
        self.engine: Any = self.family.engine(self.family.lower(spec, record))

    def loop(self) -> npt.NDArray[np.float64]:
        """Run; return the mean survivors of each record."""
        out = self.engine.outputs(self.replicates)
        run_blocks(self.engine, out, self.replicates, 1, self.family.control())
        return np.asarray(out["survivors"].mean(axis=0))

    def time(self) -> None:
        """Run once more, and keep the least time of a replicate."""
        self.seconds = min(self.seconds, clock(lambda _: self.loop(), 0).cpu / self.replicates)


def spans(generations: int) -> list[int]:
    """Return generations, about three for every factor of ten; the first few are one span, too short each."""
    return sorted({1, *np.geomspace(5, generations, 8).round().astype(int).tolist()})


def compare(categories: int, generations: int, replicates: int, rounds: int) -> dict[str, dict[str, float]]:
    """Time plain runs of growing length and every lever, by turns."""
    ends, table = spans(generations), levers(categories)
    plain = [Run(categories, end, replicates, {}, [end]) for end in ends]
    bent = {
        name: Run(categories, generations, replicates, fields, [generations])
        for name, fields in table.items()
    }
    first = {name: Run(categories, 1, replicates, fields, [1]) for name, fields in table.items()}
    for _ in range(rounds):
        for run in (*plain, *bent.values(), *first.values()):
            run.time()
    every = range(1, generations)
    alive = {
        name: Run(categories, generations, replicates, fields, every).loop() for name, fields in table.items()
    }
    cost = plain_cost(Run(categories, generations, replicates, {}, every).loop(), ends, plain)
    return {
        name: row(bent[name].seconds - first[name].seconds, alive[name], cost, generations) for name in table
    }


def plain_cost(
    alive: npt.NDArray[np.float64], ends: Sequence[int], runs: Sequence[Run]
) -> Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """Return seconds of a generation of plain replacement by its survivors, between those that were timed."""
    sizes = [alive[a - 1 : b - 1].mean() for a, b in pairwise(ends)]
    each = [
        (later.seconds - sooner.seconds) / (b - a)
        for (sooner, later), (a, b) in zip(pairwise(runs), pairwise(ends), strict=True)
    ]
    x, y = np.log(sizes[::-1]), np.log(np.maximum(each[::-1], 1e-7))

    def cost(survivors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        within = np.exp(np.interp(np.log(np.maximum(survivors, 1)), x, y))
        return within * np.maximum(survivors / max(sizes), 1)

    return cost


def row(
    seconds: float,
    alive: npt.NDArray[np.float64],
    cost: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    generations: int,
) -> dict[str, float]:
    """Return one line of the table."""
    return {
        "survivors": float(alive.mean()),
        "ns": 1e9 * seconds / float(alive.sum()),
        "us": 1e6 * seconds / (generations - 1),
        "ratio": seconds / float(cost(alive).sum()),
    }


def compare_large(categories: int, generations: int, rounds: int) -> dict[str, dict[str, float]]:
    """Time and memory of smoothing estimators beside MLE, with as many items as categories."""
    chosen: dict[str, dict[str, Any]] = {
        "MLE": {},
        "add-k, k = 1": {"estimator": tb.AddK(1)},
        "Good-Turing": {"estimator": tb.GoodTuring()},
    }
    out: dict[str, dict[str, float]] = {}
    for name, fields in chosen.items():
        run = Run(categories, generations, 1, fields, [generations])
        for _ in range(rounds):
            run.time()
        out[name] = {"seconds": run.seconds, "bytes": float(run.engine.shared_bytes + run.engine.state_bytes)}
    for made in out.values():
        made["time"] = made["seconds"] / out["MLE"]["seconds"]
        made["memory"] = made["bytes"] / out["MLE"]["bytes"]
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.levers", description="Levers beside plain sampling."
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    options = parser.parse_args(arguments)
    sizes = (2_000, 30, 2, 1) if options.smoke else (CATEGORIES, GENERATIONS, REPLICATES, options.rounds)
    table = compare(*sizes)
    print(f"{'lever':>22} {'survivors':>9} {'ns/survivor':>11} {'us/gen':>8} {'ratio':>6}  bar")
    for name, made in table.items():
        verdict = "" if options.smoke else f"{BAR:.0f} " + ("met" if made["ratio"] <= BAR else "MISSED")
        numbers = f"{made['survivors']:9.0f} {made['ns']:11.2f} {made['us']:8.1f} {made['ratio']:6.2f}"
        print(f"{name:>22} {numbers}  {verdict}", flush=True)
    large_sizes = (20_000, 3, 1) if options.smoke else (LARGE_CATEGORIES, LARGE_GENERATIONS, 2)
    large = compare_large(*large_sizes)
    print(f"\nK = N = {large_sizes[0]:,}, T = {large_sizes[1]}")
    print(f"{'estimator':>22} {'s':>8} {'time':>6} {'memory':>6}  bar")
    for name, made in large.items():
        met = max(made["time"], made["memory"]) <= LARGE_BAR
        verdict = "" if options.smoke else f"{LARGE_BAR:.0f} " + ("met" if met else "MISSED")
        print(f"{name:>22} {made['seconds']:8.2f} {made['time']:6.2f} {made['memory']:6.2f}  {verdict}")
    print(NOTES)
    if options.json is not None:
        made_of = {"machine": machine.facts(), "levers": table, "large": large}
        options.json.write_text(json.dumps(made_of, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: MIT
"""Levers beside plain replacement at the same survivors. Run by `python -m bench.levers`."""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import tailbiter as tb
from bench import machine
from bench.timing import clock
from tailbiter.families import family_of
from tailbiter.record import Record
from tailbiter.simulate import run_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

BAR, LARGE_BAR = 3.0, 4.0
CATEGORIES, GENERATIONS, REPLICATES = 100_000, 1_000, 16
SPAN_ROUNDS = 8
LARGE_CATEGORIES, LARGE_GENERATIONS = 10**7, 5
NOTES = """\
Medians of processor time over rounds that take turns in this one process, without generation 1 and tables
of the reference. ratio: beside plain replacement at as many survivors, timed in spans of generations. The
line in parentheses is no lever: fixed human data, beside which crawls are to be read."""


def levers(categories: int) -> dict[str, dict[str, Any]]:
    """Return every built-in lever, each alone; rewards and cuts so mild that lineages live on."""
    reward = np.random.default_rng(0).permutation(np.linspace(0, 1, categories)).round(2)
    good = np.where(reward > 0.5, 1.0, 0.0)
    return {
        "error rate": {"error_rate": 1e-4},
        **{f"add-k, k = {k:g}": {"estimator": tb.AddK(k)} for k in (1e-3, 0.02, 0.1, 0.3, 1)},
        "James-Stein": {"estimator": tb.Shrinkage()},
        "shrinkage by 0.1": {"estimator": tb.Shrinkage(0.1)},
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
        **crawls(),
    }


def crawls() -> dict[str, dict[str, Any]]:
    """Return a tenth of human data: a fixed number of items, then out of crawls."""
    crawl, falling = tb.Crawl(real=0.1), (0.4, 0.3, 0.2, 0.1)
    by_band = {"regime": crawl, "bands": (1, 10, 100)}
    return {
        "(anchored, a tenth)": {"regime": tb.Anchored(real=0.1)},
        "crawl, a tenth": {"regime": crawl},
        "and a detector": {"regime": crawl, "detector": tb.Detector(tpr=0.2, fpr=0.2)},
        "fpr by band": {**by_band, "detector": tb.Detector(tpr=0.2, fpr=falling)},
        "tpr by band": {**by_band, "detector": tb.Detector(tpr=falling, fpr=0.2)},
    }


class Run:
    """A Spec whose loop is timed, without a Dataset."""

    def __init__(
        self,
        reference: tb.Zipf | tb.Uniform,
        generations: int,
        replicates: int,
        fields: Mapping[str, Any],
        at: Sequence[int],
    ) -> None:
        shape: dict[str, Any] = {
            "samples": reference.categories,
            "generations": generations,
            "replicates": replicates,
        }
        spec = tb.Spec(reference=reference, seed=1, **shape, **fields)
        self.family, self.generations, self.replicates = family_of(spec.reference), generations, replicates
        self.seconds: list[float] = []  # of a replicate, round by round
        record = Record(generations=tuple(at), variables=("survivors",))
        self.engine: Any = self.family.engine(self.family.lower(spec, record))

    def loop(self) -> npt.NDArray[np.float64]:
        """Run; return the mean survivors of each record."""
        out = self.engine.outputs(self.replicates)
        run_blocks(self.engine, out, self.replicates, 1, self.family.control())
        return np.asarray(out["survivors"].mean(axis=0))

    def time(self) -> None:
        """Run once more."""
        self.seconds.append(clock(lambda _: self.loop(), 0).cpu / self.replicates)

    def beyond(self, sooner: Run) -> float:
        """Return the seconds of a replicate by which this run is longer: the median over rounds.

        A short span is little beside what both begin with, and the difference of two least times is mostly
        noise; that of calls next to each other is not, and its median settles.
        """
        return median(a - b for a, b in zip(self.seconds, sooner.seconds, strict=True))


class Plain:
    """What plain replacement takes by its survivors.

    Zipf's law keeps a quarter of the categories in generation 1; spans with more are those of the even law.
    """

    def __init__(self, categories: int, generations: int, replicates: int) -> None:
        references = (tb.Uniform(categories), tb.Zipf(categories))
        self.spans: list[tuple[Run, Run]] = []
        self.sizes: list[float] = []
        alive = [Run(ref, generations, replicates, {}, range(1, generations)).loop() for ref in references]
        largest = alive[1][0]
        for reference, survivors in zip(references, alive, strict=True):
            for begin, end in pairwise(ends(generations)):
                size = float(survivors[begin - 1 : end - 1].mean())
                if reference is references[0] and size <= largest:
                    continue
                self.spans.append((plain(reference, begin, replicates), plain(reference, end, replicates)))
                self.sizes.append(size)

    def time(self) -> None:
        """Run every span's beginning and end, one right after the other."""
        for sooner, later in self.spans:
            sooner.time()
            later.time()

    def seconds(self, survivors: npt.NDArray[np.float64]) -> float:
        """Return the seconds of generations with so many survivors, between the spans that were timed."""
        each = [
            later.beyond(sooner) / (later.generations - sooner.generations) for sooner, later in self.spans
        ]
        order = np.argsort(self.sizes)
        return float(np.interp(survivors, np.array(self.sizes)[order], np.array(each)[order]).sum())


def ends(generations: int) -> list[int]:
    """Return where spans end, about three for every factor of ten."""
    return sorted({1, 3, *np.geomspace(5, generations, 8).round().astype(int).tolist()})


def plain(reference: tb.Zipf | tb.Uniform, generations: int, replicates: int) -> Run:
    """Return a run of plain replacement."""
    return Run(reference, generations, replicates, {}, [generations])


def compare(
    categories: int, generations: int, replicates: int, rounds: int, span_rounds: int
) -> dict[str, dict[str, float]]:
    """Time every lever, and plain replacement so many times in every round."""
    table, zipf = levers(categories), tb.Zipf(categories)
    by_survivors = Plain(categories, generations, replicates)
    bent = {
        name: (
            Run(zipf, 1, replicates, fields, [1]),
            Run(zipf, generations, replicates, fields, [generations]),
        )
        for name, fields in table.items()
    }
    for _ in range(rounds):
        for first, whole in bent.values():
            first.time()
            whole.time()
        for _ in range(span_rounds):
            by_survivors.time()
    every = range(1, generations)
    made = {}
    for name, (first, whole) in bent.items():
        alive = Run(zipf, generations, replicates, table[name], every).loop()
        made[name] = row(whole.beyond(first), alive, by_survivors.seconds(alive))
    return made


def row(seconds: float, alive: npt.NDArray[np.float64], beside: float) -> dict[str, float]:
    """Return one line of the table."""
    return {
        "survivors": float(alive.mean()),
        "ns": 1e9 * seconds / float(alive.sum()),
        "us": 1e6 * seconds / len(alive),
        "ratio": seconds / beside,
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
        run = Run(tb.Zipf(categories), generations, 1, fields, [generations])
        for _ in range(rounds):
            run.time()
        out[name] = {
            "seconds": min(run.seconds),
            "bytes": float(run.engine.shared_bytes + run.engine.state_bytes),
        }
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
    whole = (CATEGORIES, GENERATIONS, REPLICATES, options.rounds, SPAN_ROUNDS)
    table = compare(*((2_000, 30, 2, 1, 1) if options.smoke else whole))
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

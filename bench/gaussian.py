# SPDX-License-Identifier: MIT
"""Gaussians beside numpy's sample and fit, generation after generation. Run by `python -m bench.gaussian`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import tailbiter as tb
from bench import machine
from bench import report as tables
from bench.timing import Ratio, take_turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.timing import Sample

    Floats = NDArray[np.float64]

ERRORS = 6.0  # standard errors within which both sides must lie of theory: 2e-9 if they are right
NOTES = """\
Medians of rounds that take turns in this one process, one thread (BLAS too). Time of a generation of one
lineage: a batch drawn, mean and Cholesky factor of the covariance (divisor n) fitted and recorded. Theirs
draws by numpy, in one call a generation; ours runs many lineages, as any run does. by CPU: ratio of processor
times, for a machine that does other work; the verdict goes by it."""


@dataclass(frozen=True)
class Case:
    """A standard normal law, and how long each side runs."""

    dimension: int
    samples: int
    bar: float
    replicates: int
    generations: int
    theirs: int  # generations of the other side's one lineage

    @property
    def title(self) -> str:
        """Words for the table."""
        return f"d={self.dimension}, n={self.samples:,}"

    def tiny(self) -> Case:
        """Return the same for a look, in milliseconds."""
        return replace(self, replicates=8, generations=20, theirs=2)


CASES = (
    Case(1, 10**3, 500, 256, 2000, 2000),
    Case(1, 10**6, 1e5, 256, 2000, 4),
    Case(10, 10**3, 300, 64, 500, 500),
)


def our_loop(case: Case, engine: Any, outputs: dict[str, Any], _turn: int) -> None:
    """Run all lineages."""
    from tailbiter._core import Control

    engine.run(0, case.replicates, outputs, Control())


def prepared(case: Case, seed: int = 1851) -> tuple[Any, dict[str, Any]]:
    """Return an engine that records mean and factor of every generation, and its outputs."""
    from tailbiter.families import family_of

    spec = tb.Spec(
        reference=tb.Gaussian(dimensions=case.dimension),
        samples=case.samples,
        generations=case.generations,
        replicates=case.replicates,
        seed=seed,
    )
    record = tb.Record(generations="all", variables=("mean", "factor", "exponent"))
    family = family_of(spec.reference)
    engine = family.engine(family.lower(spec, record))
    return engine, engine.outputs(case.replicates)


def their_loop(case: Case, seed: int) -> tuple[Floats, Floats]:
    """Sample and fit by numpy; return means and factors of every generation."""
    rng, d = np.random.default_rng(seed), case.dimension
    means, factors = np.zeros((case.theirs + 1, d)), np.zeros((case.theirs + 1, d, d))
    factors[0] = np.eye(d)
    for t in range(case.theirs):
        if d == 1:
            batch = rng.normal(means[t, 0], factors[t, 0, 0], case.samples)
            means[t + 1], factors[t + 1] = batch.mean(), batch.std()
        else:
            batch = means[t] + rng.standard_normal((case.samples, d)) @ factors[t].T
            means[t + 1] = batch.mean(axis=0)
            centred = batch - means[t + 1]
            factors[t + 1] = np.linalg.cholesky(centred.T @ centred / case.samples)
    return means, factors


def agree(case: Case, samples: int = 20, lineages: int = 800) -> None:
    """Refuse to time sides whose log-determinants, in the mean, are not those of theory."""
    from tailbiter.theory import gaussian

    case = replace(case, samples=samples, replicates=lineages, generations=5, theirs=5)
    engine, outputs = prepared(case)
    our_loop(case, engine, outputs, 0)
    corners = np.cumsum(np.arange(1, case.dimension + 1)) - 1
    ours = 2 * np.log(outputs["factor"][:, 5, corners]).sum(axis=1)
    theirs = np.array([2 * np.log(np.diag(their_loop(case, seed)[1][5])).sum() for seed in range(lineages)])
    known = gaussian.log_det([case.samples] * 5, 0, [5], dimensions=case.dimension)
    se = float(np.sqrt(known.variance[0] / lineages))
    for name, values in (("tailbiter", ours), ("numpy", theirs)):
        if not abs(values.mean() - known.values[0]) < ERRORS * se:
            raise SystemExit(f"error: {case.title}: {name} leaves {values.mean()}, not {known.values[0]}")


def timed(case: Case, rounds: int) -> tuple[list[Sample], list[Sample]]:
    """Return times of a lineage's generation, ours and theirs, of neighbouring calls."""
    engine, outputs = prepared(case)
    ours = partial(our_loop, case, engine, outputs)
    ours(0)  # touches the outputs
    pairs = take_turns(ours, {"numpy": partial(their_loop, case)}, rounds)["numpy"]
    mine = [own.per(case.replicates * case.generations) for own, _ in pairs]
    return mine, [other.per(case.theirs) for _, other in pairs]


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """Time a lineage's generation of both sides."""
    mine, yours = timed(case, rounds)
    wall = Ratio.of([one.wall for one in yours], [one.wall for one in mine])
    return asdict(wall) | {
        "ours_ns": 1e9 * median(one.cpu for one in mine),
        "theirs_us": 1e6 * median(one.cpu for one in yours),
        "by_cpu": median(b.cpu / a.cpu for a, b in zip(mine, yours, strict=True)),
        "bar": case.bar,
    }


def report(cases: Sequence[Case], rounds: int, judged: bool) -> dict[str, Any]:
    """Check, measure and print all cases; tiny ones are not judged."""
    from threadpoolctl import threadpool_limits

    facts = machine.facts()
    print(tables.facts(facts) + "\n")
    print(f"{'':16} {'ours, ns':>9} {'numpy, us':>10} {'ratio':>9} (least..most) {'by CPU':>9}  bar")
    made: dict[str, Any] = {"machine": facts, "rounds": rounds, "cases": {}}
    with threadpool_limits(1):
        for case in cases:
            agree(case)
            row = made["cases"][case.title] = measure(case, rounds)
            verdict = f"{case.bar:g} " + ("met" if row["by_cpu"] >= case.bar else "MISSED") if judged else ""
            print(
                f"{case.title:16} {row['ours_ns']:9.1f} {row['theirs_us']:10.1f} {row['median']:9.0f} "
                f"({row['least']:.0f}..{row['greatest']:.0f}) {row['by_cpu']:9.0f}  {verdict}",
                flush=True,
            )
    print(NOTES)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.gaussian", description="Gaussians beside numpy.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: seconds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    options = parser.parse_args(arguments)
    cases = tuple(case.tiny() for case in CASES) if options.smoke else CASES
    made = report(cases, 1 if options.smoke else options.rounds, not options.smoke)
    if options.json is not None:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

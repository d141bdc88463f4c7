# SPDX-License-Identifier: MIT
"""EM beside scikit-learn: iterations, and whole recursive loops. Run by `python -m bench.mixture`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import machine
from bench import report as tables
from bench.timing import Ratio, clock, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from sklearn.mixture import GaussianMixture

    from bench.timing import Sample

    Law = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

NAMES = {"full": "full", "diagonal": "diag"}
SHORT, LONG = 2, 12  # iterations of two fits, whose difference is that of pure iterations
BARS = {"avx512": 40.0, "avx2": 25.0}
LOOP_BAR = 25.0
NOTES = """\
Medians of rounds that take turns in this one process, one thread (BLAS too). Iteration: the time of a fit of
12 iterations less that of a fit of 2, a tenth of it, per sample and component; same items, same start, and
both sides end at the same means. Loop: draw a batch from the last model, fit (warm start, tolerance 1e-3),
record; theirs draws by numpy, component by component. by CPU: ratio of processor times, for a machine that
does other work; the verdict goes by it. Bars are for the type that scikit-learn takes by default, full."""


@dataclass(frozen=True)
class Case:
    """A mixture of normal laws, three deviations apart along the first coordinate."""

    dimension: int
    components: int
    covariance: str
    samples: int = 100_000
    generations: int = 5

    @property
    def title(self) -> str:
        """Words for the table."""
        return f"{self.covariance}, d={self.dimension}, K={self.components}, n={self.samples:,}"

    def tiny(self) -> Case:
        """Return the same for a look, in milliseconds."""
        return replace(self, samples=2000, generations=2)

    def law(self) -> Law:
        """Return weights, means and factors."""
        d, k = self.dimension, self.components
        means = np.zeros((k, d))
        means[:, 0] = 3.0 * np.arange(k)
        one = np.ones(d) if self.covariance == "diagonal" else np.eye(d)[np.tril_indices(d)]
        return np.full(k, 1.0 / k), means, np.tile(one, (k, 1))


CASES = tuple(Case(d, k, name) for name in NAMES for d in (1, 2) for k in (2, 5, 10))


def draw(model: GaussianMixture, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a batch from a fitted model, as fast as numpy draws one."""
    counts = rng.multinomial(count, model.weights_ / model.weights_.sum())
    parts = []
    for size, mean, sigma in zip(counts, model.means_, model.covariances_, strict=True):
        z = rng.standard_normal((size, len(mean)))
        diagonal = model.covariance_type == "diag"
        parts.append(mean + (z * np.sqrt(sigma) if diagonal else z @ np.linalg.cholesky(sigma).T))
    return np.concatenate(parts)


def theirs(case: Case, start: Any, iterations: int, tolerance: float) -> GaussianMixture:
    """Return scikit-learn's model, to be fitted from a law or from a model."""
    from sklearn.mixture import GaussianMixture

    d, k = case.dimension, case.components
    if isinstance(start, GaussianMixture):
        weights, means, precisions = start.weights_, start.means_, start.precisions_
    else:
        weights, means = start[:2]
        precisions = np.ones((k, d)) if case.covariance == "diagonal" else np.tile(np.eye(d), (k, 1, 1))
    return GaussianMixture(
        k,
        covariance_type=NAMES[case.covariance],
        max_iter=iterations,
        tol=tolerance,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    )


def their_loop(case: Case, seed: int) -> list[int]:
    """Run the recursive loop; return the iterations of each generation."""
    rng = np.random.default_rng(seed)
    means, counts = np.empty((case.generations, case.components, case.dimension)), []
    model = None
    for t in range(case.generations):
        batch = _items(case, seed) if model is None else draw(model, case.samples, rng)
        model = theirs(case, model or case.law(), 100, 1e-3).fit(batch)
        means[t] = model.means_
        counts.append(model.n_iter_)
    return counts


def our_loop(case: Case, seed: int) -> list[int]:
    """Run the same, by the engine."""
    from tailbiter._core import mixture
    from tailbiter._core.common import Control

    size = case.generations + 1
    weights, means, factors = case.law()
    program = SimpleNamespace(
        key=seed,
        samples=np.full(size, case.samples, np.uint64),
        fresh=np.zeros(size, np.uint64),
        from_kept=np.zeros(size, np.uint64),
        kept=0,
        item_weights=None,
        ages=np.ones(1, np.uint64),
        draw=None,
        at=np.arange(size, dtype=np.uint32),
        variables=("weights", "means", "factors", "iterations"),
        weights=weights,
        means=means,
        factors=factors,
        covariance=case.covariance,
        start="warm",
        floor=1e-6,
        tolerance=1e-3,
        iterations=100,
        memory=0,
    )
    engine = mixture.Engine(program)
    out = engine.outputs(1)
    engine.run(0, 1, out, Control())
    return out["iterations"][0, 1:].tolist()


def _items(case: Case, seed: int) -> NDArray[np.float64]:
    """Return items in no order: what is drawn component by component would be too kind to a branch."""
    rng = np.random.default_rng(seed)
    _, means, _ = case.law()
    return means[rng.integers(case.components, size=case.samples)] + rng.normal(
        size=(case.samples, case.dimension)
    )


def agree(case: Case) -> NDArray[np.float64]:
    """Return items to fit; refuse to time sides whose fits from one start end at different means."""
    from tailbiter._core import em

    items, law = _items(case, 1), case.law()
    found = em.Fitter(items).fit(law, case.covariance, tolerance=0.0, iterations=LONG)
    other = theirs(case, law, LONG, 0.0).fit(items)
    apart = float(np.abs(found["means"] - other.means_).max())
    if not apart < 1e-8:
        raise SystemExit(f"error: {case.title}: means differ by {apart}")
    return items


def iterations(case: Case, rounds: int) -> dict[str, Any]:
    """Time an iteration of both sides on the same items."""
    from tailbiter._core import em

    items = agree(case)
    fitter = em.Fitter(items)
    scale = 1e9 / ((LONG - SHORT) * case.samples * case.components)
    mine, yours = [], []
    for _ in range(rounds):
        for side, fit in ((mine, _our_fit), (yours, _their_fit)):
            long, short = (clock(partial(fit, case, fitter, items), count) for count in (LONG, SHORT))
            side.append(((long.wall - short.wall) * scale, (long.cpu - short.cpu) * scale))
    return _row(mine, yours, BARS)


def _our_fit(case: Case, fitter: Any, _items: object, count: int) -> None:
    fitter.fit(case.law(), case.covariance, tolerance=0.0, iterations=count)


def _their_fit(case: Case, _fitter: object, items: NDArray[np.float64], count: int) -> None:
    theirs(case, case.law(), count, 0.0).fit(items)


def timed_loops(case: Case, rounds: int) -> tuple[list[Sample], list[Sample]]:
    """Return times of a generation, ours and theirs, of neighbouring calls."""
    pairs = take_turns(partial(our_loop, case), {"theirs": partial(their_loop, case)}, rounds)["theirs"]
    mine = [own.per(case.generations) for own, _ in pairs]
    return mine, [other.per(case.generations) for _, other in pairs]


def loops(case: Case, rounds: int) -> dict[str, Any]:
    """Time a generation of both sides."""
    mine, yours = ([(1e6 * one.wall, 1e6 * one.cpu) for one in side] for side in timed_loops(case, rounds))
    return _row(mine, yours, dict.fromkeys(BARS, LOOP_BAR)) | {
        "iterations": [our_loop(case, 0), their_loop(case, 0)]
    }


def _row(mine: list[Any], yours: list[Any], bars: dict[str, float]) -> dict[str, Any]:
    wall = Ratio.of([w for w, _ in yours], [w for w, _ in mine])
    return asdict(wall) | {
        "ours": median(cpu for _, cpu in mine),
        "theirs": median(cpu for _, cpu in yours),
        "by_cpu": median(b / a for (_, a), (_, b) in zip(mine, yours, strict=True)),
        "bars": bars,
    }


def _line(title: str, row: dict[str, Any], isa: str) -> str:
    bar = row["bars"].get(isa)
    verdict = "" if bar is None else f"{bar:4.0f} " + ("met" if row["by_cpu"] >= bar else "MISSED")
    return (
        f"{title:34} {row['ours']:9.2f} {row['theirs']:9.1f} {row['median']:7.1f} "
        f"({row['least']:.1f}..{row['greatest']:.1f}) {row['by_cpu']:7.1f}  {verdict}"
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS and scikit-learn to one thread, and the latter's word on fits cut short to itself."""
    import sklearn.mixture  # noqa: F401  # its libraries first, so that their threads can be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*did not converge.*")
        yield


def report(cases: Sequence[Case], rounds: int, judged: bool) -> dict[str, Any]:
    """Measure and print all cases; tiny ones are not judged."""
    facts = machine.facts()
    isa = facts["isa"]["chosen"]
    head = f"{'':34} {'ours':>9} {'theirs':>9} {'ratio':>7} (least..most) {'by CPU':>7}  bar"
    made: dict[str, Any] = {"machine": facts, "rounds": rounds, "iteration": {}, "loop": {}}
    print(tables.facts(facts) + "\n")
    with one_thread():
        for name, measure, unit in (
            ("iteration", iterations, "ns of CPU per sample and component"),
            ("loop", loops, "us of CPU per generation"),
        ):
            print(f"{name}, {isa}: {unit}\n{head}")
            for case in cases:
                made[name][case.title] = measure(case, rounds)
                print(_line(case.title, made[name][case.title], isa if judged else ""), flush=True)
    print(NOTES)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.mixture", description="EM beside scikit-learn.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, one round: seconds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--isa", action="store_true", help="once for each instruction set of this machine")
    options = parser.parse_args(arguments)
    if options.isa:
        return _each_isa(options)
    cases = [case.tiny() for case in CASES] if options.smoke else CASES
    made = report(cases, 1 if options.smoke else options.rounds, not options.smoke)
    if options.json is not None:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


def _each_isa(options: argparse.Namespace) -> int:
    """Run again under each instruction set, in a process of its own: it is chosen at import."""
    from tailbiter import _core

    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for isa in _core.isa()["found"]:
            path = Path(folder, "report.json")
            command = [
                sys.executable,
                "-m",
                "bench.mixture",
                "--json",
                str(path),
                "--rounds",
                str(options.rounds),
            ]
            command += ["--smoke"] if options.smoke else []
            status = subprocess.run(command, env=os.environ | {"TAILBITER_ISA": isa}, check=False).returncode
            if status:
                return status
            made[isa] = json.loads(path.read_text(encoding="utf-8"))
    if options.json is not None:
        options.json.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

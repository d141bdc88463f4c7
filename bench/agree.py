# SPDX-License-Identifier: MIT
"""Do all sides simulate the same law? Small runs of each, against exact means and variances."""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from bench import expected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.series import Series, Side
    from bench.workloads import Workload

# Rate at which one call of `check_law` may refuse a side that is right, all its comparisons together.
FALSE_ALARM = 1e-9


class Disagreement(Exception):
    """A side's records have the wrong shape, break an invariant, or follow another law."""


def reach(law: expected.Law, replicates: int, comparisons: int) -> NDArray[np.float64]:
    """Largest deviation of a mean over replicates that is still chance.

    Bernstein's inequality, or the sub-Gaussian one where that is tighter. Both hold at every number
    of replicates: no normal approximation is leant on.
    """
    budget = log(2.0 * comparisons / FALSE_ALARM)
    slope = budget * law.span / (3.0 * replicates)
    bernstein = slope + np.sqrt(slope**2 + 2.0 * budget * law.variance / replicates)
    if law.proxy is None:
        return bernstein
    return np.minimum(bernstein, np.sqrt(2.0 * budget * law.proxy / replicates))


def check_structure(series: Series, workload: Workload, replicates: int) -> None:
    """Raise Disagreement unless the records obey what holds in every single lineage."""
    shape = (replicates, workload.generations + 1)
    alive, entropy, tail = (np.asarray(values) for values in series)
    q = workload.reference()
    start = (workload.categories, -(q * np.log(q)).sum(), q[workload.tail_start() :].sum())
    _require(alive.shape == entropy.shape == tail.shape == shape, f"records are not all {shape}")
    _require(np.issubdtype(alive.dtype, np.integer), f"survivors are {alive.dtype}, not integers")
    for values, value in zip(series, start, strict=True):
        _require(np.allclose(values[:, 0], value, rtol=1e-9), f"row 0 is not the reference's {value:.6g}")
    _require(bool(((alive >= 1) & (alive <= workload.categories)).all()), "survivors outside 1..K")
    _require(
        bool(((entropy >= -1e-9) & (entropy <= np.log(alive) + 1e-9)).all()), "entropy outside 0..ln(alive)"
    )
    _require(bool(((tail >= 0.0) & (tail <= 1.0)).all()), "tail mass outside 0..1")
    _require(
        bool(np.isclose(tail * workload.samples, np.rint(tail * workload.samples), atol=1e-6)[:, 1:].all()),
        "tail mass is not a whole number of items",
    )
    if not workload.human:
        _require(bool((np.diff(alive, axis=1) <= 0).all()), "the dead came back")


def check_law(series: Series, workload: Workload) -> None:
    """Raise Disagreement where a mean over replicates parts from its exact value.

    With 2000 replicates of K = 30, N = 60 this sees 0.5 survivors of 10, and 0.03 of tail mass.
    """
    tail = series.tail_mass
    checks = [
        ("tail mass", tail, expected.tail_mass(workload)),
        ("tail mass times the rest", tail * (1.0 - tail), expected.mixing(workload)),
    ]
    if workload.samples <= 1_000:
        checks.append(("survivors", series.survivors, expected.survivors(workload)))
    if workload.categories == 2:
        checks.append(("entropy", series.entropy, expected.entropy_of_two(workload)))
    replicates, comparisons = len(tail), len(checks) * workload.generations
    for name, values, law in checks:
        off = np.abs(values[:, 1:].mean(axis=0) - law.mean)
        worst = int((off - reach(law, replicates, comparisons)).argmax())
        _require(
            bool(off[worst] <= reach(law, replicates, comparisons)[worst]),
            f"mean {name} at generation {worst + 1} is off by {off[worst]:.3g} from {law.mean[worst]:.6g}, "
            f"{off[worst] / sqrt(law.variance[worst] / replicates + 1e-300):.1f} standard errors",
        )


def check_side(name: str, side: Side, workload: Workload, replicates: int, seed: int) -> None:
    """Run one side at a small size and raise Disagreement, naming it, where it is wrong."""
    series = side(workload, replicates, seed)
    try:
        check_structure(series, workload, replicates)
        check_law(series, workload)
    except Disagreement as error:
        raise Disagreement(f"{name} on {workload.name} (seed {seed}): {error}") from None


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Disagreement(otherwise)

# SPDX-License-Identifier: MIT
"""Rows of the table for other families of models: normal laws beside numpy, mixtures beside scikit-learn.

A time is that of a generation of one lineage: a batch drawn, a model fitted and recorded.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench import gaussian, mixture
from bench.timing import Ratio, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.timing import Sample

# Cases of scikit-learn's own default, full covariances, whose loops have a bar.
LOOPS = tuple(case for case in mixture.CASES if case.covariance == "full")


def normal_laws(rounds: int, tiny: bool) -> list[dict[str, Any]]:
    """Return a row for each Gaussian case, checked against theory first."""
    from threadpoolctl import threadpool_limits

    rows = []
    with threadpool_limits(1):
        for case in gaussian.CASES:
            gaussian.agree(case)
            mine, yours = gaussian.timed(case.tiny() if tiny else case, rounds)
            name = f"gaussian-d{case.dimension}-n{case.samples:.0e}".replace("e+0", "e")
            title = f"normal law, {case.title}: sample, mean and covariance, recorded"
            counts = (case.replicates, 1)
            rows.append(_row(name, title, "numpy", mine, yours, None if tiny else case.bar, counts))
    return rows


def mixtures(rounds: int, tiny: bool) -> list[dict[str, Any]]:
    """Return a row for each mixture of full covariances; both sides' fits are compared first."""
    rows = []
    with mixture.one_thread():
        for given in LOOPS:
            case = given.tiny() if tiny else given
            mixture.agree(case)
            mine, yours = mixture.timed_loops(case, rounds)
            name = f"em-d{case.dimension}-k{case.components}"
            title = f"mixture of normals by EM, {case.title}: sample, fit to 1e-3, record"
            bar = None if tiny else mixture.LOOP_BAR
            rows.append(_row(name, title, "sklearn", mine, yours, bar, (1, 1)))
    return rows


# Names on the command line, beside those of the workloads.
FAMILIES: dict[str, Callable[[int, bool], list[dict[str, Any]]]] = {
    "gaussian": normal_laws,
    "em": mixtures,
}


def _row(
    name: str,
    title: str,
    side: str,
    mine: Sequence[Sample],
    yours: Sequence[Sample],
    bar: float | None,
    replicates: tuple[int, int],
) -> dict[str, Any]:
    wall = Ratio.of([one.wall for one in yours], [one.wall for one in mine])
    cpu = Ratio.of([one.cpu for one in yours], [one.cpu for one in mine])
    bars = None if bar is None else {"avx512": bar, "avx2": bar}
    return {
        "name": name,
        "title": title,
        "judged": bar is not None,
        "sides": {"tailbiter": summary(mine, replicates[0]), side: summary(yours, replicates[1])},
        "ratios": {side: asdict(wall) | {"by_cpu": cpu.median, "bar": bars}},
    }

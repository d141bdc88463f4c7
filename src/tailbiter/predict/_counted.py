# SPDX-License-Identifier: MIT
"""Levers under which a category's count alone tells its next: mutation, crawls, errors and faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import xlogy

from tailbiter.errors import PredictionError
from tailbiter.theory import Predicted
from tailbiter.theory._counts import CountSums
from tailbiter.theory._result import Floats
from tailbiter.theory.mutation import Counts, Pull, first_counts

from ._known import SIMULATE, Known
from ._levers import even_shares, human_shares

if TYPE_CHECKING:
    from ._categorical import CategoricalCase

__all__ = ["counted"]

STATEMENT = "every count of a category followed, under a lever that leaves it a chain; exact at every size"
LARGEST = 2048
# Multiplications that following every count may take, and probabilities that are worked out: a second or two.
WORK, CHANCES = 4e9, 5e7


def counted(case: CategoricalCase, rows: Floats) -> tuple[Known, CountSums]:
    """Follow the count of a category of each distinct probability.

    Parameters
    ----------
    case : CategoricalCase
        Under levers that leave every count a chain.
    rows : float64[sums, Q]
        What one category counts in sums over those present.

    Returns
    -------
    presence, sums
        As `_presence.presence` and `_presence.count_sums` have them under no lever; the second hold where
        nothing goes wrong.

    Raises
    ------
    PredictionError
        Where there are too many.
    """
    _refuse_large(case)
    present, sums = np.empty((len(case.at), len(rows))), np.zeros((3, len(case.at)))
    q, even = case.mass, even_shares(case)
    present[case.at == 0] = rows @ case.copies
    sums[0, case.at == 0] = -float(case.copies @ xlogy(q, q))
    for t, law in _laws(case):
        if t not in case.at:
            continue
        present[case.at == t] = rows @ (case.copies * (1.0 - law[:, 0]))
        u, size = even[t - 1], law.shape[1] - 1
        p = (1.0 - u) * np.arange(size + 1) / size + u / case.program.categories
        entropy, share = law @ -xlogy(p, p), law @ p
        apart = np.sum(law * np.abs(p - q[:, None]), axis=1) / 2.0
        of_each = np.stack([entropy, apart, -entropy - xlogy(share, q)])
        sums[:, case.at == t] = (of_each @ case.copies)[:, None]
    return Known(Predicted(present, "exact", STATEMENT)), CountSums(
        *(Predicted(row, "exact", STATEMENT) for row in sums)
    )


def _refuse_large(case: CategoricalCase) -> None:
    last = max(int(case.at.max(initial=0)), 1)
    sizes = case.program.samples[:last].astype(np.float64)
    if sizes.max() > LARGEST:
        problem = f"are more than {LARGEST:,}, too many for following every count"
        raise PredictionError("samples", int(sizes.max()), problem, SIMULATE)
    crawled = case.program.levers.crawled
    steps = np.column_stack([sizes, np.zeros(last) if crawled is None else crawled[:last]])
    kinds = 1 if crawled is None else len(case.mass)
    chances = kinds * float(np.sum(np.unique(steps, axis=0)[:, 0] ** 2))
    if len(case.mass) * float(np.sum(sizes**2)) > WORK or chances > CHANCES:
        problem = f"distinct probabilities are too many for following every count over {last:,} generations"
        raise PredictionError("reference", len(case.mass), problem, SIMULATE)


def _laws(case: CategoricalCase) -> Iterator[tuple[int, Floats]]:
    """Laws of the counts, from generation 1 on."""
    first, copies = case.bent.first
    items, mass = int(case.program.samples[0]), (first / first.sum())[case.firsts]
    counts = Counts(first_counts(items, mass, copies=copies))
    yield 1, counts.law
    for t, pull in enumerate(_pulls(case), start=2):
        counts.step(pull)
        yield t, counts.law


def _pulls(case: CategoricalCase) -> Iterator[Pull]:
    """What a count of generations 2 and later follows."""
    made, bent, right = case.program, case.bent, 1.0 - case.spec.error_rate
    real, even, crawl = human_shares(case), even_shares(case), made.levers.crawled is not None
    kept = (bent.human * bent.kept[1])[case.firsts]
    kept = kept / max(float(kept @ case.copies), 1e-300)  # the law of human items that a detector keeps
    for t in range(2, max(int(case.at.max(initial=0)), 1) + 1):
        h, u, fresh = float(real[t - 1]) if crawl else 0.0, float(even[t - 2]), int(made.fresh[t - 1])
        base = (1.0 - h) * right * u / made.categories + h * kept
        slope = (1.0 - h) * right * (1.0 - u)
        yield Pull(int(made.samples[t - 1]) - fresh, fresh, base, slope, case.mass)

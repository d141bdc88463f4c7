# SPDX-License-Identifier: MIT
"""What is known of a run with samples without end: models bent once a generation, without chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tailbiter.errors import PredictionError
from tailbiter.estimator import MLE, Discount, GoodTuring, Shrinkage
from tailbiter.theory import Predicted
from tailbiter.theory._result import Floats
from tailbiter.theory.shaping import NEAR

from ._bent import Bent
from ._known import SIMULATE, Known
from ._measured import MEASURED, OF_PRESENCE, Models

if TYPE_CHECKING:
    from tailbiter.decoding import Decoding
    from tailbiter.spec import Spec

    from ._categorical import CategoricalCase

__all__ = ["without_end"]

STATEMENT = "samples without end, at a fixed generation: what chance does is left out"
# Categories times generations: some seconds.
WORK = 2e7
# Expected items of the rarest category in a batch, for every generation: with fewer, chance is not small.
LEAST = 100.0


def without_end(case: CategoricalCase) -> dict[str, Known]:
    """Return the variables wanted in the limit of many samples, what is present left out.

    Raises
    ------
    PredictionError
        For a regime or a lever without such a limit, and for samples too few to be near it.
    """
    names = [name for name in case.names if name in MEASURED and name not in OF_PRESENCE]
    last = max(int(case.at.max(initial=0)), 1)
    if case.program.categories * float(last) > WORK:
        problem = "are too many to follow the models of"
        raise PredictionError("generations", last, problem, SIMULATE)
    rarest = float(case.bent.reference.min()) * float(case.program.samples[:last].min())
    if math.log(rarest) < math.log(LEAST * last) + _growth(case.spec) * (last - 1):
        problem = f"expect {rarest:.3g} items of the rarest category, too few for {last:,} generations"
        raise PredictionError("samples", int(case.program.samples[:last].min()), problem, SIMULATE)
    recorded = set(case.at.tolist())
    rows: dict[str, list[Floats]] = {name: [] for name in names}
    for t, models in enumerate(_models(case, last)):
        if t in recorded:
            for name in names:
                rows[name].append(MEASURED[name](models)[0])
    return {name: Known(Predicted(np.array(row), "limit", STATEMENT)) for name, row in rows.items()}


def _growth(spec: Spec) -> float:
    """By how much a generation raises the log variance of what chance has done: temperatures below 1 do."""
    return -2.0 * min(0.0, math.log(spec.decoding.temperature))


def _refuse_ties(decoding: Decoding, models: Floats) -> None:
    """Refuse cuts among equal probabilities: of samples, however many, chance says which is larger."""
    if decoding.top_k is None and decoding.top_p == 1.0 and decoding.min_p < 1.0 and not decoding.epsilon:
        return
    ranked = np.sort(models[models > 0])
    ties = int(np.sum(np.diff(ranked) <= NEAR * ranked[1:]))
    if ties:
        problem = f"would cut among {ties:,} equal probabilities, which differ in every sample"
        raise PredictionError("decoding", decoding, problem, SIMULATE)


def _bent(case: CategoricalCase) -> Bent:
    """The levers; estimators whose change is less the more samples there are change nothing."""
    estimator = case.spec.estimator
    vanishes = isinstance(estimator, GoodTuring | Discount) or (
        isinstance(estimator, Shrinkage) and estimator.target == "uniform" and estimator.weight is None
    )
    return Bent(case.spec.replace(estimator=MLE()) if vanishes else case.spec, case.program, counted=False)


def _models(case: CategoricalCase, last: int) -> Iterator[Models]:
    """Models of generations 0 to the last."""
    program, bent = case.program, _bent(case)
    if program.draw is not None or program.item_weights is not None or program.ages.size > 1:
        raise PredictionError("regime", case.spec.regime, "has no limit worked out here", SIMULATE)
    q = bent.reference[None]
    yield Models(program, np.ones_like(q), q, np.zeros(1))
    first = bent.first[0][None]
    pool, total = first / first.sum(), float(program.samples[0])
    for t in range(1, last + 1):
        if t > 1:
            size = float(program.samples[t - 1])
            before = total if program.ages.size == 0 else 0.0
            batch = _batch(case, bent, pool * total, t)
            pool, total = (pool * before + batch * size) / (before + size), before + size
        p, wrong = bent.fitted(pool * total)
        _refuse_ties(case.spec.decoding, p)
        yield Models(program, np.ones_like(q), p, wrong)


def _batch(case: CategoricalCase, bent: Bent, before: Floats, t: int) -> Floats:
    """Shares in the batch of generation t."""
    program, crawled = case.program, case.spec.composition.crawled
    if crawled is not None:
        return bent.item(before, float(crawled[t - 1])).weights
    human = float(program.fresh[t - 1] + program.from_kept[t - 1]) / float(program.samples[t - 1])
    return human * bent.human + (1.0 - human) * bent.put_out(before)

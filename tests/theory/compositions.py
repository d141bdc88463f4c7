# SPDX-License-Identifier: MIT
"""From an oracle's plan to what the theory takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tailbiter._compose import Composition
from tests.oracles.plan import Plan

Words = np.ndarray


def composition(plan: Plan) -> Composition:
    """The package's description of a plan, written from the plan and not by the package."""
    ages = np.zeros(0, np.uint64) if plan.ages is None else np.array(plan.ages, np.uint64)
    weights = plan.item_weights
    return Composition(
        samples=_words(plan.samples),
        fresh=_human(plan, plan.fresh),
        kept=plan.kept,
        from_kept=_human(plan, plan.from_kept),
        item_weights=weights and np.array([(1, 1, 1), *weights[1:], weights[-1]], np.uint64),
        ages=ages[: len(plan.samples)],
        draw=_words(plan.draw) if plan.draw else None,
    )


def _words(values: Sequence[int]) -> Words:
    return np.array([*values, values[-1]], np.uint64)


def _human(plan: Plan, values: Sequence[int]) -> Words:
    """Items of a human source: none in generation 1."""
    return _words([0, *values[1:]] if values else [0] * len(plan.samples))


def constant(generations: int, size: int, **rest: Any) -> Plan:
    """A plan of equal batches; `fresh` and `from_kept` are numbers that hold from generation 2 on."""
    for name in ("fresh", "from_kept"):
        if name in rest:
            rest[name] = (0, *[rest[name]] * (generations - 1))
    if "draw" in rest:
        rest["draw"] = (rest["draw"],) * generations
    return Plan((5, 2, 1), (size,) * generations, **rest)

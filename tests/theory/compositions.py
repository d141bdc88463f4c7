# SPDX-License-Identifier: MIT
"""From an oracle's plan to what the theory takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

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


@st.composite
def plans(draw: st.DrawFn, *, most: int = 12, generations: int = 10) -> Plan:
    """Plans of every kind, of sizes that vary from one generation to the next."""
    t = draw(st.integers(1, generations))
    sizes = tuple(draw(st.lists(st.integers(1, most), min_size=t, max_size=t)))
    kind = draw(st.sampled_from(["newest", "kept", "weighted", "window", "ages", "pool", "subsample"]))
    rest: dict[str, Any] = {}
    if kind == "subsample":
        rest["draw"] = tuple(draw(st.integers(1, sum(sizes[:k]))) for k in range(1, t + 1))
        return Plan((5, 2, 1), sizes, **rest)
    fresh = [draw(st.integers(0, size)) for size in sizes]
    rest["fresh"] = (0, *fresh[1:])
    if kind in ("kept", "weighted"):
        kept = draw(st.integers(1, most))
        again = [draw(st.integers(0, min(kept, n - f))) for n, f in zip(sizes, fresh, strict=True)]
        rest |= {"kept": kept, "from_kept": (0, *again[1:])}
    if kind == "weighted":
        rest["item_weights"] = tuple(tuple(draw(st.integers(1, 9)) for _ in range(3)) for _ in sizes)
    if kind in ("window", "ages", "pool"):
        span = draw(st.integers(1, t + 1))
        weights = st.integers(0, 3) if kind == "ages" else st.just(1)
        older = tuple(draw(weights) for _ in range(span - 1))
        rest["ages"] = None if kind == "pool" else (1, *older)
    return Plan((5, 2, 1), sizes, **rest)

# SPDX-License-Identifier: MIT
"""From what a user asks to a search, and from what it finds to an answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tailbiter._checks import number, whole, within
from tailbiter.errors import SpecError
from tailbiter.spec import Spec

from ._answer import Plan, answer
from ._axis import axis_of
from ._search import Search
from ._target import Part, Target

__all__ = ["finished", "search_for"]

# Lineages simulated beside an answer that theory knows.
BESIDE = 64
# Nearer to 1 than this, doubles do not tell what may go wrong.
MOST_CONFIDENCE = 1 - 1e-12


def search_for(
    spec: Spec,
    vary: str,
    target: Target,
    *,
    between: Sequence[float] | None,
    confidence: float,
    tolerance: float,
    most: int,
    threads: int | None,
    progress: bool,
) -> Search:
    """Return the search that answers `plan`, its arguments checked."""
    for value, wanted, name in ((spec, Spec, "spec"), (target, Target, "target")):
        if not isinstance(value, wanted):
            raise SpecError(name, value, f"is not a {wanted.__name__}", f"give a {wanted.__name__}")
    return Search(
        axis=axis_of(spec, vary, between),
        part=Part(spec, target),
        confidence=_confidence(confidence),
        tolerance=within(tolerance, "plan.tolerance", 1e-6, 1.0, "give a share such as 0.1"),
        most=whole(most, "plan.most", 2, 10**9, "give a number of lineages such as 2048"),
        threads=threads,
        tell=_teller(progress),
    )


def _confidence(value: float) -> float:
    remedy = "give a probability such as 0.95"
    confidence = number(value, "plan.confidence", remedy)
    if not 0.5 <= confidence <= MOST_CONFIDENCE:
        raise SpecError("plan.confidence", confidence, "is outside [0.5, 1)", remedy)
    return confidence


def finished(search: Search) -> Plan:
    """Search, look at what theory answered, and put everything together."""
    found = search.run()
    if found.kind != "simulated":
        level = search.level(found.high)
        search.tell(f"simulating at {search.axis.name} = {search.axis.value(found.high):g}")
        level.glance(BESIDE)
    search.tell("")
    return answer(search.axis, search.part, found, search.levels, search.theory, search.confidence)


def _teller(progress: bool) -> Callable[[str], None]:
    """Says on a terminal what is being done, on one line that goes away."""
    if not (progress and sys.stderr.isatty()):
        return lambda _: None

    def tell(text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    return tell

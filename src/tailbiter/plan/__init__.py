# SPDX-License-Identifier: MIT
"""How much of a field is needed: the smallest value at which a stated part of the tail is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._answer import Plan, Row
from ._ask import finished, search_for
from ._phase import phase
from ._target import Target

if TYPE_CHECKING:
    from tailbiter.spec import Spec

__all__ = ["Plan", "Row", "Target", "phase", "plan"]


def plan(
    spec: Spec,
    vary: str,
    target: Target,
    *,
    between: Sequence[float] | None = None,
    confidence: float = 0.95,
    tolerance: float = 0.1,
    most: int = 2048,
    threads: int | None = None,
    progress: bool = False,
) -> Plan:
    """Find the smallest value of a field at which a stated part of the reference is kept.

    Means over lineages (and of one category, the probability that it is kept) follow from theory wherever
    that knows them: then the answer is exact, down to the last item of a batch. Everything else is found by
    simulation: theory's mean or a few lineages say where to look, and tests say on which side of the answer a
    level lies, so that all of them hold together with the confidence stated.

    Parameters
    ----------
    spec : Spec
        What would be run, but for the field. Its replicates play no part.
    vary : str
        The field, by dotted name: ``regime.real``, ``regime.real_count``, ``samples``, ... More of it must
        keep more. Of `Replace`, ``regime.real`` and ``regime.real_count`` may vary, too.
    target : Target
        What is to be kept, for how long, how surely.
    between : two numbers, optional
        Least and largest value; by default all that the field takes.
    confidence : float, default 0.95
        Of an interval that is simulated.
    tolerance : float, default 0.1
        How wide such an interval may be, relative to its lower end, if lineages suffice.
    most : int, default 2048
        Lineages simulated at one level, at most.
    threads : int, optional
        As for `simulate`; changes no bit.
    progress : bool
        Say what is being done, on a terminal only.

    Returns
    -------
    Plan
        Value, interval, table and curve.

    Raises
    ------
    SpecError
        For a target that no value of the field reaches, a field that is unknown or does not keep more the
        larger it is, and arguments that cannot be used.

    Notes
    -----
    Levels share no random words, though common random numbers would make neighbours easier to compare: each
    verdict must err independently of what led to its level. Evidence is by e-values, which may be looked at
    after any number of lineages (`tailbiter.testing`).

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(20), samples=50, generations=20)
    >>> found = tb.plan(spec, "regime.real", tb.Target(keep=0.9, at_least=5, probability=None))
    >>> found.low, found.value, found.kind
    (0.02, 0.04, 'exact')
    """
    search = search_for(
        spec,
        vary,
        target,
        between=between,
        confidence=confidence,
        tolerance=tolerance,
        most=most,
        threads=threads,
        progress=progress,
    )
    return finished(search)

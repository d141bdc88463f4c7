# SPDX-License-Identifier: MIT
"""Published results, reproduced by name."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tailbiter._checks import nearest
from tailbiter.errors import SpecError

from ._bent import CLAIMS as BENT
from ._claim import Claim, Outcome, Row, tally
from ._mixtures import CLAIMS as MIXTURES
from ._normal import CLAIMS as NORMAL
from ._words import CLAIMS as WORDS

__all__ = ["Claim", "Outcome", "Row", "claims", "reproduce", "tally"]


def claims() -> tuple[Claim, ...]:
    """Return all claims that can be reproduced.

    Examples
    --------
    >>> from tailbiter.reproduce import claims
    >>> claims()[0].name
    'forgetting'
    """
    return (*WORDS, *NORMAL, *MIXTURES, *BENT)


def reproduce(names: Sequence[str] | None = None, *, threads: int | None = None) -> Iterator[Outcome]:
    """Measure published results, one after the other.

    Parameters
    ----------
    names : sequence of str, optional
        Names of claims; all if left out.
    threads : int, optional
        Threads to run on; by default all processors. Changes no number.

    Yields
    ------
    Outcome
        The claim; its rows, each with the paper's number and its error or the paper's statement, the exact
        value where there is one, ours with its standard error, and a verdict that says which of these were
        compared; and how long it took.

    Raises
    ------
    SpecError
        For an unknown name.

    Examples
    --------
    >>> from tailbiter.reproduce import reproduce
    >>> [outcome] = reproduce(["sigma-decay"])
    >>> outcome.agrees
    True
    """
    known = {claim.name: claim for claim in claims()}
    chosen = list(known) if names is None else list(names)
    for name in chosen:
        if name not in known:
            raise SpecError("name", name, "is no result that can be reproduced", nearest(name, known))
    return (_outcome(known[name], threads) for name in chosen)


def _outcome(claim: Claim, threads: int | None) -> Outcome:
    start = time.perf_counter()
    rows = tuple(claim.measure(threads))
    return Outcome(claim, rows, time.perf_counter() - start)

# SPDX-License-Identifier: MIT
"""Users' rules in plain Python before a run, which checks the indices that compiled code trusts."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.errors import SpecError
from tailbiter.jit import _compile

if TYPE_CHECKING:
    from tailbiter.jit._rule import Rule

__all__ = ["rehearse"]

_LISTED = (1, 2, 3, 8)
_GUARD, _UNTOUCHED = 64, -7.25
_REMEDY = "mend the index: one category may be listed or many, and ranks go up to the number of categories"


@lru_cache(maxsize=64)  # cells of a sweep have them in common
def rehearse(rule: Rule, categories: int, items: int, last: int, *, wrong: bool) -> None:
    """Call a rule as its run will, with few categories listed.

    Whatever else it raises here may be due to the made-up training sets, and is found in the run.

    Parameters
    ----------
    rule : Rule
        A user's.
    categories : int
        Of the reference.
    items : int
        Of a training set.
    last : int
        The last generation whose model it is called for.
    wrong : bool
        Whether what lies outside the reference is listed, too.

    Raises
    ------
    SpecError
        If it reaches outside an array, saying with which index and where.
    """
    function = _compile.plain(rule.function)
    for counts, others, other, generation in _cases(categories + wrong, items, last):
        room = np.full(len(counts) + 2 * _GUARD, _UNTOUCHED)
        weights = room[_GUARD:-_GUARD]
        weights[:] = counts
        # Signed, as what Numba makes of an unsigned rank and a whole number is.
        ranks = np.arange(others, others + len(counts))
        ranks.flags.writeable = False
        told = _called(function, weights, ranks, others, other, generation)
        if told is None and (np.delete(room, np.s_[_GUARD:-_GUARD]) != _UNTOUCHED).any():
            told = "something else than the weights was written to"
        if told is not None:
            listed = f"{len(counts)} of {categories + wrong:,} categories listed"
            problem = f"reaches outside an array, with {listed}: {told}"
            raise SpecError(rule.field, function.__name__, problem, _REMEDY)


def _cases(most: int, items: int, last: int) -> Iterator[tuple[npt.NDArray[np.float64], int, float, int]]:
    """Counts of the rarest categories, how many are not listed, the weight of each of these, a generation."""
    for listed in sorted({min(some, most) for some in _LISTED}):
        counts = np.zeros(listed)
        counts[: min(listed, items)] = 1.0
        counts[0] += items - counts.sum()
        for other in (0.0, 0.5)[: 1 + (listed < most)]:
            for generation in sorted({1, last}):
                yield counts, most - listed, other, generation


def _called(function: Any, *arguments: Any) -> str | None:
    """Which index is outside of an array and where, if one is."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(*arguments)
    except IndexError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{error} ({Path(frame.filename).name}, line {frame.lineno})"
    except Exception:  # noqa: BLE001  # see above
        return None
    return None

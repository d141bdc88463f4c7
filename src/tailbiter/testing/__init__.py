# SPDX-License-Identifier: MIT
"""Test your own theory of collapse: Specs to try it on, and assertions that say how often they are wrong.

Strategies for Hypothesis: `references`, `regimes`, `specs`. Assertions that draw as many values as they
need: `assert_mean`, `assert_law`, `assert_cdf`, fed by `replicates_of` and `counts_of`. Evidence from a
fixed number of values: `mean_evidence`, `law_evidence`. What an assertion sees of one given rival:
`law_power`, `cdf_power`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._evidence import law_evidence, mean_evidence
from ._sequence import InconclusiveError, Verdict
from .assertions import assert_cdf, assert_law, assert_mean
from .power import cdf_power, law_power
from .replicates import counts_of, replicates_of

if TYPE_CHECKING:
    from .strategies import references, regimes, specs

__all__ = [
    "InconclusiveError",
    "Verdict",
    "assert_cdf",
    "assert_law",
    "assert_mean",
    "cdf_power",
    "counts_of",
    "law_evidence",
    "law_power",
    "mean_evidence",
    "references",
    "regimes",
    "replicates_of",
    "specs",
]

_STRATEGIES = ("references", "regimes", "specs")


def __getattr__(name: str) -> object:
    # Hypothesis is needed for the strategies alone: assertions work without it.
    if name not in _STRATEGIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import strategies

    return getattr(strategies, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

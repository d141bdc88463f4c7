# SPDX-License-Identifier: MIT
"""What a Spec asks of a family of models, so that it need know none by name."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TOTAL = 1 << 53


@dataclass(frozen=True)
class Traits:
    """A family of models, seen from the Spec.

    Attributes
    ----------
    family : str
        Its name.
    most_samples : int
        The largest batch.
    most_total : int or None
        The largest total weight of a training set; None where it is held as a real number.
    has_categories : bool
        Whether models have categories, so that bands and a tail of rare ones mean something.
    has_pools : bool
        Whether a part of past items can be drawn again: not where only sufficient statistics are kept.
    has_ddof : bool
        Whether the estimator has a divisor to choose.
    """

    family: str
    most_samples: int
    most_total: int | None
    has_categories: bool = False
    has_pools: bool = False
    has_ddof: bool = False


CATEGORICAL = Traits("categorical", 10**12, MAX_TOTAL, has_categories=True, has_pools=True)
GAUSSIAN = Traits("gaussian", 10**15, None, has_ddof=True)

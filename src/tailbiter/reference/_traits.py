# SPDX-License-Identifier: MIT
"""What a Spec asks of a family of models, so that it need know none by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

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
    most_pool : int or None
        The largest pool of past items that a draw can be made from: 0 where only sufficient statistics are
        kept, None for any.
    most_remade : int or None
        The largest batch, or kept set, in such a pool.
    has_ddof : bool
        Whether the estimator has a divisor to choose.
    estimators : tuple of str
        The kinds of estimator that can fit its models, the default first.
    has_tokens : bool
        Whether an item is a document of several tokens.
    """

    family: str
    most_samples: int
    most_total: int | None
    has_categories: bool = False
    most_pool: int | None = 0
    most_remade: int | None = None
    has_ddof: bool = False
    estimators: tuple[str, ...] = ("mle",)
    has_tokens: bool = False


COUNTED = ("mle", "add_k", "good_turing", "discount", "shrinkage", "user")
"""Estimators that fit counts of categories."""

CATEGORICAL = Traits(
    "categorical", 10**12, MAX_TOTAL, has_categories=True, most_pool=None, estimators=COUNTED
)

# Items made one by one have addresses of 32 bits: one for two choices, one for two coordinates.
_ADDRESSES = (1 << 32) - 1


@cache
def gaussian_traits(dimensions: int) -> Traits:
    """Return the traits of normal laws: only draws from past items need these one by one."""
    remade = _ADDRESSES // ((dimensions + 1) // 2)
    return Traits("gaussian", 10**15, None, most_pool=2 * _ADDRESSES, most_remade=remade, has_ddof=True)


@cache
def poisson_traits(rate: float) -> Traits:
    """Return the traits of Poisson laws: sums of counts are whole numbers, and stay far below 2**53."""
    return Traits("poisson", min(10**15, int(2**50 / max(rate, 1.0))), MAX_TOTAL)


EXPONENTIAL = Traits("exponential", 10**15, None)

# Items are made again by address, any of them, and those that are drawn are held: memory is the limit.
MIXTURE = Traits("mixture", 10**12, None, most_pool=None, estimators=("em",))

# Items have slots of 32 bits. They are held, or made again by address: memory is the limit.
USER = Traits("user", _ADDRESSES, None, most_pool=None, estimators=("em",))
KDE = Traits("kde", _ADDRESSES, None, most_pool=None, estimators=("smoothing",))
# Documents are held as long as they may be trained on: memory is the limit.
DOCUMENTS = Traits("categorical_mixture", 10**9, None, most_pool=None, estimators=("em",), has_tokens=True)

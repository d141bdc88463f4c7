# SPDX-License-Identifier: MIT
"""Tiny runs of every regime, small enough to enumerate and rich enough to tell the regimes apart.

Each entry is a plan and the generations whose joint law is compared. Sizes vary between generations, so that
an index off by one shows.
"""

from dataclasses import dataclass

from tests.oracles.plan import Plan


@dataclass(frozen=True)
class Tiny:
    """A plan, and the generations at which it is watched together."""

    plan: Plan
    at: tuple[int, ...]


TINY: dict[str, Tiny] = {
    "replace-2": Tiny(Plan((3, 1), (4, 4, 4, 4)), (1, 2, 4)),
    "replace-3": Tiny(Plan((5, 2, 1), (4, 3, 5)), (1, 3)),
    "replace-4": Tiny(Plan((1, 1, 1, 1), (3, 2, 3)), (1, 2, 3)),
    "replace-5": Tiny(Plan((8, 4, 2, 1, 1), (3, 4, 3)), (1, 3)),
    "accumulate-2": Tiny(Plan((3, 1), (4, 2, 3), ages=None), (1, 2, 3)),
    "accumulate-3": Tiny(Plan((5, 2, 1), (3, 2, 3), ages=None), (1, 3)),
    "accumulate-4": Tiny(Plan((1, 1, 2, 1), (2, 2, 2), ages=None), (1, 2, 3)),
    "accumulate-5": Tiny(Plan((8, 4, 2, 1, 1), (2, 1, 2), ages=None), (1, 2, 3)),
    "subsample-2": Tiny(Plan((3, 1), (4, 3, 5), draw=(4, 3, 5)), (1, 2, 3)),
    "subsample-3": Tiny(Plan((5, 2, 1), (4, 2, 3), draw=(3, 3, 3)), (1, 3)),
    "subsample-4": Tiny(Plan((1, 1, 2, 1), (3, 2, 2), draw=(2, 2, 2)), (1, 3)),
    "subsample-5": Tiny(Plan((8, 4, 2, 1, 1), (3, 3), draw=(2, 2)), (1, 2)),
    "fresh-2": Tiny(Plan((3, 1), (4, 5, 4, 4), fresh=(0, 1, 1, 1)), (1, 2, 4)),
    "fresh-3": Tiny(Plan((5, 2, 1), (3, 5, 4), fresh=(0, 2, 1)), (1, 3)),
    "fresh-4": Tiny(Plan((1, 1, 2, 1), (3, 3, 3), fresh=(0, 1, 1)), (1, 3)),
    "fresh-5": Tiny(Plan((8, 4, 2, 1, 1), (3, 3, 3), fresh=(0, 1, 1)), (1, 3)),
    "fixed-2": Tiny(Plan((3, 1), (4, 5, 3, 4), kept=2, from_kept=(0, 2, 2, 2)), (1, 2, 4)),
    "fixed-3": Tiny(Plan((5, 2, 1), (4, 4, 3), kept=1, from_kept=(0, 1, 1)), (1, 3)),
    "fixed-4": Tiny(Plan((1, 1, 2, 1), (3, 2, 3), kept=1, from_kept=(0, 1, 1)), (1, 3)),
    "fixed-5": Tiny(Plan((8, 4, 2, 1, 1), (3, 3, 3), kept=1, from_kept=(0, 1, 1)), (1, 3)),
    "hoard-2": Tiny(Plan((3, 1), (4, 5, 4), kept=6, from_kept=(0, 3, 2)), (1, 2, 3)),
    "hoard-3": Tiny(Plan((5, 2, 1), (4, 3, 4), kept=3, from_kept=(0, 2, 2)), (1, 3)),
    "hoard-4": Tiny(Plan((1, 1, 2, 1), (3, 3, 3), kept=2, from_kept=(0, 1, 1)), (1, 3)),
    "hoard-5": Tiny(Plan((8, 4, 2, 1, 1), (3, 2), kept=4, from_kept=(0, 1)), (1, 2)),
    "window-2": Tiny(Plan((3, 1), (4, 3, 2, 3), ages=(1, 1)), (1, 2, 4)),
    "window-3": Tiny(Plan((5, 2, 1), (2, 3, 2, 2), ages=(1, 1, 1)), (1, 4)),
    "window-4": Tiny(Plan((1, 1, 2, 1), (2, 2, 1), ages=(1, 1)), (1, 2, 3)),
    "window-5": Tiny(Plan((8, 4, 2, 1, 1), (2, 1, 2), ages=(1, 1)), (1, 3)),
    "real-only-2": Tiny(Plan((3, 1), (4, 4, 4), fresh=(0, 4, 4)), (1, 2, 3)),
    "real-only-3": Tiny(Plan((5, 2, 1), (4, 3, 5), fresh=(0, 3, 5)), (1, 3)),
    "real-only-4": Tiny(Plan((1, 1, 2, 1), (2, 3, 2), fresh=(0, 3, 2)), (1, 3)),
    "real-only-5": Tiny(Plan((8, 4, 2, 1, 1), (2, 2), fresh=(0, 2)), (1, 2)),
    "mix-weights-2": Tiny(Plan((3, 1), (4, 4, 4), fresh=(0, 2, 2), item_weights=((3, 7, 0),) * 3), (1, 2, 3)),
    "mix-weights-3": Tiny(
        Plan((5, 2, 1), (3, 4, 3), fresh=(0, 1, 1), item_weights=((1, 9, 0), (1, 9, 0), (1, 6, 0))), (1, 3)
    ),
    "mix-fixed-2": Tiny(
        Plan((3, 1), (4, 4, 4), kept=2, from_kept=(0, 2, 2), item_weights=((1, 0, 4),) * 3), (1, 2, 3)
    ),
    "mix-schedule-3": Tiny(Plan((5, 2, 1), (4, 4, 4), fresh=(0, 1, 2)), (1, 3)),
    "mix-sources-3": Tiny(Plan((5, 2, 1), (3, 4, 4), fresh=(0, 1, 1), kept=2, from_kept=(0, 1, 1)), (1, 3)),
    "mix-ages-2": Tiny(Plan((3, 1), (4, 3, 3, 2), ages=(2, 1)), (1, 2, 4)),
    "mix-ages-3": Tiny(Plan((5, 2, 1), (3, 3, 2), ages=(1, 3), fresh=(0, 1, 1)), (1, 3)),
    "mix-all-3": Tiny(Plan((5, 2, 1), (3, 2, 3), ages=None, fresh=(0, 1, 1)), (1, 3)),
    "mix-hoard-4": Tiny(
        Plan((1, 1, 2, 1), (2, 3, 3), kept=3, from_kept=(0, 1, 1), item_weights=((2, 1, 1),) * 3), (1, 3)
    ),
    "mix-sources-5": Tiny(
        Plan((8, 4, 2, 1, 1), (3, 3, 3), fresh=(0, 1, 1), kept=1, from_kept=(0, 1, 1)), (1, 3)
    ),
}

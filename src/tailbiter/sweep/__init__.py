# SPDX-License-Identifier: MIT
"""Grids of Specs."""

from ._fields import is_whole, known_fields, refuse_unknown, replaced, takes_numbers
from ._range import MAX_CELLS, Range
from ._sweep import Cell, Sweep, describe, label_of, labels_of, plain_value

__all__ = [
    "MAX_CELLS",
    "Cell",
    "Range",
    "Sweep",
    "describe",
    "is_whole",
    "known_fields",
    "label_of",
    "labels_of",
    "plain_value",
    "refuse_unknown",
    "replaced",
    "takes_numbers",
]

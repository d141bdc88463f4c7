# SPDX-License-Identifier: MIT
"""Grids of Specs."""

from ._range import MAX_CELLS, Range
from ._sweep import Cell, Sweep, describe, label_of, labels_of, plain_value

__all__ = ["MAX_CELLS", "Cell", "Range", "Sweep", "describe", "label_of", "labels_of", "plain_value"]

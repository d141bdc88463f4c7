# SPDX-License-Identifier: MIT
"""Doubles as their bits and back, inside compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["ONE_OF_TWO", "bits", "double"]

# Of an item's state: one call made, one of its words left; its normal may be known (csrc/item.h).
ONE_OF_TWO = np.uint64(1 << 32 | 1)


def _as_bits(_context: Any, _x: Any) -> Any:
    """The bits of a double, as an integer."""

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


def _as_double(_context: Any, _x: Any) -> Any:
    """The double that has these bits."""

    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


bits: Any = intrinsic(_as_bits)  # Numba hands in the context, which its types do not know
double: Any = intrinsic(_as_double)

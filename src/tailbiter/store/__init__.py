# SPDX-License-Identifier: MIT
"""Where sweeps are kept: a directory of Parquet parts, known by content."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ._parts import CellResult
from ._store import Failure, Status, Store, check_directory

if TYPE_CHECKING:
    from ._lazy import open_sweep as open_sweep
    from ._table import export as export
    from ._table import sweep_table as sweep_table
    from ._words import variance_saved as variance_saved

__all__ = [
    "CellResult",
    "Failure",
    "Status",
    "Store",
    "check_directory",
    "export",
    "open_sweep",
    "sweep_table",
    "variance_saved",
]

# These load xarray.
_LATER = {
    "export": "_table",
    "open_sweep": "_lazy",
    "sweep_table": "_table",
    "variance_saved": "_words",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)

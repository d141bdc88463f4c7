# SPDX-License-Identifier: MIT
"""Rules written by users and compiled by Numba: families of laws in three functions each.

A `Family` is a log-density, a weighted fit and a sample; `draws` has the randomness that samples are made of.
``laplace``, ``log_normal`` and ``student_t`` are families written this way.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import draws as draws
    from ._family import Family as Family
    from .families import laplace as laplace
    from .families import log_normal as log_normal
    from .families import student_t as student_t

__all__ = ["Family", "draws", "laplace", "log_normal", "student_t"]

_HOMES = {
    "Family": "_family",
    "laplace": "families",
    "log_normal": "families",
    "student_t": "families",
}


def __getattr__(name: str) -> object:
    if name == "draws":
        return importlib.import_module(".draws", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

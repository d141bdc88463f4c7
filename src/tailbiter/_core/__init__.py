# SPDX-License-Identifier: MIT
"""The compiled core."""

from . import fmath
from .engine import Control, Engine, build_info, isa

__all__ = ["Control", "Engine", "build_info", "fmath", "isa"]

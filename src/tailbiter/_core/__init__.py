# SPDX-License-Identifier: MIT
"""The compiled core."""

from . import fmath
from .common import Control, isa
from .engine import Engine, RuleFailed, build_info

__all__ = ["Control", "Engine", "RuleFailed", "build_info", "fmath", "isa"]

# SPDX-License-Identifier: MIT
"""Exponential laws: waiting times, by their sum."""

from __future__ import annotations

from ._totals import TotalsFamily

__all__ = ["FAMILY"]

FAMILY = TotalsFamily("exponential")

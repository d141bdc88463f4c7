# SPDX-License-Identifier: MIT
"""Poisson laws: counts, by their sum."""

from __future__ import annotations

from ._totals import TotalsFamily

__all__ = ["FAMILY"]

FAMILY = TotalsFamily("poisson")

# SPDX-License-Identifier: MIT
"""Pictures of a run. Matplotlib is loaded when something is drawn, never on import."""

from __future__ import annotations

from ._categories import rank_frequency, survival
from ._densities import densities
from ._files import save_spread, save_tails, save_weights
from ._flow import band_mass, flow
from ._lines import confidence, groups, spread, tails, weights
from ._plans import phase, plan

__all__ = [
    "band_mass",
    "confidence",
    "densities",
    "flow",
    "groups",
    "phase",
    "plan",
    "rank_frequency",
    "save_spread",
    "save_tails",
    "save_weights",
    "spread",
    "survival",
    "tails",
    "weights",
]

# SPDX-License-Identifier: MIT
"""Ticks of logarithmic axes that may be short. Loads matplotlib: imported when something is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

__all__ = ["PlainLog"]

FEWEST, MOST = 3, 9
DECADES = 7


class PlainLog(LogLocator):
    """Decades; of an axis that spans few of them 1, 2 and 5 of each; of less than one, even steps.

    Matplotlib's own names decades alone, of which a short axis has one or none.

    Parameters
    ----------
    whole : bool, default False
        Whether what lies between whole numbers is none, as of generations.
    """

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__()
        self.whole = whole

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return where ticks stand between two limits, which may be given either way round."""
        low, high = sorted((float(vmin), float(vmax)))
        if not 0 < low < high < np.inf:
            return np.array([])
        powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        finest = self._inside(np.outer(powers, (1, 2, 5)).ravel(), low, high)
        if FEWEST <= finest.size <= MOST:
            return finest
        if finest.size > MOST:
            decades = self._inside(powers, low, high)
            return decades[:: -(-decades.size // DECADES)]
        even = np.asarray(MaxNLocator(5, integer=self.whole).tick_values(low, high))
        return self._inside(even, low, high)

    def _inside(self, places: np.ndarray, low: float, high: float) -> np.ndarray:
        """What lies between the limits, to a hair: these come out of logarithms."""
        kept = places[(places >= low * (1 - 1e-9)) & (places <= high * (1 + 1e-9)) & (places > 0)]
        return kept[kept == np.round(kept)] if self.whole else kept

# SPDX-License-Identifier: MIT
"""What is known of recursive fit-and-resample without running it.

`exact` follows ancestors backward, `moments` steps first and second moments of any regime, `states`
follows every training set forward, under whatever bends models (`shaping`); `limits` holds the asymptotic
forms, `gaussian` the laws of a normal distribution fitted again and again and `totals` those of Poisson
and exponential ones. None of them knows an engine: they and the engines check each other.
"""

from . import exact, gaussian, limits, moments, selection, shaping, states, totals
from ._result import Predicted

__all__ = ["Predicted", "exact", "gaussian", "limits", "moments", "selection", "shaping", "states", "totals"]

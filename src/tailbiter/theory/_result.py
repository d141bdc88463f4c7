# SPDX-License-Identifier: MIT
"""What theory returns: numbers that say what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Kind", "Predicted"]

Floats = npt.NDArray[np.float64]
Kind = Literal["exact", "bound", "limit"]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Numbers from theory, and what they are.

    Attributes
    ----------
    values : float64 array
        The numbers.
    kind : {"exact", "bound", "limit"}
        Equal to the law up to rounding; within ``error`` of it, proved; or reached in the limit that
        ``statement`` names.
    statement : str
        What is stated, and where it holds.
    error : float64 array or None
        Largest distance between ``values`` and the truth, of the same shape; for kind "bound" only.
    """

    values: Floats
    kind: Kind
    statement: str
    error: Floats | None = None

    def __post_init__(self) -> None:
        if (self.error is not None) != (self.kind == "bound"):
            raise ValueError(f"kind {self.kind!r} with error {self.error!r}")

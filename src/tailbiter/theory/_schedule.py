# SPDX-License-Identifier: MIT
"""What is asked of the ancestral dual, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import SpecError

__all__ = ["Schedule", "masses", "schedule"]

_MOST = 10**12


@dataclass(frozen=True, eq=False)
class Schedule:
    """Sizes by generation (entry t-1 is generation t's), and the generations recorded."""

    samples: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.int64]
    kept: int
    output: npt.NDArray[np.int64] | None

    @property
    def renewed(self) -> bool:
        """Whether any generation after the first gets human items."""
        return bool(self.fresh.any())

    @property
    def steady(self) -> bool:
        """Whether sizes stay the same from generation 2 to the last recorded."""
        last = max(int(self.at.max()), 1)
        rows = [self.samples[1:last], self.fresh[1:last]]
        if self.output is not None:
            rows.append(self.output[self.at[self.at > 0] - 1])
        return all(len(np.unique(row)) <= 1 for row in rows)


def schedule(
    samples: npt.ArrayLike,
    at: npt.ArrayLike,
    fresh: npt.ArrayLike | None = None,
    kept: int = 0,
    output: npt.ArrayLike | None = None,
) -> Schedule:
    """Check and freeze. Fresh items of generation 1 are not read."""
    sizes = _whole("samples", samples, 1)
    if not len(sizes):
        raise SpecError("samples", [], "has no generation", "give the size of generation 1 at least")
    recorded = _whole("at", at, 0)
    if not len(recorded) or (np.diff(recorded) <= 0).any() or recorded[-1] > len(sizes):
        raise SpecError(
            "at",
            recorded.tolist(),
            f"is not ascending within 0 to {len(sizes)}",
            "list each recorded generation once",
        )
    reach = max(int(recorded[-1]), 1)
    new = _aligned("fresh", np.zeros(reach) if fresh is None else fresh, 0, reach)
    new[0] = 0
    if (new > sizes[:reach]).any():
        raise SpecError("fresh", int(new.max()), "is more than a batch holds", "ask for no more than samples")
    drawn = None if output is None else _aligned("output", output, 1, reach)
    _check_kept(kept, sizes[:reach], new, drawn)
    return Schedule(sizes[:reach], recorded, new, int(kept), drawn)


def _check_kept(
    kept: int,
    sizes: npt.NDArray[np.int64],
    fresh: npt.NDArray[np.int64],
    output: npt.NDArray[np.int64] | None,
) -> None:
    if not 0 <= kept <= sizes.min():
        problem = f"is not within 0 to the smallest batch, {sizes.min()}"
        raise SpecError("kept", kept, problem, "keep the first items of generation 1, in every batch")
    if kept and fresh.any():
        raise SpecError("kept", kept, "comes with fresh human items too", "give `kept` or `fresh`, not both")
    if kept and output is not None:
        problem = "comes with `output`, whose law with a kept set is not known here"
        raise SpecError("kept", kept, problem, "ask for training sets, or for no kept set")


def _aligned(field: str, values: npt.ArrayLike, least: int, reach: int) -> npt.NDArray[np.int64]:
    result = _whole(field, values, least)
    if len(result) < reach:
        raise SpecError(field, len(result), f"entries end before generation {reach}", "give one a generation")
    return result[:reach].copy()


def _whole(field: str, values: npt.ArrayLike, least: int) -> npt.NDArray[np.int64]:
    given = np.atleast_1d(np.asarray(values))
    if given.ndim != 1 or not np.all(np.equal(np.mod(given, 1), 0)):
        raise SpecError(field, str(values)[:60], "is not a row of whole numbers", "give one a generation")
    if len(given) and (given.min() < least or given.max() > _MOST):
        outside = given.min() if given.min() < least else given.max()
        raise SpecError(field, int(outside), f"is outside {least} to 1e12", "give a number in that range")
    return given.astype(np.int64)


def masses(field: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """A row of reference masses."""
    given = np.atleast_1d(np.asarray(values, dtype=float))
    if given.ndim != 1 or not ((given >= 0) & (given <= 1)).all():
        raise SpecError(
            field, str(values)[:60], "is not a row of masses in [0, 1]", "give reference probabilities"
        )
    return given

# SPDX-License-Identifier: MIT
"""Replicates of a Spec as the endless row of independent values that assertions draw from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..dataset import recorded
from ..errors import SpecError
from ..record import Record
from ..simulate import simulate_rows
from ..spec import Spec
from ._sequence import Draw

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["counts_of", "replicates_of"]


def replicates_of(
    spec: Spec,
    reduce: str | Callable[[xr.Dataset], Any],
    *,
    record: Record | None = None,
    threads: int | None = None,
) -> Draw:
    """Return a ``draw(start, stop)`` that simulates replicates number ``start`` to ``stop - 1`` of a Spec.

    Parameters
    ----------
    spec : Spec
        What to run; its own number of replicates plays no part. Replicate r is the same as in `simulate`.
    reduce : str or callable
        What to take of a Dataset of these replicates: the name of a variable, or a function of the Dataset
        that returns values by replicate (the dim replicate, or the first axis).
    record : Record, optional
        What to record; for the name of a variable, it alone at every generation if left out.
    threads : int, optional
        As for `simulate`.

    Returns
    -------
    callable
        For `assert_mean` and the others.

    Examples
    --------
    >>> import tailbiter as tb
    >>> from tailbiter.testing import assert_mean
    >>> spec = tb.Spec(reference=tb.Uniform(4), samples=10, generations=3)
    >>> draw = replicates_of(spec, "gini_simpson")
    >>> expected = [0.75 * 0.9**t for t in range(4)]
    >>> assert_mean(draw, expected, effect=0.02, bounds=(0, 1)).values > 256
    True
    """
    if not isinstance(spec, Spec):
        raise SpecError("spec", spec, "is not a Spec", "give a Spec")
    if not (isinstance(reduce, str) or callable(reduce)):
        remedy = "give the name of a variable, or a function of the Dataset"
        raise SpecError("reduce", reduce, "is neither a name nor a function", remedy)
    if record is None and isinstance(reduce, str):
        record = Record(variables=[reduce], generations="all")  # type: ignore[arg-type]  # normalised

    def draw(start: int, stop: int) -> npt.NDArray[Any]:
        ds = simulate_rows(spec, start, stop, record=record, threads=threads)
        values = recorded(ds, reduce) if isinstance(reduce, str) else reduce(ds)
        if hasattr(values, "dims") and "replicate" in values.dims:
            values = values.transpose("replicate", ...)
        return np.asarray(values)

    return draw


def counts_of(spec: Spec, generations: int | Sequence[int], *, threads: int | None = None) -> Draw:
    """Return a ``draw(start, stop)`` of training counts, for laws that can be enumerated.

    Parameters
    ----------
    spec : Spec
        What to run; its own number of replicates plays no part.
    generations : int or sequence of int
        Generations whose training sets are looked at together, ascending.
    threads : int, optional
        As for `simulate`.

    Returns
    -------
    callable
        Gives ``int64[stop - start, generations x categories]``: the counts (where items are weighted, the
        weights) of every category of positive reference weight, in the order of the reference, one
        generation after the other.

    Examples
    --------
    >>> import tailbiter as tb
    >>> from tailbiter.testing import assert_law
    >>> spec = tb.Spec(reference=tb.Uniform(2), samples=1, generations=2)
    >>> law = {(1, 0, 1, 0): 1 / 2, (0, 1, 0, 1): 1 / 2}
    >>> assert_law(counts_of(spec, [1, 2]), law, effect=0.05).values > 256
    True
    """
    if not isinstance(spec, Spec):
        raise SpecError("spec", spec, "is not a Spec", "give a Spec")
    asked = [generations] if isinstance(generations, int | np.integer) else generations
    record = Record(generations=[0], variables=["survivors"], snapshots=asked)  # type: ignore[arg-type]  # normalised
    at = record.snapshots_at(spec.generations)
    if not len(at):
        raise SpecError("generations", list(record.snapshots), "is empty", "give at least one generation")
    position = spec.reference.support.position

    def draw(start: int, stop: int) -> npt.NDArray[np.int64]:
        ds = simulate_rows(spec, start, stop, record=record, threads=threads)
        table = np.zeros((stop - start, len(at), len(position)), np.int64)
        row = ds["snapshot_replicate"].values.astype(np.int64) - start
        when = np.searchsorted(at, ds["snapshot_generation"].values)
        which = np.searchsorted(position, ds["snapshot_category"].values)
        table[row, when, which] = ds["snapshot_count"].values
        return table.reshape(stop - start, -1)

    return draw

# SPDX-License-Identifier: MIT
"""Kernel densities: every model is its training set, smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._compose import Composition
from tailbiter._variables import FAMILIES
from tailbiter.families._arrays import ArrayFamily, Coords, coord, records
from tailbiter.families._crawl import Crawled, crawled
from tailbiter.families.user import BITS

if TYPE_CHECKING:
    import os

    import xarray as xr

    from tailbiter._core import item as core
    from tailbiter.estimate import Part
    from tailbiter.families._user_summary import UserSummary
    from tailbiter.jit._lineage import Engine
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["FAMILY", "KdeFamily", "KdeProgram"]

Floats = npt.NDArray[np.float64]
_NO_CATEGORIES = "is about categories, which kernel densities have none of"


@dataclass(frozen=True, eq=False)
class KdeProgram:
    """What is run of kernel densities.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    points : float64[n, d]
        Of the reference.
    width : float64[d]
        Bandwidth of the reference.
    bandwidth : float or None
        Of the models, the same in every dimension; None for Silverman's rule.
    scale : float
        What either is multiplied by.
    made : Composition
        What every generation's training set is made of.
    at : uint32[n]
        Generations to record, ascending.
    variables : tuple of str
        Variables to keep.
    crawl : Crawled or None
        What is kept of crawls; then no item is counted as fresh.
    """

    key: int
    points: Floats
    width: Floats
    bandwidth: float | None
    scale: float
    made: Composition
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]
    crawl: Crawled | None = None

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return int(self.points.shape[1])


class KdeFamily(ArrayFamily[KdeProgram]):
    """The family of kernel densities; see `tailbiter.families.Family`."""

    name = "kde"

    def lower(self, spec: Spec, record: Record) -> KdeProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        self.refuse(record)
        return KdeProgram(
            key=spec.key,
            points=reference.table,
            width=np.array(reference.bandwidth),
            bandwidth=None if isinstance(estimator.bandwidth, str) else estimator.bandwidth,
            scale=estimator.scale,
            made=spec.composition,
            at=record.at(spec.generations),
            variables=record.names_of("kde", spec.also_recorded),
            crawl=crawled(spec),
        )

    def known_split(self, program: KdeProgram) -> Engine[Any]:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter.jit._kernel import KernelModel, Kernels
        from tailbiter.jit._lineage import Engine

        fixed = None if program.bandwidth is None else np.full(program.dimension, program.bandwidth)
        law = Kernels.of(program.points, program.width)
        return Engine(program, KernelModel(law, fixed, program.scale, program.variables))

    def control(self) -> core.Control:
        """Return what watches and stops its runs."""
        from tailbiter._core import item as core

        return core.Control()

    def coords(self, program: KdeProgram, engine: Any, dims: set[str]) -> Coords:
        """Return dimensions."""
        del engine
        dim = "dimension"
        return coord(dim, dim, np.arange(program.dimension), dim) if dims else {}

    def sizes(self, program: KdeProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        return {
            "points": len(program.points),
            "dimensions": program.dimension,
            "first_sample": int(program.made.samples[0]),
            "bits": BITS,
        }

    def memory(self, program: KdeProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part
        from tailbiter.jit._lineage import stored_items

        d = program.dimension
        items = stored_items(program.made)
        # A batch, the training set and the model that it becomes, and what moments are made of; and under
        # draws from a pool the models of all generations, from which past items are made again.
        held = items * (5 * d + 3)
        if program.made.draw is not None:
            held += int(program.made.draw[:-1].sum()) * d
        return [
            records(self.name, program, replicates, {None: 1, "dimension": d}),
            Part(
                min(threads, replicates) * 8 * held,
                "samples",
                f"training sets of {items:,} items, held whole",
                "draw fewer items, let batches go (Window, Replace), or use fewer threads",
            ),
        ]

    def size(self, ds: xr.Dataset) -> str:
        """Say how many points and dimensions the reference has."""
        from tailbiter.summary import counted

        dimensions = counted(ds.attrs["dimensions"], "dimension", "dimensions")
        return f"{counted(ds.attrs['points'], 'point', 'points')} in {dimensions}"

    def summarise(self, ds: xr.Dataset) -> UserSummary:
        """Reduce a run to a short table."""
        from tailbiter.families._user_summary import summarise_variables

        return summarise_variables(ds, "kde", list(FAMILIES["kde"].standard))

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Draw nothing: there are no components, and no quantiles are recorded."""


FAMILY = KdeFamily()

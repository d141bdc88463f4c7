# SPDX-License-Identifier: MIT
"""Kernel densities: every model is its training set, smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._compose import Composition
from tailbiter._variables import FAMILIES
from tailbiter.errors import SpecError
from tailbiter.families.user import BITS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

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
    """

    key: int
    points: Floats
    width: Floats
    bandwidth: float | None
    scale: float
    made: Composition
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return int(self.points.shape[1])


class KdeFamily:
    """The family of kernel densities; see `tailbiter.families.Family`."""

    def lower(self, spec: Spec, record: Record) -> KdeProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        for name in ("forgotten", "snapshots"):
            if getattr(record, name):
                raise SpecError(f"record.{name}", getattr(record, name), _NO_CATEGORIES, "leave it out")
        return KdeProgram(
            key=spec.key,
            points=reference.table,
            width=np.array(reference.bandwidth),
            bandwidth=None if isinstance(estimator.bandwidth, str) else estimator.bandwidth,
            scale=estimator.scale,
            made=spec.composition,
            at=record.at(spec.generations),
            variables=record.names_of("kde"),
        )

    def refuse_if_too_large(self, program: KdeProgram, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(memory(program, replicates, threads))

    def engine(self, program: KdeProgram) -> Engine[Any]:
        """Return an engine that runs the program."""
        from tailbiter.jit._kernel import KernelModel, Kernels
        from tailbiter.jit._lineage import Engine

        fixed = None if program.bandwidth is None else np.full(program.dimension, program.bandwidth)
        law = Kernels.of(program.points, program.width)
        return Engine(program, KernelModel(law, fixed, program.scale, program.variables))

    def control(self) -> core.Control:
        """Return what watches and stops its runs."""
        from tailbiter._core import item as core

        return core.Control()

    def dataset(
        self,
        program: KdeProgram,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        del engine  # what it filled is all there is
        known = FAMILIES["kde"].known
        dims = ("replicate", "generation", "dimension")
        data = {
            name: (dims, values, {"long_name": known[name].long_name, "units": known[name].units})
            for name, values in self.values(program, outputs).items()
        }
        about = {"long_name": "dimension", "units": "1"}
        coords = replicate_coord(replicates) | generation_coord(program)
        coords["dimension"] = ("dimension", np.arange(program.dimension), about)
        sizes = {
            "points": len(program.points),
            "dimensions": program.dimension,
            "first_sample": int(program.made.samples[0]),
            "bits": BITS,
        }
        return xr.Dataset(data, coords, {**attrs, **sizes})

    def values(self, program: KdeProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as they are."""
        return {name: outputs[name] for name in program.variables}

    def is_large(self, program: KdeProgram) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record

    def size(self, ds: xr.Dataset) -> str:
        """Say how many points and dimensions the reference has."""
        from tailbiter.summary import counted

        dimensions = counted(ds.attrs["dimensions"], "dimension", "dimensions")
        return f"{counted(ds.attrs['points'], 'point', 'points')} in {dimensions}"

    def summarise(self, ds: xr.Dataset) -> UserSummary:
        """Reduce a run to a short table."""
        from tailbiter.families._user_summary import summarise_variables

        return summarise_variables(ds, "kde", list(FAMILIES["kde"].known))

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Draw nothing: there are no components, and no quantiles are recorded."""


FAMILY = KdeFamily()


def memory(program: KdeProgram, replicates: int, threads: int) -> list[Part]:
    """What a run holds, from above, part by part.

    Parameters
    ----------
    program : KdeProgram
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    """
    from tailbiter.estimate import Part
    from tailbiter.jit._lineage import stored_items

    at, d = int(program.at.size), program.dimension
    items = stored_items(program.made)
    # A batch, the training set and the model that it becomes, and what moments are made of; and under draws
    # from a pool the models of all generations, from which past items are made again.
    held = items * (5 * d + 3)
    if program.made.draw is not None:
        held += int(program.made.draw[:-1].sum()) * d
    return [
        Part(
            replicates * at * 8 * d * len(program.variables),
            "record.generations",
            f"{at} generations x {replicates} replicates x {len(program.variables)} variables",
            "record fewer generations or variables, or run fewer replicates",
        ),
        Part(
            min(threads, replicates) * 8 * held,
            "samples",
            f"training sets of {items:,} items, held whole",
            "draw fewer items, let batches go (Window, Replace), or use fewer threads",
        ),
    ]

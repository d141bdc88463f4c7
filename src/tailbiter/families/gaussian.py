# SPDX-License-Identifier: MIT
"""Normal laws: the mean and the covariance of a training set, by sufficient statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.families._arrays import ArrayFamily, Coords, LineageProgram, chosen, composed, coord, records

if TYPE_CHECKING:
    import os

    import xarray as xr

    from tailbiter._core import gaussian as core
    from tailbiter.estimate import Part
    from tailbiter.families._gaussian_summary import GaussianSummary
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["FAMILY", "GaussianFamily", "GaussianProgram"]

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LANES = 8  # lineages that the engine runs side by side
CHOICES = 2**16  # bytes for what is drawn from past items
_NO_CATEGORIES = "is about categories, which a gaussian reference has none of"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GaussianProgram(LineageProgram):
    """What the Gaussian engine runs. Equal programs give equal bits.

    Attributes
    ----------
    mean : float64[d]
        Of the reference.
    factor : float64[d (d + 1) / 2]
        Lower Cholesky factor of the reference's covariance, row by row.
    ddof : int
        Of the divisor.
    """

    mean: Floats
    factor: Floats
    ddof: int

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return len(self.mean)

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return f"{self.dimension:,} dimensions, {super().size}"


class GaussianFamily(ArrayFamily[GaussianProgram]):
    """The Gaussian family; see `tailbiter.families.Family`."""

    name = "gaussian"
    instead = "leave it out, or record the variables mean and factor"

    def lower(self, spec: Spec, record: Record) -> GaussianProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        self.refuse(record)
        return GaussianProgram(
            **composed(spec, record, self.name),
            mean=reference.mean_vector,
            factor=reference.factor,
            ddof=getattr(spec.estimator, "ddof", None) or 0,
        )

    def known_split(self, program: GaussianProgram) -> core.Engine:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter._core import gaussian as core

        return core.Engine(program)

    def coords(self, program: GaussianProgram, engine: Any, dims: set[str]) -> Coords:
        """Return levels, dimensions and entries of the factor."""
        del engine
        return chosen(COORDS, program, dims)

    def about(self, program: GaussianProgram, name: str) -> dict[str, Any]:
        """Return the attributes of a variable; of the log-determinant, the reference's too."""
        attrs = super().about(program, name)
        return {**attrs, "reference": reference_log_det(program)} if name == "log_det" else attrs

    def sizes(self, program: GaussianProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        return {"dimensions": program.dimension, "first_sample": int(program.samples[0])}

    def memory(self, program: GaussianProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part

        d, triangle = program.dimension, len(program.factor)
        widths = {None: 1, "level": len(LEVELS), "dimension": d, "entry": triangle}
        running = min(threads, -(-replicates // LANES))
        blocks = LANES * 8 * running
        window = int(program.ages.size)
        remade = _models(program)
        dimensions = f"{d} dimension{'s' * (d != 1)}"
        return [
            records(self.name, program, replicates, widths),
            # Model, draws, three sets of statistics, what is merged, and three squares for the eigenvalues.
            Part(
                blocks * (14 * (triangle + d) + 3 * d * d) + running * (CHOICES if remade else 0),
                "reference",
                dimensions,
                "use fewer threads",
            ),
            Part(
                blocks * (triangle + d + 64) * (window if window > 1 else 0),
                "regime.k" if len(set(program.ages.tolist())) == 1 else "regime.ages",
                f"{window} batches x {dimensions}",
                "use a shorter window, fewer dimensions or fewer threads",
            ),
            Part(
                blocks * (triangle + d) * remade,
                "regime",
                f"draws from {remade} batches x {dimensions}",
                "use fewer generations, fewer dimensions or fewer threads",
            ),
        ]

    def size(self, ds: xr.Dataset) -> str:
        """Say how many dimensions there are."""
        from tailbiter.summary import counted

        return counted(ds.attrs["dimensions"], "dimension", "dimensions")

    def summarise(self, ds: xr.Dataset) -> GaussianSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._gaussian_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the spread and of the tails, if the run recorded both."""
        from tailbiter.plot import save_spread

        if {"log_det", "mass_beyond"} <= ds.data_vars.keys() and bool((ds["generation"] > 0).any()):
            save_spread(ds, path)


FAMILY = GaussianFamily()


def reference_log_det(program: GaussianProgram) -> float:
    """Log-determinant of the reference's covariance, by the core's own logarithm."""
    from tailbiter._core import fmath

    d = program.dimension
    diagonal = program.factor[np.cumsum(np.arange(1, d + 1)) - 1]
    return 2 * float(sum(fmath.log_array(diagonal).tolist()))


def _levels(program: GaussianProgram) -> Coords:
    del program  # the same for all
    dim, levels = "level", np.array(LEVELS)
    name = "share of the reference below its lower quantile, and above its upper one"
    return {
        **coord(dim, dim, levels, name),
        **coord(dim, "level_reference_mass", 2 * levels, "reference mass beyond either quantile"),
    }


def _dimension(program: GaussianProgram) -> Coords:
    dim = "dimension"
    return coord(dim, dim, np.arange(program.dimension), "dimension of the reference, as it was given")


def _entries(program: GaussianProgram) -> Coords:
    dim, (row, column) = "entry", np.tril_indices(program.dimension)
    where = "of the entry in the lower triangle"
    return {
        **coord(dim, dim, np.arange(row.size), "entry of the factor, row by row"),
        **coord(dim, "row", row, f"row {where}"),
        **coord(dim, "column", column, f"column {where}"),
    }


COORDS = {"level": _levels, "dimension": _dimension, "entry": _entries}


def _models(program: GaussianProgram) -> int:
    """Models that are remembered, so that items of theirs can be made again."""
    if program.draw is not None:
        return program.generations
    drawn = program.from_kept[:-1]
    return int(((drawn > 0) & (drawn < program.kept)).any())

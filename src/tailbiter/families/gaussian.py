# SPDX-License-Identifier: MIT
"""Normal laws: the mean and the covariance of a training set, by sufficient statistics."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import FAMILIES, Variable
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import gaussian as core
    from tailbiter._core.common import Control
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


@dataclass(frozen=True, eq=False, repr=False)
class GaussianProgram:
    """What the Gaussian engine runs. Equal programs give equal bits.

    Arrays over generations have T + 1 entries, as those of `Program` have, and mean the same.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    mean : float64[d]
        Of the reference.
    factor : float64[d (d + 1) / 2]
        Lower Cholesky factor of the reference's covariance, row by row.
    ddof : int
        Of the divisor.
    samples, fresh, from_kept : uint64[T + 1]
        Size of the batch; fresh human items in it; items of the kept human set in it.
    kept : int
        Size of the kept human set.
    item_weights : uint64[T + 1, 3] or None
        Weight of an item that is synthetic, fresh, from the kept set; None where every item counts once.
    ages : uint64[k]
        Weight of an item by the age of its batch; empty for all batches alike.
    draw : uint64[T + 1] or None
        Size of the subsample that is trained on.
    at : uint32[n]
        Generations to record, ascending.
    variables : tuple of str
        Variables to keep.
    """

    key: int
    mean: Floats
    factor: Floats
    ddof: int
    samples: Words
    fresh: Words
    kept: int
    from_kept: Words
    item_weights: Words | None
    ages: Words
    draw: Words | None
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return len(self.mean)

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    def __repr__(self) -> str:
        size = f"{self.dimension:,} dimensions, {self.generations:,} generations"
        return f"<GaussianProgram: {size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GaussianProgram):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


class GaussianFamily:
    """The Gaussian family; see `tailbiter.families.Family`."""

    def lower(self, spec: Spec, record: Record) -> GaussianProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        if record.forgotten:
            raise SpecError("record.forgotten", True, _NO_CATEGORIES, "leave it out")
        if record.snapshots:
            remedy = "leave it out, or record the variables mean and factor"
            raise SpecError("record.snapshots", record.snapshots, _NO_CATEGORIES, remedy)
        made = spec.composition
        return GaussianProgram(
            key=spec.key,
            mean=reference.mean_vector,
            factor=reference.factor,
            ddof=getattr(spec.estimator, "ddof", None) or 0,
            samples=made.samples,
            fresh=made.fresh,
            kept=made.kept,
            from_kept=made.from_kept,
            item_weights=made.item_weights,
            ages=made.ages,
            draw=made.draw,
            at=record.at(spec.generations),
            variables=record.names_of("gaussian"),
        )

    def refuse_if_too_large(self, program: GaussianProgram, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(memory(program, replicates, threads))

    def engine(self, program: GaussianProgram) -> core.Engine:
        """Return an engine that runs the program."""
        from tailbiter._core import gaussian as core

        return core.Engine(program)

    def control(self) -> Control:
        """Return what watches and stops its runs."""
        from tailbiter._core.common import Control

        return Control()

    def dataset(
        self,
        program: GaussianProgram,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        del engine  # what it filled is all there is
        known = FAMILIES["gaussian"].known
        data = {
            name: (_dims(known[name]), outputs[name], _attrs(name, program)) for name in program.variables
        }
        coords = replicate_coord(replicates) | generation_coord(program)
        dims = {known[name].dim for name in program.variables}
        for dim, coord in COORDS.items():
            coords |= coord(program) if dim in dims else {}
        sizes = {"dimensions": program.dimension, "first_sample": int(program.samples[0])}
        return xr.Dataset(data, coords, {**attrs, **sizes})

    def values(self, program: GaussianProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as they are."""
        return {name: outputs[name] for name in program.variables}

    def is_large(self, program: GaussianProgram) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record

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


def _dims(variable: Variable) -> tuple[str, ...]:
    rows = ("replicate", "generation")
    return rows if variable.dim is None else (*rows, variable.dim)


def _attrs(name: str, program: GaussianProgram) -> dict[str, Any]:
    variable = FAMILIES["gaussian"].known[name]
    attrs: dict[str, Any] = {"long_name": variable.long_name, "units": variable.units}
    if name == "log_det":
        attrs["reference"] = reference_log_det(program)
    return attrs


def reference_log_det(program: GaussianProgram) -> float:
    """Log-determinant of the reference's covariance, by the core's own logarithm."""
    from tailbiter._core import fmath

    d = program.dimension
    diagonal = program.factor[np.cumsum(np.arange(1, d + 1)) - 1]
    return 2 * float(sum(fmath.log_array(diagonal).tolist()))


def _levels(program: GaussianProgram) -> dict[str, Any]:
    del program  # the same for all
    levels = np.array(LEVELS)
    name = "share of the reference below its lower quantile, and above its upper one"
    both = "reference mass beyond either quantile"
    return {
        "level": ("level", levels, {"long_name": name, "units": "1"}),
        "level_reference_mass": ("level", 2 * levels, {"long_name": both, "units": "1"}),
    }


def _dimension(program: GaussianProgram) -> dict[str, Any]:
    attrs = {"long_name": "dimension of the reference, as it was given", "units": "1"}
    return {"dimension": ("dimension", np.arange(program.dimension), attrs)}


def _entries(program: GaussianProgram) -> dict[str, Any]:
    row, column = np.tril_indices(program.dimension)
    where = "of the entry in the lower triangle"
    return {
        "entry": (
            "entry",
            np.arange(row.size),
            {"long_name": "entry of the factor, row by row", "units": "1"},
        ),
        "row": ("entry", row, {"long_name": f"row {where}", "units": "1"}),
        "column": ("entry", column, {"long_name": f"column {where}", "units": "1"}),
    }


COORDS = {"level": _levels, "dimension": _dimension, "entry": _entries}


def memory(program: GaussianProgram, replicates: int, threads: int) -> list[Part]:
    """What a run holds, from above, part by part.

    Parameters
    ----------
    program : GaussianProgram
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    """
    from tailbiter.estimate import Part

    d, triangle = program.dimension, len(program.factor)
    known, at = FAMILIES["gaussian"].known, int(program.at.size)
    widths = {None: 1, "level": len(LEVELS), "dimension": d, "entry": triangle}
    cell = 8 * sum(widths[known[name].dim] for name in program.variables)
    running = min(threads, -(-replicates // LANES))
    blocks = LANES * 8 * running
    window = int(program.ages.size)
    remade = _models(program)
    dimensions = f"{d} dimension{'s' * (d != 1)}"
    return [
        Part(
            replicates * at * cell,
            "record.generations",
            f"{at} generations x {replicates} replicates x {len(program.variables)} variables",
            "record fewer generations or variables, or run fewer replicates",
        ),
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


def _models(program: GaussianProgram) -> int:
    """Models that are remembered, so that items of theirs can be made again."""
    if program.draw is not None:
        return program.generations
    drawn = program.from_kept[:-1]
    return int(((drawn > 0) & (drawn < program.kept)).any())

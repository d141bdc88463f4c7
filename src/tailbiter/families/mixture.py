# SPDX-License-Identifier: MIT
"""Mixtures of normal laws, fitted to training sets by expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import FAMILIES
from tailbiter.errors import SpecError
from tailbiter.families._mixture_values import DERIVED

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import mixture as core
    from tailbiter._core.common import Control
    from tailbiter.estimate import Part
    from tailbiter.families._mixture_summary import MixtureSummary
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["FAMILY", "MixtureFamily", "MixtureProgram"]

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

# What the engine records, by the name of the variable that it is or that follows from it.
SOURCES = {
    "components_alive": "alive",
    "components_singular": "singular",
    "weight_drift": "weights",
    "component_mean_error": "means",
    "component_log_det": "factors",
}
ALL = -1  # stands for every component, row or column in the coordinates of factors
_NO_CATEGORIES = "is about categories, which a mixture reference has none of"


@dataclass(frozen=True, eq=False, repr=False)
class MixtureProgram:
    """What the mixture engine runs. Equal programs give equal bits.

    Arrays over generations have T + 1 entries, as those of `Program` have, and mean the same.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    weights : float64[K]
        Of the reference.
    means : float64[K, d]
        Of the reference.
    factors : float64
        Of the reference's covariances, as `GaussianMixture.factors` has them.
    covariance : str
        Type of the covariances.
    start : str
        Where the fit of a generation begins.
    floor, tolerance : float
        Of the fit.
    iterations : int
        Of the fit, at most.
    memory : int
        Bytes for items of past batches in each thread, 0 for the engine's own choice; changes no bit.
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
    weights: Floats
    means: Floats
    factors: Floats
    covariance: str
    start: str
    floor: float
    tolerance: float
    iterations: int
    memory: int
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
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return int(self.means.shape[1])

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    def __repr__(self) -> str:
        size = f"{self.components} components, {self.dimension} dimensions, {self.generations:,} generations"
        return f"<MixtureProgram: {size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MixtureProgram):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


class MixtureFamily:
    """The family of mixtures; see `tailbiter.families.Family`."""

    def lower(self, spec: Spec, record: Record) -> MixtureProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        if record.forgotten:
            raise SpecError("record.forgotten", True, _NO_CATEGORIES, "leave it out")
        if record.snapshots:
            remedy = "leave it out, or record the variables means and factors"
            raise SpecError("record.snapshots", record.snapshots, _NO_CATEGORIES, remedy)
        made = spec.composition
        return MixtureProgram(
            key=spec.key,
            weights=reference.weight_vector,
            means=reference.mean_matrix,
            factors=reference.factors,
            covariance=reference.covariance,
            start=estimator.start,
            floor=estimator.floor,
            tolerance=estimator.tolerance,
            iterations=estimator.iterations,
            memory=0,
            samples=made.samples,
            fresh=made.fresh,
            kept=made.kept,
            from_kept=made.from_kept,
            item_weights=made.item_weights,
            ages=made.ages,
            draw=made.draw,
            at=record.at(spec.generations),
            variables=record.names_of("mixture"),
        )

    def refuse_if_too_large(self, program: MixtureProgram, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(memory(program, replicates, threads))

    def engine(self, program: MixtureProgram) -> core.Engine:
        """Return an engine that runs the program."""
        from tailbiter._core import mixture as core

        recorded = dict.fromkeys(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=tuple(recorded)))

    def control(self) -> Control:
        """Return what watches and stops its runs."""
        from tailbiter._core.common import Control

        return Control()

    def dataset(
        self,
        program: MixtureProgram,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        del engine  # what it filled is all there is
        known = FAMILIES["mixture"].known
        data: dict[str, Any] = {}
        for name, values in self.values(program, outputs).items():
            about = {"long_name": known[name].long_name, "units": known[name].units}
            data[name] = (_dims(known[name].dim), values, about)
        coords = replicate_coord(replicates) | generation_coord(program)
        dims = {known[name].dim for name in program.variables}
        for dim, coord in COORDS.items():
            coords |= coord(program) if dim in dims else {}
        sizes = {
            "components": program.components,
            "dimensions": program.dimension,
            "covariance": program.covariance,
            "first_sample": int(program.samples[0]),
        }
        return xr.Dataset(data, coords, {**attrs, **sizes})

    def values(self, program: MixtureProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records with one axis beside the rows' at most, and what follows from them."""
        return {name: _values(program, name, outputs[SOURCES.get(name, name)]) for name in program.variables}

    def is_large(self, program: MixtureProgram) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record

    def size(self, ds: xr.Dataset) -> str:
        """Say how many components and dimensions there are."""
        from tailbiter.summary import counted

        dimensions = counted(ds.attrs["dimensions"], "dimension", "dimensions")
        return f"{counted(ds.attrs['components'], 'component', 'components')} in {dimensions}"

    def summarise(self, ds: xr.Dataset) -> MixtureSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._mixture_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the weights, if the run recorded them."""
        from tailbiter.plot import save_weights

        if "weights" in ds and bool((ds["generation"] > 0).any()):
            save_weights(ds, path)


FAMILY = MixtureFamily()


def _dims(dim: str | None) -> tuple[str, ...]:
    rows = ("replicate", "generation")
    return rows if dim is None else (*rows, dim)


def _values(program: MixtureProgram, name: str, recorded: np.ndarray) -> np.ndarray:
    recorded = DERIVED[name](program, recorded) if name in DERIVED else recorded
    return recorded.reshape(*recorded.shape[:2], -1) if recorded.ndim > 3 else recorded


def _components(program: MixtureProgram) -> dict[str, Any]:
    name = {"long_name": "component of the reference, as it was given", "units": "1"}
    weight = {"long_name": "weight of the component in the reference", "units": "1"}
    return {
        "component": ("component", np.arange(program.components), name),
        "reference_weight": ("component", program.weights, weight),
    }


def _of(dim: str, name: str, values: npt.NDArray[Any], long_name: str) -> dict[str, Any]:
    return {name: (dim, values, {"long_name": long_name, "units": "1"})}


def _means(program: MixtureProgram) -> dict[str, Any]:
    dim = "component_dimension"
    component, dimension = (index.ravel() for index in np.indices(program.means.shape))
    return {
        **_of(dim, dim, np.arange(component.size), "entry of the means, component by component"),
        **_of(dim, "mean_component", component, "component that the entry belongs to"),
        **_of(dim, "mean_dimension", dimension, "dimension of the entry"),
    }


def _entries(program: MixtureProgram) -> dict[str, Any]:
    dim, (factors, length) = "entry", program.factors.shape
    if program.covariance == "spherical":
        row = column = np.array([ALL])
    elif program.covariance == "diagonal":
        row = column = np.arange(length)
    else:
        row, column = np.tril_indices(program.dimension)
    each = np.array([ALL]) if program.covariance == "tied" else np.arange(factors)
    return {
        **_of(dim, dim, np.arange(factors * length), "entry of the factors, component by component"),
        **_of(dim, "factor_component", np.repeat(each, length), f"component of the entry; {ALL}: all"),
        **_of(dim, "row", np.tile(row, factors), f"row of the entry in the lower triangle; {ALL}: all"),
        **_of(dim, "column", np.tile(column, factors), f"column of the entry; {ALL}: that of the row"),
    }


COORDS = {"component": _components, "component_dimension": _means, "entry": _entries}


def memory(program: MixtureProgram, replicates: int, threads: int) -> list[Part]:
    """What a run holds, from above, part by part.

    Parameters
    ----------
    program : MixtureProgram
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    """
    from tailbiter.estimate import Part

    known, at = FAMILIES["mixture"].known, int(program.at.size)
    widths = {
        None: 1,
        "component": program.components,
        "component_dimension": program.means.size,
        "entry": program.factors.size,
    }
    cell = 8 * sum(widths[known[name].dim] for name in program.variables)
    # What follows from the engine's records is held beside them.
    sources = {SOURCES[name] for name in program.variables if name in DERIVED}
    cell += 8 * sum(widths[known[name].dim] for name in sources - set(program.variables))
    running = min(threads, replicates)
    return [
        Part(
            replicates * at * cell,
            "record.generations",
            f"{at} generations x {replicates} replicates x {len(program.variables)} variables",
            "record fewer generations or variables, or run fewer replicates",
        ),
        Part(
            running * FAMILY.engine(program).state_bytes,
            "samples",
            f"{int(program.samples.max()):,} items in {program.dimension} dimensions",
            "draw fewer items, or use fewer threads",
        ),
    ]

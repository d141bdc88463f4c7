# SPDX-License-Identifier: MIT
"""Mixtures of normal laws, fitted to training sets by expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.families._arrays import ArrayFamily, Coords, LineageProgram, chosen, composed, coord, records
from tailbiter.families._mixture_values import DERIVED

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import mixture as core
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


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MixtureProgram(LineageProgram):
    """What the mixture engine runs. Equal programs give equal bits.

    Attributes
    ----------
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
    """

    weights: Floats
    means: Floats
    factors: Floats
    covariance: str
    start: str
    floor: float
    tolerance: float
    iterations: int
    memory: int

    @property
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @property
    def dimension(self) -> int:
        """Number of dimensions, d."""
        return int(self.means.shape[1])

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return f"{self.components} components, {self.dimension} dimensions, {super().size}"


class MixtureFamily(ArrayFamily[MixtureProgram]):
    """The family of mixtures; see `tailbiter.families.Family`."""

    name = "mixture"
    instead = "leave it out, or record the variables means and factors"

    def lower(self, spec: Spec, record: Record) -> MixtureProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        self.refuse(record)
        return MixtureProgram(
            **composed(spec, record, self.name),
            weights=reference.weight_vector,
            means=reference.mean_matrix,
            factors=reference.factors,
            covariance=reference.covariance,
            start=estimator.start,
            floor=estimator.floor,
            tolerance=estimator.tolerance,
            iterations=estimator.iterations,
            memory=0,
        )

    def known_split(self, program: MixtureProgram) -> core.Engine:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter._core import mixture as core

        recorded = dict.fromkeys(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=tuple(recorded)))

    def coords(self, program: MixtureProgram, engine: Any, dims: set[str]) -> Coords:
        """Return components, and entries of means and of factors."""
        del engine
        return chosen(COORDS, program, dims)

    def sizes(self, program: MixtureProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        return {
            "components": program.components,
            "dimensions": program.dimension,
            "covariance": program.covariance,
            "first_sample": int(program.samples[0]),
        }

    def values(self, program: MixtureProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records with one axis beside the rows' at most, and what follows from them."""
        return {name: _values(program, name, outputs[SOURCES.get(name, name)]) for name in program.variables}

    def memory(self, program: MixtureProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part

        widths = {
            None: 1,
            "component": program.components,
            "component_dimension": program.means.size,
            "entry": program.factors.size,
        }
        # What follows from the engine's records is held beside them.
        sources = {SOURCES[name] for name in program.variables if name in DERIVED} - set(program.variables)
        running = min(threads, replicates)
        return [
            records(self.name, program, replicates, widths, sources),
            Part(
                running * self.engine(program).state_bytes,
                "samples",
                f"{int(program.samples.max()):,} items in {program.dimension} dimensions",
                "draw fewer items, or use fewer threads",
            ),
        ]

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


def _values(program: MixtureProgram, name: str, recorded: np.ndarray) -> np.ndarray:
    recorded = DERIVED[name](program, recorded) if name in DERIVED else recorded
    return recorded.reshape(*recorded.shape[:2], -1) if recorded.ndim > 3 else recorded


def _components(program: MixtureProgram) -> Coords:
    dim, name = "component", "component of the reference, as it was given"
    return {
        **coord(dim, dim, np.arange(program.components), name),
        **coord(dim, "reference_weight", program.weights, "weight of the component in the reference"),
    }


def _means(program: MixtureProgram) -> Coords:
    dim = "component_dimension"
    component, dimension = (index.ravel() for index in np.indices(program.means.shape))
    return {
        **coord(dim, dim, np.arange(component.size), "entry of the means, component by component"),
        **coord(dim, "mean_component", component, "component that the entry belongs to"),
        **coord(dim, "mean_dimension", dimension, "dimension of the entry"),
    }


def _entries(program: MixtureProgram) -> Coords:
    dim, (factors, length) = "entry", program.factors.shape
    if program.covariance == "spherical":
        row = column = np.array([ALL])
    elif program.covariance == "diagonal":
        row = column = np.arange(length)
    else:
        row, column = np.tril_indices(program.dimension)
    each = np.array([ALL]) if program.covariance == "tied" else np.arange(factors)
    return {
        **coord(dim, dim, np.arange(factors * length), "entry of the factors, component by component"),
        **coord(dim, "factor_component", np.repeat(each, length), f"component of the entry; {ALL}: all"),
        **coord(dim, "row", np.tile(row, factors), f"row of the entry in the lower triangle; {ALL}: all"),
        **coord(dim, "column", np.tile(column, factors), f"column of the entry; {ALL}: that of the row"),
    }


COORDS = {"component": _components, "component_dimension": _means, "entry": _entries}

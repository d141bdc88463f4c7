# SPDX-License-Identifier: MIT
"""Mixtures of laws that users write and Numba compiles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._compose import Composition
from tailbiter.errors import SpecError
from tailbiter.families._arrays import ArrayFamily, Coords, chosen, coord, records
from tailbiter.families._crawl import Crawled, crawled
from tailbiter.jit import Family as Laws

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

__all__ = ["FAMILY", "UserFamily", "UserProgram"]

Floats = npt.NDArray[np.float64]
BITS = "of compiled rules: the same on one machine, whatever threads and order; outside the promise elsewhere"
_NO_CATEGORIES = "is about categories, which laws that users write have none of"


@dataclass(frozen=True, eq=False, repr=False)
class UserProgram:
    """What is run of a mixture of laws that users write. Equal programs give equal bits on one machine.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    laws : Family
        That the components' laws are of.
    weights : float64[K]
        Of the reference.
    parameters : float64[K, m]
        Of the reference.
    floor, tolerance : float
        Of the fit.
    iterations : int
        Of the fit, at most.
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
    laws: Laws
    weights: Floats
    parameters: Floats
    floor: float
    tolerance: float
    iterations: int
    made: Composition
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]
    crawl: Crawled | None = None

    @property
    def components(self) -> int:
        """Number of components, K."""
        return len(self.weights)

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.made.samples) - 1

    def __repr__(self) -> str:
        size = f"{self.components} components of {self.laws.name}, {self.generations:,} generations"
        return f"<UserProgram: {size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UserProgram):
            return NotImplemented
        own, others = (_plain(program) for program in (self, other))
        return all(np.array_equal(own[name], others[name]) for name in own)

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


def _plain(program: UserProgram) -> dict[str, Any]:
    """Every field, those of the composition beside the others."""
    out = {f.name: getattr(program, f.name) for f in fields(program) if f.name != "made"}
    return {**out, **{f.name: getattr(program.made, f.name) for f in fields(program.made)}}


class UserFamily(ArrayFamily[UserProgram]):
    """The family of such mixtures; see `tailbiter.families.Family`."""

    name = "user"

    def lower(self, spec: Spec, record: Record) -> UserProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        self.refuse(record)
        if estimator.start != "warm":
            problem = "begins at clusters found anew, which a fit written by a user cannot"
            raise SpecError("estimator.start", estimator.start, problem, 'give "warm", or leave it out')
        return UserProgram(
            key=spec.key,
            laws=reference.laws,
            weights=reference.weight_vector,
            parameters=reference.parameter_matrix,
            floor=estimator.floor,
            tolerance=estimator.tolerance,
            iterations=estimator.iterations,
            made=spec.composition,
            at=record.at(spec.generations),
            variables=record.names_of("user", spec.also_recorded),
            crawl=crawled(spec),
        )

    def known_split(self, program: UserProgram) -> Engine[Any]:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter.jit._lineage import Engine
        from tailbiter.jit._mixture import Law, MixtureModel

        settings = (program.floor, program.tolerance, program.iterations)
        law = Law(program.weights, program.parameters)
        wanted = dict.fromkeys("weights" if name == "weight_drift" else name for name in program.variables)
        return Engine(program, MixtureModel(program.laws, law, settings, tuple(wanted)))

    def control(self) -> core.Control:
        """Return what watches and stops its runs."""
        from tailbiter._core import item as core

        return core.Control()

    def coords(self, program: UserProgram, engine: Any, dims: set[str]) -> Coords:
        """Return components, entries of the parameters, and dimensions of an item."""
        del engine
        return chosen(COORDS, program, dims)

    def sizes(self, program: UserProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        import numba

        return {
            "components": program.components,
            "dimensions": program.laws.dimension,
            "laws": program.laws.name,
            "first_sample": int(program.made.samples[0]),
            "bits": BITS,
            "numba": numba.__version__,
        }

    def values(self, program: UserProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records with one axis beside the rows' at most, and what follows from them."""
        return {name: _values(program, name, outputs) for name in program.variables}

    def memory(self, program: UserProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part
        from tailbiter.jit._lineage import stored_items

        d = program.laws.dimension
        widths = {
            None: 1,
            "component": program.components,
            "component_parameter": program.parameters.size,
            "item_dimension": d,
        }
        items = stored_items(program.made)
        # A batch and the training set that it joins; weights, responsibilities, and what a fit makes of them.
        each = 8 * (3 * d + 4 + program.components)
        return [
            records(self.name, program, replicates, widths),
            Part(
                min(threads, replicates) * items * each,
                "samples",
                f"training sets of {items:,} items, held whole",
                "draw fewer items, let batches go (Window, Replace), or use fewer threads",
            ),
        ]

    def size(self, ds: xr.Dataset) -> str:
        """Say how many components there are, and of what."""
        from tailbiter.summary import counted

        return f"{counted(ds.attrs['components'], 'component', 'components')} of {ds.attrs['laws']}"

    def summarise(self, ds: xr.Dataset) -> UserSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._user_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the weights, if there are several and the run recorded them."""
        from tailbiter.plot import save_weights

        if ds.attrs["components"] > 1 and "weights" in ds and bool((ds["generation"] > 0).any()):
            save_weights(ds, path)


FAMILY = UserFamily()


def _values(program: UserProgram, name: str, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    if name == "weight_drift":
        return np.abs(outputs["weights"] - program.weights).sum(axis=2) / 2
    recorded = outputs[name]
    return recorded.reshape(*recorded.shape[:2], -1) if recorded.ndim > 3 else recorded


def _components(program: UserProgram) -> dict[str, Any]:
    dim, name = "component", "component of the reference, as it was given"
    return {
        **coord(dim, dim, np.arange(program.components), name),
        **coord(dim, "reference_weight", program.weights, "weight of the component in the reference"),
    }


def _parameters(program: UserProgram) -> dict[str, Any]:
    dim, names = "component_parameter", np.array(list(program.laws.parameters))
    component, which = (index.ravel() for index in np.indices(program.parameters.shape))
    reference = "value of the parameter in the reference"
    return {
        **coord(dim, dim, np.arange(component.size), "entry of the parameters, component by component"),
        **coord(dim, "parameter_component", component, "component that the entry belongs to"),
        **coord(dim, "parameter", names[which], "name of the parameter"),
        **coord(dim, "reference_parameter", program.parameters.ravel(), reference),
    }


def _dimensions(program: UserProgram) -> dict[str, Any]:
    dim = "item_dimension"
    return coord(dim, dim, np.arange(program.laws.dimension), "dimension of an item")


COORDS = {"component": _components, "component_parameter": _parameters, "item_dimension": _dimensions}

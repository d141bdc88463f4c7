# SPDX-License-Identifier: MIT
"""Mixtures of categorical laws, fitted to documents by expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.errors import SpecError
from tailbiter.families._arrays import ArrayFamily, Coords, LineageProgram, chosen, composed, coord, records

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import documents as core
    from tailbiter.estimate import Part
    from tailbiter.families._documents_summary import DocumentsSummary
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["FAMILY", "DocumentsFamily", "DocumentsProgram"]

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

NAME = "categorical_mixture"
# What the engine records, by the name of the variable that follows from it.
SOURCES = {"weight_drift": "weights"}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DocumentsProgram(LineageProgram):
    """What the engine of documents runs. Equal programs give equal bits.

    Items are documents.

    Attributes
    ----------
    weights, probabilities : float64[K], float64[K, C]
        Of the reference.
    lengths : uint32[n]
        Tokens of the documents of a batch, in turn.
    floor, tolerance, iterations : float, float, int
        Of the fit.
    """

    weights: Floats
    probabilities: Floats
    lengths: npt.NDArray[np.uint32]
    floor: float
    tolerance: float
    iterations: int

    @property
    def size(self) -> str:
        """How large it is, in words."""
        components, categories = self.probabilities.shape
        return f"{components} components, {categories:,} categories, {super().size}"


class DocumentsFamily(ArrayFamily[DocumentsProgram]):
    """The family of mixtures of categorical laws; see `tailbiter.families.Family`."""

    name = "categorical_mixture"

    def lower(self, spec: Spec, record: Record) -> DocumentsProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        self.refuse(record)
        return DocumentsProgram(
            **composed(spec, record, self.name),
            weights=reference.weight_vector,
            probabilities=reference.probability_matrix,
            lengths=reference.lengths,
            floor=estimator.floor,
            tolerance=estimator.tolerance,
            iterations=estimator.iterations,
        )

    def known_split(self, program: DocumentsProgram) -> core.Engine:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter._core import documents as core

        recorded = dict.fromkeys(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=tuple(recorded)))

    def refuse(self, record: Record) -> None:
        """Raise for what is recorded of one law alone."""
        for name in ("forgotten", "snapshots"):
            if value := getattr(record, name):
                problem = "is about one law of categories, not a mixture of several"
                remedy = "leave it out, or record the variable probabilities"
                raise SpecError(f"record.{name}", value, problem, remedy)

    def coords(self, program: DocumentsProgram, engine: Any, dims: set[str]) -> Coords:
        """Return components, and entries of the probabilities."""
        del engine
        return chosen({"component": _components, "entry": _entries}, program, dims)

    def sizes(self, program: DocumentsProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        components, categories = program.probabilities.shape
        return {
            "components": components,
            "categories": categories,
            "first_sample": int(program.samples[0]),
        }

    def values(self, program: DocumentsProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records with one axis beside the rows' at most, and what follows from them."""
        return {name: _values(program, name, outputs[SOURCES.get(name, name)]) for name in program.variables}

    def memory(self, program: DocumentsProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part

        widths = {None: 1, "component": len(program.weights), "entry": program.probabilities.size}
        # What follows from the weights is held beside them.
        sources = {SOURCES[name] for name in program.variables if name in SOURCES} - set(program.variables)
        running = min(threads, replicates)
        most, longest = int(program.samples.max()), int(program.lengths.max())
        return [
            records(self.name, program, replicates, widths, sources),
            Part(
                running * self.engine(program).state_bytes,
                "samples",
                f"documents of up to {longest:,} tokens, {most:,} a batch",
                "draw fewer documents, use a regime of fewer batches, or fewer threads",
            ),
        ]

    def size(self, ds: xr.Dataset) -> str:
        """Say how many components and categories there are."""
        from tailbiter.summary import counted

        components = counted(ds.attrs["components"], "component", "components")
        return f"{components} over {counted(ds.attrs['categories'], 'category', 'categories')}"

    def summarise(self, ds: xr.Dataset) -> DocumentsSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._documents_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the weights, if the run recorded them."""
        from tailbiter.plot import save_weights

        if "weights" in ds and bool((ds["generation"] > 0).any()):
            save_weights(ds, path)


FAMILY = DocumentsFamily()


def _values(program: DocumentsProgram, name: str, recorded: np.ndarray) -> np.ndarray:
    if name == "weight_drift":
        # One component after the other: the order of a sum must not depend on numpy's build.
        drift = np.zeros(recorded.shape[:2])
        for k, weight in enumerate(program.weights):
            drift += np.abs(recorded[:, :, k] - weight)
        return drift / 2
    return recorded.reshape(*recorded.shape[:2], -1) if recorded.ndim > 3 else recorded


def _components(program: DocumentsProgram) -> Coords:
    dim, name = "component", "component of the reference, as it was given"
    alive, held = (
        (program.probabilities > 0).sum(axis=1),
        "categories that the component has in the reference",
    )
    return {
        **coord(dim, dim, np.arange(len(program.weights)), name),
        **coord(dim, "reference_weight", program.weights, "weight of the component in the reference"),
        **coord(dim, "component_categories", alive, held),
    }


def _entries(program: DocumentsProgram) -> Coords:
    component, category = (index.ravel() for index in np.indices(program.probabilities.shape))
    dim = "entry"
    return {
        **coord(dim, dim, np.arange(component.size), "entry of the probabilities, component by component"),
        **coord(dim, "entry_component", component, "component of the entry"),
        **coord(dim, "entry_category", category, "category of the entry, as it was given"),
    }

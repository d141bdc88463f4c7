# SPDX-License-Identifier: MIT
"""Mixtures of categorical laws, fitted to documents by expectation and maximisation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import FAMILIES
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import documents as core
    from tailbiter._core.common import Control
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


@dataclass(frozen=True, eq=False, repr=False)
class DocumentsProgram:
    """What the engine of documents runs. Equal programs give equal bits.

    Arrays over generations have T + 1 entries, as those of `Program` have, and mean the same; items are
    documents.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    weights, probabilities : float64[K], float64[K, C]
        Of the reference.
    lengths : uint32[n]
        Tokens of the documents of a batch, in turn.
    floor, tolerance, iterations : float, float, int
        Of the fit.
    samples, fresh, from_kept : uint64[T + 1]
        Size of the batch; fresh human documents in it; documents of the kept human set in it.
    kept : int
        Size of the kept human set.
    item_weights : uint64[T + 1, 3] or None
        Weight of a document that is synthetic, fresh, from the kept set; None where every one counts once.
    ages : uint64[k]
        Weight of a document by the age of its batch; empty for all batches alike.
    draw : uint64[T + 1] or None
        Size of the subsample that is trained on.
    at : uint32[n]
        Generations to record, ascending.
    variables : tuple of str
        Variables to keep.
    """

    key: int
    weights: Floats
    probabilities: Floats
    lengths: npt.NDArray[np.uint32]
    floor: float
    tolerance: float
    iterations: int
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
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    def __repr__(self) -> str:
        components, categories = self.probabilities.shape
        size = f"{components} components, {categories:,} categories, {self.generations:,} generations"
        return f"<DocumentsProgram: {size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DocumentsProgram):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


class DocumentsFamily:
    """The family of mixtures of categorical laws; see `tailbiter.families.Family`."""

    def lower(self, spec: Spec, record: Record) -> DocumentsProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        estimator: Any = spec.estimator
        for name in ("forgotten", "snapshots"):
            if value := getattr(record, name):
                problem = "is about one law of categories, not a mixture of several"
                remedy = "leave it out, or record the variable probabilities"
                raise SpecError(f"record.{name}", value, problem, remedy)
        made = spec.composition
        return DocumentsProgram(
            key=spec.key,
            weights=reference.weight_vector,
            probabilities=reference.probability_matrix,
            lengths=reference.lengths,
            floor=estimator.floor,
            tolerance=estimator.tolerance,
            iterations=estimator.iterations,
            samples=made.samples,
            fresh=made.fresh,
            kept=made.kept,
            from_kept=made.from_kept,
            item_weights=made.item_weights,
            ages=made.ages,
            draw=made.draw,
            at=record.at(spec.generations),
            variables=record.names_of(NAME),
        )

    def refuse_if_too_large(self, program: DocumentsProgram, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(memory(program, replicates, threads))

    def engine(self, program: DocumentsProgram) -> core.Engine:
        """Return an engine that runs the program."""
        from tailbiter._core import documents as core

        recorded = dict.fromkeys(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=tuple(recorded)))

    def control(self) -> Control:
        """Return what watches and stops its runs."""
        from tailbiter._core.common import Control

        return Control()

    def dataset(
        self,
        program: DocumentsProgram,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        del engine  # what it filled is all there is
        known = FAMILIES[NAME].known
        rows = ("replicate", "generation")
        data: dict[str, Any] = {}
        for name, values in self.values(program, outputs).items():
            about = {"long_name": known[name].long_name, "units": known[name].units}
            dim = known[name].dim
            data[name] = (rows if dim is None else (*rows, dim), values, about)
        coords = replicate_coord(replicates) | generation_coord(program)
        dims = {known[name].dim for name in program.variables}
        coords |= _components(program) if "component" in dims else {}
        coords |= _entries(program) if "entry" in dims else {}
        components, categories = program.probabilities.shape
        sizes = {"components": components, "categories": categories, "first_sample": int(program.samples[0])}
        return xr.Dataset(data, coords, {**attrs, **sizes})

    def values(self, program: DocumentsProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records with one axis beside the rows' at most, and what follows from them."""
        return {name: _values(program, name, outputs[SOURCES.get(name, name)]) for name in program.variables}

    def is_large(self, program: DocumentsProgram) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record

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


def _coords(dim: str, about: dict[str, tuple[npt.NDArray[Any], str]]) -> dict[str, Any]:
    return {name: (dim, values, {"long_name": said, "units": "1"}) for name, (values, said) in about.items()}


def _components(program: DocumentsProgram) -> dict[str, Any]:
    about = {
        "component": (np.arange(len(program.weights)), "component of the reference, as it was given"),
        "reference_weight": (program.weights, "weight of the component in the reference"),
        "component_categories": (
            (program.probabilities > 0).sum(axis=1),
            "categories that the component has in the reference",
        ),
    }
    return _coords("component", about)


def _entries(program: DocumentsProgram) -> dict[str, Any]:
    component, category = (index.ravel() for index in np.indices(program.probabilities.shape))
    about = {
        "entry": (np.arange(component.size), "entry of the probabilities, component by component"),
        "entry_component": (component, "component of the entry"),
        "entry_category": (category, "category of the entry, as it was given"),
    }
    return _coords("entry", about)


def memory(program: DocumentsProgram, replicates: int, threads: int) -> list[Part]:
    """What a run holds, from above, part by part.

    Parameters
    ----------
    program : DocumentsProgram
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    """
    from tailbiter.estimate import Part

    known, at = FAMILIES[NAME].known, int(program.at.size)
    widths = {None: 1, "component": len(program.weights), "entry": program.probabilities.size}
    # What follows from the weights is held beside them.
    cell = 8 * sum(widths[known[name].dim] for name in program.variables)
    cell += 8 * len(program.weights) * ("weight_drift" in program.variables)
    running = min(threads, replicates)
    most, longest = int(program.samples.max()), int(program.lengths.max())
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
            f"documents of up to {longest:,} tokens, {most:,} a batch",
            "draw fewer documents, use a regime of fewer batches, or fewer threads",
        ),
    ]

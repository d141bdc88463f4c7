# SPDX-License-Identifier: MIT
"""What families have in common whose records are arrays of a fixed width, filled by an engine as they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from tailbiter._checks import with_article
from tailbiter._variables import FAMILIES
from tailbiter.errors import SpecError
from tailbiter.families._crawl import Crawled, crawled, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import xarray as xr

    from tailbiter._core.common import Control
    from tailbiter.estimate import Part
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["ArrayFamily", "Coords", "LineageProgram", "chosen", "composed", "coord", "records"]

Words = npt.NDArray[np.uint64]
Coords = dict[str, tuple[str, npt.NDArray[Any], dict[str, str]]]


class Recorded(Protocol):
    """A program: it says what is recorded."""

    @property
    def at(self) -> npt.NDArray[np.uint32]:
        """Generations, ascending."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables."""


P = TypeVar("P", bound=Recorded)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LineageProgram:
    """What every engine of sufficient statistics or items must know. Equal programs give equal bits.

    Arrays over generations have T + 1 entries, as those of `Program` have, and mean the same.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
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
    crawl : Crawled or None
        What is kept of crawls; then no item is counted as fresh.
    """

    key: int
    samples: Words
    fresh: Words
    kept: int
    from_kept: Words
    item_weights: Words | None
    ages: Words
    draw: Words | None
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]
    crawl: Crawled | None = None

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return f"{self.generations:,} generations"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


def composed(spec: Spec, record: Record, family: str) -> dict[str, Any]:
    """Return the fields of a `LineageProgram`."""
    made = spec.composition
    own = {f.name for f in fields(made)} & {f.name for f in fields(LineageProgram)}
    return {
        "key": spec.key,
        **{name: getattr(made, name) for name in own},
        "at": record.at(spec.generations),
        "variables": record.names_of(family, spec.also_recorded),
        "crawl": crawled(spec),
    }


class ArrayFamily(ABC, Generic[P]):
    """The parts of a `Family` that follow from its name, its memory and its coordinates.

    Attributes
    ----------
    name : str
        As ``tailbiter._variables`` has it.
    instead : str
        What to do in place of snapshots.
    """

    name: str
    instead: ClassVar[str] = "leave it out"

    @abstractmethod
    def known_split(self, program: P) -> Any:
        """Return an engine that runs a program whose human items are known before the run."""

    @abstractmethod
    def memory(self, program: P, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part.

        Parameters
        ----------
        program : P
            What would be run.
        replicates, threads : int
            How many, and how many at a time.
        """

    @abstractmethod
    def coords(self, program: P, engine: Any, dims: set[str]) -> Coords:
        """Return coordinates of the dims that recorded variables have beside replicates and generations."""

    @abstractmethod
    def sizes(self, program: P) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""

    def refuse(self, record: Record) -> None:
        """Raise for what is recorded of categories alone."""
        for name, remedy in (("forgotten", "leave it out"), ("snapshots", self.instead)):
            if value := getattr(record, name):
                problem = f"is about categories, which {with_article(self.name)} reference has none of"
                raise SpecError(f"record.{name}", value, problem, remedy)

    def refuse_if_too_large(self, program: P, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(self.memory(program, replicates, threads))

    def engine(self, program: P) -> Any:
        """Return an engine that runs the program; what users wrote is compiled here."""
        return engine_of(program, self.known_split)

    def control(self) -> Control:
        """Return what watches and stops its runs."""
        from tailbiter._core.common import Control

        return Control()

    def dataset(
        self,
        program: P,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        known = FAMILIES[self.name].known
        data: dict[str, Any] = {}
        for name, values in self.values(program, outputs).items():
            dim = known[name].dim
            dims = ("replicate", "generation") if dim is None else ("replicate", "generation", dim)
            data[name] = (dims, values, self.about(program, name))
        used = {dim for name in program.variables if (dim := known[name].dim) is not None}
        coords = replicate_coord(replicates) | generation_coord(program)
        coords |= self.coords(program, engine, used)
        return xr.Dataset(data, coords, {**attrs, **self.sizes(program)})

    def about(self, program: P, name: str) -> dict[str, Any]:
        """Return the attributes of a variable."""
        del program
        variable = FAMILIES[self.name].known[name]
        return {"long_name": variable.long_name, "units": variable.units}

    def values(self, program: P, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as they are."""
        return {name: outputs[name] for name in program.variables}

    def is_large(self, program: P) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record


def chosen(coords: Mapping[str, Callable[[P], Coords]], program: P, dims: set[str]) -> Coords:
    """Return the coordinates of some dims, each made by its own function."""
    made = (of(program) for dim, of in coords.items() if dim in dims)
    return {name: value for some in made for name, value in some.items()}


def coord(dim: str, name: str, values: npt.NDArray[Any], long_name: str) -> Coords:
    """Return a coordinate without a unit."""
    return {name: (dim, values, {"long_name": long_name, "units": "1"})}


def records(
    family: str,
    program: Recorded,
    replicates: int,
    widths: Mapping[str | None, int],
    beside: Iterable[str] = (),
) -> Part:
    """Return the memory of what is recorded, and of variables that it follows from, held ``beside`` it.

    ``widths`` are the numbers that each dim of a variable stands for.
    """
    from tailbiter.estimate import Part

    known, at = FAMILIES[family].known, int(program.at.size)
    cell = 8 * sum(widths[known[name].dim] for name in (*program.variables, *beside))
    return Part(
        replicates * at * cell,
        "record.generations",
        f"{at} generations x {replicates} replicates x {len(program.variables)} variables",
        "record fewer generations or variables, or run fewer replicates",
    )

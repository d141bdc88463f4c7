# SPDX-License-Identifier: MIT
"""Poisson and exponential laws: models that are fitted by the sum of their training set."""

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

    from tailbiter._core import totals as core
    from tailbiter._core.common import Control
    from tailbiter.estimate import Part
    from tailbiter.families._totals_summary import TotalsSummary
    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["TotalsFamily", "TotalsProgram"]

Words = npt.NDArray[np.uint64]

LEVELS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LANES = 8  # lineages that the engine runs side by side
# What the engine records, by the name that its variable has in the family.
SOURCES = {"rate": "mean", "scale": "mean", "log_rate": "log_mean", "log_scale": "log_mean"}


@dataclass(frozen=True, eq=False, repr=False)
class TotalsProgram:
    """What the engine of sums runs. Equal programs give equal bits.

    Arrays over generations have T + 1 entries, as those of `Program` have, and mean the same.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    law : str
        "poisson" or "exponential".
    reference : float
        Mean of the reference: its rate or its scale.
    samples, fresh, from_kept : uint64[T + 1]
        Size of the batch; fresh human items in it; items of the kept human set in it.
    kept : int
        Size of the kept human set.
    item_weights : uint64[T + 1, 3] or None
        Weight of an item that is synthetic, fresh, from the kept set; None where every item counts once.
    ages : uint64[k]
        Weight of an item by the age of its batch; empty for all batches alike.
    at : uint32[n]
        Generations to record, ascending.
    variables : tuple of str
        Variables to keep.
    """

    key: int
    law: str
    reference: float
    samples: Words
    fresh: Words
    kept: int
    from_kept: Words
    item_weights: Words | None
    ages: Words
    at: npt.NDArray[np.uint32]
    variables: tuple[str, ...]

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    def __repr__(self) -> str:
        return f"<TotalsProgram: {self.law}, {self.generations:,} generations, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TotalsProgram):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, and large


class TotalsFamily:
    """A family whose models have one parameter, their mean; see `tailbiter.families.Family`.

    Parameters
    ----------
    law : {"poisson", "exponential"}
        Name of the family, and of the law in the engine.
    """

    def __init__(self, law: str) -> None:
        self.law = law

    def lower(self, spec: Spec, record: Record) -> TotalsProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        for name in ("forgotten", "snapshots"):
            if value := getattr(record, name):
                problem = f"is about categories, which {self.law} models have none of"
                raise SpecError(f"record.{name}", value, problem, "leave it out")
        made = spec.composition
        return TotalsProgram(
            key=spec.key,
            law=self.law,
            reference=reference.mean,
            samples=made.samples,
            fresh=made.fresh,
            kept=made.kept,
            from_kept=made.from_kept,
            item_weights=made.item_weights,
            ages=made.ages,
            at=record.at(spec.generations),
            variables=record.names_of(self.law),
        )

    def refuse_if_too_large(self, program: TotalsProgram, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_parts

        refuse_parts(memory(program, replicates, threads))

    def engine(self, program: TotalsProgram) -> core.Engine:
        """Return an engine that runs the program."""
        from tailbiter._core import totals as core

        recorded = tuple(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=recorded))

    def control(self) -> Control:
        """Return what watches and stops its runs."""
        from tailbiter._core.common import Control

        return Control()

    def dataset(
        self,
        program: TotalsProgram,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        import xarray as xr

        from tailbiter.dataset import generation_coord, replicate_coord

        known = FAMILIES[self.law].known
        rows = ("replicate", "generation")
        data: dict[str, Any] = {}
        for name, values in self.values(program, outputs).items():
            about = {"long_name": known[name].long_name, "units": known[name].units}
            dim = known[name].dim
            data[name] = (rows if dim is None else (*rows, dim), values, about)
        coords = replicate_coord(replicates) | generation_coord(program)
        if any(known[name].dim for name in program.variables):
            coords |= _levels(*engine.reference_mass())
        sizes = {"reference_mean": program.reference, "first_sample": int(program.samples[0])}
        return xr.Dataset(data, coords, {**attrs, **sizes})

    def values(self, program: TotalsProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as they are, by the family's own names."""
        return {name: outputs[SOURCES.get(name, name)] for name in program.variables}

    def is_large(self, program: TotalsProgram) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes: it never is."""
        del program
        return False

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record as it is: what a summary needs is in the standard set."""
        del spec
        return record

    def size(self, ds: xr.Dataset) -> str:
        """Say what the law is."""
        return f"{self.law} law of mean {ds.attrs['reference_mean']:g}"

    def summarise(self, ds: xr.Dataset) -> TotalsSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._totals_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the upper tail, if the run recorded it."""
        from tailbiter.plot import save_tails

        if "mass_above" in ds and bool((ds["generation"] > 0).any()):
            save_tails(ds, path)


def _levels(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> dict[str, Any]:
    name = "share of the reference that no quantile leaves more than beyond itself"
    return {
        "level": ("level", np.array(LEVELS), {"long_name": name, "units": "1"}),
        "level_reference_above": (
            "level",
            above,
            {"long_name": "reference mass above the upper quantile", "units": "1"},
        ),
        "level_reference_below": (
            "level",
            below,
            {"long_name": "reference mass below the lower quantile", "units": "1"},
        ),
    }


def memory(program: TotalsProgram, replicates: int, threads: int) -> list[Part]:
    """What a run holds, from above, part by part.

    Parameters
    ----------
    program : TotalsProgram
        What would be run.
    replicates, threads : int
        How many, and how many at a time.
    """
    from tailbiter.estimate import Part

    known, at = FAMILIES[program.law].known, int(program.at.size)
    cell = 8 * sum(len(LEVELS) if known[name].dim else 1 for name in program.variables)
    running = min(threads, -(-replicates // LANES))
    window = min(int(program.ages.size), program.generations)
    return [
        Part(
            replicates * at * cell,
            "record.generations",
            f"{at} generations x {replicates} replicates x {len(program.variables)} variables",
            "record fewer generations or variables, or run fewer replicates",
        ),
        # Of each batch that is remembered: sums, exponents and a weight.
        Part(
            running * (window + 8) * (12 * LANES + 8),
            "regime.k" if len(set(program.ages.tolist())) == 1 else "regime.ages",
            f"{window} batches",
            "use a shorter window or fewer threads",
        ),
    ]

# SPDX-License-Identifier: MIT
"""Poisson and exponential laws: models that are fitted by the sum of their training set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.families._arrays import ArrayFamily, Coords, LineageProgram, composed, coord, records

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import xarray as xr

    from tailbiter._core import totals as core
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


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TotalsProgram(LineageProgram):
    """What the engine of sums runs. Equal programs give equal bits.

    Attributes
    ----------
    law : str
        "poisson" or "exponential".
    reference : float
        Mean of the reference: its rate or its scale.
    """

    law: str
    reference: float

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return f"{self.law}, {super().size}"


class TotalsFamily(ArrayFamily[TotalsProgram]):
    """A family whose models have one parameter, their mean; see `tailbiter.families.Family`.

    Parameters
    ----------
    law : {"poisson", "exponential"}
        Name of the family, and of the law in the engine.
    """

    def __init__(self, law: str) -> None:
        self.name = law

    def lower(self, spec: Spec, record: Record) -> TotalsProgram:
        """Turn a Spec and a Record into a program."""
        reference: Any = spec.reference
        self.refuse(record)
        return TotalsProgram(
            **composed(spec, record, self.name),
            law=self.name,
            reference=reference.mean,
        )

    def known_split(self, program: TotalsProgram) -> core.Engine:
        """Return an engine that runs a program whose human items are known before the run."""
        from tailbiter._core import totals as core

        recorded = tuple(SOURCES.get(name, name) for name in program.variables)
        return core.Engine(replace(program, variables=recorded))

    def coords(self, program: TotalsProgram, engine: core.Engine, dims: set[str]) -> Coords:
        """Return levels."""
        del program  # the engine tells its reference's
        return _levels(*engine.reference_mass()) if dims else {}

    def sizes(self, program: TotalsProgram) -> dict[str, Any]:
        """Return what a Dataset's attributes say of the reference and the run."""
        return {"reference_mean": program.reference, "first_sample": int(program.samples[0])}

    def values(self, program: TotalsProgram, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as they are, by the family's own names."""
        return {name: outputs[SOURCES.get(name, name)] for name in program.variables}

    def memory(self, program: TotalsProgram, replicates: int, threads: int) -> list[Part]:
        """Return what a run holds, from above, part by part."""
        from tailbiter.estimate import Part

        running = min(threads, -(-replicates // LANES))
        window = min(int(program.ages.size), program.generations)
        return [
            records(self.name, program, replicates, {None: 1, "level": len(LEVELS)}),
            # Of each batch that is remembered: sums, exponents and a weight.
            Part(
                running * (window + 8) * (12 * LANES + 8),
                "regime.k" if len(set(program.ages.tolist())) == 1 else "regime.ages",
                f"{window} batches",
                "use a shorter window or fewer threads",
            ),
        ]

    def size(self, ds: xr.Dataset) -> str:
        """Say what the law is."""
        return f"{self.name} law of mean {ds.attrs['reference_mean']:g}"

    def summarise(self, ds: xr.Dataset) -> TotalsSummary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.families._totals_summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the upper tail, if the run recorded it."""
        from tailbiter.plot import save_tails

        if "mass_above" in ds and bool((ds["generation"] > 0).any()):
            save_tails(ds, path)


def _levels(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> Coords:
    dim, name = "level", "share of the reference that no quantile leaves more than beyond itself"
    return {
        **coord(dim, dim, np.array(LEVELS), name),
        **coord(dim, "level_reference_above", above, "reference mass above the upper quantile"),
        **coord(dim, "level_reference_below", below, "reference mass below the lower quantile"),
    }

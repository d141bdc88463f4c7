# SPDX-License-Identifier: MIT
"""Models with categories: counts of a training set, over its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy as np
    import xarray as xr

    from tailbiter import _core
    from tailbiter.program import Program
    from tailbiter.record import Record
    from tailbiter.spec import Spec
    from tailbiter.summary import Summary

__all__ = ["FAMILY", "CategoricalFamily"]

# Tables without a file of their own stand in the attributes up to this size, and by digest beyond it.
INLINE_CATEGORIES = 100_000
# The table of forgetting, replicates x categories x 8 bytes, is kept for the summary up to this size.
FORGOTTEN_BYTES = 2**30


class CategoricalFamily:
    """The categorical family; see `tailbiter.families.Family`."""

    def lower(self, spec: Spec, record: Record) -> Program:
        """Turn a Spec and a Record into a program."""
        from tailbiter.program import lower

        return lower(spec, record)

    def refuse_if_too_large(self, program: Program, replicates: int, threads: int) -> None:
        """Raise before a run that cannot fit in memory."""
        from tailbiter.estimate import refuse_if_too_large

        refuse_if_too_large(program, replicates, threads)

    def engine(self, program: Program) -> _core.Engine:
        """Return an engine that runs the program; what users wrote is compiled here."""
        from tailbiter import _core

        if any(program.levers.rules):
            from tailbiter.jit._pointer import Engine

            return Engine(program)
        return _core.Engine(program)

    def control(self) -> _core.Control:
        """Return what watches and stops its runs."""
        from tailbiter import _core

        return _core.Control()

    def dataset(
        self,
        program: Program,
        engine: Any,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled."""
        from tailbiter.dataset import build_dataset

        if any(program.levers.rules):
            import numba

            from tailbiter.families.user import BITS

            attrs = {**attrs, "bits": BITS, "numba": numba.__version__}
        snapshots = engine.snapshots(outputs) if program.snapshots.size else None
        return build_dataset(program, outputs, snapshots, attrs, replicates)

    def values(self, program: Program, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as a Dataset has them."""
        from tailbiter.dataset import recorded_values

        return recorded_values(program, outputs)

    def is_large(self, program: Program) -> bool:
        """Whether the table is too large to stand in a Dataset's attributes."""
        return program.categories > INLINE_CATEGORIES

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record with what stages need, and with the table of forgetting where that is small."""
        from msgspec.structs import replace

        from tailbiter._variables import STAGES

        if record.variables == "standard":
            names = record.names_of("categorical", (*spec.also_recorded, *STAGES))
            record = replace(record, variables=names)
        size = 8 * spec.replicates * len(spec.reference.support)
        return record if record.forgotten or size > FORGOTTEN_BYTES else replace(record, forgotten=True)

    def size(self, ds: xr.Dataset) -> str:
        """Say how many categories there are."""
        from tailbiter.summary import counted

        return counted(ds.attrs["categories"], "category", "categories")

    def summarise(self, ds: xr.Dataset) -> Summary:
        """Reduce a run to a short table and a few sentences."""
        from tailbiter.summary import summarise

        return summarise(ds)

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the bands, if the run recorded them."""
        from tailbiter.plot import save_tails

        if "band_survivors" in ds and bool((ds["generation"] > 0).any()):
            save_tails(ds, path)


FAMILY = CategoricalFamily()

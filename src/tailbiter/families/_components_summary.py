# SPDX-License-Identifier: MIT
"""What summaries of mixtures of any laws have in common: components that live, shrink and die."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import counted, log_spaced, medians, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import xarray as xr

__all__ = ["ComponentsSummary", "of_components", "rows_of"]


@dataclass(frozen=True, kw_only=True)
class ComponentsSummary:
    """What becomes of a mixture's components; medians over replicates.

    Attributes
    ----------
    replicates, components, last_generation : int
        Size of the run.
    reference_weights : list of float or None
        Weights of the reference's components; None if weights were not recorded.
    last_weights : list of float or None
        Their medians at the end.
    died : list of int or None
        For each component, replicates in which its weight is 0 at the end.
    """

    replicates: int
    components: int
    last_generation: int
    reference_weights: list[float] | None
    last_weights: list[float] | None
    died: list[int] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)

    @property
    def of(self) -> str:
        """How many replicates, in words."""
        return counted(self.replicates, "replicate", "replicates")

    def fates(self) -> list[str]:
        """Sentences on the components that died, and on the smallest."""
        if self.reference_weights is None or self.last_weights is None or self.died is None:
            return []
        rarest, dead = int(np.argmin(self.reference_weights)), sum(n > 0 for n in self.died)
        before, after = self.reference_weights[rarest], self.last_weights[rarest]
        alone = self.reference_weights.count(before) == 1
        smallest = (
            f"{'The' if alone else 'A'} smallest component of the reference (component {rarest},"
            f" {percent(before)}):"
            f" {percent(after)} at the end, dead in {self.died[rarest]:,} of {self.of}."
        )
        if not dead:
            return ["No component died.", smallest]
        return [smallest, f"Components that died in any replicate: {dead} of {self.components}."]


def of_components(ds: xr.Dataset) -> dict[str, Any]:
    """Return the fields of a `ComponentsSummary`."""
    last = ds["weights"].isel(generation=-1).values if "weights" in ds else None
    return {
        "replicates": ds.sizes["replicate"],
        "components": int(ds.attrs["components"]),
        "last_generation": int(ds["generation"][-1]),
        "reference_weights": None if last is None else ds["reference_weight"].values.tolist(),
        "last_weights": None if last is None else np.median(last, axis=0).tolist(),
        "died": None if last is None else (last == 0).sum(axis=0).tolist(),
    }


def rows_of(ds: xr.Dataset, others: Iterable[xr.DataArray | None]) -> Iterator[tuple[Any, ...]]:
    """Return generation, living components, smallest weight, medians of others, share of fits that converged.

    Of about ten generations, log-spaced; None where a variable was not recorded.
    """
    at = log_spaced(ds["generation"].values)
    smallest = ds["weights"].min("component") if "weights" in ds else None
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (ds.get("components_alive"), smallest, *others)
    ]
    generations = ds["generation"].values[at].tolist()
    converged: list[float | None] = [None] * at.size
    if "converged" in ds:
        shares = ds["converged"].isel(generation=at).mean("replicate").values.tolist()
        converged = [share if t else None for t, share in zip(generations, shares, strict=True)]
    return zip(generations, *columns, converged, strict=True)

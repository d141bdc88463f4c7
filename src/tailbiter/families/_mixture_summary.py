# SPDX-License-Identifier: MIT
"""The short table people read after a run of a mixture, and the sentences below it: medians."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import aligned, counted, log_spaced, medians, percent

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MixtureRow", "MixtureSummary", "summarise"]


@dataclass(frozen=True)
class MixtureRow:
    """One generation of the table; values are medians over replicates, None where not recorded.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    alive : float or None
        Components with a weight.
    smallest_weight : float or None
        The smallest weight of a component; 0 where one is dead.
    l2_distance : float or None
        L2 distance of the density to the reference's.
    converged : float or None
        Share of replicates whose fit ended by its tolerance; None for generation 0, which is no fit.
    """

    generation: int
    alive: float | None
    smallest_weight: float | None
    l2_distance: float | None
    converged: float | None


@dataclass(frozen=True)
class MixtureSummary:
    """What a run of a mixture comes to.

    Attributes
    ----------
    replicates, components, dimensions, last_generation : int
        Size of the run.
    rows : list of MixtureRow
        About ten generations, log-spaced.
    reference_weights : list of float or None
        Weights of the reference's components; None if weights were not recorded.
    last_weights : list of float or None
        Their medians at the end.
    died : list of int or None
        For each component, replicates in which its weight is 0 at the end.
    singular : int or None
        Replicates with a component that only the floor keeps from being singular, at the end.
    """

    replicates: int
    components: int
    dimensions: int
    last_generation: int
    rows: list[MixtureRow]
    reference_weights: list[float] | None
    last_weights: list[float] | None
    died: list[int] | None
    singular: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> MixtureSummary:
    """Reduce a run of a mixture to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    MixtureSummary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.GaussianMixture([0.9, 0.1], [0.0, 8.0], [1.0, 1.0])
    >>> spec = tb.Spec(reference=law, samples=200, generations=20, replicates=4)
    >>> summarise(tb.simulate(spec)).rows[0].smallest_weight
    0.1
    """
    weights, singular = ds.get("weights"), ds.get("components_singular")
    last = None if weights is None else weights.isel(generation=-1).values
    return MixtureSummary(
        replicates=ds.sizes["replicate"],
        components=int(ds.attrs["components"]),
        dimensions=int(ds.attrs["dimensions"]),
        last_generation=int(ds["generation"][-1]),
        rows=_rows(ds, weights),
        reference_weights=None if weights is None else ds["reference_weight"].values.tolist(),
        last_weights=None if last is None else np.median(last, axis=0).tolist(),
        died=None if last is None else (last == 0).sum(axis=0).tolist(),
        singular=None if singular is None else int((singular.isel(generation=-1) > 0).sum()),
    )


def _rows(ds: xr.Dataset, weights: xr.DataArray | None) -> list[MixtureRow]:
    at = log_spaced(ds["generation"].values)
    smallest = None if weights is None else weights.min("component")
    distance = None if "l2_squared" not in ds else ds["l2_squared"] ** 0.5
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (ds.get("components_alive"), smallest, distance)
    ]
    generations = ds["generation"].values[at]
    converged: list[float | None] = [None] * at.size
    if "converged" in ds:
        shares = ds["converged"].isel(generation=at).mean("replicate").values.tolist()
        converged = [share if t else None for t, share in zip(generations, shares, strict=True)]
    return [MixtureRow(int(t), *row) for t, *row in zip(generations, *columns, converged, strict=True)]


def _table(summary: MixtureSummary) -> list[str]:
    rows = summary.rows
    columns = [["generation", *(f"{row.generation:,}" for row in rows)]]
    if rows[0].alive is not None:
        columns.append(["alive", *(f"{row.alive:g}" for row in rows)])
    if rows[0].smallest_weight is not None:
        columns.append(["smallest weight", *(percent(row.smallest_weight) for row in rows)])
    if rows[0].l2_distance is not None:
        columns.append(["L2 distance", *(f"{row.l2_distance:.3g}" for row in rows)])
    if any(row.converged is not None for row in rows):
        columns.append(["fits converged", *(percent(row.converged) for row in rows)])
    return aligned(columns)


def _sentences(summary: MixtureSummary) -> list[str]:
    lines = [f"Medians over {counted(summary.replicates, 'replicate', 'replicates')}."]
    if summary.rows[0].l2_distance is not None:
        lines[0] += " L2 distance = of the model's density to the reference's."
    of = counted(summary.replicates, "replicate", "replicates")
    if summary.singular:
        what = "A component is singular but for the floor"
        lines.append(f"{what} at the end in {summary.singular:,} of {of}.")
    if summary.reference_weights is None or summary.last_weights is None or summary.died is None:
        return lines
    dead = sum(n > 0 for n in summary.died)
    if not dead:
        lines.append("No component died.")
    rarest = int(np.argmin(summary.reference_weights))
    before, after = summary.reference_weights[rarest], summary.last_weights[rarest]
    lines.append(
        f"The smallest component of the reference (component {rarest}, {percent(before)}):"
        f" {percent(after)} at the end, dead in {summary.died[rarest]:,} of {of}."
    )
    if dead:
        lines.append(f"Components that died in any replicate: {dead} of {summary.components}.")
    return lines

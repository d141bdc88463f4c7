# SPDX-License-Identifier: MIT
"""The short table people read after a run of documents, and the sentences below it: medians."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import aligned, counted, log_spaced, medians, percent

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DocumentsRow", "DocumentsSummary", "summarise"]


@dataclass(frozen=True)
class DocumentsRow:
    """One generation of the table; values are medians over replicates, None where not recorded.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    alive : float or None
        Components with a weight.
    smallest_weight : float or None
        The smallest weight of a component; 0 where one is dead.
    survivors : float or None
        Categories that the components still have, over those of the reference, all components together.
    mutual_information : float or None
        Of a token's component and its category, in nats.
    converged : float or None
        Share of replicates whose fit ended by its tolerance; None for generation 0, which is no fit.
    """

    generation: int
    alive: float | None
    smallest_weight: float | None
    survivors: float | None
    mutual_information: float | None
    converged: float | None


@dataclass(frozen=True)
class DocumentsSummary:
    """What a run of a mixture of categorical laws comes to.

    Attributes
    ----------
    replicates, components, categories, last_generation : int
        Size of the run.
    rows : list of DocumentsRow
        About ten generations, log-spaced.
    reference_weights : list of float or None
        Weights of the reference's components; None if weights were not recorded.
    last_weights : list of float or None
        Their medians at the end.
    died : list of int or None
        For each component, replicates in which its weight is 0 at the end.
    """

    replicates: int
    components: int
    categories: int
    last_generation: int
    rows: list[DocumentsRow]
    reference_weights: list[float] | None
    last_weights: list[float] | None
    died: list[int] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> DocumentsSummary:
    """Reduce a run of a mixture of categorical laws to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    DocumentsSummary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.CategoricalMixture([0.9, 0.1], [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], length=10)
    >>> spec = tb.Spec(reference=law, samples=50, generations=20, replicates=4)
    >>> summarise(tb.simulate(spec)).rows[0].smallest_weight
    0.1
    """
    weights = ds.get("weights")
    last = None if weights is None else weights.isel(generation=-1).values
    return DocumentsSummary(
        replicates=ds.sizes["replicate"],
        components=int(ds.attrs["components"]),
        categories=int(ds.attrs["categories"]),
        last_generation=int(ds["generation"][-1]),
        rows=_rows(ds),
        reference_weights=None if weights is None else ds["reference_weight"].values.tolist(),
        last_weights=None if last is None else np.median(last, axis=0).tolist(),
        died=None if last is None else (last == 0).sum(axis=0).tolist(),
    )


def _rows(ds: xr.Dataset) -> list[DocumentsRow]:
    at = log_spaced(ds["generation"].values)
    smallest = ds["weights"].min("component") if "weights" in ds else None
    survivors = None
    if "component_survivors" in ds:
        survivors = ds["component_survivors"].sum("component") / int(ds["component_categories"].sum())
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (ds.get("components_alive"), smallest, survivors, ds.get("mutual_information"))
    ]
    generations = ds["generation"].values[at]
    converged: list[float | None] = [None] * at.size
    if "converged" in ds:
        shares = ds["converged"].isel(generation=at).mean("replicate").values.tolist()
        converged = [share if t else None for t, share in zip(generations, shares, strict=True)]
    return [DocumentsRow(int(t), *row) for t, *row in zip(generations, *columns, converged, strict=True)]


def _table(summary: DocumentsSummary) -> list[str]:
    rows = summary.rows
    columns = [["generation", *(f"{row.generation:,}" for row in rows)]]
    if rows[0].alive is not None:
        columns.append(["alive", *(f"{row.alive:g}" for row in rows)])
    if rows[0].smallest_weight is not None:
        columns.append(["smallest weight", *(percent(row.smallest_weight) for row in rows)])
    if rows[0].survivors is not None:
        columns.append(["categories alive", *(percent(row.survivors) for row in rows)])
    if rows[0].mutual_information is not None:
        columns.append(["information", *(f"{row.mutual_information:.3g}" for row in rows)])
    if any(row.converged is not None for row in rows):
        columns.append(["fits converged", *(percent(row.converged) for row in rows)])
    return aligned(columns)


def _sentences(summary: DocumentsSummary) -> list[str]:
    of = counted(summary.replicates, "replicate", "replicates")
    lines = [f"Medians over {of}."]
    if summary.rows[0].mutual_information is not None:
        lines[0] += " Information = of a token about its component, in nats."
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

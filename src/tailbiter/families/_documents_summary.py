# SPDX-License-Identifier: MIT
"""The short table people read after a run of documents, and the sentences below it: medians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailbiter.families._components_summary import ComponentsSummary, of_components, rows_of
from tailbiter.summary import aligned, percent

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


@dataclass(frozen=True, kw_only=True)
class DocumentsSummary(ComponentsSummary):
    """What a run of a mixture of categorical laws comes to.

    Attributes
    ----------
    categories : int
        Of the reference.
    rows : list of DocumentsRow
        About ten generations, log-spaced.
    """

    categories: int
    rows: list[DocumentsRow]

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
    return DocumentsSummary(
        **of_components(ds),
        categories=int(ds.attrs["categories"]),
        rows=_rows(ds),
    )


def _rows(ds: xr.Dataset) -> list[DocumentsRow]:
    survivors = None
    if "component_survivors" in ds:
        survivors = ds["component_survivors"].sum("component") / int(ds["component_categories"].sum())
    return [DocumentsRow(*row) for row in rows_of(ds, (survivors, ds.get("mutual_information")))]


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
    lines = [f"Medians over {summary.of}."]
    if summary.rows[0].mutual_information is not None:
        lines[0] += " Information = of a token about its component, in nats."
    return [*lines, *summary.fates()]

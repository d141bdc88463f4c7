# SPDX-License-Identifier: MIT
"""The short table people read after a run of a mixture, and the sentences below it: medians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailbiter.families._components_summary import ComponentsSummary, of_components, rows_of
from tailbiter.summary import aligned, percent

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


@dataclass(frozen=True, kw_only=True)
class MixtureSummary(ComponentsSummary):
    """What a run of a mixture comes to.

    Attributes
    ----------
    dimensions : int
        Of the reference.
    rows : list of MixtureRow
        About ten generations, log-spaced.
    singular : int or None
        Replicates with a component that only the floor keeps from being singular, at the end.
    """

    dimensions: int
    rows: list[MixtureRow]
    singular: int | None

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
    singular = ds.get("components_singular")
    return MixtureSummary(
        **of_components(ds),
        dimensions=int(ds.attrs["dimensions"]),
        rows=_rows(ds),
        singular=None if singular is None else int((singular.isel(generation=-1) > 0).sum()),
    )


def _rows(ds: xr.Dataset) -> list[MixtureRow]:
    distance = ds["l2_squared"] ** 0.5 if "l2_squared" in ds else None
    return [MixtureRow(*row) for row in rows_of(ds, [distance])]


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
    lines = [f"Medians over {summary.of}."]
    if summary.rows[0].l2_distance is not None:
        lines[0] += " L2 distance = of the model's density to the reference's."
    if summary.singular:
        what = "A component is singular but for the floor"
        lines.append(f"{what} at the end in {summary.singular:,} of {summary.of}.")
    return [*lines, *summary.fates()]

# SPDX-License-Identifier: MIT
"""The short table people read after a run of a Gaussian, and the sentences below it: medians."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import aligned, counted, log_spaced, median_first, medians, percent, power

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["GaussianRow", "GaussianSummary", "summarise"]

LEVEL = 1e-3  # of the tails that are followed


@dataclass(frozen=True)
class GaussianRow:
    """One generation of the table; all values are medians over replicates, None where not recorded.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    log_spread : float or None
        Natural logarithm of the generalised standard deviation, exp(log_det / 2d), over the reference's;
        -inf where the covariance is singular (None in `GaussianSummary.to_dict`).
    effective_rank : float or None
        Of the covariance.
    w2 : float or None
        2-Wasserstein distance to the reference, in units of the data.
    tails_covered : float or None
        Mass beyond the reference's 1e-3 quantiles, over the reference's own.
    """

    generation: int
    log_spread: float | None
    effective_rank: float | None
    w2: float | None
    tails_covered: float | None


@dataclass(frozen=True)
class GaussianSummary:
    """What a run of a Gaussian comes to.

    Attributes
    ----------
    replicates, dimensions, last_generation : int
        Size of the run.
    rows : list of GaussianRow
        About ten generations, log-spaced.
    spread_half : float or None
        First recorded generation from which the spread is below half of the reference's to the end (a mean
        that drifts may bring it back before); None where it is not in most replicates, or not recorded.
    tails_half : float or None
        Likewise, from which less than half of the tails is covered.
    singular : int or None
        Replicates whose covariance is singular at the end.
    last_rank : float or None
        Median rank at the end.
    """

    replicates: int
    dimensions: int
    last_generation: int
    rows: list[GaussianRow]
    spread_half: float | None
    tails_half: float | None
    singular: int | None
    last_rank: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        data = asdict(self)
        for row in data["rows"]:
            if row["log_spread"] == -math.inf:
                row["log_spread"] = None
        return data

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> GaussianSummary:
    """Reduce a run of a Gaussian to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    GaussianSummary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Gaussian(), samples=100, generations=50, replicates=4)
    >>> summarise(tb.simulate(spec)).rows[0].tails_covered
    1.0
    """
    log_spread, covered, rank = _log_spread(ds), _covered(ds), ds.get("rank")
    last_rank = None if rank is None else rank.isel(generation=-1).values
    dimensions = int(ds.attrs["dimensions"])
    return GaussianSummary(
        replicates=ds.sizes["replicate"],
        dimensions=dimensions,
        last_generation=int(ds["generation"][-1]),
        rows=_rows(ds, log_spread, covered),
        spread_half=None if log_spread is None else _below_for_good(log_spread, math.log(0.5)),
        tails_half=None if covered is None else _below_for_good(covered, 0.5),
        singular=None if last_rank is None else int((last_rank < dimensions).sum()),
        last_rank=None if last_rank is None else float(np.median(last_rank)),
    )


def _log_spread(ds: xr.Dataset) -> xr.DataArray | None:
    if "log_det" not in ds:
        return None
    return (ds["log_det"] - ds["log_det"].attrs["reference"]) / (2 * ds.attrs["dimensions"])


def _covered(ds: xr.Dataset) -> xr.DataArray | None:
    if "mass_beyond" not in ds:
        return None
    return (ds["mass_beyond"] / ds["level_reference_mass"]).sel(level=LEVEL)


def _below_for_good(values: xr.DataArray, bound: float) -> float | None:
    generation = values["generation"].values
    from_the_end = np.logical_and.accumulate(values.values[:, ::-1] < bound, axis=1)
    return median_first(from_the_end[:, ::-1] & (generation >= 1), generation)


def _rows(ds: xr.Dataset, log_spread: xr.DataArray | None, covered: xr.DataArray | None) -> list[GaussianRow]:
    at = log_spaced(ds["generation"].values)
    w2 = None if "w2_squared" not in ds else ds["w2_squared"] ** 0.5
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (log_spread, ds.get("effective_rank"), w2, covered)
    ]
    return [GaussianRow(int(t), *row) for t, *row in zip(ds["generation"].values[at], *columns, strict=True)]


def _table(summary: GaussianSummary) -> list[str]:
    rows = summary.rows
    columns = [["generation", *(f"{row.generation:,}" for row in rows)]]
    if rows[0].log_spread is not None:
        columns.append(["spread", *(power(row.log_spread) for row in rows)])
    if rows[0].effective_rank is not None and summary.dimensions > 1:
        columns.append(["effective rank", *(f"{row.effective_rank:.2f}" for row in rows)])
    if rows[0].w2 is not None:
        columns.append(["W2", *("0" if row.generation == 0 else f"{row.w2:.3g}" for row in rows)])
    if rows[0].tails_covered is not None:
        columns.append(["tails covered", *(percent(row.tails_covered) for row in rows)])
    return aligned(columns)


def _sentences(summary: GaussianSummary) -> list[str]:
    first = summary.rows[0]
    lines = [f"Medians over {counted(summary.replicates, 'replicate', 'replicates')}."]
    if first.log_spread is not None:
        lines[0] += " Spread = generalised standard deviation, exp(log_det / 2d), over the reference's."
        lines.append(_when("Spread", "half of the reference's", summary.spread_half))
    if first.tails_covered is not None:
        lines[0] += " Tails covered = mass beyond the reference's 1e-3 quantiles, over the reference's:"
        lines[0] += " above 100 % where the model is shifted or wider."
        what = "half of the reference's mass beyond its 1e-3 quantiles"
        lines.append(_when("Tails", what, summary.tails_half))
    if summary.singular and summary.last_rank is not None:
        of = counted(summary.replicates, "replicate", "replicates")
        rank = f"median rank {summary.last_rank:g} of {summary.dimensions}"
        lines.append(f"The covariance is singular at the end in {summary.singular:,} of {of} ({rank}).")
    return lines


def _when(what: str, bound: str, generation: float | None) -> str:
    if generation is None:
        return f"{what}: not below {bound} at the end."
    return f"{what}: below {bound} from generation {generation:,.0f} on."

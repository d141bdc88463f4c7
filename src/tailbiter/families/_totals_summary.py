# SPDX-License-Identifier: MIT
"""The short table people read after a run of a Poisson or exponential law, and the sentences below it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import aligned, counted, log_spaced, median_first, medians, percent, power

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["TotalsRow", "TotalsSummary", "summarise"]

LEVEL = 1e-3  # of the tail that is followed


@dataclass(frozen=True)
class TotalsRow:
    """One generation of the table; medians over replicates but for ``absorbed``, None where not recorded.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    log_mean : float or None
        Natural logarithm of the rate or scale, over the reference's; -inf where it is 0 (None in
        `TotalsSummary.to_dict`).
    tail_covered : float or None
        Mass above the reference's 1e-3 quantile, over the reference's own; None also where it has none.
    absorbed : float or None
        Share of replicates whose rate is 0.
    """

    generation: int
    log_mean: float | None
    tail_covered: float | None
    absorbed: float | None


@dataclass(frozen=True)
class TotalsSummary:
    """What a run of a Poisson or exponential law comes to.

    Attributes
    ----------
    law : str
        "poisson" or "exponential".
    replicates, last_generation : int
        Size of the run.
    rows : list of TotalsRow
        About ten generations, log-spaced.
    mean_half : float or None
        First recorded generation from which the rate or scale is below half of the reference's to the end;
        None where it is not in most replicates, or not recorded.
    tail_half : float or None
        Likewise, from which less than half of the upper tail is covered.
    absorbed : int or None
        Replicates whose rate is 0 at the end.
    """

    law: str
    replicates: int
    last_generation: int
    rows: list[TotalsRow]
    mean_half: float | None
    tail_half: float | None
    absorbed: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        data = asdict(self)
        for row in data["rows"]:
            if row["log_mean"] == -math.inf:
                row["log_mean"] = None
        return data

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> TotalsSummary:
    """Reduce a run of a Poisson or exponential law to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    TotalsSummary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Exponential(), samples=20, generations=400, replicates=16)
    >>> summarise(tb.simulate(spec)).mean_half is not None
    True
    """
    name = "log_rate" if ds.attrs["family"] == "poisson" else "log_scale"
    log_mean = None if name not in ds else ds[name] - math.log(ds.attrs["reference_mean"])
    covered, absorbed = _covered(ds), ds.get("absorbed")
    return TotalsSummary(
        law=str(ds.attrs["family"]),
        replicates=ds.sizes["replicate"],
        last_generation=int(ds["generation"][-1]),
        rows=_rows(ds, log_mean, covered, absorbed),
        mean_half=None if log_mean is None else _below_for_good(log_mean, math.log(0.5)),
        tail_half=None if covered is None else _below_for_good(covered, 0.5),
        absorbed=None if absorbed is None else int(absorbed.isel(generation=-1).sum()),
    )


def _covered(ds: xr.Dataset) -> xr.DataArray | None:
    if "mass_above" not in ds or float(ds["level_reference_above"].sel(level=LEVEL)) == 0:
        return None
    return (ds["mass_above"] / ds["level_reference_above"]).sel(level=LEVEL)


def _below_for_good(values: xr.DataArray, bound: float) -> float | None:
    generation = values["generation"].values
    from_the_end = np.logical_and.accumulate(values.values[:, ::-1] < bound, axis=1)
    return median_first(from_the_end[:, ::-1] & (generation >= 1), generation)


def _rows(
    ds: xr.Dataset,
    log_mean: xr.DataArray | None,
    covered: xr.DataArray | None,
    absorbed: xr.DataArray | None,
) -> list[TotalsRow]:
    at = log_spaced(ds["generation"].values)
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (log_mean, covered)
    ]
    shares: list[float | None] = [None] * at.size
    if absorbed is not None:
        shares = absorbed.isel(generation=at).mean("replicate").values.tolist()
    generations = ds["generation"].values[at]
    return [TotalsRow(int(t), *row) for t, *row in zip(generations, *columns, shares, strict=True)]


def _table(summary: TotalsSummary) -> list[str]:
    rows = summary.rows
    columns = [["generation", *(f"{row.generation:,}" for row in rows)]]
    if rows[0].log_mean is not None:
        columns.append([_name(summary), *(power(row.log_mean) for row in rows)])
    if rows[0].tail_covered is not None:
        columns.append(["tail covered", *(percent(row.tail_covered) for row in rows)])
    if rows[0].absorbed is not None:
        columns.append(["absorbed", *(percent(row.absorbed) for row in rows)])
    return aligned(columns)


def _name(summary: TotalsSummary) -> str:
    return "rate" if summary.law == "poisson" else "scale"


def _sentences(summary: TotalsSummary) -> list[str]:
    name, of = _name(summary), counted(summary.replicates, "replicate", "replicates")
    lines = [f"Medians over {of}; {name} over the reference's."]
    if summary.rows[0].log_mean is not None:
        lines.append(_when(name.capitalize(), "half of the reference's", summary.mean_half))
    if summary.rows[0].tail_covered is not None:
        lines[0] += " Tail covered = mass above the reference's 1e-3 quantile, over the reference's:"
        lines[0] += " above 100 % where the mean has risen."
        what = "half of the reference's mass above its 1e-3 quantile"
        lines.append(_when("Tail", what, summary.tail_half))
    if summary.absorbed is not None:
        lines.append(f"The rate is 0 at the end in {summary.absorbed:,} of {of}.")
    return lines


def _when(what: str, bound: str, generation: float | None) -> str:
    if generation is None:
        return f"{what}: not below {bound} at the end."
    return f"{what}: below {bound} from generation {generation:,.0f} on."

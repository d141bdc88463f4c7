# SPDX-License-Identifier: MIT
"""Recorded variables as lines over generations, in plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import share_alive
from tailbiter.summary import band_names

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MOST_LINES", "QUANTILES", "charts", "in_words", "line_names", "plain"]

MOST_LINES = 24
QUANTILES = (0.5, 0.05, 0.95)


def charts(ds: xr.Dataset, theory: xr.Dataset | None, human: xr.Dataset | None) -> list[dict[str, Any]]:
    """Return a chart for every recorded variable: of bands the share alive first.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.
    theory : xarray.Dataset or None
        A prediction of the same, at the same generations.
    human : xarray.Dataset or None
        A prediction of human data alone, likewise.
    """
    found = []
    if "band_survivors" in ds:
        title = "share of the band's categories alive"
        found.append(_chart(ds, share_alive(ds), title, [_alive(theory), _alive(human)]))
    for name, array in ds.data_vars.items():
        if array.dims[:2] != ("replicate", "generation") or array.dtype.kind not in "if" or array.ndim > 3:
            continue
        beside = [None if law is None else law.get(name) for law in (theory, human)]
        found.append(_chart(ds, array, str(array.attrs["long_name"]), beside))
    return [chart for chart in found if chart["series"]]


def _alive(law: xr.Dataset | None) -> xr.DataArray | None:
    """The share of each band that is expected to be alive."""
    if law is None or "band_survivors" not in law:
        return None
    sizes = law["band_categories"]
    return law["band_survivors"] / sizes.where(sizes > 0)


def _chart(
    ds: xr.Dataset, array: xr.DataArray, title: str, beside: list[xr.DataArray | None]
) -> dict[str, Any]:
    names = line_names(ds, array)
    series = []
    for index, name in enumerate(names[:MOST_LINES]):
        values = array.values if array.ndim == 2 else array.values[:, :, index]
        if not np.isfinite(values.astype(np.float64)).any():
            continue
        laws = dict(zip(("theory", "human"), (_expected(law, index) for law in beside), strict=True))
        series.append({"name": name, **_line(values), **laws})
    kind = array.ndim == 3 and array.dims[2] == "band"
    units = str(array.attrs.get("units", "1"))
    return {
        "title": in_words(title),
        "units": "share" if units == "1" and kind else units,
        "logarithmic": kind,
        "series": series,
    }


def _expected(law: xr.DataArray | None, index: int) -> list[float | None] | None:
    """One line of an expectation."""
    if law is None:
        return None
    return plain(law.values if law.ndim == 1 else law.values[:, index])


def in_words(title: str) -> str:
    """A long name as a title."""
    return title[0].upper() + title[1:]


def line_names(ds: xr.Dataset, array: xr.DataArray) -> list[str]:
    """What the lines of a variable are called: entries of the dim after its generations."""
    if array.dims[-1] == "generation":
        return [str(array.name)]
    dim = str(array.dims[-1])
    if dim == "band":
        return [f"expected {name}" for name in band_names(ds)]
    values = ds[dim].values if dim in ds.coords else np.arange(array.sizes[dim])
    return [f"{dim} {value}" for value in values.tolist()]


def _line(values: np.ndarray) -> dict[str, list[float | None]]:
    """Median and quantiles over replicates; where there are none, nothing."""
    real = values.astype(np.float64)
    defined = np.isfinite(real).all(axis=0)
    out = np.full((len(QUANTILES), real.shape[1]), np.nan)
    # Order statistics as they are: a count between two counts is none.
    out[:, defined] = np.quantile(real[:, defined], QUANTILES, axis=0, method="inverted_cdf")
    return {name: plain(row) for name, row in zip(("median", "low", "high"), out, strict=True)}


def plain(values: np.ndarray) -> list[float | None]:
    """Numbers of five digits, as many as a picture shows."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in values.astype(np.float64).tolist()]

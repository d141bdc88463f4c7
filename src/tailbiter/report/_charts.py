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

__all__ = ["MOST_LINES", "QUANTILES", "charts", "in_words", "line_names", "plain", "words"]

MOST_LINES = 24
MOST_WORDS = 20_000
MOST_BYTES = 2**30
QUANTILES = (0.5, 0.05, 0.95)


def charts(ds: xr.Dataset, theory: xr.Dataset | None) -> list[dict[str, Any]]:
    """Return a chart for every recorded variable: of bands the share alive first.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.
    theory : xarray.Dataset or None
        A prediction of the same, at the same generations.
    """
    found = []
    if "band_survivors" in ds:
        sizes = ds["band_categories"]
        expected = None
        if theory is not None and "band_survivors" in theory:
            expected = theory["band_survivors"] / sizes.where(sizes > 0)
        found.append(_chart(ds, share_alive(ds), "share of the band's categories alive", expected))
    for name, array in ds.data_vars.items():
        if array.dims[:2] != ("replicate", "generation") or array.dtype.kind not in "if" or array.ndim > 3:
            continue
        expected = theory[name] if theory is not None and name in theory else None
        found.append(_chart(ds, array, str(array.attrs["long_name"]), expected))
    return [chart for chart in found if chart["series"]]


def _chart(ds: xr.Dataset, array: xr.DataArray, title: str, expected: xr.DataArray | None) -> dict[str, Any]:
    names = line_names(ds, array)
    series = []
    for index, name in enumerate(names[:MOST_LINES]):
        values = array.values if array.ndim == 2 else array.values[:, :, index]
        if not np.isfinite(values.astype(np.float64)).any():
            continue
        theory = None
        if expected is not None:
            theory = expected.values if expected.ndim == 1 else expected.values[:, index]
        series.append({"name": name, **_line(values), "theory": None if theory is None else plain(theory)})
    kind = array.ndim == 3 and array.dims[2] == "band"
    units = str(array.attrs.get("units", "1"))
    return {
        "title": in_words(title),
        "units": "share" if units == "1" and kind else units,
        "logarithmic": kind,
        "series": series,
    }


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


def words(ds: xr.Dataset) -> dict[str, Any] | None:
    """Return what became of each category, the commonest first; None where that was not recorded.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.
    """
    if "forgotten" not in ds or ds["forgotten"].nbytes > MOST_BYTES:
        return None
    every = ds["forgotten"]
    count = min(every.sizes["category"], MOST_WORDS)
    when = np.where(every.values[:, :count] == 0, np.inf, every.values[:, :count])
    middle = np.sort(when, axis=0)[(len(when) - 1) // 2]
    lost = np.isfinite(when).mean(axis=0)
    names = every["label"] if "label" in every.coords else every["category"]
    expected = every["expected_count"].values[:count]
    # Categories run from common to rare, bands from rare to common.
    band = np.searchsorted(ds["band_lo"].values, expected, side="right") - 1
    called = band_names(ds)
    columns = (names.values[:count].tolist(), expected.tolist(), band.tolist(), middle.tolist(), lost)
    rows = [
        [str(name), float(f"{c:.5g}"), called[b], None if math.isinf(t) else float(t), float(f"{s:.4g}")]
        for name, c, b, t, s in zip(*columns, strict=True)
    ]
    final = every.attrs["absence_is_final"]
    return {
        "columns": [
            "category",
            "expected at first",
            "band",
            "forgotten in generation" if final else "absent since generation",
            "share of lineages",
        ],
        "rows": rows,
        "left_out": every.sizes["category"] - count,
    }

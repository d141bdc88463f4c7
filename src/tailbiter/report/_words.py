# SPDX-License-Identifier: MIT
"""Every category by name, and what became of it, in little room."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import band_names

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ranks", "words"]

# About 20 bytes of page each; where there are more, the commonest half of them and the rarest.
MOST_WORDS = 200_000
# Dates of forgetting that are sorted at a time.
CHUNK = 2**24
# Of a snapshot's categories, those at so many ranks.
MOST_RANKS = 150


def words(ds: xr.Dataset) -> dict[str, Any] | None:
    """Return what became of each category, the commonest first; None where that was not recorded.

    What vanishes first is rare: where a page has no room for all, those in the middle are left out.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.

    Returns
    -------
    dict or None
        ``labels``; ``expected`` counts and ``band``, each as runs of a value and its number; ``since`` when
        half of the lineages lack it, 0 where they do not; in how many it is ``lost`` at the end; of how many
        ``lineages``; ``total`` categories; ``head``: how many of these are before what is left out.
    """
    if "forgotten" not in ds:
        return None
    every = ds["forgotten"]
    total = every.sizes["category"]
    head = total if total <= MOST_WORDS else MOST_WORDS // 2
    kept = np.arange(total) if head == total else np.r_[:head, total - head : total]
    names = (every["label"] if "label" in every.coords else every["category"]).values[kept]
    since, lost = _dates(every.values, kept)
    expected = every["expected_count"].values[kept]
    # Categories run from common to rare, bands from rare to common.
    band = np.searchsorted(ds["band_lo"].values, expected, side="right") - 1
    called = band_names(ds)
    final = every.attrs["absence_is_final"]
    return {
        "columns": [
            "category",
            "expected at first",
            "band",
            "forgotten in generation" if final else "absent since generation",
            "share of lineages",
        ],
        "labels": [str(name) for name in names.tolist()],
        "expected": _runs([float(f"{count:.5g}") for count in expected.tolist()]),
        "band": _runs([called[one] for one in band.tolist()]),
        "since": since.tolist(),
        "lost": lost.tolist(),
        "lineages": every.sizes["replicate"],
        "total": total,
        "head": head,
    }


def _dates(when: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When most lineages had lost each category, 0 for never, and how many have: some columns at a time."""
    lineages = len(when)
    since, lost = np.zeros(kept.size, np.int64), np.zeros(kept.size, np.int64)
    step = max(1, CHUNK // lineages)
    for start in range(0, kept.size, step):
        some = slice(start, start + step)
        part = when[:, kept[some]]
        lost[some] = (part > 0).sum(axis=0)
        # Zeros come first: those that are lost are the last, of which the median counts from the front.
        ordered = np.sort(part, axis=0)
        place = lineages - lost[some] + (lineages - 1) // 2
        found = np.take_along_axis(ordered, np.minimum(place, lineages - 1)[None], axis=0)[0]
        since[some] = np.where(place < lineages, found, 0)
    return since, lost


def _runs(values: list[Any]) -> list[list[Any]]:
    """Values, each with how often it stands in a row."""
    return [[value, sum(1 for _ in same)] for value, same in groupby(values)]


def ranks(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Return counts by rank, as they would be in a sample as large as the first, of the first lineage.

    Parameters
    ----------
    ds : xarray.Dataset
        A run.

    Returns
    -------
    list of dict
        One for each snapshot but the reference: ``generation``, ``rank`` and ``count``.
    """
    if "snapshot_count" not in ds:
        return []
    mine = ds["snapshot_replicate"].values == 0
    generation, count = ds["snapshot_generation"].values[mine], ds["snapshot_count"].values[mine]
    found = []
    for t in np.unique(generation[generation > 0]).tolist():
        counts = np.sort(count[generation == t].astype(np.float64))[::-1]
        at = np.unique(np.geomspace(1, len(counts), MOST_RANKS).astype(np.int64))
        expected = counts[at - 1] / counts.sum() * ds.attrs["first_sample"]
        row = [float(f"{value:.5g}") for value in expected.tolist()]
        found.append({"generation": t, "rank": at.tolist(), "count": row})
    return found

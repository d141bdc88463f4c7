# SPDX-License-Identifier: MIT
"""What a run is judged by, worked out anew from the counts it keeps: plain loops over dense arrays."""

import math
from fractions import Fraction

import numpy as np
import xarray as xr

FLOOR = 1e-9


def dense(ds: xr.Dataset, size: int) -> np.ndarray:
    """Training counts by replicate, generation (all were kept) and place in the table."""
    out = np.zeros((ds.sizes["replicate"], ds.sizes["generation"], size))
    places = (ds.snapshot_replicate, ds.snapshot_generation, ds.snapshot_category)
    out[tuple(np.asarray(place, dtype=np.int64) for place in places)] = ds.snapshot_count
    return out


def law(counts: np.ndarray, k: Fraction, there: list[bool]) -> list[Fraction]:
    """The model: shares of the counts, k added to those of every category of the reference."""
    total = int(counts.sum()) + k * sum(there)
    return [(int(c) + k * here) / total for c, here in zip(counts, there, strict=True)]


def held_out(
    counts: np.ndarray, model: list[Fraction], known: list[int], outside: list[int], bands: list[list[int]]
) -> dict[str, object]:
    """Scores of a training set and its model against held-out counts of the table's categories and others."""
    held = Fraction(sum(known) + sum(outside))
    p = model + [Fraction(0)] * len(outside)
    h = [Fraction(n) / held for n in [*known, *outside]]
    top = max(p)
    tops = [i for i, share in enumerate(p) if share == top]
    here = [(known[i], counts[i] > 0) for i in range(len(known))]
    cover = [(sum(known[i] for i in band if counts[i] > 0), sum(known[i] for i in band)) for band in bands]
    return {
        "oov_tokens": float(1 - sum(n for n, there in here if there) / held),
        "oov_types": (sum(n > 0 and not there for n, there in here) + len(outside))
        / (sum(n > 0 for n in known) + len(outside)),
        "held_out_coverage": [some / every if every else math.nan for some, every in cover],
        "held_out_brier": float(sum((a - b) ** 2 for a, b in zip(p, h, strict=True))),
        "cross_entropy_floor_1e_9": -sum(
            float(b) * math.log(max(float(a), FLOOR)) for a, b in zip(p, h, strict=True)
        ),
        "overconfidence": float(sum(a * a - a * b for a, b in zip(p, h, strict=True))),
        "top_share_held_out": float(sum(h[i] for i in tops) / len(tops)),
    }


def stages(
    counts: np.ndarray, model: list[Fraction], reference: list[int], tail: list[int]
) -> dict[str, float]:
    """The tail's coverage, and total variation within the rest."""
    q = [Fraction(n, sum(reference)) for n in reference]
    head = [i for i in range(len(q)) if i not in tail and q[i] > 0]
    mass, human = sum(model[i] for i in head), sum(q[i] for i in head)
    moved = [abs(model[i] / mass - q[i] / human) for i in head] if mass and head else [math.nan]
    return {
        "tail_coverage": float(sum(q[i] for i in tail if counts[i] > 0)) if tail else math.nan,
        "head_total_variation": float(sum(moved)) / 2,
    }


def groups(
    counts: np.ndarray, model: list[Fraction], names: list[str], order: list[str]
) -> dict[str, list[float]]:
    """Survivors and mass of each group."""
    members = [[i for i, name in enumerate(names) if name == group] for group in order]
    return {
        "group_survivors": [sum(counts[i] > 0 for i in group) for group in members],
        "group_mass": [float(sum(model[i] for i in group)) for group in members],
    }

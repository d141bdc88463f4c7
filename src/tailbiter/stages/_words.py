# SPDX-License-Identifier: MIT
"""Stages of collapse in a sentence or two."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["as_plain", "in_words", "named"]

SHORT = {
    "risk_catastrophic": "catastrophic risk",
    "risk_rise": "rise of risk",
    "test_loss": "held-out loss",
    "variance": "collapsed variance",
    "modes_lost": "loss of modes",
    "tail_lost": "loss of the tail",
    "hallucination": "hallucination",
    "entropy_lost": "loss of entropy",
    "mode_collapse": "mode collapse",
    "one_left": "one category left",
    "late_concentrating": "late collapse, concentrating",
    "late_flattening": "late collapse, flattening",
}


def in_words(found: xr.Dataset) -> list[str]:
    """Say when stages were reached: early and late collapse, then the profile.

    Parameters
    ----------
    found : xarray.Dataset
        As `stages` returned it.

    Returns
    -------
    list of str
        Sentences.
    """
    medians = {str(n): float(m) for n, m in zip(found.stage.values, found.median_onset.values, strict=True)}
    share = dict(zip(medians, found.share_reached.values, strict=True))
    last = int(found.attrs["last_generation"])
    flat, narrow = medians.pop("late_flattening", math.nan), medians.pop("late_concentrating", math.nan)
    kind = ", flattening" if flat == medians.get("late") and flat != narrow else ", concentrating"
    lines: list[str] = []
    for name, word in (("early", "Early collapse"), ("late", "Late collapse")):
        if name in medians:
            when = medians.pop(name)
            way = kind if name == "late" and math.isfinite(when) else ""
            lines.append(f"{word}{way}: {_when(when, float(share[name]), last)}.")
        elif json.loads(found.attrs["left_out"]).get(name, "").startswith("chance alone"):
            lines.append(f"{word}: not to be told from chance.")
    reached = sorted((when, SHORT[name]) for name, when in medians.items() if math.isfinite(when))
    never = [SHORT[name] for name, when in medians.items() if not math.isfinite(when)]
    lines = [" ".join(lines)] if lines else []
    profile = [f"{name} {when:,.0f}" for when, name in reached]
    if reached or never:
        said = "; ".join(
            filter(None, (", ".join(profile), "not reached: " + ", ".join(never) if never else ""))
        )
        lines.append(f"Other definitions (median onset): {said}.")
    return lines


def named(stage: str) -> str:
    """Return what sentences call a stage."""
    return SHORT.get(stage, f"{stage.replace('_', ' ')} collapse")


def _when(median: float, share: float, last: int) -> str:
    if share == 0:
        return f"reached by no replicate by generation {last:,}"
    if not math.isfinite(median):
        some = f"{100 * share:.0f} % of the replicates"
        return f"reached by {some} by generation {last:,}, too few for a median"
    return f"by generation {median:,.0f} (median)"


def as_plain(found: xr.Dataset) -> dict[str, float | None]:
    """Median onsets by stage, ready for JSON: None where half of the replicates did not get there."""
    pairs = zip(found.stage.values, found.median_onset.values, strict=True)
    return {str(name): float(when) if math.isfinite(when) else None for name, when in pairs}

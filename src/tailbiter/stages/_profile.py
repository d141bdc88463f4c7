# SPDX-License-Identifier: MIT
"""Definitions of collapse: what each needs, when it holds, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.judgement import Stages

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SCHAEFFER = "Schaeffer et al. 2025, "
OWN = "early and late collapse"


@dataclass(frozen=True)
class Definition:
    """One of the things that are called collapse.

    Attributes
    ----------
    name : str
        Of the stage.
    needs : tuple of str
        Recorded variables.
    reached : callable
        Says for each replicate and recorded generation whether it holds.
    saying : str
        The definition, with thresholds by name.
    source : str
        Who uses it.
    """

    name: str
    needs: tuple[str, ...]
    reached: Callable[[Values, Stages], Flags]
    saying: str
    source: str

    def said(self, by: Stages) -> str:
        """The definition with its thresholds."""
        return self.saying.format(**{name: f"{getattr(by, name):g}" for name in by.__struct_fields__})


class Values:
    """Recorded values by replicate and generation.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded generation 1.
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds
        self.generation: npt.NDArray[np.int64] = ds["generation"].values
        self.one = int(np.flatnonzero(self.generation == 1)[0])

    def __getitem__(self, name: str) -> Floats:
        return self.ds[name].transpose("replicate", "generation").values.astype(np.float64)

    def first(self, name: str) -> Floats:
        """Generation 1's, as a column."""
        return self[name][:, self.one : self.one + 1]

    @property
    def reference_diversity(self) -> Floats:
        """Gini-Simpson index of the reference."""
        return self["gini_simpson"][:, :1]

    def lacks(self, definition: Definition) -> str | None:
        """Say why a definition cannot be told, if so."""
        missing = [name for name in definition.needs if name not in self.ds]
        if missing:
            return f"needs {' and '.join(missing)}, which the run did not record"
        empty = [name for name in definition.needs if not np.isfinite(self.first(name)).any()]
        if empty:
            return f"needs {empty[0]}, which has no value at generation 1"
        if definition.name == "risk_catastrophic" and self.generation[0] != 0:
            return "needs generation 0, which the run did not record"
        return None


def _below(name: str, share: str) -> Callable[[Values, Stages], Flags]:
    """Fallen below a share of generation 1's."""
    return lambda values, by: values[name] < getattr(by, share) * values.first(name)


def _gone(name: str, share: str) -> Callable[[Values, Stages], Flags]:
    """Gone a share of the way from generation 1's to 1."""

    def reached(values: Values, by: Stages) -> Flags:
        first = values.first(name)
        return (values[name] >= first + getattr(by, share) * (1.0 - first)) & (first < 1.0)

    return reached


def _early(values: Values, by: Stages) -> Flags:
    tail = _below("tail_coverage", "tail_left")(values, by)
    return tail & (values["head_total_variation"] < by.head_moved)


_concentrating = _below("gini_simpson", "diversity_left")


def _flattening(values: Values, by: Stages) -> Flags:
    wide = values["entropy"] >= values.first("entropy")
    return _gone("total_variation", "moved")(values, by) & wide


def _late(values: Values, by: Stages) -> Flags:
    return _concentrating(values, by) | _flattening(values, by)


def _catastrophic(values: Values, by: Stages) -> Flags:
    first = values.first("brier")
    way = values.reference_diversity - first
    return (values["brier"] - first >= by.risk_catastrophic * way) & (way > 0)


def _test_loss(values: Values, by: Stages) -> Flags:
    name = "cross_entropy_floor_1e_9"
    return values[name] - values.first(name) > np.log1p(by.perplexity_rise)


def _effective(values: Values, by: Stages) -> Flags:
    return np.exp(values["entropy"]) < by.effective_left * np.exp(values.first("entropy"))


def _one_left(values: Values, _: Stages) -> Flags:
    return (values["survivors"] == 1) & (values.first("survivors") > 1)


PROFILE = (
    Definition(
        "early",
        ("tail_coverage", "head_total_variation"),
        _early,
        "reference mass of the tail's categories present below {tail_left} of generation 1's, while total "
        "variation on the renormalised head is below {head_moved}",
        OWN,
    ),
    Definition(
        "late",
        ("gini_simpson", "total_variation", "entropy"),
        _late,
        "late_concentrating or late_flattening",
        OWN,
    ),
    Definition(
        "late_concentrating",
        ("gini_simpson",),
        _concentrating,
        "Gini-Simpson index below {diversity_left} of generation 1's",
        OWN,
    ),
    Definition(
        "late_flattening",
        ("total_variation", "entropy"),
        _flattening,
        "total variation from the reference {moved} of the way from generation 1's to 1, with the effective "
        "number not below generation 1's",
        OWN,
    ),
    Definition(
        "risk_catastrophic",
        ("brier", "gini_simpson"),
        _catastrophic,
        "excess risk (Brier) {risk_catastrophic} of the way from generation 1's to that of one category "
        "drawn from the reference",
        SCHAEFFER + "catastrophic increase of population risk",
    ),
    Definition(
        "risk_rise",
        ("brier",),
        lambda values, by: values["brier"] > (1.0 + by.risk_rise) * values.first("brier"),
        "excess risk (Brier) above generation 1's by more than {risk_rise} of it",
        SCHAEFFER + "any increase of population risk",
    ),
    Definition(
        "test_loss",
        ("cross_entropy_floor_1e_9",),
        _test_loss,
        "held-out perplexity (floor 1e-9) above generation 1's by more than {perplexity_rise} of it",
        SCHAEFFER + "increase of risk, on held-out data",
    ),
    Definition(
        "variance",
        ("gini_simpson",),
        _below("gini_simpson", "variance_left"),
        "Gini-Simpson index, the variance of a categorical law, below {variance_left} of generation 1's",
        SCHAEFFER + "collapsing variance",
    ),
    Definition(
        "modes_lost",
        ("coverage",),
        _below("coverage", "coverage_left"),
        "reference mass of the categories present below {coverage_left} of generation 1's",
        SCHAEFFER + "disappearance of modes of real data",
    ),
    Definition(
        "tail_lost",
        ("tail_coverage",),
        _below("tail_coverage", "tail_left"),
        "reference mass of the tail's categories present below {tail_left} of generation 1's",
        SCHAEFFER + "disappearance of the tail of real data",
    ),
    Definition(
        "hallucination",
        ("wrong_mass",),
        lambda values, by: values["wrong_mass"] > by.wrong,
        "more than {wrong} of the training set outside the reference",
        SCHAEFFER + "appearance of hallucinated data",
    ),
    Definition(
        "entropy_lost",
        ("entropy",),
        _effective,
        "effective number, exp(entropy), below {effective_left} of generation 1's",
        "loss of entropy, or of diversity",
    ),
    Definition(
        "mode_collapse",
        ("largest_share",),
        _gone("largest_share", "top_share"),
        "largest probability {top_share} of the way from generation 1's to 1",
        "mode collapse",
    ),
    Definition("one_left", ("survivors",), _one_left, "one category left", "fixation"),
)
"""In the order in which they are listed."""

NOT_TOLD = {
    "risk_diverging": "asymptotically diverging risk (Schaeffer et al. 2025) is about t to infinity: no run "
    "shows it, and scores of categorical models are bounded or infinite from the first loss on",
    "scaling_law": "a change of the scaling law (Schaeffer et al. 2025) takes many sizes: sweep samples",
}
"""Definitions that one run cannot tell, and why."""

# SPDX-License-Identifier: MIT
"""Definitions of collapse: what each needs, when it holds, and how it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ._chance import FALSE_ALARM, SCORE, Human, beyond_all, in_a_row

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
        Recorded variables; by the first it is told from chance.
    reached : callable
        Says for each replicate and recorded generation whether it holds.
    chance : callable
        Most that the chance may be that it holds of a human sample.
    saying : str
        The definition, with thresholds by name.
    source : str
        Who uses it.
    rises : bool
        Whether the first variable is above its bound then, not below.
    """

    name: str
    needs: tuple[str, ...]
    reached: Callable[[Values, Stages], Flags]
    chance: Callable[[Human, Stages], float]
    saying: str
    source: str
    rises: bool = False

    def said(self, by: Stages) -> str:
        """The definition with its thresholds."""
        return self.saying.format(**{name: f"{getattr(by, name):g}" for name in by.__struct_fields__})


class Values:
    """Recorded values by replicate and generation, and those that a first human sample has.

    Parameters
    ----------
    ds : xarray.Dataset
        A run that recorded generation 1.
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds
        self.generation: npt.NDArray[np.int64] = ds["generation"].values
        self.one = int(np.flatnonzero(self.generation == 1)[0])
        self.later = int((self.generation > 1).sum())
        self.human = Human(json.loads(ds.attrs.get("human_sample", "{}")))

    def __getitem__(self, name: str) -> Floats:
        return self.ds[name].transpose("replicate", "generation").values.astype(np.float64)

    def first(self, name: str) -> float:
        """Expected of a first human sample; where that is not known, the mean of generation 1."""
        if self.human.knows(name):
            return self.human.first(name)
        return float(np.nanmean(self[name][:, self.one]))

    @property
    def reference_diversity(self) -> float:
        """Gini-Simpson index of the reference."""
        known = self.human.chance.get("gini_simpson")
        return float(self["gini_simpson"][0, 0]) if known is None else known["reference"]

    def lacks(self, definition: Definition) -> str | None:
        """Say why a definition cannot be told, if so."""
        missing = [name for name in definition.needs if name not in self.ds]
        if missing:
            return f"needs {' and '.join(missing)}, which the run did not record"
        empty = [name for name in definition.needs if not np.isfinite(self[name][:, self.one]).any()]
        if empty:
            return f"needs {empty[0]}, which has no value at generation 1"
        unknown = not self.human.knows("gini_simpson")
        if definition.name == "risk_catastrophic" and unknown and self.generation[0] != 0:
            return "needs generation 0, which the run did not record"
        return None

    def known(self, definition: Definition) -> bool:
        """Whether the chance that it holds of a human sample is known; wrong is none of human data."""
        return definition.name == "hallucination" or self.human.knows(definition.needs[0])

    def records(self, definition: Definition, by: Stages) -> float:
        """In how many records in a row it must hold to be more than chance; infinity for none."""
        most = FALSE_ALARM / max(self.later, 1)
        if self.known(definition):
            return in_a_row(definition.chance(self.human, by), most)
        return beyond_all(self.ds.sizes["replicate"], most, self.later)

    def flags(self, definition: Definition, by: Stages) -> Flags:
        """Where it holds; where no chance is known, only what lies beyond every replicate's generation 1."""
        holds = definition.reached(self, by) & (self.generation >= 2)
        if self.known(definition):
            return holds
        values = self[definition.needs[0]]
        first = values[:, self.one]
        return holds & (values > np.nanmax(first) if definition.rises else values < np.nanmin(first))


def _below(name: str, share: str) -> Callable[[Values, Stages], Flags]:
    """Fallen below a share of the first sample's."""
    return lambda values, by: values[name] < getattr(by, share) * values.first(name)


def _gone(name: str, share: str) -> Callable[[Values, Stages], Flags]:
    """Gone a share of the way from the first sample's to 1."""

    def reached(values: Values, by: Stages) -> Flags:
        first = values.first(name)
        return (values[name] >= first + getattr(by, share) * (1.0 - first)) & (first < 1.0)

    return reached


def _early(values: Values, by: Stages) -> Flags:
    tail = _below("tail_coverage", "tail_left")(values, by)
    return tail & (values["head_total_variation"] < by.head_moved)


def _flattening(values: Values, by: Stages) -> Flags:
    wide = values["entropy"] >= values.first("entropy")
    return _gone("total_variation", "moved")(values, by) & wide


def _catastrophic(values: Values, by: Stages) -> Flags:
    first = values.first("brier")
    way = values.reference_diversity - first
    return (values["brier"] - first >= by.risk_catastrophic * way) & (way > 0)


def _rise(values: Values, by: Stages) -> Flags:
    bound = values.human.raised(by) if values.human.knows("brier") else 0.0
    return values["brier"] > max((1.0 + by.risk_rise) * values.first("brier"), bound)


def _test_loss(values: Values, by: Stages) -> Flags:
    return values[SCORE] - values.first(SCORE) > np.log1p(by.perplexity_rise)


def _effective(values: Values, by: Stages) -> Flags:
    return np.exp(values["entropy"]) < by.effective_left * np.exp(values.first("entropy"))


LATE = {"late": ("late_concentrating", "late_flattening")}
"""What is reached with the first of others."""

PROFILE = (
    Definition(
        "early",
        ("tail_coverage", "head_total_variation"),
        _early,
        lambda human, by: human.fewer("tail_coverage", by.tail_left),
        "reference mass of the tail's categories present below {tail_left} of the first human sample's, "
        "while total variation on the renormalised head is below {head_moved}",
        OWN,
    ),
    Definition(
        "late_concentrating",
        ("gini_simpson",),
        _below("gini_simpson", "diversity_left"),
        lambda human, by: human.concentrated(by.diversity_left),
        "Gini-Simpson index below {diversity_left} of the first human sample's",
        OWN,
    ),
    Definition(
        "late_flattening",
        ("total_variation", "entropy"),
        _flattening,
        lambda human, by: human.moved(by.moved),
        "total variation from the reference {moved} of the way from the first human sample's to 1, with the "
        "effective number not below that sample's",
        OWN,
        rises=True,
    ),
    Definition(
        "risk_catastrophic",
        ("brier", "gini_simpson"),
        _catastrophic,
        lambda human, by: human.catastrophic(by.risk_catastrophic),
        "excess risk (Brier) {risk_catastrophic} of the way from the first human sample's to that of one "
        "category drawn from the reference",
        SCHAEFFER + "catastrophic increase of population risk",
        rises=True,
    ),
    Definition(
        "risk_rise",
        ("brier",),
        _rise,
        Human.risen,
        "excess risk (Brier) above the first human sample's by more than {risk_rise} of it, and by more than "
        "three standard deviations",
        SCHAEFFER + "any increase of population risk",
        rises=True,
    ),
    Definition(
        "test_loss",
        (SCORE,),
        _test_loss,
        lambda human, by: human.scored(by.perplexity_rise),
        "held-out perplexity (floor 1e-9) above the first human sample's by more than {perplexity_rise} of "
        "it",
        SCHAEFFER + "increase of risk, on held-out data",
        rises=True,
    ),
    Definition(
        "variance",
        ("gini_simpson",),
        _below("gini_simpson", "variance_left"),
        lambda human, by: human.concentrated(by.variance_left),
        "Gini-Simpson index, the variance of a categorical law, below {variance_left} of the first "
        "human sample's",
        SCHAEFFER + "collapsing variance",
    ),
    Definition(
        "modes_lost",
        ("coverage",),
        _below("coverage", "coverage_left"),
        lambda human, by: human.fewer("coverage", by.coverage_left),
        "reference mass of the categories present below {coverage_left} of the first human sample's",
        SCHAEFFER + "disappearance of modes of real data",
    ),
    Definition(
        "tail_lost",
        ("tail_coverage",),
        _below("tail_coverage", "tail_left"),
        lambda human, by: human.fewer("tail_coverage", by.tail_left),
        "reference mass of the tail's categories present below {tail_left} of the first human sample's",
        SCHAEFFER + "disappearance of the tail of real data",
    ),
    Definition(
        "hallucination",
        ("wrong_mass",),
        lambda values, by: values["wrong_mass"] > by.wrong,
        lambda *_: 0.0,
        "more than {wrong} of the training set outside the reference",
        SCHAEFFER + "appearance of hallucinated data",
    ),
    Definition(
        "entropy_lost",
        ("entropy",),
        _effective,
        lambda human, by: human.narrowed(by.effective_left),
        "effective number, exp(entropy), below {effective_left} of the first human sample's",
        "loss of entropy, or of diversity",
    ),
    Definition(
        "mode_collapse",
        ("largest_share",),
        _gone("largest_share", "top_share"),
        lambda human, by: human.dominated(by.top_share),
        "largest probability {top_share} of the way from the reference's to 1",
        "mode collapse",
        rises=True,
    ),
    Definition(
        "one_left",
        ("survivors",),
        lambda values, _: values["survivors"] == 1,
        lambda human, _: human.chance["survivors"]["one"],
        "one category left",
        "fixation",
    ),
)
"""In the order in which they are listed."""

NOT_TOLD = {
    "risk_diverging": "asymptotically diverging risk (Schaeffer et al. 2025) is about t to infinity: no run "
    "shows it, and scores of categorical models are bounded or infinite from the first loss on",
    "scaling_law": "a change of the scaling law (Schaeffer et al. 2025) takes many sizes: sweep samples",
}
"""Definitions that one run cannot tell, and why."""

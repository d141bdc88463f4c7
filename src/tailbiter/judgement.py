# SPDX-License-Identifier: MIT
"""By what thresholds stages of collapse are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._checks import SET, Described, as_dict, make, number, within
from .errors import SpecError

__all__ = ["Stages"]

_SHARE = "give a share such as 0.5"


class Stages(Described, frozen=True, kw_only=True):
    """Thresholds of the stages of collapse; they change no random bit.

    The first human sample is what one as large as generation 1's is expected to have; `stages` says in how
    many records in a row a stage must hold.

    Parameters
    ----------
    tail_left : float, default 0.5
        Early collapse: the tail's coverage falls below this share of the first human sample's.
    head_moved : float, default 0.1
        And total variation on the renormalised head is below this.
    diversity_left : float, default 0.5
        Late collapse, concentrating: the Gini-Simpson index falls below this share of the first human
        sample's.
    moved : float, default 0.5
        Late collapse, flattening: total variation from the reference has gone this share of the way that the
        first human sample left it, and the effective number is not below that sample's.
    risk_rise : float, default 0.1
        A rise of population risk: excess risk (the Brier distance) exceeds the first human sample's by this
        share, and by three standard deviations.
    risk_catastrophic : float, default 0.5
        A catastrophic one: it has gone this share of the way from the first human sample's to that of one
        category drawn from the reference.
    perplexity_rise : float, default 0.5
        Held-out loss: perplexity exceeds the first human sample's by this share.
    variance_left : float, default 0.05
        Collapsing variance: the Gini-Simpson index falls below this share of the first human sample's.
    effective_left : float, default 0.5
        Loss of entropy: the effective number falls below this share of the first human sample's.
    coverage_left : float, default 0.5
        Loss of modes: the reference mass of what is present falls below this share of the first human
        sample's.
    top_share : float, default 0.5
        Mode collapse: the largest probability has gone this share of the way from the reference's to 1.
    wrong : float, default 0.05
        Hallucinated data: wrong mass exceeds this.

    Raises
    ------
    SpecError
        For a value outside its range: shares lie in [0, 1], rises are not negative.

    Examples
    --------
    >>> Stages(tail_left=0.25).to_dict()
    {'tail_left': 0.25}
    """

    tail_left: float = 0.5
    head_moved: float = 0.1
    diversity_left: float = 0.5
    moved: float = 0.5
    risk_rise: float = 0.1
    risk_catastrophic: float = 0.5
    perplexity_rise: float = 0.5
    variance_left: float = 0.05
    effective_left: float = 0.5
    coverage_left: float = 0.5
    top_share: float = 0.5
    wrong: float = 0.05

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value, field = getattr(self, name), f"stages.{name}"
            if name.endswith("_rise"):
                value = number(value, field, "give a share such as 0.1")
                if value < 0:
                    raise SpecError(field, value, "is negative", "give a share such as 0.1")
            else:
                value = within(value, field, 0, 1, _SHARE)
            SET(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return what is not as by default."""
        return as_dict(self, defaults=False)


def as_stages(value: object) -> Stages | None:
    """Return thresholds, made from a table if need be."""
    if value is None or isinstance(value, Stages):
        return value
    if isinstance(value, Mapping):
        stages: Stages = make(Stages, value, "stages")
        return stages
    raise SpecError("stages", value, "is no set of thresholds", "give Stages(), or a table")

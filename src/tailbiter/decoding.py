# SPDX-License-Identifier: MIT
"""How a model is sampled."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

from ._checks import SET, Described, as_dict, number, whole, within
from .errors import SpecError
from .jit._rule import Rule

__all__ = ["Decoding"]

_TEMPERATURE = "give a number above 0 such as 0.8"
_COLDEST, _HOTTEST = 1e-3, 1e3
_SHARE = "give a share such as 0.95"
_MOST = 10**7


class Decoding(Described, frozen=True, kw_only=True):
    """What is done to a model's probabilities before it is sampled, in the order in which it stands here.

    Parameters
    ----------
    temperature : float, default 1.0
        Probabilities are raised to the power 1/temperature: below 1 what is common becomes commoner. From
        0.001 to 1000.
    top_k : int, optional
        Only the k most probable categories are sampled.
    top_p : float, default 1.0
        Only the fewest most probable categories that together hold this probability (nucleus sampling:
        Holtzman et al. 2020, arXiv 1904.09751), in (0, 1].
    min_p : float, default 0.0
        Only categories at least this probable beside the most probable one (Nguyen et al. 2024, arXiv
        2407.01082), in [0, 1].
    epsilon : float, default 0.0
        Only categories of at least this probability (Hewitt et al. 2022, arXiv 2210.15191), or the most
        probable one where there is none, in [0, 1).
    rule : function of (weights, ranks, others, other, generation), or its import path, optional
        Comes last: your own, compiled by Numba and called inside the core's loop. It changes ``weights``
        (float64[n], in any unit) in place and returns the new weight of each category that is not listed:
        ``others`` of them, of weight ``other`` so far. ``ranks`` (uint32[n], read-only) number the listed
        categories by their place in the reference, 0 the commonest; the number of categories itself stands
        for what lies outside it. ``generation`` is the model's.

    Raises
    ------
    SpecError
        For a value out of range, and for a rule that is no function. In a run, for one that does not compile,
        that raises, or that leaves weights which are not finite, negative or all 0.

    Notes
    -----
    Each step sees probabilities renormalised after the one before, as text generators do it. Of categories
    with equal probability a cut keeps those that are commoner in the reference (of equal ones there, those
    that stand first in its table), so `top_k` never leaves more than k. What is cut is not sampled: under
    `Replace` it is gone.

    What has exactly the share that is asked for stays. Shares of counts are judged as they are written,
    without rounding: 7 items of 100 have the share .07. After a temperature, or by an estimator that
    smooths, probabilities are real numbers and rounded, and so are shares.

    Generation 1 is human; decoding touches the batches of generations 2 and later.

    Examples
    --------
    >>> import tailbiter as tb
    >>> greedy = tb.Decoding(top_k=1)
    >>> spec = tb.Spec(
    ...     reference=tb.Zipf(50), samples=100, generations=2, replicates=1, decoding=greedy
    ... )
    >>> int(tb.simulate(spec)["survivors"][0, -1])
    1
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    epsilon: float = 0.0
    rule: Rule | Callable[..., float] | str | None = None

    def __post_init__(self) -> None:
        field = "decoding.temperature"
        SET(self, "temperature", within(self.temperature, field, _COLDEST, _HOTTEST, _TEMPERATURE))
        if self.top_k is not None:
            remedy = "give a number of categories such as 50"
            SET(self, "top_k", whole(self.top_k, "decoding.top_k", 1, _MOST, remedy))
        SET(self, "top_p", within(self.top_p, "decoding.top_p", 0, 1, _SHARE))
        if self.top_p == 0:
            raise SpecError("decoding.top_p", 0.0, "keeps nothing", _SHARE)
        SET(self, "min_p", within(self.min_p, "decoding.min_p", 0, 1, "give a share such as 0.05"))
        epsilon = number(self.epsilon, "decoding.epsilon", "give a probability such as 3e-4")
        if not 0 <= epsilon < 1:
            raise SpecError(
                "decoding.epsilon", epsilon, "is outside [0, 1)", "give a probability such as 3e-4"
            )
        SET(self, "epsilon", epsilon)
        if self.rule is not None:
            SET(self, "rule", Rule.of(self.rule, "decoding.rule"))

    @property
    def ratios(self) -> tuple[tuple[int, int], ...]:
        """`top_p`, `min_p` and `epsilon` as they are written, in whole numbers: .07 is 7 of 100.

        Beyond 2**63 the nearest of smaller ones: no share that counts can have lies between the two.
        """
        shares = (Fraction(repr(share)) for share in (self.top_p, self.min_p, self.epsilon))
        return tuple(share.limit_denominator(2**63).as_integer_ratio() for share in shares)

    @property
    def neutral(self) -> bool:
        """Whether it leaves every model as it is."""
        return self == _NEUTRAL

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None where it changes nothing, which a Spec's identity leaves out."""
        if self.neutral:
            return None
        rule = {} if self.rule is None else {"rule": cast("Rule", self.rule).identity}
        return as_dict(self, defaults=False) | rule


_NEUTRAL = Decoding()

# SPDX-License-Identifier: MIT
"""What is kept of a model's output for its quality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from ._checks import SET, Described, as_dict, number, whole, within
from .errors import SpecError
from .reference import Reference
from .reference._per_category import Given, PerCategory, per_category
from .reference._traits import MAX_TOTAL
from .regime import exact

if TYPE_CHECKING:
    from ._compose import Composition

__all__ = ["BestOf", "Choice", "Curation", "TopShare", "Verifier"]

_CANDIDATES = "give a number of candidates such as 2"
_MOST_CANDIDATES = 10**4
_MOST_WAYS = 10**5  # in which a draw's rivals fall to levels of reward, times the levels
_RATE = "give a rate such as 0.9"
_WRONG = "give a reward such as 0"
_SPREAD = 700.0  # e to a larger difference is no normal double


@dataclass(frozen=True, eq=False)
class Levels:
    """Curation as an engine runs it: by level of reward, from the lowest up.

    Attributes
    ----------
    kind : {"weigh", "choice", "best_of", "top"}
        The rule.
    candidates : int
        Of which one is taken; 0 where the rule has none, or no end of them.
    level : uint32[K + 1]
        Level of each category in the order of the reference's table; last, of what is outside it.
    factor : float64[L]
        By level: what weights are multiplied by ("weigh"), or the reward ("choice").
    share : Fraction or None
        Of the items drawn, those kept ("top").
    """

    kind: str
    candidates: int
    level: npt.NDArray[np.uint32]
    factor: npt.NDArray[np.float64]
    share: Fraction | None = None


class _Curation(Described, frozen=True, kw_only=True, tag_field="kind"):
    """What rules have in common: a reward for each category, and for what lies outside the reference."""

    reward: Given
    wrong: float | None = None

    def __post_init__(self) -> None:
        if self.wrong is not None:
            SET(self, "wrong", number(self.wrong, "curation.wrong", _WRONG))

    def of(self, reference: Reference) -> Any:
        """Return it with the rewards in the order of a reference's categories.

        Raises
        ------
        SpecError
            If a category has no reward.
        """
        return msgspec.structs.replace(self, reward=per_category(self.reward, reference, "curation.reward"))

    @property
    def rewards(self) -> npt.NDArray[np.float64]:
        """Rewards by category, and last that of what lies outside the reference: the lowest by default."""
        values = cast("PerCategory", self.reward).values
        return np.append(values, values.min() if self.wrong is None else self.wrong)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        out = as_dict(self)
        return {**out, "reward": self.reward.plain()} if isinstance(self.reward, PerCategory) else out

    def canonical(self) -> dict[str, Any]:
        """Return plain data that names the rewards by their digest."""
        return {**as_dict(self, defaults=False), "reward": cast("PerCategory", self.reward).digest}

    def levels(self) -> Levels:
        """Return the rule by level of reward."""
        raise NotImplementedError

    def check(self, composition: Composition) -> None:
        """Refuse what cannot be run."""
        del composition
        self.levels()


def _ranked(rewards: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    """The different rewards, ascending, and which of them each category has."""
    values, level = np.unique(rewards, return_inverse=True)
    return values, level.astype(np.uint32)


def _exponentials(rewards: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``e^(reward - highest)`` by the core's own exponential."""
    from ._core import fmath

    return fmath.exp_array(rewards - rewards[-1])


class Choice(_Curation, frozen=True, kw_only=True, tag="choice"):
    """Of k candidates one is taken, with probability proportional to ``e^reward``.

    Parameters
    ----------
    k : int or inf
        Candidates, from 2 to 10,000. With ``inf`` the model's probabilities are weighted by ``e^reward``.
    reward : str, int, sequence of float, mapping of str to float, or callable
        Reward of each category: a column of the reference's file (by name or number), a number for each
        category, numbers by label, or a function of the label.
    wrong : float, optional
        Reward of what lies outside the reference (see `Spec.error_rate`); the lowest if left out.

    Raises
    ------
    SpecError
        If a category has no finite reward; or if k and the number of different rewards are so large that the
        exact law has too many terms.

    Notes
    -----
    The choice of Bradley & Terry 1952, and of Plackett and Luce for more than two: curation by people's
    preferences as Ferbach et al. 2024 model it (arXiv 2407.09499). With two categories and k = 2 the change
    is ``s p (1-p)`` with ``s = tanh((r_A - r_B)/2)``.

    The law is summed exactly over the ways in which the other candidates fall to the L different rewards, of
    which there are ``C(L+k-2, k-1)``.

    Examples
    --------
    >>> import tailbiter as tb
    >>> choice = tb.Choice(k=2, reward=[0.0, 1.0, 1.0])
    >>> tb.Spec(reference=tb.Counts([5, 3, 2]), curation=choice).curation.k
    2
    """

    k: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.k, float) and self.k == math.inf):
            SET(self, "k", whole(self.k, "curation.k", 2, _MOST_CANDIDATES, _CANDIDATES))

    def levels(self) -> Levels:
        """Return the rule by level of reward."""
        rewards, level = _ranked(self.rewards)
        if self.k == math.inf:
            if float(rewards[-1]) - float(rewards[0]) > _SPREAD:  # infinite without a warning
                return Levels("choice", 0, level, rewards)
            return Levels("weigh", 0, level, _exponentials(rewards))
        ways = math.comb(len(rewards) + int(self.k) - 2, int(self.k) - 1) * len(rewards)
        if ways > _MOST_WAYS:
            problem = f"with {len(rewards):,} different rewards makes {ways:,} terms, above {_MOST_WAYS:,}"
            raise SpecError("curation.k", self.k, problem, "round the rewards to fewer, or take k = inf")
        return Levels("choice", int(self.k), level, rewards)


class BestOf(_Curation, frozen=True, kw_only=True, tag="best_of"):
    """Of k candidates the one with the highest reward is taken; of equal ones, the first.

    Parameters
    ----------
    k : int
        Candidates, from 2 to 10,000.
    reward, wrong
        As for `Choice`.

    Raises
    ------
    SpecError
        If a category has no finite reward.

    Notes
    -----
    A reward is the best of k with probability ``F^k - G^k``, where F is the model's probability of rewards up
    to it and G of those below it.

    Examples
    --------
    >>> import tailbiter as tb
    >>> best = tb.BestOf(k=4, reward={"a": 0, "b": 1})
    >>> tb.Spec(reference=tb.Counts([5, 3], labels=["a", "b"]), curation=best).curation.rewards.tolist()
    [0.0, 1.0, 0.0]
    """

    k: int

    def __post_init__(self) -> None:
        super().__post_init__()
        SET(self, "k", whole(self.k, "curation.k", 2, _MOST_CANDIDATES, _CANDIDATES))

    def levels(self) -> Levels:
        """Return the rule by level of reward."""
        rewards, level = _ranked(self.rewards)
        return Levels("best_of", self.k, level, np.ones(len(rewards)))


class Verifier(_Curation, frozen=True, kw_only=True, tag="verifier"):
    """Output is verified, with errors, and drawn anew until it is accepted.

    Parameters
    ----------
    accepts_good, accepts_bad : float
        Probability that a good item is accepted, and a bad one; not both 0.
    threshold : float, default 0.5
        What is good: a reward of at least this.
    reward, wrong
        As for `Choice`. What lies outside the reference is bad, unless ``wrong`` says otherwise.

    Raises
    ------
    SpecError
        If a category has no finite reward, or nothing is ever accepted.

    Notes
    -----
    The setting of Feng et al. 2025 (arXiv 2406.07515): training on verified output gets better or worse as
    the verifier is better or worse than a breakdown point.

    Examples
    --------
    >>> import tailbiter as tb
    >>> verifier = tb.Verifier(accepts_good=0.9, accepts_bad=0.2, reward=[1, 1, 0])
    >>> tb.Spec(reference=tb.Counts([5, 3, 2]), curation=verifier).curation.levels().factor.tolist()
    [0.2, 0.9]
    """

    accepts_good: float
    accepts_bad: float
    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("accepts_good", "accepts_bad"):
            SET(self, name, within(getattr(self, name), f"curation.{name}", 0, 1, _RATE))
        SET(self, "threshold", number(self.threshold, "curation.threshold", "give a reward such as 0.5"))

    @property
    def rewards(self) -> npt.NDArray[np.float64]:
        """Rewards by category, and last that of what lies outside the reference: bad, if none is given."""
        values = cast("PerCategory", self.reward).values
        return np.append(values, -math.inf if self.wrong is None else self.wrong)

    def levels(self) -> Levels:
        """Return the rule by level of reward: bad and good."""
        good = self.rewards >= self.threshold
        rates = {False: self.accepts_bad, True: self.accepts_good}
        if not any(rates[bool(one)] for one in np.unique(good[:-1])):
            given = {"accepts_good": self.accepts_good, "accepts_bad": self.accepts_bad}
            raise SpecError("curation", given, "accepts nothing that the reference holds", _RATE)
        return Levels("weigh", 0, good.astype(np.uint32), np.array([rates[False], rates[True]]))


class TopShare(_Curation, frozen=True, kw_only=True, tag="top_share"):
    """More is drawn than is needed, and the share of it with the highest rewards is kept.

    Parameters
    ----------
    share : float
        Share of the items drawn that is kept, in (0, 1].
    reward, wrong
        As for `Choice`.

    Raises
    ------
    SpecError
        If a category has no finite reward.

    Notes
    -----
    For a batch with n synthetic items ``floor(n / share + 1/2)`` are drawn; of those with the reward at which
    the share ends, as many as fit are kept, each set of them equally likely.

    Examples
    --------
    >>> import tailbiter as tb
    >>> top = tb.TopShare(share=0.25, reward=len)
    >>> words = tb.Counts([5, 3, 2], labels=["a", "of", "the"])
    >>> tb.Spec(reference=words, curation=top).curation.rewards.tolist()
    [1.0, 2.0, 3.0, 1.0]
    """

    share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        SET(self, "share", within(self.share, "curation.share", 0, 1, "give a share such as 0.25"))
        if self.share == 0:
            raise SpecError("curation.share", 0.0, "keeps nothing", "give a share such as 0.25")

    def levels(self) -> Levels:
        """Return the rule by level of reward."""
        rewards, level = _ranked(self.rewards)
        return Levels("top", 0, level, np.ones(len(rewards)), exact(self.share))

    def check(self, composition: Composition) -> None:
        """Refuse batches that are too large to draw."""
        items_drawn(exact(self.share), composition)


def items_drawn(share: Fraction, made: Composition) -> npt.NDArray[np.uint64]:
    """Return the sizes of the batches that the best share is kept of, for generations 1 to T + 1."""
    wanted = (made.samples - made.fresh - made.from_kept).tolist()
    sizes = {count: math.floor(count / share + Fraction(1, 2)) for count in set(wanted)}
    largest = max(sizes.values())
    if largest > MAX_TOTAL:
        items = f"{largest:,}" if largest < 10**18 else f"{Decimal(largest):.3g}"
        problem = f"makes batches of {items} items, above 2**53"
        raise SpecError("curation.share", float(share), problem, "keep a larger share, or give fewer samples")
    return np.array([sizes[count] for count in wanted], np.uint64)


Curation = Choice | BestOf | Verifier | TopShare
CURATIONS: dict[str, type[msgspec.Struct]] = {
    "choice": Choice,
    "best_of": BestOf,
    "verifier": Verifier,
    "top_share": TopShare,
}

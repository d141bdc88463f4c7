# SPDX-License-Identifier: MIT
"""What a generation is trained on.

`Mix` is the one general descriptor; every other regime but `AccumulateSubsample` is a named case of it, and
is run by way of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from ._checks import SET, Described, as_dict, build, choice, is_list, number, whole
from .errors import SpecError
from .samples import MAX_SAMPLES
from .sources import (
    COUNT,
    SOURCES,
    Crawled,
    Fixed,
    Fresh,
    Hoard,
    Schedule,
    Source,
    SourceOfItems,
    Synthetic,
    Varying,
    exact,
    share_or_count,
    varying,
)

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Anchored",
    "Crawl",
    "Crawled",
    "Fixed",
    "Fresh",
    "Hoard",
    "Mix",
    "RealOnly",
    "Replace",
    "Schedule",
    "Synthetic",
    "Varying",
    "Window",
    "exact",
]

MAX_WINDOW = 100_000


class _Regime(Described, frozen=True, tag_field="kind"):
    """What a generation is trained on."""

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        raise NotImplementedError


class Mix(_Regime, frozen=True, tag="mix"):
    """Any mixture of sources and of past batches.

    Parameters
    ----------
    sources : sequence of Fresh, Fixed, Hoard, Crawled, Synthetic
        A crawl alone; of the others at most one of each and at most one that is kept (Fixed or Hoard). What
        they leave of a batch is drawn from the last model, whether `Synthetic` is listed or not.
    ages : sequence of float or "all", default (1.0,)
        Weight of an item by the age of its batch: ``(1.0,)`` trains on the newest batch, ``(1.0,) * k`` on
        the last k, ``"all"`` on all of them. Only ratios matter: they are run exactly where they reduce to
        whole numbers up to 2**20, and rounded to 2**-20 of the largest otherwise (a zero stays zero, nothing
        else becomes it).

    Raises
    ------
    SpecError
        For values out of range, sources that cannot stand together, or weights that do not sum to 1.

    Notes
    -----
    With weights every source has one, they sum to 1 in every generation, and an item of source s weighs
    ``weight_s / n_s`` where ``n_s`` is the number of the source's items in the batch. Weights and kept
    sources need ``ages=(1.0,)``.

    Examples
    --------
    >>> Mix([Fresh(share=0.5, weight=0.618), Synthetic(weight=0.382)]).ages
    (1.0,)
    """

    sources: tuple[Source, ...] = (Synthetic(),)
    ages: str | tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        SET(self, "sources", _sources(self.sources))
        SET(self, "ages", _ages(self.ages))
        kinds = [source.kind for source in self.sources]
        if len(set(kinds)) < len(kinds):
            raise SpecError("regime.sources", kinds, "names a source twice", "name each source once")
        if {"fixed", "hoard"} <= set(kinds):
            raise SpecError("regime.sources", kinds, "keeps two sets", "keep one: Fixed or Hoard")
        if "crawled" in kinds and (self.weighted or set(kinds) - {"crawled", "synthetic"}):
            remedy = "name it alone: what is not human is synthetic"
            raise SpecError("regime.sources", kinds, "has a crawl beside other sources or weights", remedy)
        if self.ages != (1.0,):
            self._only_newest(kinds)
        self._all_or_no_weights()

    def _only_newest(self, kinds: list[str]) -> None:
        special = [kind for kind in kinds if kind in ("fixed", "hoard")]
        if self.weighted:
            special.append("weight")
        if special:
            remedy = "leave ages at (1.0,), or leave out weights and kept sources"
            raise SpecError("regime.ages", self.ages, f"cannot stand beside {special[0]}", remedy)

    def _all_or_no_weights(self) -> None:
        without = [source.kind for source in self.sources if source.weight is None]
        if self.weighted and without:
            remedy = "give every source a weight, or none"
            raise SpecError(f"regime.sources.{without[0]}.weight", None, "is missing", remedy)
        if self.weighted and self.source("synthetic") is None:
            kinds = [source.kind for source in self.sources]
            remedy = "list Synthetic(weight=...) too, 0 if need be"
            raise SpecError("regime.sources", kinds, "have weights, but leave out synthetic", remedy)

    @property
    def weighted(self) -> bool:
        """Whether sources have weights of their own."""
        return any(source.weight is not None for source in self.sources)

    def source(self, kind: str) -> Any:
        """Return the source of this kind, or None."""
        for source in self.sources:
            if source.kind == kind:
                return source
        return None

    def as_mix(self) -> Mix:
        """Return the regime itself."""
        return self


def _sources(values: object) -> tuple[Source, ...]:
    field = "regime.sources"
    if not is_list(values):
        raise SpecError(field, values, "is not a list of sources", "give Fresh, Fixed, Hoard or Synthetic")
    out = []
    for value in values:
        source = build(SOURCES, value, field) if isinstance(value, Mapping) else value
        if not isinstance(source, SourceOfItems):
            raise SpecError(field, value, "is not a source", "give Fresh, Fixed, Hoard or Synthetic")
        out.append(source)
    return tuple(out)  # type: ignore[arg-type]  # every SourceOfItems in SOURCES is a Source


def _ages(values: object) -> str | tuple[float, ...]:
    field = "regime.ages"
    remedy = 'give weights such as [1.0, 0.5], or "all"'
    if isinstance(values, str):
        return choice(values, field, ("all",))
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not is_list(values) or not 1 <= len(values) <= MAX_WINDOW:
        raise SpecError(field, values, f"is not a list of 1 to {MAX_WINDOW:,} weights", remedy)
    ages = tuple(number(value, f"{field}[{i}]", remedy) for i, value in enumerate(values))
    for index, value in enumerate(ages):
        if value < 0:
            raise SpecError(f"{field}[{index}]", value, "is negative", remedy)
    if ages[0] == 0:
        raise SpecError(f"{field}[0]", 0.0, "leaves generation 1 nothing to train on", "make it positive")
    return ages


class Replace(_Regime, frozen=True, tag="replace"):
    """Train on the newest batch only: the output of the last model.

    Examples
    --------
    >>> Replace().as_mix() == Mix()
    True
    """

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return Mix()


class Accumulate(_Regime, frozen=True, tag="accumulate"):
    """Train on all batches so far, the first of which is human.

    Examples
    --------
    >>> Accumulate().as_mix() == Mix(ages="all")
    True
    """

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return Mix(ages="all")


class AccumulateSubsample(_Regime, frozen=True, tag="accumulate_subsample"):
    """Train on items drawn without replacement from all batches so far.

    Parameters
    ----------
    draw : int, optional
        Items drawn for each generation, the first included; as many as ``samples`` says if left out.

    Notes
    -----
    A Gaussian run keeps no items, and makes those that are drawn again: a generation then costs as much as
    its pool has items, of which there may be 2**33 - 2.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), regime=AccumulateSubsample(50), samples=100, generations=3)
    >>> tb.lower(spec).draw.tolist()
    [50, 50, 50, 50]
    """

    draw: int | None = None

    def __post_init__(self) -> None:
        if self.draw is not None:
            SET(self, "draw", whole(self.draw, "regime.draw", 1, MAX_SAMPLES, COUNT))

    def as_mix(self) -> Mix:
        """Return the `Mix` that makes the pool from which the items are drawn."""
        return Mix(ages="all")


class Window(_Regime, frozen=True, tag="window"):
    """Train on the last k batches (on all of them while there are fewer).

    Parameters
    ----------
    k : int
        Number of batches, from 1 to 100,000.

    Examples
    --------
    >>> Window(3).as_mix() == Mix(ages=(1, 1, 1))
    True
    """

    k: int

    def __post_init__(self) -> None:
        remedy = "give a number of batches, or use Accumulate to keep them all"
        SET(self, "k", whole(self.k, "regime.k", 1, MAX_WINDOW, remedy))

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return Mix(ages=(1.0,) * self.k)


class RealOnly(_Regime, frozen=True, tag="real_only"):
    """Train on human data alone, drawn anew each time: the baseline that recursion is judged by.

    Examples
    --------
    >>> RealOnly().as_mix() == Mix([Fresh(share=1.0)])
    True
    """

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return Mix((Fresh(share=1.0),))


class Anchored(_Regime, frozen=True, kw_only=True, tag="anchored"):
    """Train on human and synthetic items, in a fixed split.

    Parameters
    ----------
    real : float, sequence of float or Schedule, optional
        Human share of the batch: ``floor(real * N + 1/2)`` items.
    real_count : int, optional
        Human items, instead of a share.
    source : {"fresh", "fixed", "hoard"}, default "fresh"
        New human data each time; the same set for ever; or drawn each time from a kept set.
    hoard : int, optional
        Size of the kept set, with ``source="hoard"`` only.

    Raises
    ------
    SpecError
        For a share outside [0, 1], or fields that do not go together.

    Examples
    --------
    >>> Anchored(real=0.01).as_mix() == Mix((Fresh(share=0.01), Synthetic()))
    True
    """

    real: Varying | None = None
    real_count: int | None = None
    source: str = "fresh"
    hoard: int | None = None

    def __post_init__(self) -> None:
        share_or_count(self, "real", "real_count", "regime")
        choice(self.source, "regime.source", ("fresh", "fixed", "hoard"))
        if (self.hoard is not None) != (self.source == "hoard"):
            remedy = 'give hoard together with source = "hoard", or neither'
            raise SpecError("regime.hoard", self.hoard, f"does not go with source {self.source!r}", remedy)
        if self.hoard is not None:
            SET(self, "hoard", whole(self.hoard, "regime.hoard", 1, MAX_SAMPLES, COUNT))
        if self.source == "fixed" and self.real is not None and not isinstance(self.real, float):
            remedy = "give one share: the set is the same for ever"
            raise SpecError("regime.real", self.real, "changes over generations", remedy)

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return _mix_of(self)


@lru_cache(maxsize=1024)  # a sweep asks for the same ones again and again
def _mix_of(anchored: Anchored) -> Mix:
    human: Source
    if anchored.hoard is not None:
        human = Hoard(size=anchored.hoard, share=anchored.real, count=anchored.real_count)
    elif anchored.source == "fixed":
        human = Fixed(share=anchored.real, count=anchored.real_count)
    else:
        human = Fresh(share=anchored.real, count=anchored.real_count)
    return Mix((human, Synthetic()))


class Crawl(_Regime, frozen=True, kw_only=True, tag="crawl"):
    """Train on what a crawl brings in: each item is human with a given probability.

    Parameters
    ----------
    real : float, sequence of float or Schedule
        Human share of what is crawled: constant, one for every generation (the last holds on), or changing
        along a line or a logistic curve, as a web that fills up.

    Raises
    ------
    SpecError
        For a share outside [0, 1].

    Notes
    -----
    The crawl goes on until a batch is full, so the number of human items in it is binomial, not fixed as in
    `Anchored`. A `Detector` decides what of the crawl is kept.

    Examples
    --------
    >>> Crawl(real=Schedule(start=1, end=0.1, over=20, shape="logistic")).real.end
    0.1
    """

    real: Varying

    def __post_init__(self) -> None:
        SET(self, "real", varying(self.real, "regime.real"))

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        return Mix((Crawled(real=self.real),))


Regime = Replace | Accumulate | AccumulateSubsample | Anchored | Window | RealOnly | Crawl | Mix
REGIMES: dict[str, type[msgspec.Struct]] = {
    "replace": Replace,
    "accumulate": Accumulate,
    "accumulate_subsample": AccumulateSubsample,
    "anchored": Anchored,
    "window": Window,
    "real_only": RealOnly,
    "crawl": Crawl,
    "mix": Mix,
}


@lru_cache(maxsize=1024)
def canonical(regime: Regime) -> Mapping[str, Any]:
    """Return plain data that leaves out some of what does not matter to the law.

    Named regimes become their `Mix`; sources stand in one order; what contributes nothing is left out; ages
    are in lowest terms. Other ways of writing one law stay apart, with keys of their own: one share in a
    list, a share and the count that it makes (and, outside the regime, sizes all alike in a list or as
    `Growth`). The data are shared by all who ask, and not to be changed.
    """
    mix = regime.as_mix()
    kept = [source for source in mix.sources if mix.weighted or not _contributes_nothing(source)]
    out: dict[str, Any] = {
        "sources": [as_dict(s, defaults=False) for s in sorted(kept, key=lambda s: s.kind)],
        "ages": mix.ages if isinstance(mix.ages, str) else age_ratios(mix.ages),
    }
    if isinstance(regime, AccumulateSubsample):
        out["draw"] = regime.draw or "samples"
    return out


def age_ratios(ages: tuple[float, ...]) -> list[int]:
    """Return ages in lowest terms; ages all alike, which may be many, take no arithmetic."""
    return [1] * len(ages) if len(set(ages)) == 1 else lowest_terms([exact(age) for age in ages])


def _contributes_nothing(source: Source) -> bool:
    if isinstance(source, Fresh | Fixed):
        return 0 in (source.share, source.count)
    return isinstance(source, Synthetic)


def lowest_terms(values: Sequence[Fraction]) -> list[int]:
    """Return the whole numbers with the same ratios and no common divisor; not all values may be zero."""
    common = math.lcm(*(v.denominator for v in values))
    numbers = [int(v * common) for v in values]
    divisor = math.gcd(*numbers)
    return [n // divisor for n in numbers]

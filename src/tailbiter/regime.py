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

from ._checks import SET, as_dict, build, choice, is_list, make, number, whole, within
from .errors import SpecError
from .samples import MAX_SAMPLES

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Anchored",
    "Fixed",
    "Fresh",
    "Hoard",
    "Mix",
    "RealOnly",
    "Replace",
    "Schedule",
    "Synthetic",
    "Window",
]

MAX_WINDOW = 100_000
_SHARE = "give a share such as 0.01"
_COUNT = "give a whole number of items such as 1000"


class Schedule(msgspec.Struct, frozen=True):
    """A value that goes from ``start`` at generation 1 to ``end`` at generation 1 + ``over``.

    Parameters
    ----------
    start, end : float
        The first value and the last, which holds on; both in [0, 1].
    over : int
        Generations the change takes.
    shape : {"linear", "logistic"}, default "linear"
        A straight line (in exact rational arithmetic), or the logistic curve between -6 and 6, stretched to
        run from ``start`` to ``end``.

    Examples
    --------
    >>> [float(x) for x in Schedule(start=0.5, end=0.1, over=4).values()]
    [0.5, 0.4, 0.3, 0.2, 0.1]
    """

    start: float
    end: float
    over: int
    shape: str = "linear"

    def __post_init__(self) -> None:
        SET(self, "start", within(self.start, "schedule.start", 0, 1, _SHARE))
        SET(self, "end", within(self.end, "schedule.end", 0, 1, _SHARE))
        SET(self, "over", whole(self.over, "schedule.over", 1, 10**7, "give a number of generations"))
        choice(self.shape, "schedule.shape", ("linear", "logistic"))

    def values(self) -> list[Fraction]:
        """Return the values of generations 1 to 1 + ``over``, exactly."""
        start, end = exact(self.start), exact(self.end)
        if self.shape == "linear":
            inner = [Fraction(t, self.over) for t in range(1, self.over)]
        else:
            inner = _logistic(self.over)
        return [start, *(start + (end - start) * x for x in inner), end]


def _logistic(over: int) -> list[Fraction]:
    """The logistic curve at the inner points, from 0 to 1, by the core's own exp."""
    from ._core import fmath

    x = 12.0 * np.arange(over + 1, dtype=np.float64) / over - 6.0
    curve = 1.0 / (1.0 + fmath.exp_array(-x))
    level = (curve - curve[0]) / (curve[-1] - curve[0])
    return [Fraction(value) for value in level[1:-1].tolist()]


Varying = float | tuple[float, ...] | Schedule
"""A number, one for every generation (the last holds on), or a schedule."""


@lru_cache(maxsize=4096)
def exact(value: float) -> Fraction:
    """Return the decimal that the user wrote as a rational: 0.1 is one tenth."""
    return Fraction(repr(value))


def _varying(value: object, field: str) -> Varying:
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Mapping):
        return _schedule(value, field)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if is_list(value):
        if not value:
            raise SpecError(field, value, "is empty", _SHARE)
        return tuple(within(item, f"{field}[{i}]", 0, 1, _SHARE) for i, item in enumerate(value))
    return within(value, field, 0, 1, _SHARE)


def _schedule(table: Mapping[str, Any], field: str) -> Any:
    """Make a schedule whose errors say where it stands."""
    try:
        return make(Schedule, table, field)
    except SpecError as error:
        where = error.field.removeprefix("schedule")
        if where == error.field:
            raise
        raise SpecError(field + where, error.value, error.problem, error.remedy) from error


class _Source(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What a batch is made of."""

    weight: Varying | None = None

    @property
    def kind(self) -> str:
        """Name of the source, as TOML has it."""
        return str(self.__struct_config__.tag)

    def __post_init__(self) -> None:
        if self.weight is not None:
            SET(self, "weight", _varying(self.weight, f"regime.sources.{self.kind}.weight"))


class _Human(_Source, frozen=True, kw_only=True):
    """Human items, as a share of the batch or as a count."""

    share: Varying | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        field = f"regime.sources.{self.kind}"
        _share_or_count(self, "share", "count", field)


def _share_or_count(struct: msgspec.Struct, share: str, count: str, field: str) -> None:
    """Normalise a pair of fields of which exactly one must be given."""
    given = {name: getattr(struct, name) for name in (share, count) if getattr(struct, name) is not None}
    if len(given) != 1:
        problem = f"needs exactly one of {share} and {count}"
        raise SpecError(field, given, problem, f"give {share} = 0.01, or {count} = 1000")
    if share in given:
        SET(struct, share, _varying(given[share], f"{field}.{share}"))
    else:
        SET(struct, count, whole(given[count], f"{field}.{count}", 0, MAX_SAMPLES, _COUNT))


class Fresh(_Human, frozen=True, kw_only=True, tag="fresh"):
    """New human data in every batch.

    Parameters
    ----------
    share : float, sequence of float or Schedule, optional
        Share of the batch; ``floor(share * N + 1/2)`` items.
    count : int, optional
        Items, instead of a share.
    weight : float, sequence of float or Schedule, optional
        Weight of the source in training, shared by its items.

    Examples
    --------
    >>> Mix([Fresh(share=0.1), Synthetic()]) == Anchored(real=0.1).as_mix()
    True
    """


class Fixed(_Human, frozen=True, kw_only=True, tag="fixed"):
    """The same human data in every batch: the first items of the human stream that generation 1 begins.

    Parameters
    ----------
    share : float, optional
        Share of generation 1's batch.
    count : int, optional
        Items, instead of a share.
    weight : float, sequence of float or Schedule, optional
        Weight of the source in training, shared by its items.

    Examples
    --------
    >>> Mix([Fixed(count=20), Synthetic()]) == Anchored(real_count=20, source="fixed").as_mix()
    True
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.share is not None and not isinstance(self.share, float):
            remedy = "give one share: the set is the same for ever"
            raise SpecError("regime.sources.fixed.share", self.share, "changes over generations", remedy)


class Hoard(_Human, frozen=True, kw_only=True, tag="hoard"):
    """Human data drawn, without replacement and anew in every batch, from a kept set.

    Parameters
    ----------
    size : int
        Items kept.
    share : float, sequence of float or Schedule, optional
        Share of the batch that is drawn from them.
    count : int, optional
        Items, instead of a share.
    weight : float, sequence of float or Schedule, optional
        Weight of the source in training, shared by its items.

    Examples
    --------
    >>> kept = Hoard(size=5000, share=0.1)
    >>> Mix([kept, Synthetic()]) == Anchored(real=0.1, source="hoard", hoard=5000).as_mix()
    True
    """

    size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        SET(self, "size", whole(self.size, "regime.sources.hoard.size", 1, MAX_SAMPLES, _COUNT))


class Synthetic(_Source, frozen=True, kw_only=True, tag="synthetic"):
    """The rest of the batch, drawn from the last model.

    Parameters
    ----------
    weight : float, sequence of float or Schedule, optional
        Weight of the source in training, shared by its items.

    Examples
    --------
    >>> Mix([Fresh(share=0.1, weight=0.5), Synthetic(weight=0.5)]).weighted
    True
    """


Source = Fresh | Fixed | Hoard | Synthetic
SOURCES: dict[str, type[msgspec.Struct]] = {
    "synthetic": Synthetic,
    "fresh": Fresh,
    "fixed": Fixed,
    "hoard": Hoard,
}


class _Regime(msgspec.Struct, frozen=True, tag_field="kind"):
    """What a generation is trained on."""

    def as_mix(self) -> Mix:
        """Return the `Mix` that this regime is a name for."""
        raise NotImplementedError


class Mix(_Regime, frozen=True, tag="mix"):
    """Any mixture of sources and of past batches.

    Parameters
    ----------
    sources : sequence of Fresh, Fixed, Hoard, Synthetic
        At most one of each and at most one that is kept (Fixed or Hoard). What they leave of a batch is drawn
        from the last model, whether `Synthetic` is listed or not.
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
        return next((source for source in self.sources if source.kind == kind), None)

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
        if not isinstance(source, _Source):
            raise SpecError(field, value, "is not a source", "give Fresh, Fixed, Hoard or Synthetic")
        out.append(source)
    return tuple(out)  # type: ignore[arg-type]  # every _Source in SOURCES is a Source


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
            SET(self, "draw", whole(self.draw, "regime.draw", 1, MAX_SAMPLES, _COUNT))

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
        _share_or_count(self, "real", "real_count", "regime")
        choice(self.source, "regime.source", ("fresh", "fixed", "hoard"))
        if (self.hoard is not None) != (self.source == "hoard"):
            remedy = 'give hoard together with source = "hoard", or neither'
            raise SpecError("regime.hoard", self.hoard, f"does not go with source {self.source!r}", remedy)
        if self.hoard is not None:
            SET(self, "hoard", whole(self.hoard, "regime.hoard", 1, MAX_SAMPLES, _COUNT))
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


Regime = Replace | Accumulate | AccumulateSubsample | Anchored | Window | RealOnly | Mix
REGIMES: dict[str, type[msgspec.Struct]] = {
    "replace": Replace,
    "accumulate": Accumulate,
    "accumulate_subsample": AccumulateSubsample,
    "anchored": Anchored,
    "window": Window,
    "real_only": RealOnly,
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

# SPDX-License-Identifier: MIT
"""What a batch is made of, and values that change over generations."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from ._checks import SET, Described, choice, is_list, make, whole, within
from .errors import SpecError
from .samples import MAX_SAMPLES

__all__ = ["Crawled", "Fixed", "Fresh", "Hoard", "Schedule", "Synthetic"]

_SHARE = "give a share such as 0.01"
COUNT = "give a whole number of items such as 1000"


class Schedule(Described, frozen=True):
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


def varying(value: object, field: str) -> Varying:
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


class SourceOfItems(Described, frozen=True, kw_only=True, tag_field="kind"):
    """What a batch is made of."""

    weight: Varying | None = None

    @property
    def kind(self) -> str:
        """Name of the source, as TOML has it."""
        return str(self.__struct_config__.tag)

    def __post_init__(self) -> None:
        if self.weight is not None:
            SET(self, "weight", varying(self.weight, f"regime.sources.{self.kind}.weight"))


class _Human(SourceOfItems, frozen=True, kw_only=True):
    """Human items, as a share of the batch or as a count."""

    share: Varying | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        field = f"regime.sources.{self.kind}"
        share_or_count(self, "share", "count", field)


def share_or_count(struct: msgspec.Struct, share: str, count: str, field: str) -> None:
    """Normalise a pair of fields of which exactly one must be given."""
    given = {name: getattr(struct, name) for name in (share, count) if getattr(struct, name) is not None}
    if len(given) != 1:
        problem = f"needs exactly one of {share} and {count}"
        raise SpecError(field, given, problem, f"give {share} = 0.01, or {count} = 1000")
    if share in given:
        SET(struct, share, varying(given[share], f"{field}.{share}"))
    else:
        SET(struct, count, whole(given[count], f"{field}.{count}", 0, MAX_SAMPLES, COUNT))


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
    >>> from tailbiter import Anchored, Mix
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
    >>> from tailbiter import Anchored, Mix
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
    >>> from tailbiter import Anchored, Mix
    >>> kept = Hoard(size=5000, share=0.1)
    >>> Mix([kept, Synthetic()]) == Anchored(real=0.1, source="hoard", hoard=5000).as_mix()
    True
    """

    size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        SET(self, "size", whole(self.size, "regime.sources.hoard.size", 1, MAX_SAMPLES, COUNT))


class Synthetic(SourceOfItems, frozen=True, kw_only=True, tag="synthetic"):
    """The rest of the batch, drawn from the last model.

    Parameters
    ----------
    weight : float, sequence of float or Schedule, optional
        Weight of the source in training, shared by its items.

    Examples
    --------
    >>> from tailbiter import Anchored, Mix
    >>> Mix([Fresh(share=0.1, weight=0.5), Synthetic(weight=0.5)]).weighted
    True
    """


class Crawled(SourceOfItems, frozen=True, kw_only=True, tag="crawled"):
    """Items of a crawl, of which a share is human: how many of a batch are is left to chance.

    Parameters
    ----------
    real : float, sequence of float or Schedule
        Human share of what is crawled; every item is human with this probability, and the crawl goes on until
        as many items as the batch needs are kept.
    weight : None
        Items of a crawl all weigh the same.

    Examples
    --------
    >>> from tailbiter import Crawl, Mix
    >>> Mix([Crawled(real=0.1)]) == Crawl(real=0.1).as_mix()
    True
    """

    real: Varying

    def __post_init__(self) -> None:
        super().__post_init__()
        SET(self, "real", varying(self.real, "regime.sources.crawled.real"))


Source = Fresh | Fixed | Hoard | Crawled | Synthetic
SOURCES: dict[str, type[msgspec.Struct]] = {
    "synthetic": Synthetic,
    "fresh": Fresh,
    "fixed": Fixed,
    "hoard": Hoard,
    "crawled": Crawled,
}

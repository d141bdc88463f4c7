# SPDX-License-Identifier: MIT
"""Hypothesis strategies: Specs, regimes and references of every kind, valid by construction.

They shrink toward what is small and plain: `Uniform` (2 categories), `Replace`, constant samples, one
generation. What makes a regime valid depends on the sizes of the batches, so it is made for given ones;
nothing is tried and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from .._checks import whole
from .._compose import rounded
from ..errors import SpecError
from ..reference import Counts, Dirichlet, Geometric, Probabilities, Reference, Uniform, Zipf
from ..regime import (
    REGIMES,
    Accumulate,
    AccumulateSubsample,
    Anchored,
    Crawl,
    Fixed,
    Fresh,
    Hoard,
    Mix,
    RealOnly,
    Regime,
    Replace,
    Schedule,
    Synthetic,
    Varying,
    Window,
    exact,
)
from ..samples import MAX_SAMPLES, Growth, Samples, as_samples, sizes
from ..spec import MAX_GENERATIONS, Spec

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise ImportError(
        'tailbiter.testing needs hypothesis for its strategies: pip install "tailbiter[test]"'
    ) from error

__all__ = ["references", "regimes", "specs"]

_SHARES = (0.5, 0.25, 0.1, 1 / 3, 0.07, 1.0, 0.0)
_AGES = (1.0, 0.5, 0.3, 0.0)
_BANDS = (None, (1.0,), (0.5, 2.0, 30.0))
_TAILS = (0.05, 0.0, 1.0, 1 / 3)
_LAST_SEED = 2**63 - 1
# Most that a training set may weigh; the ages above weigh at most 10 in lowest terms.
_MOST_WEIGHT = 1 << 53
# Sizes that are drawn one by one: Hypothesis has no lists as long as the longest runs.
_MOST_SIZES = 100
_REMEDY = "give a whole number"


def _two_first(low: int, high: int) -> SearchStrategy[int]:
    """Whole numbers that shrink toward 2: one category is a special case, not the plainest one."""
    if not low < 2 < high:
        return st.integers(low, high)
    return st.integers(0, high - 1).map(lambda index: (2, 1)[index] if index < 2 else index + 1)


def references(*, max_categories: int = 20) -> SearchStrategy[Reference]:
    """References of every kind.

    Parameters
    ----------
    max_categories : int, default 20
        From 1 on.

    Returns
    -------
    strategy of Reference
        Every one has a support; tables have labels or not, and categories that never occur.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=20, database=None)
    ... @given(references(max_categories=5))
    ... def check(reference):
    ...     assert 1 <= len(reference.support) <= 5
    >>> check()
    """
    most = whole(max_categories, "max_categories", 1, 10**7, _REMEDY)
    count = _two_first(1, most)
    return st.one_of(
        st.builds(Uniform, count),
        st.builds(Zipf, count, st.floats(0, 2), st.floats(-0.5, 5)),
        count.flatmap(_geometric),
        st.builds(Dirichlet, count, st.floats(1, 9), st.integers(0, _LAST_SEED)),
        _table(Counts, st.integers(0, min(2**40, _MOST_WEIGHT // most)) | st.just(0), 1, min(most, 100)),
        _table(Probabilities, st.floats(1e-6, 1) | st.just(0.0), 1.0, min(most, 100)),
    )


def _geometric(categories: int) -> SearchStrategy[Reference]:
    """The rarest category keeps a weight: at least 2**-40 of the commonest."""
    return st.builds(Geometric, st.just(categories), st.floats(max(0.01, 0.5 ** (40 / categories)), 1))


def _table(
    cls: type[Counts | Probabilities], value: SearchStrategy[float], positive: float, most: int
) -> SearchStrategy[Reference]:
    """A table of which at least one category occurs."""
    text = st.text(st.characters(categories=("L", "M", "N", "P", "S"), include_characters=" "), max_size=5)

    def labelled(values: list[float]) -> SearchStrategy[Reference]:
        labels = st.lists(text, min_size=len(values), max_size=len(values), unique=True)
        return st.builds(cls, st.just(values), st.none() | labels)

    def occurring(values: list[float]) -> list[float]:
        return values if any(values) else [positive, *values[1:]]

    return st.lists(value, min_size=1, max_size=most).map(occurring).flatmap(labelled)


def regimes(
    *,
    samples: int | Sequence[int] | Growth = 100,
    generations: int = 10,
    kinds: Sequence[type[Regime]] | None = None,
) -> SearchStrategy[Regime]:
    """Regimes that go with these batch sizes.

    Parameters
    ----------
    samples : int, sequence of int or Growth, default 100
        As a Spec has it.
    generations : int, default 10
        As a Spec has it.
    kinds : sequence of regime classes, optional
        Such as ``(Replace, Anchored)``; if left out, all but Crawl, whose real shares are drawn themselves.

    Returns
    -------
    strategy of Regime
        Any of them makes a valid Spec with these samples and generations.

    Examples
    --------
    >>> import tailbiter as tb
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=20, database=None)
    ... @given(regimes(samples=3, kinds=[tb.Anchored, tb.Window]))
    ... def check(regime):
    ...     assert tb.Spec(reference=tb.Uniform(2), regime=regime, samples=3, generations=10).regime == regime
    >>> check()
    """
    batches = [int(n) for n in sizes(as_samples(samples), generations) if n]
    return _regime(_Batches(batches[0], min(batches), max(batches)), _kinds(kinds))


def _kinds(kinds: Sequence[type[Regime]] | None) -> list[type[Regime]]:
    if kinds is None:
        return [kind for kind in _MAKERS if kind is not Crawl]
    for kind in kinds:
        if kind not in _MAKERS:
            remedy = "known: " + ", ".join(cls.__name__ for cls in REGIMES.values())
            raise SpecError("kinds", kind, "is not a class of regimes", remedy)
    if not kinds:
        raise SpecError("kinds", [], "is empty", "name at least one class, such as tailbiter.Replace")
    return sorted(kinds, key=list(_MAKERS).index)


class _Batches(NamedTuple):
    """Sizes that a regime must go with: of the first batch, of the smallest and of the largest."""

    first: int
    least: int
    most: int


@st.composite
def _regime(draw: DrawFn, batches: _Batches, kinds: list[type[Regime]]) -> Regime:
    return _MAKERS[draw(st.sampled_from(kinds))](draw, batches)


def _share(draw: DrawFn, batches: _Batches) -> float:
    """A share that makes an item of every batch, or none of any."""
    if draw(st.booleans()):
        return draw(st.integers(-(-1000 // (2 * batches.least)), 1000)) / 1000
    return draw(
        st.sampled_from([share for share in _SHARES if not share or 2 * exact(share) * batches.least >= 1])
    )


def _varying(draw: DrawFn, batches: _Batches) -> Varying:
    """One share, one for each generation, or a schedule."""
    kind = draw(st.sampled_from(["one", "several", "schedule"]))
    if kind == "one":
        return _share(draw, batches)
    if kind == "several":
        return tuple(_share(draw, batches) for _ in range(draw(st.integers(1, 4))))
    start, end = _share(draw, batches), _share(draw, batches)
    return Schedule(start, end, draw(st.integers(1, 9)), draw(st.sampled_from(["linear", "logistic"])))


def _fixed_share(draw: DrawFn, batches: _Batches) -> float:
    """A share of the first batch that makes an item, and no more than the smallest batch has."""
    kept = [rounded(exact(share), batches.first) for share in _SHARES]
    fit = [share for share, n in zip(_SHARES, kept, strict=True) if not share or 1 <= n <= batches.least]
    return draw(st.sampled_from(fit))


def _hoard(draw: DrawFn, drawn: int) -> int:
    """Size of a kept set from which so many are drawn: just those, some more, or very many."""
    least = max(drawn, 1)
    return least + draw(st.sampled_from([0, 1, least, 10**9]))


def _subsample(draw: DrawFn, batches: _Batches) -> Regime:
    return AccumulateSubsample(draw(st.none() | st.integers(1, batches.first)))


def _anchored(draw: DrawFn, batches: _Batches) -> Regime:
    source = draw(st.sampled_from(["fresh", "fixed", "hoard"]))
    if draw(st.booleans()):
        count = draw(st.integers(0, batches.least))
        hoard = _hoard(draw, count) if source == "hoard" else None
        return Anchored(real_count=count, source=source, hoard=hoard)
    real = _fixed_share(draw, batches) if source == "fixed" else _varying(draw, batches)
    return Anchored(real=real, source=source, hoard=_hoard(draw, batches.most) if source == "hoard" else None)


def _crawl(draw: DrawFn, batches: _Batches) -> Regime:
    return Crawl(real=_varying(draw, batches))


def _mix(draw: DrawFn, batches: _Batches) -> Regime:
    kind = draw(st.sampled_from(["ages", "two", "weights"]))
    if kind == "ages":
        fresh = () if draw(st.booleans()) else (_fresh(draw, batches),)
        ages = "all" if draw(st.booleans()) else (1.0, *draw(st.lists(st.sampled_from(_AGES), max_size=3)))
        return Mix((*fresh, Synthetic()), ages)
    return _two_humans(draw, batches) if kind == "two" else _weighted(draw, batches)


def _fresh(draw: DrawFn, batches: _Batches) -> Fresh:
    if draw(st.booleans()):
        return Fresh(count=draw(st.integers(0, batches.least)))
    return Fresh(share=_varying(draw, batches))


def _two_humans(draw: DrawFn, batches: _Batches) -> Regime:
    """Fresh and kept items, by count: shares might round up to more than a batch."""
    fresh = draw(st.integers(0, batches.least))
    count = draw(st.integers(0, batches.least - fresh))
    kept = Fixed(count=count) if draw(st.booleans()) else Hoard(size=_hoard(draw, count), count=count)
    return Mix((Fresh(count=fresh), kept, Synthetic()))


def _weighted(draw: DrawFn, batches: _Batches) -> Regime:
    """Weights in thousandths, on sources that have items in every batch."""
    if batches.least < 3:
        # With room for so few items not every source has one: all the weight is on the human ones.
        return Mix((Fresh(share=1.0, weight=1.0), Synthetic(weight=0.0)))
    count = st.integers(1, batches.least // 3)
    first = draw(st.integers(0, 1000))
    fresh = Fresh(count=draw(count), weight=first / 1000)
    if draw(st.booleans()):
        return Mix((fresh, Synthetic(weight=(1000 - first) / 1000)))
    second = draw(st.integers(0, 1000 - first))
    kept = Fixed(count=draw(count), weight=second / 1000)
    return Mix((fresh, kept, Synthetic(weight=(1000 - first - second) / 1000)))


# From plain to intricate: that is how they shrink.
_MAKERS: dict[type[Regime], Callable[[DrawFn, _Batches], Regime]] = {
    Replace: lambda _draw, _batches: Replace(),
    Accumulate: lambda _draw, _batches: Accumulate(),
    RealOnly: lambda _draw, _batches: RealOnly(),
    Window: lambda draw, _batches: Window(draw(_two_first(1, 7))),
    AccumulateSubsample: _subsample,
    Anchored: _anchored,
    Mix: _mix,
    Crawl: _crawl,
}


def _samples(draw: DrawFn, generations: int, least: int, most: int) -> Samples:
    """Sizes of batches: constant; listed; growing or shrinking within the bounds."""
    kind = draw(st.sampled_from(["constant", "listed", "growing", "shrinking"]))
    size = st.integers(least, most)
    if kind == "listed":
        length = generations + draw(st.integers(0, 2))
        drawn = min(length, _MOST_SIZES)
        return tuple(islice(cycle(draw(st.lists(size, min_size=drawn, max_size=drawn))), length))
    first = draw(size)
    if kind == "growing":
        return Growth(first, draw(st.floats(1, 1.5)), draw(st.floats(0, 50)), draw(st.integers(first, most)))
    if kind == "shrinking":
        return Growth(first, 1.0, -draw(st.floats(0, (first - least) / (generations + 1))))
    return first


def specs(
    *,
    max_categories: int = 20,
    min_samples: int = 1,
    max_samples: int = 1000,
    max_generations: int = 10,
    max_replicates: int = 4,
    regimes: Sequence[type[Regime]] | None = None,
    references: SearchStrategy[Reference] | None = None,
) -> SearchStrategy[Spec]:
    """Specs of every kind, all of which can be run.

    Parameters
    ----------
    max_categories, max_generations, max_replicates : int
        The most of each; the least is 1.
    min_samples, max_samples : int
        Bounds of the size of every batch.
    regimes : sequence of regime classes, optional
        Such as ``(tailbiter.Replace, tailbiter.Anchored)``; all if left out.
    references : strategy of Reference, optional
        In place of `references` with ``max_categories``.

    Returns
    -------
    strategy of Spec
        With bands and tails of several kinds, too.

    Examples
    --------
    >>> import tailbiter as tb
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=20, database=None)
    ... @given(specs(max_samples=10, max_generations=3, regimes=[tb.Accumulate]))
    ... def nothing_is_lost(spec):
    ...     ds = tb.simulate(spec, record=tb.Record(variables=["lost"], generations="all"), threads=1)
    ...     assert not ds.lost.isel(generation=slice(2, None)).any()
    >>> nothing_is_lost()
    """
    last = whole(max_generations, "max_generations", 1, MAX_GENERATIONS, _REMEDY)
    least = whole(min_samples, "min_samples", 1, MAX_SAMPLES, _REMEDY)
    # However long the run and whatever the ages, training sets stay below the limit of their weight.
    most = min(whole(max_samples, "max_samples", 1, MAX_SAMPLES, _REMEDY), _MOST_WEIGHT // (10 * (last + 4)))
    if least > most:
        problem = f"is above max_samples = {max_samples:,} or what {last:,} generations allow, {most:,}"
        raise SpecError("min_samples", least, problem, "give a smaller one")
    replicates = whole(max_replicates, "max_replicates", 1, 2**32 - 1, _REMEDY)
    reference = _references(max_categories=max_categories) if references is None else references
    return _spec(reference, _kinds(regimes), last, (least, most), replicates)


@st.composite
def _spec(
    draw: DrawFn,
    references: SearchStrategy[Reference],
    kinds: list[type[Regime]],
    last: int,
    bounds: tuple[int, int],
    replicates: int,
) -> Spec:
    generations = draw(st.integers(1, last))
    samples = _samples(draw, generations, *bounds)
    return Spec(
        reference=draw(references),
        regime=draw(regimes(samples=samples, generations=generations, kinds=kinds)),
        samples=samples,
        generations=generations,
        replicates=draw(st.integers(1, replicates)),
        seed=draw(st.integers(0, _LAST_SEED)),
        bands=draw(st.sampled_from(_BANDS)),
        tail_mass=draw(st.sampled_from(_TAILS)),
    )


# `specs` has an argument of this name.
_references = references

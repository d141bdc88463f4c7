# SPDX-License-Identifier: MIT
"""From a regime and batch sizes to what every generation's training set is made of, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ._checks import with_article
from .errors import SpecError
from .reference import Traits
from .reference._traits import CATEGORICAL
from .regime import (
    AccumulateSubsample,
    Anchored,
    Crawled,
    Mix,
    Regime,
    Schedule,
    Synthetic,
    Varying,
    age_ratios,
    exact,
    lowest_terms,
)

Words = npt.NDArray[np.uint64]

_FINE = 1 << 52
_FINEST = 1 << 62
_AGE_MOST = 1 << 20
_MORE = "give a larger share, more samples, or 0"


@dataclass(frozen=True, eq=False)
class Composition:
    """What goes into the training set of each generation; arrays have an entry for generations 1 to T + 1.

    Attributes
    ----------
    samples, fresh, from_kept : uint64[T + 1]
        Size of the batch; fresh human items in it; items of the kept set in it (0 and 0 in generation 1, all
        of whose items are human).
    kept : int
        Size of the kept human set.
    item_weights : uint64[T + 1, 3] or None
        Weight of an item that is synthetic, fresh, from the kept set; None where every item counts once.
    ages : uint64[k]
        Weight of an item by the age of its batch, at most T of them; empty for all batches alike.
    draw : uint64[T + 1] or None
        Size of the subsample that is trained on.
    crawled : float64[T + 1] or None
        Human share of the crawl that each batch is kept from; then none of its items is counted as fresh.
    """

    samples: Words
    fresh: Words
    kept: int
    from_kept: Words
    item_weights: Words | None
    ages: Words
    draw: Words | None
    crawled: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for array in (self.samples, self.fresh, self.from_kept, self.item_weights, self.ages, self.draw):
            if array is not None:
                array.flags.writeable = False  # shared by every Program of the Spec


def compose(regime: Regime, samples: Words, traits: Traits = CATEGORICAL) -> Composition:
    """Work out the composition of every generation.

    Parameters
    ----------
    regime : Regime
        What generations are trained on.
    samples : uint64[T + 1]
        Batch sizes; the last may be 0 (undefined).
    traits : Traits
        What the family of models can do.

    Raises
    ------
    SpecError
        If a positive share rounds to nothing, human items exceed a batch, a total exceeds the family's limit,
        or the family cannot draw from past items.
    """
    mix = regime.as_mix()
    fresh = _items(regime, mix, "fresh", samples)
    kept, from_kept = _kept(regime, mix, samples)
    _fit(regime, mix, samples, fresh, from_kept)
    ages = _age_weights(mix.ages)[: len(samples) - 1]  # no batch grows older; rounded first
    if kept > traits.most_samples:
        problem = f"is outside 1 to {traits.most_samples:,}"
        raise SpecError(_field(regime, "hoard", "size"), kept, problem, "keep fewer")
    if traits.most_total is not None:
        _check_totals(ages, samples, traits.most_total)
    if traits.most_pool is not None:
        _check_pools(regime, samples, kept, from_kept, traits)
    return Composition(
        samples=samples,
        fresh=fresh,
        kept=kept,
        from_kept=from_kept,
        item_weights=_item_weights(mix, samples, fresh, from_kept, traits.most_total)
        if mix.weighted
        else None,
        ages=ages,
        crawled=_crawled(mix, len(samples)),
        draw=_draw(regime, samples) if isinstance(regime, AccumulateSubsample) else None,
    )


def _crawled(mix: Mix, count: int) -> npt.NDArray[np.float64] | None:
    """Human share of the crawl for every batch; generation 1's is human."""
    source = mix.source("crawled")
    if source is None:
        return None
    levels, level = _levels(source.real, count)
    out = np.array([float(value) for value in levels])[level]
    out[0] = 1.0
    return out


def rounded(share: Fraction, samples: int) -> int:
    """Return ``floor(share * samples + 1/2)``, exactly."""
    return (2 * share.numerator * samples + share.denominator) // (2 * share.denominator)


def _field(regime: Regime, source: str, name: str) -> str:
    """Say where the user wrote a source's value."""
    if isinstance(regime, Anchored):
        return "regime." + {"share": "real", "count": "real_count", "size": "hoard"}[name]
    return f"regime.sources.{source}.{name}"


def _levels(value: Varying, count: int) -> tuple[list[Fraction], npt.NDArray[np.int64]]:
    """Distinct values, and which of them holds in each of ``count`` generations."""
    if isinstance(value, float):
        return [exact(value)], np.zeros(count, np.int64)
    levels = value.values() if isinstance(value, Schedule) else [exact(v) for v in value]
    return levels, np.minimum(np.arange(count), len(levels) - 1)


def _items(regime: Regime, mix: Mix, kind: str, samples: Words) -> Words:
    """Items of a human source in each batch but the first."""
    source = mix.source(kind)
    if source is None:
        return np.zeros_like(samples)
    if source.count is not None:
        out = np.where(samples > 0, np.uint64(source.count), np.uint64(0))
    else:
        out = _share_of(source.share, samples, _field(regime, kind, "share"))
    out[0] = 0
    return out


def _share_of(share: Varying, samples: Words, field: str) -> Words:
    """Round ``share * samples`` for every generation; the arithmetic is done once for each distinct pair."""
    if isinstance(share, float) and (samples == samples[0]).all():  # as most are; the arrays below take long
        count = rounded(exact(share), int(samples[0]))
        if count == 0 and share > 0:
            raise _rounds_to_nothing(field, share, int(samples[0]), 2)
        return np.full(samples.shape, count, np.uint64)
    levels, level = _levels(share, len(samples))
    sizes, size = np.unique(samples, return_inverse=True)
    codes, inverse = np.unique(level * len(sizes) + size, return_inverse=True)
    pairs = [(levels[code // len(sizes)], int(sizes[code % len(sizes)])) for code in codes.tolist()]
    counts = np.array([rounded(value, batch) for value, batch in pairs], np.uint64)
    lost = np.array([value > 0 and batch > 0 for value, batch in pairs]) & (counts == 0)
    # Generation 1 uses no share, and a schedule may pass through values too small for one item on its way.
    unused = share.over if isinstance(share, Schedule) else 1
    bad = np.flatnonzero(lost[inverse][unused:])
    if bad.size:
        at = unused + int(bad[0])
        raise _rounds_to_nothing(field, float(levels[level[at]]), int(samples[at]), at + 1)
    return counts[inverse]


def _rounds_to_nothing(field: str, share: float, samples: int, generation: int) -> SpecError:
    return SpecError(
        field, share, f"of {samples:,} samples rounds to no item (generation {generation})", _MORE
    )


def _kept(regime: Regime, mix: Mix, samples: Words) -> tuple[int, Words]:
    """Size of the kept human set, and how many of it join each generation."""
    fixed, hoard = mix.source("fixed"), mix.source("hoard")
    if fixed is not None:
        kept = fixed.count
        if kept is None:
            kept = rounded(exact(fixed.share), int(samples[0]))
            if kept == 0 and fixed.share > 0:
                field = _field(regime, "fixed", "share")
                raise _rounds_to_nothing(field, fixed.share, int(samples[0]), 1)
        out = np.where(samples > 0, np.uint64(kept), np.uint64(0))
        out[0] = 0
        return kept, out
    if hoard is None:
        return 0, np.zeros_like(samples)
    out = _items(regime, mix, "hoard", samples)
    if int(out.max()) > hoard.size:
        at = int(out.argmax())
        problem = f"is less than the {int(out[at]):,} items drawn from it (generation {at + 1})"
        remedy = "keep more, or draw fewer"
        raise SpecError(_field(regime, "hoard", "size"), hoard.size, problem, remedy)
    return hoard.size, out


def _fit(regime: Regime, mix: Mix, samples: Words, fresh: Words, from_kept: Words) -> None:
    """Refuse batches that would hold more human items than items."""
    human = fresh + from_kept
    over = human > samples
    if not over.any():
        return
    at = int(over.argmax())
    given = {
        source.kind: ("share", source.share) if source.count is None else ("count", source.count)
        for source in mix.sources
        if not isinstance(source, Synthetic | Crawled)
    }
    made = f"{int(human[at]):,} human items of {int(samples[at]):,} samples (generation {at + 1})"
    remedy = "give fewer human items, or more samples"
    if len(given) > 1:
        values = {kind: value for kind, (_, value) in given.items()}
        raise SpecError("regime.sources", values, f"make together {made}", remedy)
    ((kind, (name, value)),) = given.items()
    raise SpecError(_field(regime, kind, name), value, f"makes {made}", remedy)


@lru_cache(maxsize=16)  # cells of a sweep have them in common
def _age_weights(ages: str | tuple[float, ...]) -> Words:
    """Whole weights by age; ratios that need more than 2**20 are rounded, whatever the length of the run."""
    if isinstance(ages, str):
        return np.zeros(0, np.uint64)
    whole = age_ratios(ages)
    top = max(whole)
    if top > _AGE_MOST:
        whole = [max(1, rounded(Fraction(r, top), _AGE_MOST)) if r else 0 for r in whole]
    return np.array(whole, np.uint64)


def _check_pools(regime: Regime, samples: Words, kept: int, from_kept: Words, traits: Traits) -> None:
    """Refuse draws from more past items than the family can make again."""
    if isinstance(regime, AccumulateSubsample):
        _check_pool("regime", regime, [int(n) for n in samples[:-1]], "use Accumulate or Window", traits)
    elif (parts := (from_kept[:-1] > 0) & (from_kept[:-1] < kept)).any():
        at = int(parts.argmax())
        drawn = f"of which {int(from_kept[at]):,} are drawn (generation {at + 1})"
        field = _field(regime, "hoard", "size")
        _check_pool(field, kept, [kept], "use a fixed set, or draw all that is kept", traits, drawn)


def _check_pool(
    field: str, value: object, batches: list[int], remedy: str, traits: Traits, which: str = ""
) -> None:
    problem = f"makes a pool of {sum(batches):,} items {which}".rstrip()
    if traits.most_pool == 0:
        problem += f", but {with_article(traits.family)} run keeps sufficient statistics, not items"
        raise SpecError(field, value, problem, remedy)
    for items, most, what in (
        (sum(batches), traits.most_pool, ""),
        (max(batches), traits.most_remade, f", {max(batches):,} in a batch"),
    ):
        if most is not None and items > most:
            problem += f"{what}, but {with_article(traits.family)} run can make no more than {most:,} again"
            raise SpecError(field, value, problem, f"use fewer items; or {remedy}")


def _check_totals(ages: Words, samples: Words, most: int) -> None:
    """Refuse training sets whose weights sum to more than the limit (the batch drawn last trains nothing).

    Where ages weigh differently, the bound takes the largest batch for all of them.
    """
    largest = int(samples[:-1].max())
    span = min(len(ages) or len(samples), len(samples) - 1)
    weight = sum(ages[:span].tolist()) if ages.size else span
    if largest * weight <= most:
        return
    if weight == span and (ages == 1).all():
        largest, weight = max(_moving_totals(samples[:-1].tolist(), span)), 1
    if largest * weight > most:
        problem = f"make training sets of a total weight of up to {largest * weight:,}, above 2**53"
        remedy = "use fewer samples or generations, or ages in small whole ratios"
        raise SpecError("samples", int(samples[0]), problem, remedy)


def _moving_totals(batches: list[int], span: int) -> Iterator[int]:
    """Sums of the last ``span`` batches."""
    total = 0
    for index, batch in enumerate(batches):
        total += batch - (batches[index - span] if index >= span else 0)
        yield total


def _draw(regime: AccumulateSubsample, samples: Words) -> Words:
    """Size of each subsample; it must not exceed the pool."""
    if regime.draw is None:
        return samples.copy()
    if regime.draw > int(samples[0]):
        problem = f"exceeds the pool of generation 1, {int(samples[0]):,} samples"
        raise SpecError("regime.draw", regime.draw, problem, "draw fewer, or give more samples")
    return np.where(samples > 0, np.uint64(regime.draw), np.uint64(0))


def _item_weights(mix: Mix, samples: Words, fresh: Words, from_kept: Words, most: int | None) -> Words | None:
    """Weight of an item by source for every generation; None where all items weigh the same."""
    synthetic = samples - fresh - from_kept
    kinds = ("synthetic", "fresh", "hoard" if mix.source("hoard") else "fixed")
    counts = np.stack([synthetic, fresh, from_kept], axis=1).astype(np.int64)
    levels, which = [], []
    for kind in kinds:
        source = mix.source(kind)
        values, level = _levels(source.weight if source else 0.0, len(samples))
        levels.append(values)
        which.append(level)
    rows, first, inverse = np.unique(
        np.column_stack([*which, counts])[1:], axis=0, return_index=True, return_inverse=True
    )
    table = np.ones((len(rows), 3), np.uint64)
    for index, row in enumerate(rows.tolist()):
        weights = [values[at] for values, at in zip(levels, row[:3], strict=True)]
        if sum(row[3:]):
            _check_weights(kinds, weights, row[3:], int(first[index]) + 2)
            table[index] = _weights_of_items(weights, row[3:], most)
    if np.all(table == 1):
        return None
    first_row = np.ones((1, 3), np.uint64)  # generation 1 is human: every item counts once
    return np.concatenate([first_row, table[inverse.ravel()]])


def _check_weights(kinds: tuple[str, ...], weights: list[Fraction], counts: list[int], t: int) -> None:
    total = sum(weights, Fraction())
    if abs(total - 1) > Fraction(1, 10**9):
        shown = {kind: float(w) for kind, w, n in zip(kinds, weights, counts, strict=True) if n or w}
        problem = f"sum to {float(total):.12g} in generation {t}"
        raise SpecError("regime.sources weights", shown, problem, "make them sum to 1")
    for kind, weight, count in zip(kinds, weights, counts, strict=True):
        if weight > 0 and count == 0:
            problem = f"weighs a source with no item in generation {t}"
            remedy = "give the source items, or weight 0"
            raise SpecError(f"regime.sources.{kind}.weight", float(weight), problem, remedy)


def _weights_of_items(weights: list[Fraction], counts: list[int], most: int | None) -> list[int]:
    """``weight / count`` in lowest terms if the total fits 2**53, else to the nearest 2**-52.

    Where totals have no limit: in lowest terms if these fit 63 bits, else to 2**-62 of the largest.
    A source without items gets 1, so that "all alike" can be seen.
    """
    present = [i for i, count in enumerate(counts) if count]
    ratios = [weights[i] / counts[i] for i in present]
    whole = lowest_terms(ratios)
    if most is None:
        if max(whole) >= 2 * _FINEST:
            whole = [max(1, rounded(r / max(ratios), _FINEST)) if r else 0 for r in ratios]
    elif sum(w * counts[i] for w, i in zip(whole, present, strict=True)) > most:
        whole = [max(1, rounded(r, _FINE)) if r else 0 for r in ratios]
    out = [1, 1, 1]
    for i, w in zip(present, whole, strict=True):
        out[i] = w
    return out

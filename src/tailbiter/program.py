# SPDX-License-Identifier: MIT
"""From a Spec and a Record to the whole numbers that an engine runs on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ._variables import GROUPS, HELD_OUT
from .errors import SpecError
from .levers import Levers, lower_levers, same
from .record import Record
from .reference import Groups, HeldOut, Reference, Support, join
from .regime import Replace, canonical, exact
from .spec import Spec

__all__ = ["Program", "lower"]

Words = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """What an engine runs. Equal programs give equal bits.

    Categories have internal ids 0..K-1: by weight descending, ties by their place in the user's table. Arrays
    over generations have T + 1 entries, for generations 1 to T + 1: the last is the batch that the last model
    puts out.

    Attributes
    ----------
    key : int
        64 bits that all random words follow from.
    weights : uint64[K]
        Reference weights by internal id, descending.
    support : Support
        The reference's categories, with their places and labels; no part of what makes programs equal.
    order : int64[K]
        Index into the support of each internal id.
    samples, fresh, from_kept : uint64[T + 1]
        Size of the batch; fresh human items in it; items of the kept human set in it. Generation 1 is all
        human and has 0 of both. The last size is 0 where undefined.
    kept : int
        Size of the kept human set: the first items of the stream of human items whose beginning is generation
        1's batch, too.
    item_weights : uint64[T + 1, 3] or None
        Weight of an item that is synthetic, fresh, from the kept set; None where every item counts once.
    ages : uint64[k]
        Weight of an item by the age of its batch, k at most T; empty for all batches alike.
    draw : uint64[T + 1] or None
        Size of the subsample that is trained on.
    at : uint32[n]
        Generations to record, ascending.
    band_start : uint32[B]
        First internal id of each band; bands run from rare (0) to common (B - 1, which starts at 0).
    band_edges : float64[B + 1]
        Expected counts in generation 1's batch that part the bands; the last may be infinite.
    tail_start : int
        First internal id of the tail; K where there is none.
    variables : tuple of str
        Variables to keep.
    forgotten : bool
        Whether to keep when each category was forgotten.
    snapshots : uint32[m]
        Generations whose counts to keep, ascending.
    levers : Levers
        What is done to models before they are sampled.
    plain : bool
        Whether every training set is the newest batch, all synthetic, at any length of run, and drawn from
        its model as that was counted: such lineages may run side by side.
    held_out : HeldOut or None
        Held-out counts by internal id.
    group : uint32[K] or None
        Number of each category's group.
    group_names : tuple of str
        Names of the groups, by reference mass, descending.
    """

    key: int
    weights: Words
    support: Support
    order: npt.NDArray[np.int64]
    samples: Words
    fresh: Words
    kept: int
    from_kept: Words
    item_weights: Words | None
    ages: Words
    draw: Words | None
    at: Ids
    band_start: Ids
    band_edges: npt.NDArray[np.float64]
    tail_start: int
    variables: tuple[str, ...]
    forgotten: bool
    snapshots: Ids
    levers: Levers
    plain: bool
    held_out: HeldOut | None = None
    group: Ids | None = None
    group_names: tuple[str, ...] = ()

    @property
    def categories(self) -> int:
        """Number of categories, K."""
        return len(self.weights)

    @property
    def generations(self) -> int:
        """Number of generations, T."""
        return len(self.samples) - 1

    def __repr__(self) -> str:
        size = f"{self.categories:,} categories, {self.generations:,} generations"
        return f"<Program: {size}, key {self.key:#018x}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        names = [f.name for f in fields(self) if f.name not in ("support", "held_out")]
        if not _same_held_out(self.held_out, other.held_out):
            return False
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]  # equal by content, and too large to hash


def _same_held_out(a: HeldOut | None, b: HeldOut | None) -> bool:
    if a is None or b is None:
        return a is b
    outside = a.total == b.total and a.types == b.types and a.squares_outside == b.squares_outside
    return outside and np.array_equal(a.tokens, b.tokens)


def lower(spec: Spec, record: Record | None = None) -> Program:
    """Turn a Spec and a Record into a Program.

    Parameters
    ----------
    spec : Spec
        What to run.
    record : Record, optional
        What to keep; the default Record if left out.

    Raises
    ------
    SpecError
        If a recorded generation lies beyond the end, or a reference value is too small to keep a weight.

    Examples
    --------
    >>> from tailbiter.reference import Counts
    >>> lower(Spec(reference=Counts([1, 9, 4]), samples=14)).weights.tolist()
    [9, 4, 1]
    """
    record = Record() if record is None else record
    support = spec.reference.support
    weights = support.ranked
    made = spec.composition
    variables = record.names_of(spec.reference.family, spec.also_recorded)
    _refuse_unmeasured(variables, spec)
    group, group_names = _grouped(spec.reference, spec.groups)
    start, edges = _bands(spec.reference, spec.bands, int(made.samples[0]))
    levers = lower_levers(spec, start)
    return Program(
        key=spec.key,
        weights=weights,
        support=support,
        order=support.order,
        samples=made.samples,
        fresh=made.fresh,
        kept=made.kept,
        from_kept=made.from_kept,
        item_weights=made.item_weights,
        ages=made.ages,
        draw=made.draw,
        at=record.at(spec.generations),
        band_start=start,
        band_edges=edges,
        tail_start=_tail_start(spec.reference, spec.tail_mass),
        variables=variables,
        forgotten=record.forgotten,
        snapshots=record.snapshots_at(spec.generations),
        levers=levers,
        plain=canonical(spec.regime) == canonical(Replace()) and levers.none,
        held_out=None if spec.held_out is None else join(spec.reference, spec.held_out),
        group=group,
        group_names=group_names,
    )


def _refuse_unmeasured(variables: tuple[str, ...], spec: Spec) -> None:
    """Refuse to record what the Spec gives no measure for."""
    for field, names in (("held_out", HELD_OUT), ("groups", GROUPS)):
        asked = next((name for name in variables if name in names), None)
        if asked is not None and getattr(spec, field) is None:
            remedy = f"give {field}, or leave it out"
            raise SpecError("record.variables", asked, f"cannot be told without {field}", remedy)


@lru_cache(maxsize=64)
def _grouped(reference: Reference, groups: Groups | None) -> tuple[Ids | None, tuple[str, ...]]:
    """Number of each category's group, and the groups' names by mass; ties by name."""
    if groups is None:
        return None, ()
    support = reference.support
    names, which = np.unique(groups.names[support.position].astype(str), return_inverse=True)
    mass = np.bincount(which.ravel(), weights=support.weights.astype(np.float64))
    order = np.argsort(-mass, kind="stable")
    number = np.empty(len(names), np.uint32)
    number[order] = np.arange(len(names), dtype=np.uint32)
    group = number[which.ravel()][support.order]
    group.flags.writeable = False
    return group, tuple(names[order].tolist())


@lru_cache(maxsize=256)  # cells of a sweep have them in common
def _bands(
    reference: Reference, bands: tuple[float, ...] | None, first: int
) -> tuple[Ids, npt.NDArray[np.float64]]:
    """Start of every band and its edges; expected counts are compared exactly, so ties are never split."""
    weights = reference.support.ranked
    total = int(weights.sum())
    if bands is None:
        edges = _decades(Fraction(int(weights[0]) * first, total))
        last = edges.pop()
    else:
        edges = [edge for edge in bands if edge > 0]
        last = float("inf")
    starts = [_rarer_than(weights, exact(edge) * total / first) for edge in edges]
    out = np.array([*starts, 0], np.uint32), np.array([0.0, *edges, last])
    for array in out:
        array.flags.writeable = False
    return out


def _decades(largest: Fraction) -> list[float]:
    """1, 10, 100, ... until one exceeds the largest expected count."""
    edges = [1]
    while edges[-1] <= largest:
        edges.append(10 * edges[-1])
    return [float(edge) for edge in edges]


def _rarer_than(weights: Words, bound: Fraction) -> int:
    """First id whose weight is below the bound."""
    least = -(-bound.numerator // bound.denominator)  # whole weights reach the bound from its ceiling on
    ascending = weights[::-1]
    below = np.searchsorted(ascending, np.uint64(min(least, 2**64 - 1)), side="left")
    return len(weights) - int(below)


@lru_cache(maxsize=256)
def _tail_start(reference: Reference, tail_mass: float) -> int:
    """First id of the rarest whole tie-groups whose mass does not exceed ``tail_mass``."""
    weights, mass = reference.support.ranked, exact(tail_mass)
    most = mass.numerator * int(weights.sum()) // mass.denominator
    rare = np.cumsum(weights[::-1])
    size = int(np.searchsorted(rare, np.uint64(most), side="right"))
    if size in (0, len(weights)):
        return len(weights) - size
    # The group that the bound cuts stays out whole: the tail starts after its last id.
    return _rarer_than(weights, Fraction(int(weights[len(weights) - size - 1])))

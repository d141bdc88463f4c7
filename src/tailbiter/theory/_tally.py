# SPDX-License-Identifier: MIT
"""Sums over the categories present: mean, and an upper bound of the variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from ._ancestors import Ancestors, log_rest
from ._bernoulli import log_absence, take
from ._chances import chances, lineages
from ._pairs import variance_by_pairs
from ._result import Floats
from ._schedule import Schedule

__all__ = ["Tally", "tally"]

_CELLS = 4_000_000  # numbers held at a time
_RATIO = 1.15  # masses that close are one cell, in a bound
_NEARLY = 1.0 - 1e-15  # the largest mass of a pair


@dataclass(frozen=True, eq=False)
class Tally:
    """``[r, g]``: mean, its error, and an upper bound of the variance."""

    mean: Floats
    error: Floats
    variance: Floats | None
    exact: bool


def tally(mass: Floats, copies: Floats, weights: Floats, schedule: Schedule, *, with_spread: bool) -> Tally:
    """Sum over groups, in pieces that fit into memory."""
    ancestors = None if schedule.renewed else lineages(schedule)
    shape = len(schedule.at), len(weights)
    mean, error, spread = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    exact, width = True, len(mass)
    if ancestors is not None:  # elsewhere the masses share what is followed
        width = max(1, _CELLS // max(len(schedule.at), 1))
    for begin in range(0, len(mass), width):
        part = slice(begin, begin + width)
        found = chances(mass[part], schedule, ancestors)
        each = (copies[part] * weights[:, part]).T
        mean += found.present @ each
        error += found.error @ each
        exact = exact and found.exact
        if ancestors is not None and with_spread:
            spread += _given_ancestors(found.present, found.error, mass[part], schedule, ancestors) @ (
                each * weights[:, part].T
            )
    if not with_spread:
        return Tally(mean, error, None, exact)
    if ancestors is None:
        variance = variance_by_pairs(mass, copies, weights, schedule)
    else:
        variance = np.maximum(spread + _of_the_mean(mass, copies * weights, copies, ancestors), 0.0)
    variance[schedule.at == 0] = _at_zero(mass, copies, weights, schedule)
    return Tally(mean, error, variance, exact)


def _at_zero(mass: Floats, copies: Floats, weights: Floats, schedule: Schedule) -> Floats:
    """Nothing varies in the reference; the batch drawn from it is that of independent draws."""
    if schedule.output is None:
        return np.zeros(len(weights))
    absent = np.exp(schedule.samples[0] * log_rest(mass))
    return np.asarray((copies * weights**2) @ (absent * (1.0 - absent)))


def _given_ancestors(
    present: Floats, error: Floats, mass: Floats, schedule: Schedule, ancestors: Ancestors
) -> Floats:
    """Upper bound of ``E P (1-P)``, P the chance of presence given A: ``E (1-q)^A - E (1-q)^(2A)``."""
    twice = chances(mass * (2.0 - mass), schedule, ancestors)
    return np.maximum(twice.present - present + twice.error + error, 0.0)


def _of_the_mean(mass: Floats, each: Floats, copies: Floats, ancestors: Ancestors) -> Floats:
    """Upper bound of what else the variance holds: that of the mean given A; each ``[g, i]``."""
    result = np.zeros((len(ancestors.small), len(each)))
    if ancestors.small.any():
        result[ancestors.small] = _from_laws(mass, each, copies, ancestors)
    if not ancestors.small.all():
        result[~ancestors.small] = _from_sums(mass, each, ancestors)
    if not ancestors.exact:
        near = ~(ancestors.small & (ancestors.slack == 0))
        result[near] -= _less_by_repulsion(mass, each, copies, ancestors)[near]
    return result


def _from_laws(mass: Floats, each: Floats, copies: Floats, ancestors: Ancestors) -> Floats:
    rows = ancestors.small
    laws = ancestors.laws[rows]
    a = ancestors.kept + np.arange(laws.shape[1])
    mean, lost = np.zeros((len(a), len(each))), np.zeros((len(laws), len(each)))
    repelled = np.zeros((3, len(a), len(each)))
    width = max(1, _CELLS // len(a))
    for begin in range(0, len(mass), width):
        part = slice(begin, begin + width)
        mean += -np.expm1(np.outer(a, log_rest(mass[part]))) @ each[:, part].T
        off = np.minimum(ancestors.slack[rows, None], ancestors.slope[rows, None] * mass[part])
        lost += off @ each[:, part].T
        repelled += _repulsion(a, mass[part], each[:, part], copies[part])
    first = laws @ mean
    centred = np.stack([law @ (mean - centre) ** 2 for law, centre in zip(laws, first, strict=True)])
    once, same, twice = repelled
    less = np.maximum(a[:, None] * (once**2 - same) - a[:, None] ** 2 * twice**2 / 2, 0.0)
    exact = ancestors.slack[rows, None] == 0
    # A law that stands in moves each product of two exponentials by at most the sum of what it moves either.
    return np.asarray(centred + 4.0 * lost * each.sum(axis=1) - np.where(exact, laws @ less, 0.0))


def _repulsion(a: Floats, mass: Floats, each: Floats, copies: Floats) -> Floats:
    """Sums over categories from which covariances given a ancestors are bounded.

    With x = 1 - q, two categories are absent together with probability ``(x y)^a (1-r)^a``, where
    ``r = (1-x)(1-y)/(x y)`` and ``(1-r)^a <= 1 - a r + a^2 r^2/2``.
    """
    inside = (mass > 0) & (mass < 1) & (copies > 0)
    q, weight = mass[inside], each[:, inside]
    logs = np.log1p(-q)
    powers = np.exp(np.outer(a - 1.0, logs))
    squares = (powers * q) ** 2 @ (weight**2 / copies[inside]).T
    return np.stack([powers @ (weight * q).T, squares, powers @ (weight * q**2 / (1.0 - q)).T])


def _from_sums(mass: Floats, each: Floats, ancestors: Ancestors) -> Floats:
    """By Efron and Stein: ``Var s(A) <= Var A E (s(A) - s(A-1))^2``, s concave."""
    sums = take(ancestors.sums, ~ancestors.small)
    inside = (mass > 0) & (mass < 1)
    if not inside.any():
        return np.zeros((len(sums.first), len(each)))
    q, share = _cells(mass[inside], (mass * each)[:, inside])
    i, j, pairs = _pairs(q)
    both = np.where(i == j, 1.0, 2.0) * np.exp(-(1.0 - ancestors.kept) * np.log1p(-pairs))
    low, _ = log_absence(take(sums, (slice(None), None)), pairs[None, :])
    steps = (np.exp(-low) * both) @ (share[:, i] * share[:, j]).T
    return np.asarray((sums.first - sums.second + sums.radius1 + sums.radius2)[:, None] * steps)


def _less_by_repulsion(mass: Floats, each: Floats, copies: Floats, ancestors: Ancestors) -> Floats:
    """Lower bound of what covariances given A take from the variance, where A has no exact law.

    The sums of `_repulsion` again, with ``f = E (1-z)^A`` for pairs of masses: as ``L = -log f`` is convex
    and zero at zero, ``E A (1-z)^(A-1) = L' f >= (L/z) f``; above, ``L' <= E A/(1-z)``.
    """
    inside = (mass > 0) & (mass < 1) & (copies > 0)
    if not inside.any():
        return np.zeros((len(ancestors.small), len(each)))
    q, weight = mass[inside], each[:, inside]
    most = ancestors.most()[:, None]
    up, share = _cells(q, weight * q, up=True)
    i, j, z = _pairs(up)
    twice = np.where(i == j, 1.0, 2.0)
    present, error = ancestors.presence(z)
    ends = [-xlogy(f, f) for f in np.clip([1.0 - present - error, 1.0 - present + error], 0.0, 1.0)]
    lead = (np.minimum(*ends) * twice / z) @ (share[:, i] * share[:, j]).T
    down, squares = _cells(q, weight**2 * q**2 / copies[inside])
    z = np.minimum(down * (2.0 - down), _NEARLY)
    present, error = ancestors.presence(z)
    same = most * (((1.0 - present + error) / (1.0 - z)) @ squares.T)
    down, share = _cells(q, weight * q**2)
    i, j, z = _pairs(down)
    present, error = ancestors.presence(z)
    rest = (1.0 - present + error) * np.where(i == j, 1.0, 2.0) / (1.0 - z) ** 2
    rest = (most**2 + most) * (rest @ (share[:, i] * share[:, j]).T) / 2
    return np.asarray(np.maximum(lead - same - rest, 0.0))


def _pairs(q: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Pairs of masses, and what either leaves of the other's rest."""
    i, j = np.triu_indices(len(q))
    return i, j, np.minimum(q[i] + q[j] - q[i] * q[j], _NEARLY)


def _cells(mass: Floats, share: Floats, *, up: bool = False) -> tuple[Floats, Floats]:
    """Masses rounded to the least of their cell, or the largest, and what each cell holds."""
    order = np.argsort(mass, kind="stable")
    mass, share = mass[order], share[:, order]
    begin = np.flatnonzero(np.diff(np.floor(np.log(mass) / np.log(_RATIO)), prepend=-np.inf))
    end = np.append(begin[1:], len(mass)) - 1
    return mass[end if up else begin], np.add.reduceat(share, begin, axis=1)

# SPDX-License-Identifier: MIT
"""Presence and absence of sets of categories, whichever way they are reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from ._ancestors import Ancestors, follow, log_rest
from ._fresh import Belonging, Tilted
from ._occupancy import table
from ._result import Floats
from ._schedule import Schedule

__all__ = ["Chances", "between", "chances", "lineages"]

_SMALLEST = 256  # items below which fresh regimes are always followed in full
_FEW = 100  # masses up to which they are, each of them
_WORK = 4e9  # multiplications spent on following them in full at most
_STEP, _STEP_VARYING = (
    0.08,
    0.2,
)  # in log q: masses nearer than that are not all followed, but held between others
_MANY, _FINE = 3000, 0.004  # masses up to which each is followed; step in log q beyond
_NEARLY, _BEYOND = 1.0 - 1e-15, 34.5  # presence this near to 1 is not told from it; -log of what is left
_SETTLED = 45.0  # -log of an absence that is not followed
_HYPERGEOMETRIC = 1e-25  # shares of fresh items that are dropped


@dataclass(frozen=True, eq=False)
class Chances:
    """Chance that set i is present at the r-th recorded generation, that it is absent, and the error."""

    present: Floats
    absent: Floats
    error: Floats
    exact: bool


def lineages(schedule: Schedule) -> Ancestors:
    """Ancestors where only generation 1 gets new human items. The row of generation 0 is generation 1's."""
    at = np.maximum(schedule.at, 1)
    if schedule.output is None:
        starts, since = schedule.samples[at - 1] - schedule.kept, at
    else:
        starts, since = schedule.output[at - 1], at + 1
    return follow(schedule.samples, schedule.kept, starts, since)


def chances(mass: Floats, schedule: Schedule, ancestors: Ancestors | None = None) -> Chances:
    """Chances of sets of these reference masses; `ancestors` saves following them again."""
    if not schedule.renewed:
        found = ancestors or lineages(schedule)
        result = _of_each(mass, found) if len(mass) <= _MANY else _of_many(mass, found)
    else:
        result = _with_fresh(mass, schedule)
    zero = schedule.at == 0
    if schedule.output is None:
        result.present[zero], result.absent[zero] = mass > 0, mass <= 0
    else:  # the batch drawn from the reference is generation 1's
        logs = log_rest(mass)
        result.present[zero] = -np.expm1(schedule.samples[0] * logs)
        result.absent[zero] = np.exp(schedule.samples[0] * logs)
    result.error[zero] = 0.0
    return result


def _of_each(mass: Floats, ancestors: Ancestors) -> Chances:
    present, error = ancestors.presence(mass)
    return Chances(present, ancestors.absence(mass)[0], error, ancestors.exact)


def _of_many(mass: Floats, ancestors: Ancestors) -> Chances:
    """Some masses are followed, the rest held between: `-log` of absence is concave in `-log(1-q)`."""
    inside = (mass > 0) & (mass < 1)
    each = np.unique(mass[inside])  # ascending: the least of all is a node, and so is the largest
    cells = np.floor(np.log(each) / _FINE)
    node = np.unique(np.append(each[np.unique(cells, return_index=True)[1]], each[-1:]))
    if len(node) < 3 or 2 * len(node) > len(mass):
        return _of_each(mass, ancestors)
    found = _of_each(node, ancestors)
    least, most = np.maximum(found.present - found.error, 0.0), np.minimum(found.present + found.error, 1.0)
    low = np.minimum(-np.log1p(-np.minimum(least, _NEARLY)), _BEYOND)
    high = np.where(most < _NEARLY, -np.log1p(-np.minimum(most, _NEARLY)), _BEYOND)
    low, high = between(-np.log1p(-mass[inside]), -np.log1p(-node), low, high)
    present = np.broadcast_to(np.where(mass > 0, 1.0, 0.0), (len(low), len(mass))).copy()
    error, absent = np.zeros_like(present), 1.0 - present
    present[:, inside] = -(np.expm1(-low) + np.expm1(-high)) / 2
    absent[:, inside] = (np.exp(-low) + np.exp(-high)) / 2
    error[:, inside] = (np.exp(-low) - np.exp(-high)) / 2 + np.exp(-_BEYOND)
    return Chances(present, absent, error, exact=False)


def _with_fresh(mass: Floats, schedule: Schedule) -> Chances:
    inside = (mass > 0) & (mass < 1)
    reach = int(schedule.at.max())
    most = int(
        max(schedule.samples[:reach].max(), 0 if schedule.output is None else schedule.output[:reach].max())
    )
    work = float(reach) * most * (most + 10.0 * schedule.fresh[:reach].max()) * max(int(inside.sum()), 1)
    shape = len(schedule.at), len(mass)
    absent = np.broadcast_to(np.where(mass > 0, 0.0, 1.0), shape).copy()
    present, error = 1.0 - absent, np.zeros(shape)
    small = most <= _SMALLEST
    full = work <= _WORK or (small and inside.sum() <= _FEW)
    if full:
        absent[:, inside] = _full(mass[inside], schedule, most)
        present = 1.0 - absent
    else:
        low, high = _bounds(mass[inside], schedule, most if small else 0)
        absent[:, inside] = (np.exp(-low) + np.exp(-high)) / 2
        present[:, inside] = -(np.expm1(-low) + np.expm1(-high)) / 2
        error[:, inside] = (
            -np.exp(-low) * np.expm1(np.minimum(low - high, 0.0)) / 2 + 1e-13 * present[:, inside] + 1e-15
        )
    return Chances(present, absent, error, full)


def _full(mass: Floats, schedule: Schedule, top: int) -> Floats:
    """By full tables: ``[a, i]`` is the chance that a chosen items have no ancestor in set i."""
    samples, fresh, at = schedule.samples, schedule.fresh, schedule.at
    human = np.exp(np.outer(np.arange(top + 1), np.log1p(-mass)))
    chosen, result = human, np.ones((len(at), len(mass)))
    thrown, size, shares = np.eye(1), -1, {}
    for t in range(1, int(at.max()) + 1):
        n, m = int(samples[t - 1]), int(fresh[t - 1])
        training = human[n]
        if t > 1:
            balls = thrown @ chosen
            training = human[m] * balls[n - m]
            if t < at.max() or schedule.output is not None:
                if (n, m) not in shares:
                    shares = {(n, m): _shares(n, m, top)}
                chosen = _mixed(balls, human, shares[n, m])
        if n != size:
            thrown, size = table(n, 0, top), n
        if schedule.output is not None:
            training = thrown[int(schedule.output[t - 1])] @ chosen
        result[at == t] = training
    return result


def _shares(size: int, fresh: int, top: int) -> Floats:
    """``[k, a]``: chance that k of a chosen items are fresh; nothing beyond `size` chosen."""
    a = np.arange(top + 1)[None, :]
    k = np.arange(min(fresh, top) + 1)[:, None]
    possible = (k <= a) & (a <= size) & (a - k <= size - fresh)
    rest = np.where(possible, a - k, 0)

    def ways(n: int, j: np.ndarray) -> Floats:
        return np.asarray(gammaln(n + 1.0) - gammaln(j + 1.0) - gammaln(n - j + 1.0))

    logs = ways(fresh, k) + ways(size - fresh, rest) - ways(size, np.minimum(a, size))
    shares = np.where(possible, np.exp(np.where(possible, logs, 0.0)), 0.0)
    return shares / np.maximum(shares.sum(axis=0), 1e-300)


def _mixed(balls: Floats, human: Floats, shares: Floats) -> Floats:
    mixed = np.zeros_like(balls)
    for k, share in enumerate(shares):
        held = np.flatnonzero(share > _HYPERGEOMETRIC)
        if len(held):
            a = slice(int(held[0]), int(held[-1]) + 1)
            mixed[a] += share[a, None] * human[k] * balls[a.start - k : a.stop - k]
    return mixed


def _bounds(mass: Floats, schedule: Schedule, top: int) -> tuple[Floats, Floats]:
    """Bounds of ``-log`` of absence, in full if there is a `top`.

    Absence is log-convex in ``-log(1-q)``, which bounds it between nodes.
    """
    if not len(mass):
        return np.empty((len(schedule.at), 0)), np.empty((len(schedule.at), 0))
    each, which = np.unique(mass, return_inverse=True)
    cells = np.floor(np.log(each) / (_STEP if schedule.steady else _STEP_VARYING))
    node = np.unique(np.append(each[np.unique(cells, return_index=True)[1]], each[-1]))
    if top:
        with np.errstate(divide="ignore"):
            low = high = np.minimum(-np.log(_full(node, schedule, top)), 700.0)
    else:
        low, high = _followed(node, schedule)
    if len(node) < len(each):
        low, high = between(-np.log1p(-each), -np.log1p(-node), low, high)
    return low[:, which], high[:, which]


def between(x: Floats, node: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """A concave function, zero at zero, at x, from bounds at the nodes."""
    i = np.clip(np.searchsorted(node, x, side="right") - 1, 0, len(node) - 2)
    left, right = x - node[i], node[i + 1] - x
    least = (low[:, i] * right + low[:, i + 1] * left) / (node[i + 1] - node[i])
    before, after = np.maximum(i - 1, 0), np.minimum(i + 2, len(node) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (high[:, i] - low[:, before]) / np.where(i > 0, node[i] - node[before], node[i])
        rise = np.where(i > 0, rise, high[:, i] / node[i])
        fall = (low[:, after] - high[:, i + 1]) / (node[after] - node[i + 1])
        most = np.fmin(high[:, i] + rise * left, high[:, i + 1])
        most = np.where(after > i + 1, np.fmin(most, high[:, i + 1] - fall * right), most)
    return least, np.maximum(most, least)


def _followed(mass: Floats, schedule: Schedule) -> tuple[Floats, Floats]:
    """By power sums, one chain for each mass and, where sizes change, each recorded generation."""
    low, high = np.zeros((2, len(schedule.at), len(mass)))
    at = np.maximum(schedule.at, 1)
    limit = _settled(mass, schedule, at)
    held = limit < _SETTLED
    low[:], high[:] = limit, np.inf
    follow_rows = _steady if schedule.steady else _varying
    follow_rows(mass, schedule, at, held, low, high)
    return low, high


def _settled(mass: Floats, schedule: Schedule, at: np.ndarray) -> Floats:
    """Lower bound of ``-log`` of absence by the recorded generation's own human items alone."""
    items = np.where(at == 1, schedule.samples[0], schedule.fresh[at - 1])
    if schedule.output is None:
        return np.asarray(np.outer(items, -np.log1p(-mass)))
    # Half of what is expected belongs, but for exp(-1/8 of it), and each ball hits at half its share.
    expected = np.outer(items, mass)
    missed = schedule.output[at - 1][:, None] * expected / (2.0 * schedule.samples[at - 1][:, None])
    return np.asarray(np.minimum(expected / 8.0, missed) - np.log(2.0)).clip(min=0.0)


def _start(schedule: Schedule, t: int) -> tuple[int, int, int]:
    """Balls and fresh items found to begin with, and the generation below which balls fall."""
    if schedule.output is not None:
        return int(schedule.output[t - 1]), 0, t + 1
    fresh = int(schedule.fresh[t - 1]) if t > 1 else int(schedule.samples[0])
    return int(schedule.samples[t - 1]) - fresh, fresh, t


def _steady(
    mass: Floats, schedule: Schedule, at: np.ndarray, held: npt.NDArray[np.bool_], low: Floats, high: Floats
) -> None:
    """One pass serves all recorded generations: only the first and the last step may differ."""
    first = int(schedule.samples[0])
    alone = (at == 1) & (schedule.output is None)
    low[alone] = high[alone] = -first * np.log1p(-mass)
    keep = held[~alone].any(axis=0) if (~alone).any() else np.zeros(len(mass), dtype=bool)
    if not keep.any():
        return
    second = min(1, len(schedule.samples) - 1)
    boxes, fresh = int(schedule.samples[second]), int(schedule.fresh[second])
    chains, among, done = Tilted(), Belonging(mass[keep], fresh), 2
    balls, found, _ = _start(schedule, int(at[~alone][0]))
    chains.join(mass[keep], balls, found)
    for r in np.flatnonzero(~alone):
        since = _start(schedule, int(at[r]))[2]
        while done < since and chains.under_way:
            chains.throw(boxes, among)
            done += 1
        done = since
        low[r, keep], high[r, keep] = chains.bounds(first)


def _varying(
    mass: Floats, schedule: Schedule, at: np.ndarray, held: npt.NDArray[np.bool_], low: Floats, high: Floats
) -> None:
    """All recorded generations on their way back together, each from where it begins."""
    chains, owners = Tilted(), []
    begins = [_start(schedule, int(t)) for t in at]
    for s in range(max(since for _, _, since in begins), 1, -1):
        for r, (balls, found, since) in enumerate(begins):
            if since == s and held[r].any():
                owners.append((r, np.flatnonzero(held[r])))
                chains.join(mass[held[r]], balls, found)
        if s > 2 and owners:
            chains.throw(int(schedule.samples[s - 2]), Belonging(chains.mass, int(schedule.fresh[s - 2])))
    ends = chains.bounds(int(schedule.samples[0])) if owners else (np.empty(0), np.empty(0))
    begin = 0
    for r, which in owners:
        low[r, which], high[r, which] = (end[begin : begin + len(which)] for end in ends)
        begin += len(which)
    alone = (at == 1) & (schedule.output is None)
    low[alone] = high[alone] = -int(schedule.samples[0]) * np.log1p(-mass)

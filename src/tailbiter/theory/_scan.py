# SPDX-License-Identifier: MIT
"""Linear recursions over generations, all at once and without cancellation; and the ones that are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..errors import SpecError
from ._result import Floats

__all__ = ["falling", "from_zero", "recorded", "running_sum", "two_ends"]

_BLOCK = 64
_PART = 1 << 16


def running_sum(x: Floats) -> Floats:
    """Return the running sum of ``x``, whose relative error does not grow with its length.

    Sums within blocks of 64, then over blocks, and so on: about 64 roundings a level.
    """
    if len(x) <= _BLOCK:
        return np.cumsum(x)
    whole = len(x) // _BLOCK * _BLOCK
    inner = np.cumsum(x[:whole].reshape(-1, _BLOCK), axis=1)
    ends = running_sum(inner[:, -1])
    inner[1:] += ends[:-1, None]
    if whole == len(x):
        return inner.reshape(-1)
    return np.append(inner, ends[-1] + np.cumsum(x[whole:]))


def two_ends(stay: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Step ``v <- stay v + low`` from 0 and ``h <- stay h + high`` from 1, where ``stay + low + high = 1``.

    So ``v + h = 1`` throughout. Each is a sum of products of what is not negative, so each is exact to about
    1e-14 of itself however small it is.

    Parameters
    ----------
    stay, low, high : float64[T]
        Not negative; each exact to rounding. A ``stay`` near 1 is told exactly by ``low + high``.

    Returns
    -------
    v, h : float64[T + 1]
        From the start, 0 and 1, on.
    """
    if not high.any():
        return _falling(lambda part: _log(stay[part], low[part]), len(stay))
    log_stay = _log(stay, low + high)
    v, h = np.zeros(len(stay) + 1), np.ones(len(stay) + 1)
    v[1:], h[1:] = _affine(log_stay, low, 0.0), _affine(log_stay, high, 1.0)
    return v, h


def falling(loss: Floats) -> tuple[Floats, Floats]:
    """Return v and h as `two_ends` does, where all that h loses goes to v: ``h <- (1 - loss) h``."""
    with np.errstate(divide="ignore"):
        return _falling(lambda part: np.log1p(-loss[part]), len(loss))


def _falling(logs: Callable[[slice], Floats], count: int) -> tuple[Floats, Floats]:
    """``1 - exp(sums)`` and ``exp(sums)`` of logarithms, by parts that stay in the cache."""
    v, h = np.zeros(count + 1), np.ones(count + 1)
    before: list[float] = []
    for first in range(0, count, _PART):
        part = slice(first, min(first + _PART, count))
        here = slice(first + 1, part.stop + 1)
        total = running_sum(logs(part))
        before.append(float(total[-1]))
        total += math.fsum(before[:-1])
        np.exp(total, out=h[here])
        np.negative(np.expm1(total, out=total), out=v[here])
    return v, h


def _log(stay: Floats, loss: Floats) -> Floats:
    """``ln(stay)``, from ``loss = 1 - stay`` where that is the small one."""
    with np.errstate(divide="ignore"):
        out = np.log1p(-np.minimum(loss, 1.0))
        little = np.flatnonzero(stay < 0.5)
        out[little] = np.log(stay[little])
    return out


def from_zero(log_stay: Floats, gain: Floats) -> Floats:
    """Step ``x <- exp(log_stay) x + gain`` from 0, gains not negative.

    Returns float64[T + 1], with the start; exact to about 1e-14 of itself.
    """
    return np.append(0.0, _affine(log_stay, gain, 0.0))


def _affine(log_stay: Floats, gain: Floats, start: float) -> Floats:
    """Step ``x <- exp(log_stay) x + gain`` from ``start``: within blocks, over them, within them again."""
    if len(gain) <= _BLOCK:
        return _steps(np.exp(log_stay)[:, None], gain[:, None], np.array([start]))[:, 0]
    logs, gains = _blocks(log_stay), _blocks(gain)
    stays = np.exp(logs)
    ends = _affine(logs.sum(axis=0), _steps(stays, gains, np.zeros(gains.shape[1]))[-1], start)
    starts = np.append(start, ends[:-1])
    return _steps(stays, gains, starts).T.reshape(-1)[: len(gain)]


def _steps(stays: Floats, gains: Floats, x: Floats) -> Floats:
    out = np.empty_like(gains)
    for row, (stay, gain) in enumerate(zip(stays, gains, strict=True)):
        x = stay * x + gain
        out[row] = x
    return out


def _blocks(x: Floats) -> Floats:
    """Lay ``x`` out as ``[position in its block, block]``, the last block filled up with zeros."""
    count = -(-len(x) // _BLOCK)
    out = np.zeros(count * _BLOCK)
    out[: len(x)] = x
    return np.ascontiguousarray(out.reshape(count, _BLOCK).T)


def recorded(at: npt.ArrayLike | None, generations: int) -> npt.NDArray[np.int64]:
    """Return the generations asked for, of 0 to ``generations``; all of them for None."""
    if at is None:
        return np.arange(generations + 1)
    index = np.atleast_1d(np.asarray(at, dtype=np.int64))
    outside = index[(index < 0) | (index > generations)]
    if outside.size:
        problem = f"lies outside 0 to {generations:,}, the generations there are sizes of"
        raise SpecError("at", int(outside[0]), problem, "ask for others, or give sizes of more generations")
    return index

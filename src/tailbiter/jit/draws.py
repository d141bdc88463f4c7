# SPDX-License-Identifier: MIT
"""The core's draws, callable from functions that Numba compiles.

Each takes ``at``, the item that a ``sample`` function was called for: ``uint64[7]``, its address and how far
its words are used up. Draws of an item come one after the other from its own address, so that it can be made
again alone, in any order and on any thread. They are found by name when compiled code is loaded, so that it
caches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba
import numpy as np
import numpy.typing as npt
from numba import types

from tailbiter._core import item as core
from tailbiter.jit._bits import ONE_OF_TWO, double

__all__ = [
    "below",
    "beta",
    "binomial",
    "exponential",
    "gamma",
    "item",
    "normal",
    "poisson",
    "student_t",
    "uniform",
]

for _name, _address in core.symbols().items():
    llvmlite.binding.add_symbol(_name, _address)

_AT = types.uintp
_NONE_OF_TWO = np.uint64(1)


def external(name: str, returns: Any, *arguments: Any) -> Any:
    """A function of the core, by name, for compiled code to call."""
    return types.ExternalFunction(name, returns(*arguments))


_init = external("tb_item_init", types.void, _AT, types.uint64, *4 * (types.uint32,))
_uniform = external("tb_item_uniform", types.float64, _AT)
_normal = external("tb_item_normal", types.float64, _AT)
_exponential = external("tb_item_exponential", types.float64, _AT)
_gamma = external("tb_item_gamma", types.float64, _AT, types.float64)
_binomial = external("tb_item_binomial", types.int64, _AT, types.int64, types.float64)
_poisson = external("tb_item_poisson", types.int64, _AT, types.float64)
_below = external("tb_item_below", types.int64, _AT, types.int64)


def _compiled(function: Callable[..., Any]) -> Any:
    return numba.njit(nogil=True, inline="never", error_model="numpy")(function)


@_compiled
def _begin(at: Any, key: int, generation: int, replicate: int, purpose: int, slot: int) -> None:
    _init(at.ctypes.data, key, generation, replicate, purpose, slot)


def item(
    key: int, generation: int = 1, replicate: int = 0, slot: int = 0, purpose: str = "synthetic"
) -> npt.NDArray[np.uint64]:
    """Begin an item, to try a ``sample`` function out.

    Parameters
    ----------
    key : int
        64 bits, such as ``Spec.key``.
    generation, replicate, slot : int
        Of which generation, in which lineage, and which item of the batch.
    purpose : {"synthetic", "fresh", "human"}
        What the item is for.

    Returns
    -------
    uint64[7]

    Examples
    --------
    >>> at = item(7)
    >>> normal(at) == normal(item(7)), normal(at) == normal(item(7))  # the first draw; the second
    (True, False)
    """
    at = np.zeros(core.STATE_WORDS, np.uint64)
    _begin(at, np.uint64(key), generation, replicate, core.PURPOSES[purpose], slot)
    return at


@_compiled
def uniform(at: Any) -> float:
    """Draw from (0, 1), neither end included.

    Examples
    --------
    >>> 0 < uniform(item(7)) < 1
    True
    """
    return _uniform(at.ctypes.data)


@_compiled
def normal(at: Any) -> float:
    """Draw from the standard normal law: its quantile at one 64-bit word.

    Examples
    --------
    >>> normal(item(7)) == normal(item(7)), normal(item(7)) == normal(item(8))
    (True, False)
    """
    if at[3] == ONE_OF_TWO and at[6] != 0:
        at[3] = _NONE_OF_TWO
        return double(np.int64(at[6]))
    return _normal(at.ctypes.data)


@_compiled
def exponential(at: Any) -> float:
    """Draw from the exponential law of mean 1: its quantile at one 64-bit word.

    Examples
    --------
    >>> exponential(item(7)) > 0
    True
    """
    return _exponential(at.ctypes.data)


@_compiled
def gamma(at: Any, shape: float) -> float:
    """Draw from the gamma law of scale 1, by Marsaglia & Tsang 2000.

    Raises
    ------
    ValueError
        Unless the shape is positive.

    Examples
    --------
    >>> gamma(item(7), 2.5) > 0
    True
    """
    if not 0.0 < shape < np.inf:
        raise ValueError("gamma: the shape is not a positive number")
    return _gamma(at.ctypes.data, shape)


@_compiled
def beta(at: Any, a: float, b: float) -> float:
    """Draw from the beta law, by two gamma draws.

    Raises
    ------
    ValueError
        Unless both parameters are positive.

    Examples
    --------
    >>> 0 <= beta(item(7), 2.0, 3.0) <= 1
    True
    """
    x = gamma(at, a)
    return x / (x + gamma(at, b))


@_compiled
def student_t(at: Any, freedom: float) -> float:
    """Draw from Student's t: a normal over the root of a mean square.

    Raises
    ------
    ValueError
        Unless the degrees of freedom are positive.

    Examples
    --------
    >>> student_t(item(7), 3.0) == student_t(item(7), 3.0)
    True
    """
    z = normal(at)
    return z / np.sqrt(2.0 * gamma(at, 0.5 * freedom) / freedom)


@_compiled
def binomial(at: Any, n: int, p: float) -> int:
    """Draw from the binomial law: its exact quantile at one 64-bit word.

    Raises
    ------
    ValueError
        Unless n is from 0 to 2^53 and p from 0 to 1.

    Examples
    --------
    >>> 0 <= binomial(item(7), 10, 0.5) <= 10
    True
    """
    if not (0 <= n <= 1 << 53 and 0.0 <= p <= 1.0):
        raise ValueError("binomial: n is not from 0 to 2**53, or p is not from 0 to 1")
    return _binomial(at.ctypes.data, n, p)


@_compiled
def poisson(at: Any, mean: float) -> int:
    """Draw from the Poisson law: its exact quantile at one 64-bit word.

    Raises
    ------
    ValueError
        Unless the mean is from 0 to 2^53.

    Examples
    --------
    >>> poisson(item(7), 0.0)
    0
    """
    if not 0.0 <= mean <= 2.0**53:
        raise ValueError("poisson: the mean is not from 0 to 2**53")
    return _poisson(at.ctypes.data, mean)


@_compiled
def below(at: Any, n: int) -> int:
    """Draw one of 0, 1, ..., n - 1, each as likely.

    Raises
    ------
    ValueError
        Unless n is positive.

    Examples
    --------
    >>> 0 <= below(item(7), 6) < 6
    True
    """
    if n < 1:
        raise ValueError("below: n is not positive")
    return _below(at.ctypes.data, n)

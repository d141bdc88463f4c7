# SPDX-License-Identifier: MIT
"""The loops over items that call user's functions, compiled for one family: draws, expectations, fits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
from numba import types

from tailbiter._core import item as core
from tailbiter.errors import SpecError
from tailbiter.jit import _compile, draws
from tailbiter.jit._bits import ONE_OF_TWO, bits, double

if TYPE_CHECKING:
    from tailbiter.jit._family import Family

__all__ = [
    "CANCELLED",
    "FINE",
    "IMPOSSIBLE",
    "NO_DENSITY",
    "NO_PARAMETER",
    "Rules",
    "make_draw",
    "make_gather",
    "rules_of",
]

# How a fit or a draw ended.
FINE, CANCELLED, NO_DENSITY, IMPOSSIBLE, NO_PARAMETER = range(5)
# Which function was called last: a place in `stage`, read when one has raised.
DENSITY, FIT, SAMPLE = range(3)
# Items that are worked on at a time.
PIECE = 256
ROOM = PIECE + 16
STATE = core.STATE_WORDS
DEAD = 2.0**-53

_cancelled = draws.external("tb_is_cancelled", types.int32, types.uintp)
_begin = draws.external("tb_item_init", types.void, types.uintp, types.uint64, *4 * (types.uint32,))
_word = draws.external("tb_item_word", types.uint64, types.uintp)
_first = draws.external(
    "tb_item_first",
    types.void,
    types.uintp,
    types.uint64,
    *4 * (types.uint32,),
    types.uint64,
    types.uintp,
    types.uintp,
)

# As in the C core (kernel_random.h): exp on [-log(2)/2, log(2)/2], and (2 atanh(s) / s - 2) / s^2.
_EXP = (
    1.0,
    1.0,
    0.5,
    0.16666666666666702,
    0.04166666666666672,
    0.008333333333309522,
    0.0013888888888861418,
    0.00019841269909227387,
    2.4801587366923012e-05,
    2.7557224949131394e-06,
    2.755723946172947e-07,
    2.5114872543703817e-08,
    2.0925033125859287e-09,
)
_ATANH = (
    0.672617292204049,
    0.4085582371552631,
    0.29576899805364637,
    0.23326973098067494,
    0.19358809625554702,
    0.16617684853149875,
    0.1461722010170369,
    0.130873486686174,
)
_MAGIC = 1.5 * 2.0**52
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_LOG2_HIGH, _LOG2_LOW = float.fromhex("0x1.62e42fefa38p-1"), float.fromhex("0x1.ef35793c7673p-45")
_LEAST = -700.0  # below it an exponential is 0


def _small(function: Any) -> Any:
    """Compiled where it is used."""
    return numba.njit(**_compile.OPTIONS | _compile.INNER)(function)


@_small
def exp(x: float) -> float:
    """Exponential of a number that is not positive, without a branch."""
    shifted = max(x, _LEAST) * _LOG2_E + _MAGIC
    k = shifted - _MAGIC
    r = (max(x, _LEAST) - k * _LOG2_HIGH) - k * _LOG2_LOW
    y = _EXP[12] * r + _EXP[11]
    y = (y * r + _EXP[10]) * r + _EXP[9]
    y = (y * r + _EXP[8]) * r + _EXP[7]
    y = (y * r + _EXP[6]) * r + _EXP[5]
    y = (y * r + _EXP[4]) * r + _EXP[3]
    y = ((y * r + _EXP[2]) * r + _EXP[1]) * r + _EXP[0]
    value = y * double((bits(shifted) + 1023) << 52)
    return value if x >= _LEAST else 0.0


@_small
def log(x: float) -> float:
    """Natural logarithm of a positive normal number, without a branch."""
    shifted = bits(x) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    e = float((shifted >> 52) - 1023)
    t = double((shifted & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0
    s = t / (2.0 + t)
    y = s * s - 0.01472
    p = _ATANH[7] * y + _ATANH[6]
    p = ((p * y + _ATANH[5]) * y + _ATANH[4]) * y + _ATANH[3]
    p = ((p * y + _ATANH[2]) * y + _ATANH[1]) * y + _ATANH[0]
    small = s * (s * s) * p
    return e * _LOG2_HIGH + (t - (s * t - (small + e * _LOG2_LOW)))


class Rules(NamedTuple):
    """Compiled for one family. Arrays are C-contiguous; items are ``[n]`` in one dimension, else ``[n, d]``.

    An address is ``uint64[4]``: key, generation, replicate, purpose. A control is where the core's flag is.
    """

    draw: Any  # (kernels, address, cells, parameters, control, stage, out) -> code
    gather: Any  # (address, slots, cells, parameters, control, stage, out) -> code
    fit: Any  # (x, w, weights, parameters, settings, control, stage, share) -> code, then how it went


def rules_of(family: Family) -> Rules:
    """Compile a family's functions, and the loops that call them; done once for each family.

    Raises
    ------
    SpecError
        Naming the function that does not compile, and Numba's reason.
    """
    log_density, fit, sample = _functions(family)
    identity = f"{_compile.keep_by(log_density, fit, sample)}, {family.dimension}"
    expect = _compile.specialised(_make_expect(log_density), identity, inner=True)
    maximise = _compile.specialised(_make_maximise(fit), identity, inner=True)
    one = _compile.specialised(_make_one(sample, family.dimension), identity, inner=True)
    return Rules(
        _compile.specialised(make_draw(one), identity),
        _compile.specialised(make_gather(one), identity),
        _compile.specialised(_make_fit(expect, maximise), identity),
    )


def _functions(family: Family) -> tuple[Any, Any, Any]:
    """The user's three, each compiled alone, so that an error names the one it is in."""
    real, line = types.float64, types.Array(types.float64, 1, "C")
    items = line if family.dimension == 1 else types.Array(types.float64, 2, "C")
    at = types.Array(types.uint64, 1, "C")
    one = family.dimension == 1
    field = "reference.laws."
    _rehearse(family, field)
    return (
        _compile.compiled(family.log_density, (real if one else line, line), field + "log_density", "number"),
        _compile.compiled(family.fit, (items, line, line, real), field + "fit", "nothing"),
        _compile.compiled(
            family.sample,
            (line, at) if one else (line, at, line),
            field + "sample",
            "number" if one else "nothing",
        ),
    )


def _rehearse(family: Family, field: str) -> None:
    """Run density and fit once in plain Python, which checks the indices that compiled code trusts.

    Whatever else goes wrong here may be due to the made-up items, and is found in the run.
    """
    p = np.array(list(family.parameters.values()), np.float64)
    x = np.linspace(0.25, 0.75, 8 * family.dimension)
    items = x if family.dimension == 1 else x.reshape(8, family.dimension)
    for name, arguments in (
        ("log_density", (items[0], p.copy())),
        ("fit", (items, np.ones(8), p.copy(), 1e-6)),
    ):
        function = _compile.plain(getattr(family, name))
        try:
            with np.errstate(all="ignore"):
                function(*arguments)
        except IndexError as error:
            problem = f"reaches outside an array: {error}"
            raise SpecError(field + name, function.__name__, problem, "mend the index") from error
        except Exception:  # noqa: BLE001, S110  # see above
            pass


def _make_expect(log_density: Any) -> Any:
    """Responsibilities, times the items' weights; their sums and the log-likelihood, in eight lanes each."""

    def densities(x: Any, first: Any, weights: Any, parameters: Any, share: Any, top: Any) -> Any:
        """Joint log-densities of a piece's items, and the largest of each item."""
        some, wrong, impossible = len(top), False, False
        top[:] = -np.inf
        for k in range(len(weights)):
            if weights[k] > 0.0:
                level, p = math.log(weights[k]), parameters[k]
                own = share[k][first : first + some]
                for i in range(some):
                    own[i] = level + log_density(x[first + i], p)
                for i in range(some):
                    wrong |= not own[i] < np.inf
                    top[i] = max(top[i], own[i])
        for i in range(some):
            impossible |= not top[i] > -np.inf
        return NO_DENSITY if wrong else IMPOSSIBLE if impossible else FINE

    densities = _small(densities)

    def expect(
        x: Any, w: Any, weights: Any, parameters: Any, control: Any, stage: Any, share: Any, lanes: Any
    ) -> Any:
        n = len(x)
        room, sums = np.empty(PIECE), np.empty(PIECE)
        stage[0] = DENSITY
        lanes[:] = 0.0
        for first in range(0, n, PIECE):
            some = min(PIECE, n - first)
            if first % (64 * PIECE) == 0 and _cancelled(control):
                return CANCELLED
            code = densities(x, first, weights, parameters, share, room[:some])
            if code != FINE:
                return code
            _share_out(weights, w[first : first + some], share, first, room[:some], sums, lanes)
        return FINE

    return expect


@_small
def _share_out(weights: Any, w: Any, share: Any, first: Any, top: Any, sums: Any, lanes: Any) -> None:
    """Responsibilities from joint log-densities. Where one component is left, it has them all."""
    some, alive = len(top), 0
    for k in range(len(weights)):
        alive += weights[k] > 0.0
    sums[:] = 0.0
    for k in range(len(weights)):
        if alive > 1 and weights[k] > 0.0:
            own = share[k][first : first + some]
            for i in range(some):
                own[i] = exp(own[i] - top[i])
                sums[i] += own[i]
    for i in range(some):
        top[i] = w[i] * (top[i] + log(sums[i])) if alive > 1 else w[i] * top[i]
        sums[i] = w[i] / sums[i] if alive > 1 else w[i]
    for k in range(len(weights)):
        if weights[k] > 0.0:
            own = share[k][first : first + some]
            for i in range(some):
                own[i] = own[i] * sums[i] if alive > 1 else sums[i]
            _add(own, lanes[k])
    _add(top, lanes[len(weights)])


@_small
def _add(values: Any, lanes: Any) -> None:
    """Add to eight running sums, in an order that no compiler changes."""
    for i in range(len(values)):
        lanes[i % 8] += values[i]


def _make_maximise(fit: Any) -> Any:
    """Weights and parameters from responsibilities; a component below the least weight is dead."""

    def maximise(
        x: Any, total: Any, weights: Any, parameters: Any, floor: Any, stage: Any, share: Any, lanes: Any
    ) -> Any:
        stage[0] = FIT
        for k in range(len(weights)):
            if weights[k] > 0.0:
                weight = lanes[k].sum() / total
                weights[k] = weight if weight >= DEAD else 0.0
                if weights[k] > 0.0:
                    fit(x, share[k], parameters[k], floor)
                    for j in range(parameters.shape[1]):
                        if not np.isfinite(parameters[k, j]):
                            return NO_PARAMETER
        return FINE

    return maximise


def _make_fit(expect: Any, maximise: Any) -> Any:
    """Expectation and maximisation, until the log-likelihood stays or iterations run out."""

    def run(
        x: Any, w: Any, weights: Any, parameters: Any, settings: Any, control: Any, stage: Any, share: Any
    ) -> Any:
        floor, tolerance, most = settings
        before, mean, iterations, converged = 0.0, 0.0, 0, False
        lanes = np.zeros((len(weights) + 1, 8))
        _add(w, lanes[0])
        total = lanes[0].sum()
        while not converged and iterations < most:
            code = expect(x, w, weights, parameters, control, stage, share, lanes)
            if code == FINE:
                mean = lanes[len(weights)].sum() / total
                code = maximise(x, total, weights, parameters, floor, stage, share, lanes)
            if code != FINE:
                return code, mean, iterations, converged
            converged = iterations > 0 and abs(mean - before) < tolerance
            before = mean
            iterations += 1
        return FINE, mean, iterations, converged

    return run


def _make_one(sample: Any, dimension: int) -> Any:
    """One item, whose first word says of which component it is."""

    def returned(word: Any, at: Any, cells: Any, parameters: Any, out: Any, i: Any) -> Any:
        out[i] = sample(parameters[_component(word, cells)], at)

    def written(word: Any, at: Any, cells: Any, parameters: Any, out: Any, i: Any) -> Any:
        sample(parameters[_component(word, cells)], at, out[i])

    return returned if dimension == 1 else written


@_small
def _component(word: Any, cells: Any) -> Any:
    """The component in whose cell of 0..2^53 a word lies; cells are known by their upper ends."""
    k = 0
    while word >> np.uint64(11) >= cells[k]:
        k += 1
    return k


def make_draw(one: Any) -> Any:
    """A batch's items from its first on; their first words are made side by side."""

    def draw(
        kernels: Any, address: Any, cells: Any, parameters: Any, control: Any, stage: Any, out: Any
    ) -> Any:
        words, normals, at = np.empty(2 * ROOM, np.uint64), np.empty(ROOM), np.empty(STATE, np.uint64)
        key, generation, replicate = address[0], np.uint32(address[1]), np.uint32(address[2])
        purpose = np.uint32(address[3])
        stage[0] = SAMPLE
        _begin(at.ctypes.data, key, generation, replicate, purpose, np.uint32(0))
        for first in range(0, len(out), PIECE):
            some = min(PIECE, len(out) - first)
            if _cancelled(control):
                return CANCELLED
            slot, where, normal = np.uint32(first), words.ctypes.data, normals.ctypes.data
            _first(kernels, key, generation, replicate, purpose, slot, some, where, normal)
            for i in range(some):
                at[2] = address[3] | np.uint64(first + i) << np.uint64(32)
                at[3] = ONE_OF_TWO
                at[4], at[5], at[6] = words[2 * i], words[2 * i + 1], np.uint64(bits(normals[i]))
                one(words[2 * i], at, cells, parameters, out, first + i)
        return FINE

    return draw


def make_gather(one: Any) -> Any:
    """Items of a batch by their slots, one by one."""

    def gather(
        address: Any, slots: Any, cells: Any, parameters: Any, control: Any, stage: Any, out: Any
    ) -> Any:
        at = np.empty(STATE, np.uint64)
        key, generation, replicate = address[0], np.uint32(address[1]), np.uint32(address[2])
        purpose = np.uint32(address[3])
        stage[0] = SAMPLE
        for i in range(len(slots)):
            if i % PIECE == 0 and _cancelled(control):
                return CANCELLED
            _begin(at.ctypes.data, key, generation, replicate, purpose, np.uint32(slots[i]))
            one(_word(at.ctypes.data), at, cells, parameters, out, i)
        return FINE

    return gather

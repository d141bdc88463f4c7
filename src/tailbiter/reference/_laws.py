# SPDX-License-Identifier: MIT
"""References given by a law. No function of the platform's mathematical library decides a weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import SET, number, whole, within
from ..errors import SpecError
from ._support import MAX_CATEGORIES, Categorical, Support, quantise, support_of

_CATEGORIES = "give a number of categories such as 100000"
_LAST_SEED = 2**63 - 1
Floats = npt.NDArray[np.float64]


def _check_categories(law: Categorical, value: object) -> None:
    SET(law, "categories", whole(value, "reference.categories", 1, MAX_CATEGORIES, _CATEGORIES))


def _weights(values: Floats, remedy: str) -> npt.NDArray[np.uint64]:
    """Whole weights of a law, none of which may be lost."""
    return quantise(values, lambda index: f"reference (category {index + 1})", remedy, positive=True)


class Uniform(Categorical, frozen=True, tag="uniform"):
    """Categories that are all as likely.

    Parameters
    ----------
    categories : int
        From 1 to 1e7.

    Examples
    --------
    >>> Uniform(3).support.weights.tolist()
    [1, 1, 1]
    """

    categories: int

    def __post_init__(self) -> None:
        _check_categories(self, self.categories)

    def _support(self) -> Support:
        return support_of(np.ones(self.categories, np.uint64))


class Zipf(Categorical, frozen=True, tag="zipf"):
    """Weight ``(rank + shift) ** -exponent`` for rank 1, 2, ... (Zipf-Mandelbrot).

    Parameters
    ----------
    categories : int
        From 1 to 1e7.
    exponent : float, default 1.0
        Not negative.
    shift : float, default 0.0
        Above -1.

    Examples
    --------
    >>> weights = Zipf(1000, exponent=1.1, shift=2.7).support.weights.tolist()
    >>> round(weights[0] / weights[9], 6) == round((12.7 / 3.7) ** 1.1, 6)
    True
    """

    categories: int
    exponent: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        _check_categories(self, self.categories)
        SET(
            self,
            "exponent",
            within(self.exponent, "reference.exponent", 0, 100, "give an exponent such as 1.0"),
        )
        remedy = "give a shift such as 2.7"
        shift = number(self.shift, "reference.shift", remedy)
        if shift <= -1:
            raise SpecError("reference.shift", shift, "is not above -1", remedy)
        SET(self, "shift", shift)

    def _support(self) -> Support:
        from .._core import fmath

        base = np.arange(1, self.categories + 1, dtype=np.float64)
        base += self.shift
        values = fmath.pow_array(base, np.array([-self.exponent]))
        if not np.isfinite(values[0]):
            remedy = "give a shift farther from -1, or a smaller exponent"
            raise SpecError("reference.shift", self.shift, "gives category 1 an infinite weight", remedy)
        return support_of(_weights(values, "use fewer categories or a smaller exponent"))


class Geometric(Categorical, frozen=True, tag="geometric"):
    """Weight ``ratio ** rank``.

    Parameters
    ----------
    categories : int
        From 1 to 1e7.
    ratio : float
        Above 0, at most 1.

    Examples
    --------
    >>> weights = Geometric(10, ratio=0.5).support.weights.tolist()
    >>> weights[0] // weights[3]
    8
    """

    categories: int
    ratio: float

    def __post_init__(self) -> None:
        _check_categories(self, self.categories)
        ratio = within(self.ratio, "reference.ratio", 0, 1, "give a ratio such as 0.99")
        if ratio == 0:
            raise SpecError("reference.ratio", ratio, "is not positive", "give a ratio such as 0.99")
        SET(self, "ratio", ratio)

    def _support(self) -> Support:
        from .._core import fmath

        rank = np.arange(self.categories, dtype=np.float64)
        values = fmath.pow_array(np.array([self.ratio]), rank)
        return support_of(_weights(values, "use fewer categories or a ratio nearer to 1"))


class Dirichlet(Categorical, frozen=True, tag="dirichlet"):
    """Probabilities drawn once from a symmetric Dirichlet law, from a seed of their own.

    Parameters
    ----------
    categories : int
        From 1 to 1e7.
    concentration : float
        The law's parameter for each category, from 0.001 to 1e6: 1 draws uniformly from the simplex.
    seed : int
        Of this draw alone; the run's seed plays no part.

    Notes
    -----
    Normalised gamma variates by the method of Marsaglia and Tsang (2000, doi:10.1145/358407.358414) over
    normal variates by the polar method, on the raw words of numpy's Philox.

    Examples
    --------
    >>> len(Dirichlet(10, concentration=0.5, seed=1).support)
    10
    """

    categories: int
    concentration: float
    seed: int

    def __post_init__(self) -> None:
        _check_categories(self, self.categories)
        remedy = "give a concentration such as 1.0"
        value = within(self.concentration, "reference.concentration", 1e-3, 1e6, remedy)
        SET(self, "concentration", value)
        SET(self, "seed", whole(self.seed, "reference.seed", 0, _LAST_SEED, "give a whole number"))

    def _support(self) -> Support:
        from .._core import fmath

        levels = log_gamma_variates(self.categories, self.concentration, self.seed)
        values = fmath.exp_array(levels - levels.max())
        return support_of(_weights(values, "use fewer categories or a larger concentration"))


class Bernoulli(Categorical, frozen=True, tag="bernoulli"):
    """Yes or no: the categorical law of two categories, whose count is the sufficient statistic.

    Parameters
    ----------
    p : float
        Probability of category 1 ("1"), above 0 and below 1; category 0 ("0") has the rest.

    Examples
    --------
    >>> support = Bernoulli(0.25).support
    >>> support.labels.tolist(), support.weights.tolist() == [3 * 2**51, 2**51]
    (['0', '1'], True)
    """

    p: float

    def __post_init__(self) -> None:
        remedy = "give a probability such as 0.3"
        value = within(self.p, "reference.p", 0, 1, remedy)
        if value in (0, 1):
            raise SpecError("reference.p", value, "leaves one category only", remedy)
        SET(self, "p", value)

    def _support(self) -> Support:
        values = np.array([1 - self.p, self.p])
        weights = quantise(values, lambda _: "reference.p", "give a probability farther from 0 and 1")
        return support_of(weights, np.array(["0", "1"], object))


def log_gamma_variates(count: int, shape: float, seed: int) -> Floats:
    """Logarithms of gamma variates, rejected ones drawn again in rounds."""
    from .._core import fmath

    words = np.random.Philox(np.random.SeedSequence(seed))
    third = (shape if shape >= 1 else shape + 1) - 1 / 3
    slope = 1 / np.sqrt(9 * third)
    out = np.empty(count)
    open_ = np.arange(count)
    while open_.size:
        normal = _normals(words, open_.size)
        log_u = fmath.log_array(_uniforms(words, open_.size))
        root = 1 + slope * normal
        cube = root * root * root  # numpy's power would ask the platform
        positive = cube > 0
        log_cube = fmath.log_array(np.where(positive, cube, 1.0))
        limit = 0.5 * normal * normal + third * (1 - cube + log_cube)
        taken = positive & (log_u < limit)
        out[open_[taken]] = fmath.log_array(np.full(1, third))[0] + log_cube[taken]
        open_ = open_[~taken]
    if shape < 1:
        out += fmath.log_array(_uniforms(words, count)) / shape
    return out


def _uniforms(words: np.random.Philox, count: int) -> Floats:
    """Uniform variates inside (0, 1): the middles of 2**52 cells, which doubles hold exactly."""
    raw = words.random_raw(count) >> np.uint64(12)
    return (raw.astype(np.float64) + 0.5) * 2.0**-52


def _normals(words: np.random.Philox, count: int) -> Floats:
    """Normal variates by the polar method, one from each accepted pair."""
    from .._core import fmath

    out = np.empty(count)
    filled = 0
    while filled < count:
        pair = 2 * _uniforms(words, 2 * (count - filled)) - 1
        x, y = pair[0::2], pair[1::2]
        square = x * x + y * y
        inside = square < 1
        x, square = x[inside], square[inside]
        out[filled : filled + len(x)] = x * np.sqrt(-2 * fmath.log_array(square) / square)
        filled += len(x)
    return out

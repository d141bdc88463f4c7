# SPDX-License-Identifier: MIT
"""Evidence against a law, as numbers that may be looked at at any time.

An *e-value* is nonnegative and has expectation at most 1 if the null hypothesis is true; so it reaches
``1/rate`` with probability at most ``rate`` (Markov). The ones here are values of nonnegative
supermartingales that start at 1, so even the largest one ever seen reaches ``1/rate`` with probability at
most ``rate`` (Ville 1939): one may look after every value and stop at will. A mean of e-values is one,
however they depend on each other: that is how hypotheses are tested together (Vovk & Wang 2021, arXiv
1912.06116). Each function says what its null hypothesis is, and why its process is a supermartingale under
it. Everything is in natural logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, gammaln, log_ndtr, logsumexp, xlogy

from ..errors import SpecError

__all__ = [
    "Floats",
    "Sums",
    "cdf_allowance",
    "cdf_distance",
    "law_evidence",
    "law_radius",
    "mean_evidence",
]

Floats = npt.NDArray[np.float64]

# Bets from the largest that is allowed (nearly) down to what a million million values would ask for:
# neighbours differ by the square root of 2, so that the best bet of all is never further than 2 % of the
# exponent away.
BETS = 0.95 * 2.0 ** (-np.arange(60) / 2)
BET_PRICE = BETS + np.log1p(-BETS)
# Tilts of a coin, from the largest that a chance of 1e-17 could ask for; spaced as the bets are.
TILTS = 40.0 * 2.0 ** (-np.arange(52) / 2)
# Sizes of the Dirichlet mixture, in values: how sure it is that the law is the expected one.
SIZES = 2.0 ** np.arange(25)
# Means computed in floating point are equal to the expected ones up to this, relative to the expected one;
# to the width of the interval; and at all.
RELATIVE, OF_WIDTH, AT_ALL = 1e-12, 1e-13, 1e-15
# Natural logarithm of the evidence at which `mean_evidence` does best: 1e-9, and the price of a mixture.
TYPICAL = 25.0
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Sums:
    """All that the tests of means need of the values: their number and the sums of deviations and squares.

    Attributes
    ----------
    n : int
        Number of values.
    total, square : float64 array
        Sum of the deviations from a centre and of their squares, by cell.
    """

    n: int
    total: Floats
    square: Floats

    @classmethod
    def of(cls, values: Floats, centre: Floats) -> Sums:
        """Add up ``values[n, ...]`` about ``centre[...]``, a block of rows at a time."""
        total, square = np.zeros(centre.shape), np.zeros(centre.shape)
        rows = max(1, _BLOCK // max(1, centre.size))
        for start in range(0, len(values), rows):
            apart = values[start : start + rows] - centre
            total += apart.sum(axis=0)
            square += np.einsum("i...,i...->...", apart, apart)
        return cls(len(values), total, square)

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.n + other.n, self.total + other.total, self.square + other.square)

    def moved(self, by: Floats) -> Sums:
        """The same about a centre that lies ``by`` higher."""
        square = self.square - 2.0 * by * self.total + self.n * by * by
        return Sums(self.n, self.total - self.n * by, np.maximum(square, 0.0))

    def mirrored(self) -> Sums:
        """The same of the negatives, about the negative centre."""
        return Sums(self.n, -self.total, self.square)


def above_by_bound(sums: Sums, room: Floats) -> Floats:
    """Log evidence against "the mean is at most the centre", for values at least ``centre - room``.

    For each bet b in (0, 1), with ``x = (value - centre)/room >= -1``, Fan's inequality (Fan, Grama & Liu
    2015, arXiv 1311.6273, lemma 4.1) says ``exp(b x + (log(1-b) + b) x^2) <= 1 + b x``, whose conditional
    expectation is at most 1 under the null hypothesis: the running product is a nonnegative
    supermartingale, the wealth of a gambler who bets b each time and gives a little away, so that two sums
    are all that must be kept (Waudby-Smith & Ramdas 2024, arXiv 2010.09686, derive their empirical
    Bernstein sequence so). A mixture of supermartingales with weights that sum to 1 is one. Where room is 0
    (or less), nothing above the centre is possible.
    """
    inside = room > 0
    scale = np.where(inside, room, 1.0)
    x, xx = sums.total / scale, sums.square / scale**2
    exponent = BETS * x[..., None] + BET_PRICE * xx[..., None]
    mixed = _mixture(exponent)
    impossible = (sums.total > 0) | (room < 0)
    return np.where(inside, mixed, np.where(impossible, np.inf, 0.0))


def above_by_coin(sums: Sums, share: Floats, width: Floats) -> Floats:
    """Log evidence against "the mean is at most the centre", for values between two bounds.

    The bounds lie ``width`` apart, and the centre at this share of the way. With x = (value - low)/width,
    and s > 0, ``exp(s x) <= 1 - x + x exp(s)`` (convexity), whose expectation is at most ``1 + share
    (exp(s) - 1)`` under the null hypothesis: the product of ``exp(s x)/(1 + share (exp(s) - 1))`` is a
    nonnegative supermartingale (Hoeffding 1963, doi:10.1080/01621459.1963.10500830). For values that are 0
    or 1 it is the likelihood ratio of a coin, and nothing is given away: it serves means near a bound,
    where bets with a price for squares do not. Mixed over s.
    """
    share = np.clip(share, 0.0, 1.0)[..., None]
    price = np.log1p(share * np.expm1(TILTS)) - TILTS * share
    exponent = TILTS * (sums.total / width)[..., None] - sums.n * price
    return _mixture(exponent)


def above_by_variance(sums: Sums, variance: Floats, spread: Floats) -> Floats:
    """Log evidence against "the mean is at most the centre", for values of at most this variance.

    Let y = b (value - centre) with b > 0, and ``g(y) = exp(y - y^2/6)``. Then ``g(y) <= 1 + y + y^2/3`` for
    all y (Delyon 2009, Electron. J. Probab. 14, 752; Howard, Ramdas, McAuliffe & Sekhon 2020, arXiv
    1808.03204, lemma 3), and ``g <= h`` where h is ``1 + y + y^2/3`` from -3/2 on and 1/4 before it:
    convex, and nowhere decreasing. So if the mean lies at or below the centre, with z = b (value - mean) >=
    y, ``E g(y) <= E h(y) <= E h(z) <= 1 + E z + E z^2/3 <= exp(b^2 variance/3)``, and the product of
    ``exp(y - y^2/6 - b^2 variance/3)`` is a nonnegative supermartingale. This is the self-normalised
    process of Wang & Ramdas 2023 (arXiv 2202.01250). It asks for no bound but the variance, and two sums
    are all that must be kept. Mixed over b, half-normal with scale ``spread``.
    """
    used = (sums.square + 2.0 * sums.n * variance) / 3.0
    widened = 1.0 + spread**2 * used
    z = sums.total * spread / np.sqrt(widened)
    right, left = np.maximum(z, 0.0), np.minimum(z, 0.0)
    tail = np.where(z > 0, right**2 / 2 + log_ndtr(right), np.log(erfcx(-left / math.sqrt(2.0)) / 2))
    return math.log(2.0) - 0.5 * np.log(widened) + tail


@dataclass(frozen=True)
class Known:
    """What is known of the values beside the null hypothesis; by cell.

    Attributes
    ----------
    low, high : float64 array or None
        Bounds of the values.
    variance, spread : float64 array or None
        Bound on their variance; size of the bets that go with it.
    """

    low: Floats | None
    high: Floats | None
    variance: Floats | None
    spread: Floats | None

    @property
    def _width(self) -> Floats | None:
        """Distance of the bounds, where it says anything."""
        if self.low is None or self.high is None or (self.high <= self.low).any():
            return None
        return self.high - self.low

    def above(self, sums: Sums, centre: Floats, by: Floats) -> Floats:
        """Log evidence that the mean lies above ``centre + by``."""
        return self._one_side(sums.moved(by), None if self.low is None else centre + by - self.low)

    def below(self, sums: Sums, centre: Floats, by: Floats) -> Floats:
        """Log evidence that the mean lies below ``centre - by``."""
        room = None if self.high is None else self.high - (centre - by)
        return self._one_side(sums.moved(-by).mirrored(), room)

    def apart(self, sums: Sums, centre: Floats, by: Floats) -> Floats:
        """Log evidence that the mean lies further than ``by`` from ``centre``, on either side."""
        return _log_mean([self.above(sums, centre, by), self.below(sums, centre, by)])

    def _one_side(self, sums: Sums, room: Floats | None) -> Floats:
        found = []
        if room is not None:
            found.append(above_by_bound(sums, room))
            if self._width is not None:
                found.append(above_by_coin(sums, room / self._width, self._width))
        if self.variance is not None and self.spread is not None:
            found.append(above_by_variance(sums, self.variance, self.spread))
        return _log_mean(found) if found else np.zeros(sums.total.shape)


def _mixture(logs: Floats) -> Floats:
    """Log of the mean over the last axis (scipy's own takes longer to start than this to end)."""
    most = logs.max(axis=-1)
    mixed: Floats = most + np.log(np.exp(logs - most[..., None]).mean(axis=-1))
    return mixed


def _log_mean(logs: list[Floats]) -> Floats:
    mixed: Floats = np.logaddexp.reduce(np.stack(logs), axis=0) - math.log(len(logs))
    return mixed


def margin(centre: Floats, low: Floats | None, high: Floats | None) -> Floats:
    """How far a mean computed in floating point may lie from the one it stands for."""
    width = 0.0 if low is None or high is None else high - low
    return np.asarray(RELATIVE * np.abs(centre) + OF_WIDTH * width + AT_ALL)


def mean_evidence(
    values: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    variance: npt.ArrayLike | None = None,
    error: npt.ArrayLike = 0.0,
) -> Floats:
    """Evidence that means are not the expected ones, from a fixed number of independent replicates.

    Parameters
    ----------
    values : float array, shape [n, ...cells]
        One row a replicate; the cells of a row may depend on each other.
    expected : float array, shape [...cells]
        What their means should be.
    low, high : float array, optional
        Bounds of the values, by cell. One of them alone speaks for one side alone.
    variance : float array, optional
        The variance of one value or a bound on it from above, by cell.
    error : float array, default 0
        The null hypothesis is that each mean lies within ``error`` of the expected one (and, always, within
        what rounding does: 1e-12 of it, 1e-13 of ``high - low``, 1e-15).

    Returns
    -------
    float64 array, shape [...cells]
        The natural logarithm of an e-value a cell: under the null hypothesis it reaches ``log(1/rate)`` with
        probability at most ``rate``, at every n, whatever the law. For many cells at once, compare each with
        ``log(cells/rate)``, or, which sees more, the log of the mean of the e-values with ``log(1/rate)``.

    Raises
    ------
    SpecError
        If neither bounds nor variance are given, or values lie outside of the bounds or are not finite.

    Notes
    -----
    The mean of the evidence from bounds and from the variance, where both are given, and of both sides:
    `above_by_bound`, `above_by_coin`, `above_by_variance`, which prove it. Two sums a cell are all that it
    takes.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> coins = rng.random((10_000, 2)) < [0.5, 0.55]
    >>> log_e = mean_evidence(coins, [0.5, 0.5], low=0, high=1)
    >>> (log_e > np.log(1 / 1e-6)).tolist()
    [False, True]
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim == 0 or not len(sample):
        raise SpecError("values", sample.shape, "is the shape of no replicates", "give values[n, ...cells]")
    shape = sample.shape[1:]
    centre = cells("expected", expected, shape)
    lowest, highest = optional_cells("low", low, shape), optional_cells("high", high, shape)
    most = optional_cells("variance", variance, shape)
    if lowest is None and highest is None and most is None:
        raise SpecError(
            "variance", None, "is not given, and no bounds either", "give low= and high=, or variance="
        )
    sums = checked_sums(sample, centre, lowest, highest)
    allowed = cells("error", error, shape)
    if (allowed < 0).any():
        raise SpecError("error", float(allowed.min()), "is negative", "give the largest distance, or 0")
    by = allowed + margin(centre, lowest, highest)
    spread = None if most is None else np.sqrt(2.0 * TYPICAL / (len(sample) * (most + by**2)))
    return Known(lowest, highest, most, spread).apart(sums, centre, by)


def cells(field: str, value: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """One finite number a cell, or a SpecError."""
    try:
        array = np.asarray(value, dtype=np.float64)
        spread: Floats = np.broadcast_to(array, shape)
    except (TypeError, ValueError):
        raise SpecError(
            field, value, f"is not a number for each cell of shape {shape}", "give one a cell"
        ) from None
    if not np.isfinite(array).all():
        raise SpecError(field, value, "is not finite", "give numbers")
    return spread


def optional_cells(field: str, value: npt.ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    """One number a cell, if given."""
    if value is None:
        return None
    array = cells(field, value, shape)
    if field == "variance" and (array < 0).any():
        raise SpecError(field, float(array.min()), "is negative", "give the variance of one value")
    return array


def checked_sums(values: Floats, centre: Floats, low: Floats | None, high: Floats | None) -> Sums:
    """Add up values, and refuse those that break what was said of them."""
    sums = Sums.of(values, centre)
    if not np.isfinite(sums.square).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(sums.square))[0]))
        raise SpecError("values", at, "is a cell with values that are not finite", "leave it out")
    slack = margin(centre, low, high)
    if low is not None:
        _inside(values.min(axis=0) >= low - slack, values.min(axis=0), low, "below")
    if high is not None:
        _inside(values.max(axis=0) <= high + slack, values.max(axis=0), high, "above")
    return sums


def _inside(good: npt.NDArray[np.bool_], extreme: Floats, bound: Floats, side: str) -> None:
    if not good.all():
        at = np.unravel_index(int(np.argmin(good)), good.shape) if good.ndim else ()
        problem = f"is {side} the bound {float(bound[at])!r} of its cell"
        raise SpecError("values", float(extreme[at]), problem, "give bounds that hold for every value")


def _log_mixture(counts: Floats, law: Floats) -> float:
    """Log probability of a sequence with these counts under a mixture of Dirichlet-multinomial laws.

    Those with parameters ``size * law`` lose little while the data look like the law; the one with
    parameters 1/2 is never far from the best fit.
    """
    n = counts.sum()
    prior = SIZES[:, None] * law
    near = gammaln(SIZES) - gammaln(SIZES + n) + (gammaln(prior + counts) - gammaln(prior)).sum(axis=1)
    return float(logsumexp([*near, _log_jeffreys(counts)]) - math.log(len(SIZES) + 1))


def _log_jeffreys(counts: Floats) -> float:
    k, n = len(counts), counts.sum()
    own = (gammaln(counts + 0.5) - gammaln(0.5)).sum()
    return float(gammaln(k / 2) - gammaln(k / 2 + n) + own)


def law_evidence(counts: npt.ArrayLike, law: npt.ArrayLike, *, against: npt.ArrayLike | None = None) -> float:
    """Evidence that counts of independent outcomes do not follow a law.

    Parameters
    ----------
    counts : float array, shape [K]
        How often each outcome was seen.
    law : float array, shape [K]
        Its probability. An outcome that has none and was seen is proof.
    against : float array, shape [K], optional
        One rival law: the evidence is then the likelihood ratio, which grows fastest if the rival is true
        (by its Kullback-Leibler divergence from the law each time). By default a mixture over all rivals.

    Returns
    -------
    float
        Natural logarithm of an e-value.

    Raises
    ------
    SpecError
        If counts and laws are not as many, counts are negative, or a law is no law.

    Notes
    -----
    Under the law, the ratio of the probabilities that any other fixed law of sequences and the law itself
    give to what was seen is a nonnegative martingale with mean 1 (at most 1 where the other gives weight to
    what the law excludes). Here the other is the rival or a mixture of Dirichlet-multinomial laws (Good
    1967, J. R. Stat. Soc. B 29, 399; as an e-process: Lindon & Malek 2022, arXiv 2011.03567).

    Examples
    --------
    >>> law_evidence([480, 520], [0.5, 0.5]) < 0 < law_evidence([400, 600], [0.5, 0.5])
    True
    """
    p = checked_law("law", law)
    seen = np.asarray(counts, dtype=np.float64)
    if seen.shape != p.shape or not (np.isfinite(seen) & (seen >= 0)).all():
        problem = f"is not a count for each of {len(p)} outcomes"
        raise SpecError("counts", np.shape(counts), problem, "give how often each was seen")
    rival = None if against is None else checked_law("against", against, len(p))[p > 0]
    if seen[p == 0].any():
        return math.inf
    seen, right = seen[p > 0], p[p > 0]
    if rival is None:
        other = _log_mixture(seen, right)
    else:
        other = float(xlogy(seen, rival).sum())
    return other - float(xlogy(seen, right).sum())


def checked_law(field: str, law: npt.ArrayLike, outcomes: int | None = None) -> Floats:
    """Return probabilities that sum to 1, or raise a SpecError."""
    p = np.asarray(law, dtype=np.float64)
    if p.ndim != 1 or (outcomes is not None and len(p) != outcomes):
        wanted = "a list" if outcomes is None else f"{outcomes} of them"
        problem = f"is the shape of no law: {wanted} is needed"
        raise SpecError(field, np.shape(law), problem, "give each outcome a probability")
    if not (np.isfinite(p) & (p >= 0)).all() or abs(float(p.sum()) - 1.0) > 1e-9:
        raise SpecError(field, float(p.sum()), "is the sum of no probabilities", "make them sum to 1")
    return p


def law_radius(counts: npt.ArrayLike, law: npt.ArrayLike, rate: float) -> float:
    """Total variation from the observed shares within which the true law lies, but for probability ``rate``.

    The mixture Q of `law_evidence` is an e-process against whatever law p is true, so that with probability
    at least ``1 - rate``, at all times, ``n KL(observed || p) <= log P(observed shares) - log Q +
    log(1/rate)``; Pinsker's inequality turns this into total variation.

    Examples
    --------
    >>> round(law_radius([5_000, 5_000], [0.5, 0.5], 1e-6), 3)
    0.027
    """
    seen, p = np.asarray(counts, dtype=np.float64), np.asarray(law, dtype=np.float64)
    seen, p = seen[p > 0], p[p > 0]
    n = seen.sum()
    regret = float(xlogy(seen, seen / n).sum()) - _log_mixture(seen, p)
    return math.sqrt(max(0.0, regret - math.log(rate)) / (2.0 * n))


def cdf_distance(values: Floats, at: Floats, before: Floats) -> float:
    """Kolmogorov's distance between the shares of sorted values and a distribution function.

    Parameters
    ----------
    values : float64[n]
        Sorted.
    at, before : float64[n]
        The distribution function at each value, and just before it.
    """
    n = len(values)
    last = np.append(values[1:] != values[:-1], True)
    up_to = np.flatnonzero(last) + 1
    below = np.concatenate([[0], up_to[:-1]])
    here = up_to - 1
    return float(max(np.abs(up_to / n - at[here]).max(), np.abs(below / n - before[here]).max()))


def cdf_allowance(n: int, look: int, rate: float) -> float:
    """Kolmogorov's distance that n values exceed with probability at most ``rate/(look (look+1))``.

    By the Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant (1990, doi:10.1214/aop/1176990746),
    which holds for every law, at every n. The rates of looks 1, 2, ... add up to ``rate``, so all looks
    together hold it; Howard & Ramdas (2022, arXiv 1906.09712) build their sequence that holds after every
    value from epochs in the same way.

    Examples
    --------
    >>> round(cdf_allowance(10_000, 1, 1e-9), 4)
    0.0332
    """
    return math.sqrt(math.log(2.0 * look * (look + 1) / rate) / (2.0 * n))

# SPDX-License-Identifier: MIT
"""What becomes of rare categories in large batches, in a few closed numbers.

Three limits, for Replace and for Anchored with fresh human data (constant sizes), maximum likelihood:

- branching: a category whose expected count c is small beside the batch size N; its items multiply
  independently of one another;
- diffusion: N large and time counted in N generations;
- stationary: long after the start, at a fixed split of m human and N - m synthetic items.

Every function refuses what lies outside of its domain, within which the docstring tells how far it was found
from the exact law. A *count* is always ``c = N q``, what a human batch would be expected to hold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._checks import whole, within
from ..errors import SpecError
from ..samples import MAX_SAMPLES
from ._branching import EULER, SHIFT, first_below, lifetime, survival
from ._log_gamma import log_moment
from ._result import Floats, Predicted

__all__ = [
    "absence",
    "categories_kept",
    "collapse_mean",
    "dirichlet_absence",
    "forgetting_mean",
    "forgetting_median",
    "human_ancestors",
    "share_needed",
    "stationary_absence",
    "stationary_identity",
    "tail_half_life",
]

RARE = 0.01  # largest reference probability of a rare category
LEAST = 100  # smallest batch that counts as large
HUMAN = 10  # fewest human items a generation that hold categories independently of one another
_ONE = 1.0 - 1e-9  # one expected item, for masses that are rounded
_EXACT = "use theory.exact"


def absence(counts: npt.ArrayLike, samples: int, at: npt.ArrayLike, *, fresh: int = 0) -> Predicted:
    """Return the probability that rare categories are absent from the training sets of generations ``at``.

    Statement: ``exp(-c u_{t-1} - alpha c sum_{s=0}^{t-2} u_s)``, where ``u_0 = 1``,
    ``u_{s+1} = 1 - exp(-(1 - alpha) u_s)`` and ``alpha = m/N``; nothing fresh: ``exp(-c g_t)``,
    ``g_t = u_{t-1} ~ 2/t``.

    Kind: limit (branching, with immigration where data is fresh).

    Validity: Replace, and Anchored with fresh data; N >= 100, c <= N/100, and t <= N/10 or m >= 10. There
    the largest error found against the ancestral dual is .5 c/N in the absence (.4 with nothing fresh), and
    2.5 % of the presence.

    References: 2412.17646 (Replace).

    Parameters
    ----------
    counts : float array
        Expected counts c of the categories in a human batch.
    samples : int
        N.
    at : int array
        Generations; 0 allowed, where all are present.
    fresh : int, default 0
        m, human items in every batch from generation 2 on.

    Returns
    -------
    Predicted
        Values of shape ``[n, *counts.shape]``.

    Examples
    --------
    >>> absence([1.0, 10.0], 10_000, [0, 1, 10, 100]).values.round(3).tolist()
    [[0.0, 0.0], [0.368, 0.0], [0.842, 0.179], [0.981, 0.822]]
    """
    n, c = _large(samples), _counts(counts)
    m = _fresh(fresh, n, 0)
    index = np.atleast_1d(np.asarray(at, dtype=np.int64))
    _rare(c, n)
    last = int(index.max(initial=0))
    if index.size and (index.min() < 0 or (last > n // 10 and m < HUMAN)):
        problem = (
            f"lies outside 0 to {n // 10:,}, a tenth of the batch size, with {m} human items a generation"
        )
        raise SpecError("at", last, problem, _EXACT)
    u = survival(m / n, last)
    lasting = u[np.maximum(index - 1, 0)] + m / n * np.append(0.0, np.cumsum(u))[np.maximum(index - 1, 0)]
    lasting[index == 0] = np.inf
    with np.errstate(invalid="ignore"):
        exponent = np.multiply.outer(lasting, c)
    values = np.where(np.isnan(exponent), 1.0, np.exp(-np.nan_to_num(exponent, nan=0.0)))
    return Predicted(values, "limit", "absence of rare categories, branching limit (arXiv 2412.17646)")


def stationary_absence(counts: npt.ArrayLike, samples: int, fresh: int) -> Predicted:
    """Return the probability that rare categories are absent, long after the start.

    Statement: ``exp(-alpha c L)``, ``L = sum_s u_s`` with u of `absence`: an expected ``alpha c`` human items
    come every generation, and the line of each lasts L generations. For small alpha
    ``L ~ 2 ln(1/(2 alpha))`` and more.

    Kind: limit (branching with immigration, t to infinity).

    Validity: Anchored with m >= 10 fresh items, N >= 100, c <= N/100; the largest error found against the
    ancestral dual is 1.3 % of the presence, falling as 1/m.

    References: 2412.17646 for the branching; the sum is derived here.

    Parameters
    ----------
    counts : float array
        Expected counts c of the categories in a human batch.
    samples, fresh : int
        N, and m human items in every batch.

    Examples
    --------
    >>> stationary_absence([1.0, 10.0, 100.0], 200_000, 2000).values.round(4).tolist()
    [0.9219, 0.4435, 0.0003]
    """
    statement = "absence of rare categories in the long run, branching with immigration"
    return Predicted(np.exp(-_lines(counts, samples, fresh)), "limit", statement)


def _lines(counts: npt.ArrayLike, samples: int, fresh: int) -> Floats:
    """Expected lines of human items alive in each category, in the long run."""
    n, c = _large(samples), _counts(counts)
    m = _fresh(fresh, n, HUMAN)
    _rare(c, n)
    return c * (m / n * lifetime(m / n))


def categories_kept(
    counts: npt.ArrayLike, samples: int, fresh: int, *, copies: npt.ArrayLike = 1.0
) -> Predicted:
    """Return how many of these categories a real share keeps present in the long run, on average.

    Statement: ``sum copies (1 - exp(-alpha c L))``. Kind, validity, error, references: those of
    `stationary_absence`.

    Parameters
    ----------
    counts : float array
        Expected counts c of the categories in a human batch.
    samples, fresh : int
        N, and m human items in every batch.
    copies : float array, default 1.0
        How many categories have each count.

    Examples
    --------
    >>> categories_kept([1.0, 10.0], 200_000, 2000, copies=[1000, 100]).values.round(1).tolist()
    133.7
    """
    present = -np.expm1(-_lines(counts, samples, fresh))
    kept = np.sum(np.asarray(copies, dtype=np.float64) * present)
    return Predicted(np.asarray(kept), "limit", "categories kept in the long run, branching with immigration")


def share_needed(
    counts: npt.ArrayLike, samples: int, *, presence: float = 0.5, copies: npt.ArrayLike = 1.0
) -> Predicted:
    """Return the real share below which a band dies.

    A band is dead, here, where on average less than ``presence`` of its categories are present in the long
    run. (No share is a sharp threshold: presence falls smoothly, about as ``2 alpha c ln(1/alpha)``.)

    Statement: the alpha with ``mean exp(-alpha c L(alpha)) = 1 - presence``, L of `stationary_absence`.

    Kind: limit. Validity: Anchored with fresh data, N >= 100, c <= N/100, and a share of 10 items or more.
    References: those of `stationary_absence`.

    Parameters
    ----------
    counts : float array
        Expected counts c of the band's categories in a human batch.
    samples : int
        N.
    presence : float, default 0.5
        Share of the categories that must be left.
    copies : float array, default 1.0
        How many categories have each count.

    Raises
    ------
    SpecError
        If human batches alone would not hold so many.

    Examples
    --------
    >>> share_needed(10.0, 200_000).values.round(5).tolist()
    0.00813
    """
    from scipy.optimize import brentq

    n, c = _large(samples), _counts(counts)
    target = within(presence, "presence", 0.0, 1.0, "give a share such as 0.5")
    _rare(c, n)
    weight = np.broadcast_to(np.asarray(copies, dtype=np.float64), c.shape)
    weight = weight / weight.sum()

    def short(log_share: float) -> float:
        share = float(np.exp(log_share))
        return float(np.sum(weight * np.exp(-c * (share * lifetime(share))))) - (1.0 - target)

    if short(0.0) > 0.0:
        most = float(np.sum(weight * -np.expm1(-c)))
        problem = f"is more than {most:.4g}, what batches all human would hold"
        raise SpecError("presence", target, problem, "ask for less, or give more samples")
    low = float(np.log(HUMAN / n))
    if short(low) < 0.0:
        problem = f"is kept by fewer than {HUMAN} human items a generation, too few for this limit"
        raise SpecError("presence", target, problem, _EXACT)
    share = np.exp(brentq(short, low, 0.0, xtol=1e-10))
    return Predicted(np.asarray(share), "limit", "share that keeps a band, branching with immigration")


def dirichlet_absence(mass: npt.ArrayLike, samples: int, fresh: int) -> Predicted:
    """Return the probability that categories of any mass are absent, long after the start, at small shares.

    Statement: ``prod_{j<N} (theta (1-q) + j)/(theta + j)`` with ``theta = 2 m``: a Dirichlet law of base q,
    seen through a sample of N.

    Kind: limit (N to infinity at fixed m).

    Validity: Anchored with fresh data, N >= 100, 1 <= m <= N/100. The largest error found against the
    ancestral dual is 3.3 % of the presence. For m >= 10 and rare categories `stationary_absence` is nearer.

    References: Wright 1931; Ewens 1972.

    Parameters
    ----------
    mass : float array
        Reference probabilities, of categories or of sets of them.
    samples, fresh : int
        N, and m human items in every batch.

    Examples
    --------
    >>> dirichlet_absence([0.001, 0.1], 100_000, 5).values.round(4).tolist()
    [0.9115, 0.0001]
    """
    q = _masses(mass)
    n = _large(samples)
    theta = 2.0 * _small_share(fresh, n)
    own = -theta * np.where(q < 1.0, q, 0.5)  # all of the mass is never absent
    ratio = log_moment(np.asarray(theta + n), own) - log_moment(np.asarray(theta), own)
    log = np.asarray(ratio, dtype=np.float64) + own * np.log1p(n / theta)
    values = np.where(q < 1.0, np.exp(log), 0.0)
    return Predicted(values, "limit", "absence in the long run, Dirichlet law of theta = 2m seen in N items")


def human_ancestors(samples: int, fresh: int) -> Predicted:
    """Return from how many human items a training set descends, long after the start, on average.

    Statement: ``sum_{j<N} theta/(theta + j)``, ``theta = 2 m``: the number of kinds in a sample of N from
    Ewens' law. No more categories than that can be present.

    Kind: limit (N to infinity at fixed m). Validity, error and parameters: those of `dirichlet_absence`, of
    which it is the rare end.

    References: Ewens 1972.

    Examples
    --------
    >>> human_ancestors(100_000, 5).values.round(2).tolist()
    92.61
    """
    from scipy.special import psi

    n = _large(samples)
    theta = 2.0 * _small_share(fresh, n)
    value = theta * (psi(theta + n) - psi(theta))
    return Predicted(np.asarray(value), "limit", "human items a training set descends from, Ewens' law")


def stationary_identity(samples: int, fresh: int) -> Predicted:
    """Return the long run's chance that two items of the model descend from one human item.

    Statement: ``1/(1 + theta)``, ``theta = N (2 alpha - alpha^2) - alpha``; times ``q (1 - q)`` it is the
    variance of a category's share.

    Kind: exact. Validity: Anchored with m >= 1 fresh items of N, t to infinity. References: Wright 1931.

    Parameters
    ----------
    samples, fresh : int
        N, and m human items in every batch.

    Examples
    --------
    >>> stationary_identity(1000, 10).values.round(6).tolist()
    0.04787
    """
    n = whole(samples, "samples", 1, MAX_SAMPLES, "give a number of items such as 1000")
    alpha = _fresh(fresh, n, 1) / n
    value = 1.0 / (1.0 + n * alpha * (2.0 - alpha) - alpha)
    return Predicted(np.asarray(value), "exact", "stationary v, Anchored with fresh data (Wright 1931)")


def forgetting_median(counts: npt.ArrayLike, samples: int) -> Predicted:
    """Return the first generation by which rare categories are forgotten with probability 1/2 or more.

    Statement: the first t with ``g_t <= ln 2 / c``, g of `absence`;
    ``2 r - ln(r)/3 - 1.03 + O(1/r)`` for ``r = c / ln 2``, so about 2.9 c.

    Kind: limit (branching). Validity: Replace, N >= 100, c <= N/100; found within one generation or 1 % of
    the exact median, whichever is more.

    References: 2412.17646 (the leading term).

    Parameters
    ----------
    counts : float array
        Expected counts c of the categories in a human batch.
    samples : int
        N.

    Examples
    --------
    >>> forgetting_median([0.5, 1.0, 10.0, 1000.0], 200_000).values.tolist()
    [1.0, 2.0, 27.0, 2882.0]
    """
    n, c = _large(samples), _counts(counts)
    _rare(c, n)
    with np.errstate(divide="ignore"):
        values = first_below(np.log(2.0) / c)
    return Predicted(values, "limit", "median time to forget, branching limit (arXiv 2412.17646)")


def forgetting_mean(mass: npt.ArrayLike, samples: int) -> Predicted:
    """Return the mean time until a category, or a set, is forgotten, given that it does not take everything.

    Statement: ``-2 N q ln(q)/(1-q) - (ln(N q) + gamma)/3 - .529``: the diffusion's mean, and the generations
    by which discrete branching is ahead of it (1.03 + ... of `forgetting_median`; half of one more since only
    whole generations count).

    Kind: limit (N to infinity). Validity: Replace, N >= 10, ``N q >= 1``. The largest error found against the
    ancestral dual is .08 generations (N q = 1), and .02 where N q >= 3.

    References: Kimura & Ohta 1969 (the first term); the second is derived here.

    Parameters
    ----------
    mass : float array
        Reference probabilities, below 1.
    samples : int
        N.

    Examples
    --------
    >>> forgetting_mean([0.001, 0.01, 0.5], 1000).values.round(2).tolist()
    [13.11, 91.54, 1383.5]
    """
    q = _masses(mass)
    n = whole(samples, "samples", 10, MAX_SAMPLES, "give at least 10 samples, or use theory.exact")
    if not np.all((q * n >= _ONE) & (q < 1.0)):
        problem = "holds less than one expected item, or everything"
        raise SpecError("mass", mass, problem, "give masses from 1/samples to below 1; or " + _EXACT)
    return Predicted(_forgetting(q, n), "limit", "mean time to forget, diffusion and its next order")


def _forgetting(q: Floats, n: int) -> Floats:
    return -2.0 * n * q * np.log(q) / (1.0 - q) - (np.log(n * q) + EULER) / 3.0 + SHIFT + 0.5


def collapse_mean(probabilities: npt.ArrayLike, samples: int, *, copies: npt.ArrayLike = 1.0) -> Predicted:
    """Return the mean time until one category is left.

    Statement: category i wins with probability ``q_i``, and then the rest, of mass ``1 - q_i``, is what is
    forgotten: ``sum_i q_i F(1 - q_i)`` with F of `forgetting_mean`. The diffusion's own
    ``-2 N sum (1-q_i) ln(1-q_i)`` is ``(ln N)/3`` generations and more too high.

    Kind: limit (N to infinity). Validity: Replace, N >= 10, every ``N (1 - q_i) >= 1``. The largest error
    found against the ancestral dual is .08 generations where some ``N (1 - q_i) < 3``, else .02.

    References: Watterson 1962, Kimura & Ohta 1969 (the diffusion); 2410.16713 (runs).

    Parameters
    ----------
    probabilities : float array
        The reference; with ``copies``, its distinct probabilities.
    samples : int
        N.
    copies : float array, default 1.0
        How many categories have each.

    Examples
    --------
    >>> collapse_mean(0.1, 1000, copies=10).values.round(2).tolist()
    1893.5
    """
    q, many = np.broadcast_arrays(_masses(probabilities), np.asarray(copies, dtype=np.float64))
    if abs(float(np.sum(q * many)) - 1.0) > 1e-9:
        problem = f"sums to {float(np.sum(q * many)):.12g} over all categories"
        raise SpecError("probabilities", probabilities, problem, "make it sum to 1")
    n = whole(samples, "samples", 10, MAX_SAMPLES, "give at least 10 samples, or use theory.exact")
    if not np.all(n * (1.0 - q) >= _ONE):
        problem = "leaves the other categories less than one expected item"
        raise SpecError("probabilities", float(q.max()), problem, _EXACT)
    # -2 N (1-q) ln(1-q) by log1p: a rare category's is nearly 2 N q, and there may be many.
    diffusion = np.sum(many * (-2.0 * n * (1.0 - q) * np.log1p(-q)))
    ahead = np.sum(many * q * (np.log(n * (1.0 - q)) + EULER)) / 3.0 - SHIFT - 0.5
    return Predicted(diffusion - ahead, "limit", "mean time to one category, diffusion and its next order")


def tail_half_life(counts: npt.ArrayLike, samples: int, *, copies: npt.ArrayLike = 1.0) -> Predicted:
    """Return the first generation in which a tail's expected coverage is half of generation 1's, or less.

    Coverage is the reference mass of what is present. Statement: the first t with
    ``sum c (1 - exp(-c g_t)) <= sum c (1 - exp(-c)) / 2``, g of `absence`; for equal large c about 2.9 c.

    Kind: limit (branching). Validity: Replace, N >= 100, c <= N/100; found within one generation or 1 % of
    the exact value.

    References: those of `forgetting_median`.

    Parameters
    ----------
    counts : float array
        Expected counts c of the tail's categories in a human batch.
    samples : int
        N.
    copies : float array, default 1.0
        How many categories have each count.

    Examples
    --------
    >>> tail_half_life([1.0, 5.0, 20.0], 200_000, copies=[100, 20, 5]).values.tolist()
    20.0
    """
    from scipy.optimize import brentq

    n, c = _large(samples), _counts(counts)
    _rare(c, n)
    weight = np.broadcast_to(np.asarray(copies, dtype=np.float64), c.shape) * c
    if not weight.sum() > 0.0:
        raise SpecError("counts", counts, "expects no item at all", "give counts of categories that occur")

    def over(log_g: float) -> float:
        covered = np.sum(weight * -np.expm1(-c * np.exp(log_g)))
        return float(covered - 0.5 * np.sum(weight * -np.expm1(-c)))

    level = np.exp(brentq(over, -np.log(float(c.max()) + 10.0) - 5.0, 0.0, xtol=1e-13))
    return Predicted(first_below(level), "limit", "half-life of a tail's coverage, branching limit")


def _large(samples: int) -> int:
    remedy = f"give at least {LEAST} samples, or {_EXACT}"
    return whole(samples, "samples", LEAST, MAX_SAMPLES, remedy)


def _fresh(fresh: int, samples: int, least: int) -> int:
    return whole(fresh, "fresh", least, samples, f"give {least:,} to {samples:,} human items; or {_EXACT}")


def _small_share(fresh: int, samples: int) -> int:
    remedy = f"give 1 to {samples // 100:,} human items, 1 % of the batch; or {_EXACT}"
    return whole(fresh, "fresh", 1, samples // 100, remedy)


def _counts(counts: npt.ArrayLike) -> Floats:
    c = np.asarray(counts, dtype=np.float64)
    if not np.all((c >= 0.0) & np.isfinite(c)):
        raise SpecError("counts", counts, "is negative or not finite", "give expected counts N q")
    return c


def _rare(counts: Floats, samples: int) -> None:
    top = float(counts.max(initial=0.0))
    if top > RARE * samples:
        problem = f"is more than {RARE:g} of {samples:,} samples: not rare"
        raise SpecError("counts", top, problem, "leave the common ones out; or " + _EXACT)


def _masses(mass: npt.ArrayLike) -> Floats:
    q = np.asarray(mass, dtype=np.float64)
    if not np.all((q >= 0.0) & (q <= 1.0)):
        raise SpecError("mass", mass, "is outside [0, 1]", "give reference probabilities")
    return q

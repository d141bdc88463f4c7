# SPDX-License-Identifier: MIT
"""Closed forms of what bends a model before it is sampled, for samples without end or for two categories.

What decoding and curation do to probabilities is deterministic; with samples without end it is all that
happens, once a generation from generation 2 on, as generation 1 is fitted to human data. Each form says
whether it is exact or a limit. `tailbiter.theory.states` has the exact law for few samples.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._checks import number, whole, within
from ..errors import SpecError
from ._result import Floats, Predicted
from .shaping import topmost

__all__ = ["advantage", "fixation", "heated", "kept_share", "least_kept", "preferred", "topped", "verified"]

_WITHOUT_END = "samples without end"
_T = "give generations from 0 on"
_FAR = 1e200  # e to minus this is 0, and so much a generation adds up to a double


def _steps(at: npt.ArrayLike) -> Floats:
    """How often models were bent up to these generations."""
    given = np.atleast_1d(np.asarray(at, dtype=np.float64))
    if given.ndim != 1 or (given < 0).any() or (given % 1 != 0).any():
        raise SpecError("at", str(at)[:60], "is not a row of generations", _T)
    return np.maximum(given - 1.0, 0.0)


def _law(probabilities: npt.ArrayLike) -> Floats:
    q = np.asarray(probabilities, dtype=np.float64)
    if q.ndim != 1 or not (q > 0).all():
        raise SpecError(
            "q", str(probabilities)[:60], "is not a row of positive numbers", "give probabilities"
        )
    return q / q.sum()


def _rewards(reward: npt.ArrayLike, law: Floats) -> Floats:
    """One finite reward for each category."""
    rewards = np.asarray(reward, dtype=np.float64)
    if rewards.shape != law.shape or not np.isfinite(rewards).all():
        problem = f"is not a row of {law.size:,} finite numbers"
        raise SpecError("reward", str(reward)[:60], problem, "give one reward for each category")
    return rewards


def _shares(share: npt.ArrayLike, field: str) -> Floats:
    p = np.asarray(share, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise SpecError(field, str(share)[:60], "is outside [0, 1]", "give a share such as 0.1")
    return p


def _normalised(logs: Floats) -> Floats:
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def heated(q: npt.ArrayLike, temperature: float, at: npt.ArrayLike) -> Predicted:
    """Models sampled at a temperature: log-odds are multiplied by its inverse each generation.

    Parameters
    ----------
    q : float64[K]
        Reference.
    temperature : float
        Above 0.
    at : int or sequence of int
        Generations.

    Returns
    -------
    Predicted
        Shape ``[len(at), K]``, kind limit: ``p_t`` in proportion to ``q^(1/temperature^(t-1))``, for samples
        without end.

    Examples
    --------
    >>> heated([0.8, 0.2], 0.5, [1, 2]).values.round(4).tolist()  # odds 4, then 16
    [[0.8, 0.2], [0.9412, 0.0588]]
    """
    tau = within(temperature, "temperature", 1e-3, 1e3, "give a number above 0 such as 0.8")
    power = tau ** -_steps(at)
    logs = power[:, None] * np.log(_law(q))
    return Predicted(_normalised(logs), "limit", f"log-odds times 1/temperature a generation, {_WITHOUT_END}")


def least_kept(top_p: float, at: npt.ArrayLike) -> Predicted:
    """Share of the reference's mass that nucleus sampling leaves at least.

    Parameters
    ----------
    top_p : float
        In (0, 1].
    at : int or sequence of int
        Generations.

    Returns
    -------
    Predicted
        Kind limit: ``top_p^(t-1)``, below which coverage cannot fall with samples without end. With N samples
        it does.

    Examples
    --------
    >>> least_kept(0.9, [1, 3]).values.round(4).tolist()
    [1.0, 0.81]
    """
    share = within(top_p, "top_p", 0, 1, "give a share such as 0.95")
    return Predicted(share ** _steps(at), "limit", f"a bound from below on coverage, {_WITHOUT_END}")


def preferred(q: npt.ArrayLike, reward: npt.ArrayLike, at: npt.ArrayLike) -> Predicted:
    """Models curated by choice among candidates without end (Ferbach et al. 2024, arXiv 2407.09499).

    Parameters
    ----------
    q, reward : float64[K]
        Reference, and reward of each category.
    at : int or sequence of int
        Generations.

    Returns
    -------
    Predicted
        Shape ``[len(at), K]``, kind limit: ``p_{t+1}`` in proportion to ``p_t e^reward``, for samples without
        end.

    Examples
    --------
    >>> preferred([0.5, 0.5], [np.log(3), 0.0], [1, 2]).values.round(4).tolist()
    [[0.5, 0.5], [0.75, 0.25]]
    """
    law = _law(q)
    half = _rewards(reward, law) / 2.0  # of two rewards of 1e308 the difference is no double
    behind = 2.0 * np.maximum(half - half.max(), -_FAR)
    logs = np.log(law) + _steps(at)[:, None] * behind
    return Predicted(_normalised(logs), "limit", f"p' in proportion to p e^reward, {_WITHOUT_END}")


def topped(q: npt.ArrayLike, reward: npt.ArrayLike, share: float, at: npt.ArrayLike) -> Predicted:
    """Models of which the best share of what they put out is kept: the law is cut at a quantile of reward.

    Parameters
    ----------
    q, reward : float64[K]
        Reference, and reward of each category.
    share : float
        Of the items drawn, those kept; in (0, 1].
    at : int or sequence of int
        Generations.

    Returns
    -------
    Predicted
        Shape ``[len(at), K]``, kind limit: what of the reference lies in the best ``share^(t-1)`` of its
        items, for samples without end. The best of the best are the best of all, so cuts multiply.

    Examples
    --------
    >>> topped([0.5, 0.3, 0.2], [0.0, 1.0, 2.0], 0.5, [1, 2, 3]).values.round(4).tolist()
    [[0.5, 0.3, 0.2], [0.0, 0.6, 0.4], [0.0, 0.2, 0.8]]
    """
    if not 0 < share <= 1:
        raise SpecError("share", share, "is outside (0, 1]", "give a share such as 0.25")
    law = _law(q)
    levels, level = np.unique(_rewards(reward, law), return_inverse=True)
    mass: Floats = np.bincount(level, law, minlength=len(levels)).astype(np.float64)[None]
    best = np.maximum(share ** _steps(at)[:, None], 1e-300)  # long within the highest level by then
    kept = law * topmost(best, mass)[:, level]
    totals = kept.sum(axis=1, keepdims=True)
    return Predicted(kept / totals, "limit", f"the best share^(t-1) of the reference's items, {_WITHOUT_END}")


def advantage(difference: float, candidates: int = 2) -> Predicted:
    """Selection coefficient s of a choice among candidates, for two categories: ``p' - p = s p (1 - p)``.

    Parameters
    ----------
    difference : float
        Of the two rewards.
    candidates : int, default 2
        Of which one is taken, in proportion to ``e^reward``.

    Returns
    -------
    Predicted
        ``tanh(difference / 2)`` for two candidates, exact at every p; ``(1 - 1/k) difference`` for more, the
        limit of small differences, beyond which s depends on p.

    Examples
    --------
    >>> round(float(advantage(1.0).values), 4), advantage(1.0).kind
    (0.4621, 'exact')
    >>> round(float(advantage(0.01, 4).values), 4), advantage(0.01, 4).kind
    (0.0075, 'limit')
    """
    if not candidates >= 2:
        raise SpecError("candidates", candidates, "leaves no choice", "give 2 or more")
    difference = number(difference, "difference", "give that of two rewards, such as 0.1")
    if candidates == 2:
        return Predicted(np.array(math.tanh(difference / 2)), "exact", "two categories, two candidates")
    values = np.array((1 - 1 / candidates) * difference)
    return Predicted(values, "limit", "two categories, a small difference of rewards")


def fixation(share: npt.ArrayLike, coefficient: float, samples: int) -> Predicted:
    """Probability that the better of two categories is the one left (Kimura 1962).

    Parameters
    ----------
    share : float or sequence of float
        Its share of the first training set, in [0, 1].
    coefficient : float
        Of selection, as of `advantage`.
    samples : int
        Items of a training set, all drawn from the model before.

    Returns
    -------
    Predicted
        ``(1 - exp(-2 N s p)) / (1 - exp(-2 N s))``, kind limit (diffusion: many samples, small s). At N =
        100, p = .1 and s = .01 it is .0001 high; `tailbiter.theory.states.fixation` is exact.

    Examples
    --------
    >>> fixation(0.1, 0.01, 100).values.round(4).tolist()
    0.2096
    """
    p = _shares(share, "share")
    size = whole(samples, "samples", 1, 10**12, "give a number of items such as 1000")
    rate = 2.0 * size * number(coefficient, "coefficient", "give a coefficient such as 0.01")
    values = p if rate == 0 else np.expm1(-rate * p) / np.expm1(-rate)
    return Predicted(np.asarray(values), "limit", "diffusion: many samples, a small coefficient")


def verified(error_rate: float, accepts_good: float, accepts_bad: float, at: npt.ArrayLike) -> Predicted:
    """Share of wrong items in training where models train on their own output, as a verifier accepts it.

    Parameters
    ----------
    error_rate : float
        Share of what models put out that goes wrong, in [0, 1).
    accepts_good, accepts_bad : float
        Probability that a right item is accepted, above 0, and a wrong one.
    at : int or sequence of int
        Generations.

    Returns
    -------
    Predicted
        Kind limit, for samples without end. The odds of a wrong item are ``o' = r (e + o) / (1 - e)`` with
        ``r = accepts_bad / accepts_good``: they stay at ``r e / (1 - e - r)`` as long as ``r < 1 - e``, and
        grow without end beyond (compare Feng et al. 2025, arXiv 2406.07515).

    Examples
    --------
    >>> verified(0.1, 0.8, 0.4, [1, 2, 1000]).values.round(4).tolist()
    [0.0, 0.0526, 0.1111]
    """
    e = within(error_rate, "error_rate", 0, 1 - 2**-53, "give a share such as 0.1")
    if not 0 < accepts_good <= 1:
        raise SpecError("accepts_good", accepts_good, "is outside (0, 1]", "give a rate such as 0.9")
    ratio = within(accepts_bad, "accepts_bad", 0, 1, "give a rate such as 0.2") / accepts_good
    growth, steps = ratio / (1 - e), _steps(at)
    with np.errstate(over="ignore", invalid="ignore"):
        added = steps if growth == 1 else (1 - growth**steps) / (1 - growth)
        odds = growth * e * added
        share = np.where(np.isinf(odds), 1.0, odds / (1 + odds))
    return Predicted(share, "limit", f"odds of a wrong item r (e + o) / (1 - e), {_WITHOUT_END}")


def kept_share(real: npt.ArrayLike, tpr: float, fpr: float) -> Predicted:
    """Probability that an item kept of a crawl is human: the effective share behind a detector.

    Parameters
    ----------
    real : float or sequence of float
        Human share of the crawl.
    tpr, fpr : float
        Rates at which synthetic and human items are thrown out.

    Returns
    -------
    Predicted
        ``real (1 - fpr) / (real (1 - fpr) + (1 - real)(1 - tpr))``, exact at every size: of N items that are
        kept the human ones are binomial. NaN where nothing is kept.

    Examples
    --------
    >>> round(float(kept_share(0.1, 0.9, 0.1).values), 4)
    0.5
    """
    share = _shares(real, "real")
    found, lost = (
        within(rate, name, 0, 1, "give a rate such as 0.9") for name, rate in (("tpr", tpr), ("fpr", fpr))
    )
    human, synthetic = share * (1 - lost), (1 - share) * (1 - found)
    with np.errstate(invalid="ignore"):
        return Predicted(np.asarray(human / (human + synthetic)), "exact", "kept until there are enough")

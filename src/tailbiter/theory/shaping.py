# SPDX-License-Identifier: MIT
"""What estimators, decoding, errors, curation and detectors make of a model, as maps of probabilities.

Each map takes rows: one training set, or one model, a row; one category a column, in the order of the
reference from common to rare; last, where there is one more, what lies outside the reference. They are
written from the definitions alone, for few categories, and share nothing with what runs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..curation import BestOf, Choice, Verifier
from ..errors import PredictionError
from ..estimator import MLE, AddK, Discount, GoodTuring, Shrinkage
from ..regime import exact
from ._result import Floats

if TYPE_CHECKING:
    from fractions import Fraction

    from ..curation import Curation
    from ..decoding import Decoding
    from ..detector import Detector
    from ..estimator import Estimator

__all__ = ["chosen", "curated", "decoded", "erring", "fitted", "thrown_out", "topmost"]

Flags = npt.NDArray[np.bool_]
SIMULATE = "simulate it"
# Nearer than this, rounding may decide which of two numbers is larger.
NEAR = 1e-9
# Ways in which rivals fall to levels, times rows.
WORK = 2 * 10**7


def _share(rows: Floats) -> Floats:
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def fitted(estimator: Estimator, counts: Floats) -> Floats:
    """Fit a model to each training set.

    Parameters
    ----------
    estimator : Estimator
        Maximum likelihood, add-k, shrinkage toward the even law, discounting or Good-Turing.
    counts : float64[rows, K]
        Items of each category of the reference, at least one in every row.

    Returns
    -------
    float64[rows, K]
        Weights, of which those of maximum likelihood are the counts.

    Raises
    ------
    PredictionError
        For an estimator that remembers more than the training set, or that a user wrote.

    Examples
    --------
    >>> fitted(AddK(1), np.array([[2.0, 0.0]])).tolist()
    [[3.0, 1.0]]
    """
    if isinstance(estimator, MLE):
        return counts
    if isinstance(estimator, AddK):
        return counts + estimator.k
    if isinstance(estimator, Shrinkage) and estimator.target == "uniform":
        return _shrunk(counts, estimator.weight)
    if isinstance(estimator, Discount):
        return _discounted(counts, estimator.discount)
    if isinstance(estimator, GoodTuring):
        smoothed = estimator.smoothing == "log-linear"
        return np.array([_turing(row, smoothed=smoothed) for row in counts])
    problem = "has no law that follows from the training set alone"
    raise PredictionError("estimator", estimator, problem, SIMULATE)


def _shrunk(counts: Floats, weight: float | None) -> Floats:
    size, even = counts.sum(axis=1, keepdims=True), 1.0 / counts.shape[1]
    p = counts / size
    share: Floats | float = 0.0 if weight is None else weight
    if weight is None:
        noise = np.sum(p * (1.0 - p), axis=1, keepdims=True)
        away = (size - 1.0) * np.sum((p - even) ** 2, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(away > 1e-14 * size, np.minimum(noise / away, 1.0), 1.0)
    return np.asarray((1.0 - share) * p + share * even)


def _discounted(counts: Floats, discount: float | None) -> Floats:
    seen = np.sum(counts > 0, axis=1, keepdims=True)
    taken: Floats | float = 0.0 if discount is None else discount
    if discount is None:
        once, twice = (np.sum(counts == r, axis=1, keepdims=True) for r in (1, 2))
        taken = once / np.maximum(once + 2 * twice, 1)
    return np.asarray(np.maximum(counts - taken, 0.0) + taken * seen / counts.shape[1])


def _turing(row: Floats, *, smoothed: bool) -> Floats:
    """By Gale & Sampson 1995; what was not seen has ``N_1 / N``, at most all but one item."""
    values, often = np.unique(row[row > 0], return_counts=True)
    size, unseen = row.sum(), int(np.sum(row == 0))
    next_often = np.array([often[values == r + 1].sum() for r in values])
    raw = np.where(next_often > 0, (values + 1) * next_often / often, values)
    stars = _on_line(values, often, next_often) if smoothed else raw
    open_share = min(int(often[values == 1].sum()), size - 1) if unseen else 0.0
    stars = stars * ((size - open_share) / np.sum(often * stars))
    out = np.full(len(row), open_share / max(unseen, 1))
    out[row > 0] = stars[np.searchsorted(values, row[row > 0])]
    return out


def _on_line(values: Floats, often: npt.NDArray[np.intp], next_often: npt.NDArray[np.intp]) -> Floats:
    """Raw values up to the first that is within 1.65 standard deviations of the line; the line from there."""
    below = np.concatenate([[0.0], values[:-1]])
    above = np.concatenate([values[1:], [2.0 * values[-1] - below[-1]]])
    x, y = np.log(values), np.log(2.0 * often / (above - below))
    bent = np.sum((x - x.mean()) ** 2)
    slope = min(-1.0, float(np.sum((x - x.mean()) * (y - y.mean())) / bent)) if len(values) > 1 else -1.0
    line = values * (1.0 + 1.0 / values) ** (slope + 1.0)
    ratio = next_often / often
    raw, sd = (values + 1) * ratio, (values + 1) * np.sqrt(ratio / often * (1.0 + ratio))
    on_line = (next_often == 0) | (np.abs(raw - line) <= 1.65 * sd)
    return np.where(np.logical_or.accumulate(on_line), line, raw)


def decoded(decoding: Decoding, weights: Floats, *, whole: bool) -> Floats:
    """Decode each model: temperature, top-k, top-p, min-p and epsilon, one after the other.

    Parameters
    ----------
    decoding : Decoding
        The cuts; no rule of a user's.
    weights : float64[rows, columns]
        Models, in any unit.
    whole : bool
        Whether weights are counts; shares are then compared exactly.

    Returns
    -------
    float64[rows, columns]
        Weights; 0 where something was cut.

    Raises
    ------
    PredictionError
        For a user's rule; and where weights are no counts and rounding would decide what is cut.

    Examples
    --------
    >>> import tailbiter as tb
    >>> decoded(tb.Decoding(top_p=0.5), np.array([[5.0, 3.0, 2.0]]), whole=True).tolist()
    [[5.0, 0.0, 0.0]]
    """
    if decoding.rule is not None:
        raise PredictionError("decoding.rule", decoding.rule, "has no law but its own", SIMULATE)
    if decoding.temperature != 1.0:
        whole = False
        with np.errstate(divide="ignore"):
            logs = np.log(weights)
        weights = np.exp((logs - logs.max(axis=1, keepdims=True)) / decoding.temperature)
    if decoding.top_k is not None:
        weights = np.where(_places(weights, "top_k", decoding.top_k) < decoding.top_k, weights, 0.0)
    if decoding.top_p < 1.0:
        weights = _nucleus(weights, decoding.top_p, whole=whole)
    if decoding.min_p > 0.0:
        most = weights.max(axis=1, keepdims=True)
        weights = np.where(_reaches(weights, decoding.min_p, most, "min_p", whole=whole), weights, 0.0)
    if decoding.epsilon > 0.0:
        weights = _above(weights, decoding.epsilon, whole=whole)
    return weights


def _places(weights: Floats, name: str, value: float) -> npt.NDArray[np.intp]:
    """Place of each category by probability, 0 the most probable; of equal ones the commoner comes first."""
    order = np.argsort(-weights, axis=1, kind="stable")
    ranked = np.take_along_axis(weights, order, axis=1)
    apart = ranked[:, :-1] - ranked[:, 1:]
    _refuse_near((apart > 0) & (apart <= NEAR * ranked[:, :-1]), name, value)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(weights.shape[1]), order.shape), axis=1)
    return places


def _nucleus(weights: Floats, share: float, *, whole: bool) -> Floats:
    places = _places(weights, "top_p", share)
    ranked = -np.sort(-weights, axis=1)
    total = ranked.sum(axis=1, keepdims=True)
    enough = _reaches(np.cumsum(ranked, axis=1), share, total, "top_p", whole=whole)
    last = np.argmax(enough, axis=1)[:, None]  # the first that makes the share
    return np.where(places <= last, weights, 0.0)


def _above(weights: Floats, least: float, *, whole: bool) -> Floats:
    stays = _reaches(weights, least, weights.sum(axis=1, keepdims=True), "epsilon", whole=whole)
    alone = ~stays.any(axis=1, keepdims=True)
    if alone.any():
        stays |= alone & (_places(weights, "epsilon", least) == 0)
    return np.where(stays, weights, 0.0)


def _reaches(values: Floats, share: float, of: Floats, name: str, *, whole: bool) -> Flags:
    """Whether values are at least this share of others."""
    if whole:
        by: Fraction = exact(share)
        scaled = values.astype(np.int64).astype(object) * by.denominator
        return np.asarray(scaled >= of.astype(np.int64).astype(object) * by.numerator).astype(bool)
    bound = share * of
    if share < 1.0:
        _refuse_near((bound > 0) & (np.abs(values - bound) <= NEAR * bound), name, share)
    return np.asarray(values >= bound)


def _refuse_near(near: Flags, name: str, value: float) -> None:
    if near.any():
        problem = "is decided by rounding in some training sets, whose weights are no counts"
        raise PredictionError(f"decoding.{name}", value, problem, SIMULATE)


def erring(weights: Floats, rate: float) -> Floats:
    """Let a share of what models put out go wrong; the last column is what lies outside the reference.

    Parameters
    ----------
    weights : float64[rows, K + 1]
        Models.
    rate : float
        Share that goes wrong.

    Returns
    -------
    float64[rows, K + 1]
        Probabilities.

    Examples
    --------
    >>> erring(np.array([[2.0, 1.0, 1.0]]), 0.5).tolist()
    [[0.25, 0.125, 0.625]]
    """
    out = (1.0 - rate) * _share(weights)
    out[:, -1] += rate
    return out


def curated(curation: Curation, rewards: Floats, weights: Floats) -> Floats:
    """Curate each model: what is taken of what it says.

    Parameters
    ----------
    curation : Curation
        `Choice`, `BestOf` or `Verifier`; of `TopShare` what it does to samples without end.
    rewards : float64[columns]
        Reward of each category, and of what lies outside the reference where that has a column.
    weights : float64[rows, columns]
        Models.

    Returns
    -------
    float64[rows, columns]
        Weights; all 0 where nothing is accepted.

    Raises
    ------
    PredictionError
        For a rule with too many terms.

    Examples
    --------
    >>> best = BestOf(k=2, reward=[0.0, 1.0])
    >>> curated(best, np.array([0.0, 1.0]), np.array([[0.5, 0.5]])).tolist()
    [[0.25, 0.75]]
    """
    if isinstance(curation, Verifier):
        good = rewards >= curation.threshold
        return np.asarray(weights * np.where(good, curation.accepts_good, curation.accepts_bad))
    levels, level = np.unique(rewards, return_inverse=True)
    p = _share(weights)
    mass = p @ (level[:, None] == np.arange(len(levels))).astype(np.float64)
    if isinstance(curation, BestOf):
        upto = np.cumsum(mass, axis=1)
        below = np.concatenate([np.zeros((len(p), 1)), upto[:, :-1]], axis=1)
        powers = range(curation.k)
        factor = sum(upto**i * below ** (curation.k - 1 - i) for i in powers)
        return np.asarray(p * np.asarray(factor)[:, level])
    if isinstance(curation, Choice):
        if curation.k == math.inf:
            best = np.where(p > 0, rewards, -np.inf).max(axis=1, keepdims=True)
            return np.asarray(p * np.exp(_ahead(np.minimum(rewards, best), best)))
        return np.asarray(p * chosen(int(curation.k), levels, mass)[:, level])
    return np.asarray(p * topmost(curation.share, mass)[:, level])


def topmost(share: float | Floats, mass: Floats) -> Floats:
    """Part of each level of reward that lies in the best share of all items.

    Parameters
    ----------
    share : float or float64[rows, 1]
        Of the items, those kept.
    mass : float64[rows, L]
        Probability of each level, from the lowest reward up.

    Returns
    -------
    float64[rows, L]
        From 0 to 1; where the share ends within a level it is met evenly by its items.

    Examples
    --------
    >>> topmost(0.5, np.array([[0.4, 0.4, 0.2]])).round(12).tolist()
    [[0.0, 0.75, 1.0]]
    """
    better = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1] - mass
    left = np.clip(share - better, 0.0, mass)
    return np.divide(left, mass, out=np.zeros_like(left), where=mass > 0)


def _ahead(one: Floats, other: Floats) -> Floats:
    """By how much one reward is ahead of another; at most so far that thousands of e to it are a double."""
    return np.asarray(2.0 * np.clip(one / 2.0 - other / 2.0, -375.0, 350.0))


def chosen(candidates: int, rewards: Floats, mass: Floats) -> Floats:
    """Factor by which a choice among several candidates changes the probability of each level of reward.

    Parameters
    ----------
    candidates : int
        Of which one is taken.
    rewards : float64[L]
        Of each level; one candidate is taken in proportion to e to its reward.
    mass : float64[rows, L]
        Probability of each level.

    Returns
    -------
    float64[rows, L]
        Times ``mass``: the probability that the one taken is of this level.

    Raises
    ------
    PredictionError
        If rivals fall to levels in too many ways.

    Examples
    --------
    >>> chosen(2, np.log([1.0, 3.0]), np.array([[0.5, 0.5]])).round(12).tolist()
    [[0.75, 1.25]]
    """
    from .states import compositions, multinomial

    ways = math.comb(candidates + len(rewards) - 2, len(rewards) - 1)
    if ways * len(mass) > WORK:
        problem = f"lets rivals fall to levels of reward in {ways:,} ways, too many for {len(mass):,} models"
        raise PredictionError("curation.k", candidates, problem, SIMULATE)
    rivals = compositions(candidates - 1, len(rewards))
    pulls = np.exp(_ahead(rewards[:, None], rewards))  # of each rival, beside the one that may be taken
    taken = candidates / (rivals @ pulls + 1.0)
    return np.asarray(multinomial(rivals, mass) @ taken)


def thrown_out(detector: Detector | None, bands: int) -> tuple[Floats, Floats]:
    """Rates at which a detector throws out synthetic and human items, by band.

    Parameters
    ----------
    detector : Detector or None
        None throws out nothing.
    bands : int
        How many there are.

    Returns
    -------
    synthetic, human : float64[bands]
        ``1 - (1 - l)(1 - a tpr)`` and ``(1 - l) fpr`` with l the share that is labelled and a the adoption.

    Examples
    --------
    >>> import tailbiter as tb
    >>> [rates.tolist() for rates in thrown_out(tb.Detector(tpr=0.5, fpr=0.25, labelled=0.5), 1)]
    [[0.75], [0.125]]
    """
    if detector is None:
        return np.zeros(bands), np.zeros(bands)
    judged = 1.0 - detector.labelled
    tpr, fpr = (np.broadcast_to(np.asarray(rates, float), bands) for rates in (detector.tpr, detector.fpr))
    return 1.0 - judged * (1.0 - detector.adoption * tpr), judged * fpr

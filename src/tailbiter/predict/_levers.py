# SPDX-License-Identifier: MIT
"""What theory knows of runs whose models are shaped before they are sampled, by laws of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter.errors import PredictionError
from tailbiter.estimator import MLE, AddK, Shrinkage
from tailbiter.theory import Predicted
from tailbiter.theory.mutation import Mixed, mixed, wrong

from ._judged import ABSENT, held_out_of
from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from tailbiter.estimator import Estimator

    from ._categorical import CategoricalCase

__all__ = ["PRESENCE", "Moments", "counts_close", "even_shares", "human_shares", "shaped", "unknown"]

Floats = npt.NDArray[np.float64]
LEVERS = ("fault", "curation", "decoding", "detector", "estimator", "error_rate")
PRESENCE = ("survivors", "coverage", "tail_survivors", "band_survivors", *ABSENT)
COUNTED = (*PRESENCE, "entropy", "kl", "total_variation")
"""What follows from the law of each category's count."""


def shaped(case: CategoricalCase, name: str) -> Known:
    """Return what is known of a variable under the levers of a Spec."""
    if name not in KNOWN:
        law = case.spec.law()
        first = next((field for field in LEVERS if field in law), "regime")
        raise unknown(case, blocked(case, "presence" if name in PRESENCE else "moments") or first, name)
    values, statement = KNOWN[name](case, name)
    return Known(Predicted(values, "exact", statement))


def unknown(case: CategoricalCase, field: str, name: str) -> PredictionError:
    """Say that no law of a variable is known under a part of a Spec."""
    value: Any = case.spec.law().get(field, case.spec.regime)
    if field != "regime":
        return PredictionError(field, value, f"is a lever under which no law is known for {name}", SIMULATE)
    beside = next((lever for lever in LEVERS if lever in case.spec.law()), None)
    problem = f"with {beside}" if beside else "is a regime"
    return PredictionError("regime", value, f"{problem} has no known law of {name}", SIMULATE)


def _by_band(case: CategoricalCase) -> bool:
    """Whether what is kept of synthetic items depends on what they are."""
    return bool(np.ptp(case.bent.rates[0]))


def blocked(case: CategoricalCase, of: str = "moments") -> str | None:
    """Name the part of a Spec under which moments do not close; None where they do.

    Likewise for the counts of categories (``of="presence"``) and for what goes wrong (``of="wrong"``).
    """
    spec, program = case.spec, case.program
    if not spec.decoding.neutral:
        return "decoding"
    if spec.curation is not None:
        return "curation"
    if _by_band(case):
        return "detector"
    # An estimator fits what is right by itself, so that counts of the wrong have a part in its shares.
    mutates = of == "presence" and spec.error_rate and bool(even_shares(case).any())
    if mutates or (of != "wrong" and not _mixes_evenly(spec.estimator)):
        return "estimator"
    if spec.error_rate and of == "moments":
        return "error_rate"
    newest = program.ages.size == 1 and program.draw is None and program.item_weights is None
    return None if newest and not program.kept else "regime"


def counts_close(case: CategoricalCase, name: str) -> bool:
    """Whether a variable follows from counts of categories that are chains of their own."""
    return name in COUNTED and blocked(case, "presence" if name in PRESENCE else "moments") is None


def _mixes_evenly(estimator: Estimator) -> bool:
    """Whether models are mixtures of counts and the even law, in shares that the data do not change."""
    by_weight = (
        isinstance(estimator, Shrinkage) and estimator.target == "uniform" and estimator.weight is not None
    )
    return by_weight or isinstance(estimator, MLE | AddK)


def even_shares(case: CategoricalCase) -> Floats:
    """Share of the even law in each model, where that is the same for all data."""
    estimator, samples = case.spec.estimator, case.program.samples[:-1].astype(np.float64)
    if isinstance(estimator, AddK):
        added = estimator.k * case.program.categories
        return added / (samples + added)
    weight = estimator.weight if isinstance(estimator, Shrinkage) else None
    return np.full(len(samples), 0.0 if weight is None else weight)


def human_shares(case: CategoricalCase) -> Floats:
    """Human share of each batch: expected, where it is left to a crawl."""
    program, crawled = case.program, case.spec.composition.crawled
    if crawled is None:
        share = (program.fresh + program.from_kept)[:-1] / program.samples[:-1].astype(np.float64)
        share[0] = 1.0
        return share
    synthetic, human = case.bent.kept
    real = crawled[:-1] * float(case.bent.reference @ human[: program.categories])
    return real / (real + (1 - crawled[:-1]) * synthetic[0])


class Moments:
    """First and second moments of the models of a Spec.

    Parameters
    ----------
    case : CategoricalCase
        A Spec under which they close.
    """

    def __init__(self, case: CategoricalCase) -> None:
        bent, categories = case.bent, case.program.categories
        kept = bent.reference * bent.kept[1][:categories]
        even = np.full(categories, 1.0 / categories)
        first, copies = bent.first
        human = kept / kept.sum() if kept.any() else bent.reference
        self.laws = np.array([bent.reference, first[:categories] / first.sum(), human, even])
        self.products: Floats = self.laws @ self.laws.T
        samples, shares = case.program.samples[:-1].astype(np.float64), human_shares(case)
        crawl = case.program.levers.crawled is not None
        moments = mixed(samples, shares, even_shares(case), self.products, crawl=crawl, copies=copies)
        self.kept = Mixed(moments.shares[case.at], moments.squares[case.at])

    def mean(self, values: Floats) -> Floats:
        """Mean of a sum over categories of probabilities times these values, at the recorded generations."""
        return self.kept.shares @ (self.laws @ values)


def _moments(case: CategoricalCase, name: str) -> Moments:
    field = blocked(case)
    if field is not None:
        raise unknown(case, field, name)
    return case.bent_moments


MOMENTS = "moments of a mixture of the model before, human items and the even law, exact at every size"


def _gini_simpson(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    return 1 - _moments(case, name).kept.squares, MOMENTS


def _brier(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    known = _moments(case, name)
    squares = float(known.products[0, 0])
    return np.maximum(known.kept.squares - 2 * known.mean(known.laws[0]) + squares, 0.0), MOMENTS


def _band_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    bands = [case.bent.band == band for band in range(case.bent.bands)]
    return np.stack([_moments(case, name).mean(inside.astype(float)) for inside in bands], axis=1), MOMENTS


def _group_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    groups = [np.asarray(case.program.group) == group for group in range(len(case.program.group_names))]
    return np.stack([_moments(case, name).mean(inside.astype(float)) for inside in groups], axis=1), MOMENTS


def _tail_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    inside = np.arange(case.program.categories) >= case.program.tail_start
    if not inside.any():
        return np.full(len(case.at), np.nan), MOMENTS
    return _moments(case, name).mean(inside.astype(float)), MOMENTS


def _overconfidence(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    known = _moments(case, name)
    held_out = held_out_of(case)
    return known.kept.squares - known.mean(held_out.tokens / held_out.total), MOMENTS


def _held_out_brier(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    known, held_out = _moments(case, name), held_out_of(case)
    shares = held_out.tokens / held_out.total
    squares = float(np.sum(shares**2)) + held_out.squares_outside
    return known.kept.squares - 2 * known.mean(shares) + squares, MOMENTS


def _wrong_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    if not case.spec.error_rate:
        return np.zeros(len(case.at)), "models put out nothing that is outside the reference"
    field = blocked(case, "wrong")
    if field is not None:
        raise unknown(case, field, name)
    share = wrong(human_shares(case), case.spec.error_rate)
    return share[case.at], "E w' = (1 - h)(e + (1 - e) E w), h the human share"


def _real_share(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    if _by_band(case):
        raise unknown(case, "detector", name)
    share = np.append(1.0, human_shares(case))
    return share[case.at], "a (1 - fpr) / (a (1 - fpr) + (1 - a)(1 - tpr)) of what a crawl keeps"


def _real_share_crawled(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    crawled = case.spec.composition.crawled
    if crawled is None:
        return _real_share(case, name)
    return np.append(1.0, crawled[:-1])[case.at], "as the regime says"


def _real_discarded(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    del name
    lost = float(case.bent.reference @ case.bent.rates[1][case.bent.band])
    return np.where(case.at > 1, lost, 0.0), "the detector's rate, the mean over the reference"


def _band_real_discarded(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    del name
    return (case.at > 1)[:, None] * case.bent.rates[1], "the detector's rate, (1 - labelled) fpr"


KNOWN: dict[str, Callable[[CategoricalCase, str], tuple[Floats, str]]] = {
    "gini_simpson": _gini_simpson,
    "brier": _brier,
    "band_mass": _band_mass,
    "group_mass": _group_mass,
    "tail_mass": _tail_mass,
    "overconfidence": _overconfidence,
    "held_out_brier": _held_out_brier,
    "wrong_mass": _wrong_mass,
    "real_share": _real_share,
    "real_share_crawled": _real_share_crawled,
    "real_discarded": _real_discarded,
    "band_real_discarded": _band_real_discarded,
}

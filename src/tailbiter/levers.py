# SPDX-License-Identifier: MIT
"""What shapes the data of a categorical run beside its regime, as plain numbers for an engine."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from .curation import items_drawn
from .decoding import Decoding
from .errors import SpecError
from .estimator import AddK, Discount, GoodTuring, Shrinkage, UserEstimator
from .fault import Duplication, LabelNoise
from .regime import exact

if TYPE_CHECKING:
    from .detector import Detector
    from .estimator import Estimator
    from .jit._rule import Rule
    from .spec import Spec

__all__ = ["Levers", "lower_levers", "same"]

PLAIN = Decoding()
RULES = {"weigh": 1, "choice": 2, "best_of": 3, "top": 4}
"""Rules of curation by their number in the core."""
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

KINDS: dict[type, int] = {AddK: 1, Shrinkage: 2, Discount: 3, GoodTuring: 4, UserEstimator: 5}
"""Estimators by their number in the core; all others count 0, as they are."""


@dataclass(frozen=True, eq=False)
class Levers:
    """What an engine does to models before they are sampled.

    Attributes
    ----------
    estimator : int
        Number of the estimator in the core.
    amount : float
        Its k, weight or discount; -1 where the data decide.
    smoothed : bool
        Whether Good-Turing is log-linear, or shrinkage goes toward the model before.
    rule : Rule or None
        The estimator, where a user wrote it.
    error_rate : float
        Share of what models put out that lies outside the reference.
    decoding : Decoding
        The cuts.
    curation : int
        Number of the rule in the core; 0 where there is none.
    candidates : int
        Of which one is taken.
    level : uint32[K + 1] or None
        Level of reward by internal id; last, of what lies outside the reference.
    factor : float64[L] or None
        By level of reward.
    drawn : uint64[T + 1] or None
        Items drawn for a batch that keeps the best of them.
    crawled : float64[T + 1] or None
        Human share of the crawl that each batch is kept from.
    human_kept, synthetic_kept : float
        Shares of human items, and of synthetic ones such as the reference puts out, that a detector keeps.
    band_kept : float64[B] or None
        Share of synthetic items that it keeps, where bands differ.
    band_lost : float64[B] or None
        Share of human items that it throws out, by band; None without a detector.
    kept_weights : uint64[K] or None
        Law of the human items kept, where that is not the reference's.
    first_weights : uint64[K] or None
        Law of generation 1's items, where that is not the reference's.
    copies : int
        Of each of these; 0 without such a fault.
    """

    estimator: int = 0
    amount: float = -1.0
    smoothed: bool = False
    rule: Rule | None = None
    error_rate: float = 0.0
    decoding: Decoding = PLAIN
    curation: int = 0
    candidates: int = 0
    level: npt.NDArray[np.uint32] | None = None
    factor: npt.NDArray[np.float64] | None = None
    drawn: npt.NDArray[np.uint64] | None = None
    crawled: Floats | None = None
    human_kept: float = 1.0
    synthetic_kept: float = 1.0
    band_kept: Floats | None = None
    band_lost: Floats | None = None
    kept_weights: Words | None = None
    first_weights: Words | None = None
    copies: int = 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Levers):
            return NotImplemented
        return all(same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # equal by content, which may be large

    @property
    def none(self) -> bool:
        """Whether models are sampled as they were counted."""
        return self == Levers()

    @property
    def rules(self) -> tuple[Rule | None, Rule | None]:
        """What users wrote: estimator and decoding."""
        return self.rule, cast("Rule | None", self.decoding.rule)

    @property
    def gives_unseen(self) -> bool:
        """Whether a category that is absent from a training set can be sampled from its model."""
        return bool(self.estimator) and self.amount != 0 and not (self.estimator == 2 and self.smoothed)


def same(a: object, b: object) -> bool:
    """Whether two values of a program are equal, bit for bit where they are arrays."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def lower_levers(spec: Spec, band_start: npt.NDArray[np.uint32]) -> Levers:
    """Turn the fields of a Spec that shape models into what an engine takes."""
    amount, smoothed = _estimator(spec.estimator)
    return Levers(
        estimator=KINDS.get(type(spec.estimator), 0),
        amount=amount,
        smoothed=smoothed,
        rule=cast("Rule", spec.estimator.rule) if isinstance(spec.estimator, UserEstimator) else None,
        error_rate=spec.error_rate,
        decoding=spec.decoding,
        **_curation(spec),
        crawled=spec.composition.crawled,
        **_detector(spec, band_start),
        **_fault(spec),
    )


def _detector(spec: Spec, band_start: npt.NDArray[np.uint32]) -> dict[str, Any]:
    """What a detector keeps."""
    crawled = spec.composition.crawled
    if spec.detector is None or crawled is None:
        return {}
    bands = len(band_start)
    spec.detector.check(bands)
    weights = spec.reference.support.ranked
    found, lost = (np.broadcast_to(np.float64(rate), bands) for rate in spec.detector.rates())
    band = np.repeat(np.arange(bands)[::-1], np.diff(np.append(band_start[::-1], len(weights))))
    shares = weights / float(weights.sum())
    human, kept = (_kept_share(shares, rate, band) for rate in (lost, found))
    refuse_nothing(crawled[1:] * human, (1 - crawled[1:]) * (1 - found.max()), spec.detector)
    return {
        "human_kept": human,
        "synthetic_kept": kept,
        "band_kept": np.array(1 - found) if np.ptp(found) else None,
        "band_lost": np.array(lost),
        "kept_weights": whole_weights(shares * (1 - lost)[band]) if np.ptp(lost) and human else None,
    }


def _kept_share(shares: Floats, lost: Floats, band: npt.NDArray[np.int64]) -> float:
    """Share of items that a detector keeps: exactly all or none of them where their bands' rates say so."""
    if not np.ptp(lost):
        return float(1 - lost[0])
    kept, thrown = float((shares * (1 - lost)[band]).sum()), float((shares * lost[band]).sum())
    return kept / (kept + thrown)


def refuse_nothing(human: Floats, synthetic: Floats, detector: Detector) -> None:
    """A crawl that keeps nothing would never end."""
    empty = np.flatnonzero(human + synthetic == 0)
    if empty.size:
        problem = f"may keep nothing of what is crawled for generation {int(empty[0]) + 2}"
        remedy = "give rates below 1, or a crawl with human items that are kept"
        raise SpecError("detector", {"tpr": detector.tpr, "fpr": detector.fpr}, problem, remedy)


def _fault(spec: Spec) -> dict[str, Any]:
    """What is wrong with generation 1's data."""
    fault = spec.fault
    if fault is None:
        return {}
    weights, first = spec.reference.support.ranked, int(spec.composition.samples[0])
    total = int(weights.sum())
    if isinstance(fault, Duplication):
        if fault.copies > first:
            problem = f"is more than the {first:,} items of generation 1's batch"
            raise SpecError("fault.copies", fault.copies, problem, "give fewer copies, or more samples")
        return {"copies": fault.copies}
    if isinstance(fault, LabelNoise):
        even = fault.share / len(weights)
        return {"first_weights": whole_weights((1 - fault.share) * (weights / float(total)) + even)}
    bound = exact(fault.below) * total / first
    left = np.where(weights >= min(-(-bound.numerator // bound.denominator), 2**63), weights, 0)
    if not left.any():
        problem = "cuts every category of the reference"
        raise SpecError("fault.below", fault.below, problem, "give a smaller count, or more samples")
    return {"first_weights": left.astype(np.uint64)}


def whole_weights(law: Floats) -> Words:
    """Whole weights to the nearest 2**-52 of the total, at least 1 where there is any."""
    scaled = np.rint(law * (2.0**52 / law.sum()))
    return np.where(law > 0, np.maximum(scaled, 1), 0).astype(np.uint64)


def _curation(spec: Spec) -> dict[str, Any]:
    """The rule by level of reward, its categories in the engine's order."""
    if spec.curation is None:
        return {}
    rule = spec.curation.levels()
    level = np.append(rule.level[:-1][spec.reference.support.order], rule.level[-1])
    drawn = None if rule.share is None else items_drawn(rule.share, spec.composition)
    return {
        "curation": RULES[rule.kind],
        "candidates": rule.candidates,
        "level": level,
        "factor": rule.factor,
        "drawn": drawn,
    }


def _estimator(value: Estimator) -> tuple[float, bool]:
    """Amount, -1 where the data decide, and whether it is the second of the estimator's two ways."""
    given: float | None = None
    smoothed = False
    if isinstance(value, AddK):
        given = value.k
    elif isinstance(value, Discount):
        given = value.discount
    elif isinstance(value, Shrinkage):
        given, smoothed = value.weight, value.target == "previous"
    elif isinstance(value, GoodTuring):
        smoothed = value.smoothing == "log-linear"
    return -1.0 if given is None else given, smoothed

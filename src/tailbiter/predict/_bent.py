# SPDX-License-Identifier: MIT
"""What a Spec does to a model before it is sampled, as theory has it: from training sets to an item's law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from tailbiter.curation import TopShare
from tailbiter.dataset import band_totals
from tailbiter.errors import PredictionError
from tailbiter.estimator import MLE
from tailbiter.fault import Duplication, LabelNoise, Truncation
from tailbiter.regime import exact
from tailbiter.theory import shaping
from tailbiter.theory._result import Floats

if TYPE_CHECKING:
    from tailbiter.program import Program
    from tailbiter.spec import Spec

__all__ = ["Bent", "Item"]


@dataclass(frozen=True, eq=False)
class Item:
    """The law of an item of a batch, given each training set.

    Attributes
    ----------
    weights : float64[rows, C]
        Of all items that are not human by a fixed split.
    synthetic : float64[rows, C]
        The part of them that a model puts out; the rest of a crawl is human.
    """

    weights: Floats
    synthetic: Floats


class Bent:
    """The levers of a Spec, by the definitions of `tailbiter.theory.shaping` and the Spec's fields alone.

    Parameters
    ----------
    spec : Spec
        What is run.
    program : Program
        Its reference, in the order of the columns, and its bands.
    counted : bool, default True
        Whether training sets are counts of items, and not shares of samples without end.
    """

    def __init__(self, spec: Spec, program: Program, *, counted: bool = True) -> None:
        self.spec, self._counted = spec, counted
        self.categories = program.categories
        self.reference: Floats = program.weights / float(program.weights.sum())
        self._support_order = program.order
        sizes = band_totals(program)[0]
        # Bands run from rare to common, columns from common to rare.
        self.bands = len(sizes)
        self.band = np.repeat(np.arange(self.bands)[::-1], sizes[::-1])

    @property
    def columns(self) -> int:
        """Categories, and one more where output goes wrong."""
        return self.categories + (self.spec.error_rate > 0)

    @cached_property
    def rewards(self) -> Floats:
        """Rewards by column."""
        curation = self.spec.curation
        if curation is None:
            return np.zeros(self.columns)
        *given, wrong = curation.rewards.tolist()
        return np.append(np.array(given)[self._support_order], wrong)[: self.columns]

    @cached_property
    def human(self) -> Floats:
        """Law of a human item, by column."""
        return np.append(self.reference, 0.0)[: self.columns]

    @cached_property
    def first(self) -> tuple[Floats, int]:
        """Law of an item of generation 1, and its copies."""
        fault, q, size = self.spec.fault, self.reference, int(self.spec.composition.samples[0])
        copies = fault.copies if isinstance(fault, Duplication) else 1
        if isinstance(fault, LabelNoise):
            q = (1.0 - fault.share) * q + fault.share / len(q)
        if isinstance(fault, Truncation):
            weights = self.spec.reference.support.ranked.tolist()
            q = np.where([size * w >= exact(fault.below) * sum(weights) for w in weights], q, 0.0)
        return np.append(q, 0.0)[: self.columns], copies

    def fitted(self, counts: Floats) -> tuple[Floats, Floats]:
        """Models of what is right, NaN where nothing is, and the share of each training set that is wrong."""
        right = counts[:, : self.categories]
        size = right.sum(axis=1)
        models = np.full(right.shape, np.nan)
        weights = shaping.fitted(self.spec.estimator, right[size > 0])
        models[size > 0] = weights / weights.sum(axis=1, keepdims=True)
        return models, counts[:, self.categories :].sum(axis=1) / counts.sum(axis=1)

    def put_out(self, counts: Floats) -> Floats:
        """Law of an item that the models of these training sets put out."""
        spec = self.spec
        if isinstance(spec.estimator, MLE):
            weights, whole = counts, self._counted
        else:
            models, wrong = self.fitted(counts)
            right = np.nan_to_num(models) * (1.0 - wrong)[:, None]
            weights, whole = np.column_stack([right, wrong])[:, : self.columns], False
        weights = shaping.decoded(spec.decoding, weights, whole=whole)
        if spec.error_rate:
            weights = shaping.erring(weights, spec.error_rate)
        by_rank = isinstance(spec.curation, TopShare) and self._counted  # of a batch, and not of its law
        if spec.curation is not None and not by_rank:
            weights = shaping.curated(spec.curation, self.rewards, weights)
        totals = weights.sum(axis=1, keepdims=True)
        if not (totals > 0).all():
            problem = "accepts nothing of what some model puts out, and ends the run there"
            raise PredictionError("curation", type(spec.curation).__name__, problem, shaping.SIMULATE)
        return np.asarray(weights / totals)

    def item(self, counts: Floats, crawled: float | None) -> Item:
        """Law of an item of a batch; of a crawl with this human share, as it is kept."""
        model = self.put_out(counts)
        if crawled is None:
            return Item(model, model)
        synthetic = (1.0 - crawled) * model * self.kept[0]
        both = crawled * self.human * self.kept[1] + synthetic
        total = both.sum(axis=1, keepdims=True)
        return Item(both / total, synthetic / total)

    @cached_property
    def kept(self) -> tuple[Floats, Floats]:
        """Shares of synthetic and of human items that a detector keeps, by column."""
        synthetic, human = self.rates
        by_category = 1.0 - synthetic[self.band], 1.0 - human[self.band]
        mean = float(self.reference @ by_category[0])  # of what lies outside the reference
        return np.append(by_category[0], mean)[: self.columns], np.append(by_category[1], 0.0)[: self.columns]

    @cached_property
    def rates(self) -> tuple[Floats, Floats]:
        """Rates at which a detector throws out synthetic and human items, by band."""
        return shaping.thrown_out(self.spec.detector, self.bands)

    def drawn(self, wanted: int) -> int:
        """Items drawn for so many that are kept."""
        curation = self.spec.curation
        if not isinstance(curation, TopShare):
            return wanted
        return floor(wanted / exact(curation.share) + exact(0.5))

# SPDX-License-Identifier: MIT
"""What theory knows of a crawl of models without categories: how much of what is kept is human."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter._variables import CRAWLED
from tailbiter.errors import PredictionError
from tailbiter.theory import Predicted, selection
from tailbiter.theory.shaping import thrown_out

from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record
    from tailbiter.spec import Spec

    from ._known import Case

__all__ = ["CrawledCase"]


class CrawledCase:
    """A Spec whose batches are kept of crawls, beside the case of its family of models."""

    def __init__(self, spec: Spec, record: Record, case: Case) -> None:
        self._family, self._case = spec.reference.family, case
        self.names = record.names_of(self._family, spec.also_recorded)
        at = record.at(spec.generations).astype(np.int64)
        real = np.append(1.0, np.asarray(spec.composition.crawled, dtype=np.float64))[at]
        found, lost = (float(rate[0]) for rate in thrown_out(spec.detector, 1))
        self._known = {
            "real_share": np.where(at > 1, selection.kept_share(real, found, lost).values, 1.0),
            "real_share_crawled": real,
            "real_discarded": np.where(at > 1, lost, 0.0),
        }

    def known(self, name: str) -> Known:
        """Return what is known of what is kept; of models nothing is."""
        if name not in self._known:
            problem = f"leaves human items to chance, under which no law is known for {name}"
            raise PredictionError("regime", "crawl", problem, SIMULATE)
        statement = "a (1 - fpr) / (a (1 - fpr) + (1 - a)(1 - tpr)) of what a crawl keeps"
        return Known(Predicted(self._known[name], "exact", statement if name == "real_share" else "as given"))

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        about = CRAWLED[name]
        units = {"long_name": about.long_name, "units": about.units}
        return ("generation",), {**units, "valid_min": 0.0, "valid_max": 1.0}

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        return self._case.coords(dims)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Attributes of the Dataset beside Spec and Record."""
        return self._case.attrs

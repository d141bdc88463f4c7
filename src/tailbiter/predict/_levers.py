# SPDX-License-Identifier: MIT
"""What theory knows of runs whose models are shaped before they are sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tailbiter.dataset import band_totals
from tailbiter.errors import PredictionError
from tailbiter.estimator import MLE, AddK, Shrinkage
from tailbiter.theory import Predicted
from tailbiter.theory.mutation import Mixed, mixed, wrong

from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from ._categorical import CategoricalCase

__all__ = ["shaped"]

Floats = npt.NDArray[np.float64]
LEVERS = ("fault", "curation", "decoding", "detector", "estimator", "error_rate")


def shaped(case: CategoricalCase, name: str) -> Known:
    """Return what is known of a variable under the levers of a Spec."""
    if name not in KNOWN:
        raise _unknown(case, name)
    values, statement = KNOWN[name](case, name)
    return Known(Predicted(values, "exact", statement))


def _unknown(case: CategoricalCase, name: str) -> PredictionError:
    law = case.spec.law()
    field = next((field for field in LEVERS if field in law), "regime")
    return PredictionError(field, law[field], f"is a lever under which no law is known for {name}", SIMULATE)


def _human(case: CategoricalCase, name: str) -> tuple[Floats, bool]:
    """Human share of each batch, and whether it is left to a crawl; only the newest batch trains."""
    program, levers = case.program, case.program.levers
    newest = program.ages.size == 1 and program.draw is None and program.item_weights is None
    if not newest or program.kept or levers.band_kept is not None or levers.kept_weights is not None:
        raise _unknown(case, name)
    if not case.spec.decoding.neutral or case.spec.curation is not None:
        raise _unknown(case, name)
    if levers.crawled is None:
        share = program.fresh[:-1] / program.samples[:-1].astype(np.float64)
        share[0] = 1.0
        return share, False
    human = levers.crawled[:-1] * levers.human_kept
    return human / (human + (1 - levers.crawled[:-1]) * levers.synthetic_kept), True


def _mixed(case: CategoricalCase, name: str) -> Mixed:
    spec, human = case.spec, _human(case, name)
    if spec.error_rate or spec.fault is not None:
        raise _unknown(case, name)
    samples, categories = case.program.samples[:-1].astype(np.float64), case.program.categories
    squares = float(np.sum(case.copies * case.mass**2))
    return mixed(samples, human[0], _even(case, name, samples), squares, categories, crawl=human[1])


def _even(case: CategoricalCase, name: str, samples: Floats) -> Floats:
    estimator = case.spec.estimator
    if isinstance(estimator, AddK):
        added = estimator.k * case.program.categories
        return added / (samples + added)
    if isinstance(estimator, Shrinkage) and estimator.target == "uniform" and estimator.weight is not None:
        return np.full(len(samples), estimator.weight)
    if not isinstance(estimator, MLE):
        raise _unknown(case, name)
    return np.zeros(len(samples))


MOMENTS = "moments of a mixture of the model before, human items and the even law, exact at every size"


def _gini_simpson(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    return (1 - _mixed(case, name).squares)[case.at], MOMENTS


def _brier(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    known, squares = _mixed(case, name), float(np.sum(case.copies * case.mass**2))
    cross = known.reference * squares + (1 - known.reference) / case.program.categories
    return np.maximum(known.squares - 2 * cross + squares, 0.0)[case.at], MOMENTS


def _band_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    categories, mass = band_totals(case.program)
    share = _mixed(case, name).reference[case.at][:, None]
    return share * mass + (1 - share) * categories / case.program.categories, MOMENTS


def _tail_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    program = case.program
    rare = program.weights[program.tail_start :]
    if not rare.size:
        return np.full(len(case.at), np.nan), MOMENTS
    share = _mixed(case, name).reference[case.at]
    mass = int(rare.sum()) / int(program.weights.sum())
    return share * mass + (1 - share) * rare.size / program.categories, MOMENTS


def _wrong_mass(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    if not case.spec.error_rate:
        return np.zeros(len(case.at)), "models put out nothing that is outside the reference"
    share = wrong(_human(case, name)[0], case.spec.error_rate)
    return share[case.at], "E w' = (1 - h)(e + (1 - e) E w), h the human share"


def _real_share(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    share = np.append(1.0, _human(case, name)[0])
    return share[case.at], "a (1 - fpr) / (a (1 - fpr) + (1 - a)(1 - tpr)) of what a crawl keeps"


def _real_share_crawled(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    crawled = case.program.levers.crawled
    if crawled is None:
        return _real_share(case, name)
    return np.append(1.0, crawled[:-1])[case.at], "as the regime says"


def _real_discarded(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    del name
    lost = 1 - case.program.levers.human_kept
    return np.where(case.at > 1, lost, 0.0), "the detector's rate, the mean over the reference"


def _band_real_discarded(case: CategoricalCase, name: str) -> tuple[Floats, str]:
    del name
    lost = case.program.levers.band_lost
    rates = np.zeros(len(case.bands)) if lost is None else lost
    return (case.at > 1)[:, None] * rates, "the detector's rate"


KNOWN: dict[str, Callable[[CategoricalCase, str], tuple[Floats, str]]] = {
    "gini_simpson": _gini_simpson,
    "brier": _brier,
    "band_mass": _band_mass,
    "tail_mass": _tail_mass,
    "wrong_mass": _wrong_mass,
    "real_share": _real_share,
    "real_share_crawled": _real_share_crawled,
    "real_discarded": _real_discarded,
    "band_real_discarded": _band_real_discarded,
}

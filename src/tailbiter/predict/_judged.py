# SPDX-License-Identifier: MIT
"""What theory knows of variables by which generations are judged: held-out data, groups, the tail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from tailbiter._variables import GROUPS, HELD_OUT
from tailbiter.dataset import group_coords
from tailbiter.errors import PredictionError
from tailbiter.theory import Predicted

from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from tailbiter.reference import HeldOut
    from tailbiter.theory._result import Floats

    from ._categorical import CategoricalCase

__all__ = ["ABSENT", "JUDGED", "held_out_of", "rows_of"]

ABSENT = ("oov_tokens", "oov_types", "held_out_coverage", "group_survivors", "tail_coverage")
"""What follows from the chances of presence."""


def rows_of(case: CategoricalCase) -> dict[str, Floats]:
    """What a category counts in each sum over those present that is wanted: the mean of its equals.

    Categories of one probability have one chance of presence, so the means are exact; spreads are not.
    """
    makers = {
        "oov_tokens": lambda: _by_mass(case, held_out_of(case).tokens / held_out_of(case).total),
        "oov_types": lambda: _by_mass(case, (held_out_of(case).tokens > 0) / held_out_of(case).types),
        "held_out_coverage": lambda: _coverage_rows(case),
        "group_survivors": lambda: _group_rows(case),
        "tail_coverage": lambda: _tail_row(case),
    }
    return {name: np.atleast_2d(makers[name]()) for name in ABSENT if name in case.names}


def held_out_of(case: CategoricalCase) -> HeldOut:
    # There is one, or nothing of it would be wanted.
    return cast("HeldOut", case.program.held_out)


def _by_mass(case: CategoricalCase, values: npt.NDArray[Any]) -> Floats:
    """Mean over the categories of each distinct probability."""
    return np.add.reduceat(np.asarray(values, dtype=np.float64), case.firsts) / case.copies


def _coverage_rows(case: CategoricalCase) -> Floats:
    tokens = _by_mass(case, held_out_of(case).tokens)
    rows = np.zeros((len(case.bands), len(case.mass)))
    for row, part in zip(rows, case.bands, strict=True):
        total = float(np.sum(tokens[part] * case.copies[part]))
        row[part] = tokens[part] / total if total else 0.0
    return rows


def _group_rows(case: CategoricalCase) -> Floats:
    group = np.asarray(case.program.group)
    return np.array([_by_mass(case, group == number) for number in range(len(case.program.group_names))])


def _tail_row(case: CategoricalCase) -> Floats:
    row = np.zeros(len(case.mass))
    row[case.tail] = case.mass[case.tail]
    return row


def _present(case: CategoricalCase, name: str) -> Known:
    """Sums over the categories present, without a spread."""
    known = case.presence.column(case.judged_rows[name])
    return Known(known.mean)


def _one(known: Known) -> Known:
    return known.each(lambda values: values[:, 0])


def _absent(case: CategoricalCase, name: str) -> Known:
    return _one(_present(case, name)).each_mean(lambda values: 1.0 - values)


def _held_out_coverage(case: CategoricalCase, name: str) -> Known:
    none = ~_coverage_rows(case).any(axis=1)
    return _present(case, name).each_mean(lambda values: np.where(none, np.nan, values))


def _tail_coverage(case: CategoricalCase, name: str) -> Known:
    known = _one(_present(case, name))
    return known if case.tail.start < case.tail.stop else known.nowhere()


def _product(case: CategoricalCase) -> float:
    """Of the reference with the held-out shares."""
    held_out, weights = held_out_of(case), case.program.weights
    return float(np.dot(held_out.tokens / held_out.total, weights / float(weights.sum())))


def _overconfidence(case: CategoricalCase, _: str) -> Known:
    """Where the mean of a model is the reference, that of its squares is all there is to know."""
    return _affine(case, 1.0 - _product(case), "1 - E H_t - <q, h>")


def _held_out_brier(case: CategoricalCase, _: str) -> Known:
    held_out = held_out_of(case)
    squares = float(np.sum((held_out.tokens / held_out.total) ** 2)) + held_out.squares_outside
    return _affine(case, 1.0 - 2.0 * _product(case) + squares, "1 - E H_t - 2 <q, h> + <h, h>")


def _affine(case: CategoricalCase, constant: float, statement: str) -> Known:
    diversity = case.known_diversity.mean
    said = f"{statement}, any regime that is linear in its sources; {diversity.statement}"
    return Known(Predicted(constant - diversity.values, diversity.kind, said, diversity.error))


def _group_mass(case: CategoricalCase, _: str) -> Known:
    return case.known_mass(group_coords(case.program)["group_reference_mass"][1])


def _unknown(_: CategoricalCase, name: str) -> Known:
    raise PredictionError("record.variables", name, "has no law of its own in any regime", SIMULATE)


JUDGED: dict[str, Callable[[CategoricalCase, str], Known]] = {
    **dict.fromkeys([*HELD_OUT, *GROUPS, "head_total_variation"], _unknown),
    "oov_tokens": _absent,
    "oov_types": _absent,
    "held_out_coverage": _held_out_coverage,
    "held_out_brier": _held_out_brier,
    "overconfidence": _overconfidence,
    "group_survivors": _present,
    "group_mass": _group_mass,
    "tail_coverage": _tail_coverage,
}

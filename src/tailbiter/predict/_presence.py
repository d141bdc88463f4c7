# SPDX-License-Identifier: MIT
"""Which law of presence, of those that theory knows, a Program's regime follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tailbiter.dataset import absence_is_final
from tailbiter.errors import PredictionError, SpecError
from tailbiter.predict._known import Known
from tailbiter.program import Program
from tailbiter.regime import Anchored, Mix, Regime, Window
from tailbiter.theory import Predicted, exact
from tailbiter.theory._result import Floats

if TYPE_CHECKING:
    from tailbiter.theory._counts import CountSums

Whole = npt.NDArray[np.int64]

LARGEST = 2048
# Multiplications that following every count may take: a second or two.
WORK = 4e9
LEAVE_OUT = "simulate it, or leave out what asks which categories are present"


def presence(program: Program, regime: Regime, mass: Floats, copies: Floats, counted: Floats) -> Known:
    """Sums over the categories present in the training set, at the recorded generations.

    Parameters
    ----------
    program : Program
        What would be run.
    regime : Regime
        What it was lowered from, for messages.
    mass, copies : float64[Q]
        Distinct reference probabilities, and how many categories have each.
    counted : float64[sums, Q]
        What one category counts.

    Raises
    ------
    PredictionError
        For a regime whose law of presence is not known.
    """
    human = _all_human(program)
    if human is not None:
        return _certain(human, program.at.astype(np.int64), mass, copies, counted)
    _refuse_unknown(program, regime)
    return _expected(program, mass, copies, counted)


def with_output(program: Program, mass: Floats, copies: Floats, counted: Floats) -> tuple[Known, Known]:
    """`presence`, and the first sum in the batch from each model: under Replace, the next training set."""
    at = program.at.astype(np.int64)
    drawn = program.samples[at] > 0  # the batch of generation t + 1
    rows = np.union1d(at, at[drawn] + 1)
    known = _expected(program, mass, copies, counted, at=rows)
    here, there = np.searchsorted(rows, at), np.searchsorted(rows, np.where(drawn, at + 1, at))
    out = known.column(0).each(lambda values: np.where(drawn, values[there], np.nan))
    return known.each(lambda values: values[here]), out


def output(program: Program, regime: Regime, mass: Floats, copies: Floats) -> Known:
    """Number of categories in the synthetic batch drawn from each recorded model."""
    _refuse_unknown(program, regime)
    if _kept(program):
        raise PredictionError("regime.sources", "fixed", "has no known law of what is put out", LEAVE_OUT)
    sizes = (program.samples - program.fresh - program.from_kept)[1:].astype(np.int64)
    at = program.at.astype(np.int64)
    drawn = (at == 0) | (sizes[at - 1] > 0)
    if not drawn[at > 0].any():
        problem = "leaves nothing to draw from a model: every batch is human"
        raise PredictionError("regime", type(regime).__name__, problem, LEAVE_OUT)
    known = _expected(program, mass, copies, np.ones((1, len(mass))), batch=np.maximum(sizes, 1)).column(0)
    return known.each(lambda values: np.where(drawn, values, np.nan))


def lost(program: Program, survivors: Known) -> Known:
    """Categories lost since the record before, where none comes back: a difference of survivors."""
    _refuse_returning(program, "lost")
    before = np.concatenate([[0], np.arange(len(program.at) - 1)])
    mean = survivors.mean
    error = None if mean.error is None else mean.error + mean.error[before]
    statement = f"difference of two: {mean.statement}"
    return Known(Predicted(mean.values[before] - mean.values, mean.kind, statement, error))


def revived(program: Program) -> Known:
    """Categories that came back, where none can."""
    _refuse_returning(program, "revived")
    none = np.zeros(len(program.at))
    statement = "what is absent cannot come back"
    return Known(Predicted(none, "exact", statement), Predicted(none, "exact", statement))


def count_sums(program: Program, regime: Regime, mass: Floats, copies: Floats) -> CountSums:
    """Means of sums of functions of each category's share, where every count can be followed."""
    _refuse_unknown(program, regime, fixed=False)
    last = _last(program)
    sizes = program.samples[:last].astype(np.int64)
    instead = "simulate it, or ask for gini_simpson"
    if int(sizes.max()) > LARGEST:
        problem = f"are more than {LARGEST:,}, too many for following every count"
        raise PredictionError("samples", int(sizes.max()), problem, instead)
    work = float(len(mass)) * float(np.sum(sizes.astype(np.float64) ** 2))
    if work > WORK:
        problem = f"distinct probabilities are too many for following every count over {last:,} generations"
        raise PredictionError("reference", len(mass), problem, instead)
    fresh = program.fresh[:last].astype(np.int64)
    return exact.count_sums(mass, copies, sizes, program.at.astype(np.int64), fresh=fresh)


def _all_human(program: Program) -> Whole | None:
    """Human items behind each training set, where these are all there is to presence; else None.

    Where every batch stays in training, nothing that was ever sampled is lost; where every batch is human,
    there is nothing else.
    """
    last = _last(program)
    samples, fresh = program.samples[:last].astype(np.int64), program.fresh[:last].astype(np.int64)
    if program.draw is None and program.item_weights is None and not _kept(program):
        ages = program.ages
        if not len(ages) or (len(ages) >= last and bool(np.all(ages > 0))):
            return np.cumsum(np.append(samples[:1], fresh[1:]))
        if len(ages) == 1 and bool(np.all(fresh[1:] == samples[1:])):
            return samples
    return None


def _certain(items: Whole, at: Whole, mass: Floats, copies: Floats, counted: Floats) -> Known:
    """Sums over the categories in ``items[t-1]`` independent human items."""
    sizes, which = np.unique(items[at[at > 0] - 1], return_inverse=True)
    rows = [exact.expected(mass, copies, counted, [size], [1]) for size in sizes.tolist()]
    reference = exact.expected(mass, copies, counted, [1], [0])
    of_row = np.concatenate([np.zeros(int(np.sum(at == 0)), np.int64), which.ravel() + 1])
    found = [reference, *rows]
    mean = np.concatenate([one.mean.values for one in found])[of_row]
    sd = np.concatenate([one.sd.values for one in found if one.sd is not None])[of_row]
    statement = "categories among independent human items"
    most = Predicted(sd, "bound", f"upper bound of a standard deviation; {statement}", sd.copy())
    return Known(Predicted(mean, "exact", f"{statement}, exact at every size"), most)


def _refuse_unknown(program: Program, regime: Regime, *, fixed: bool = True) -> None:
    """Refuse what is not the newest batch with fresh items, or with all of a kept set."""
    unknown = "has no known law of presence"
    if program.draw is not None:
        raise PredictionError("regime", "accumulate_subsample", unknown, LEAVE_OUT)
    if isinstance(regime, Window) and regime.k > 1:
        raise PredictionError("regime.k", regime.k, unknown, LEAVE_OUT)
    if len(program.ages) != 1:
        if isinstance(regime, Mix):
            raise PredictionError("regime.ages", regime.ages, "have no known law of presence", LEAVE_OUT)
        raise PredictionError("regime", regime.__struct_config__.tag, unknown, LEAVE_OUT)
    mix = regime.as_mix()
    if program.item_weights is not None:
        weights = {source.kind: source.weight for source in mix.sources}
        problem = "make items of unequal weight, for which no law of presence is known"
        raise PredictionError("regime.sources weights", weights, problem, LEAVE_OUT)
    if not _kept(program):
        return
    kind = "hoard" if mix.source("hoard") else "fixed"
    field = "regime.source" if isinstance(regime, Anchored) else "regime.sources"
    if not fixed:
        raise PredictionError(field, kind, "is not followed count by count", LEAVE_OUT)
    if bool(np.any(program.from_kept[1 : _last(program)] != program.kept)):
        raise PredictionError(field, kind, f"{unknown} unless all of it joins every batch", LEAVE_OUT)
    if bool(program.fresh.any()):
        raise PredictionError(field, kind, f"{unknown} beside fresh items", LEAVE_OUT)
    if program.kept > int(program.samples[: _last(program)].min()):
        raise PredictionError(field, kind, f"{unknown} where it is larger than a batch", LEAVE_OUT)


def _last(program: Program) -> int:
    """Last recorded generation, at least 1."""
    return max(int(program.at.max(initial=0)), 1)


def _kept(program: Program) -> int:
    """Size of the kept set; a set from which nothing is ever taken is none."""
    return program.kept if bool(program.from_kept[1 : _last(program)].any()) else 0


def _refuse_returning(program: Program, name: str) -> None:
    if not absence_is_final(program):
        problem = "has a known mean only where no category can come back"
        raise PredictionError("record.variables", name, problem, "simulate it, or leave it out")


def _expected(
    program: Program,
    mass: Floats,
    copies: Floats,
    counted: Floats,
    *,
    at: Whole | None = None,
    batch: Whole | None = None,
) -> Known:
    at = program.at.astype(np.int64) if at is None else at
    last = max(int(at.max(initial=0)), 1)
    try:
        found = exact.expected(
            mass,
            copies,
            counted,
            program.samples[:last].astype(np.int64),
            at,
            fresh=program.fresh[:last].astype(np.int64),
            kept=_kept(program),
            output=batch,
        )
    except SpecError as error:
        raise PredictionError(error.field, error.value, error.problem, LEAVE_OUT) from error
    return Known(found.mean, found.sd)

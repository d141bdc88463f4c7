# SPDX-License-Identifier: MIT
"""One Spec in, one Dataset out, by theory: the variables and coordinates of `simulate`, as expectations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._presence import Known, count_sums, lost, output, presence, revived
from tailbiter.dataset import band_coords, band_totals, generation_coord, sizes, variable_attrs
from tailbiter.errors import PredictionError
from tailbiter.program import Program, lower
from tailbiter.theory import Predicted, exact, limits, lineages, moments
from tailbiter.theory._ancestors import FULL
from tailbiter.theory._result import Floats

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.spec import Spec
    from tailbiter.theory._counts import CountSums

__all__ = ["predict", "total_collapse"]

SIMULATE = "simulate it, or leave it out"


def predict(spec: Spec, *, record: Record | None = None) -> xr.Dataset:
    """Say what `simulate` will measure, by theory alone.

    Parameters
    ----------
    spec : Spec
        What to predict.
    record : Record, optional
        The generations and variables wanted, as for `simulate`.

    Returns
    -------
    xarray.Dataset
        The variables of `simulate` without the dim replicate: float64 expectations over replicates. Every one
        has an attribute ``kind``: "exact" (up to rounding), "bound" (``<name>_error`` is the proved distance
        from the truth) or "limit" (``statement`` says in which). ``<name>_sd``, where known, is the standard
        deviation of one replicate, or a bound on it from above (its own ``kind`` says which). The attribute
        ``left_out`` is JSON: what is not known here, and why.

    Raises
    ------
    PredictionError
        If a variable that the Record names is not known, naming the part of the Spec that rules it out.
    SpecError
        For an argument that cannot be used.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=50, generations=100)
    >>> th = tb.predict(spec)
    >>> round(float(th.gini_simpson.sel(generation=100)), 4)  # 0.9 * (1 - 1/50)**100
    0.1194
    >>> th.survivors.attrs["kind"]
    'exact'
    """
    import xarray as xr

    from tailbiter.record import Record

    record = Record() if record is None else record
    case = Case(spec, lower(spec, record))
    data: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name in case.program.variables:
        try:
            data |= _variable(name, KNOWN[name](case, name), case.program)
        except PredictionError as error:
            if record.variables != "standard":
                raise
            left_out[name] = str(error)
    for field in ("forgotten", "snapshots"):
        if getattr(record, field):
            left_out[field] = f"record.{field}: is what one run leaves, not an expectation; see theory.exact"
    coords = generation_coord(case.program)
    if any("band" in dims for dims, _, _ in data.values()):
        coords |= band_coords(case.program)
    attrs = {
        "spec": spec.to_json(brief=True),
        "record": record.to_json(),
        "left_out": json.dumps(left_out),
        **sizes(case.program),
    }
    return xr.Dataset(data, coords, attrs)


def _variable(name: str, known: Known, program: Program) -> dict[str, Any]:
    dims = ("generation", "band") if name.startswith("band_") else ("generation",)
    attrs = variable_attrs(name, program)
    what = {"kind": known.mean.kind, "statement": known.mean.statement}
    out = {name: (dims, known.mean.values, attrs | what)}
    if known.mean.error is not None:
        about = {"long_name": f"largest error of {name}, proved", "units": attrs["units"]}
        out[f"{name}_error"] = (dims, known.mean.error, about)
    if known.sd is not None:
        about = {"long_name": f"standard deviation of {name} over replicates", "units": attrs["units"]}
        what = {"kind": known.sd.kind, "statement": known.sd.statement}
        out[f"{name}_sd"] = (dims, known.sd.values, about | what)
    return out


def total_collapse(spec: Spec, *, record: Record | None = None) -> xr.Dataset:
    """Say when one category will be left, under Replace.

    Elsewhere one category left is not the end: a pool, a kept set or fresh human items bring others back.

    Parameters
    ----------
    spec : Spec
        What to predict.
    record : Record, optional
        The generations wanted.

    Returns
    -------
    xarray.Dataset
        ``collapsed``, dims generation: probability that one category is left. Where sizes are all alike,
        ``collapse_time``: mean number of generations until then, with ``collapse_time_sd``; beyond 4096
        samples a limit of the mean alone. Attributes ``kind`` and ``statement`` as in `predict`.

    Raises
    ------
    PredictionError
        For another regime.

    Examples
    --------
    >>> import tailbiter as tb
    >>> ds = tb.total_collapse(tb.Spec(reference=tb.Uniform(10), samples=10, generations=50))
    >>> round(float(ds.collapse_time), 2), round(float(ds.collapsed.sel(generation=50)), 3)
    (17.5, 0.988)
    """
    import xarray as xr

    from tailbiter.record import Record

    record = Record() if record is None else record
    case = Case(spec, lower(spec, record))
    if not case.program.plain:
        kind = spec.to_dict(brief=True)["regime"]["kind"]
        remedy = "ask for it under replace, or predict survivors"
        raise PredictionError("regime", kind, "does not end with one category", remedy)
    sizes_of = case.program.samples[:-1].astype(np.int64)
    collapsed = exact.collapse(case.mass, case.copies, sizes_of, case.at)
    data = {"collapsed": _described(("generation",), collapsed, "probability that one category is left", "1")}
    if len(np.unique(sizes_of)) == 1:
        what = "mean generations until one category is left"
        mean, sd = _collapse_time(case, int(sizes_of[0]))
        data["collapse_time"] = _described((), mean, what, "generations")
        if sd is not None:
            data["collapse_time_sd"] = _described((), sd, "standard deviation over replicates", "generations")
    attrs = {"spec": spec.to_json(brief=True), "record": record.to_json(), **sizes(case.program)}
    return xr.Dataset(data, generation_coord(case.program), attrs)


def _collapse_time(case: Case, size: int) -> tuple[Predicted, Predicted | None]:
    if size <= FULL:
        return exact.collapse_time(case.mass, case.copies, size)
    return limits.collapse_mean(case.mass, size, copies=case.copies), None


def _described(dims: tuple[str, ...], known: Predicted, what: str, units: str) -> tuple[Any, ...]:
    attrs = {"long_name": what, "units": units, "kind": known.kind, "statement": known.statement}
    return dims, known.values, attrs


class Case:
    """A Spec, and what several variables need of its theory; each part is worked out when first asked for."""

    def __init__(self, spec: Spec, program: Program) -> None:
        self.spec = spec
        self.program = program
        self.at = program.at.astype(np.int64)

    @cached_property
    def firsts(self) -> npt.NDArray[np.int64]:
        """Id of the first category of each distinct weight, descending."""
        weights = self.program.weights
        return np.flatnonzero(np.concatenate([[True], weights[1:] != weights[:-1]]))

    @cached_property
    def mass(self) -> Floats:
        """Distinct reference probabilities, descending."""
        weights = self.program.weights
        return weights[self.firsts] / float(weights.sum())

    @cached_property
    def copies(self) -> Floats:
        """How many categories have each."""
        return np.diff(np.append(self.firsts, self.program.categories)).astype(np.float64)

    @cached_property
    def bands(self) -> list[slice]:
        """The distinct probabilities of each band, from rare to common; equal ones never part."""
        start = np.searchsorted(self.firsts, self.program.band_start).tolist()
        stop = [len(self.firsts), *start[:-1]]
        return [slice(lo, hi) for lo, hi in zip(start, stop, strict=True)]

    @cached_property
    def tail(self) -> slice:
        """The distinct probabilities of the tail."""
        return slice(int(np.searchsorted(self.firsts, self.program.tail_start)), len(self.firsts))

    @cached_property
    def diversity(self) -> float:
        """Gini-Simpson index of the reference."""
        return float(np.sum(self.copies * self.mass * (1.0 - self.mass)))

    @cached_property
    def identity(self) -> moments.Identity:
        """Chance that two items of a model descend from one human item."""
        return moments.identity(self.spec.composition, self.at)

    @cached_property
    def spread(self) -> tuple[Predicted | None, Predicted | None]:
        """Standard deviations of the Gini-Simpson index and the Brier distance, where they are known."""
        if self.program.plain:
            samples, q = self.program.samples[:-1], np.repeat(self.mass, self.copies.astype(np.int64))
            return moments.gini_simpson_sd(samples, q, self.at), moments.brier_sd(samples, q, self.at)
        sums = float(np.sum(self.copies * self.mass**2)), float(np.sum(self.copies * self.mass**3))
        try:
            return lineages.spread(self.spec.composition, sums, self.at)
        except PredictionError:
            return None, None

    @cached_property
    def presence(self) -> Known:
        """Sums over the categories present: how many, coverage, how many of the tail and of each band."""
        return presence(self.program, self.mass, self.copies, self._counted)

    @cached_property
    def _counted(self) -> Floats:
        """What one category counts in each of these sums, ``[sum, distinct probability]``."""
        rows = np.zeros((3 + len(self.bands), len(self.mass)))
        rows[0], rows[1] = 1.0, self.mass
        for row, part in zip(rows[2:], [self.tail, *self.bands], strict=True):
            row[part] = 1.0
        return rows

    @cached_property
    def counts(self) -> CountSums:
        """Means that take the whole law of each category's count."""
        return count_sums(self.program, self.mass, self.copies)


def _survivors(case: Case, _: str) -> Known:
    return case.presence.column(0)


def _coverage(case: Case, _: str) -> Known:
    return case.presence.column(1)


def _tail_survivors(case: Case, _: str) -> Known:
    known = case.presence.column(2)
    return known if case.tail.start < case.tail.stop else known.nowhere()


def _band_survivors(case: Case, _: str) -> Known:
    return case.presence.column(slice(3, None))


def _survivors_output(case: Case, _: str) -> Known:
    return output(case.program, case.mass, case.copies)


def _lost(case: Case, _: str) -> Known:
    return lost(case.program, case.presence.column(0))


def _revived(case: Case, _: str) -> Known:
    return revived(case.program)


def _gini_simpson(case: Case, _: str) -> Known:
    return Known(moments.gini_simpson(case.identity, case.diversity), case.spread[0])


def _brier(case: Case, _: str) -> Known:
    return Known(moments.brier(case.identity, case.diversity), case.spread[1])


def _tail_mass(case: Case, name: str) -> Known:
    mass = variable_attrs(name, case.program)["reference_mass"]
    known = _mass(case, np.array(mass))
    return known if mass else known.nowhere()


def _band_mass(case: Case, _: str) -> Known:
    return _mass(case, band_totals(case.program)[1])


def _mass(case: Case, mass: Floats) -> Known:
    """The mean of a share never moves; its variance does."""
    mean = np.broadcast_to(mass, (len(case.at), *mass.shape)).copy()
    statement = "E p(set) = q(set), any regime that is linear in its sources"
    return Known(Predicted(mean, "exact", statement), moments.share_sd(case.identity, mass))


def _largest_share(_: Case, name: str) -> Known:
    raise PredictionError("record.variables", name, "has no known mean in any regime", SIMULATE)


KNOWN: dict[str, Callable[[Case, str], Known]] = {
    "survivors": _survivors,
    "survivors_output": _survivors_output,
    "coverage": _coverage,
    "entropy": lambda case, _: Known(case.counts.entropy),
    "gini_simpson": _gini_simpson,
    "largest_share": _largest_share,
    "kl": lambda case, _: Known(case.counts.kl),
    "total_variation": lambda case, _: Known(case.counts.total_variation),
    "brier": _brier,
    "lost": _lost,
    "revived": _revived,
    "tail_survivors": _tail_survivors,
    "tail_mass": _tail_mass,
    "band_survivors": _band_survivors,
    "band_mass": _band_mass,
}

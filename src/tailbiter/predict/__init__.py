# SPDX-License-Identifier: MIT
"""One Spec in, one Dataset out, by theory: the variables and coordinates of `simulate`, as expectations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tailbiter.errors import PredictionError

from ._categorical import CategoricalCase, collapse, collapse_time
from ._crawled import CrawledCase
from ._documents import DocumentsCase
from ._gaussian import GaussianCase
from ._known import Case, Known
from ._mixture import MixtureCase
from ._totals import TotalsCase

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.spec import Spec
    from tailbiter.theory import Predicted

__all__ = ["predict", "refusals", "total_collapse"]

CASES: dict[str, Callable[[Spec, Record], Case]] = {
    "categorical": CategoricalCase,
    "gaussian": GaussianCase,
    "poisson": TotalsCase,
    "exponential": TotalsCase,
    "mixture": MixtureCase,
    "categorical_mixture": DocumentsCase,
}
"""What predicts the runs of each family of models."""


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
        deviation of one replicate, or a bound on it from above (its own ``kind`` says which); ``valid_min``
        and ``valid_max`` bound its value. The attribute ``left_out`` is JSON: what is not known, and why.

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
    case = _case(spec, record)
    data, unknown = _all_known(case)
    if unknown and record.variables != "standard":
        raise next(iter(unknown.values()))
    left_out = {name: str(error) for name, error in unknown.items()}
    for field in ("forgotten", "snapshots"):
        if getattr(record, field):
            left_out[field] = f"record.{field}: is what one run leaves, not an expectation; see theory.exact"
    coords = case.coords(frozenset(dim for dims, _, _ in data.values() for dim in dims))
    return xr.Dataset(data, coords, {**_attrs(spec, record, case), "left_out": json.dumps(left_out)})


def refusals(spec: Spec, *, record: Record | None = None) -> dict[str, PredictionError]:
    """Say why theory knows nothing of some variables.

    Parameters
    ----------
    spec, record : Spec, Record
        As for `predict`.

    Returns
    -------
    dict of str to PredictionError
        By variable; the field of each is the part of the Spec that rules it out.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(1000), decoding=tb.Decoding(top_k=5))
    >>> refusals(spec)["survivors"].field
    'decoding'
    """
    from tailbiter.record import Record

    return _all_known(_case(spec, Record() if record is None else record))[1]


def _all_known(case: Case) -> tuple[dict[str, Any], dict[str, PredictionError]]:
    """What is known of each variable, as a Dataset has it; and why nothing is of the others."""
    data: dict[str, Any] = {}
    unknown: dict[str, PredictionError] = {}
    for name in case.names:
        try:
            data |= _variable(name, case.known(name), case)
        except PredictionError as error:
            unknown[name] = error
    return data, unknown


def _attrs(spec: Spec, record: Record, case: Case) -> dict[str, Any]:
    return {"spec": spec.to_json(brief=True), "record": record.to_json(), **case.attrs}


def _case(spec: Spec, record: Record) -> Case:
    family = spec.reference.traits.family
    if family not in CASES:
        remedy = f"simulate it; known: {', '.join(CASES)}"
        raise PredictionError("reference", family, "is a family of models without a theory here", remedy)
    case = CASES[family](spec, record)
    if spec.composition.crawled is None or spec.reference.traits.has_categories:
        return case
    return CrawledCase(spec, record, case)


def _variable(name: str, known: Known, case: Case) -> dict[str, Any]:
    dims, attrs = case.described(name)
    out = {name: (dims, known.mean.values, attrs | _kind(known.mean))}
    if known.mean.error is not None:
        about = {"long_name": f"largest error of {name}, proved", "units": attrs["units"]}
        out[f"{name}_error"] = (dims, known.mean.error, about)
    if known.sd is not None:
        about = {"long_name": f"standard deviation of {name} over replicates", "units": attrs["units"]}
        out[f"{name}_sd"] = (dims, known.sd.values, about | _kind(known.sd))
    return out


def _kind(known: Predicted) -> dict[str, str]:
    return {"kind": known.kind, "statement": known.statement}


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
    case = _case(spec, record)
    if not (isinstance(case, CategoricalCase) and case.program.plain):
        kind = spec.to_dict(brief=True)["regime"]["kind"]
        remedy = "ask for it of categories under replace, or predict survivors"
        raise PredictionError("regime", kind, "does not end with one category", remedy)
    what = "probability that one category is left"
    chance = collapse(case)
    data = {"collapsed": _described(("generation",), chance, what, "1")}
    if chance.error is not None:
        about = {"long_name": "largest error of collapsed, proved", "units": "1"}
        data["collapsed_error"] = (("generation",), chance.error, about)
    time = collapse_time(case)
    if time is not None:
        what = "mean generations until one category is left"
        data["collapse_time"] = _described((), time.mean, what, "generations")
        if time.sd is not None:
            what = "standard deviation over replicates"
            data["collapse_time_sd"] = _described((), time.sd, what, "generations")
    return xr.Dataset(data, case.coords(frozenset(["generation"])), _attrs(spec, record, case))


def _described(dims: tuple[str, ...], known: Predicted, what: str, units: str) -> tuple[Any, ...]:
    return dims, known.values, {"long_name": what, "units": units, **_kind(known)}

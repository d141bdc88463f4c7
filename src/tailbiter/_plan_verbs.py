# SPDX-License-Identifier: MIT
"""The command line's verb about plans."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tailbiter._checks import check_keys, check_table
from tailbiter._document import read_toml
from tailbiter._flags import Count, SpecFlags, flag, numeric
from tailbiter.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["plan"]

ABOUT_TARGET = ("keep", "of", "at_least", "below", "generations", "probability")
ABOUT_SEARCH = ("vary", "between", "confidence", "tolerance", "most")
# In TOML, which has no None: the mean over lineages in place of a probability.
MEAN = "mean"
VARY = "regime.real"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PlanFlags:
    """What flags can say of a plan."""

    vary: Annotated[str | None, flag("Field to find: regime.real (default), samples, ...")] = None
    keep: Annotated[Count, numeric("Share to keep, such as 0.9", "SHARE")] = None
    of: Annotated[str | None, flag("categories (default), tail or coverage")] = None
    at_least: Annotated[Count, numeric("Of categories expected so often in the first sample", "COUNT")] = None
    below: Annotated[Count, numeric("Of categories expected less often than that", "COUNT")] = None
    probability: Annotated[Count, numeric("In what share of lineages (0.95)", "SHARE")] = None
    mean: Annotated[bool, flag("On average over lineages instead; theory often knows it exactly")] = False
    between: Annotated[tuple[float, float] | None, Parameter(help="Least and largest value of the field")] = (
        None
    )
    confidence: Annotated[Count, numeric("Of an interval that is simulated (0.95)", "SHARE")] = None
    tolerance: Annotated[Count, numeric("Width of such an interval, over its lower end (0.1)", "SHARE")] = (
        None
    )
    most: Annotated[Count, numeric("Most lineages at one value (2048)")] = None
    across: Annotated[str | None, flag("Again for each value of another field: samples=1000,2000")] = None

    def given(self) -> dict[str, Any]:
        """What was said."""
        names = [name for name in (*ABOUT_TARGET, *ABOUT_SEARCH) if name != "generations"]
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.across is not None:
            said["across"] = _across(self.across)
        if self.mean:
            if "probability" in said:
                problem = "cannot stand beside --mean"
                raise SpecError("--probability", said["probability"], problem, "give one of the two")
            said["probability"] = MEAN
        return said


def plan(
    spec: Annotated[Path | None, Parameter(help="A TOML file; without it, Shakespeare's words")] = None,
    /,
    *,
    flags: SpecFlags | None = None,
    asked: PlanFlags | None = None,
    threads: Annotated[int | None, numeric("By default all processors; changes no bit")] = None,
    as_json: Annotated[bool, flag("Print it as JSON", "--json")] = False,
    quiet: Annotated[bool, flag("Print nothing but errors")] = False,
) -> int:
    """Find the smallest share of human data (or samples, ...) that keeps a part of the tail.

    A Spec file may ask by a table [plan], with the names of the flags; --across makes a phase diagram.

    Example: tailbiter plan --counts words.csv --samples 2e5 --generations 1000 --keep 0.9 --at-least 20
    """
    from tailbiter.plan import Target, phase
    from tailbiter.plan import plan as find

    flags, asked = flags or SpecFlags(), asked or PlanFlags()
    by_flag = asked.given()
    said = {"vary": VARY, **_table(spec), **by_flag}
    with flags.spoken("threads"), _spoken(by_flag):
        if "keep" not in said:
            raise SpecError("--keep", None, "is missing", "say how much to keep: --keep 0.9")
        if said.get("probability") == MEAN:
            said["probability"] = None
        target = Target(**{name: said[name] for name in ABOUT_TARGET if name in said})
        rest = {name: said[name] for name in ABOUT_SEARCH if name in said}
        resolved = flags.resolve(spec)
        how: dict[str, Any] = {"target": target, "threads": threads, "progress": not quiet}
        if "across" in said:
            field = rest.pop("vary")
            _tell_phases(phase(resolved, said["across"], field, **how, **rest), as_json=as_json, quiet=quiet)
            return 0
        found = find(resolved, **how, **rest)
    if as_json:
        print(json.dumps(found.to_dict()))
    elif not quiet:
        print(found.text())
    return 0


def _across(text: str) -> dict[str, list[Any]]:
    """A field and its values, as a flag has them."""
    field, _, values = text.partition("=")
    try:
        return {field: [json.loads(value) for value in values.split(",")]}
    except ValueError:
        problem, remedy = "is not a field and its numbers", "write --across samples=1000,2000"
        raise SpecError("--across", text, problem, remedy) from None


def _tell_phases(ds: xr.Dataset, *, as_json: bool, quiet: bool) -> None:
    """Print where the boundary lies, a line for each value."""
    (field,) = ds.dims
    names = ["boundary", "boundary_low", "boundary_high", "phase", "kind"]
    columns = {str(field): ds[field].values.tolist(), **{name: ds[name].values.tolist() for name in names}}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if as_json:
        plain = [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in row.items()
            }
            for row in rows
        ]
        print(json.dumps({"y": ds.attrs["y"], "target": ds.attrs["target"], "rows": plain}))
    elif not quiet:
        print(f"{ds.attrs['y']}, {ds.attrs['target']}:", "", sep="\n")
        cells = [list(columns), *([_shown(value) for value in row.values()] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            print("  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.12g}"
    return str(value)


@contextmanager
def _spoken(by_flag: Mapping[str, Any]) -> Iterator[None]:
    """Name the flag, not the field, in an error about a value that was given by flag."""
    try:
        yield
    except SpecError as error:
        table, _, name = error.field.partition(".")
        if table != "plan" or name not in by_flag:
            raise
        field = f"--{name.replace('_', '-')}"
        raise type(error)(field, error.value, error.problem, error.remedy) from error


def _table(path: Path | None) -> dict[str, Any]:
    """The [plan] of a Spec file."""
    if path is None:
        return {}
    data, _ = read_toml(path)
    table = data.get("plan", {})
    check_table(table, "plan")
    check_keys(table, (*ABOUT_TARGET, *ABOUT_SEARCH, "across"), "plan")
    return dict(table)

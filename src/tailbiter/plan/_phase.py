# SPDX-License-Identifier: MIT
"""Where collapse begins: the boundary of a target over one field, as another varies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.errors import SpecError
from tailbiter.sweep import Range, Sweep, labels_of

from ._answer import Plan
from ._ask import finished, search_for
from ._search import Search, UnreachableError

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.spec import Spec

    from ._target import Target

__all__ = ["phase"]

ABOUT = {
    "boundary": "smallest value at which enough is kept",
    "boundary_low": "largest value shown to keep too little",
    "boundary_high": "smallest value shown to keep enough",
}


def phase(
    spec: Spec,
    x: Mapping[str, Sequence[Any] | Range],
    y: str,
    target: Target,
    *,
    between: Sequence[float] | None = None,
    confidence: float = 0.95,
    tolerance: float = 0.1,
    most: int = 2048,
    threads: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Locate the boundary of collapse: the least of one field that meets a target, for each value of another.

    Parameters
    ----------
    spec : Spec
        What would be run, but for the two fields.
    x : mapping
        The first field, by dotted name, and its values: a list or a `Range`, as for a `Sweep`.
    y : str
        The second field, whose boundary is sought, as for `plan`.
    target : Target
        What is to be kept. Categories picked by expected counts are those of each Spec along x, as it stands
        before y varies.
    between, tolerance, most, threads, progress
        As for `plan`.
    confidence : float, default 0.95
        Of all intervals together, where they are simulated.

    Returns
    -------
    xarray.Dataset
        dim: x, under its name. ``boundary``, ``boundary_low``, ``boundary_high``: the `Plan`'s value, low and
        high, in the field's own values, NaN where there is none (low: nothing is shown to keep too little);
        ``phase``: "crossed", "always" where the least there may be keeps enough, "never" where the most does
        not, "undecided" where tests do not tell whether the least does; ``kind``: "exact", "bound" or
        "simulated".

    Raises
    ------
    SpecError
        As `plan` does, but for targets that cannot be reached: those are an answer here.

    Notes
    -----
    Each search starts from where the one before ended.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(20), samples=50, generations=20)
    >>> target = tb.Target(keep=0.9, at_least=5, probability=None)
    >>> ds = tb.phase(spec, {"generations": [5, 10, 20]}, "regime.real", target)
    >>> ds.boundary.values.tolist()
    [0.0, 0.04, 0.04]
    """
    import xarray as xr

    sweep = Sweep(spec, vary=x)  # type: ignore[arg-type]  # normalised
    if len(sweep.names) != 1:
        raise SpecError("phase.x", list(sweep.names), "is not one field", "give one field and its values")
    name = sweep.names[0]
    if name == y:
        raise SpecError("phase.y", y, "is the field along x, too", "give another")
    found: list[Plan | None] = []
    kinds: list[str] = []
    near: float | None = None
    for index, cell in enumerate(sweep.cells()):
        # How long a run is has no part in its random words: each length gets lineages of its own, so that
        # verdicts do not depend on what led to the levels they are about.
        seed = (spec.seed + index) % 2**63 if name == "generations" else spec.seed
        search = search_for(
            cell.spec.replace(seed=seed),
            y,
            target,
            between=between,
            confidence=1 - (1 - confidence) / len(sweep),
            tolerance=tolerance,
            most=most,
            threads=threads,
            progress=progress,
        )
        search.start = _near(search, near)
        try:
            made = finished(search)
        except UnreachableError as error:
            found.append(None)
            kinds.append(error.kind)
            continue
        found.append(made)
        kinds.append(made.kind)
        near = float(made.value)
    coords = {name: labels_of(sweep.columns[name])}
    data = {
        key: (name, values, {"long_name": ABOUT.get(key, key), "units": "1"})
        for key, values in _columns(found, kinds)
    }
    said = target.text(target.generations or (None if name == "generations" else spec.generations))
    attrs = {"spec": spec.to_json(brief=True), "y": y, "target": said, "confidence": confidence}
    return xr.Dataset(data, coords, attrs)


def _near(search: Search, value: float | None) -> int | None:
    return None if value is None else search.axis.level(value)


def _phase_of(found: Plan | None) -> str:
    if found is None:
        return "never"
    if found.low is not None:
        return "crossed"
    return "always" if found.high == found.least else "undecided"


def _columns(found: Sequence[Plan | None], kinds: Sequence[str]) -> list[tuple[str, Any]]:
    def ends(name: str) -> Any:
        values = [None if one is None else getattr(one, name) for one in found]
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    return [
        ("boundary", ends("value")),
        ("boundary_low", ends("low")),
        ("boundary_high", ends("high")),
        ("phase", [_phase_of(one) for one in found]),
        ("kind", list(kinds)),
    ]

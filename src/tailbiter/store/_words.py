# SPDX-License-Identifier: MIT
"""What common random numbers save, measured in a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.errors import SpecError

from ._lazy import open_sweep
from ._store import Store

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["variance_saved"]


def variance_saved(
    directory: str | os.PathLike[str], variable: str = "survivors", *, generation: int | None = None
) -> xr.Dataset:
    """Measure how much less differences between neighbouring cells vary than those of independent cells.

    For two cells with values x and y, replicate by replicate, ``1 - Var(x - y)/(Var x + Var y)``: 0 where
    replicates of the same number have nothing in common, near 1 where shared words make them alike, and
    negative where they pull apart. Cells that save a share s of the variance tell a difference as well as
    ``1/(1 - s)`` times as many replicates would without shared words.

    Parameters
    ----------
    directory : path
        The store of a product sweep; one without common random numbers shows the scatter around 0.
    variable : str, default "survivors"
        What is compared: a variable without dims of its own beside replicate and generation.
    generation : int, optional
        When; the last recorded one if left out.

    Returns
    -------
    xarray.Dataset
        dim ``field``: ``saved``, the median over pairs of neighbours along each swept field; ``least`` and
        ``most``, over the same; ``pairs``, how many are there and vary.

    Raises
    ------
    SpecError
        For a design without neighbours, an unknown variable or generation, and fewer than two replicates.

    Examples
    --------
    >>> import tailbiter as tb, tempfile, pathlib
    >>> base = tb.Spec(reference=tb.Zipf(50), regime=tb.Anchored(real=0.1), samples=100, generations=5)
    >>> sweep = tb.Sweep(base, vary={"regime.real": [0.1, 0.11, 0.12]}, common_random_numbers=True)
    >>> where = tb.run_sweep(sweep, pathlib.Path(tempfile.mkdtemp()) / "sweep").path
    >>> variance_saved(where).pairs.values.tolist()
    [2]
    """
    import xarray as xr

    sweep = Store(directory).sweep
    if sweep.design != "product":
        raise SpecError("sweep.design", sweep.design, "has no neighbours to compare", "sweep a product")
    values = _values(open_sweep(directory), variable, generation)
    if values.sizes["replicate"] < 2:
        problem = "replicate does not vary"
        raise SpecError("replicates", values.sizes["replicate"], problem, "run two or more of every cell")
    found = [_of_pairs(values, name) for name in sweep.names]
    empty = [np.array([np.nan]) if not len(pairs) else pairs for pairs in found]
    data = {
        "saved": _described([np.median(pairs) for pairs in empty], "variance saved, median over neighbours"),
        "least": _described([pairs.min() for pairs in empty], "the same, least"),
        "most": _described([pairs.max() for pairs in empty], "the same, most"),
        "pairs": _described([len(pairs) for pairs in found], "pairs of neighbours that vary"),
    }
    attrs = {"variable": variable, "generation": int(values["generation"])}
    attrs["common_random_numbers"] = int(sweep.common_random_numbers)
    return xr.Dataset(data, {"field": list(sweep.names)}, attrs)


def _described(values: list[Any], said: str) -> tuple[str, np.ndarray, dict[str, str]]:
    return "field", np.array(values), {"long_name": said, "units": "1"}


def _values(ds: xr.Dataset, variable: str, generation: int | None) -> xr.DataArray:
    """The variable at one generation, replicates last."""
    plain = [str(name) for name, array in ds.items() if array.dims[-2:] == ("replicate", "generation")]
    if variable not in plain:
        raise SpecError("variable", variable, "is not in the store", f"give one of {', '.join(plain)}")
    recorded = ds["generation"].values
    when = int(recorded[-1]) if generation is None else generation
    if when not in recorded:
        problem = f"was not recorded of {variable}"
        raise SpecError("generation", when, problem, f"give one such as {int(recorded[-1])}")
    return ds[variable].sel(generation=when).load().astype(np.float64)


def _of_pairs(values: xr.DataArray, field: str) -> np.ndarray:
    """The share saved, of every pair of neighbours along a field; those that do not vary are left out."""
    along = values.get_axis_num(field)
    array = np.moveaxis(values.values, along, 0)
    spread = array.var(axis=-1, ddof=1)
    apart = np.diff(array, axis=0).var(axis=-1, ddof=1)
    alone = spread[:-1] + spread[1:]
    varies = np.isfinite(alone) & (alone > 0)
    return np.asarray(1.0 - apart[varies] / alone[varies])

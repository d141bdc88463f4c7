# SPDX-License-Identifier: MIT
"""What follows from the recorded models of a mixture, as densities.

How much of the reference they cover, how much of them the reference does not know, and how likely they find
data that none was trained on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._checks import whole, within
from tailbiter.errors import DataError, SpecError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["density_coverage", "held_out_log_likelihood"]

Floats = npt.NDArray[np.float64]
Law = tuple[Floats, Floats, Floats]

PARAMETERS = ("weights", "means", "factors")
LEAST_TAIL = 20  # points beyond a threshold: with fewer, its standard error says little
MOST_POINTS = 10**7
_EPSILON = "give a mass such as 0.01"
_POINTS = "give a number such as 4096"
_LOG_2PI = float(np.log(2 * np.pi))


def density_coverage(
    ds: xr.Dataset, *, epsilon: float = 0.01, points: int = 4096, seed: int = 1851
) -> xr.Dataset:
    """Compare every recorded model of a mixture with the reference, both ways, by regions of highest density.

    The region of a law holds the mass ``1 - epsilon``, and no point outside it has a higher density than one
    inside (Hyndman 1996, doi:10.2307/2684423).

    Parameters
    ----------
    ds : xarray.Dataset
        A run of a mixture that recorded weights, means and factors; some of its rows are enough.
    epsilon : float, default 0.01
        Mass outside a region, above 0 and below 1.
    points : int, default 4096
        Items drawn from each law, by address, the same words for all: 20 of them or more must be expected
        outside a region.
    seed : int, default 1851
        Of these draws, which have nothing to do with the run's own.

    Returns
    -------
    xarray.Dataset
        dims of the run's rows. ``coverage``: reference mass inside the model's region, ``1 - epsilon`` for
        the reference itself; ``outside``: model mass outside the reference's region, ``epsilon`` for the
        reference itself. ``coverage_se`` and ``outside_se`` are their standard errors: of a share of so many
        points, and of the threshold that bounds the region, itself a quantile of so many.

    Raises
    ------
    SpecError
        For a run of other models, one that did not record them, and numbers that cannot be used.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.GaussianMixture([0.9, 0.1], [0.0, 50.0], [1.0, 1.0])
    >>> spec = tb.Spec(reference=law, samples=20, generations=100, replicates=2)
    >>> record = tb.Record(generations=[0, 100], variables=["weights", "means", "factors"])
    >>> found = tb.density_coverage(tb.simulate(spec, record=record))
    >>> bool(abs(found.coverage.sel(generation=0) - 0.99).max() < 5 * found.coverage_se.max())
    True
    """
    import xarray as xr

    epsilon = within(epsilon, "epsilon", 0.0, 1.0, _EPSILON)
    points = whole(points, "points", 1, MOST_POINTS, _POINTS)
    seed = whole(seed, "seed", 0, 2**63 - 1, "give a whole number such as 1851")
    if min(epsilon, 1 - epsilon) * points < LEAST_TAIL:
        problem = f"leave fewer than {LEAST_TAIL} on one side of a threshold at epsilon = {epsilon:g}"
        raise SpecError("points", points, problem, "give more points, or an epsilon nearer to 0.5")
    models = _Models.of(ds)
    reference = _Region(models.reference, models.covariance, points, epsilon, seed, "fresh")
    rows = [
        _both_ways(reference, _Region(law, models.covariance, points, epsilon, seed, "synthetic"))
        for law in models.laws()
    ]
    values = np.array(rows).reshape(*models.shape, 4)
    described = {
        "coverage": "reference mass inside the model's region of highest density",
        "coverage_se": "standard error of coverage",
        "outside": "model mass outside the reference's region of highest density",
        "outside_se": "standard error of outside",
    }
    data = {
        name: (models.dims, values[..., index], {"long_name": long_name, "units": "1"})
        for index, (name, long_name) in enumerate(described.items())
    }
    coords = {name: coord for name, coord in ds.coords.items() if set(coord.dims) <= set(models.dims)}
    return xr.Dataset(data, coords, {"epsilon": epsilon, "points": points, "seed": seed})


def held_out_log_likelihood(
    ds: xr.Dataset,
    held_out: str | os.PathLike[str] | npt.ArrayLike,
    columns: str | int | Sequence[str | int] | None = None,
) -> xr.DataArray:
    """Mean log-likelihood of held-out data under every recorded model of a mixture.

    Parameters
    ----------
    ds : xarray.Dataset
        A run of a mixture that recorded weights, means and factors; some of its rows are enough.
    held_out : path or array, shape [n, d]
        Human data that no model was trained on, as `GaussianMixture.fit` takes them.
    columns : str or int, or a sequence of them, optional
        Columns by name or by number from 0, in the order of the reference's dimensions; all columns of
        numbers if left out.

    Returns
    -------
    xarray.DataArray
        dims of the run's rows, in nats an item.

    Raises
    ------
    DataError
        For a table that cannot be used: a missing number, other dimensions than the reference's.
    SpecError
        For a run of other models, and one that did not record them.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.GaussianMixture([0.5, 0.5], [0.0, 50.0], [1.0, 1.0])
    >>> spec = tb.Spec(reference=law, samples=20, generations=30, replicates=1)
    >>> record = tb.Record(generations=[0, 30], variables=["weights", "means", "factors"])
    >>> found = tb.held_out_log_likelihood(tb.simulate(spec, record=record), [[0.0], [50.0]])
    >>> round(float(found.sel(generation=0).item()), 3)  # log(0.5) - log(2 pi) / 2
    -1.612
    """
    import xarray as xr

    from tailbiter._core import em

    models = _Models.of(ds)
    rows = _held_out_rows(held_out, columns, models.reference[1].shape[1])
    fitter = em.Fitter(rows)
    values = np.array([fitter.score(law, models.covariance) for law in models.laws()])
    coords = {name: coord for name, coord in ds.coords.items() if set(coord.dims) <= set(models.dims)}
    about = {"long_name": "mean log-likelihood of held-out items", "units": "nats", "items": len(rows)}
    return xr.DataArray(
        values.reshape(models.shape), coords, models.dims, name="held_out_log_likelihood", attrs=about
    )


def _held_out_rows(held_out: Any, columns: Any, d: int) -> Floats:
    from tailbiter.reference._covariance import refuse_numbers
    from tailbiter.reference._matrix import as_matrix
    from tailbiter.reference._mixture import MOST

    rows = as_matrix(held_out, columns)
    n, found = rows.values.shape
    if found != d:
        problem = f"column{'s' * (found != 1)} cannot be held out for a reference in {d} dimensions"
        raise DataError(str(rows.path), found, problem, "name the columns that the reference was fitted to")
    if not n:
        raise DataError(str(rows.path), n, "rows are no held-out data", "give at least one row")
    refuse_numbers(rows, MOST)
    return rows.values


@dataclass(frozen=True)
class _Models:
    """The recorded laws of a run, and the reference.

    Attributes
    ----------
    dims, shape : tuple
        Of the rows.
    arrays : list of float64
        Weights, means and factors, one law a row, as `GaussianMixture` has them.
    reference : tuple of the same three
        Generation 0.
    covariance : str
        Type of the covariances.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: list[Floats]
    reference: Law
    covariance: str

    @classmethod
    def of(cls, ds: xr.Dataset) -> _Models:
        """Return what a run recorded, or raise a SpecError."""
        from tailbiter.spec import Spec

        if ds.attrs.get("family") != "mixture":
            problem = "is not the family of a run of a mixture"
            raise SpecError("ds", ds.attrs.get("family"), problem, "give a Dataset as simulate returned it")
        missing = [name for name in PARAMETERS if name not in ds]
        if missing:
            remedy = f'run it with Record(variables=[..., "{missing[0]}"])'
            raise SpecError("ds", missing[0], "was not recorded", remedy)
        reference: Any = Spec.from_json(ds.attrs["spec"]).reference
        law = (reference.weight_vector, reference.mean_matrix, reference.factors)
        *dims, _ = ds["weights"].dims
        shape = ds["weights"].shape[:-1]
        arrays = [
            np.ascontiguousarray(ds[name].transpose(*dims, ...).values).reshape(-1, *of.shape)
            for name, of in zip(PARAMETERS, law, strict=True)
        ]
        return cls(tuple(map(str, dims)), shape, arrays, law, reference.covariance)

    def laws(self) -> list[Law]:
        """One law after the other, row by row."""
        weights, means, factors = self.arrays
        return list(zip(weights, means, factors, strict=True))


class _Region:
    """A law, points drawn from it, and the log-density that bounds its region, with the two beside it.

    Parameters
    ----------
    law : tuple of arrays
        Weights, means and factors.
    covariance : str
        Type of the covariances.
    points : int
        Points to draw.
    epsilon : float
        Mass outside the region.
    seed : int
        Key of the draws.
    purpose : str
        What the draws are for: those of reference and models are independent.
    """

    def __init__(
        self, law: Law, covariance: str, points: int, epsilon: float, seed: int, purpose: str
    ) -> None:
        from tailbiter._core import mixture

        self._law, self._covariance = law, covariance
        self.points, _ = mixture.sample(points, law, covariance, seed, 0, 0, purpose)
        se = np.sqrt(epsilon * (1 - epsilon) / points)
        ranks = np.floor(points * np.array([epsilon, epsilon - se, epsilon + se])).astype(int)
        ranks = np.clip(ranks, 0, points - 1)
        self.bounds = np.sort(self.log_density(self.points))[ranks]

    def log_density(self, points: Floats) -> Floats:
        """Logarithm of the density at points; shape [n]."""
        weights, means, _ = self._law
        lower = _lower(self._law, self._covariance)
        terms = np.full((len(weights), len(points)), -np.inf)
        for k in np.flatnonzero(weights):
            z = (points - means[k]) @ np.linalg.inv(lower[k]).T
            widths = np.log(np.diagonal(lower[k])).sum()
            terms[k] = np.log(weights[k]) - widths - (z**2).sum(axis=1) / 2
        return np.asarray(np.logaddexp.reduce(terms, axis=0) - points.shape[1] * _LOG_2PI / 2)


def _lower(law: Law, covariance: str) -> Floats:
    """Lower factors of all components; shape [K, d, d]."""
    _, means, factors = law
    components, d = means.shape
    out = np.zeros((components, d, d))
    if covariance in ("spherical", "diagonal"):
        out[:, range(d), range(d)] = factors
    else:
        out[:, *np.tril_indices(d)] = factors
    return out


def _both_ways(reference: _Region, model: _Region) -> tuple[float, float, float, float]:
    """Coverage and mass outside, each with its standard error."""
    coverage, coverage_se = _mass_inside(reference.points, model)
    inside, outside_se = _mass_inside(model.points, reference)
    return coverage, coverage_se, 1 - inside, outside_se


def _mass_inside(points: Floats, region: _Region) -> tuple[float, float]:
    """Share of points inside a region, and its standard error: of the share, and of the region's bound."""
    density = region.log_density(points)
    share, wider, narrower = ((density >= bound).mean() for bound in region.bounds)
    variance = share * (1 - share) / len(points) + ((wider - narrower) / 2) ** 2
    return float(share), float(np.sqrt(variance))

# SPDX-License-Identifier: MIT
"""What theory knows of a Gaussian run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import FAMILIES
from tailbiter.dataset import generation_coord
from tailbiter.errors import PredictionError, SpecError
from tailbiter.theory import Predicted, gaussian
from tailbiter.theory._result import Floats

from ._known import SIMULATE, Known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailbiter.record import Record
    from tailbiter.spec import Spec

__all__ = ["GaussianCase"]


class GaussianCase:
    """A Spec, and what several variables need of its theory."""

    def __init__(self, spec: Spec, record: Record) -> None:
        reference: Any = spec.reference
        self.made = spec.composition
        self.ddof = int(getattr(spec.estimator, "ddof", None) or 0)
        self.at = record.at(spec.generations)
        self.names = record.names_of("gaussian")
        d = len(reference.mean_vector)
        self._lower = np.zeros((d, d))
        self._lower[np.tril_indices(d)] = reference.factor

    @property
    def dimension(self) -> int:
        """d."""
        return len(self._lower)

    @cached_property
    def trace(self) -> float:
        """Trace of the reference's covariance."""
        return float(np.sum(self._lower**2))

    @cached_property
    def log_det(self) -> float:
        """Log-determinant of the reference's covariance."""
        return 2.0 * float(np.sum(np.log(np.diag(self._lower))))

    @cached_property
    def eigenvalues(self) -> Floats:
        """Eigenvalues of the reference's covariance."""
        return np.asarray(np.linalg.svd(self._lower, compute_uv=False) ** 2)

    @cached_property
    def spread(self) -> gaussian.Spread:
        """Expected covariance over the reference's, and drift of the mean."""
        try:
            return gaussian.spread(self.made, self.ddof, self.at)
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error

    def batches(self, what: str) -> npt.NDArray[np.int64]:
        """Sizes of the batches, where each generation is fitted to its own, of more items than dimensions."""
        try:
            sizes = gaussian.refits(self.made, what).astype(np.int64)
        except SpecError as error:
            raise PredictionError(error.field, error.value, error.problem, SIMULATE) from error
        if sizes.min() <= self.dimension:
            problem = f"are too few for {self.dimension} dimensions: the covariance is singular at once"
            raise PredictionError("samples", int(sizes.min()), problem, SIMULATE)
        return sizes

    @cached_property
    def refitted(self) -> gaussian.LogDet:
        """Log-determinant over the reference's."""
        sizes = self.batches("the log-determinant")
        return gaussian.log_det(sizes, self.ddof, self.at, dimensions=self.dimension)

    def known(self, name: str) -> Known:
        """Return what theory knows of a variable."""
        if name not in KNOWN:
            raise PredictionError("record.variables", name, "has no known mean", SIMULATE)
        return KNOWN[name](self)

    def described(self, name: str) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return dims and attributes of a variable."""
        variable = FAMILIES["gaussian"].known[name]
        attrs: dict[str, Any] = {"long_name": variable.long_name, "units": variable.units}
        if name in ("squared_mean_error", "w2_squared", "kl"):
            attrs["valid_min"] = 0.0
        return ("generation",) if variable.dim is None else ("generation", variable.dim), attrs

    def coords(self, dims: frozenset[str]) -> Mapping[str, Any]:
        """Return the coordinates of these dims."""
        del dims  # nothing that is known has another
        return generation_coord(self)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Size of the reference."""
        return {"dimensions": self.dimension, "first_sample": int(self.made.samples[0])}


def _log_det(case: GaussianCase) -> Known:
    found = case.refitted
    mean = Predicted(case.log_det + found.values, found.kind, found.statement)
    return Known(mean, Predicted(np.sqrt(found.variance), found.kind, found.statement))


def _log_trace(case: GaussianCase) -> Known:
    if case.dimension > 1:
        raise PredictionError(
            "reference.dimensions", case.dimension, "leave log_trace without a known mean", SIMULATE
        )
    return _log_det(case)


def _squared_mean_error(case: GaussianCase) -> Known:
    drift = case.spread.drift * case.trace
    return Known(Predicted(drift, case.spread.kind, "E |mu_t - mu_0|^2, any regime linear in its sources"))


def _w2_squared(case: GaussianCase) -> Known:
    sizes = case.batches("the Wasserstein distance")
    return Known(gaussian.wasserstein(sizes, case.ddof, case.at, variances=case.eigenvalues))


def _kl(case: GaussianCase) -> Known:
    """``KL = (tr(S0^-1 S_t) - d + |mu_t - mu_0|^2 in units of S0 - ln det(S0^-1 S_t)) / 2``, term by term."""
    d, found = case.dimension, case.refitted
    mean = (d * (case.spread.values - 1.0) + d * case.spread.drift - found.values) / 2.0
    return Known(Predicted(mean, "exact", f"E KL(p_t || q), term by term; {found.statement}"))


KNOWN: dict[str, Callable[[GaussianCase], Known]] = {
    "log_det": _log_det,
    "log_trace": _log_trace,
    "squared_mean_error": _squared_mean_error,
    "w2_squared": _w2_squared,
    "kl": _kl,
}

# SPDX-License-Identifier: MIT
"""What follows from the recorded parameters of a mixture, in sums whose order is no library's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tailbiter.families.mixture import MixtureProgram

__all__ = ["DERIVED", "component_log_det", "component_mean_error", "weight_drift"]

Floats = npt.NDArray[np.float64]


def weight_drift(program: MixtureProgram, weights: Floats) -> Floats:
    """Total variation between weights and the reference's; [rows, generations] of [..., K]."""
    drift = np.zeros(weights.shape[:-1])
    for k, weight in enumerate(program.weights):
        drift += np.abs(weights[..., k] - weight)
    return drift / 2


def component_mean_error(program: MixtureProgram, means: Floats) -> Floats:
    """Squared distances of means from the reference's; [..., K] of [..., K, d]."""
    error = np.zeros(means.shape[:-1])
    for i in range(program.dimension):
        error += (means[..., i] - program.means[:, i]) ** 2
    return error


def component_log_det(program: MixtureProgram, factors: Floats) -> Floats:
    """Log-determinants of the covariances; [..., K] of factors as the engine records them."""
    from tailbiter._core import fmath

    d, kind = program.dimension, program.covariance
    corners = np.cumsum(np.arange(1, d + 1)) - 1
    diagonal = factors if kind in ("spherical", "diagonal") else factors[..., corners]
    logs = fmath.log_array(np.ascontiguousarray(diagonal).ravel()).reshape(diagonal.shape)
    total = np.zeros(diagonal.shape[:-1])
    for i in range(d):
        total += logs[..., 0 if kind == "spherical" else i]
    return np.broadcast_to(2 * total, (*factors.shape[:-2], program.components)).copy()


DERIVED = {
    "weight_drift": weight_drift,
    "component_mean_error": component_mean_error,
    "component_log_det": component_log_det,
}
"""What is worked out from the variable of the engine that it comes from."""

# SPDX-License-Identifier: MIT
"""Mixtures of users' laws, fitted to a table that no model goes before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tailbiter._core import em
from tailbiter._core import item as core
from tailbiter.jit._mixture import Fit, Law, MixtureModel

if TYPE_CHECKING:
    from tailbiter.jit._family import Family

__all__ = ["best_law"]

Floats = npt.NDArray[np.float64]

_TOLERANCE, _ITERATIONS = 1e-6, 1000  # a reference is fitted once, and closely
_STEPS = 20  # of a fit to a cluster, which may itself be a step


def best_law(
    laws: Family, rows: Floats, components: int, *, seed: int, starts: int, floor: float
) -> Law | None:
    """Fit from several sets of k-means++ seeds, and return the law of largest likelihood.

    Parameters
    ----------
    laws : Family
        Of the components.
    rows : float64[n, d]
        Items.
    components : int
        How many.
    seed, starts : int
        Of the seeds, and how many sets of them.
    floor : float
        Of the fits.

    Returns
    -------
    Law or None
        Components from large to small; None if one died in every fit.
    """
    found = [_fitted(laws, rows, components, seed, start, floor) for start in range(starts)]
    alive = [(fit.log_likelihood, law) for law, fit in found if law.weights.all()]
    if not alive:
        return None
    law = max(alive, key=lambda one: one[0])[1]
    order = np.argsort(-law.weights, kind="stable")
    return Law(law.weights[order], law.parameters[order])


def _fitted(
    laws: Family, rows: Floats, components: int, seed: int, start: int, floor: float
) -> tuple[Law, Fit]:
    cluster = np.zeros(len(rows), np.int64)
    if components > 1:
        means = em.Fitter(rows).seed(components, "spherical", seed, replicate=start, floor=floor)[1]
        cluster = ((rows[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    x = rows[:, 0].copy() if laws.dimension == 1 else rows
    first = Law(np.ones(1), np.array([list(laws.parameters.values())]))
    weights = np.bincount(cluster, minlength=components) / len(rows)
    parameters = np.repeat(first.parameters, components, axis=0)
    alone = MixtureModel(laws, first, (floor, _TOLERANCE, _STEPS))
    for k in np.flatnonzero(weights):
        parameters[k] = _improved(alone, first, x[cluster == k])[0].parameters[0]
    law = Law(weights, parameters)
    return _improved(MixtureModel(laws, law, (floor, _TOLERANCE, _ITERATIONS)), law, x)


def _improved(model: MixtureModel, law: Law, x: Floats) -> tuple[Law, Fit]:
    return model.fit(law, np.ascontiguousarray(x), np.ones(len(x)), "a fit to the table", core.Control())

# SPDX-License-Identifier: MIT
"""A kernel density: points, smoothed by a normal kernel."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._checks import SET, is_list, number
from ..errors import SpecError
from ._covariance import Floats, frozen, list_of, plain
from ._mixture import Row
from ._support import Reference
from ._traits import KDE as KDE_TRAITS
from ._traits import Traits

MAX_NUMBERS = 100_000
MAX_DIMENSIONS = 32
_LARGEST = 1e100
_POINTS = "give a list of numbers, or a list of points, each a list of numbers"
_BANDWIDTH = "give a standard deviation, or one for each dimension"


class KDE(Reference, frozen=True, tag="kde"):
    """A kernel density; its models are their training sets, smoothed by a normal kernel.

    An item is a point of the model's, each as likely, and a normal step. How wide models' kernels are is the
    estimator's to say: `Smoothing`.

    Parameters
    ----------
    points : sequence of float, shape [n], or of such sequences, shape [n, d]
        Up to 100,000 numbers, in 1 to 32 dimensions.
    bandwidth : float or sequence of float, shape [d]
        Standard deviation of the reference's own kernel, not negative. One point and a bandwidth are a normal
        law.

    Raises
    ------
    SpecError
        For points that are not finite, and shapes that do not agree.

    Notes
    -----
    A model is as large as its training set. Draws from a pool make past items again from the training sets
    that they came from, which are kept: O(pool) in memory.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = KDE([0.0, 1.0, 5.0], bandwidth=0.5)
    >>> spec = tb.Spec(reference=law, estimator=tb.Smoothing(0.5), samples=50, generations=5, replicates=2)
    >>> tb.simulate(spec).variance.dims
    ('replicate', 'generation', 'dimension')
    """

    points: tuple[Row, ...]
    bandwidth: Row

    def __post_init__(self) -> None:
        SET(self, "points", _as_points(plain(self.points)))
        width = plain(self.bandwidth)
        widths = list_of(width, self.size, "reference.bandwidth", _BANDWIDTH) if is_list(width) else [width]
        values = tuple(number(item, "reference.bandwidth", _BANDWIDTH) for item in widths)
        for value in values:
            if not 0 <= value <= _LARGEST:
                raise SpecError("reference.bandwidth", value, "is outside 0 to 1e100", _BANDWIDTH)
        SET(self, "bandwidth", values if len(values) == self.size else values * self.size)

    @property
    def traits(self) -> Traits:
        """What a Spec must know of kernel densities."""
        return KDE_TRAITS

    @property
    def size(self) -> int:
        """Number of dimensions, d."""
        return len(self.points[0])

    @cached_property
    def table(self) -> Floats:
        """The points; float64[n, d]."""
        return frozen(np.array(self.points))

    def __repr__(self) -> str:
        if len(self.points) * self.size <= 6:
            return f"KDE({self.points}, {self.bandwidth})"
        return f"<KDE: {len(self.points):,} points, {self.size} dimension{'s' * (self.size != 1)}>"


def _as_points(value: object) -> tuple[Row, ...]:
    field = "reference.points"
    if not is_list(value) or not value:
        raise SpecError(field, value, "is not a list of points", _POINTS)
    rows = [plain(row) for row in value]
    if not any(is_list(row) for row in rows):
        rows = [[item] for item in rows]  # one dimension
    d = len(rows[0]) if is_list(rows[0]) else 0
    if not 1 <= d <= MAX_DIMENSIONS or len(rows) * d > MAX_NUMBERS:
        problem = f"points in {d} dimensions are more than {MAX_NUMBERS:,} numbers, or dimensions than 32"
        raise SpecError(field, len(rows), problem, "give fewer")
    out = tuple(
        tuple(
            number(item, f"{field}[{k}][{i}]", _POINTS)
            for i, item in enumerate(list_of(row, d, f"{field}[{k}]", _POINTS))
        )
        for k, row in enumerate(rows)
    )
    for k, row in enumerate(out):
        if max(map(abs, row)) > _LARGEST:
            raise SpecError(f"{field}[{k}]", list(row), "is beyond 1e100", "measure in larger units")
    return out

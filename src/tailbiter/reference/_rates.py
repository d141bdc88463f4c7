# SPDX-License-Identifier: MIT
"""Laws with one parameter, their mean, that are fitted by a sum: Poisson and exponential."""

from __future__ import annotations

from .._checks import SET, within
from ._support import Reference
from ._traits import EXPONENTIAL, Traits, poisson_traits

_RATES = (1e-100, 1e6)
_SCALES = (1e-100, 1e100)


class Poisson(Reference, frozen=True, tag="poisson"):
    """Counts of independent events; models are Poisson laws fitted by the mean count.

    A batch of n items is one draw, the sum of its counts: Poisson(n rate). A training set without any event
    fits a rate of 0, from which there is no way back without human data.

    Parameters
    ----------
    rate : float
        Mean count of an item, from 1e-100 to 1e6.

    Raises
    ------
    SpecError
        For a rate outside this range.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=Poisson(0.1), samples=20, generations=50, replicates=8)
    >>> bool(tb.simulate(spec)["absorbed"].sel(generation=50).mean() > 0.5)
    True
    """

    rate: float

    def __post_init__(self) -> None:
        remedy = "give a mean count such as 2.5"
        SET(self, "rate", within(self.rate, "reference.rate", *_RATES, remedy))

    @property
    def traits(self) -> Traits:
        """What a Spec must know of Poisson laws."""
        return poisson_traits(self.rate)

    @property
    def mean(self) -> float:
        """The rate."""
        return self.rate


class Exponential(Reference, frozen=True, tag="exponential"):
    """Waiting times without memory; models are exponential laws fitted by the mean time.

    A batch of n items is one draw, their sum: the scale times Gamma(n). Under `Replace` the scale decays
    geometrically, and is followed far below the range of doubles.

    Parameters
    ----------
    scale : float, default 1.0
        Mean, one over the rate, from 1e-100 to 1e100.

    Raises
    ------
    SpecError
        For a scale outside this range.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=Exponential(2.0), samples=1, generations=5000, replicates=8)
    >>> ds = tb.simulate(spec)
    >>> bool((ds["log_scale"].sel(generation=5000) < -2000).all())
    True
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        remedy = "give a mean such as 1.0"
        SET(self, "scale", within(self.scale, "reference.scale", *_SCALES, remedy))

    @property
    def traits(self) -> Traits:
        """What a Spec must know of exponential laws."""
        return EXPONENTIAL

    @property
    def mean(self) -> float:
        """The scale."""
        return self.scale

# SPDX-License-Identifier: MIT
"""How a model is fitted to its training set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from ._checks import SET, as_dict, choice, number, whole, with_article, within
from .errors import SpecError

if TYPE_CHECKING:
    from ._compose import Composition
    from .reference import Traits

__all__ = ["EM", "MLE"]

_DIVISOR = "give 0 (maximum likelihood) or 1 (unbiased for one sample)"
_TOLERANCE = "give a change of the mean log-likelihood such as 1e-3"
_ITERATIONS = "give a number of iterations such as 100"
_FLOOR = "give a variance such as 1e-6, in squared units of the data"
_MOST_ITERATIONS = 10**6
FLOORS = (1e-18, 1e18)
STARTS = ("warm", "kmeans++")


class MLE(msgspec.Struct, frozen=True, tag_field="kind", tag="mle"):
    """Maximum likelihood: what was seen, as often as it was seen.

    Parameters
    ----------
    ddof : {0, 1}, optional
        For Gaussians only: the fitted covariance divides by ``n - ddof``. 0, which it is if left out, is
        maximum likelihood; 1 divides by ``n - 1``, which is unbiased for one sample. Under weights of items
        w the divisor is ``sum w - ddof * sum w^2 / sum w``.

    Raises
    ------
    SpecError
        For another value, and in a Spec whose models have no such divisor.

    Notes
    -----
    The two are mixed silently in the literature's code, and part at once: 100 generations of 100 samples
    leave 37 % of the variance with the one, and all of it, in the mean, with the other.

    Examples
    --------
    >>> import tailbiter as tb
    >>> tb.Spec(reference=tb.Gaussian()).estimator
    MLE(ddof=0)
    """

    ddof: int | None = None

    def __post_init__(self) -> None:
        if self.ddof is not None:
            SET(self, "ddof", whole(self.ddof, "estimator.ddof", 0, 1, _DIVISOR))

    def of(self, traits: Traits) -> MLE:
        """Return it with the defaults of a family of models.

        Raises
        ------
        SpecError
            If the family's fit has no divisor, and one was given.
        """
        if traits.has_ddof:
            return MLE(self.ddof or 0)
        if self.ddof is not None:
            problem = f"is a divisor that the fit of {with_article(traits.family)} reference does not have"
            raise SpecError("estimator.ddof", self.ddof, problem, "leave it out")
        return self

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None for the default, which a Spec's identity leaves out."""
        return {"kind": "mle", "ddof": self.ddof} if self.ddof else None

    def check(self, composition: Composition) -> None:
        """Refuse a divisor of zero: ``ddof=1`` and a training set of one item."""
        if not self.ddof:
            return
        sizes = _least_training_sets(composition)
        alone = np.flatnonzero(sizes == 1)
        if alone.size:
            problem = f"divides by zero: the training set of generation {int(alone[0]) + 1} is one item"
            raise SpecError("estimator.ddof", self.ddof, problem, "give more samples, or ddof = 0")


def _least_training_sets(made: Composition) -> npt.NDArray[np.uint64]:
    """Items that train each generation, as long as it is trained on one batch; those of weight 0 left out."""
    if made.draw is not None:
        return made.draw[:-1]
    if made.item_weights is not None:
        counts = np.stack([made.samples - made.fresh - made.from_kept, made.fresh, made.from_kept], axis=1)
        counts[0] = made.samples[0], 0, 0
        return np.where(made.item_weights > 0, counts, 0).sum(axis=1, dtype=np.uint64)[:-1]
    older = np.flatnonzero(made.ages[1:])
    alone = 1 + int(older[0]) if older.size else len(made.samples) - 1
    return made.samples[: alone if made.ages.size else 1]


class EM(msgspec.Struct, frozen=True, tag_field="kind", tag="em"):
    """Expectation and maximisation: how the models of a `GaussianMixture` are fitted.

    The type of the covariances is the reference's.

    Parameters
    ----------
    tolerance : float, default 1e-3
        Iterations end when the mean log-likelihood of an item changes by less, in nats; not negative.
    iterations : int, default 100
        At most so many a generation, from 1 to 1e6.
    floor : float, default 1e-6
        Variance added to the diagonal of every fitted covariance, in squared units of the data, from 1e-18 to
        1e18: a component of one item, or of equal ones, is left with this width.
    start : {"warm", "kmeans++"}, default "warm"
        Where the fit of a generation begins: at the model that its batch was drawn from, so that components
        keep their identity (generation 1 at the reference); or at clusters found anew, without identity.

    Raises
    ------
    SpecError
        For another value, and in a Spec whose models are not mixtures.

    Notes
    -----
    Dempster, Laird & Rubin 1977; k-means++ after Arthur & Vassilvitskii 2007. Tolerance, iterations and floor
    are scikit-learn's defaults. The floor is added at every generation anew: under `Replace` variances gain
    that much each time, beside what they lose. A component whose weight falls below 2^-53 is dead, and stays
    so under a warm start.

    Examples
    --------
    >>> EM(iterations=20)
    EM(tolerance=0.001, iterations=20, floor=1e-06, start='warm')
    """

    tolerance: float = 1e-3
    iterations: int = 100
    floor: float = 1e-6
    start: str = "warm"

    def __post_init__(self) -> None:
        tolerance = number(self.tolerance, "estimator.tolerance", _TOLERANCE)
        if tolerance < 0:
            raise SpecError("estimator.tolerance", tolerance, "is negative", _TOLERANCE)
        SET(self, "tolerance", tolerance)
        most = _MOST_ITERATIONS
        SET(self, "iterations", whole(self.iterations, "estimator.iterations", 1, most, _ITERATIONS))
        SET(self, "floor", within(self.floor, "estimator.floor", *FLOORS, _FLOOR))
        choice(self.start, "estimator.start", STARTS)

    def of(self, traits: Traits) -> EM:
        """Return it as it is: no default depends on the family."""
        del traits
        return self

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None for the default, which a Spec's identity leaves out."""
        return None if self == EM() else as_dict(self, defaults=False)

    def check(self, composition: Composition) -> None:
        """Refuse nothing: with a floor, one item is enough."""
        del composition


Estimator = MLE | EM
ESTIMATORS: dict[str, type[MLE | EM]] = {"mle": MLE, "em": EM}

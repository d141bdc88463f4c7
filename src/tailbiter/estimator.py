# SPDX-License-Identifier: MIT
"""How a model is fitted to its training set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from ._checks import SET, whole
from .errors import SpecError

if TYPE_CHECKING:
    from ._compose import Composition
    from .reference import Traits

__all__ = ["MLE"]

_DIVISOR = "give 0 (maximum likelihood) or 1 (unbiased for one sample)"


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
            problem = f"is a divisor that the fit of a {traits.family} reference does not have"
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


Estimator = MLE
ESTIMATORS: dict[str, type[msgspec.Struct]] = {"mle": MLE}

# SPDX-License-Identifier: MIT
"""How a model is fitted to its training set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from ._checks import SET, Described, as_dict, choice, number, whole, with_article, within
from .errors import SpecError
from .jit._rule import Rule

if TYPE_CHECKING:
    from ._compose import Composition
    from .reference import Traits

__all__ = ["EM", "MLE", "AddK", "Discount", "GoodTuring", "Shrinkage", "Smoothing", "UserEstimator"]

_DIVISOR = "give 0 (maximum likelihood) or 1 (unbiased for one sample)"
_TOLERANCE = "give a change of the mean log-likelihood such as 1e-3"
_ITERATIONS = "give a number of iterations such as 100"
_FLOOR = "give a variance such as 1e-6, in squared units of the data"
_MOST_ITERATIONS = 10**6
FLOORS = (1e-18, 1e18)
STARTS = ("warm", "kmeans++")
SMOOTHINGS = ("log-linear", "none")
TARGETS = ("uniform", "previous")
_MOST_ADDED = 1e9


class MLE(Described, frozen=True, tag_field="kind", tag="mle"):
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


class EM(Described, frozen=True, tag_field="kind", tag="em"):
    """Expectation and maximisation: how the models of a mixture are fitted.

    The type of a `GaussianMixture`'s covariances is the reference's.

    Parameters
    ----------
    tolerance : float, default 1e-3
        Iterations end when the mean log-likelihood of an item changes by less, in nats; not negative.
    iterations : int, default 100
        At most so many a generation, from 1 to 1e6.
    floor : float, default 1e-6
        Variance added to the diagonal of every fitted covariance, in squared units of the data, from 1e-18 to
        1e18: a component of one item, or of equal ones, is left with this width. Of a `CategoricalMixture`,
        the least probability that the expectation step takes a category to have, at most 1; what is fitted
        may be 0.
    start : {"warm", "kmeans++"}, default "warm"
        Where the fit of a generation begins: at the model that its batch was drawn from, so that components
        keep their identity (generation 1 at the reference); or at clusters found anew, without identity, for
        a `GaussianMixture` only.

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
        """Return it as it is: no default depends on the family.

        Raises
        ------
        SpecError
            If the family's items are documents, for a floor that is no probability and for another start.
        """
        if traits.has_tokens:
            within(self.floor, "estimator.floor", 0, 1, "give a probability such as 1e-6")
            if self.start != "warm":
                problem = f"does not begin fits of {with_article(traits.family)} reference"
                raise SpecError("estimator.start", self.start, problem, 'give "warm", or leave it out')
        return self

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None for the default, which a Spec's identity leaves out."""
        return None if self == EM() else as_dict(self, defaults=False)

    def check(self, composition: Composition) -> None:
        """Refuse nothing: with a floor, one item is enough."""
        del composition


class _Smoothed(Described, frozen=True, tag_field="kind"):
    """What gives categories another share than that of their count."""

    @property
    def kind(self) -> str:
        """Name of the estimator, as TOML has it."""
        return str(self.__struct_config__.tag)

    def of(self, traits: Traits) -> Self:
        """Return it as it is: no default depends on the family."""
        del traits
        return self

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data."""
        return as_dict(self, defaults=False)

    def check(self, composition: Composition) -> None:
        """Refuse training sets whose items weigh differently: their counts are no counts of items."""
        ages = composition.ages
        if composition.item_weights is not None or (
            ages.size and bool((ages > 0).any() and np.ptp(ages[ages > 0]))
        ):
            problem = "is made for counts of items that weigh alike, which those of this regime do not"
            raise SpecError(
                "estimator", self.kind, problem, "leave out weights and unequal ages, or use MLE()"
            )


class AddK(_Smoothed, frozen=True, tag="add_k"):
    """Add-k smoothing: k items more of every category of the reference, seen or not.

    Parameters
    ----------
    k : float, default 1.0
        From 0, which is maximum likelihood, to 1e9. 1 is Laplace's rule, 0.5 Jeffreys'.

    Raises
    ------
    SpecError
        For another value, in a Spec whose models have no categories, and where items weigh differently.

    Notes
    -----
    A mutation: with ``u = kK / (N + kK)`` the model is ``(1 - u) c / N + u / K``. K counts the reference's
    categories. Lidstone 1920; Laplace 1814.

    Examples
    --------
    >>> AddK(0.5)
    AddK(k=0.5)
    """

    k: float = 1.0

    def __post_init__(self) -> None:
        remedy = "give items to add to every category, such as 1 or 0.01"
        SET(self, "k", within(self.k, "estimator.k", 0, _MOST_ADDED, remedy))


class GoodTuring(_Smoothed, frozen=True, tag="good_turing"):
    """Good and Turing's estimate: what was seen once tells how much was not seen.

    Parameters
    ----------
    smoothing : {"log-linear", "none"}, default "log-linear"
        What is done about counts that no category has: a line through their averaged logarithms, used from
        the first count on at which it does not differ from the raw estimate by 1.65 standard deviations (Gale
        & Sampson 1995); or nothing: a count that no larger one follows stays as it is.

    Raises
    ------
    SpecError
        For another value, in a Spec whose models have no categories, and where items weigh differently.

    Notes
    -----
    A count r is taken for ``(r + 1) N_{r+1} / N_r``, where ``N_r`` categories were seen r times, and these
    are scaled so that what was never seen keeps ``N_1 / N``, evenly (Good 1953,
    doi:10.1093/biomet/40.3-4.237; Gale & Sampson 1995, doi:10.1080/09296179508590051). At the edges: where no
    category is unseen, or none was seen once, nothing goes to the unseen; where all were seen once, ``1 / N``
    stays with the seen; a line that falls more slowly than 1 / r leaves counts as they are.

    Examples
    --------
    >>> GoodTuring()
    GoodTuring(smoothing='log-linear')
    """

    smoothing: str = "log-linear"

    def __post_init__(self) -> None:
        choice(self.smoothing, "estimator.smoothing", SMOOTHINGS)


class Discount(_Smoothed, frozen=True, tag="discount"):
    """Absolute discounting: every count is lowered by the same, and what that frees is spread evenly.

    Parameters
    ----------
    discount : float, optional
        From 0 to 1 items; if left out ``n_1 / (n_1 + 2 n_2)``, of the categories seen once and twice: 0 where
        none was seen once.

    Raises
    ------
    SpecError
        For another value, in a Spec whose models have no categories, and where items weigh differently.

    Notes
    -----
    ``max(c - d, 0) / N + (d S / N) / K`` with S the categories seen and K those of the reference (Ney, Essen
    & Kneser 1994, doi:10.1006/csla.1994.1001). Where some were seen once and none twice d is 1; a sample in
    which all were seen once leaves the even law.

    Examples
    --------
    >>> Discount(0.5)
    Discount(discount=0.5)
    """

    discount: float | None = None

    def __post_init__(self) -> None:
        if self.discount is not None:
            remedy = "give a part of an item such as 0.5, or leave it out"
            SET(self, "discount", within(self.discount, "estimator.discount", 0, 1, remedy))


class Shrinkage(_Smoothed, frozen=True, tag="shrinkage"):
    """Shrinkage: a mixture of what was counted and a target.

    Parameters
    ----------
    weight : float, optional
        Share of the target, from 0 to 1; if left out the one of least expected squared error, as James &
        Stein's rule estimates it.
    target : {"uniform", "previous"}, default "uniform"
        The even law over the reference's categories, or the model of the generation before; generation 1,
        before which there is none, is then fitted by maximum likelihood.

    Raises
    ------
    SpecError
        For another value, in a Spec whose models have no categories, and where items weigh differently.

    Notes
    -----
    The rule is ``(1 - sum p^2) / ((N - 1) sum (t - p)^2)`` with p the counts' law and t the target, kept
    within 0 and 1, and 1 where both are one or there is one item (Hausser & Strimmer 2009, JMLR 10:1469).
    Toward the previous model a category keeps a share after its last item is gone, until that falls below
    2^-53: what is followed, and so what a generation costs, is all that was ever present in the last
    ``37 / -log(weight)`` generations or so, not the survivors alone.

    Examples
    --------
    >>> Shrinkage(0.1, "previous")
    Shrinkage(weight=0.1, target='previous')
    """

    weight: float | None = None
    target: str = "uniform"

    def __post_init__(self) -> None:
        if self.weight is not None:
            remedy = "give a share such as 0.1, or leave it out"
            SET(self, "weight", within(self.weight, "estimator.weight", 0, 1, remedy))
        choice(self.target, "estimator.target", TARGETS)


class UserEstimator(_Smoothed, frozen=True, tag="user"):
    """Your own estimator: a function compiled by Numba, called inside the core's loop.

    Parameters
    ----------
    rule : function of (weights, ranks, others, other, generation), or its import path
        ``weights`` (float64[n]) come in as the counts of the training set and go out as weights in any unit,
        changed in place. Returned is the weight of each of the ``others`` categories that are not listed;
        they were not seen, and ``other`` is 0. Listed ones may have count 0, too. ``ranks`` (uint32[n],
        read-only) number the listed categories by their place in the reference, 0 the commonest; with an
        error rate the number of categories itself stands for what lies outside it, which counts 0 and keeps
        its share whatever is written there. ``generation`` is that of the training set.

    Raises
    ------
    SpecError
        For something that is no function, and in a Spec whose models have no categories. In a run, for one
        that does not compile, that raises, or that leaves weights which are not finite, negative or all 0.

    Notes
    -----
    The function is called in every thread without the GIL, once or more a generation and lineage: it should
    depend on its arguments alone. Known by its import path and source, as families are.

    The bits of such runs are outside the promise: other machines, and other versions of Numba, may compile
    other code. On one machine they are the same for any number of threads and in every order.

    Examples
    --------
    >>> import tailbiter as tb
    >>> def half_more(weights, ranks, others, other, generation):
    ...     weights += 0.5
    ...     return 0.5
    >>> spec = tb.Spec(
    ...     reference=tb.Zipf(50),
    ...     samples=100,
    ...     generations=3,
    ...     replicates=2,
    ...     estimator=tb.UserEstimator(half_more),
    ... )
    >>> ds = tb.simulate(spec)
    >>> int(ds.survivors[0, 0])
    50
    """

    rule: Rule | Callable[..., float] | str

    def __post_init__(self) -> None:
        SET(self, "rule", Rule.of(self.rule, "estimator.rule"))

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data, which tell the function's source, too."""
        return {"kind": self.kind, "rule": cast("Rule", self.rule).identity}

    def check(self, composition: Composition) -> None:
        """Refuse nothing: what weighs differently is the function's affair."""
        del composition


class Smoothing(Described, frozen=True, tag_field="kind", tag="smoothing"):
    """A kernel density of the training set: how the models of a `KDE` are fitted.

    Parameters
    ----------
    bandwidth : "silverman" or float, default "silverman"
        Standard deviation of the normal kernel: by Silverman's rule in each dimension,
        ``sd (4 / ((d + 2) n))^(1 / (d + 4))``; or the same always, in units of the data.
    scale : float, default 1.0
        What the bandwidth is multiplied by, from 0 (a bootstrap) to 1000.

    Raises
    ------
    SpecError
        For another value, and in a Spec whose models are not kernel densities.

    Notes
    -----
    Silverman 1986, eq. 4.14. Under weights of items w, n is ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> Smoothing(scale=0.5)
    Smoothing(bandwidth='silverman', scale=0.5)
    """

    bandwidth: str | float = "silverman"
    scale: float = 1.0

    def __post_init__(self) -> None:
        remedy = 'give "silverman", or a standard deviation such as 0.1'
        if self.bandwidth != "silverman":
            if isinstance(self.bandwidth, str):
                raise SpecError("estimator.bandwidth", self.bandwidth, "is not known here", remedy)
            SET(self, "bandwidth", within(self.bandwidth, "estimator.bandwidth", 0, 1e100, remedy))
        SET(self, "scale", within(self.scale, "estimator.scale", 0, 1000, "give a factor such as 0.5"))

    def of(self, traits: Traits) -> Smoothing:
        """Return it as it is: no default depends on the family."""
        del traits
        return self

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None for the default, which a Spec's identity leaves out."""
        return None if self == Smoothing() else as_dict(self, defaults=False)

    def check(self, composition: Composition) -> None:
        """Refuse nothing: of one item, Silverman's bandwidth is 0."""
        del composition


Estimator = MLE | EM | AddK | GoodTuring | Discount | Shrinkage | Smoothing | UserEstimator
ESTIMATORS: dict[str, type[Any]] = {
    "mle": MLE,
    "em": EM,
    "add_k": AddK,
    "good_turing": GoodTuring,
    "smoothing": Smoothing,
    "discount": Discount,
    "shrinkage": Shrinkage,
    "user": UserEstimator,
}

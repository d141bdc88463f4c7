# SPDX-License-Identifier: MIT
"""Which categories are present, by following ancestors backward.

Every item of a training set descends from a human item: a synthetic item from one drawn at random from the
training set before. If the items of a set descend from A distinct human items, a set of categories with
reference mass x is absent with probability ``E (1-x)^A``, and holds everything with probability ``E x^A``.
That is the ancestral dual of recursive fit-and-resample at maximum likelihood; it is exact at every size.

It covers `Replace` (no further argument), `Anchored` with fresh human items (`fresh`) and `Anchored` with a
fixed set (`kept`: the first `kept` items of generation 1 join every batch). Sizes may vary: entry t-1 of
`samples` and `fresh` belongs to generation t. Sizes up to a few thousand are followed in full (kind "exact");
larger ones, up to 1e12, through power sums with a proved error (kind "bound"), far below what any simulation
could see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import SpecError
from . import _occupancy
from ._ancestors import FULL, Ancestors
from ._chances import chances, lineages
from ._counts import count_laws, count_sums, transition_matrix
from ._result import Floats, Kind, Predicted
from ._schedule import masses, schedule
from ._tally import tally

if TYPE_CHECKING:
    from ._schedule import Schedule

__all__ = [
    "Expected",
    "absence",
    "ancestors",
    "collapse",
    "collapse_time",
    "count_laws",
    "count_sums",
    "expected",
    "fixation",
    "occupancy",
    "transition_matrix",
]

_REFERENCE = "ancestral dual of the Wright-Fisher chain (theory sheet, 1.4 and 2.2)"
_TABLE = 8192  # balls of the largest table handed out


def occupancy(boxes: int, balls: int, *, marked: int = 0) -> Floats:
    """Law of the number of distinct boxes hit.

    Statement: ``O[a, b] = O[a-1, b] b/N + O[a-1, b-1] (N-b+1)/N`` for N boxes. Kind: exact. Validity: any
    sizes, tables up to 8192 balls.

    Parameters
    ----------
    boxes : int
        Number of boxes.
    balls : int
        Largest number of balls.
    marked : int
        Boxes that are not counted when hit.

    Returns
    -------
    float64[balls + 1, balls + 1]
        ``[a, b]``: probability that a balls hit b distinct boxes outside the marked ones.

    Raises
    ------
    SpecError
        Sizes out of range.

    References
    ----------
    Theory sheet, 1.4.

    Examples
    --------
    >>> print(occupancy(2, 2))
    [[1.  0.  0. ]
     [0.  1.  0. ]
     [0.  0.5 0.5]]
    """
    if not 0 <= balls <= _TABLE:
        raise SpecError("balls", balls, f"is outside 0 to {_TABLE}", "ask for a smaller table")
    if not 0 <= marked <= boxes or boxes < 1:
        raise SpecError("boxes", boxes, f"does not fit {marked} marked ones", "give at least one box")
    return _occupancy.table(boxes, marked, balls)


def ancestors(
    samples: npt.ArrayLike, at: npt.ArrayLike, *, kept: int = 0, output: npt.ArrayLike | None = None
) -> Ancestors:
    """Number of distinct human ancestors of the training set (or output) of each recorded generation.

    Statement: A starts at the size of the set; one generation back, A balls thrown into the boxes of that
    training set leave as many ancestors as boxes are hit. Kind: exact where all laws are followed in full;
    else power sums with proved radii. Validity: `Replace`, or a fixed set. For generation 0 the row of
    generation 1 is given.

    Parameters
    ----------
    samples : array_like of int
        Size of the training set of each generation.
    at : array_like of int
        Recorded generations, ascending.
    kept : int
        Items of generation 1 that join every batch.
    output : array_like of int, optional
        Ask instead for the batch of ``output[t-1]`` items drawn from the model of generation t.

    Returns
    -------
    Ancestors
        One row a recorded generation; it also gives chances for reference masses.

    Raises
    ------
    SpecError
        Arguments that do not fit together.

    References
    ----------
    Theory sheet, 1.4.

    Examples
    --------
    >>> ancestors([2, 2], [1, 2]).mean()
    array([2. , 1.5])
    """
    return lineages(schedule(samples, at, None, kept, output))


def absence(
    mass: npt.ArrayLike,
    samples: npt.ArrayLike,
    at: npt.ArrayLike,
    *,
    fresh: npt.ArrayLike | None = None,
    kept: int = 0,
    output: npt.ArrayLike | None = None,
    held: npt.ArrayLike | None = None,
) -> Predicted:
    """Probability that a set of categories is absent from a training set.

    Statement: ``E (1-x)^A``, A the number of distinct human ancestors. Under `Replace` what is absent stays
    so, and this is the distribution function of the time at which the set is forgotten. Kind: exact for sizes
    up to a few thousand, else bound. Validity: `Replace`, `Anchored` with fresh items (fixed split, any
    numbers), and with a fixed set.

    Parameters
    ----------
    mass : array_like
        Reference mass of each set (one category, a pair, a band).
    samples, at, kept, output
        As in `ancestors`. With `output`, absence from the batch drawn from the model of each generation; from
        generation 0 that is the human batch of generation 1.
    fresh : array_like of int, optional
        Fresh human items in the batch of each generation (that of generation 1 is human, whatever is said).
    held : array_like of bool, optional
        Given the kept set: whether it holds an item of each set. None: not given, averaged over.

    Returns
    -------
    Predicted
        ``[len(at), len(mass)]``. At t = 0 nothing of positive mass is absent.

    Raises
    ------
    SpecError
        Arguments that do not fit together, or a fresh share that puts a set far beyond what can be missed.

    References
    ----------
    Theory sheet, 1.4 and 2.2; Suresh, Thangaraj, Khandavally 2025 (arXiv 2412.17646) for the branching limit.

    Examples
    --------
    >>> absence([0.5], [2, 2], [0, 1, 2]).values[:, 0]
    array([0.   , 0.25 , 0.375])
    """
    sets, plan = masses("mass", mass), schedule(samples, at, fresh, kept, output)
    found = chances(sets, plan)
    values, error = found.absent, found.error
    if held is not None:
        values, error = _given(values, error, sets, plan, np.asarray(held, dtype=bool))
    return _predicted(values, error, found.exact, "probability that a set of categories is absent")


def _given(
    values: Floats, error: Floats, sets: Floats, plan: Schedule, held: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Absence given the kept set: none of the sets it holds; of others, given that it does not."""
    if held.shape != sets.shape:
        raise SpecError(
            "held", held.shape, "does not fit the masses", "say of each set whether the kept set holds it"
        )
    later = plan.at[:, None] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(held, 0.0, np.where(later, np.exp(-plan.kept * np.log1p(-sets)), 1.0))
    if not np.isfinite(scale).all():
        raise SpecError("mass", float(sets.max()), "cannot be missed by the kept set", "say that it is held")
    return values * scale, error * scale


def fixation(mass: npt.ArrayLike, samples: npt.ArrayLike, at: npt.ArrayLike) -> Predicted:
    """Probability that a set of categories holds a whole training set (`Replace`).

    Statement: ``E x^A``. As t grows it tends to x: a category wins with the probability it has in the
    reference. Kind: exact for sizes up to a few thousand, else bound. Validity: `Replace`; elsewhere a set
    that holds everything may lose it.

    Parameters
    ----------
    mass, samples, at
        As in `absence`.

    Returns
    -------
    Predicted
        ``[len(at), len(mass)]``.

    Raises
    ------
    SpecError
        Arguments that do not fit together.

    References
    ----------
    Theory sheet, 1.4 and 1.6.

    Examples
    --------
    >>> fixation([0.5], [2, 2], [1, 2]).values[:, 0]
    array([0.25 , 0.375])
    """
    sets = masses("mass", mass)
    found = chances(1.0 - sets, schedule(samples, at))
    return _predicted(
        found.absent, found.error, found.exact, "probability that a set of categories holds everything"
    )


def collapse(
    mass: npt.ArrayLike, copies: npt.ArrayLike, samples: npt.ArrayLike, at: npt.ArrayLike
) -> Predicted:
    """Probability that one category is left (`Replace`).

    Statement: ``sum_i E q_i^A``. Kind: exact for sizes up to a few thousand, else bound. Validity: `Replace`
    only; elsewhere one category left is not the end.

    Parameters
    ----------
    mass, copies : array_like
        Distinct probabilities of categories, and how many share each.
    samples, at
        As in `absence`.

    Returns
    -------
    Predicted
        ``[len(at)]``.

    Raises
    ------
    SpecError
        Arguments that do not fit together.

    References
    ----------
    Theory sheet, 1.6.

    Examples
    --------
    >>> collapse([0.5], [2], [2, 2], [1, 2]).values
    array([0.5 , 0.75])
    """
    one = fixation(mass, samples, at)
    many = np.asarray(copies, dtype=float)
    error = None if one.error is None else one.error @ many
    return Predicted(
        one.values @ many, one.kind, f"probability that one category is left; {_REFERENCE}", error
    )


def collapse_time(mass: npt.ArrayLike, copies: npt.ArrayLike, size: int) -> tuple[Predicted, Predicted]:
    """Mean and standard deviation of the generations until one category is left (`Replace`, one size).

    Statement: ``E T = sum_{t>=0} P(T > t)``, with ``P(T > t+1) = O P(T > t)`` for the occupancy table O as
    functions of the number of items: sums over t solve triangular systems. Kind: exact. Validity: `Replace`
    with the same size in every generation, up to 4096; beyond, the diffusion of `limits` errs by little.

    Parameters
    ----------
    mass, copies : array_like
        Distinct probabilities of categories, and how many share each.
    size : int
        Size of every training set.

    Returns
    -------
    Predicted
        Mean, ``[]``.
    Predicted
        Standard deviation, ``[]``.

    Raises
    ------
    SpecError
        A size beyond 4096, or masses that do not add up to 1.

    References
    ----------
    Theory sheet, 1.6; Kazdan, Schaeffer et al. 2025 (arXiv 2410.16713) for simulated values.

    Examples
    --------
    >>> mean, sd = collapse_time([0.1], [10], 10)
    >>> print(f"{mean.values:.2f} {sd.values:.1f}")
    17.50 10.1
    """
    from scipy.linalg import solve_triangular

    if not 1 <= size <= FULL:
        raise SpecError("size", size, f"is outside 1 to {FULL}", "use the diffusion limit of `theory.limits`")
    sets, many = masses("mass", mass), np.asarray(copies, dtype=float)
    if abs(float(sets @ many) - 1.0) > 1e-9:
        raise SpecError("mass", float(sets @ many), "is not 1 in all", "give the whole reference")
    if size == 1 or sets.max() == 1.0:
        first = 1.0 if sets.max() < 1.0 else 0.0
        return _time(first, "mean"), _time(0.0, "standard deviation")
    left = 1.0 - np.exp(np.outer(np.arange(2, size + 1), np.log(np.maximum(sets, 1e-300)))) @ many
    stay = -_occupancy.table(size, 0, size)[2:, 2:]
    stay[np.diag_indices(size - 1)] += 1.0
    once = solve_triangular(stay, left, lower=True)
    twice = solve_triangular(stay, once, lower=True)
    mean = 1.0 + float(once[-1])
    return _time(mean, "mean"), _time(float(np.sqrt(2.0 * twice[-1] + mean - mean**2)), "standard deviation")


def _time(value: float, what: str) -> Predicted:
    return Predicted(
        np.asarray(value), "exact", f"{what} of the generations until one category is left; {_REFERENCE}"
    )


@dataclass(frozen=True, eq=False)
class Expected:
    """Sums over the categories present.

    Attributes
    ----------
    mean : Predicted
        ``[len(at), groups]``.
    sd : Predicted or None
        A proved upper bound of the standard deviation: of many categories without fresh items within a few
        per cent of it, of few categories or with fresh items up to three times it. Of kind "bound", with
        itself as its error; None where not asked for.
    """

    mean: Predicted
    sd: Predicted | None


def expected(
    mass: npt.ArrayLike,
    copies: npt.ArrayLike,
    weights: npt.ArrayLike,
    samples: npt.ArrayLike,
    at: npt.ArrayLike,
    *,
    fresh: npt.ArrayLike | None = None,
    kept: int = 0,
    output: npt.ArrayLike | None = None,
    spread: bool = True,
) -> Expected:
    """Mean and spread of sums over the categories present: survivors, coverage, and the same by band.

    Statement: ``E sum_i w_i 1{i present} = sum_i w_i (1 - E (1-q_i)^A)``. Given A, categories are present
    where A independent draws from q fall, which are negatively associated, so that the variance is at most
    ``E sum_i w_i^2 P_i (1-P_i)`` plus the variance of the mean given A. Kind: mean exact or bound, as
    `absence`; sd a proved upper bound. Validity: as `absence`; weights not negative.

    Parameters
    ----------
    mass, copies : array_like
        Distinct probabilities of categories, and how many share each.
    weights : array_like
        ``[groups, len(mass)]``: what one present category counts in each group (1 for survivors, its
        probability for coverage, 0 outside a band).
    samples, at, fresh, kept, output
        As in `absence`.
    spread : bool
        Whether to bound the standard deviation too. With fresh items that takes several times as long.

    Returns
    -------
    Expected
        ``[len(at), groups]``.

    Raises
    ------
    SpecError
        Arguments that do not fit together.

    References
    ----------
    Theory sheet, 1.4 and 2.2; Joag-Dev and Proschan 1983 for negative association.

    Examples
    --------
    >>> q = [0.5, 0.25]
    >>> found = expected(q, [1, 2], [[1, 1], q], [2, 2], [0, 1])
    >>> print(found.mean.values)
    [[3.      1.     ]
     [1.625   0.59375]]
    """
    sets, plan = masses("mass", mass), schedule(samples, at, fresh, kept, output)
    many, counted = np.asarray(copies, dtype=float), np.atleast_2d(np.asarray(weights, dtype=float))
    if many.shape != sets.shape or counted.shape[1:] != sets.shape:
        raise SpecError(
            "weights", counted.shape, f"does not fit {len(sets)} masses", "give one for each mass"
        )
    if not (counted >= 0).all() or not (many >= 0).all():
        raise SpecError(
            "weights", float(min(counted.min(), many.min())), "is negative", "count what is present"
        )
    found = tally(sets, many, counted, plan, with_spread=spread)
    mean = _predicted(found.mean, found.error, found.exact, "expected sum over the categories present")
    sd = None
    if found.variance is not None:
        most = np.sqrt(found.variance)
        sd = Predicted(most, "bound", f"upper bound of a standard deviation; {_REFERENCE}", most.copy())
    return Expected(mean, sd)


def _predicted(values: Floats, error: Floats, exact: bool, what: str) -> Predicted:
    kind: Kind = "exact" if exact else "bound"
    how = "exact at every size" if exact else "between proved bounds from three power sums"
    return Predicted(values, kind, f"{what}; {how}; {_REFERENCE}", None if exact else error)

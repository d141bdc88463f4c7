# SPDX-License-Identifier: MIT
"""What can be recorded of a run, by family of models: names, long names, units and dims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Variable(NamedTuple):
    """Long name and unit of one recorded variable ("1" is a pure number), and its dim beside the rows'."""

    long_name: str
    units: str
    dim: str | None = None


@dataclass(frozen=True)
class Variables:
    """The variables of a family.

    Attributes
    ----------
    standard : mapping of str to Variable
        The standard set, in the order in which a Dataset holds it.
    on_request : mapping of str to Variable
        What is recorded only where it is named.
    """

    standard: Mapping[str, Variable]
    on_request: Mapping[str, Variable] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, Variable]:
        """All of them, in order."""
        return {**self.standard, **self.on_request}


CATEGORICAL = {
    "survivors": Variable("categories present in the training set", "categories"),
    "survivors_output": Variable("categories present in the batch drawn from the model", "categories"),
    "coverage": Variable("reference mass of the categories present", "1"),
    "entropy": Variable("Shannon entropy of the model", "nats"),
    "gini_simpson": Variable("Gini-Simpson index of the model, 1 - sum of squares", "1"),
    "largest_share": Variable("largest probability of the model", "1"),
    "kl": Variable("Kullback-Leibler divergence of the model from the reference", "nats"),
    "total_variation": Variable("total variation between model and reference", "1"),
    "brier": Variable("Brier distance between model and reference, sum of squared differences", "1"),
    "lost": Variable("categories absent now, present at the record before", "categories"),
    "revived": Variable("categories present now, absent at the record before", "categories"),
    "tail_survivors": Variable("categories of the tail present in the training set", "categories"),
    "tail_mass": Variable("probability of the tail under the model", "1"),
    "band_survivors": Variable("categories of the band present in the training set", "categories", "band"),
    "band_mass": Variable("probability of the band under the model", "1", "band"),
}
CRAWLED = {
    "real_share": Variable("share of the batch that is human", "1"),
    "real_share_crawled": Variable("share of what was crawled for the batch that is human, expected", "1"),
    "real_discarded": Variable("share of the human items crawled that a detector threw out, expected", "1"),
}
"""Recorded by default of a crawl, and of a detector."""
CATEGORICAL_ON_REQUEST = {
    "wrong_mass": Variable("share of the training set that lies outside the reference", "1"),
    **CRAWLED,
    "band_real_discarded": Variable(
        "share of the band's human items crawled that a detector threw out, expected", "1", "band"
    ),
}

FLOOR = 1e-9
"""The least probability that a cross-entropy reckons with; it stands in the variables' names."""
_FLOORED = "cross-entropy of the held-out data under the model, probabilities below 1e-9 taken for 1e-9"
HELD_OUT = {
    "oov_tokens": Variable("share of the held-out tokens whose category is absent from training", "1"),
    "oov_types": Variable("share of the held-out data's categories that are absent from training", "1"),
    "held_out_coverage": Variable(
        "share of the band's held-out tokens whose category is present in the training set", "1", "band"
    ),
    "held_out_brier": Variable(
        "Brier distance between model and held-out shares, sum of squared differences", "1"
    ),
    "cross_entropy_floor_1e_9": Variable(_FLOORED, "nats"),
    "cross_entropy_excess_floor_1e_9": Variable(f"{_FLOORED}, minus the reference's", "nats"),
    "overconfidence": Variable(
        "sum of squares of the model minus its product with the held-out shares: "
        "probability of what the model says, as the model has it, minus that of the held-out data",
        "1",
    ),
    "top_share_held_out": Variable("held-out share of the model's top category, the mean of ties", "1"),
}
"""Recorded by default where a Spec has held-out data."""
GROUPS = {
    "group_survivors": Variable("categories of the group present in the training set", "categories", "group"),
    "group_mass": Variable("probability of the group under the model", "1", "group"),
}
"""Recorded by default where a Spec has groups."""
STAGES = {
    "tail_coverage": Variable("reference mass of the tail's categories present", "1"),
    "head_total_variation": Variable(
        "total variation between model and reference, both given that an item is not of the tail", "1"
    ),
}
"""Recorded by default where a Spec has thresholds of stages."""

_EXPONENT = "power of two that the factor's column is to be multiplied by"
GAUSSIAN = {
    "log_det": Variable("log-determinant of the covariance, -inf where it is singular", "nats"),
    "log_trace": Variable("logarithm of the trace of the covariance", "nats"),
    "effective_rank": Variable("effective rank of the covariance, exp of its spectral entropy", "dimensions"),
    "rank": Variable("rank of the covariance; an upper bound if draws are from past items", "dimensions"),
    "squared_mean_error": Variable("squared distance from the reference's mean", "squared units"),
    "w2_squared": Variable("squared 2-Wasserstein distance to the reference", "squared units"),
    "kl": Variable("Kullback-Leibler divergence of the model from the reference", "nats"),
    "mass_beyond": Variable(
        "probability under the model beyond either of the reference's quantiles, mean over dimensions",
        "1",
        "level",
    ),
}
GAUSSIAN_ON_REQUEST = {
    "log_pseudo_det": Variable("log of the product of the covariance's eigenvalues that are not 0", "nats"),
    "mean": Variable("mean of the model", "units", "dimension"),
    "factor": Variable("lower Cholesky factor of the covariance; see exponent", "units", "entry"),
    "exponent": Variable(_EXPONENT, "1", "dimension"),
}

MIXTURE = {
    "weights": Variable("weight of the component", "1", "component"),
    "components_alive": Variable("components with a weight", "components"),
    "components_singular": Variable(
        "components alive that only the floor keeps from being singular", "components"
    ),
    "iterations": Variable("iterations of the fit", "iterations"),
    "converged": Variable("1 where the fit ended by its tolerance, 0 where it ran out of iterations", "1"),
    "log_likelihood": Variable("mean log-likelihood of the training set's items in the fit", "nats"),
    "l2_squared": Variable("squared L2 distance of the density to the reference's", "1/units^d"),
    "weight_drift": Variable("total variation between the weights and the reference's", "1"),
}
MIXTURE_ON_REQUEST = {
    "means": Variable("means of the components", "units", "component_dimension"),
    "factors": Variable("lower Cholesky factors of the covariances; by type, deviations", "units", "entry"),
    "component_mean_error": Variable(
        "squared distance of the component's mean from the reference's; as it was last where dead",
        "squared units",
        "component",
    ),
    "component_log_det": Variable(
        "log-determinant of the component's covariance; as it was last where dead", "nats", "component"
    ),
}

_ABOVE = "probability under the model above the reference's upper quantile"
_BELOW = "probability under the model below the reference's lower quantile"
_SUMS = {
    "kl": Variable("Kullback-Leibler divergence of the model from the reference", "nats"),
    "squared_mean_error": Variable("squared distance from the reference's mean", "squared units"),
    "mass_above": Variable(_ABOVE, "1", "level"),
    "mass_below": Variable(_BELOW, "1", "level"),
}
POISSON = {
    "rate": Variable("rate of the model, its mean", "units"),
    "log_rate": Variable("logarithm of the rate, -inf where it is 0", "nats"),
    "absorbed": Variable("1 where the rate is 0", "1"),
    **_SUMS,
}
EXPONENTIAL = {
    "scale": Variable("scale of the model, its mean; 0 far below the doubles", "units"),
    "log_scale": Variable("logarithm of the scale, however small", "nats"),
    **_SUMS,
}
USER = {
    **{name: MIXTURE[name] for name in ("weights", "components_alive", "iterations", "converged")},
    "log_likelihood": MIXTURE["log_likelihood"],
    "weight_drift": MIXTURE["weight_drift"],
    "parameters": Variable("parameters of the components", "as the family has them", "component_parameter"),
    "item_mean": Variable("mean of the training set's items", "units", "item_dimension"),
    "item_variance": Variable("variance of the training set's items", "squared units", "item_dimension"),
}

KDE = {
    "bandwidth": Variable("standard deviation of the kernel", "units", "dimension"),
    "mean": GAUSSIAN_ON_REQUEST["mean"],
    "variance": Variable(
        "variance of the model: of its points, and of the kernel", "squared units", "dimension"
    ),
}

_FIT = {
    name: MIXTURE[name]
    for name in ("weights", "components_alive", "iterations", "converged", "log_likelihood", "weight_drift")
}
CATEGORICAL_MIXTURE = {
    **_FIT,
    "component_survivors": Variable(
        "categories of which the fit gives the component half a token or more", "categories", "component"
    ),
    "component_entropy": Variable("Shannon entropy of the component", "nats", "component"),
    "component_largest_share": Variable("largest probability of the component", "1", "component"),
    "component_variation": Variable(
        "total variation between the component and the reference's", "1", "component"
    ),
    "component_kl": Variable(
        "Kullback-Leibler divergence of the component from the reference's, whose least is the floor",
        "nats",
        "component",
    ),
    "mutual_information": Variable("information of a token about its component", "nats"),
}
CATEGORICAL_MIXTURE_ON_REQUEST = {
    "probabilities": Variable("probability of the category under the component", "1", "entry"),
}

FAMILIES = {
    "categorical": Variables(CATEGORICAL, {**CATEGORICAL_ON_REQUEST, **HELD_OUT, **GROUPS, **STAGES}),
    "gaussian": Variables(GAUSSIAN, {**GAUSSIAN_ON_REQUEST, **CRAWLED}),
    "mixture": Variables(MIXTURE, {**MIXTURE_ON_REQUEST, **CRAWLED}),
    "poisson": Variables(POISSON, CRAWLED),
    "exponential": Variables(EXPONENTIAL, CRAWLED),
    "user": Variables(USER, CRAWLED),
    "kde": Variables(KDE, CRAWLED),
    "categorical_mixture": Variables(CATEGORICAL_MIXTURE, {**CATEGORICAL_MIXTURE_ON_REQUEST, **CRAWLED}),
}
"""The variables of every family of models, by its name."""

OF_LINEAGES = {
    "forgotten": Variable(
        "first generation from which the category is absent to the end; 0 = present at the end",
        "generations",
        "category",
    ),
}
"""What is recorded once of a lineage, and not of each of its generations."""

ALL = tuple(dict.fromkeys(name for variables in FAMILIES.values() for name in variables.known))
"""Every name that a Record may hold."""

# SPDX-License-Identifier: MIT
"""Where human data comes from: tables of counts, probabilities, and laws."""

from ._documents import CategoricalMixture
from ._gaussian import Gaussian
from ._groups import Groups, as_groups
from ._held_out import HeldOut, as_held_out, join
from ._kde import KDE
from ._laws import Bernoulli, Dirichlet, Geometric, Uniform, Zipf
from ._mixture import MAX_COMPONENTS, GaussianMixture
from ._rates import Exponential, Poisson
from ._support import Categorical, Reference, Support
from ._tables import Counts, Probabilities, Source, Table
from ._traits import Traits
from ._user import UserMixture

__all__ = [
    "KDE",
    "KINDS",
    "MAX_COMPONENTS",
    "Bernoulli",
    "Categorical",
    "CategoricalMixture",
    "Counts",
    "Dirichlet",
    "Exponential",
    "Gaussian",
    "GaussianMixture",
    "Geometric",
    "Groups",
    "HeldOut",
    "Poisson",
    "Probabilities",
    "Reference",
    "Source",
    "Support",
    "Table",
    "Traits",
    "Uniform",
    "UserMixture",
    "Zipf",
    "as_groups",
    "as_held_out",
    "join",
]

KINDS: dict[str, type[Reference]] = {
    "counts": Counts,
    "probabilities": Probabilities,
    "uniform": Uniform,
    "zipf": Zipf,
    "geometric": Geometric,
    "dirichlet": Dirichlet,
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "gaussian_mixture": GaussianMixture,
    "poisson": Poisson,
    "exponential": Exponential,
    "user_mixture": UserMixture,
    "kde": KDE,
    "categorical_mixture": CategoricalMixture,
}
"""Every reference by its ``kind`` in TOML."""

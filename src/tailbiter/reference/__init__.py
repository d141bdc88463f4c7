# SPDX-License-Identifier: MIT
"""Where human data comes from: tables of counts, probabilities, and laws."""

from ._laws import Dirichlet, Geometric, Uniform, Zipf
from ._support import Reference, Support
from ._tables import Counts, Probabilities, Source, Table

__all__ = [
    "KINDS",
    "Counts",
    "Dirichlet",
    "Geometric",
    "Probabilities",
    "Reference",
    "Source",
    "Support",
    "Table",
    "Uniform",
    "Zipf",
]

KINDS: dict[str, type[Reference]] = {
    "counts": Counts,
    "probabilities": Probabilities,
    "uniform": Uniform,
    "zipf": Zipf,
    "geometric": Geometric,
    "dirichlet": Dirichlet,
}
"""Every reference by its ``kind`` in TOML."""

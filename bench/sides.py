# SPDX-License-Identifier: MIT
"""Who runs a categorical workload beside us, by the names that tables and JSON show."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from bench import loops_numba, loops_numpy, loops_published, loops_simupop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.series import Side

SIDES: dict[str, Side] = {
    "numpy_naive": loops_numpy.naive,
    "numpy_inverse_cdf": loops_numpy.inverse_cdf,
    "numpy_compacted": loops_numpy.compacted,
    "numpy_batched": loops_numpy.batched,
    "numba_compacted": loops_numba.compacted,
    "choice_counts": loops_published.choice,
    "token_lists": loops_published.tokens,
    "simupop": loops_simupop.haploid,
}
# What does not run on this machine, and why: sides, and families whose other side it is.
MISSING: dict[str, str] = {}
if find_spec("simuPOP") is None:
    MISSING["simupop"] = "simuPOP is not installed (pip install simuPOP, which builds it)"
for _family, _package in (("em", "sklearn"), ("gaussian", "threadpoolctl")):
    if find_spec(_package) is None:
        MISSING[_family] = f"{_package} is not installed (pip install scikit-learn brings it)"


def present(names: Iterable[str]) -> list[str]:
    """Return those of these names that run on this machine."""
    return [name for name in names if name not in MISSING]

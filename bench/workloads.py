# SPDX-License-Identifier: MIT
"""What is timed: the workloads, who runs each, and the ratios asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Bar:
    """Least ratio (their time over ours) asked for, by instruction set, and the ratio aimed at."""

    avx512: float
    avx2: float
    aim: float

    def least(self, isa: str) -> float | None:
        """Return the bar for an instruction set, or None where none was set."""
        return {"avx512": self.avx512, "avx2": self.avx2}.get(isa)


@dataclass(frozen=True)
class Workload:
    """One law to simulate, and how many replicates each side runs of it.

    Attributes
    ----------
    name, title : str
        Key on the command line, and the words in the table.
    categories, samples, generations : int
        K, N and T. The reference is Zipf with exponent 1 over K categories.
    real : float
        Share of fresh human items in every training set; 0 is the replace regime.
    replicates : int
        Replicates that tailbiter runs in one timed call.
    others : dict of str to int
        The other sides, each with the replicates of one timed call. All times are per replicate.
    bars : dict of str to Bar
        Ratios asked for, by side. Sides without one are shown for honesty, not judged.
    tail_mass : float
        Largest reference mass of the tail.
    """

    name: str
    title: str
    categories: int
    samples: int
    generations: int
    replicates: int
    others: dict[str, int]
    bars: dict[str, Bar] = field(default_factory=dict)
    real: float = 0.0
    tail_mass: float = 0.05

    @property
    def human(self) -> int:
        """Fresh human items of each training set after the first."""
        return int(self.real * self.samples + 0.5)

    def reference(self) -> NDArray[np.float64]:
        """Return the K reference probabilities, largest first."""
        q = 1.0 / np.arange(1, self.categories + 1)
        return q / q.sum()

    def tail_start(self) -> int:
        """Return the first id of the tail: Zipf has no ties, so it is cut anywhere."""
        rare_first = self.reference()[::-1].cumsum()
        return self.categories - int(np.searchsorted(rare_first, self.tail_mass, side="right"))

    def shrunk(self, categories: int, samples: int, generations: int) -> Workload:
        """Return the same kind of run at another size."""
        return replace(self, categories=categories, samples=samples, generations=generations)


WORKLOADS = (
    Workload(
        name="replace-1e5",
        title="replace, Zipf 1, K=N=1e5, T=5000",
        categories=100_000,
        samples=100_000,
        generations=5_000,
        replicates=16,
        others={"numpy_naive": 1, "numpy_compacted": 2, "numba_compacted": 2},
        bars={
            "numpy_naive": Bar(550, 340, 1000),
            "numpy_compacted": Bar(20, 12, 30),
            "numba_compacted": Bar(13, 8, 20),
        },
    ),
    Workload(
        name="replace-1e6",
        title="replace, Zipf 1, K=N=1e6, T=1000",
        categories=1_000_000,
        samples=1_000_000,
        generations=1_000,
        replicates=16,
        others={"numpy_naive": 1, "numpy_compacted": 1, "numba_compacted": 1},
        bars={"numpy_naive": Bar(330, 150, 600), "numpy_compacted": Bar(23, 10, 40)},
    ),
    Workload(
        name="sweep",
        title="replace, Zipf 1, 10,000 replicates of K=100, N=1000, T=1000",
        categories=100,
        samples=1_000,
        generations=1_000,
        replicates=10_000,
        others={"numpy_batched": 1_000, "numba_compacted": 500, "choice_counts": 20, "simupop": 4},
        bars={"numpy_batched": Bar(22, 15, 40)},
    ),
    Workload(
        name="anchored",
        title="anchored 1 % fresh, Zipf 1, K=N=1e5, T=1000",
        categories=100_000,
        samples=100_000,
        generations=1_000,
        replicates=16,
        others={"numpy_naive": 1, "numpy_inverse_cdf": 1, "numpy_compacted": 1},
        bars={"numpy_naive": Bar(100, 70, 200)},
        real=0.01,
    ),
    Workload(
        name="nothing-dies",
        title="replace, Zipf 1, K=1e4, N=1e9, T=200 (nothing dies)",
        categories=10_000,
        samples=1_000_000_000,
        generations=200,
        replicates=16,
        others={"numpy_naive": 2, "numba_compacted": 2},
        bars={"numpy_naive": Bar(9, 6, 18)},
    ),
    Workload(
        name="published",
        title="replace, Zipf 1, K=1e4, N=1e5, T=100 (a size that papers run item by item)",
        categories=10_000,
        samples=100_000,
        generations=100,
        replicates=64,
        others={"choice_counts": 2, "token_lists": 1, "simupop": 1, "numpy_naive": 8, "numba_compacted": 16},
    ),
)


def by_name(name: str) -> Workload:
    """Return the workload called `name`; KeyError if there is none."""
    return {workload.name: workload for workload in WORKLOADS}[name]

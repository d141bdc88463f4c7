# SPDX-License-Identifier: MIT
"""A run in the fewest words: what enters the training set of every generation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Plan:
    """One chain, told apart from the package's own descriptions of it.

    Attributes
    ----------
    weights
        Integer weights of the reference; category i has probability ``weights[i] / sum(weights)``.
    samples
        ``samples[t-1]`` items are newly drawn for generation t. Generation 1's are human.
    fresh
        ``fresh[t-1]`` of them are human and never seen before (entry 0 is not read). Empty: none.
    kept
        Size of the human set that is kept: the first ``kept`` items of the stream whose first ``samples[0]``
        items are generation 1's batch.
    from_kept
        ``from_kept[t-1]`` items of the batch are drawn without replacement from the kept set (entry 0 is not
        read).
    item_weights
        ``(synthetic, fresh, kept)`` weight of one item of generation t, at index t-1. None: each counts once.
    ages
        Weight of one item by the age of its batch, newest first. None: all batches, once each.
    draw
        Generation t trains on ``draw[t-1]`` items drawn without replacement from all batches so far. Empty:
        on all.
    synthetic
        Outcomes and probabilities of ``n`` items drawn from the model of a training vector, given the two.
        None: as the vector has them.
    """

    weights: tuple[int, ...]
    samples: tuple[int, ...]
    fresh: tuple[int, ...] = ()
    kept: int = 0
    from_kept: tuple[int, ...] = ()
    item_weights: tuple[tuple[int, int, int], ...] | None = None
    ages: tuple[int, ...] | None = (1,)
    draw: tuple[int, ...] = ()
    synthetic: Callable[[int, tuple[int, ...]], Iterable[tuple[tuple[int, ...], Fraction]]] | None = None

    @property
    def categories(self) -> int:
        """Number of categories, K."""
        return len(self.weights)

    @property
    def reference(self) -> list[float]:
        """Probabilities of the categories."""
        total = sum(self.weights)
        return [weight / total for weight in self.weights]

    def parts(self, t: int) -> tuple[int, int, int]:
        """Items of generation t's batch (t >= 2) that are synthetic, fresh and from the kept set."""
        fresh = self.fresh[t - 1] if self.fresh else 0
        kept = self.from_kept[t - 1] if self.from_kept else 0
        return self.samples[t - 1] - fresh - kept, fresh, kept

    def item_weight(self, t: int) -> tuple[int, int, int]:
        """Weights of one synthetic, one fresh and one kept item of generation t."""
        return self.item_weights[t - 1] if self.item_weights else (1, 1, 1)

    @property
    def overlap(self) -> int:
        """Human items that are both kept and in generation 1's batch."""
        return min(self.kept, self.samples[0])

# SPDX-License-Identifier: MIT
"""A crawl, for models without categories: chance decides how many items of a batch are human.

Given these numbers a lineage is one whose human items are known before the run, and is run as such by the
family's own engine: one after the other, for each has numbers of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._variables import CRAWLED
from tailbiter.detector import Detector
from tailbiter.levers import refuse_nothing

if TYPE_CHECKING:
    from tailbiter.spec import Spec

__all__ = ["Crawled", "crawled", "engine_of"]

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Crawled:
    """What is kept of the crawls of a run; entries for generations 1 to T + 1.

    Attributes
    ----------
    real : tuple of float
        Human share of what is crawled.
    kept : tuple of float
        Probability that an item which is kept is human.
    lost : float
        Share of human items that is thrown out.
    """

    real: tuple[float, ...]
    kept: tuple[float, ...]
    lost: float


def crawled(spec: Spec) -> Crawled | None:
    """Return what a Spec of models without categories keeps of its crawls, if there are any.

    Raises
    ------
    SpecError
        If nothing might be kept.
    """
    real = spec.composition.crawled
    if real is None:
        return None
    detector = Detector() if spec.detector is None else spec.detector
    found, lost = (float(rate) for rate in detector.rates())
    human, synthetic = real * (1 - lost), (1 - real) * (1 - found)
    refuse_nothing(human[1:], synthetic[1:], detector)
    kept = np.append(1.0, human[1:] / (human[1:] + synthetic[1:]))
    return Crawled(tuple(real.tolist()), tuple(kept.tolist()), lost)


def engine_of(program: Any, make: Callable[[Any], Any]) -> Any:
    """Return the engine that ``make`` makes of a program, or one that crawls or tells human shares."""
    known = program.crawl is None and not set(program.variables) & set(CRAWLED)
    return make(program) if known else CrawlEngine(program, make)


class CrawlEngine:
    """Runs replicates of a program, and records how much of their batches is human.

    Parameters
    ----------
    program : program of the family
        What to run.
    make : callable
        Makes the family's engine of a program without a crawl.
    """

    def __init__(self, program: Any, make: Callable[[Any], Any]) -> None:
        self.program = program
        self.make = make
        names = tuple(name for name in program.variables if name not in CRAWLED)
        self.plain = replace(program, crawl=None, variables=names)
        self.inner = make(self.plain)

    def __getattr__(self, name: str) -> Any:
        """What else the family's engine tells."""
        return getattr(self.inner, name)

    def outputs(self, replicates: int) -> dict[str, np.ndarray]:
        """Empty arrays for the records of so many replicates, by variable."""
        own = [name for name in self.program.variables if name in CRAWLED]
        shape = (replicates, self.program.at.size)
        return {**self.inner.outputs(replicates), **{name: np.empty(shape) for name in own}}

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Any) -> None:
        """Fill rows start to stop-1; safe to call from many threads at once."""
        rest = {name: values for name, values in out.items() if name not in CRAWLED}
        if self.program.crawl is None:
            made = _composition(self.plain)
            self.inner.run(start, stop, rest, control)
            self._record(out, slice(start, stop), made.fresh + made.from_kept)
            return
        for replicate in range(start, stop):
            human = self._human_items(replicate)
            self.make(_with(self.plain, human)).run(replicate, replicate + 1, rest, control)
            self._record(out, slice(replicate, replicate + 1), human)

    def _human_items(self, replicate: int) -> Words:
        """Human items in each batch: none are counted as fresh in the first, which is human anyway."""
        from tailbiter._core import item

        at, purpose = np.empty(item.STATE_WORDS, np.uint64), item.PURPOSES["crawl"]
        samples, kept = _composition(self.plain).samples.tolist(), self.program.crawl.kept
        key = self.program.key
        drawn = [
            item.binomial(at, key, t, replicate, purpose, samples[t - 1], kept[t - 1])
            for t in range(2, len(samples) + 1)
        ]
        return np.array([0, *drawn], np.uint64)

    def _record(self, out: dict[str, np.ndarray], rows: slice, human: Words) -> None:
        """Write what is wanted; generations 0 and 1 are human, and not crawled."""
        samples, crawl = _composition(self.plain).samples, self.program.crawl
        share = np.array([1.0, 1.0, *(human[1:-1] / samples[1:-1].astype(np.float64))])
        lost = 0.0 if crawl is None else crawl.lost
        values = {
            "real_share": share,
            "real_share_crawled": share if crawl is None else np.array([1.0, *crawl.real[:-1]]),
            "real_discarded": np.array([0.0, 0.0, *[lost] * (len(samples) - 2)]),
        }
        for name in values.keys() & out.keys():
            out[name][rows] = values[name][self.program.at]


def _composition(program: Any) -> Any:
    """What says how large batches are: the program, or a part of it."""
    return getattr(program, "made", program)


def _with(program: Any, human: Words) -> Any:
    """The program with so many fresh human items in each batch."""
    made = replace(_composition(program), fresh=human)
    return replace(program, made=made) if hasattr(program, "made") else made

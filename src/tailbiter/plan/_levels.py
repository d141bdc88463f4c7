# SPDX-License-Identifier: MIT
"""One level of the varied field: what theory says of it, what simulation shows, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tailbiter.errors import PredictionError
from tailbiter.predict import predict
from tailbiter.simulate import simulate_rows
from tailbiter.spec import Spec

from ._evidence import side_evidence
from ._target import Part

__all__ = ["KEPT", "NOT_KEPT", "UNDECIDED", "Expected", "Level", "expected"]

Floats = npt.NDArray[np.float64]

KEPT, NOT_KEPT, UNDECIDED = "kept", "not kept", "undecided"
# Lineages at the first look of a test, how many times as many at the next, and those of a glance.
FIRST, GROWTH, GLANCE = 64, 1.5, 32


@dataclass(frozen=True)
class Expected:
    """What theory says of the share that is kept.

    Attributes
    ----------
    mean, error : float
        Over lineages, and how far from the truth that is at most.
    sd : float
        Standard deviation, or a bound from above; NaN where it is not known.
    """

    mean: float
    error: float
    sd: float


def expected(part: Part, spec: Spec) -> Expected | None:
    """Return what theory says of the share kept by runs of a Spec; None if it says nothing."""
    part = part.at(spec)
    try:
        theory = predict(part.of(spec), record=part.record)
    except PredictionError:
        return None
    name = part.variable
    if theory[name].attrs["kind"] == "limit":
        return None

    def one(name: str, otherwise: float) -> float:
        return float(part.shares(theory[name].values)[0]) if name in theory else otherwise

    return Expected(one(name, math.nan), one(f"{name}_error", 0.0), one(f"{name}_sd", math.nan))


@dataclass
class Level:
    """Lineages simulated at one level.

    A test is made with lineages that had no part in choosing the level: those of a glance come after all
    that a test may ask for.

    Attributes
    ----------
    part : Part
        What is to be kept.
    spec : Spec
        What is run.
    most : int
        Lineages that a test may take.
    threads : int or None
        As for `simulate`.
    tested, glanced : float64[n]
        What was kept, lineage by lineage.
    verdict : {"kept", "not kept", "undecided", ""}
        Of the test; "" where there was none.
    rate : float
        Probability that the verdict is wrong, at most.
    """

    part: Part
    spec: Spec
    most: int
    threads: int | None
    tested: Floats = field(default_factory=lambda: np.empty(0))
    glanced: Floats = field(default_factory=lambda: np.empty(0))
    verdict: str = ""
    rate: float = math.nan

    @property
    def shares(self) -> Floats:
        """What was kept, in all lineages."""
        return np.concatenate([self.tested, self.glanced])

    @property
    def values(self) -> Floats:
        """What has to reach the threshold on average, in the lineages of the test or else of the glance."""
        return self.part.values(self.tested if len(self.tested) else self.glanced)

    def _run(self, start: int, stop: int) -> Floats:
        spec, part = self.part.of(self.spec), self.part
        ds = simulate_rows(spec, start, stop, record=part.record, threads=self.threads)
        return part.shares(ds[part.variable].values)[:, 0]

    def glance(self, lineages: int = GLANCE) -> None:
        """Simulate a few lineages, to look at and for a guess."""
        if not len(self.shares):
            self.glanced = self._run(self.most, self.most + lineages)

    def test(self, rate: float) -> None:
        """Decide whether enough is kept; wrong with at most this probability, whatever led here.

        Looks after 64 lineages, then after half as many again each time: the evidence allows that.
        """
        self.verdict, self.rate = UNDECIDED, rate
        looks = min(FIRST, self.most)
        while True:
            self.tested = np.concatenate([self.tested, self._run(len(self.tested), looks)])
            self.verdict = self._judged(rate)
            if self.verdict != UNDECIDED or looks >= self.most:
                return
            looks = min(self.most, math.ceil(looks * GROWTH))

    def _judged(self, rate: float) -> str:
        threshold, needed = self.part.target.threshold, -math.log(rate)
        if side_evidence(self.values, threshold, "above") >= needed:
            return KEPT
        return NOT_KEPT if side_evidence(self.values, threshold, "below") >= needed else UNDECIDED

# SPDX-License-Identifier: MIT
"""Programs for the Gaussian engine, as plain as it takes them, and short ways to run them."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

import tailbiter as tb
from tailbiter._compose import compose
from tailbiter._core import gaussian
from tailbiter._core.common import Control

EVERY = tuple(gaussian.VARIABLES)
HALF = tb.Fresh(share=0.5, weight=0.618), tb.Synthetic(weight=0.382)

REGIMES = {
    "replace": tb.Replace(),
    "fresh": tb.Anchored(real=0.3),
    "fixed": tb.Anchored(real=0.3, source="fixed"),
    "two kept": tb.Anchored(real_count=2, source="fixed"),
    "accumulate": tb.Accumulate(),
    "window": tb.Window(3),
    "ages": tb.Mix(ages=(3.0, 0.0, 1.0)),
    "golden": tb.Mix(HALF),
    "fresh in a window": tb.Mix((tb.Fresh(share=0.25), tb.Synthetic()), ages=(1.0, 1.0)),
    "fresh and all": tb.Mix((tb.Fresh(share=0.25), tb.Synthetic()), ages="all"),
    "real only": tb.RealOnly(),
    "subsample": tb.AccumulateSubsample(),
    "part of the pool": tb.AccumulateSubsample(draw=4),
    "hoard": tb.Anchored(real_count=2, source="hoard", hoard=5),
}


@dataclass(frozen=True)
class Run:
    """Outputs of a run, by variable."""

    out: dict[str, np.ndarray]
    d: int

    def __getitem__(self, name: str) -> np.ndarray:
        return self.out[name]

    def factors(self) -> np.ndarray:
        """Full lower triangles, scaled; what is below the double's range becomes zero."""
        rows, columns = np.tril_indices(self.d)
        full = np.zeros((*self.out["factor"].shape[:2], self.d, self.d))
        full[..., rows, columns] = self.out["factor"]
        return np.ldexp(full, self.out["exponent"][..., None, :].astype(np.int32))

    def covariances(self) -> np.ndarray:
        """Covariances of the models."""
        factors = self.factors()
        return factors @ np.swapaxes(factors, -1, -2)


def reference(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and Cholesky factor of a law without symmetries."""
    factor = np.tril(np.sin(1.0 + np.arange(d * d).reshape(d, d)))
    np.fill_diagonal(factor, 1.0 + 0.5 * np.cos(np.arange(d)))
    return np.linspace(-1.0, 2.0, d), factor


def program(
    regime=None, samples=30, generations=8, *, d=2, ddof=1, key=7, variables=EVERY, at=None, law=None
):
    """Program of a regime; samples may be a list, of generation 1 on."""
    sizes = np.broadcast_to(np.append(samples, 0) if np.ndim(samples) else samples, generations + 1)
    made = compose(tb.Replace() if regime is None else regime, sizes.astype(np.uint64))
    mean, factor = reference(d) if law is None else law
    return SimpleNamespace(
        key=key,
        ddof=ddof,
        samples=made.samples,
        fresh=made.fresh,
        from_kept=made.from_kept,
        kept=made.kept,
        item_weights=made.item_weights,
        ages=made.ages,
        draw=made.draw,
        at=np.arange(generations + 1, dtype=np.uint32) if at is None else np.array(at, np.uint32),
        variables=variables,
        mean=np.ascontiguousarray(mean, float),
        factor=np.ascontiguousarray(factor[np.tril_indices(d)], float),
        composition=made,
    )


def run(source, replicates: int, blocks=None) -> Run:
    """Run replicates, in these blocks."""
    engine = gaussian.Engine(source)
    out, control = engine.outputs(replicates), Control()
    for start, stop in [(0, replicates)] if blocks is None else blocks:
        engine.run(start, stop, out, control)
    return Run(out, source.mean.size)


STANDARD = np.zeros(1), np.ones((1, 1))

# SPDX-License-Identifier: MIT
"""The package's own words for the runs of the gallery, and short ways to run them."""

import xarray as xr

import tailbiter as tb
from tests.oracles.gallery import TINY
from tests.oracles.reading import dense
from tests.oracles.twin import Counts

SEED = 20_251_122
ONE = tb.Fresh(count=1)
REST = tb.Synthetic()

REGIMES = {
    "replace-2": tb.Replace(),
    "replace-3": tb.Replace(),
    "replace-4": tb.Replace(),
    "replace-5": tb.Replace(),
    "accumulate-2": tb.Accumulate(),
    "accumulate-3": tb.Accumulate(),
    "accumulate-4": tb.Accumulate(),
    "accumulate-5": tb.Accumulate(),
    "subsample-2": tb.AccumulateSubsample(),
    "subsample-3": tb.AccumulateSubsample(draw=3),
    "subsample-4": tb.AccumulateSubsample(draw=2),
    "subsample-5": tb.AccumulateSubsample(draw=2),
    "fresh-2": tb.Anchored(real=0.25),
    "fresh-3": tb.Anchored(real=[0.3, 0.4, 0.25]),
    "fresh-4": tb.Anchored(real_count=1),
    "fresh-5": tb.Anchored(real=0.33),
    "fixed-2": tb.Anchored(real=0.5, source="fixed"),
    "fixed-3": tb.Anchored(real_count=1, source="fixed"),
    "fixed-4": tb.Anchored(real=0.33, source="fixed"),
    "fixed-5": tb.Anchored(real_count=1, source="fixed"),
    "hoard-2": tb.Anchored(real=[0.5, 0.6, 0.5], source="hoard", hoard=6),
    "hoard-3": tb.Anchored(real_count=2, source="hoard", hoard=3),
    "hoard-4": tb.Anchored(real=0.33, source="hoard", hoard=2),
    "hoard-5": tb.Anchored(real=0.5, source="hoard", hoard=4),
    "window-2": tb.Window(2),
    "window-3": tb.Window(3),
    "window-4": tb.Window(2),
    "window-5": tb.Window(2),
    "real-only-2": tb.RealOnly(),
    "real-only-3": tb.RealOnly(),
    "real-only-4": tb.RealOnly(),
    "real-only-5": tb.RealOnly(),
    "mix-weights-2": tb.Mix((tb.Fresh(count=2, weight=0.7), tb.Synthetic(weight=0.3))),
    "mix-weights-3": tb.Mix((tb.Fresh(count=1, weight=0.75), tb.Synthetic(weight=0.25))),
    "mix-fixed-2": tb.Mix((tb.Fixed(count=2, weight=0.8), tb.Synthetic(weight=0.2))),
    "mix-schedule-3": tb.Mix((tb.Fresh(share=[0, 0.25, 0.5]), REST)),
    "mix-sources-3": tb.Mix((ONE, tb.Hoard(size=2, count=1), REST)),
    "mix-ages-2": tb.Mix(ages=(2.0, 1.0)),
    "mix-ages-3": tb.Mix((ONE, REST), ages=(0.1, 0.3)),
    "mix-all-3": tb.Mix((ONE, REST), ages="all"),
    "mix-hoard-4": tb.Mix((tb.Hoard(size=3, count=1, weight=0.2), tb.Synthetic(weight=0.8))),
    "mix-sources-5": tb.Mix((ONE, tb.Fixed(count=1), REST)),
}


def tiny_spec(name: str, replicates: int, seed: int = SEED) -> tb.Spec:
    """The gallery's run as a Spec."""
    plan = TINY[name].plan
    return tb.Spec(
        reference=tb.Counts(list(plan.weights)),
        regime=REGIMES[name],
        samples=list(plan.samples),
        generations=len(plan.samples),
        replicates=replicates,
        seed=seed,
    )


def run(spec: tb.Spec, *variables: str, **record: object) -> xr.Dataset:
    """Run on one thread, keeping every generation of the named variables unless told otherwise."""
    record.setdefault("generations", "all")
    return tb.simulate(spec, record=tb.Record(variables=variables or ["survivors"], **record), threads=1)


def trainings(spec: tb.Spec, generations: tuple[int, ...]) -> Counts:
    """Training weights ``[generation, replicate, category]`` read off snapshots."""
    ds = run(spec, generations=[0], snapshots=generations)
    return dense(ds, generations, int(ds.attrs["categories"]))

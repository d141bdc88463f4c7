# SPDX-License-Identifier: MIT
"""A small gallery of runs and the fingerprints of their results.

The promise: the hashes in ``golden.json`` hold on every machine, for every number of threads and every
instruction set. They may change only

- in a release that raises STREAM_VERSION (draws or sums changed on purpose) and says so in the CHANGELOG,
- when a Spec of the gallery itself is changed or added, for that Spec alone.

A change in a hash for any other reason is a defect of the code, not of the file. ``python -m
tests.bits.gallery`` prints the fingerprints of this build; with ``--write`` it replaces the file, which a
commit must then explain.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr

import tailbiter as tb
from tailbiter import _core
from tailbiter._variables import CRAWLED, FAMILIES

GOLDEN = Path(__file__).with_name("golden.json")
LOGISTIC = tb.Schedule(start=1.0, end=0.05, over=20, shape="logistic")


def _spec(reference, regime=None, samples=100, generations=30, replicates=5, **more) -> tb.Spec:
    return tb.Spec(
        reference=reference,
        regime=regime or tb.Replace(),
        samples=samples,
        generations=generations,
        replicates=replicates,
        seed=1851,
        **more,
    )


def gallery() -> dict[str, tb.Spec]:
    """Every regime, every kind of reference, sizes that lead through every path of the engine."""
    zipf = tb.Zipf(categories=300)
    return {
        "replace": _spec(tb.Zipf(categories=3_000, exponent=1.1, shift=2.7), samples=3_000, generations=60),
        "large-beside-small": _spec(tb.Zipf(categories=5_000), samples=20_000, generations=30),
        "long": _spec(zipf, samples=1_000, generations=2_500),
        "large": _spec(tb.Counts([5, 0, 3, 9, 9, 1] * 100), samples=10**9, generations=8),
        "largest": _spec(tb.Zipf(categories=64), samples=10**12, generations=8),
        "sweep": _spec(tb.Uniform(categories=100), samples=1_000, generations=300, replicates=300),
        "tiny": _spec(tb.Counts([5, 2, 1]), samples=4, generations=6, replicates=1_000),
        "growth": _spec(zipf, samples=tb.Growth(first=50, factor=1.1, step=3, most=20_000), generations=90),
        "list": _spec(zipf, samples=[1_000, 20, 3_000, 10**6] * 10, generations=39),
        "accumulate": _spec(tb.Geometric(categories=60, ratio=0.9), tb.Accumulate()),
        "accumulate-wide": _spec(tb.Zipf(categories=3_000), tb.Accumulate(), samples=3_000),
        "subsample": _spec(zipf, tb.AccumulateSubsample()),
        "subsample-wide": _spec(tb.Zipf(categories=1_000), tb.AccumulateSubsample(), samples=120),
        "subsample-large": _spec(zipf, tb.AccumulateSubsample(draw=10**6), samples=10**7),
        "fresh": _spec(tb.Zipf(categories=2_000), tb.Anchored(real=0.01), samples=2_000, generations=80),
        "fresh-mostly": _spec(zipf, tb.Anchored(real=0.9), samples=5_000),
        "fresh-sweep": _spec(tb.Uniform(categories=20), tb.Anchored(real=0.05), replicates=200),
        "fixed": _spec(zipf, tb.Anchored(real=0.1, source="fixed")),
        "hoard": _spec(zipf, tb.Anchored(real=0.1, source="hoard", hoard=250)),
        "window": _spec(tb.Dirichlet(categories=200, concentration=0.3, seed=4), tb.Window(4)),
        "real-only": _spec(tb.Probabilities([0.5, 0.2, 0.2, 0.05, 0.05]), tb.RealOnly()),
        "weights": _spec(zipf, tb.Mix((tb.Fresh(share=0.3, weight=0.6), tb.Synthetic(weight=0.4)))),
        "schedule": _spec(
            zipf,
            tb.Mix((tb.Fresh(share=LOGISTIC), tb.Synthetic())),
        ),
        "ages": _spec(zipf, tb.Mix((tb.Fresh(count=5), tb.Synthetic()), ages=(1.0, 0.5, 0.25))),
    }


def bent() -> dict[str, tb.Spec]:
    """Every lever, under regimes that lead through each way of drawing."""
    words, many = tb.Zipf(categories=400), tb.Zipf(categories=700)
    rewards = tuple(float(i % 5) for i in range(400))
    fresh = tb.Anchored(real=0.1)
    loop = tb.Crawl(real=tb.Schedule(start=0.9, end=0.1, over=10))
    return {
        "add-k": _spec(words, estimator=tb.AddK(k=0.01), samples=300),
        "add-k-dense": _spec(words, tb.Window(2), estimator=tb.AddK(k=2)),
        "good-turing": _spec(words, estimator=tb.GoodTuring(), samples=300),
        "discount": _spec(words, fresh, estimator=tb.Discount(discount=0.5)),
        "shrinkage": _spec(words, estimator=tb.Shrinkage(target="previous")),
        "shrinkage-wide": _spec(tb.Zipf(3_000), estimator=tb.Shrinkage(target="previous"), samples=3_000),
        "good-turing-full": _spec(many, estimator=tb.GoodTuring(), samples=900),
        "good-turing-raw": _spec(many, estimator=tb.GoodTuring("none"), samples=900),
        "discount-full": _spec(many, fresh, estimator=tb.Discount(), samples=900),
        "james-stein": _spec(many, estimator=tb.Shrinkage(), samples=400),
        "add-k-fills": _spec(tb.Zipf(700, exponent=3), estimator=tb.AddK(k=1), samples=900),
        "add-k-window": _spec(many, tb.Window(2), estimator=tb.AddK(k=2), samples=900),
        "errors": _spec(words, tb.Accumulate(), error_rate=0.05),
        "temperature": _spec(words, decoding=tb.Decoding(temperature=0.8), samples=10**6),
        "cuts": _spec(words, fresh, decoding=tb.Decoding(top_k=90, top_p=0.9, min_p=1e-3, epsilon=1e-3)),
        "cuts-unseen": _spec(words, estimator=tb.AddK(k=0.1), decoding=tb.Decoding(top_k=350)),
        "choice": _spec(words, curation=tb.Choice(k=3, reward=rewards)),
        "best-of": _spec(words, fresh, curation=tb.BestOf(k=4, reward=rewards)),
        "verifier": _spec(
            words, error_rate=0.1, curation=tb.Verifier(accepts_good=0.9, accepts_bad=0.2, reward=rewards)
        ),
        "top-share": _spec(words, curation=tb.TopShare(share=0.3, reward=rewards), samples=5_000),
        "crawl": _spec(words, loop, detector=tb.Detector(tpr=0.8, fpr=0.1)),
        "fault": _spec(words, fault=tb.LabelNoise(share=0.2)),
    }


def continuous() -> dict[str, tb.Spec]:
    """Models without categories: every way in which training sets are composed and drawn."""
    law = tb.Gaussian([1, -2, 0], [[1 / (1 + abs(i - j)) for j in range(3)] for i in range(3)])
    laws = [[(i * k + 3) % 7 for i in range(30)] for k in (1, 2, 3)]
    probabilities = [[x / sum(row) for x in row] for row in laws]
    styles = tb.CategoricalMixture([0.5, 0.375, 0.125], probabilities, length=[20, 35])
    unbiased = {"estimator": tb.MLE(ddof=1)}
    pair = tb.GaussianMixture([0.8, 0.2], [0.0, 3.0], [1.0, 0.5])
    crawl, judge = tb.Crawl(real=tb.Schedule(start=0.9, end=0.2, over=20)), tb.Detector(tpr=0.7, fpr=0.1)
    return {
        "gaussian": _spec(tb.Gaussian(), samples=50, generations=2_500),
        "gaussian-wide": _spec(tb.Gaussian(dimensions=20), samples=15, generations=40, **unbiased),
        "gaussian-window": _spec(law, tb.Window(3), **unbiased),
        "gaussian-accumulate": _spec(law, tb.Accumulate(), samples=10**15),
        "gaussian-subsample": _spec(law, tb.AccumulateSubsample(draw=40)),
        "gaussian-hoard": _spec(law, tb.Anchored(real=0.1, source="hoard", hoard=25)),
        "poisson": _spec(tb.Poisson(0.7), tb.Anchored(real=0.2, source="fixed")),
        "poisson-window": _spec(tb.Poisson(300.0), tb.Window(3), samples=10**12),
        "exponential": _spec(tb.Exponential(2.0), samples=2, generations=1_500),
        "exponential-accumulate": _spec(tb.Exponential(), tb.Accumulate(), samples=10**15),
        "documents": _spec(styles, tb.Anchored(real=0.2, source="fixed"), generations=12),
        "documents-accumulate": _spec(styles, tb.Accumulate(), samples=40, generations=8),
        "documents-subsample": _spec(styles, tb.AccumulateSubsample(draw=30), samples=40, generations=8),
        "gaussian-weights": _spec(law, tb.Mix((tb.Fixed(share=0.3, weight=0.6), tb.Synthetic(weight=0.4)))),
        "gaussian-crawl": _spec(law, crawl, detector=judge, samples=50, generations=40),
        "exponential-crawl": _spec(tb.Exponential(2.0), crawl, samples=10**12, generations=40),
        "mixture-crawl": _spec(pair, crawl, detector=judge),
        "mixture": _spec(pair, samples=60, generations=400),
        "mixture-tied": _spec(_mixture("tied"), tb.Window(3), estimator=tb.EM(start="kmeans++", floor=1e-3)),
        "mixture-diagonal": _spec(_mixture("diagonal"), tb.Accumulate(), samples=40),
        "mixture-spherical": _spec(_mixture("spherical"), tb.Anchored(real=0.1), samples=1_003),
        "mixture-full": _spec(_mixture("full"), samples=2_000, estimator=tb.EM(tolerance=0.0, iterations=7)),
        "mixture-subsample": _spec(pair, tb.AccumulateSubsample(draw=90)),
        "mixture-hoard": _spec(pair, tb.Anchored(real=0.1, source="hoard", hoard=25)),
        "mixture-weights": _spec(pair, tb.Mix((tb.Fixed(share=0.3, weight=0.6), tb.Synthetic(weight=0.4)))),
    }


def _mixture(covariance: str) -> tb.GaussianMixture:
    """Three components in three dimensions, no two alike."""
    full = [[[k + 1 if i == j else 0.3 for j in range(3)] for i in range(3)] for k in range(3)]
    covariances = {
        "full": full,
        "tied": full[0],
        "diagonal": [[row[i] for i, row in enumerate(square)] for square in full],
        "spherical": [1.0, 2.0, 3.0],
    }
    means = [[0, 0, 0], [4, -1, 0], [0, 5, 2]]
    return tb.GaussianMixture([0.5, 0.3, 0.2], means, covariances[covariance], covariance)


def fingerprint(ds: xr.Dataset) -> dict[str, str]:
    """SHA-256 of the integers (what was drawn) and of the reals (what was summed), with names and shapes."""
    hashes = {"drawn": hashlib.sha256(), "summed": hashlib.sha256()}
    for name in sorted(map(str, ds.data_vars)):
        values = ds[name].values
        kind = "summed" if values.dtype.kind == "f" and name != "survivors_output" else "drawn"
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        hashes[kind].update(f"{name} {little.dtype.str} {little.shape} ".encode())
        hashes[kind].update(little.tobytes())
    return {kind: value.hexdigest() for kind, value in hashes.items()}


def with_snapshots(spec: tb.Spec) -> tb.Record:
    """Everything that can be recorded; what a crawl adds, of crawls alone."""
    if not spec.reference.traits.has_categories:
        known = FAMILIES[spec.reference.family].known
        also = set(spec.also_recorded)
        names = tuple(name for name in known if name not in CRAWLED or name in also)
        return tb.Record(generations="all", variables=names)
    return tb.Record(generations="all", forgotten=True, snapshots=(1, 3, spec.generations))


def fingerprints(threads: int = 1) -> dict[str, dict[str, str]]:
    """Fingerprints of the whole gallery."""
    return {
        name: fingerprint(tb.simulate(spec, record=with_snapshots(spec), threads=threads))
        for name, spec in (gallery() | bent() | continuous()).items()
    }


def document() -> dict[str, object]:
    """What ``golden.json`` holds."""
    return {"stream_version": _core.build_info()["stream_version"], "runs": fingerprints()}


if __name__ == "__main__":
    text = json.dumps(document(), indent=2) + "\n"
    if "--write" in sys.argv[1:]:
        GOLDEN.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)

# SPDX-License-Identifier: MIT
"""Every pair of levers, on small runs of any regime: what must hold whatever they do."""

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

import tailbiter as tb
from tests.levers import rules
from tests.oracles import levers

CATEGORIES, GENERATIONS = 12, 6
REWARDS = st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=CATEGORIES, max_size=CATEGORIES).map(tuple)
SHARE = st.sampled_from([0.05, 0.3, 0.7, 1.0])
LEVERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "add-k": st.builds(tb.AddK, k=st.sampled_from([0.01, 1.0, 50.0])).map(lambda x: {"estimator": x}),
    "good-turing": st.builds(tb.GoodTuring, smoothing=st.sampled_from(["none", "log-linear"])).map(
        lambda x: {"estimator": x}
    ),
    "discount": st.builds(tb.Discount, discount=st.sampled_from([None, 0.3])).map(lambda x: {"estimator": x}),
    "shrinkage": st.builds(
        tb.Shrinkage, weight=st.sampled_from([None, 0.2]), target=st.sampled_from(["uniform", "previous"])
    ).map(lambda x: {"estimator": x}),
    "own-estimator": st.just({"estimator": tb.UserEstimator(rules.add_one)}),
    "own-decoding": st.just({"decoding": tb.Decoding(rule=rules.squared)}),
    "temperature": st.sampled_from([0.5, 0.95, 3.0]).map(lambda x: {"decoding": tb.Decoding(temperature=x)}),
    "top-k": st.integers(1, CATEGORIES + 1).map(lambda x: {"decoding": tb.Decoding(top_k=x)}),
    "top-p": SHARE.map(lambda x: {"decoding": tb.Decoding(top_p=x)}),
    "epsilon": st.sampled_from([0.05, 0.2, 0.9]).map(lambda x: {"decoding": tb.Decoding(epsilon=x)}),
    "min-p": SHARE.map(lambda x: {"decoding": tb.Decoding(min_p=x)}),
    "errors": SHARE.map(lambda x: {"error_rate": x}),
    "choice": st.builds(tb.Choice, k=st.sampled_from([2, 3, float("inf")]), reward=REWARDS).map(
        lambda x: {"curation": x}
    ),
    "best-of": st.builds(tb.BestOf, k=st.integers(2, 9), reward=REWARDS).map(lambda x: {"curation": x}),
    "verifier": st.builds(tb.Verifier, accepts_good=SHARE, accepts_bad=SHARE, reward=REWARDS).map(
        lambda x: {"curation": x}
    ),
    "top-share": st.builds(tb.TopShare, share=SHARE, reward=REWARDS).map(lambda x: {"curation": x}),
}
CRAWLS = st.sampled_from([0.0, 0.3, 1.0, tb.Schedule(start=1, end=0, over=4)])
LEVERS |= {
    "crawl": CRAWLS.map(lambda real: {"regime": tb.Crawl(real=real)}),
    "detector": st.builds(
        tb.Detector,
        tpr=st.sampled_from([0.0, 0.6, (0.9, 0.0)]),
        fpr=st.sampled_from([0.0, 0.3, (0.7, 0.0)]),
        adoption=st.sampled_from([0.5, 1.0]),
        labelled=st.sampled_from([0.0, 0.2]),
    ).flatmap(lambda x: CRAWLS.map(lambda real: {"regime": tb.Crawl(real=real), "detector": x})),
    "label-noise": SHARE.map(lambda x: {"fault": tb.LabelNoise(x)}),
    "truncation": st.sampled_from([0.1, 0.5, 0.8]).map(lambda x: {"fault": tb.Truncation(x)}),
    "duplication": st.integers(1, 9).map(lambda x: {"fault": tb.Duplication(x)}),
    "held-out": st.lists(st.integers(0, 9), min_size=CATEGORIES, max_size=CATEGORIES)
    .filter(any)
    .map(lambda x: {"held_out": tb.Counts(x)}),
    "groups": st.lists(st.sampled_from("xyz"), min_size=CATEGORIES, max_size=CATEGORIES).map(
        lambda x: {"groups": tuple(x)}
    ),
}
REGIMES = st.sampled_from(
    [
        tb.Replace(),
        tb.Accumulate(),
        tb.AccumulateSubsample(),
        tb.Window(2),
        tb.Anchored(real=0.3),
        tb.Anchored(real=0.2, source="fixed"),
        tb.Anchored(real=0.2, source="hoard", hoard=300),
    ]
)
FIELDS = {
    "estimator": ("add-k", "good-turing", "discount", "shrinkage", "own-estimator"),
    "curation": ("choice", "best-of", "verifier", "top-share"),
    "regime": ("crawl", "detector"),
    "fault": ("label-noise", "truncation", "duplication"),
    "errors": ("errors",),
    "held_out": ("held-out",),
    "groups": ("groups",),
}
KIND = dict.fromkeys(LEVERS, "decoding") | {name: kind for kind, names in FIELDS.items() for name in names}
REFUSED = [("top-share", "crawl"), ("top-share", "detector")]
PAIRS = [
    (one, other)
    for one, other in combinations(LEVERS, 2)
    if KIND[one] != KIND[other] or KIND[one] == "decoding"  # steps of it go together, too
]


@st.composite
def specs(draw: st.DrawFn, one: str, other: str) -> tb.Spec:
    table = draw(st.lists(st.integers(1, 40), min_size=CATEGORIES, max_size=CATEGORIES))
    fields = {
        "regime": draw(REGIMES),
        "samples": draw(st.sampled_from([10, 37, 1000])),
        "seed": draw(st.integers(0, 2**32)),
        "bands": (5.0,),
    }
    for lever in (one, other):
        drawn = draw(LEVERS[lever])
        if "decoding" in fields and "decoding" in drawn:
            drawn = {"decoding": both(fields["decoding"], drawn["decoding"])}
        fields |= drawn
    return tb.Spec(reference=tb.Counts(table), generations=GENERATIONS, replicates=6, **fields)


def both(one: tb.Decoding, other: tb.Decoding) -> tb.Decoding:
    """A decoding that does what two do."""
    plain = tb.Decoding()
    own = {name: value for name, value in asdict(other).items() if value != getattr(plain, name)}
    return replace(one, **own)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [pair for pair in PAIRS if pair not in REFUSED], ids=str)
@settings(
    max_examples=3, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_what_holds_for_every_pair(one: str, other: str, data: st.DataObject) -> None:
    spec = data.draw(specs(one, other))
    record = tb.Record(generations="all", snapshots=tuple(range(1, GENERATIONS + 1)))
    ds = tb.simulate(spec, record=record, threads=1)
    check_totals(spec, ds)
    check_bounds(spec, ds)
    check_supports(spec, ds)
    check_cuts(spec, ds)
    check_origins(spec, ds)
    check_first(spec, ds)
    check_judges(spec, ds)
    again = tb.simulate(tb.Spec.from_toml(spec.to_toml()), record=record, threads=2)
    assert all(np.array_equal(ds[name], again[name], equal_nan=ds[name].dtype.kind == "f") for name in ds)


def counted(ds: Any) -> np.ndarray:
    """Training counts of the reference's categories, ``[generation, replicate, category]``."""
    counts = np.zeros((GENERATIONS + 1, ds.sizes["replicate"], CATEGORIES), np.int64)
    index = [ds[f"snapshot_{name}"].values for name in ("generation", "replicate", "category")]
    counts[tuple(index)] = ds["snapshot_count"].values
    return counts[1:]


def check_totals(spec: tb.Spec, ds: Any) -> None:
    """Training sets are as large as the regime makes them; what is missing is wrong."""
    sizes = counted(ds).sum(axis=2)
    n = np.array(spec.samples if isinstance(spec.samples, int) else 0)
    whole = {"Accumulate": n * np.arange(1, GENERATIONS + 1), "Window": n * np.minimum(np.arange(1, 7), 2)}
    total = np.broadcast_to(whole.get(type(spec.regime).__name__, n), (GENERATIONS,))[:, None]
    assert (sizes <= total).all()
    if not spec.error_rate:
        assert (sizes == total).all()
    else:
        wrong = ds["wrong_mass"].values.T[1:]
        assert np.allclose(1 - sizes / total, wrong, rtol=0, atol=1e-12)


def check_bounds(spec: tb.Spec, ds: Any) -> None:
    """What is recorded of presence is what the counts say, and every share is one."""
    present = (counted(ds) > 0).sum(axis=2)
    assert (ds["survivors"].values.T[1:] == present).all()
    for name in ("coverage", "largest_share", "total_variation", "tail_mass"):
        values = ds[name].values[np.isfinite(ds[name].values)]
        assert ((values >= 0) & (values <= 1 + 1e-12)).all(), name
    mass = ds["band_mass"].values.sum(axis=2)
    assert np.allclose(mass[np.isfinite(mass)], 1, rtol=0, atol=1e-9)
    entropy = ds["entropy"].values
    assert (entropy[np.isfinite(entropy)] <= np.log(CATEGORIES) + 1e-12).all()
    assert (ds["kl"].values[np.isfinite(ds["kl"].values)] >= 0).all()


def check_supports(spec: tb.Spec, ds: Any) -> None:
    """Without smoothing and without human data nothing comes back; a cut to k leaves at most k."""
    if not isinstance(spec.regime, tb.Replace):
        return
    models = counted(ds) > 0
    smoothed = not isinstance(spec.estimator, tb.MLE)
    if not smoothed:
        assert not (models[1:] & ~models[:-1]).any()
    if spec.decoding.top_k is not None:
        assert (models[1:].sum(axis=2) <= spec.decoding.top_k).all()


def check_cuts(spec: tb.Spec, ds: Any) -> None:
    """Of plain counts what the steps of decoding cut, one after the other, is not sampled."""
    told = spec.error_rate or spec.curation is not None or not isinstance(spec.estimator, tb.MLE)
    if told or not isinstance(spec.regime, tb.Replace):
        return
    counts = counted(ds)[:, :, spec.reference.support.order]  # ties go to the commoner
    law = steps(spec.decoding)
    for model, batch in zip(
        counts[:-1].reshape(-1, CATEGORIES), counts[1:].reshape(-1, CATEGORIES), strict=True
    ):
        left = np.array([float(x) for x in law(levers.model_of(model.tolist()))])
        assert not batch[left == 0].any()


def steps(decoding: tb.Decoding) -> levers.Law:
    """What a decoding does before a rule of the user's, in its order."""
    shares = (Fraction(repr(share)) for share in (decoding.top_p, decoding.min_p, decoding.epsilon))
    cuts = (
        cut(share) for cut, share in zip((levers.top_p, levers.min_p, levers.epsilon), shares, strict=True)
    )
    first = levers.top_k(decoding.top_k or CATEGORIES)
    heat = [] if decoding.temperature == 1 else [levers.heated(decoding.temperature)]
    return levers.chain(*heat, first, *cuts)


def check_origins(spec: tb.Spec, ds: Any) -> None:
    """Of a crawl: human shares and what a detector threw out are shares."""
    if not isinstance(spec.regime, tb.Crawl):
        return
    for name in {"real_share", "real_share_crawled", "real_discarded", "band_real_discarded"} & set(ds):
        values = ds[name].values[np.isfinite(ds[name].values)]
        assert ((values >= 0) & (values <= 1)).all(), name
    later = ds.sel(generation=slice(2, None))
    if spec.regime.real in (0.0, 1.0):
        assert (later.real_share == spec.regime.real).all()
        assert (later.real_share_crawled == spec.regime.real).all()
    if spec.regime.real == 1 and spec.error_rate:
        assert (ds.wrong_mass == 0).all()
    if spec.detector is not None and isinstance(spec.detector.fpr, float):
        lost = (1 - spec.detector.labelled) * spec.detector.fpr
        crawled = later.real_discarded.values[later.real_share_crawled.values > 0]
        assert np.allclose(crawled, lost, rtol=0, atol=1e-12)


def check_first(spec: tb.Spec, ds: Any) -> None:
    """A fault is in generation 1's data: nothing of what was cut, whole copies but for what is left over."""
    first = counted(ds)[0]
    share = spec.reference.support.weights / float(spec.reference.support.weights.sum())
    if isinstance(spec.fault, tb.Truncation):
        assert not first[:, spec.samples * share < spec.fault.below - 1e-9].any()
    if isinstance(spec.fault, tb.Duplication):
        single = (first % spec.fault.copies).sum(axis=1)
        assert (single <= spec.samples % spec.fault.copies).all()
    if spec.error_rate:
        assert (ds.wrong_mass.sel(generation=1) == 0).all()


def check_judges(spec: tb.Spec, ds: Any) -> None:
    """What held-out data and groups see is what the counts say."""
    present = counted(ds) > 0
    if spec.held_out is not None:
        tokens = spec.held_out.support.weights / float(spec.held_out.support.weights.sum())
        at = spec.held_out.support.position
        assert np.allclose(ds.oov_tokens.values.T[1:], 1 - present[..., at] @ tokens, rtol=0, atol=1e-12)
        worst = ds.overconfidence.values[np.isfinite(ds.overconfidence.values)]
        assert ((worst >= -1) & (worst <= 1)).all()
    if spec.groups is not None:
        mass = ds.group_mass.values.sum(axis=2)
        assert np.allclose(mass[np.isfinite(mass)], 1, rtol=0, atol=1e-9)
        assert (ds.group_survivors.sum("group") == ds.survivors).all()
        names = np.array(spec.groups.plain())
        of = present[..., names == str(ds.group.values[0])].sum(axis=2)
        assert (of == ds.group_survivors.values[:, 1:, 0].T).all()


@pytest.mark.parametrize(("one", "other"), REFUSED)
def test_the_best_share_of_a_crawl_is_refused(one: str, other: str) -> None:
    best = tb.TopShare(share=0.3, reward=(1.0,) * CATEGORIES)
    judge = {"detector": tb.Detector(tpr=0.5)} if other == "detector" else {}
    with pytest.raises(tb.SpecError, match="as many items as a crawl leaves to chance"):
        tb.Spec(reference=tb.Uniform(CATEGORIES), regime=tb.Crawl(real=0.5), curation=best, **judge)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_best_share_is_as_large_as_a_batch(share: float) -> None:
    """All alike, so that the best are drawn without replacement from all that was drawn."""
    best = tb.TopShare(share=share, reward=(1.0,) * CATEGORIES)
    spec = tb.Spec(
        reference=tb.Uniform(CATEGORIES), samples=10, generations=GENERATIONS, replicates=6, curation=best
    )
    check_totals(spec, tb.simulate(spec, record=tb.Record(snapshots=tuple(range(1, GENERATIONS + 1)))))


@pytest.mark.parametrize("estimator", [tb.AddK(1.0), tb.GoodTuring()], ids=str)
def test_batches_that_happen_to_be_human_are_whole(estimator: Any) -> None:
    """By-band rates list all categories before it is known that no item of the batch is from the model."""
    crawl = {"regime": tb.Crawl(real=0.3), "detector": tb.Detector(tpr=(0.9, 0.0)), "bands": (5.0,)}
    table = tb.Counts([3, 9, 1, 7, 2, 5, 1, 8, 30, 2, 4, 1])
    spec = tb.Spec(
        reference=table, samples=10, generations=GENERATIONS, replicates=60, estimator=estimator, **crawl
    )
    ds = tb.simulate(spec, record=tb.Record(generations="all", snapshots=tuple(range(1, GENERATIONS + 1))))
    assert int((ds.real_share.sel(generation=slice(2, None)) == 1).sum()) > 20
    check_totals(spec, ds)


FAULTS = [tb.LabelNoise(0.5), tb.Truncation(below=1), tb.Duplication(copies=7)]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_in_generation_1_and_in_no_other(fault: Any) -> None:
    """Of fresh human data the same words make the same batches, but for the first."""
    law = {"reference": tb.Zipf(5000), "samples": 400, "generations": 5, "replicates": 4}
    law |= {"regime": tb.RealOnly(), "common_random_numbers": True}
    with_it, without = (tb.simulate(tb.Spec(fault=one, **law)) for one in (fault, None))
    close = np.isclose(with_it.brier, without.brier, rtol=1e-12, atol=0)  # summed in another order
    same = close.all(axis=0).tolist()
    assert same == [True, False, True, True, True, True]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_kept_set_has_no_fault(fault: Any) -> None:
    """A generation that is all of the kept set is the same human set whatever was wrong with generation 1."""
    law = {"reference": tb.Zipf(50), "samples": 400, "generations": 4, "replicates": 4}
    for kept in ({"source": "fixed"}, {"source": "hoard", "hoard": 400}):
        spec = tb.Spec(regime=tb.Anchored(real=1.0, **kept), common_random_numbers=True, fault=fault, **law)
        brier = tb.simulate(spec).brier
        assert (brier.sel(generation=[3, 4]) == brier.sel(generation=2)).all()
        assert (brier.sel(generation=1) != brier.sel(generation=2)).all()
        expected = float(
            tb.simulate(spec.replace(fault=None, regime=tb.RealOnly(), replicates=400)).brier.mean()
        )
        assert float(brier.sel(generation=2).mean()) < 3 * expected


def last(**fields: Any) -> Any:
    """A run of twenty even categories, 400 items a generation, at its last record."""
    spec = tb.Spec(reference=tb.Uniform(20), samples=400, generations=4, replicates=8, **fields)
    return tb.simulate(spec).isel(generation=-1)


def test_levers_come_in_their_order() -> None:
    """Estimator, decoding, errors, curation, and human items after all of them."""
    good = tuple(float(i >= 10) for i in range(20))
    strict = tb.Verifier(accepts_good=1.0, accepts_bad=0.0, reward=good)
    one = tb.Decoding(top_k=1)
    smoothed = last(estimator=tb.AddK(1e4), decoding=tb.Decoding(top_k=19))
    assert (smoothed.survivors == 19).all()  # cut after what was not seen got its share
    assert (last(decoding=one, error_rate=0.5).wrong_mass > 0.2).all()  # wrong after the cut
    assert (last(error_rate=0.5, curation=strict).wrong_mass == 0).all()  # and verified after that
    assert (last(decoding=tb.Decoding(top_k=12), curation=strict).survivors <= 10).all()
    human = last(decoding=one, error_rate=0.5, curation=strict, regime=tb.Crawl(real=1.0))
    assert (human.survivors > 15).all()
    assert (human.wrong_mass == 0).all()

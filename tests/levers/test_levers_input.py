# SPDX-License-Identifier: MIT
"""What cannot be run is refused in one line that names the field, the value and the remedy."""

from collections.abc import Callable

import pytest

import tailbiter as tb

CRAWL = tb.Crawl(real=0.5)


def spec(**fields: object) -> tb.Spec:
    return tb.Spec(**({"reference": tb.Uniform(10), "samples": 100, "generations": 5} | fields))


BAD: dict[str, tuple[str, Callable[[], object]]] = {
    "negative k": ("estimator.k", lambda: tb.AddK(-1)),
    "k of text": ("estimator.k", lambda: tb.AddK("many")),
    "unknown smoothing": ("estimator.smoothing", lambda: tb.GoodTuring("cubic")),
    "discount of more than an item": ("estimator.discount", lambda: tb.Discount(1.5)),
    "weight above one": ("estimator.weight", lambda: tb.Shrinkage(2)),
    "unknown target": ("estimator.target", lambda: tb.Shrinkage(target="zipf")),
    "smoothing a Gaussian": ("estimator", lambda: spec(reference=tb.Gaussian(), estimator=tb.AddK())),
    "items that weigh differently": (
        "estimator",
        lambda: spec(
            estimator=tb.GoodTuring(),
            regime=tb.Mix([tb.Fresh(share=0.5, weight=0.7), tb.Synthetic(weight=0.3)]),
        ),
    ),
    "ages that weigh differently": (
        "estimator",
        lambda: spec(estimator=tb.AddK(), regime=tb.Mix(ages=(2.0, 1.0))),
    ),
    "error rate": ("error_rate", lambda: spec(error_rate=1.01)),
    "errors of a Gaussian": ("error_rate", lambda: spec(reference=tb.Gaussian(), error_rate=0.1)),
    "fault of a Gaussian": ("fault", lambda: spec(reference=tb.Gaussian(), fault=tb.LabelNoise(0.1))),
    "rate above one": ("detector.tpr", lambda: tb.Detector(tpr=1.5)),
    "rate of a band": ("detector.fpr[1]", lambda: tb.Detector(fpr=(0.1, -1))),
    "no rates": ("detector.fpr", lambda: tb.Detector(fpr=())),
    "adoption": ("detector.adoption", lambda: tb.Detector(adoption=2)),
    "a detector where the split is known": ("detector", lambda: spec(detector=tb.Detector(tpr=0.5))),
    "a detector under a mix": (
        "detector",
        lambda: spec(detector=tb.Detector(), regime=tb.Anchored(real=0.1)),
    ),
    "no detector": ("detector", lambda: spec(detector=0.9, regime=CRAWL)),
    "rates for other bands": (
        "detector.tpr",
        lambda: tb.lower(spec(regime=CRAWL, detector=tb.Detector(tpr=(0.1, 0.2, 0.3, 0.4, 0.5)))),
    ),
    "nothing kept": (
        "detector",
        lambda: tb.lower(spec(regime=tb.Crawl(real=0), detector=tb.Detector(tpr=1))),
    ),
    "human share": ("regime.real", lambda: tb.Crawl(real=1.2)),
    "a crawl beside fresh items": (
        "regime.sources",
        lambda: tb.Mix([tb.Crawled(real=0.1), tb.Fresh(share=0.1)]),
    ),
    "a crawl with weights": (
        "regime.sources",
        lambda: tb.Mix([tb.Crawled(real=0.1, weight=0.5), tb.Synthetic(weight=0.5)]),
    ),
    "noise": ("fault.share", lambda: tb.LabelNoise(-0.1)),
    "copies": ("fault.copies", lambda: tb.Duplication(copies=0)),
    "too many copies": ("fault.copies", lambda: tb.lower(spec(fault=tb.Duplication(copies=101)))),
    "everything cut": ("fault.below", lambda: tb.lower(spec(fault=tb.Truncation(below=1000)))),
    "no fault": ("fault", lambda: spec(fault="noise")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line(name: str) -> None:
    field, make = BAD[name]
    with pytest.raises(tb.SpecError) as caught:
        make()
    assert caught.value.field == field
    assert "\n" not in str(caught.value)


def test_what_is_left_at_its_default_is_not_in_the_identity() -> None:
    plain = spec()
    assert plain.digest() == spec(error_rate=0, fault=None, detector=None).digest()
    crawl = spec(regime=CRAWL)
    assert crawl.digest() == spec(regime=CRAWL, detector=tb.Detector()).digest()
    changed = [
        spec(estimator=tb.AddK()),
        spec(error_rate=0.1),
        spec(fault=tb.LabelNoise(0.1)),
        crawl,
        spec(regime=CRAWL, detector=tb.Detector(tpr=0.1)),
    ]
    assert len({one.key for one in [plain, *changed]}) == 1 + len(changed)


def test_fields_of_levers_can_be_swept() -> None:
    from tailbiter.sweep._fields import known_fields

    base = spec(regime=CRAWL, detector=tb.Detector(tpr=0.5), estimator=tb.AddK(), fault=tb.LabelNoise(0.1))
    assert {"detector.tpr", "error_rate", "estimator.k", "regime.real", "fault.share"} <= set(
        known_fields(base)
    )


def test_every_lever_is_written_and_read() -> None:
    for fields in (
        {"estimator": tb.Shrinkage(0.5, "previous"), "error_rate": 0.5},
        {"regime": CRAWL, "detector": tb.Detector(tpr=(0.1, 0.9), labelled=0.2), "fault": tb.Truncation(5)},
        {"regime": tb.Mix([tb.Crawled(real=[0.5, 0.1])], ages="all"), "fault": tb.Duplication(copies=3)},
        {"estimator": tb.Discount(0.25), "fault": tb.LabelNoise(0.1)},
    ):
        one = spec(**fields)
        assert tb.Spec.from_toml(one.to_toml()) == one == tb.Spec.from_json(one.to_json())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: spec(estimator="good_turing"), "give GoodTuring(...), or in TOML a table: [estimator]"),
        (lambda: spec(estimator="goodturing"), "give GoodTuring(...), or in TOML"),
        (lambda: spec(estimator="best"), "give MLE(), or leave it out (None)"),
        (lambda: spec(curation="choice"), "give Choice(...), or in TOML a table: [curation]"),
        (lambda: spec(fault="truncation"), "give Truncation(...), or in TOML a table: [fault]"),
        (
            lambda: spec(curation=tb.TopShare(share=1e-300, reward=(1.0,) * 10)),
            "makes batches of 1.00e+302 items",
        ),
    ],
)
def test_messages_name_what_was_meant(make, message: str) -> None:
    with pytest.raises(tb.SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_labels_on_all_data_keep_what_is_human() -> None:
    known = spec(regime=tb.Crawl(real=0.2), detector=tb.Detector(labelled=1))
    ds = tb.simulate(known)
    assert (ds.real_share.sel(generation=slice(1, None)) == 1).all()
    with pytest.raises(tb.SpecError, match="may keep nothing of what is crawled for generation 2"):
        tb.simulate(spec(regime=tb.Crawl(real=0.0), detector=tb.Detector(labelled=1)))


OTHERS = {
    "a gaussian": tb.Gaussian(),
    "a mixture": tb.GaussianMixture([0.5, 0.5], [[0], [4]], [1, 1], "spherical"),
    "a poisson": tb.Poisson(3.0),
    "an exponential": tb.Exponential(2.0),
}
OF_CATEGORIES = {
    "decoding": tb.Decoding(top_k=2),
    "error_rate": 0.1,
    "curation": tb.BestOf(k=2, reward=(0.0, 1.0)),
    "fault": tb.LabelNoise(0.1),
    "held_out": tb.Counts([1, 2]),
    "groups": ("a", "b"),
    "stages": tb.Stages(),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("field", OF_CATEGORIES)
def test_what_is_about_categories_is_refused_elsewhere_by_name(name: str, field: str) -> None:
    with pytest.raises(tb.SpecError) as caught:
        spec(reference=OTHERS[name], **{field: OF_CATEGORIES[field]})
    assert caught.value.field == field
    assert f"categories, which {name} reference has none of" in str(caught.value)
    assert "\n" not in str(caught.value)

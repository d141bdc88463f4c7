# SPDX-License-Identifier: MIT
"""What cannot be run is refused in one line that names the field, the value and the remedy."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

import tailbiter as tb


def spec(**fields):
    return tb.Spec(**{"reference": tb.Uniform(10), "samples": 1000, "generations": 20} | fields)


def toml(text):
    return tb.Spec.from_toml('[reference]\nkind = "uniform"\ncategories = 3\n' + text)


def json(text):
    return tb.Spec.from_json(text)


def mix(*sources, **fields):
    return spec(regime=tb.Mix(sources, **fields))


COUNTS = {
    "negative count": (lambda: tb.Counts([3, -1]), "counts[1]: -1 is negative; give 0"),
    "NaN count": (lambda: tb.Counts([3, math.nan]), "counts[1]: nan is not a number; give 0"),
    "infinite count": (lambda: tb.Counts([math.inf]), "counts[0]: inf exceeds 2**53; give"),
    "fractional count": (
        lambda: tb.Counts([3, 0.5]),
        "counts[1]: 0.5 is not a whole number; round",
    ),
    "missing count": (lambda: tb.Counts([3, None]), "counts[1]: None is not a number; give"),
    "text count": (lambda: tb.Counts([3, "4"]), "counts[1]: '4' is not a number; give"),
    "texts": (lambda: tb.Counts(np.array(["4", "5"])), "counts[0]: '4' is not a number; give"),
    "truth values": (lambda: tb.Counts([True, False]), "counts[0]: True is not a number; give"),
    "all zero": (lambda: tb.Counts([0, 0]), "counts: 0 is every value; give at least one"),
    "no counts": (lambda: tb.Counts([]), "counts: [] is empty; give at least one"),
    "a count for a list": (lambda: tb.Counts(5), "counts: 5 is not a list; give"),
    "a dict for a list": (
        lambda: tb.Counts({"a": 1}),
        "counts: 'dict' is a mapping; use Counts.of",
    ),
    "a list for a dict": (lambda: tb.Counts.of([1]), "counts: [1] is not a mapping; give a dict"),
    "ragged counts": (lambda: tb.Counts([[1, 2], [3]]), "counts[0]: [1, 2] is a list; give a flat"),
    "two-dimensional counts": (
        lambda: tb.Counts(np.ones((2, 2))),
        "counts: (2, 2) is the shape of a",
    ),
    "huge count": (lambda: tb.Counts([2**60]), f"counts[0]: {2**60} exceeds 2**53; give"),
    "huger count": (
        lambda: tb.Counts([2**70, 1]),
        f"counts[0]: {float(2**70)} exceeds 2**53; give",
    ),
    "huge total": (
        lambda: tb.Counts([2**52] * 3),
        f"counts: {3 * 2**52} in all exceeds 2**53; divide",
    ),
    "too many categories": (
        lambda: tb.Counts(np.ones(10**7 + 1, np.int8)),
        "counts: 10000001 categories exceed 10,000,000; merge",
    ),
    "count beyond all floats": (lambda: tb.Counts([2**5000, 1]), "counts[0]: inf exceeds 2**53;"),
    "count below all floats": (
        lambda: tb.Counts([2.0, -(2**5000)]),
        "counts[1]: -inf is negative; give 0 or more",
    ),
    "value beyond all floats": (
        lambda: tb.Probabilities([2**5000]),
        "values[0]: inf is not finite; give a smaller number",
    ),
    "exponent beyond all floats": (
        lambda: tb.Zipf(10, 10**400),
        "reference.exponent: a whole number of 1,329 bits is too large; give an exponent such as 1.0",
    ),
    "masked counts": (
        lambda: tb.Counts(np.ma.array([1, 2], mask=[0, 1])),
        "counts: 'MaskedArray' hides what is missing; give values.filled(0), or leave out",
    ),
    "masked labels": (
        lambda: tb.Counts([1, 2], np.ma.array(["a", "b"], mask=[0, 1])),
        "labels: 'MaskedArray' hides what is missing; give",
    ),
    "counts in bytes": (
        lambda: tb.Counts(bytearray(b"12")),
        "counts: bytearray(b'12') is not a list;",
    ),
    "half a character": (
        lambda: tb.Counts([1, 2], ["a", "\ud800"]),
        "labels[1]: '\\ud800' holds half of a character; decode the text anew",
    ),
    "duplicate labels": (
        lambda: tb.Counts([1, 2, 3], ["a", "b", "a"]),
        "labels[2]: 'a' stands twice (first: labels[0]); merge",
    ),
    "too few labels": (lambda: tb.Counts([1, 2], ["a"]), "labels: 1 labels do not match 2 categ"),
    "missing label": (
        lambda: tb.Counts([1, 2], ["a", None]),
        "labels[1]: None is not a label; give",
    ),
    "labels in one text": (lambda: tb.Counts([1, 2], "ab"), "labels: 'ab' is not a list; give"),
    "negative value": (lambda: tb.Probabilities([-0.1, 1]), "values[0]: -0.1 is negative; give"),
    "infinite value": (
        lambda: tb.Probabilities([math.inf, 1]),
        "values[0]: inf is not finite; give",
    ),
    "value too small": (
        lambda: tb.Probabilities([1, 1e-20]).support,
        "values[1]: 1e-20 is too small beside the others: it would round to zero",
    ),
    "ratio too small": (
        lambda: tb.Geometric(100, 0.5).support,
        "reference (category 55): 5.551115123125783e-17 is too small beside the others",
    ),
    "no categories": (lambda: tb.Uniform(0), "reference.categories: 0 is outside 1 to 10,000,000; give"),
    "1e8 categories": (lambda: tb.Zipf(1e8), "reference.categories: 1e8 is outside 1 to 10,000,000;"),
    "half a category": (lambda: tb.Uniform(2.5), "reference.categories: 2.5 is not a whole number; give"),
    "exponent": (lambda: tb.Zipf(3, -1), "reference.exponent: -1.0 is outside [0, 100]; give an exponent"),
    "lost to underflow": (
        lambda: tb.Zipf(2, 100, -0.999).support,
        "reference (category 2): 0.9048826308977861 is too small beside the others",
    ),
    "lost to underflow at once": (
        lambda: tb.Dirichlet(50, 0.001, 1).support,
        "is too small beside the others: it would round to zero",
    ),
    "infinite weight": (
        lambda: tb.Zipf(2, 100, -0.9999).support,
        "reference.shift: -0.9999 gives category 1 an infinite weight; give a shift farther from -1",
    ),
    "shift": (lambda: tb.Zipf(3, 1, -1), "reference.shift: -1.0 is not above -1; give a shift such as 2.7"),
    "ratio": (lambda: tb.Geometric(3, 0), "reference.ratio: 0.0 is not positive; give a ratio such as 0.99"),
    "concentration": (
        lambda: tb.Dirichlet(3, 0.0, 1),
        "reference.concentration: 0.0 is outside [0.001, 1e+06]",
    ),
    "Dirichlet's seed": (lambda: tb.Dirichlet(3, 1.0, -1), "reference.seed: -1 is outside 0 to "),
}

FIELDS = {
    "no samples": (lambda: spec(samples=0), "samples: 0 is outside 1 to 1,000,000,000,000; give"),
    "1e13 samples": (
        lambda: spec(samples=1e13),
        "samples: 1e13 is outside 1 to 1,000,000,000,000;",
    ),
    "fractional samples": (lambda: spec(samples=1.5), "samples: 1.5 is not a whole number; give"),
    "samples in words": (lambda: spec(samples="many"), "samples: 'many' is not a number; give"),
    "NaN samples": (lambda: spec(samples=math.nan), "samples: nan is not finite; give"),
    "samples true": (lambda: spec(samples=True), "samples: True is not a number; give"),
    "short list of samples": (
        lambda: spec(samples=[5, 5]),
        "samples: [5, 5] has 2 entries for 20 generations;",
    ),
    "bad entry of samples": (
        lambda: spec(samples=[5, -5]),
        "samples[1]: -5 is outside 1 to 1,000,000,000,000",
    ),
    "empty samples": (lambda: spec(samples=[]), "samples: [] is empty; give one size for every generation"),
    "shrinking to nothing": (
        lambda: spec(samples=tb.Growth(10, 0.5)),
        "samples: Growth(first=10, factor=0.5",
    ),
    "growing beyond": (lambda: spec(samples=tb.Growth(10**12, 2)), "samples: Growth(first=1000000000000"),
    "factor": (lambda: tb.Growth(10, 0), "samples.factor: 0.0 is not positive; give a factor such as 1.01"),
    "most below first": (
        lambda: tb.Growth(10, most=5),
        "samples.most: 5 is outside 10 to 1,000,000,000,000,000",
    ),
    "no generations": (lambda: spec(generations=0), "generations: 0 is outside 1 to 10,000,000; give"),
    "too many generations": (lambda: spec(generations=10**8), "generations: 100000000 is outside 1 to"),
    "no replicates": (lambda: spec(replicates=0), "replicates: 0 is outside 1 to 4,294,967,295; give"),
    "negative seed": (lambda: spec(seed=-1), "seed: -1 is outside 0 to 9,223,372,036,854,775,807; give"),
    "long seed": (lambda: spec(seed=2**63), f"seed: {2**63} is outside 0 to 9,223,372,036,854,775,807; give"),
    "tail mass": (lambda: spec(tail_mass=1.5), "tail_mass: 1.5 is outside [0, 1]; give a share such as 0.05"),
    "bands": (lambda: spec(bands=[1, 10, 5]), "bands[2]: 5.0 is not above what stands before it; give"),
    "negative band": (
        lambda: spec(bands=[-1, 10]),
        "bands[0]: -1.0 is not above what stands before it; give",
    ),
    "no bands": (lambda: spec(bands=[]), "bands: [] is not a list of 1 to 254 edges; give ascending edges"),
    "NaN band": (lambda: spec(bands=[math.nan]), "bands[0]: nan is not finite; give ascending edges"),
    "not a reference": (lambda: spec(reference=[1, 2]), "reference: [1, 2] is not a reference; give Counts,"),
    "not a regime": (
        lambda: spec(regime="replace"),
        "regime: 'replace' is not a regime; give Replace(...), or in TOML a table: [regime] kind = ",
    ),
    "not quite a regime": (
        lambda: spec(regime="Replce"),
        "regime: 'Replce' is not a regime; give Replace(...), or in TOML a table: [regime] kind = ",
    ),
    "a reference's name": (
        lambda: spec(reference="zipf"),
        "reference: 'zipf' is not a reference; give Zipf(...), or in TOML a table: [reference] kind = ",
    ),
    "samples in bytes": (
        lambda: spec(samples=b"abc"),
        "samples: b'abc' is not a number; give a whole number",
    ),
    "masked samples": (
        lambda: spec(samples=np.ma.array([5, 5], mask=[0, 1])),
        "samples[1]: None is not a number; give",
    ),
    "bands in bytes": (lambda: spec(bands=b"abc"), "bands: b'abc' is not a list of 1 to 254 edges; give"),
    "growing beyond all floats": (
        lambda: spec(samples=tb.Growth(10, 1e308)),
        "gives generation 2 inf samples, outside 1 to 1,000,000,000,000; set most",
    ),
    "shrinking below all floats": (
        lambda: spec(samples=tb.Growth(10, 1, -1e308)),
        "gives generation 2 -1e+308 samples, outside 1 to",
    ),
    "samples beyond all decimals": (
        lambda: spec(samples=10**5000),
        "samples: a whole number of 16,610 bits is outside 1 to 1,000,000,000,000; give",
    ),
}

REGIMES = {
    "real above 1": (
        lambda: tb.Anchored(real=1.5),
        "regime.real: 1.5 is outside [0, 1]; give a share such as 0.01",
    ),
    "real below 0": (lambda: tb.Anchored(real=-0.1), "regime.real: -0.1 is outside [0, 1]; give a share"),
    "real NaN": (lambda: tb.Anchored(real=math.nan), "regime.real: nan is not finite; give a share"),
    "real beyond all floats": (lambda: tb.Anchored(real=10**400), "is too large; give a share such as 0.01"),
    "real in bytes": (lambda: tb.Anchored(real=b"1"), "regime.real: b'1' is not a number; give a share"),
    "ages in bytes": (lambda: tb.Mix(ages=b"1"), "regime.ages: b'1' is not a list of 1 to 100,000 weights;"),
    "real in percent": (lambda: tb.Anchored(real="1%"), "regime.real: '1%' is not a number; give a share"),
    "neither": (tb.Anchored, "regime: {} needs exactly one of real and real_count; give"),
    "both": (
        lambda: tb.Anchored(real=0.1, real_count=5),
        "regime: {'real': 0.1, 'real_count': 5} needs exactly",
    ),
    "count": (
        lambda: tb.Anchored(real_count=-5),
        "regime.real_count: -5 is outside 0 to 1,000,000,000,000,000; give",
    ),
    "rounds to nothing": (
        lambda: spec(regime=tb.Anchored(real=0.0001)),
        "regime.real: 0.0001 of 1,000 samples rounds to no item (generation 2); give a larger share",
    ),
    "fixed rounds to nothing": (
        lambda: spec(regime=tb.Anchored(real=0.0001, source="fixed")),
        "regime.real: 0.0001 of 1,000 samples rounds to no item (generation 1); give a larger share",
    ),
    "rounds to nothing later": (
        lambda: spec(samples=[100, 100, 4, 100] * 5, regime=tb.Anchored(real=0.1)),
        "regime.real: 0.1 of 4 samples rounds to no item (generation 3); give",
    ),
    "more human than room": (
        lambda: spec(regime=tb.Anchored(real_count=2000)),
        "regime.real_count: 2000 makes 2,000 human items of 1,000 samples (generation 2); give fewer",
    ),
    "fixed set outgrows": (
        lambda: spec(samples=tb.Growth(100, 0.8, 1), regime=tb.Anchored(real=0.5, source="fixed")),
        "regime.real: 0.5 makes 50 human items of",
    ),
    "source": (
        lambda: tb.Anchored(real=0.1, source="frsh"),
        "regime.source: 'frsh' is not known here; did you",
    ),
    "hoard without size": (
        lambda: tb.Anchored(real=0.1, source="hoard"),
        "regime.hoard: None does not go with",
    ),
    "hoard of another": (
        lambda: tb.Anchored(real=0.1, hoard=5),
        "regime.hoard: 5 does not go with source 'fresh'",
    ),
    "hoard too small": (
        lambda: spec(regime=tb.Anchored(real=0.1, source="hoard", hoard=99)),
        "regime.hoard: 99 is less than the 100 items drawn from it (generation 2); keep more",
    ),
    "fixed share over time": (
        lambda: tb.Anchored(real=[0.1, 0.2], source="fixed"),
        "regime.real: (0.1, 0.2) changes over generations; give one share",
    ),
    "list of shares": (lambda: tb.Anchored(real=[0.1, 2]), "regime.real[1]: 2.0 is outside [0, 1]; give"),
    "empty list of shares": (lambda: tb.Anchored(real=[]), "regime.real: [] is empty; give a share"),
    "no window": (lambda: tb.Window(0), "regime.k: 0 is outside 1 to 100,000; give a number of batches"),
    "draw": (lambda: tb.AccumulateSubsample(0), "regime.draw: 0 is outside 1 to 1,000,000,000,000,000; give"),
    "draw above the pool": (
        lambda: spec(regime=tb.AccumulateSubsample(1001)),
        "regime.draw: 1001 exceeds the pool of generation 1, 1,000 samples; draw fewer",
    ),
    "schedule": (lambda: tb.Schedule(0.1, 2, 5), "schedule.end: 2.0 is outside [0, 1]; give a share"),
    "schedule's shape": (lambda: tb.Schedule(0, 1, 5, "cubic"), "schedule.shape: 'cubic' is not known here;"),
    "schedule's length": (lambda: tb.Schedule(0, 1, 0), "schedule.over: 0 is outside 1 to 10,000,000; give"),
    "not sources": (lambda: tb.Mix("fresh"), "regime.sources: 'fresh' is not a list of sources; give Fresh,"),
    "not a source": (lambda: tb.Mix([0.1]), "regime.sources: 0.1 is not a source; give Fresh, Fixed,"),
    "source twice": (
        lambda: tb.Mix([tb.Fresh(share=0.1), tb.Fresh(share=0.2)]),
        "regime.sources: ['fresh', 'fresh'] names a source twice; name each",
    ),
    "two kept sets": (
        lambda: tb.Mix([tb.Fixed(share=0.1), tb.Hoard(size=5, share=0.2)]),
        "regime.sources: ['fixed', 'hoard'] keeps two sets; keep one",
    ),
    "shares above 1": (
        lambda: mix(tb.Fresh(share=0.6), tb.Fixed(share=0.6)),
        "regime.sources: {'fixed': 0.6, 'fresh': 0.6} make together 1,200 human items of 1,000 samples",
    ),
    "weight on one": (
        lambda: mix(tb.Fresh(share=0.1, weight=0.5), tb.Synthetic()),
        "regime.sources.synthetic.weight: None is missing; give every source a weight, or none",
    ),
    "weight and no synthetic": (
        lambda: mix(tb.Fresh(share=0.1, weight=1)),
        "regime.sources: ['fresh'] have weights, but leave out synthetic; list Synthetic",
    ),
    "weights that do not sum to 1": (
        lambda: mix(tb.Fresh(share=0.1, weight=0.5), tb.Synthetic(weight=0.4)),
        "regime.sources weights: {'fresh': 0.5, 'synthetic': 0.4} sum to 0.9 in generation 2;",
    ),
    "weight of nothing": (
        lambda: mix(tb.Fresh(count=0, weight=0.5), tb.Synthetic(weight=0.5)),
        "regime.sources.fresh.weight: 0.5 weighs a source with no item in generation 2; give",
    ),
    "ages of a kept set": (
        lambda: tb.Mix([tb.Fixed(share=0.1)], ages="all"),
        "regime.ages: 'all' cannot stand beside fixed; leave ages",
    ),
    "ages and weights": (
        lambda: tb.Mix([tb.Fresh(share=0.1, weight=0.1), tb.Synthetic(weight=0.9)], ages=(1, 1)),
        "regime.ages: (1.0, 1.0) cannot stand beside weight; leave ages",
    ),
    "negative age": (lambda: tb.Mix(ages=(1, -1)), "regime.ages[1]: -1.0 is negative; give weights"),
    "no weight on the newest": (
        lambda: tb.Mix(ages=(0, 1)),
        "regime.ages[0]: 0.0 leaves generation 1 nothing",
    ),
    "ages in words": (lambda: tb.Mix(ages="none"), "regime.ages: 'none' is not known here; known: all"),
    "no ages": (lambda: tb.Mix(ages=()), "regime.ages: () is not a list of 1 to 100,000 weights; give"),
    "too much to count": (
        lambda: spec(samples=10**12, generations=10**4, regime=tb.Accumulate()),
        "samples: 1000000000000 make training sets of a total weight of up to",
    ),
}

DOCUMENTS = {
    "unknown key": (lambda: toml("[recrd]"), "spec: 'recrd' is not a known key; "),
    "misspelt key": (
        lambda: tb.Spec.from_toml('sample = 5\n[reference]\nkind = "uniform"\ncategories = 3'),
        "spec: 'sample' is not a known key; did you mean 'samples'?",
    ),
    "misspelt key inside": (
        lambda: toml('[regime]\nkind = "anchored"\nreel = 0.1'),
        "regime: 'reel' is not a known key; did you mean 'real'?",
    ),
    "misspelt kind": (
        lambda: toml('[regime]\nkind = "anchord"'),
        "regime.kind: 'anchord' is not known here; did you mean 'anchored'?",
    ),
    "no kind": (
        lambda: toml("[regime]\nreal = 0.1"),
        "regime: ['real'] lacks the key 'kind'; known: replace,",
    ),
    "kind of another type": (
        lambda: toml("[regime]\nkind = [1]"),
        "regime.kind: [1] is not known here; known:",
    ),
    "reference of no kind": (
        lambda: json('{"reference": {"kind": [1]}}'),
        "reference.kind: [1] is not known here; known:",
    ),
    "missing key": (lambda: toml('[regime]\nkind = "window"'), "regime: [] lacks the key 'k'; add k = ..."),
    "missing reference": (lambda: json("{}"), "spec: [] lacks the key 'reference'; add reference = ..."),
    "key of a table": (
        lambda: json('{"reference": {"kind": "counts", "count": [1]}}'),
        "reference: 'count' is not a known key; did you mean 'counts'?",
    ),
    "table of nothing": (
        lambda: json('{"reference": {"kind": "counts"}}'),
        "reference: [] has neither counts nor path; give counts = [...], or path",
    ),
    "path of a table": (
        lambda: json('{"reference": {"kind": "counts", "path": 5}}'),
        "reference.path: 5 is not a path; give the name of a file",
    ),
    "digest": (
        lambda: json('{"reference": {"kind": "counts", "counts": [1], "digest": "x"}}'),
        "is not the digest that the Spec was written with; restore the table",
    ),
    "schedule in a document": (
        lambda: toml(
            '[regime]\nkind = "mix"\nsources = [{kind = "fresh", share = {start=5, end=1, over=5}}]'
        ),
        "regime.sources.fresh.share.start: 5.0 is outside [0, 1]; give a share",
    ),
    "misspelt schedule": (
        lambda: toml('[regime]\nkind = "anchored"\nreal = {start = 0, end = 1, ower = 5}'),
        "regime.real: 'ower' is not a known key; did you mean 'over'?",
    ),
    "source in a document": (
        lambda: toml('[regime]\nkind = "mix"\nsources = [{kind = "fesh", share = 0.1}]'),
        "regime.sources.kind: 'fesh' is not known here; did you mean 'fresh'?",
    ),
    "not TOML": (lambda: toml("samples = = 5"), "is not TOML (Invalid value"),
    "not JSON": (lambda: json("{"), "JSON: '{' cannot be read (Input data was truncated); give"),
    "not an object": (lambda: json("[1]"), "JSON: [1] is not an object; give a JSON object"),
    "no TOML file": (
        lambda: tb.Spec.from_toml("nowhere.toml"),
        "nowhere.toml: 'nowhere.toml' cannot be read (no",
    ),
    "a directory for a TOML file": (
        lambda: tb.Spec.from_toml("/"),
        "/: '/' is a directory; give a TOML file",
    ),
    "record": (lambda: tb.Record.from_toml("record = 5"), "record: 5 is not a table; write a [record] table"),
    "record's key": (
        lambda: tb.Record.from_toml("[record]\ngeneration = 5"),
        "record: 'generation' is not a known key; did you mean 'generations'?",
    ),
    "variable": (
        lambda: tb.Record(variables=["survivor"]),
        "record.variables: 'survivor' is not known here; did you mean 'survivors'?",
    ),
    "variables": (lambda: tb.Record(variables="kl"), "record.variables: 'kl' is not a list of names; give"),
    "generations": (lambda: tb.Record(generations="some"), "record.generations: 'some' is not known here;"),
    "no generation": (lambda: tb.Record(generations=[]), "record.generations: [] is empty; give generation"),
    "negative generation": (lambda: tb.Record(generations=[-1]), "record.generations: -1 is outside 0 to"),
    "one generation": (
        lambda: tb.Record(generations=5),
        "record.generations: 5 is not a list of generations;",
    ),
    "negative snapshot": (lambda: tb.Record(snapshots=[-1]), "record.snapshots: -1 is outside 0 to"),
    "generations in bytes": (
        lambda: tb.Record(generations=b"12"),
        "record.generations: b'12' is not a list of generations;",
    ),
    "list for a Spec": (lambda: tb.Spec.from_dict([1]), "spec: [1] is not a table; give keys and values"),
    "list for a Record": (lambda: tb.Record.from_dict([1]), "record: [1] is not a table; give keys and"),
    "no path for TOML": (lambda: tb.Spec.from_toml("a\0b"), "is not a path; give a TOML file that exists"),
    "nobody's folder": (
        lambda: tb.Counts.read("~nosuchuser/x.csv"),
        "~nosuchuser/x.csv: '~nosuchuser/x.csv' starts from no user's folder; write the folder out",
    ),
    "forgotten": (lambda: tb.Record(forgotten="yes"), "record.forgotten: 'yes' is not true or false; give"),
}

CASES = COUNTS | FIELDS | REGIMES | DOCUMENTS


def check(make, message):
    with pytest.raises(tb.SpecError) as caught:
        make()
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert len(text) < 450
    assert text.index(": ") < text.index("; ")
    error = caught.value
    assert text.startswith(error.field)
    assert text.endswith(error.remedy)
    assert str(pickle.loads(pickle.dumps(error))) == text


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
def test_refused(make, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(make, message)
    assert not list(tmp_path.iterdir())


def test_values_of_other_types_are_taken():
    made = spec(
        samples=np.float64(50), seed=np.int32(5), tail_mass=Fraction(1, 4), bands=np.array([1.0, 2.0])
    )
    assert (made.samples, made.seed, made.tail_mass, made.bands) == (50, 5, 0.25, (1.0, 2.0))
    assert tb.Counts([Fraction(4, 2), np.uint8(3)]).counts.tolist() == [2, 3]
    assert tb.Counts((n for n in [1, 2]), labels=(7, 8)).labels.tolist() == ["7", "8"]


def test_a_long_value_is_cut():
    check(lambda: tb.Record(variables=["x" * 10_000]), "...")

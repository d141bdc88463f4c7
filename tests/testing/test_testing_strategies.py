# SPDX-License-Identifier: MIT
"""Strategies: every kind turns up, everything is valid, and what is found is small and plain."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

import tailbiter as tb
from tailbiter.regime import REGIMES
from tailbiter.testing import references, regimes, specs

PLAIN = {"seed": 0, "generations": 1, "replicates": 1, "samples": 1}


@settings(max_examples=60)
@given(specs())
def test_specs_can_be_lowered_and_shortened(spec: tb.Spec) -> None:
    tb.lower(spec)
    tb.lower(spec.replace(generations=1))


@settings(max_examples=50)
@given(specs(max_samples=30, max_generations=4, max_categories=6))
def test_specs_can_be_run(spec: tb.Spec) -> None:
    ds = tb.simulate(spec, record=tb.Record(variables=["survivors"], generations="all"), threads=1)
    assert ds.survivors.shape == (spec.replicates, spec.generations + 1)
    assert (ds.survivors >= 1).all()


BOUNDS = [
    {"max_samples": 1},
    {"max_samples": 2, "max_categories": 1},
    {"min_samples": 3, "max_samples": 3, "max_generations": 1, "max_replicates": 1},
    {"max_categories": 50_000, "max_samples": 10**12, "max_generations": 200, "max_replicates": 10**6},
    {"max_samples": 10**12, "max_generations": 10**4, "regimes": [tb.Accumulate, tb.Window, tb.Mix]},
]


@pytest.mark.parametrize("bounds", BOUNDS, ids=range(len(BOUNDS)))
def test_bounds_are_kept(bounds: dict) -> None:
    @settings(max_examples=40)
    @given(specs(**bounds))
    def check(spec: tb.Spec) -> None:
        program = tb.lower(spec)
        sizes = program.samples[program.samples > 0]
        assert bounds.get("min_samples", 1) <= sizes.min()
        assert sizes.max() <= bounds.get("max_samples", 1000)
        assert program.categories <= bounds.get("max_categories", 20)
        assert spec.generations <= bounds.get("max_generations", 10)
        assert spec.replicates <= bounds.get("max_replicates", 4)
        assert isinstance(spec.regime, tuple(bounds.get("regimes", REGIMES.values())))

    check()


def test_every_kind_turns_up() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=1500)
    @given(specs())
    def look(spec: tb.Spec) -> None:
        seen[type(spec.regime).__name__] += 1
        seen[type(spec.reference).__name__] += 1
        seen[type(spec.samples).__name__] += 1
        mix = spec.regime.as_mix()
        seen.update(source.kind for source in mix.sources)
        seen["weighted"] += mix.weighted
        seen["all"] += mix.ages == "all"
        seen["labels"] += getattr(spec.reference, "labels", None) is not None
        seen["never"] += len(getattr(spec.reference, "counts", [1])) > spec.reference.categories
        seen["kept two"] += {"fresh", "fixed"} <= {source.kind for source in mix.sources}

    look()
    wanted = [cls.__name__ for cls in REGIMES.values() if cls is not tb.Crawl]  # which is asked for by name
    wanted += [
        "Counts",
        "Dirichlet",
        "Geometric",
        "Probabilities",
        "Uniform",
        "Zipf",
        "int",
        "tuple",
        "Growth",
    ]
    wanted += ["synthetic", "fresh", "fixed", "hoard", "weighted", "all", "labels", "never", "kept two"]
    assert [name for name in wanted if seen[name] < 2] == []


def found(strategy: st.SearchStrategy, condition=lambda _: True) -> object:
    return find(strategy, condition, settings=settings(database=None, derandomize=True, max_examples=1000))


def test_the_smallest_spec_is_plain() -> None:
    assert found(specs()) == tb.Spec(reference=tb.Uniform(2), regime=tb.Replace(), **PLAIN)


@pytest.mark.slow
def test_a_fault_of_one_regime_is_shown_by_a_plain_spec() -> None:
    for kind in set(REGIMES.values()) - {tb.Crawl}:
        spec = found(specs(), lambda spec, kind=kind: isinstance(spec.regime, kind))
        assert spec == tb.Spec(reference=tb.Uniform(2), regime=spec.regime, **PLAIN)
    assert found(specs(), lambda spec: isinstance(spec.regime, tb.Window)).regime == tb.Window(2)


def test_a_fault_of_many_samples_is_shown_by_a_constant_number() -> None:
    assert found(specs(), lambda spec: tb.lower(spec).samples[0] >= 37).samples == 37


def test_a_fault_of_many_categories_is_shown_by_a_uniform_reference() -> None:
    assert found(references(), lambda q: q.categories >= 5) == tb.Uniform(5)
    assert found(references()) == tb.Uniform(2)
    assert found(references(max_categories=1)) == tb.Uniform(1)


SIZES = [1, 2, 7, [5, 1, 9, 9], [1, 1000, 3, 3], tb.Growth(10, 0.5, 1.0), tb.Growth(1, 3.0, 0.0)]


@pytest.mark.parametrize("samples", SIZES, ids=str)
def test_regimes_go_with_their_sizes(samples) -> None:
    @settings(max_examples=50)
    @given(regimes(samples=samples, generations=4))
    def check(regime) -> None:
        tb.lower(tb.Spec(reference=tb.Uniform(2), regime=regime, samples=samples, generations=4))

    check()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: references(max_categories=0), "max_categories: 0 is outside"),
        (lambda: regimes(samples=0), "samples: 0 is outside"),
        (lambda: regimes(samples=[3], generations=4), "samples: .* has 1 entries for 4 generations"),
        (lambda: regimes(kinds=[]), "kinds: .* is empty"),
        (lambda: regimes(kinds=[tb.Uniform]), "kinds: .* is not a class of regimes"),
        (lambda: specs(regimes=[tb.Replace()]), "kinds: .* is not a class of regimes"),
        (lambda: specs(min_samples=10, max_samples=9), "min_samples: 10 is above max_samples = 9"),
        (lambda: specs(max_generations="x"), "max_generations: 'x' is not a number"),
    ],
)
def test_nonsense_is_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(tb.SpecError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def python(source: str) -> str:
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_hypothesis_loads_with_the_strategies_and_not_before() -> None:
    source = """
import sys
from tailbiter.testing import assert_mean
print("hypothesis" in sys.modules)
from tailbiter.testing import specs
print("hypothesis" in sys.modules)
"""
    assert python(source).split() == ["False", "True"]


def test_without_hypothesis_the_error_says_what_to_install() -> None:
    source = """
import sys
sys.modules["hypothesis"] = None
from tailbiter.testing import specs
"""
    last = python(source).splitlines()[-1]
    assert last == (
        'ImportError: tailbiter.testing needs hypothesis for its strategies: pip install "tailbiter[test]"'
    )


def test_names() -> None:
    from tailbiter import testing

    assert set(testing.__all__) <= set(dir(testing))
    assert [name for name in testing.__all__ if not getattr(testing, name).__doc__] == []
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = testing.nonsense


def test_crawls_are_drawn_where_they_are_named() -> None:
    @settings(max_examples=30)
    @given(specs(regimes=(tb.Crawl,)))
    def look(spec: tb.Spec) -> None:
        assert isinstance(spec.regime, tb.Crawl)
        tb.lower(spec)

    look()

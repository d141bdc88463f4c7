# SPDX-License-Identifier: MIT
"""Rules that users write: the bits and laws of built-in ones, and what goes wrong in one line."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.cli import main
from tailbiter.execute import _run
from tailbiter.simulate import simulate_rows
from tests.law.runs import trainings
from tests.levers import rules
from tests.oracles import levers
from tests.oracles.chain import Vector, multinomial
from tests.oracles.compare import REPLICATES, compare_paths
from tests.oracles.gallery import Tiny
from tests.oracles.plan import Plan
from tests.oracles.stat import require

PLAN = Plan((5, 2, 1), (4, 3, 4))
ALL = tb.Decoding(top_k=10**7)  # cuts nothing, but models are then not drawn in parts


def wide(**fields: Any) -> tb.Spec:
    size = {"samples": 300, "generations": 12, "replicates": 20, "common_random_numbers": True}
    return tb.Spec(**{"reference": tb.Zipf(2_000)} | size | fields)


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    return all(np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f") for name in one)


def plus_one(n: int, training: Vector) -> Any:
    return multinomial(n, levers.model_of([count + 1 for count in training]))


LAWS = {
    "counted": ({"estimator": tb.UserEstimator(rules.as_counted)}, levers.drawn_by(lambda p: p)),
    "add-one": ({"estimator": tb.UserEstimator(rules.add_one)}, plus_one),
    "min-p": ({"decoding": tb.Decoding(rule=rules.min_p)}, levers.drawn_by(levers.min_p(Fraction(2, 5)))),
    "squared": ({"decoding": tb.Decoding(rule=rules.squared)}, levers.drawn_by(levers.heated(0.5))),
    "rarest": (
        {"decoding": tb.Decoding(rule=rules.rarest_doubled)},
        levers.drawn_by(levers.weighed((1, 1, 2))),
    ),
    "after-cuts": (
        {"decoding": tb.Decoding(top_k=2, rule=rules.squared)},
        levers.drawn_by(levers.chain(levers.top_k(2), levers.heated(0.5))),
    ),
    "both": (
        {"estimator": tb.UserEstimator(rules.add_one), "decoding": tb.Decoding(top_k=1, rule=rules.squared)},
        lambda n, training: multinomial(
            n, levers.top_k(1)(levers.model_of([count + 1 for count in training]))
        ),
    ),
}
WRONG = {
    "add-one": {"estimator": tb.UserEstimator(rules.add_one_by_halves)},
    "min-p": {"decoding": tb.Decoding(rule=rules.min_p_by_less)},
    "squared": {"decoding": tb.Decoding(rule=rules.min_p)},
    "rarest": {"decoding": tb.Decoding()},
    "after-cuts": {"decoding": tb.Decoding(rule=rules.squared)},
}


def verdicts(name: str, fields: Mapping[str, Any], seed: int) -> Any:
    """Every path over three generations, by its probability under the law of that name."""
    tiny = Tiny(replace(PLAN, synthetic=LAWS[name][1]), (1, 2, 3))
    spec = tb.Spec(
        reference=tb.Counts(list(PLAN.weights)),
        samples=list(PLAN.samples),
        generations=len(PLAN.samples),
        replicates=REPLICATES,
        seed=seed,
        **fields,
    )
    return compare_paths(tiny, [trainings(spec, tiny.at)])


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_every_path_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .2 (total variation at most .1)."""
    for verdict in verdicts(name, LAWS[name][0], seed=1):
        require(verdict, effect=0.2, name=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_another_rule_is_caught(name: str) -> None:
    """Runs of a wrong rule before the law of the right one."""
    assert any(verdict.rejected for verdict in verdicts(name, WRONG[name], seed=2))


TWINS = {
    "add-k": (
        {"estimator": tb.UserEstimator(rules.add_one_as_built_in), "decoding": ALL},
        {"estimator": tb.AddK(1), "decoding": ALL},
    ),
    "add-k-with-errors": (
        {"estimator": tb.UserEstimator(rules.add_one_beside_wrong), "decoding": ALL, "error_rate": 0.1},
        {"estimator": tb.AddK(1), "decoding": ALL, "error_rate": 0.1},
    ),
    "add-k-by-classes": (
        {"estimator": tb.UserEstimator(rules.add_one_as_built_in), "samples": 4_000},
        {"estimator": tb.AddK(1), "samples": 4_000},
    ),
    "min-p": ({"decoding": tb.Decoding(rule=rules.min_p)}, {"decoding": tb.Decoding(min_p=0.4)}),
    "min-p-of-add-k": (
        {"estimator": tb.AddK(1), "decoding": tb.Decoding(rule=rules.min_p)},
        {"estimator": tb.AddK(1), "decoding": tb.Decoding(min_p=0.4)},
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_one_formula_has_the_same_bits_built_in_and_written_by_a_user(name: str) -> None:
    own, built_in = (tb.simulate(wide(**fields)) for fields in TWINS[name])
    assert same(own, built_in)


def test_threads_change_no_bit() -> None:
    spec = wide(estimator=tb.UserEstimator(rules.add_one), decoding=tb.Decoding(rule=rules.min_p))
    assert same(tb.simulate(spec, threads=1), tb.simulate(spec, threads=4))


@pytest.mark.parametrize("rule", [rules.add_one, rules.rarest_doubled_beside_one], ids=lambda r: r.__name__)
def test_threads_and_records_change_no_bit_of_classes(rule: Any) -> None:
    """Many are present, and a batch hangs on no rule that is called for a record once more."""
    spec = wide(estimator=tb.UserEstimator(rule), samples=4_000, replicates=5)
    one, other = tb.simulate(spec, threads=1), tb.simulate(spec, threads=4)
    assert same(one, other)
    last = tb.simulate(spec, record=tb.Record(generations=[12]), threads=2)
    assert same(one.sel(generation=[12])[["survivors", "entropy"]], last[["survivors", "entropy"]])
    assert (one["survivors"].sel(generation=slice(2, None)) > 2_000 // 8).all()


def test_a_record_changes_no_bit_where_a_generation_has_no_model() -> None:
    """All human at first: whether all are listed then hangs on sampled models, not on recorded ones."""
    regime = tb.Anchored(real=[1.0, 1.0, 1.0] + [0.05] * 9)
    spec = wide(estimator=tb.UserEstimator(rules.add_a_little), regime=regime, samples=4_000, replicates=3)
    every, last = (tb.simulate(spec, record=tb.Record(generations=at)) for at in ("all", [12]))
    assert same(every.sel(generation=[12])[["survivors", "entropy"]], last[["survivors", "entropy"]])


def test_what_fails_is_named_where_all_are_listed() -> None:
    """The lowest replicate that fails; the same rule that never raises says which it is."""
    many = {"samples": 4_000, "replicates": 20}
    alive = tb.simulate(wide(estimator=tb.UserEstimator(rules.add_one), **many))["survivors"].values
    few = np.argwhere(alive[:, 6:] < 1500)
    replicate, generation = few[0] + (0, 6)
    assert 0 < replicate < few[-1][0]
    spec = wide(estimator=tb.UserEstimator(rules.add_one_to_many), **many)
    for threads in (1, 2, 5):
        line = refusal_of(lambda n=threads: tb.simulate(spec, threads=n))
        where = f"in generation {generation} of replicate {replicate};"
        assert line.startswith(f"estimator.rule: 'add_one_to_many' raised ValueError: too few, {where}")
    spec = wide(estimator=tb.UserEstimator(rules.not_a_number), **many)
    assert "the weight nan, in generation 2 of replicate 0;" in refusal_of(
        lambda: tb.simulate(spec, threads=2)
    )


def test_the_dataset_says_that_bits_are_outside_the_promise() -> None:
    small = {"generations": 2, "replicates": 1}
    own = tb.simulate(wide(decoding=tb.Decoding(rule=rules.min_p), **small))
    assert "outside the promise" in own.attrs["bits"]
    assert "numba" in own.attrs
    assert "bits" not in tb.simulate(wide(decoding=tb.Decoding(min_p=0.4), **small)).attrs


REMEDY = "mend the index: one category may be listed or many, and ranks go up to the number of categories"
FAILURES = {
    rules.raises_in_third: "raised ValueError: enough, in generation 3 of replicate",
    rules.not_a_number: "gives a category the weight nan, in generation 2 of replicate",
    rules.negative: "gives a category the weight -1, in generation 1 of replicate",
    rules.infinite_rest: "gives a category the weight inf, in generation 1 of replicate",
    rules.too_large: "gives a category the weight 1e+241, in generation 1 of replicate 0; "
    "give weights from 0 to 2**800, in any unit",
    rules.too_small: "leaves nothing to draw: weights add up to less than 2**-800, in generation 1 of "
    "replicate 0; leave some category a weight such as 1",
    rules.nothing: "leaves nothing to draw: weights add up to less than 2**-800, in generation 1 of",
    rules.does_not_compile: "does not compile: No implementation of",
    rules.returns_nothing: "returns none, not a number",
    rules.writes_ranks: "does not compile: ",
}


@pytest.mark.parametrize("field", ["estimator", "decoding"])
@pytest.mark.parametrize("rule", FAILURES, ids=lambda rule: rule.__name__)
def test_what_goes_wrong_is_one_line(rule: Any, field: str) -> None:
    given = tb.UserEstimator(rule) if field == "estimator" else tb.Decoding(rule=rule)
    with pytest.raises(tb.SpecError) as caught:
        tb.simulate(wide(**{field: given}), threads=2)
    line = str(caught.value)
    assert line.startswith(f"{field}.rule: '{rule.__name__}' {FAILURES[rule]}")
    assert "\n" not in line


OUTSIDE = {
    rules.reads_the_one_after: "1 of 40 categories listed: index 1 is out of bounds",
    rules.indexed_by_ranks: "1 of 40 categories listed: index 39 is out of bounds",
    rules.asks_for_two: "1 of 40 categories listed: index 1 is out of bounds",
    rules.by_a_table_of_ranks: "1 of 41 categories listed: index 40 is out of bounds",
    rules.by_a_table_of_generations: "1 of 40 categories listed: index 49 is out of bounds",
    rules.by_compiled_help: "1 of 40 categories listed: something else than the weights was written to",
}


@pytest.mark.parametrize("field", ["estimator", "decoding"])
@pytest.mark.parametrize("rule", OUTSIDE, ids=lambda rule: rule.__name__)
def test_a_rule_that_reaches_outside_its_arrays_is_refused(rule: Any, field: str) -> None:
    """Compiled, it would read and write what is not its own; a table by rank lacks what is wrong."""
    given = tb.UserEstimator(rule) if field == "estimator" else tb.Decoding(rule=rule)
    table, dates = rule is rules.by_a_table_of_ranks, rule is rules.by_a_table_of_generations
    size = {"generations": 50 + (field == "decoding") if dates else 5, "error_rate": 0.1 if table else 0.0}
    line = refusal_of(lambda: tb.simulate(wide(reference=tb.Zipf(40), **{field: given}, **size)))
    assert line.startswith(f"{field}.rule: '{rule.__name__}' reaches outside an array, with {OUTSIDE[rule]}")
    assert line.endswith("; " + REMEDY)
    assert ("(rules.py, line " in line) != (rule is rules.by_compiled_help)


def test_a_rule_that_keeps_within_its_arrays_is_run() -> None:
    """Negative indices count from the end; tables have as many entries as there are ranks and generations."""
    small = {"reference": tb.Zipf(40), "generations": 40}
    tb.simulate(wide(estimator=tb.UserEstimator(rules.by_a_table_of_ranks), **small))
    tb.simulate(wide(estimator=tb.UserEstimator(rules.by_a_table_of_all), error_rate=0.1, **small))
    tb.simulate(wide(estimator=tb.UserEstimator(rules.by_a_table_of_generations), **small))
    plain, beside = tb.Decoding(rule=rules.as_they_are), tb.Decoding(rule=rules.beside_the_one_before)
    assert same(tb.simulate(wide(decoding=plain, **small)), tb.simulate(wide(decoding=beside, **small)))


def refusal_of(run: Callable[[], object]) -> str:
    with pytest.raises(tb.SpecError) as caught:
        run()
    return str(caught.value)


def test_the_replicate_named_is_the_first_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, before others, and whatever the threads; in a sweep whose cells are run in blocks, too."""
    spec = wide(decoding=tb.Decoding(rule=rules.raises_of_few), replicates=100)
    lines = {refusal_of(lambda n=n: tb.simulate(spec, threads=n)) for n in (1, 2, 3, 16)}
    (line,) = lines
    number = int(line.partition("of replicate ")[2].partition(";")[0])
    assert number > 0
    assert simulate_rows(spec, 0, number).sizes["replicate"] == number
    assert refusal_of(lambda: simulate_rows(spec, number, number + 1)) == line
    monkeypatch.setattr(_run, "LARGE_SECONDS", 1e-9)
    sweep = tb.Sweep(spec, {"samples": [300]})
    (failed,) = tb.run_sweep(sweep, tmp_path / "store", threads=3).failures().values()
    assert failed.message == refusal_of(lambda: tb.simulate(sweep.spec(0), threads=1))


@pytest.mark.parametrize("value", [3, "no path", "tests.levers.rules:none", print])
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(tb.SpecError, match=r"^estimator\.rule: "):
        tb.UserEstimator(value)
    with pytest.raises(tb.SpecError, match=r"^decoding\.rule: "):
        tb.Decoding(rule=value)


def test_a_spec_knows_its_rules_by_path_and_source() -> None:
    spec = wide(estimator=tb.UserEstimator(rules.add_one), decoding=tb.Decoding(rule=rules.min_p))
    for again in (
        tb.Spec.from_toml(spec.to_toml()),
        tb.Spec.from_json(spec.to_json()),
        pickle.loads(pickle.dumps(spec)),
        spec.replace(decoding=tb.Decoding(rule="tests.levers.rules:min_p")),
    ):
        assert again == spec
        assert again.digest() == spec.digest()
    assert spec.law()["estimator"]["rule"]["function"] == "tests.levers.rules:add_one"
    other = spec.replace(decoding=tb.Decoding(rule=rules.min_p_by_less))
    assert len({spec.digest(), other.digest(), spec.replace(decoding=None).digest()}) == 3


def test_predictions_leave_out_what_a_rule_changes() -> None:
    for fields in (
        {"estimator": tb.UserEstimator(rules.add_one)},
        {"decoding": tb.Decoding(rule=rules.min_p)},
    ):
        with pytest.raises(tb.PredictionError, match="is a lever under which no law is known"):
            tb.predict(wide(**fields), record=tb.Record(variables=["gini_simpson"]))


def test_weights_may_be_in_any_unit_within_their_range() -> None:
    """Powers of two, so that ratios stay to the last bit."""
    small = {"generations": 3, "replicates": 2, "reference": tb.Zipf(40)}
    plain, *others = (
        tb.simulate(wide(decoding=tb.Decoding(rule=rule), **small))
        for rule in (rules.as_they_are, rules.as_large_as_may_be, rules.as_small_as_may_be)
    )
    assert all(same(plain, other) for other in others)


def test_a_rule_is_compiled_once() -> None:
    one, other = (tb.Decoding(rule=rule).rule for rule in (rules.min_p, "tests.levers.rules:min_p"))
    assert one is not other
    assert one.pointer is other.pointer


def test_a_reference_without_categories_takes_no_rule() -> None:
    with pytest.raises(tb.SpecError, match=r"^estimator: 'user' does not fit"):
        tb.Spec(reference=tb.Gaussian(), estimator=tb.UserEstimator(rules.add_one))
    with pytest.raises(tb.SpecError, match=r"^decoding: .* is about categories"):
        tb.Spec(reference=tb.Gaussian(), decoding=tb.Decoding(rule=rules.min_p))


SOURCE = """
def mine(weights, ranks, others, other, generation):
    if generation == {when}:
        raise ValueError("enough")
    return other
"""
DOCUMENT = """
samples = 50
generations = 5
replicates = 2

[reference]
kind = "zipf"
categories = 20

[decoding]
rule = "{module}:mine"
"""


@pytest.mark.parametrize(("when", "code"), [(99, 0), (4, 2)])
def test_the_command_line_runs_a_rule_beside_the_document(
    when: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = f"rule_of_{when}"
    (tmp_path / f"{module}.py").write_text(SOURCE.format(when=when), encoding="utf-8")
    (tmp_path / "spec.toml").write_text(DOCUMENT.format(module=module), encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "spec.toml"), "--out", str(out)]) == code
    told = capsys.readouterr().err
    if code:
        assert told.count("\n") == 1
        assert "'mine' raised ValueError: enough, in generation 4 of replicate" in told
        assert not out.exists() or not any(out.iterdir())


def test_a_reward_is_a_rule_that_multiplies() -> None:
    """The bits of a verifier that lets half of the bad pass, after a cut, and the same with errors."""
    reward = tuple(float(i % 3 != 0) for i in range(2_000))
    half = tb.Verifier(accepts_good=1.0, accepts_bad=0.5, reward=reward)
    built_in = wide(decoding=tb.Decoding(top_k=500), curation=half)
    own = wide(decoding=tb.Decoding(top_k=500, rule=rules.half_of_every_third))
    assert same(tb.simulate(built_in), tb.simulate(own))
    assert not same(tb.simulate(built_in), tb.simulate(wide(decoding=tb.Decoding(top_k=500))))


def test_a_reward_may_change_with_the_generation() -> None:
    """Human data bring every category back; the model of generation t puts out that of its number."""
    spec = tb.Spec(
        reference=tb.Uniform(5),
        samples=100,
        generations=5,
        replicates=3,
        regime=tb.Anchored(real=0.5),
        decoding=tb.Decoding(rule=rules.all_for_the_one_of_the_day),
    )
    ds = tb.simulate(spec, record=tb.Record(generations="all", snapshots=(2, 3, 4)))
    for generation in (2, 3, 4):
        at = ds.snapshot_generation == generation
        counts = ds.snapshot_count.values[at].reshape(3, 5)
        order = ds.snapshot_category.values[at].reshape(3, 5)
        assert (np.take_along_axis(order, counts.argmax(axis=1)[:, None], 1) == generation - 1).all()

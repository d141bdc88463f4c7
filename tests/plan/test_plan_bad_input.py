# SPDX-License-Identifier: MIT
"""Plans that cannot be: one line each, that names field, value and remedy."""

import pytest

import tailbiter as tb

SPEC = tb.Spec(reference=tb.Zipf(30), samples=100, generations=10)
TARGET = tb.Target(keep=0.9, probability=None)


def plan(vary="regime.real", target=TARGET, spec=SPEC, **options):
    return tb.plan(spec, vary, target, threads=1, **options)


GAUSSIAN = tb.Spec(reference=tb.Gaussian(), regime=tb.Anchored(real=0.1), samples=100, generations=10)
CASES = {
    "no Spec": (lambda: plan(spec="spec"), "spec: 'spec' is not a Spec"),
    "no target": (lambda: plan(target=0.9), "target: 0.9 is not a Target"),
    "keep nothing": (lambda: tb.Target(keep=0), "plan.keep: 0.0 is outside (0, 1]"),
    "keep too much": (lambda: tb.Target(keep=1.5), "plan.keep: 1.5 is outside (0, 1]"),
    "unknown part": (lambda: tb.Target(keep=0.5, of="tial"), "did you mean 'tail'?"),
    "counts of the tail": (
        lambda: tb.Target(keep=0.5, of="tail", at_least=2),
        "plan.at_least: 2 does not go",
    ),
    "counts below zero": (lambda: tb.Target(keep=0.5, below=-2), "plan.below: -2.0 is not positive"),
    "no counts between": (lambda: tb.Target(keep=0.5, at_least=5, below=5), "is not above at_least = 5"),
    "certainty": (
        lambda: tb.Target(keep=0.5, probability=1),
        "plan.probability: 1.0 is outside (0, 1); give a probability such as 0.95, or ask for the mean: None",
    ),
    "no generation": (lambda: tb.Target(keep=0.5, generations=0), "plan.generations: 0 is outside"),
    "beyond the end": (
        lambda: plan(target=tb.Target(keep=0.5, generations=11)),
        "plan.generations: 11 lies beyond the end of the run, generation 10; run longer",
    ),
    "no such category": (
        lambda: plan(target=tb.Target(keep=0.5, at_least=1000)),
        "plan.at_least: 1000.0 leaves no category: the first human sample expects 0.8",
    ),
    "no tail": (
        lambda: plan(target=tb.Target(keep=0.5, of="tail"), spec=SPEC.replace(tail_mass=0)),
        "no tail",
    ),
    "no categories": (lambda: plan(spec=GAUSSIAN), "reference: 'gaussian' has no categories to keep"),
    "unknown field": (lambda: plan("regime.rael"), "plan.vary: 'regime.rael' is not a field of this Spec"),
    "field of another regime": (lambda: plan("regime.k"), "plan.vary: 'regime.k' is not a field"),
    "a table": (lambda: plan("regime"), "plan.vary: 'regime' is no number"),
    "text": (lambda: plan("regime.source", spec=SPEC.replace(regime=tb.Anchored(real=0.1))), "is no number"),
    "no law": (lambda: plan("generations"), "plan.vary: 'generations' is how long a plan looks"),
    "nor this": (
        lambda: plan("tail_mass"),
        "is no part of the law that a plan seeks a value of; vary one of ",
    ),
    "one end": (lambda: plan(between=[0.5]), "plan.between: [0.5] is not two values"),
    "ends the wrong way round": (
        lambda: plan(between=(0.5, 0.1)),
        "plan.between: [0.5, 0.1] is the wrong way",
    ),
    "ends of one level": (lambda: plan(between=(0.5, 0.501)), "holds no two levels"),
    "share beyond 1": (lambda: plan(between=(0.5, 2)), "regime.real: 2.0 is outside [0, 1]"),
    "no whole numbers": (lambda: plan("samples", between=(1.5, 2)), "is not in whole numbers, as samples is"),
    "no ends": (
        lambda: plan("regime.k", spec=SPEC.replace(regime=tb.Window(2))),
        "plan.between: None is missing: regime.k has no ends of its own",
    ),
    "no confidence": (lambda: plan(confidence=1), "plan.confidence: 1.0 is outside [0.5, 1)"),
    "no tolerance": (lambda: plan(tolerance=0), "plan.tolerance: 0.0 is outside"),
    "no lineages": (lambda: plan(most=1), "plan.most: 1 is outside 2 to"),
    "impossible, by theory": (
        lambda: plan(target=tb.Target(keep=1.0, probability=None)),
        "plan.keep: 1.0 cannot be reached: with regime.real at 1, the most there may be, 8",
    ),
    "impossible, by tests": (
        lambda: plan(target=tb.Target(keep=1.0)),
        "plan.keep: 1.0 cannot be reached: with regime.real at 1, the most there may be, 8",
    ),
    "too few lineages": (lambda: plan(target=tb.Target(keep=0.7), most=20), "plan.most: 20 lineages a level"),
    "falls": (
        lambda: plan("reference.exponent", tb.Target(keep=0.3, probability=None), between=(0.0, 5.0)),
        "plan.vary: 'reference.exponent' does not keep more the larger it is: 0 keeps enough, 5 does not",
    ),
    "falls, by tests": (
        lambda: plan("reference.exponent", tb.Target(keep=0.3), between=(0.0, 5.0)),
        "does not keep more the larger it is: 0 keeps enough, ",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line(case: str) -> None:
    make, message = CASES[case]
    with pytest.raises(tb.SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value)

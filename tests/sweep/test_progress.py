# SPDX-License-Identifier: MIT
"""How far a sweep has come: cells, survivors by generation, failures."""

import time

import pytest

import tailbiter as tb
from tailbiter.execute import _cells, _progress
from tailbiter.families import family_of

ALL = tb.Record(generations="all", variables=["survivors"])
SPECS = {
    "packs": tb.Spec(reference=tb.Zipf(300), samples=400, generations=60, replicates=11),
    "alone, then packs": tb.Spec(reference=tb.Zipf(3000), samples=3000, generations=60, replicates=3),
    "alone": tb.Spec(
        reference=tb.Zipf(1000), regime=tb.Anchored(real=0.1), samples=500, generations=60, replicates=3
    ),
    "side by side": tb.Spec(
        reference=tb.Zipf(40), regime=tb.Anchored(real=0.05), samples=60, generations=75, replicates=10
    ),
    "accumulated": tb.Spec(
        reference=tb.Zipf(40), regime=tb.Accumulate(), samples=30, generations=75, replicates=3
    ),
    "one category left": tb.Spec(reference=tb.Uniform(2), samples=4, generations=400, replicates=5),
}


def run(spec):
    family = family_of(spec.reference)
    engine, control = family.engine(family.lower(spec, ALL)), family.control()
    outputs = engine.outputs(spec.replicates)
    engine.run(0, spec.replicates, outputs, control)
    return control, outputs


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_survivors_of_all_generations_are_counted(spec):
    """Losses are noticed at the next compaction, an eighth of the age away, or every 16 generations."""
    control, outputs = run(spec)
    alive = int(outputs["survivors"][:, 1:].sum())
    assert control.progress == spec.replicates * spec.generations
    assert 0.9 * alive <= control.survivors <= 1.25 * alive


def test_models_without_categories_have_no_survivors():
    spec = tb.Spec(reference=tb.Gaussian(), samples=50, generations=6, replicates=3)
    family = family_of(spec.reference)
    engine, control = family.engine(family.lower(spec, tb.Record())), family.control()
    engine.run(0, 3, engine.outputs(3), control)
    assert (control.progress, control.survivors) == (18, 0)


class Bar:
    """Stands for tqdm's."""

    n = 0

    def __init__(self):
        self.shown = []

    def set_postfix_str(self, text, *, refresh):
        assert refresh
        self.shown.append((self.n, text))


@pytest.mark.parametrize(
    ("survivors", "expected"), [(0, "200 lineage-generations/s"), (90_000, "9e+03 survivor-generations/s")]
)
def test_what_the_bar_says(survivors, expected):
    progress = _progress.Progress(6, 9, shown=False)
    progress.bar = Bar()
    progress.last = progress.begun = time.monotonic() - 10
    progress.add(4, 2000, survivors)
    progress.fail()
    progress.show(None)
    progress.show(None)
    assert progress.bar.shown == [(3 + 4 + 1, f"{expected}, 1 failed")]


def test_what_runs_here_is_asked():
    control, _ = run(SPECS["packs"])
    progress = _progress.Progress(6, 9, shown=False)
    progress.bar = Bar()
    progress.last = progress.begun = time.monotonic() - 10
    progress.show(control)
    assert progress.bar.shown == [(3, f"{control.survivors / 10:.3g} survivor-generations/s")]


def test_workers_tell_what_they_ran():
    import pickle

    sweep = tb.Sweep(SPECS["packs"], {"samples": [300, 400]}, record=ALL)
    batch = _cells.Batch([0, 1], list(sweep.ids))
    some = [_cells.run_batch(pickle.dumps(sweep), batch, None).survivors for _ in range(2)]
    assert some == [sum(run(cell.spec)[0].survivors for cell in sweep.cells())] * 2

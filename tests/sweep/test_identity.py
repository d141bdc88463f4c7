# SPDX-License-Identifier: MIT
"""A sweep says what its cells are: the same in Python and TOML, today and when values are added."""

import msgspec
import numpy as np
import pytest

import tailbiter as tb
from tests.sweep.grids import BASE, VARY, grid

SWEEPS = {
    "product": grid(),
    "range": grid(
        vary={"samples": tb.Range(50, 500, 4, scale="log"), "tail_mass": tb.Range(0, 0.5, step=0.1)}
    ),
    "zip": grid(design="zip"),
    "sobol": grid(vary={"regime.real": tb.Range(0.1, 0.5)}, design="sobol", points=8),
    "regimes": grid(vary={"regime": [tb.Replace(), tb.Window(3), tb.Anchored(real=0.3)]}),
    "lists": grid(vary={"bands": [[1.0, 2.0], [5.0]], "samples": [[50] * 13, [60] * 13]}),
    "growth": grid(BASE.replace(samples=tb.Growth(first=20)), {"samples.factor": [1.0, 1.5]}),
    "words": grid(
        seed=9, common_random_numbers=True, invalid="skip", record=tb.Record(variables=["entropy"])
    ),
    "gaussian": grid(
        tb.Spec(reference=tb.Gaussian(dimensions=2), samples=100, generations=5, replicates=2),
        {"samples": [50, 70]},
    ),
}


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
def test_round_trips(sweep, tmp_path):
    again = tb.Sweep.from_toml(sweep.to_toml(tmp_path / "sweep.toml"))
    assert again == sweep == tb.Sweep.from_dict(sweep.to_dict())
    assert again.ids == sweep.ids
    assert tb.Sweep.from_toml(tmp_path / "sweep.toml") == sweep


def test_toml_takes_dotted_names_with_and_without_quotes():
    text = grid().to_toml()
    head = text[: text.index("[sweep.vary]")]
    values = "samples = [50, 100, 200]\n"
    for spelt in ("regime.real = [0.1, 0.2, 0.5]", '"regime.real" = [0.1, 0.2, 0.5]'):
        assert tb.Sweep.from_toml(f"{head}[sweep.vary]\n{values}{spelt}\n") == grid()


def test_added_values_change_no_cell():
    wider = grid(vary={"samples": [25, *VARY["samples"], 400], "regime.real": [*VARY["regime.real"], 0.9]})
    assert set(grid().ids) < set(wider.ids)
    assert len(set(wider.ids)) == len(wider) == 20


def test_order_and_design_change_no_cell():
    turned = grid(vary={"regime.real": [0.5, 0.2, 0.1], "samples": [200, 50, 100]})
    rows = [dict(zip(grid().names, grid().values(i), strict=True)) for i in range(9)]
    assert set(grid().ids) == set(turned.ids) == set(grid(vary=rows).ids)


@pytest.mark.parametrize(
    "other",
    [
        grid(seed=8),
        grid(common_random_numbers=True),
        grid(record=tb.Record(generations="all")),
        grid(BASE.replace(generations=13)),
        grid(BASE.replace(replicates=4)),
        grid(BASE.replace(tail_mass=0.1)),
        grid(BASE.replace(reference=tb.Zipf(31))),
    ],
)
def test_everything_that_is_run_or_kept_is_in_a_cells_identity(other):
    assert set(grid().ids).isdisjoint(other.ids)


def test_a_cell_is_its_spec_alone():
    for cell in grid(seed=5).cells():
        assert cell.spec == BASE.replace(
            seed=5, samples=cell.values["samples"], regime=tb.Anchored(real=cell.values["regime.real"])
        )


def test_cells_have_words_of_their_own_unless_they_are_common():
    assert len({cell.spec.key for cell in grid().cells()}) == 9
    common = grid(common_random_numbers=True)
    assert len({cell.spec.key for cell in common.cells()}) == 1
    assert {cell.spec.key for cell in common.cells()}.isdisjoint(cell.spec.key for cell in grid().cells())
    assert len(set(common.ids)) == 9


def test_common_words_make_like_laws_alike():
    """With words in common two laws that hardly differ give nearly the same lineages; by default they do not.

    Entropy of generation 1 under 1000 and 1001 samples, replicate by replicate. Over 50 of them the standard
    deviation of the difference is known to a tenth; independent words would give a ratio of 1, eight such
    tenths above the bound: a chance below 1e-9.
    """
    base = tb.Spec(reference=tb.Zipf(30), samples=1000, generations=1, replicates=50)
    record = tb.Record(variables=["entropy"])
    spread = {}
    for common in (False, True):
        sweep = tb.Sweep(base, {"samples": [1000, 1001]}, common_random_numbers=common, record=record)
        first, second = (tb.simulate(c.spec, record=record).entropy.values[:, 1] for c in sweep.cells())
        spread[common] = float(np.std(first - second))
    assert spread[True] < 0.2 * spread[False]


def test_common_words_are_a_field_of_the_spec():
    spec = BASE.replace(common_random_numbers=True)
    assert tb.Spec.from_toml(spec.to_toml()) == spec
    assert spec.digest() != BASE.digest()
    assert "common_random_numbers" not in BASE.to_dict()
    assert spec.key == spec.replace(samples=3000, regime=tb.Replace()).key != spec.replace(seed=8).key
    with pytest.raises(tb.SpecError, match="common_random_numbers: 1 is not true or false"):
        BASE.replace(common_random_numbers=1)


def test_a_sweep_can_be_pickled():
    import pickle

    again = pickle.loads(pickle.dumps(grid()))
    assert again == grid()
    assert again.ids == grid().ids


def test_fields_are_those_of_the_class():
    assert msgspec.structs.asdict(grid()).keys() >= {"base", "vary", "design", "seed", "record", "invalid"}

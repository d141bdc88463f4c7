# SPDX-License-Identifier: MIT
"""Runs of documents from their Specs to Datasets, tables and pictures; fits to tables; bad input."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.families import family_of, lower
from tailbiter.families.categorical_mixture import FAMILY
from tailbiter.simulate import simulate_rows
from tests.documents.gallery import ALL, APART, DRAWN, LAW, REGIMES, STYLES, spec_of
from tests.spec.test_bad_input import check

NAME = "categorical_mixture"


def test_dataset() -> None:
    ds = tb.simulate(spec_of())
    assert tuple(ds.data_vars) == tuple(FAMILIES[NAME].standard)
    assert set(ds.dims) == {"replicate", "generation", "component"}
    assert (ds.attrs["family"], ds.attrs["components"], ds.attrs["categories"]) == (NAME, 3, 6)
    assert ds["reference_weight"].values.tolist() == [0.5, 0.3, 0.2]
    everything = tb.simulate(spec_of(), record=ALL)
    assert everything.sizes["entry"] == 18
    assert everything["entry_component"].values.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    np.testing.assert_array_equal(everything["probabilities"][0, 0], np.ravel(STYLES))
    for name, variable in everything.variables.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"], name


# The same bits.


@pytest.mark.parametrize("regime", REGIMES | DRAWN)
def test_bits(regime: str) -> None:
    made = (REGIMES | DRAWN)[regime]
    spec = spec_of(made, samples=16)
    ds = tb.simulate(spec, record=ALL, threads=1)
    assert tb.simulate(spec, record=ALL, threads=3).equals(ds)
    assert simulate_rows(spec, 2, 5, record=ALL).equals(ds.isel(replicate=slice(2, 5)))
    some = tb.Record(generations=[1, 4], variables=["component_kl", "weights"])
    assert tb.simulate(spec, record=some).equals(ds[["weights", "component_kl"]].sel(generation=[1, 4]))
    longer = tb.simulate(spec.replace(generations=8), record=ALL)
    assert ds.equals(longer.isel(generation=slice(6)))


def test_a_hoard_drawn_in_full_is_the_fixed_set() -> None:
    whole = tb.Anchored(real_count=6, source="hoard", hoard=6)
    fixed = tb.Anchored(real_count=6, source="fixed")
    # Two laws, and so two keys: common random numbers make the words the same.
    runs = [
        tb.simulate(spec_of(regime, samples=16, common_random_numbers=True), record=ALL)
        for regime in (whole, fixed)
    ]
    assert runs[0].equals(runs[1])


def test_a_subsample_of_everything_trains_on_everything() -> None:
    """In generation 1 all of the pool is drawn, in another order: the same model but for rounding."""
    drawn = spec_of(tb.AccumulateSubsample(draw=16), samples=16, common_random_numbers=True)
    runs = [tb.simulate(s, record=ALL) for s in (drawn, drawn.replace(regime=tb.Accumulate()))]
    for name in ("weights", "probabilities"):
        first, second = (run[name].sel(generation=1) for run in runs)
        np.testing.assert_allclose(first, second, rtol=0, atol=1e-12)


# Specs.


def test_a_spec_round_trips() -> None:
    spec = spec_of(tb.Anchored(real=0.3), estimator=tb.EM(floor=1e-4, tolerance=1e-2))
    for again in (
        tb.Spec.from_toml(spec.to_toml()),
        tb.Spec.from_json(spec.to_json()),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert (again, again.digest(), again.key) == (spec, spec.digest(), spec.key)
    assert spec_of().estimator == tb.EM()
    arrays = tb.CategoricalMixture(np.array(LAW.weights), np.array(STYLES), np.array([7, 4, 11]))
    assert arrays == LAW
    assert tb.CategoricalMixture([1], [[1.0]], length=[5, 5]).length == 5
    assert lower(spec) == lower(spec) != lower(spec.replace(seed=1))
    assert repr(lower(spec)).startswith("<DocumentsProgram: 3 components, 6 categories, 5 generations")


def law(**fields: object) -> tb.CategoricalMixture:
    known: dict = {"weights": [0.5, 0.5], "probabilities": [[0.5, 0.5], [1.0, 0.0]], "length": 3}
    return tb.CategoricalMixture(**(known | fields))


BAD = {
    "weights": (lambda: law(weights=[0.5, 0.4]), "reference.weights: 0.9 is their sum, not 1; divide them"),
    "no weights": (lambda: law(weights=[]), "reference.weights: [] is not a list of 1 to 64 weights; give"),
    "weight of 0": (lambda: law(weights=[1.0, 0.0]), "reference.weights[1]: 0.0 is not positive; give"),
    "rows": (
        lambda: law(probabilities=[[1.0]]),
        "reference.probabilities: [[1.0]] is not a list of 2 lists, one for each weight; give a list of",
    ),
    "ragged": (
        lambda: law(probabilities=[[0.5, 0.5], [1.0]]),
        "reference.probabilities[1]: [1.0] is not a list of 1 to 100,000 probabilities, as many as the first",
    ),
    "negative": (
        lambda: law(probabilities=[[1.5, -0.5], [1.0, 0.0]]),
        "reference.probabilities[0][1]: -0.5 is negative; give a list of probabilities",
    ),
    "sum": (
        lambda: law(probabilities=[[0.5, 0.5], [1.0, 1.0]]),
        "reference.probabilities[1]: 2.0 is their sum, not 1; divide them by their sum",
    ),
    "length": (lambda: law(length=0), "reference.length: 0 is outside 1 to 1,000,000; give a number of"),
    "lengths": (lambda: law(length=[3, 0.5]), "reference.length[1]: 0.5 is not a whole number; give"),
    "samples": (lambda: spec_of(samples=10**10), "samples: 10000000000 is outside 1 to 1,000,000,000; give"),
    "estimator": (
        lambda: spec_of(estimator=tb.MLE()),
        "estimator: 'mle' does not fit the models of a categorical_mixture reference; give EM()",
    ),
    "start": (
        lambda: spec_of(estimator=tb.EM(start="kmeans++")),
        "estimator.start: 'kmeans++' does not begin fits of a categorical_mixture reference; give \"warm\"",
    ),
    "floor": (
        lambda: spec_of(estimator=tb.EM(floor=2.0)),
        "estimator.floor: 2.0 is outside [0, 1]; give a probability such as 1e-6",
    ),
    "bands": (lambda: spec_of(bands=[1.0]), "bands: (1.0,) is about categories, which a categorical_mixture"),
    "snapshots": (
        lambda: lower(spec_of(), tb.Record(snapshots=[1])),
        "record.snapshots: (1,) is about one law of categories, not a mixture of several; leave it out, or",
    ),
    "no count": (
        lambda: tb.CategoricalMixture.fit([[1, 2], [0.5, 1]], 2),
        "table[1][0]: 0.5 is not a count; give whole numbers",
    ),
    "empty document": (
        lambda: tb.CategoricalMixture.fit([[1, 2], [0, 0]], 2),
        "table: 1 is the number of a row without tokens; leave the row out",
    ),
    "few documents": (
        lambda: tb.CategoricalMixture.fit([[1, 2]], 2),
        "table: 1 documents cannot give 2 components; give more documents, or fewer components",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    check(*BAD[case])


def test_a_run_too_large_is_refused() -> None:
    long = tb.CategoricalMixture([1.0], [[1 / 1000] * 1000], length=10**5)
    with pytest.raises(tb.MemoryEstimateError, match="samples: 'documents of up to 100,000 tokens"):
        tb.simulate(tb.Spec(reference=long, samples=10**9, generations=2))
    program = lower(spec_of(tb.Accumulate(), samples=500, generations=50), tb.Record(generations=[50]))
    assert sum(part.nbytes for part in FAMILY.memory(program, 4, 2)) > 2 * 50 * 500 * 4 * 8


# Fits to tables.


def documents(law: tb.CategoricalMixture, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(law.components, count, p=law.weights)
    return np.array([rng.multinomial(40, law.probabilities[k]) for k in chosen])


def test_a_fit_finds_the_law(tmp_path: Path) -> None:
    table = documents(LAW, 600, 1)
    found = tb.CategoricalMixture.fit(table, 3, seed=2)
    # Standard errors are about .02 of a weight and .006 of a probability: seven of them.
    np.testing.assert_allclose(found.weights, LAW.weights, atol=0.14)
    np.testing.assert_allclose(found.probabilities, LAW.probabilities, atol=0.042)
    assert found.length == 40
    path = tmp_path / "table.csv"
    header = ",".join(f"word{i}" for i in range(6))
    np.savetxt(path, table, fmt="%d", delimiter=",", header=header, comments="")
    assert tb.CategoricalMixture.fit(path, 3, seed=2) == found
    some = tb.CategoricalMixture.fit(path, 2, columns=["word0", "word4"], length=[9, 8])
    assert (some.categories, some.length) == (2, (9, 8))


def test_documents_differ_in_length() -> None:
    found = tb.CategoricalMixture.fit([[9, 1, 0], [8, 2, 5], [0, 1, 9]], components=2)
    assert found.length == (10, 15, 10)


# For people.


def test_summary() -> None:
    spec = spec_of(reference=APART, samples=10, generations=60, replicates=16)
    found = family_of(APART).summarise(tb.simulate(spec))
    assert "Components that died in any replicate:" in found.text()
    assert found.rows[0].survivors == 1.0
    assert found.rows[-1].survivors < 1.0
    assert json.loads(json.dumps(found.to_dict()))["components"] == 3
    some = tb.simulate(spec, record=tb.Record(variables=["component_kl"]))
    assert family_of(APART).summarise(some).text().endswith("Medians over 16 replicates.")
    assert family_of(APART).size(some) == "3 components over 9 categories"


def test_picture(tmp_path: Path) -> None:
    ds = tb.simulate(spec_of())
    family_of(LAW).draw(ds, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes()[:4] == b"\x89PNG"


def test_runs_are_written_and_swept(tmp_path: Path) -> None:
    ds = tb.simulate(spec_of(), record=ALL)
    tb.write_run(ds, spec_of(), tmp_path / "run", picture=False)
    assert tb.read_run(tmp_path / "run").equals(ds)
    sweep = tb.Sweep(spec_of(samples=10), {"reference.length": [3, 6]})
    tb.run_sweep(sweep, tmp_path / "store")
    assert tb.open_sweep(tmp_path / "store")["mutual_information"].notnull().all()

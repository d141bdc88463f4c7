# SPDX-License-Identifier: MIT
"""What common random numbers save is measured, and without them it is nothing."""

import numpy as np
import pytest

import tailbiter as tb
from tests.sweep.grids import grid

BASE = tb.Spec(
    reference=tb.Zipf(categories=60),
    regime=tb.Anchored(real=0.1),
    samples=100,
    generations=4,
    replicates=400,
)
VARY = {"samples": [100, 110], "regime.real": [0.1, 0.11, 0.12]}


def saved(path, **more):
    sweep = grid(BASE, VARY, record=tb.Record(variables=["survivors", "band_mass"]), **more)
    tb.run_sweep(sweep, path, threads=1)
    return tb.variance_saved(path)


def test_it_is_what_differences_vary_less(tmp_path):
    ds = saved(tmp_path / "common", common_random_numbers=True)
    values = tb.open_sweep(tmp_path / "common").survivors.sel(generation=4).values
    assert ds.pairs.values.tolist() == [3, 4]
    expected = []
    for size in range(2):
        for left in range(2):
            x, y = values[size, left], values[size, left + 1]
            expected.append(2 * np.cov(x, y)[0, 1] / (x.var(ddof=1) + y.var(ddof=1)))
    found = ds.sel(field="regime.real")
    np.testing.assert_allclose(
        [found.saved, found.least, found.most], [np.median(expected), min(expected), max(expected)]
    )
    assert float(found.saved) > 0.1  # shares one item apart


def test_without_shared_words_nothing_is_saved(tmp_path):
    """Of 400 pairs a correlation beyond 0.31 comes up with probability 1e-9; there are seven."""
    ds = saved(tmp_path / "apart")
    assert float(abs(ds.least).max()) < 0.33
    assert float(abs(ds.most).max()) < 0.33


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variable": "survivers"}, "variable: 'survivers' is not in the store; give one of survivors"),
        ({"variable": "band_mass"}, "variable: 'band_mass' is not in the store"),
        ({"generation": 9}, "generation: 9 was not recorded of survivors; give one such as 4"),
    ],
)
def test_bad_input(tmp_path, options, message):
    small = grid(BASE.replace(replicates=2), VARY, record=tb.Record(variables=["survivors", "band_mass"]))
    tb.run_sweep(small, tmp_path / "store", threads=1)
    with pytest.raises(tb.SpecError) as caught:
        tb.variance_saved(tmp_path / "store", **options)
    assert message in str(caught.value)


def test_designs_without_neighbours_and_single_replicates(tmp_path):
    tb.run_sweep(grid(BASE.replace(replicates=1)), tmp_path / "one", threads=1)
    with pytest.raises(tb.SpecError, match="replicates: 1 replicate does not vary"):
        tb.variance_saved(tmp_path / "one")
    tb.run_sweep(grid(BASE, {"samples": [50, 60]}, design="zip"), tmp_path / "zip", threads=1)
    with pytest.raises(tb.SpecError, match="'zip' has no neighbours"):
        tb.variance_saved(tmp_path / "zip")

# SPDX-License-Identifier: MIT
"""Small sweeps that several tests run."""

import numpy as np

import tailbiter as tb

BASE = tb.Spec(
    reference=tb.Zipf(categories=30),
    regime=tb.Anchored(real=0.1),
    samples=100,
    generations=12,
    replicates=3,
    seed=7,
)
VARY = {"samples": [50, 100, 200], "regime.real": [0.1, 0.2, 0.5]}


def grid(base=BASE, vary=None, **more) -> tb.Sweep:
    return tb.Sweep(base, VARY if vary is None else vary, **more)


def alike(cell, sweep, found, dims=("band",)) -> None:
    """A cell of an opened store is what `simulate` gives for its Spec."""
    expected = tb.simulate(cell.spec, record=sweep.record, threads=1)
    for name, variable in expected.data_vars.items():
        values = found[name].values
        if "band" in variable.dims:
            assert (values[..., variable.shape[-1] :] == 0).all()
            values = values[..., : variable.shape[-1]]
        np.testing.assert_array_equal(values, variable.values, err_msg=str(name))


def parts(directory) -> list:
    return sorted(directory.glob("records-*.parquet"))

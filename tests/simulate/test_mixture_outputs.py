# SPDX-License-Identifier: MIT
"""What is left of a run of mixtures: files, the table people read, the picture, the command line, a store."""

import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter._variables import FAMILIES
from tailbiter.cli import main
from tailbiter.families import family_of
from tailbiter.families._mixture_summary import summarise
from tailbiter.run_files import read_run, write_run

LAW = tb.GaussianMixture([0.7, 0.25, 0.05], [[0, 0], [9, 0], [0, 9]], [1.0, 4.0, 1.0], "spherical")
SPEC = tb.Spec(reference=LAW, samples=30, generations=60, replicates=5, seed=7)
EVERYTHING = tb.Record(variables=list(FAMILIES["mixture"].known))
TIED = SPEC.replace(
    reference=tb.GaussianMixture([0.5, 0.5], [0.0, 9.0], [1.0], "tied"),
    estimator=tb.EM(tolerance=0.0, iterations=2, start="kmeans++"),
    generations=1,
)


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return tb.simulate(SPEC, record=EVERYTHING)


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


# Files.


@pytest.mark.parametrize(
    ("spec", "record"),
    [
        (SPEC, EVERYTHING),
        (SPEC, tb.Record()),
        (SPEC, tb.Record(generations=[3], variables=["factors"])),
        (SPEC, tb.Record(generations=[0])),
        (SPEC, tb.Record(variables=[])),
        (TIED, EVERYTHING),
    ],
)
def test_round_trip(spec: tb.Spec, record: tb.Record, tmp_path: Path) -> None:
    run = tb.simulate(spec, record=record)
    back = read_run(write_run(run, spec, tmp_path / "run"))
    xr.testing.assert_identical(back, run)
    assert {name: v.dtype for name, v in back.variables.items()} == {
        name: v.dtype for name, v in run.variables.items()
    }
    assert list(back.data_vars) == list(run.data_vars)
    assert tb.Spec.from_toml(tmp_path / "run" / "spec.toml") == spec
    assert tb.Record.from_toml(tmp_path / "run" / "spec.toml") == record
    shown = "weights" in run and run.sizes["generation"] > 1
    assert (tmp_path / "run" / "tails.png").exists() == shown


def test_any_reader_sees_plain_columns(ds: xr.Dataset, tmp_path: Path) -> None:
    where = write_run(ds, SPEC, tmp_path / "run")
    rows = pq.read_table(where / "records.parquet")
    assert rows.num_rows == 5 * 61
    row = rows.slice(61 + 3, 1).to_pylist()[0]
    there = ds.isel(replicate=1, generation=3)
    assert (row["replicate"], row["generation"]) == (1, 3)
    assert row["weight_drift"] == float(there["weight_drift"])
    for name, width in (("weights", 3), ("means", 6), ("factors", 3)):
        assert row[name] == there[name].values.tolist()
        assert len(row[name]) == width


# The table.


def run_of(weights: list[list[list[float]]], **more) -> xr.Dataset:
    """A hand-made run of two components of weights 0.75 and 0.25: by replicate, generation, component."""
    rows = ("replicate", "generation")
    values = np.array(weights)
    data = {
        "weights": ((*rows, "component"), values),
        "components_alive": (rows, (values > 0).sum(axis=2)),
        **{name: (rows, np.array(some)) for name, some in more.items()},
    }
    coords = {
        "generation": np.array([0, 1, 4])[: values.shape[1]],
        "reference_weight": ("component", [0.75, 0.25]),
    }
    return xr.Dataset(data, coords, {"components": 2, "dimensions": 1})


THREE = [
    [[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]],
    [[0.75, 0.25], [0.9, 0.1], [1.0, 0.0]],
    [[0.75, 0.25], [0.2, 0.8], [0.9, 0.1]],
]


def test_rows_are_medians_over_replicates() -> None:
    more = {
        "l2_squared": [[0, 0.25, 4], [0, 1, 9], [0, 0.04, 1]],
        "converged": [[0, 1, 1], [0, 0, 1], [0, 1, 1]],
    }
    summary = summarise(run_of(THREE, **more))
    assert [row.generation for row in summary.rows] == [0, 1, 4]
    assert [row.alive for row in summary.rows] == [2, 2, 1]
    assert [row.smallest_weight for row in summary.rows] == [
        0.25,
        0.2,
        0,
    ]  # of 0.5, 0.1 and 0.2, then 0, 0, 0.1
    assert [row.l2_distance for row in summary.rows] == [0, 0.5, 2]
    assert [row.converged for row in summary.rows] == [None, pytest.approx(2 / 3), 1]
    assert (summary.replicates, summary.components, summary.last_generation) == (3, 2, 4)
    assert (summary.reference_weights, summary.last_weights) == ([0.75, 0.25], [1.0, 0.0])
    assert summary.died == [0, 2]


def test_what_the_table_says() -> None:
    more = {"l2_squared": [[0, 0.25, 4]] * 3, "converged": [[0, 1, 1], [0, 0, 1], [0, 1, 1]]}
    assert summarise(run_of(THREE, **more)).text().splitlines() == [
        "generation  alive  smallest weight  L2 distance  fits converged",
        "         0      2           25.0 %            0               -",
        "         1      2           20.0 %          0.5          66.7 %",
        "         4      1            0.0 %            2         100.0 %",
        "",
        "Medians over 3 replicates. L2 distance = of the model's density to the reference's.",
        (
            "The smallest component of the reference (component 1, 25.0 %):"
            " 0.0 % at the end, dead in 2 of 3 replicates."
        ),
        "Components that died in any replicate: 1 of 2.",
    ]


def test_of_components_alike_none_is_the_smallest() -> None:
    law = tb.GaussianMixture([0.5, 0.5], [0.0, 8.0], [1.0, 1.0])
    text = summarise(tb.simulate(tb.Spec(reference=law, samples=50, generations=2, replicates=2))).text()
    assert "A smallest component of the reference (component 0, 50.0 %)" in text


def test_what_the_floor_holds_open_is_told() -> None:
    summary = summarise(run_of(THREE, components_singular=[[0, 0, 2], [0, 1, 0], [0, 0, 1]]))
    assert summary.singular == 2
    assert "A component is singular but for the floor at the end in 2 of 3 replicates." in summary.text()
    none = summarise(run_of(THREE, components_singular=[[0, 1, 0]] * 3))
    assert (none.singular, "singular" in none.text()) == (0, False)
    assert summarise(run_of(THREE)).singular is None


def test_none_died_is_told() -> None:
    text = summarise(run_of([one[:2] for one in THREE])).text()
    assert "No component died." in text
    assert "that died" not in text
    assert text.splitlines()[0].split() == ["generation", "alive", "smallest", "weight"]


def test_what_was_not_recorded_is_left_out() -> None:
    summary = summarise(tb.simulate(SPEC, record=tb.Record(variables=["iterations"])))
    assert summary.text().splitlines()[0].split() == ["generation"]
    assert summary.text().splitlines()[-1] == "Medians over 5 replicates."
    assert summary.reference_weights is summary.died is None


def test_it_is_plain_data(ds: xr.Dataset) -> None:
    data = json.loads(json.dumps(summarise(ds).to_dict(), allow_nan=False))
    assert data["rows"][0]["converged"] is None
    assert data["rows"][0]["smallest_weight"] == 0.05
    assert family_of(LAW).size(ds) == "3 components in 2 dimensions"


# The picture.


def test_a_line_for_each_component_is_its_median(ds: xr.Dataset) -> None:
    ax = tb.plot.weights(ds)
    assert [line.get_label() for line in ax.lines] == ["2  (5 %)", "1  (25 %)", "0  (70 %)"]
    later = ds["weights"].sel(generation=slice(1, None)).median("replicate")
    for component, line in zip((2, 1, 0), ax.lines, strict=True):
        expected = later.sel(component=component).values
        np.testing.assert_array_equal(line.get_ydata(), np.where(expected > 0, expected, 1e-30))
        np.testing.assert_array_equal(line.get_xdata(), later["generation"])
    assert ax.get_ylim()[0] >= 1e-6
    assert ax.get_ylim()[1] == 1


def test_axes_of_the_caller_are_used(ds: xr.Dataset) -> None:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert tb.plot.weights(ds, ax) is ax


@pytest.mark.parametrize("variables", [["iterations"], ["weights"]])
def test_nothing_to_draw_is_refused(variables: list[str]) -> None:
    run = tb.simulate(SPEC, record=tb.Record(generations=[0], variables=variables))
    with pytest.raises(tb.SpecError):
        tb.plot.weights(run)


# The command line.

TOML = SPEC.to_toml()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(TOML)
    return path


def test_the_command_line_runs_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.parent / "run"
    assert main(["run", str(file), "--replicates", "3", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(
        "3 components in 2 dimensions, 30 samples, regime replace, 60 generations, 3 rep"
    )
    assert "smallest weight" in printed
    assert (out / "tails.png").exists()
    assert main(["run", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["components"] == 3
    assert told["digest"] == SPEC.digest()


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        (TOML.replace("0.05,", "0.06,"), [], "reference.weights: 1.01 is the sum of the weights, not 1;"),
        (TOML.replace('"spherical"', '"round"'), [], "reference.covariance: 'round' is not known here"),
        (TOML.replace('"em"', '"mle"'), [], "estimator: 'tolerance' is not a known key"),
        (TOML.replace('"warm"', '"cold"'), [], "estimator.start: 'cold' is not known here"),
        (TOML + "[record]\nforgotten = true", [], "record.forgotten: True is about categories"),
        (TOML + '[record]\nvariables = ["kl"]', [], "record.variables: 'kl' is not measured of a mixture"),
        (TOML, ["--samples", "1e13"], "--samples: 1e13 is outside 1 to 1,000,000,000,000;"),
    ],
)
def test_bad_input_is_one_line(
    file: Path, text: str, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text)
    assert main(["run", str(file), *flags, "--out", str(file.parent / "run")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert message in err
    assert not (file.parent / "run").exists()


# A store.


def test_a_sweep_of_mixtures_is_the_runs_of_its_cells(tmp_path: Path) -> None:
    base = SPEC.replace(generations=8, replicates=3)
    sweep = tb.Sweep(base, {"samples": [20, 40], "estimator.start": ["warm", "kmeans++"]}, record=EVERYTHING)
    tb.run_sweep(sweep, tmp_path / "store", threads=1)
    ds = tb.open_sweep(tmp_path / "store")
    for number, (samples, start) in enumerate(
        [(20, "warm"), (20, "kmeans++"), (40, "warm"), (40, "kmeans++")]
    ):
        run = tb.simulate(sweep.spec(number), record=EVERYTHING)
        cell = ds.sel({"samples": samples, "estimator.start": start})
        for name in run.data_vars:
            np.testing.assert_array_equal(cell[name].values, run[name].values)
        for name in ("component", "reference_weight", "mean_component", "row"):
            np.testing.assert_array_equal(cell[name].values, run[name].values)

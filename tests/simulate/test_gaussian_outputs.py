# SPDX-License-Identifier: MIT
"""What is left of a Gaussian run: files, the table people read, pictures, the command line."""

import json
import math
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
from tailbiter.families._gaussian_summary import summarise
from tailbiter.run_files import read_run, write_run

SPEC = tb.Spec(
    reference=tb.Gaussian(covariance=[[4.0, 1.0], [1.0, 2.0]]),
    samples=20,
    generations=60,
    replicates=5,
    seed=7,
)
EVERYTHING = tb.Record(variables=list(FAMILIES["gaussian"].known))
SINGULAR = SPEC.replace(reference=tb.Gaussian(dimensions=3), samples=3, generations=9)


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
        (SPEC, tb.Record(generations=[3], variables=["factor"])),
        (SPEC, tb.Record(variables=[])),
        (SPEC.replace(reference=tb.Gaussian(), estimator=tb.MLE(1), generations=1), EVERYTHING),
        (SINGULAR, EVERYTHING),
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


def test_any_reader_sees_plain_columns(ds: xr.Dataset, tmp_path: Path) -> None:
    where = write_run(ds, SPEC, tmp_path / "run")
    assert sorted(path.name for path in where.iterdir()) == ["records.parquet", "spec.toml", "tails.png"]
    rows = pq.read_table(where / "records.parquet")
    assert rows.num_rows == 5 * 61
    row = rows.slice(61 + 3, 1).to_pylist()[0]
    there = ds.isel(replicate=1, generation=3)
    assert (row["replicate"], row["generation"]) == (1, 3)
    assert row["log_det"] == float(there["log_det"])
    for name, width in (("mass_beyond", 5), ("mean", 2), ("factor", 3), ("exponent", 2)):
        assert row[name] == there[name].values.tolist()
        assert len(row[name]) == width


# The table.


def run_of(log_det: list[list[float]], mass: list[list[float]], dimensions: int = 2, **more) -> xr.Dataset:
    """A hand-made run of a reference of determinant e^4; `mass` is beyond the 1e-3 quantiles."""
    rows = ("replicate", "generation")
    levels = np.array([1e-2, 1e-3])
    beyond = np.stack([np.zeros_like(mass), np.array(mass)], axis=-1)
    data = {
        "log_det": (rows, np.array(log_det), {"reference": 4.0}),
        "mass_beyond": ((*rows, "level"), beyond),
        **{name: (rows, np.array(values)) for name, values in more.items()},
    }
    coords = {
        "generation": np.array([0, 1, 2, 4, 8])[: len(log_det[0])],
        "level": levels,
        "level_reference_mass": ("level", 2 * levels),
    }
    return xr.Dataset(data, coords, {"dimensions": dimensions})


HALF = 4 + 4 * math.log(0.5)  # log-determinant where the spread of two dimensions is half


def test_rows_are_medians_over_replicates() -> None:
    run = run_of([[4, 0, 0, 0], [4, 4, 2, -8], [4, 4, 4, -400]], [[0.002, 0.002, 0.001, 0]] * 3)
    summary = summarise(run)
    assert [row.generation for row in summary.rows] == [0, 1, 2, 4]
    assert [row.log_spread for row in summary.rows] == [0, 0, -0.5, -3]
    assert [row.tails_covered for row in summary.rows] == [1, 1, 0.5, 0]
    assert all(row.w2 is None and row.effective_rank is None for row in summary.rows)
    assert (summary.replicates, summary.dimensions, summary.last_generation) == (3, 2, 4)


@pytest.mark.parametrize(
    ("log_det", "expected"),
    [
        ([[4, 4, HALF, -9, -9]], 4),  # half is not below half
        ([[4, 4, HALF - 1e-9, -9, -9]], 2),
        ([[4, -9, 4, -9, -9]], 4),  # not where it comes back
        ([[4, -9, -9, -9, 4]], None),
        ([[4, -9, -9, -9, -9], [4, 4, 4, 4, -9], [4, 4, 4, 4, 4]], 8),  # the middle replicate
        ([[4, 4, 4, 4, -9], [4, 4, 4, 4, 4], [4, 4, 4, 4, 4]], None),
        ([[4, -math.inf, -math.inf, -math.inf, -math.inf]], 1),
    ],
)
def test_when_half_of_the_spread_is_gone(log_det: list[list[float]], expected: float | None) -> None:
    assert summarise(run_of(log_det, [[0.002] * 5] * len(log_det))).spread_half == expected


def test_when_half_of_the_tails_is_gone() -> None:
    run = run_of([[4.0] * 5] * 2, [[0.002, 0.004, 0.001, 0.0009, 0], [0.002, 0.002, 0.002, 0.002, 0.1]])
    assert summarise(run).tails_half == 4
    text = summarise(run).text()
    assert "Tails: below half of the reference's mass beyond its 1e-3 quantiles from generation 4 on." in text
    assert "Spread: not below half of the reference's at the end." in text


def test_the_table(ds: xr.Dataset) -> None:
    text = summarise(ds).text()
    lines = text.splitlines()
    assert lines[0].split("  ")[-1].strip() == "tails covered"
    assert "effective rank" in lines[0]
    assert lines[1].split()[:2] == ["0", "1"]
    assert lines[1].endswith("100.0 %")
    assert "Medians over 5 replicates. Spread = generalised standard deviation" in text


def test_one_dimension_has_no_rank_to_tell() -> None:
    text = summarise(tb.simulate(SPEC.replace(reference=tb.Gaussian(), replicates=1))).text()
    assert "effective rank" not in text
    assert "Medians over 1 replicate." in text


def test_a_singular_covariance_is_told_and_is_plain_data() -> None:
    summary = summarise(tb.simulate(SINGULAR))
    assert summary.rows[-1].log_spread == -math.inf
    assert json.loads(json.dumps(summary.to_dict(), allow_nan=False))["rows"][-1]["log_spread"] is None
    assert (
        "The covariance is singular at the end in 5 of 5 replicates (median rank 2 of 3)." in summary.text()
    )
    assert summary.text().splitlines()[2].split()[1] == "0"


@pytest.mark.parametrize(
    ("log_det", "shown"),
    [
        (4, "1"),
        (4 + 4 * math.log(0.0123), "0.0123"),
        (4 - 4e4, "1.1e-4343"),
        (4 - 4 * 10 * math.log(10), "1.0e-10"),
    ],
)
def test_spread_however_small(log_det: float, shown: str) -> None:
    assert summarise(run_of([[4, log_det]], [[0.002] * 2])).text().splitlines()[2].split()[1] == shown


def test_what_was_not_recorded_is_left_out() -> None:
    run = tb.simulate(SPEC, record=tb.Record(variables=["kl"]))
    assert summarise(run).text().splitlines()[0].split() == ["generation"]
    assert "Medians over 5 replicates." in summarise(run).text()
    assert summarise(run).spread_half is summarise(run).singular is None


# Pictures.


def test_the_spread_is_its_median(ds: xr.Dataset) -> None:
    ax = tb.plot.spread(ds)
    (line,) = ax.lines
    later = ds["log_det"].sel(generation=slice(1, None))
    np.testing.assert_allclose(
        line.get_ydata(), (later.median("replicate") - math.log(7)) / (2 * math.log(10)), rtol=1e-12
    )
    np.testing.assert_array_equal(line.get_xdata(), later["generation"])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


def test_a_line_for_each_level_is_its_median(ds: xr.Dataset) -> None:
    ax = tb.plot.tails(ds)
    drawn = {line.get_label(): line for line in ax.lines if len(line.get_xdata()) == 60}
    assert list(drawn) == ["1e-06", "1e-05", "0.0001", "0.001", "0.01"]
    later = ds["mass_beyond"].sel(generation=slice(1, None)).median("replicate")
    for label, line in drawn.items():
        expected = later.sel(level=float(label)).values
        np.testing.assert_array_equal(line.get_ydata(), np.where(expected > 0, expected, 1e-30))
    assert ax.get_ylim() == (1e-8, 1)
    assert ax.get_legend().get_title().get_text().startswith("beyond either quantile")


def test_axes_of_the_caller_are_used(ds: xr.Dataset) -> None:
    import matplotlib.pyplot as plt

    _, (left, right) = plt.subplots(1, 2)
    assert tb.plot.spread(ds, left) is left
    assert tb.plot.tails(ds, right) is right


@pytest.mark.parametrize(
    "spec",
    [
        SPEC.replace(generations=1, replicates=1),
        SINGULAR,
        SPEC.replace(samples=1),
        SPEC.replace(generations=5000),
    ],
    ids=["one", "singular", "one item", "collapsed"],
)
def test_odd_runs_can_be_drawn(spec: tb.Spec, tmp_path: Path) -> None:
    write_run(tb.simulate(spec), spec, tmp_path / "run")
    assert (tmp_path / "run" / "tails.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_missing_is_named(ds: xr.Dataset, tmp_path: Path) -> None:
    start = tb.simulate(SPEC, record=tb.Record(generations=[0]))
    for draw in (tb.plot.spread, tb.plot.tails):
        with pytest.raises(tb.SpecError, match=r"record\.generations"):
            draw(start)
    assert not (write_run(start, SPEC, tmp_path / "run") / "tails.png").exists()
    with pytest.raises(tb.SpecError, match="does not hold log_det"):
        tb.plot.spread(ds.drop_vars("log_det"))


# The command line.

TOML = """
samples = 30
generations = 12
replicates = 4
reference = {kind = "gaussian", mean = [0, 1], covariance = [[2.0, 0.5], [0.5, 1.0]]}
estimator = {kind = "mle", ddof = 1}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "spec.toml").write_text(TOML)
    return tmp_path / "spec.toml"


def test_a_spec_file_is_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(file), "--regime", "accumulate", "--out", str(file.parent / "run")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(
        "2 dimensions, 30 samples, regime accumulate, 12 generations, 4 replicates, seed 1851"
    )
    assert "tails covered" in out
    spec = tb.Spec.from_toml(file.parent / "run" / "spec.toml")
    assert spec == tb.Spec.from_toml(TOML).replace(regime=tb.Accumulate())
    assert read_run(file.parent / "run").equals(tb.simulate(spec))


def test_json_is_one_object_and_no_more(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["spec"]["estimator"] == {"kind": "mle", "ddof": 1}
    assert "reference" not in report["spec"]
    assert report["summary"]["rows"][0]["log_spread"] == pytest.approx(0, abs=1e-15)
    assert report["digest"] == report["provenance"]["digest"]


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        (TOML + "bands = [1.0]", [], "bands: (1.0,) is about categories"),
        (TOML.replace("0.5], [0.5", "5], [5"), [], "reference.covariance[1][1]: 1.0 is no more than"),
        (TOML.replace("ddof = 1", "ddof = 2"), [], "estimator.ddof: 2 is outside 0 to 1"),
        (TOML.replace("mle", "map"), [], "estimator.kind: 'map' is not known here"),
        (TOML + "[record]\nforgotten = true", [], "record.forgotten: True is about categories"),
        (
            TOML + '[record]\nvariables = ["entropy"]',
            [],
            "record.variables: 'entropy' is not measured of a gau",
        ),
        (
            TOML,
            ["--regime", "accumulate_subsample", "--samples", "1e9"],
            "makes a pool of 12,000,000,000 items",
        ),
        (
            TOML,
            ["--regime", "anchored", "--real", "0.1", "--source", "hoard", "--hoard", "5e9"],
            "--hoard: 5000000000 makes a pool of 5,000,000,000 items of which 3 are drawn",
        ),
        (TOML, ["--samples", "1e16"], "--samples: 1e16 is outside 1 to 1,000,000,000,000,000;"),
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

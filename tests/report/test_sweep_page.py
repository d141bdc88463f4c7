# SPDX-License-Identifier: MIT
"""The report of a sweep as a file: its numbers are the store's, unfinished or uneven ones too."""

import hashlib
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.cli import main
from tailbiter.report import _cells
from tailbiter.store import Failure

BASE = tb.Spec(
    reference=tb.Zipf(categories=30), regime=tb.Anchored(real=0.1), samples=100, generations=12, replicates=5
)
VARY = {"samples": [50, 100, 200], "regime.real": [0.1, 0.5]}


def written(folder: Path, sweep: tb.Sweep) -> Path:
    tb.run_sweep(sweep, folder / "sweep", threads=1)
    return tb.report(folder / "sweep", folder / "page.html")


def data_of(page: Path) -> dict:
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def shaped(data: dict, quantity: dict, name: str) -> np.ndarray:
    """[cell, generation, line], NaN where there is nothing."""
    values = np.array([np.nan if v is None else v for v in quantity[name]], np.float64)
    return values.reshape(len(data["ids"]), len(data["generations"]), len(quantity["lines"]))


def expected(ds: object, name: str) -> list[np.ndarray]:
    values = np.asarray((tb.share_alive(ds) if name == "share_alive" else ds[name]).values, np.float64)
    return [np.quantile(values, share, axis=0, method="inverted_cdf") for share in (0.5, 0.05, 0.95)]


@pytest.mark.parametrize(
    "title", ["Share of the band's categories alive", "Categories present in the training set"]
)
def test_numbers_are_those_of_each_cell_run_by_itself(title: str, tmp_path: Path) -> None:
    sweep = tb.Sweep(BASE, vary=VARY)
    data = data_of(written(tmp_path, sweep))
    assert data["generations"] == list(range(13))
    quantity = next(one for one in data["quantities"] if one["title"] == title)
    name = "share_alive" if quantity["share"] else "survivors"
    for cell in sweep.cells():
        for stat, row in zip(("median", "low", "high"), expected(tb.simulate(cell.spec), name), strict=True):
            found = shaped(data, quantity, stat)[cell.number]
            wanted = row.reshape(13, -1)
            np.testing.assert_allclose(found[:, : wanted.shape[1]], wanted, rtol=1e-4)
            assert np.isnan(found[:, wanted.shape[1] :]).all()


def test_cells_with_fewer_replicates_are_not_diluted(tmp_path: Path) -> None:
    sweep = tb.Sweep(BASE, vary={"replicates": [2, 9], "generations": [6, 12]}, design="zip")
    data = data_of(written(tmp_path, sweep))
    quantity = next(one for one in data["quantities"] if one["title"].startswith("Categories present"))
    found = shaped(data, quantity, "low")[:, :, 0]
    for number in range(2):
        generations = sweep.spec(number).generations
        wanted = expected(tb.simulate(sweep.spec(number)), "survivors")[1]
        assert found[number, : generations + 1].tolist() == wanted.tolist()
        assert np.isnan(found[number, generations + 1 :]).all()


def test_a_cell_by_itself_is_the_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says of running one cell again does run, and gives that cell's bits."""
    monkeypatch.chdir(tmp_path)
    data = data_of(written(tmp_path, tb.Sweep(BASE, vary=VARY, seed=77)))
    text = re.search(r'aria-label="Sweep"><pre>(.*?)</pre>', Path("page.html").read_text(), re.S)[1]
    Path("sweep.toml").write_text(html.unescape(text), encoding="utf-8")
    exec(data["alone"].replace("@", "4"), {})
    ds, store = tb.read_run("cell-4"), tb.open_sweep("sweep")
    assert (ds.survivors.values == store.survivors.sel({"samples": 200, "regime.real": 0.1}).values).all()
    assert "words" in data_of(Path("cell-4.html"))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    nasty = "</script><script>alert(1)</script>"
    sweep = tb.Sweep(BASE, vary=VARY)
    part = tb.Sweep(BASE, vary={"samples": [50, 100], "regime.real": [0.1, 0.5]})
    tb.run_sweep(part, tmp_path / "sweep", threads=1)
    store = tb.Store.create(tmp_path / "sweep", sweep)
    store.add_failure(Failure(sweep.ids[5], {"samples": 200, "regime.real": 0.5}, "DataError", nasty))
    page = tb.report(tmp_path / "sweep", tmp_path / "page.html")
    data, text = data_of(page), page.read_text(encoding="utf-8")
    assert [bool(one) for one in data["ids"]] == [True] * 4 + [False] * 2
    assert np.isnan(shaped(data, data["quantities"][1], "median")[4:]).all()
    assert data["failed"] == [5]
    assert "4 of 6 cells done, 1 failed when last tried, 1 missing." in text
    before_the_charts = text[: text.index('id="map"')]
    assert "samples = 200, regime.real = 0.5" in before_the_charts
    assert f"DataError: {html.escape(nasty)}" in before_the_charts
    assert nasty not in text


def test_a_cell_that_was_tried_again_has_not_failed(tmp_path: Path) -> None:
    sweep = tb.Sweep(BASE, vary=VARY)
    store = tb.Store.create(tmp_path / "sweep", sweep)
    store.add_failure(Failure(sweep.ids[5], {"samples": 200, "regime.real": 0.5}, "DataError", "once"))
    page = written(tmp_path, sweep)
    assert data_of(page)["failed"] == []
    assert "6 of 6 cells done, 0 missing." in page.read_text(encoding="utf-8")


def test_what_is_the_same_in_all_cells_is_told(tmp_path: Path) -> None:
    """Beside what varies, and without it."""
    text = written(tmp_path, tb.Sweep(BASE, vary=VARY)).read_text(encoding="utf-8")
    held = re.search(r'aria-label="What is the same in all cells"><table>(.*?)</table>', text, re.S)[1]
    rows = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', held))
    assert rows == {
        "human distribution": "zipf, categories = 30, exponent = 1.0, shift = 0.0",
        "regime": "anchored, source = fresh",
        "generations": "12",
        "lineages": "5 replicates",
        "fit": "mle",
    }
    assert "The dotted lines are exact" in text


@pytest.mark.parametrize(
    ("base", "vary", "more"),
    [
        (BASE, {"samples": [50, 100]}, {}),
        (BASE, {"regime": [tb.Replace(), tb.Anchored(real=0.1)], "samples": [50, 100]}, {}),
        (BASE, [{"samples": 50, "regime.real": 0.1}, {"samples": 70, "regime.real": 0.2}], {}),
        (
            BASE,
            {"samples": tb.Range(50, 100), "regime.real": tb.Range(0.1, 0.5)},
            {"design": "sobol", "points": 4},
        ),
        (
            tb.Spec(reference=tb.Gaussian(dimensions=2), generations=9),
            {"samples": [9, 20], "replicates": [2]},
            {},
        ),
        (
            tb.Spec(
                reference=tb.GaussianMixture([0.5, 0.5], [0.0, 9.0], [1.0, 1.0]), generations=4, replicates=2
            ),
            {"samples": [30, 40]},
            {},
        ),
    ],
    ids=["one field", "tables", "rows", "sobol", "gaussian", "mixture"],
)
def test_every_design_and_family_has_its_page(
    base: tb.Spec, vary: object, more: dict, tmp_path: Path
) -> None:
    sweep = tb.Sweep(base, vary=vary, **more)
    data = data_of(written(tmp_path, sweep))
    assert len(data["ids"]) == len(sweep)
    assert [field["name"] for field in data["fields"]] == list(sweep.names)
    assert data["quantities"]
    for quantity in data["quantities"]:
        assert shaped(data, quantity, "median").shape[0] == len(sweep)
        assert len(quantity["labels"]) == len(quantity["lines"])


def test_a_table_is_told_in_words(tmp_path: Path) -> None:
    data = data_of(written(tmp_path, tb.Sweep(BASE, vary={"regime": [tb.Replace(), tb.Window(3)]})))
    assert data["fields"][0]["labels"] == ["replace", "window, k 3"]


def test_human_data_alone_stand_beside_each_cell(tmp_path: Path) -> None:
    """Those of the cell's own sizes, whatever its regime, at every generation; generation 0 has all."""
    data = data_of(written(tmp_path, tb.Sweep(BASE, vary=VARY)))
    share = next(one for one in data["quantities"] if one["share"])
    human = shaped(data, share, "human")
    q = 1 / np.arange(1, 31) / (1 / np.arange(1, 31)).sum()
    for cell, samples in enumerate(np.repeat(VARY["samples"], 2).tolist()):
        for line, (lo, hi) in enumerate([(0, 1), (1, 10), (10, 100)]):
            mine = q[(samples * q >= lo) & (samples * q < hi)]
            wanted = (1 - (1 - mine) ** samples).mean() if mine.size else np.nan
            np.testing.assert_allclose(human[cell, 1:, line], wanted, rtol=1e-4)
    assert (human[:, 0][np.isfinite(human[:, 0])] == 1).all()
    assert [one["human"] for one in data["quantities"] if not one["share"]].count(None) >= 10


def test_no_path_of_this_machine_is_in_the_page(tmp_path: Path) -> None:
    """Not in the sweep, not among what varies, not in what a failure says."""
    table = tmp_path / "private" / "words.csv"
    table.parent.mkdir()
    table.write_text("word,count\nthe,90\na,9\nb,1\n", encoding="utf-8")
    words = tb.Counts.read(table)
    sweep = tb.Sweep(BASE.replace(reference=words), vary={"reference": [words, tb.Uniform(3)]})
    tb.run_sweep(sweep, tmp_path / "sweep", threads=1)
    store = tb.Store(tmp_path / "sweep")
    store.add_failure(Failure(sweep.ids[0], {"samples": 1}, "DataError", f"{table}: is not there"))
    text = html.unescape(tb.report(tmp_path / "sweep", tmp_path / "page.html").read_text(encoding="utf-8"))
    assert str(tmp_path) not in text
    assert "private" not in text
    assert "words.csv: is not there" in text
    assert hashlib.sha256(table.read_bytes()).hexdigest() in text


def test_a_page_has_room_for_so_many_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generations are thinned out first, then quantities left out, and the page says which."""
    sweep = tb.Sweep(BASE, vary=VARY)
    monkeypatch.setattr(_cells, "MOST_NUMBERS", 3 * 6 * 6 * 5)
    page = written(tmp_path, sweep)
    data = data_of(page)
    assert len(data["generations"]) <= 6
    assert (data["generations"][0], data["generations"][-1]) == (0, 12)
    assert sum(len(one["lines"]) for one in data["quantities"]) <= 5
    assert "no room here for" in page.read_text(encoding="utf-8")


def test_bad_input_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tb.Store.create("empty", tb.Sweep(BASE, vary=VARY))
    assert main(["report", "empty"]) == 2
    assert "has no finished cell" in capsys.readouterr().err
    monkeypatch.setattr(_cells, "MOST_CELLS", 5)
    assert main(["report", "empty"]) == 2
    error = capsys.readouterr().err
    assert "has 6 cells, and a page shows 5 at most" in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))

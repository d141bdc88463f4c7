# SPDX-License-Identifier: MIT
"""The report as a file: self-contained, escaped, honest about what it lacks; bad input is one line."""

import hashlib
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.cli import main
from tailbiter.report import _shared, _words
from tailbiter.report._shared import portable

NASTY = "</script><script>alert(1)</script>"


def written(folder: Path, **fields: object) -> Path:
    counts = tb.Counts([90, 9, 1], labels=["the", NASTY, "&amp;"])
    spec = tb.Spec(**{"reference": counts, "samples": 100, "generations": 9, "replicates": 4} | fields)
    forgotten = spec.reference.traits.has_categories
    tb.write_run(
        tb.simulate(spec, record=tb.Record(forgotten=forgotten)), spec, folder / "run", picture=False
    )
    return tb.report(folder / "run", folder / "page.html")


def data_of(page: Path) -> dict:
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    text = written(tmp_path).read_text(encoding="utf-8")
    assert not re.search(
        r"""\s(src|href)=["'](?!data:,)|url\((?!#)|@import|fetch\(|https?://(?!www.w3.org/2000/svg)""", text
    )
    assert "default-src 'none'" in text


def test_labels_cannot_break_out(tmp_path: Path) -> None:
    page = written(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.count("<script") == 2
    assert "alert(1)</script>" not in text
    assert data_of(page)["words"]["labels"] == ["the", NASTY, "&amp;"]
    assert html.escape(NASTY) in text  # in the Spec


def test_numbers_are_the_runs(tmp_path: Path) -> None:
    page = written(tmp_path)
    ds, data = tb.read_run(tmp_path / "run"), data_of(page)
    assert data["generations"] == list(range(10))
    chart = next(c for c in data["charts"] if c["title"].startswith("Categories present in the training"))
    middle = ds.survivors.quantile(0.5, "replicate", method="inverted_cdf").values
    assert chart["series"][0]["median"] == middle.tolist()
    assert chart["series"][0]["theory"][0] == 3
    words = data["words"]
    assert words["lineages"] == ds.sizes["replicate"]
    for name, when, lost in zip(words["labels"], words["since"], words["lost"], strict=True):
        forgotten = ds.forgotten.values[:, ds.label.values.tolist().index(name)]
        assert lost == (forgotten > 0).sum()
        assert (when == 0) == (sum(forgotten > 0) < 2)


def test_human_data_alone_stand_beside(tmp_path: Path) -> None:
    """One of a hundred draws: what a fresh sample is expected to hold, whatever the regime."""
    data = data_of(written(tmp_path, regime=tb.Window(3), estimator=tb.AddK(0.5)))
    charts = {chart["title"]: chart for chart in data["charts"]}
    present = [1 - (1 - q) ** 100 for q in (0.9, 0.09, 0.01)]
    said = f"drawn anew for generation 9, are expected to hold {sum(present):.0f} of 3."
    assert said in (tmp_path / "page.html").read_text(encoding="utf-8")
    series = charts["Categories present in the training set"]["series"][0]
    assert series["human"] == [3] + [pytest.approx(sum(present), rel=1e-4)] * 9
    alive = {one["name"]: one for one in charts["Share of the band's categories alive"]["series"]}
    assert alive["expected [1,10)"]["human"][-1] == pytest.approx((present[1] + present[2]) / 2, rel=1e-4)
    without = next(chart for title, chart in charts.items() if title.startswith("Gini"))
    assert without["series"][0]["human"] is None


def unfolded(runs: list[list]) -> list:
    return [value for value, count in runs for _ in range(count)]


def test_what_there_is_no_room_for_is_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rarest vanish first: they stay in the page, and so do the commonest."""
    monkeypatch.setattr(_words, "MOST_WORDS", 6)
    counts = [50, 40, 30, 20, 10, 9, 8, 7, 2, 1]
    words = data_of(written(tmp_path, reference=tb.Counts(counts, labels=list("abcdefghij"))))["words"]
    assert words["labels"] == list("abchij")
    assert (words["head"], words["total"]) == (3, 10)
    expected = [100 * counts["abcdefghij".index(name)] / sum(counts) for name in words["labels"]]
    assert unfolded(words["expected"]) == [pytest.approx(count, rel=1e-4) for count in expected]
    assert unfolded(words["band"]) == ["[10,100)"] * 3 + ["[1,10)"] * 2 + ["[0,1)"]


@pytest.mark.parametrize("chunk", [1, 7, 2**24])
def test_medians_are_those_of_all_lineages(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many categories are looked at at a time; a lineage that kept one counts as later than all."""
    monkeypatch.setattr(_words, "CHUNK", chunk)
    for replicates in (1, 4, 7):
        spec = tb.Spec(reference=tb.Zipf(40), samples=60, generations=15, replicates=replicates)
        ds = tb.simulate(spec, record=tb.Record(forgotten=True))
        found = _words.words(ds)
        assert found
        for i, dates in enumerate(ds.forgotten.values.T.tolist()):
            middle = sorted(t or 10**9 for t in dates)[(replicates - 1) // 2]
            assert found["since"][i] == (0 if middle == 10**9 else middle)
            assert found["lost"][i] == sum(t > 0 for t in dates)


def test_what_was_not_recorded_is_said(tmp_path: Path) -> None:
    spec = tb.Spec(reference=tb.Zipf(40), samples=60, generations=5)
    tb.write_run(tb.simulate(spec), spec, tmp_path / "run", picture=False)
    page = tb.report(tmp_path / "run", tmp_path / "page.html")
    said = "Which categories vanished was not recorded: run it again with forgotten = true below [record]."
    assert said in page.read_text(encoding="utf-8")
    (tmp_path / "other").mkdir()
    assert said not in written(tmp_path / "other").read_text(encoding="utf-8")
    (tmp_path / "third").mkdir()
    assert "not recorded" not in written(tmp_path / "third", reference=tb.Gaussian()).read_text(
        encoding="utf-8"
    )


def test_no_path_of_this_machine_is_in_the_page(tmp_path: Path) -> None:
    table = tmp_path / "private" / "words.csv"
    table.parent.mkdir()
    table.write_text("word,count\nthe,90\na,9\nb,1\n", encoding="utf-8")
    page = written(tmp_path, reference=tb.Counts.read(table))
    text = html.unescape(page.read_text(encoding="utf-8"))
    assert str(tmp_path) not in text
    assert "private" not in text
    assert 'path = "words.csv"' in text
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    assert "It reads words.csv, which is not in this page: put that file beside spec.toml." in text
    assert f"It is the same file if its SHA-256 is {digest}." in text
    table.unlink()
    text = tb.report(tmp_path / "run", page, force=True).read_text(encoding="utf-8")
    assert "is not where it was" in text
    assert "private" not in text


@pytest.mark.parametrize("label", ['path = "/a/b.csv"', "path = '/a/b.csv'", '\\" path = "/a/b"'])
def test_a_label_that_looks_like_a_path_is_data(label: str) -> None:
    toml = tb.Spec(reference=tb.Counts([2, 1], labels=[label, "b"]), samples=9).to_toml()
    assert portable(toml) == toml


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (r"C:\\Users\\me\\w.csv", "w.csv"),
        (r"/home/me/w \"1\".csv", r"w \"1\".csv"),
        ("tables/w.csv", "w.csv"),
        ("tailbiter:shakespeare.csv", "tailbiter:shakespeare.csv"),
    ],
)
def test_names_of_files_come_without_their_folders(path: str, name: str) -> None:
    assert portable(f'a = 1\npath = "{path}"\nx = {{ path = "{path}" }}') == (
        f'a = 1\npath = "{name}"\nx = {{ path = "{name}" }}'
    )


def test_what_the_page_says_runs_where_the_table_is(tmp_path: Path) -> None:
    """Spec out of the page and table beside it: another has the same run."""
    table = tmp_path / "one" / "words.csv"
    table.parent.mkdir()
    table.write_text("word,count\nthe,90\na,9\nb,1\n", encoding="utf-8")
    page = written(tmp_path, reference=tb.Counts.read(table))
    there = tmp_path / "another"
    table.parent.rename(there)
    toml = re.search(r'aria-label="Spec"><pre>(.*?)</pre>', page.read_text(encoding="utf-8"), re.S)
    assert toml
    (there / "spec.toml").write_text(html.unescape(toml[1]), encoding="utf-8")
    again = tb.simulate(tb.Spec.from_toml(there / "spec.toml"))
    np.testing.assert_array_equal(again.survivors, tb.read_run(tmp_path / "run").survivors)


def test_a_table_too_long_to_show_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shared, "MOST_CHARACTERS", 1000)
    labels = ["]", *(f"word{i}" for i in range(99))]
    page = written(tmp_path, reference=tb.Counts(list(range(1, 101)), labels=labels))
    text = html.unescape(page.read_text(encoding="utf-8"))
    shown = text[text.index("[reference]") : text.index("[regime]")]
    assert shown.count("# and 90 more") == 2
    assert '    "word8",\n    # and' in shown
    digest = hashlib.sha256((tmp_path / "run" / "spec.toml").read_bytes()).hexdigest()
    assert f"Tables are cut short here; spec.toml, whose SHA-256 is {digest}, says all." in text


def test_ranks_of_a_snapshot(tmp_path: Path) -> None:
    spec = tb.Spec(reference=tb.Zipf(50), samples=100, generations=9, replicates=4)
    ds = tb.simulate(spec, record=tb.Record(forgotten=True, snapshots=[0, 9]))
    tb.write_run(ds, spec, tmp_path / "run", picture=False)
    (shown,) = data_of(tb.report(tmp_path / "run", tmp_path / "page.html"))["snapshots"]
    mine = (ds.snapshot_replicate == 0) & (ds.snapshot_generation == 9)
    assert shown["generation"] == 9
    assert shown["rank"] == list(range(1, int(mine.sum()) + 1))
    assert shown["count"] == sorted(ds.snapshot_count.values[mine.values].tolist(), reverse=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"reference": tb.Gaussian(dimensions=2)},
        {"reference": tb.GaussianMixture([0.5, 0.5], [0.0, 9.0], [1.0, 1.0])},
        {"reference": tb.Uniform(20)},
        {"regime": tb.Accumulate()},
        {"regime": tb.Anchored(real=0.1)},
    ],
    ids=str,
)
def test_every_family_and_regime_has_its_page(fields: dict, tmp_path: Path) -> None:
    data = data_of(written(tmp_path, **fields))
    assert data["charts"]
    assert all(len(s["median"]) == len(data["generations"]) for c in data["charts"] for s in c["series"])


def test_a_page_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = written(tmp_path)
    before = page.read_bytes()
    assert main(["report", str(tmp_path / "run"), "-o", str(page)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "run"), "-o", str(page), "--force"]) == 0
    assert page.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "holds no records.parquet"),
        (["run", "-o", "."], "is a directory"),
        (["run", "-o", "no/where.html"], "has no parent directory"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path)
    (tmp_path / "page.html").unlink()
    monkeypatch.chdir(tmp_path)
    assert main(["report", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


ROW = r'<th scope="row">(.*?)</th><td>(.*?)</td>'


def table_of(page: Path, name: str) -> dict[str, str]:
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(ROW, re.search(rf'aria-label="{name}"><table>(.*?)</table>', text, re.S)[1]))


@pytest.mark.parametrize(
    ("reference", "size"),
    [
        (tb.Uniform(20), "20 categories (uniform)"),
        (tb.Gaussian(dimensions=2), "2 dimensions (gaussian"),
        (
            tb.GaussianMixture([0.5, 0.5], [0.0, 9.0], [1.0, 1.0]),
            "2 components in 1 dimension (gaussian mixture",
        ),
        (tb.Poisson(3.0), "poisson law of mean 3 (poisson"),
        (tb.Exponential(), "exponential law of mean 1 (exponential"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_what_was_run_is_told_of_every_family(reference: object, size: str, tmp_path: Path) -> None:
    told = table_of(written(tmp_path, reference=reference, regime=tb.Anchored(real=0.1)), "What was run")
    assert told["human distribution"].startswith(size)
    assert told["regime"] == "anchored, real = 0.1, source = fresh"
    assert (told["batch"], told["generations"]) == ("100 samples in each generation", "9")
    assert (told["lineages"], told["seed"]) == ("4 replicates", "1851")


def test_a_title_tells_the_run_and_not_the_record(tmp_path: Path) -> None:
    spec = tb.Spec(reference=tb.Zipf(50), samples=100, generations=50, replicates=2)
    ds = tb.simulate(spec, record=tb.Record(generations=[5]))
    tb.write_run(ds, spec, tmp_path / "run", picture=False)
    page = tb.report(tmp_path / "run", tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>50 categories over 50 generations</h1>" in page


def test_theory_is_claimed_of_what_was_recorded_alone(tmp_path: Path) -> None:
    """The largest probability has no known law; the Gini-Simpson index has an exact one."""
    spec = tb.Spec(reference=tb.Zipf(300), samples=900, generations=9, replicates=2)
    for name in ("largest_share", "gini_simpson"):
        ds = tb.simulate(spec, record=tb.Record(variables=[name]))
        tb.write_run(ds, spec, tmp_path / name, picture=False)
        tb.report(tmp_path / name, tmp_path / f"{name}.html")
    assert table_of(tmp_path / "largest_share.html", "What theory says") == {}
    assert "Theory knows nothing of what this run recorded." in (tmp_path / "largest_share.html").read_text(
        "utf-8"
    )
    ((title, said),) = table_of(tmp_path / "gini_simpson.html", "What theory says").items()
    q = 1 / np.arange(1, 301) / (1 / np.arange(1, 301)).sum()
    wanted = (1 - (q**2).sum()) * (1 - 1 / 900) ** 9
    assert title.lower().startswith("gini")
    assert float(said.split(" (exact)")[0]) == pytest.approx(wanted, rel=1e-4)
    mean = tb.read_run(tmp_path / "gini_simpson").gini_simpson.isel(generation=-1).mean()
    assert float(said.split("this run: ")[1]) == pytest.approx(float(mean), rel=1e-4)


def test_a_label_from_right_to_left_is_isolated_in_sentences(tmp_path: Path) -> None:
    hebrew, plain = "\u05e9\u05dc\u05d5\u05dd", "plain"
    page = written(tmp_path, reference=tb.Counts([50, 2, 1], labels=["the", hebrew, plain]), generations=400)
    text = page.read_text(encoding="utf-8")
    told = text[text.index("The most common that vanished") : text.index("<details>")]
    assert f"\u2068{hebrew}\u2069 (expected" in told
    assert f" {plain} (expected" in told


def test_what_is_called_collapse_is_defined(tmp_path: Path) -> None:
    told = table_of(written(tmp_path, stages=tb.Stages()), "Definitions")
    assert (
        told["loss of entropy"]
        == "effective number, exp(entropy), below 0.5 of the first human sample&#x27;s"
    )
    assert {"late collapse, flattening", "catastrophic risk", "loss of modes"} <= told.keys()
    (tmp_path / "other").mkdir()
    assert table_of(written(tmp_path / "other", reference=tb.Gaussian()), "Definitions") == {}

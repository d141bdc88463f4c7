# SPDX-License-Identifier: MIT
"""The report as a file: self-contained, escaped, honest about what it lacks; bad input is one line."""

import html
import json
import re
from pathlib import Path

import pytest

import tailbiter as tb
from tailbiter.cli import main

NASTY = "</script><script>alert(1)</script>"


def written(folder: Path, **fields: object) -> Path:
    counts = tb.Counts([90, 9, 1], labels=["the", NASTY, "&amp;"])
    spec = tb.Spec(**{"reference": counts, "samples": 100, "generations": 9, "replicates": 4} | fields)
    forgotten = spec.reference.traits.has_categories
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=forgotten)), spec, folder / "run")
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
    assert [row[0] for row in data_of(page)["words"]["rows"]] == ["the", NASTY, "&amp;"]
    assert html.escape(NASTY) in text  # in the Spec


def test_numbers_are_the_runs(tmp_path: Path) -> None:
    page = written(tmp_path)
    ds, data = tb.read_run(tmp_path / "run"), data_of(page)
    assert data["generations"] == list(range(10))
    chart = next(c for c in data["charts"] if c["title"].startswith("Categories present in the training"))
    middle = ds.survivors.quantile(0.5, "replicate", method="inverted_cdf").values
    assert chart["series"][0]["median"] == middle.tolist()
    assert chart["series"][0]["theory"][0] == 3
    for name, _, _, when, share in data["words"]["rows"]:
        forgotten = ds.forgotten.values[:, ds.label.values.tolist().index(name)]
        assert share == pytest.approx((forgotten > 0).mean(), abs=1e-4)
        assert (when is None) == (sum(forgotten > 0) < 2)


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

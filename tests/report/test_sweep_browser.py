# SPDX-License-Identifier: MIT
"""A sweep's page in a real browser: picking a cell by mouse, keys and sliders, axes, boundary, width."""

import os
from pathlib import Path

import pytest

import tailbiter as tb
from tailbiter.store import Failure
from tests.report.browser import BROWSER, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None and not os.environ.get("TAILBITER_BROWSER"), reason="there is no Chromium"
    ),
]
BASE = tb.Spec(
    reference=tb.Zipf(categories=100), regime=tb.Anchored(real=0.1), samples=500, generations=60, replicates=8
)
SHARES = [0.0, 0.01, 0.05, 0.2, 0.9]
NONE = "\N{EN DASH}"
ROWS = "[...document.querySelectorAll('#list tbody tr')]"
CELLS = f"{ROWS}.map((row) => [...row.cells].map((one) => one.textContent))"
PICKED = "document.getElementById('picked').textContent"
TILES = "document.querySelectorAll('#plane .tile')"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cells of fifteen are there."""
    folder = tmp_path_factory.mktemp("sweep")
    few = tb.Sweep(BASE, vary={"regime.real": SHARES[:4], "samples": [100, 300, 1000]})
    tb.run_sweep(few, folder / "sweep", threads=1)
    tb.Store.create(
        folder / "sweep", tb.Sweep(BASE, vary={"regime.real": SHARES, "samples": [100, 300, 1000]})
    )
    return tb.report(folder / "sweep", folder / "page.html")


@pytest.fixture(scope="module")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sobol")
    vary = {"regime.real": tb.Range(0.01, 0.5, scale="log"), "samples": tb.Range(100, 1000)}
    tb.run_sweep(tb.Sweep(BASE, vary=vary, design="sobol", points=8), folder / "sweep", threads=1)
    return tb.report(folder / "sweep", folder / "page.html")


def choose(page: Page, name: str, text: str) -> None:
    """Choose the option that begins with a text, as a person does."""
    page.run(f"""(() => {{
        const select = document.getElementById({name!r});
        select.value = [...select.options].find((one) => one.text.startsWith({text!r})).value;
        select.dispatchEvent(new Event('change', {{ bubbles: true }}));
    }})()""")


def test_structure(page: Page, path: Path) -> None:
    page.open(path)
    assert page.run("document.title") == "15 cells: regime.real, samples"
    assert page.run(f"{TILES}.length") == 15
    assert page.run("document.querySelectorAll('#list tbody tr').length") == 15
    assert page.run("[...document.querySelectorAll('input, select')].every((one) => one.labels.length > 0)")
    assert "12 of 15 cells done, 3 missing." in page.run("document.body.innerText")
    assert page.run("document.scripts.length") == 2


def test_a_cell_is_picked_with_a_mouse(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.getElementById('plane').scrollIntoView()")
    box = page.run(
        f"(() => {{ const b = {TILES}[0].getBoundingClientRect(); return [b.x + 5, b.y + 5]; }})()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        page.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
    assert page.run(PICKED).startswith("regime.real = 0, samples = 100; generation 60")
    assert page.run("document.querySelector('[aria-current] button').textContent") == "0"
    assert "sweep.spec(0)" in page.run("document.getElementById('alone').textContent")


def test_a_cell_is_picked_without_a_mouse(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.getElementById('plane').focus()")
    assert page.run(PICKED).startswith("regime.real = 0.05, samples = 300")
    page.press("ArrowRight", 39)
    page.press("ArrowUp", 38)
    assert page.run(PICKED).startswith("regime.real = 0.2, samples = 1,000")
    page.press("ArrowRight", 39)
    assert page.run(PICKED).endswith("this cell is not there")
    page.press("ArrowRight", 39)  # there is no more to the right
    assert page.run(PICKED).startswith("regime.real = 0.9, samples = 1,000")
    page.run("document.querySelector('[data-dim=generation]').focus()")
    page.press("Home", 36)
    assert "generation 0," in page.run(PICKED)
    assert page.run("document.querySelector('[data-dim=generation]').getAttribute('aria-valuetext')") == (
        "generation 0"
    )
    page.run("document.querySelector('#list tbody button').focus()")
    page.press(" ", 32)
    assert page.run(PICKED).startswith("regime.real = 0, samples = 100")
    assert page.run("document.activeElement.dataset.cell") == "0"


def test_numbers_are_the_stores(page: Page, path: Path) -> None:
    page.open(path)
    choose(page, "quantity", "Categories present in the training set")
    rows = page.run(CELLS)
    last = tb.open_sweep(path.parent / "sweep").survivors.sel(generation=60)
    for _, share, samples, middle, *_ in rows:
        at = last.sel({"regime.real": float(share), "samples": int(samples.replace(",", ""))})
        if float(share) > 0.5:
            assert middle == NONE
            continue
        assert int(middle) == int(at.quantile(0.5, method="inverted_cdf"))


def test_axes_lines_and_boundary(page: Page, path: Path) -> None:
    page.open(path)
    generations = page.run("+document.querySelector('[data-dim=generation]').max + 1")
    assert page.run("document.querySelectorAll('#plane path.border').length") == 1
    assert "crosses 0.5" in page.run("document.getElementById('plane-caption').textContent")
    choose(page, "up", "generation")
    assert page.run(f"{TILES}.length") == 5 * generations
    choose(page, "across", "generation")  # what was there makes way
    assert page.run(
        "[...document.querySelectorAll('#across, #up')].map((s) => s.selectedOptions[0].text)"
    ) == [
        "generation",
        "regime.real",
    ]
    choose(page, "up", "band")
    choose(page, "line", "[0,1)")
    assert "band [0,1)" in page.run(PICKED)
    page.run("document.getElementById('boundary').value = ''")
    page.run("document.getElementById('boundary').dispatchEvent(new Event('input'))")
    assert page.run("document.querySelector('#plane path.border')") is None
    choose(page, "quantity", "Categories present in the training set")
    assert page.run("document.getElementById('of').checkVisibility()") is False


def test_the_table_is_sorted(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.querySelectorAll('#list thead button')[3].click()")
    shown = page.run(
        "[...document.querySelectorAll('#list tbody tr')].map((row) => row.cells[3].textContent)"
    )
    numbers = [float(text) for text in shown[:12]]
    assert numbers == sorted(numbers, reverse=True)
    assert shown[12:] == [NONE] * 3


def test_cells_that_form_no_grid_are_dots(page: Page, dots: Path) -> None:
    page.open(dots)
    assert page.run(f"{TILES}.length") == 8
    page.run(f"{TILES}[3].dispatchEvent(new MouseEvent('click', {{ bubbles: true }}))")
    assert page.run("document.querySelector('[data-dim=cell]').value") == "3"
    spec = tb.Store(dots.parent / "sweep").sweep.spec(3)
    assert f"samples = {spec.samples};" in page.run(PICKED)


@pytest.mark.parametrize("width", [320, 1400])
@pytest.mark.parametrize("which", ["path", "dots"])
def test_nothing_is_cut_off(page: Page, which: str, width: int, request: pytest.FixtureRequest) -> None:
    page.open(request.getfixturevalue(which), width)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("document.querySelector('#plane svg').getBoundingClientRect().width") <= width


def test_a_cell_that_failed_is_told_from_one_that_is_missing(page: Page, tmp_path: Path) -> None:
    vary = {"regime.real": [0.1, 0.2], "samples": [100, 300]}
    part = tb.Sweep(BASE, vary={"regime.real": [0.1, 0.2], "samples": [100]})
    tb.run_sweep(part, tmp_path / "sweep", threads=1)
    sweep = tb.Sweep(BASE, vary=vary)
    store = tb.Store.create(tmp_path / "sweep", sweep)
    store.add_failure(
        Failure(sweep.ids[3], {"regime.real": 0.2, "samples": 300}, "DataError", "no such table")
    )
    page.open(tb.report(tmp_path / "sweep", tmp_path / "page.html"))
    told = page.run(f"{TILES.replace('document', '[...document', 1)}].map((one) => one.textContent)")
    assert [text.split(": ")[1] for text in told if "samples 300" in text] == ["not there", "failed"]
    assert page.run("document.querySelectorAll('#plane path.failed').length") == 1
    assert [row[3] for row in page.run(CELLS)][1::2] == [NONE, "failed"]
    assert "A cross: the cell failed." in page.run("document.getElementById('plane-caption').textContent")
    page.run(f"{ROWS}[3].querySelector('button').click()")
    assert page.run(PICKED).endswith("this cell failed")

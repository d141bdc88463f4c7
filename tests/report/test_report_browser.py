# SPDX-License-Identifier: MIT
"""The page in a real browser: structure, interaction, escaping, width."""

import os
from pathlib import Path

import pytest

import tailbiter as tb
from tests.report.browser import BROWSER, Page

# Where a browser is promised (as in continuous integration), its absence is a failure and no reason to skip.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None and not os.environ.get("TAILBITER_BROWSER"), reason="there is no Chromium"
    ),
]
NASTY = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script>", "&amp;", "ünï", "a b")
ROWS = "[...document.querySelectorAll('#list tbody tr')].map((row) => row.cells[0].textContent)"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    labels = [*NASTY, *(f"word{i}" for i in range(194))]
    counts = tb.Counts([max(1, 2000 // (i + 1)) for i in range(200)], labels=labels)
    spec = tb.Spec(reference=counts, samples=1000, generations=200, replicates=8)
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, folder / "run")
    return tb.report(folder / "run", folder / "page.html")


def test_structure(page: Page, path: Path) -> None:
    page.open(path)
    assert page.run("document.title") == "200 categories over 200 generations"
    assert page.run("document.querySelectorAll('h1').length") == 1
    assert page.run("document.querySelectorAll('#chart path[stroke-width=\"2\"]').length") == 4
    assert page.run("document.getElementById('quantity').options.length") > 10
    assert "Exact:" in page.run("document.body.innerText")
    assert page.run("[...document.querySelectorAll('input, select')].every((one) => one.labels.length > 0)")


def test_labels_are_data(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.getElementById('gone').click()")
    names = (
        "[...document.querySelectorAll('#list tbody tr')].slice(0, 6).map((row) => row.cells[0].textContent)"
    )
    assert page.run(names) == list(NASTY)
    assert page.run("document.querySelectorAll('img, script[src]').length") == 0
    assert page.run("document.scripts.length") == 2


def test_a_word_is_found(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.getElementById('gone').click()")
    page.run("document.getElementById('find').focus()")
    page.send("Input.insertText", text="WORD19")
    assert sorted(page.run(ROWS)) == sorted([f"word{i}" for i in (19, 190, 191, 192, 193)])
    assert page.run("document.getElementById('found').textContent").startswith("5 of 200")


def test_without_a_mouse(page: Page, path: Path) -> None:
    """The slider moves by keys, and table and cursor with it."""
    page.open(path)
    page.run("document.getElementById('generation').focus()")
    before = page.run("document.getElementById('values').innerText")
    for _ in range(60):
        page.press("ArrowLeft", 37)
    shown = page.run("document.getElementById('shown').textContent")
    assert 0 < int(shown.replace(",", "")) < 200
    assert page.run("document.getElementById('generation').getAttribute('aria-valuetext')").endswith(shown)
    assert page.run("document.getElementById('values').innerText") != before
    page.run("document.querySelector('#lines input').focus()")
    page.press(" ", 32)
    assert page.run("document.querySelectorAll('#chart path[stroke-width=\"2\"]').length") == 3


def test_with_a_mouse(page: Page, path: Path) -> None:
    page.open(path)
    page.run("document.querySelector('#chart').scrollIntoView()")
    where = "document.querySelector('#chart svg').getBoundingClientRect()"
    box = page.run(f"(() => {{ const b = {where}; return [b.left, b.top, b.width, b.height]; }})()")
    left, top, width, height = box
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=left + width / 2, y=top + height / 2)
    shown = int(page.run("document.getElementById('shown').textContent").replace(",", ""))
    assert 5 < shown < 50  # the middle of a logarithmic axis from 1 to 200


@pytest.mark.parametrize("width", [320, 1400])
def test_nothing_is_cut_off(page: Page, path: Path, width: int) -> None:
    """Wide tables scroll in themselves; the page does not."""
    page.open(path, width)
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("document.querySelector('#chart svg').getBoundingClientRect().width") <= width


@pytest.mark.parametrize("width", [320, 1400])
def test_lines_stay_in_the_plot_and_numbers_on_one_line(page: Page, path: Path, width: int) -> None:
    """What theory says may lie below all that was simulated: it is cut off at the plot's edge."""
    page.open(path, width)
    outside = (
        "[...document.querySelectorAll('#chart svg path')].filter(p => !p.closest('g[clip-path]')).length"
    )
    assert page.run("document.querySelectorAll('#chart svg g[clip-path] path').length") > 0
    assert page.run(outside) == 0
    broken = """[...document.querySelectorAll('td.number')].filter(cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1;
    }).length"""
    assert page.run("document.querySelectorAll('td.number').length") > 0
    assert page.run(broken) == 0

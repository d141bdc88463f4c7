# SPDX-License-Identifier: MIT
"""The page in a real browser: structure, interaction, escaping, width."""

import os
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.report import _words
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
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, folder / "run", picture=False)
    return tb.report(folder / "run", folder / "page.html")


def test_structure(page: Page, path: Path) -> None:
    page.open(path)
    assert page.run("document.title") == "200 categories over 200 generations"
    assert page.run("document.querySelectorAll('h1').length") == 1
    assert page.run("document.querySelectorAll('#chart path[stroke-width=\"2\"]').length") == 4
    assert page.run("document.querySelectorAll('#chart path.human').length") == 4
    assert page.run("document.getElementById('quantity').options.length") > 10
    assert "(exact); this run:" in page.run("document.body.innerText")
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


def slide(page: Page, name: str, value: int) -> None:
    page.run(f"""(() => {{
        const input = document.getElementById({name!r});
        input.value = {value};
        input.dispatchEvent(new Event('input', {{ bubbles: true }}));
    }})()""")


def test_what_vanished_follows_the_generation(page: Page, path: Path) -> None:
    """Either slider moves both; the list, the words near a rank and the shade tell that generation."""
    page.open(path)
    ds = tb.read_run(path.parent / "run")
    for row in (1, 60, ds.sizes["generation"] - 1):
        t = int(ds.generation[row])
        slide(page, "until" if row == 60 else "generation", row)
        assert page.run("document.getElementById('shown').textContent") == f"{t}"
        assert page.run("document.getElementById('by').textContent") == f"{t}"
        when = np.sort(np.where(ds.forgotten.values == 0, 10**9, ds.forgotten.values), axis=0)[3]
        gone = page.run("document.getElementById('found').textContent")
        assert gone == f"{(when <= t).sum()} of 200"
        states = page.run("[...document.querySelectorAll('#near tbody tr')].map(r => r.cells[3].textContent)")
        first = int(page.run("document.querySelector('#near tbody td').textContent"))
        wanted = [
            f"gone since {w}" if w <= t else "still there" for w in when[first - 1 : first + 6].tolist()
        ]
        assert states == wanted


def test_words_near_a_rank_are_told(page: Page, path: Path) -> None:
    """By the pointer over the curve, and by keys; every rank can be reached."""
    page.open(path)
    page.run("document.querySelector('#ranks').scrollIntoView()")
    left, top, width, height = page.run(
        "(() => { const b = document.querySelector('#ranks svg').getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height]; })()"
    )
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=left + width / 2, y=top + height / 2)
    near = "[...document.querySelectorAll('#near tbody tr')].map(r => +r.cells[0].textContent)"
    middle = page.run(near)[3]
    assert 10 < middle < 22  # of a logarithmic axis from 1 to 201
    assert page.run("document.querySelector('#near [aria-current] td').textContent") == f"{middle}"
    page.run("document.getElementById('rank').focus()")
    page.press("Home", 36)
    chosen = "document.querySelector('#near [aria-current] td').textContent"
    reached = [page.run(chosen)]
    for _ in range(12):
        page.press("ArrowRight", 39)
        reached.append(page.run(chosen))
    assert reached == [str(rank) for rank in range(1, 14)]
    page.press("End", 35)
    assert page.run(chosen) == "200"
    label = page.run("document.querySelector('#near [aria-current]').cells[1].textContent")
    assert page.run("document.getElementById('rank').getAttribute('aria-valuetext')") == f"rank 200: {label}"


def test_headings_say_how_rows_are_sorted(page: Page, path: Path) -> None:
    page.open(path)
    sort = "[...document.querySelectorAll('#list th')].map(c => c.getAttribute('aria-sort'))"
    assert page.run(sort) == [None, "descending", None, None, None]
    page.run("document.querySelectorAll('#list th button')[3].click()")
    assert page.run(sort) == [None, None, None, "ascending", None]
    page.run("document.querySelectorAll('#list th button')[3].click()")
    assert page.run(sort) == [None, None, None, "descending", None]


def test_one_generation_is_seen_as_points(page: Page, tmp_path: Path) -> None:
    spec = tb.Spec(reference=tb.Zipf(200), samples=1000, generations=1, replicates=8)
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, tmp_path / "run", picture=False)
    page.open(tb.report(tmp_path / "run", tmp_path / "page.html"))
    assert page.run("document.title") == "200 categories over 1 generation"
    sizes = "[...document.querySelectorAll('#chart path[stroke-width=\"2\"]')].map(p => p.getBBox().width)"
    assert page.run(sizes) == [pytest.approx(6, abs=0.1)] * 4


def test_short_axes_have_numbers(page: Page, tmp_path: Path) -> None:
    """Less than a decade either way, at either width."""
    spec = tb.Spec(reference=tb.Uniform(40), samples=100, generations=4, replicates=8)
    tb.write_run(tb.simulate(spec), spec, tmp_path / "run", picture=False)
    out = tb.report(tmp_path / "run", tmp_path / "page.html")
    for width in (320, 1000):
        page.open(out, width)
        for anchor, least in (("middle", 3), ("end", 2)):
            texts = page.run(
                f"[...document.querySelectorAll('#chart text[text-anchor={anchor}]')].map(t => t.textContent)"
            )
            assert len(texts) - (anchor == "middle") >= least - (anchor == "middle")
            assert len(set(texts)) == len(texts)


def test_what_is_left_out_is_said(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_words, "MOST_WORDS", 20)
    spec = tb.Spec(reference=tb.Zipf(200), samples=1000, generations=5, replicates=8)
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, tmp_path / "run", picture=False)
    page.open(tb.report(tmp_path / "run", tmp_path / "page.html"))
    said = page.run("document.getElementById('left-out').textContent")
    assert said.startswith("There is room here for 20 of 200 categories: the commonest and the rarest.")
    assert "Those of rank 11 to 190 are left out" in said
    slide(page, "rank", 1000)
    assert page.run("document.querySelector('#near tbody tr:last-child td').textContent") == "200"
    page.run("document.getElementById('gone').click()")
    page.run("document.querySelectorAll('#list th button')[1].click()")
    rows = page.run(ROWS)
    assert rows[:3] == ["199", "198", "197"]
    assert len(rows) == 20


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


def test_one_category_has_its_page(page: Page, tmp_path: Path) -> None:
    """Nothing complains, and both tables tell it."""
    spec = tb.Spec(reference=tb.Counts([5], labels=["only"]), samples=100, generations=20, replicates=2)
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, tmp_path / "run", picture=False)
    page.open(tb.report(tmp_path / "run", tmp_path / "page.html"))
    assert page.run("[...document.querySelectorAll('#near td.name')].map(c => c.textContent)") == ["only"]
    page.run("document.getElementById('gone').click()")
    assert page.run(ROWS) == ["only"]


def test_a_line_that_reaches_0_leaves_at_the_bottom(page: Page, tmp_path: Path) -> None:
    """Where a band is gone its line ends below the plot, drawn to there; the others end inside."""
    reference = tb.Counts([5, 5, 4, 3, 900, 100, 40])
    spec = tb.Spec(reference=reference, samples=200, generations=200, replicates=4)
    ds = tb.simulate(spec)
    tb.write_run(ds, spec, tmp_path / "run", picture=False)
    page.open(tb.report(tmp_path / "run", tmp_path / "page.html"))
    ends = page.run("""[...document.querySelectorAll('#chart path[stroke-width="2"]')].map(
        (path) => +path.getAttribute('d').split(/[ML]/).at(-1).split(' ')[1])""")
    bottom = page.run(
        "+document.querySelector('#chart clipPath rect').getAttribute('y') + "
        "+document.querySelector('#chart clipPath rect').getAttribute('height')"
    )
    last = tb.share_alive(ds).isel(generation=-1).quantile(0.5, "replicate", method="inverted_cdf").values
    gone = (last[np.isfinite(last)] == 0).tolist()
    assert True in gone
    assert False in gone
    assert [end > bottom for end in ends] == gone
    assert "has reached 0" in page.run("document.getElementById('caption').textContent")


def test_characters_that_turn_what_follows_are_written_out(page: Page, tmp_path: Path) -> None:
    reference = tb.Counts([9, 5, 3], labels=["a\u202eb", "c\td", "e"])
    spec = tb.Spec(reference=reference, samples=100, generations=3, replicates=2)
    tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, tmp_path / "run", picture=False)
    page.open(tb.report(tmp_path / "run", tmp_path / "page.html"))
    page.run("document.getElementById('gone').click()")
    assert page.run(ROWS) == ["a\\u202eb", "c\\u0009d", "e"]
    assert page.run("getComputedStyle(document.querySelector('#list td.name')).unicodeBidi") == "isolate"

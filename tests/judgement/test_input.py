# SPDX-License-Identifier: MIT
"""What held-out data and groups may be, what they may not, and where they go."""

import json
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.cli import main
from tailbiter.errors import SpecError

WORDS = "word,kind,train,test\nthe,old,50,9\na,,30,5\nthou,old,6,0\nyou,new,9,2\nlol,new,0,1\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "words.csv"
    path.write_text(WORDS, encoding="utf-8")
    return path


def read(path: Path) -> tb.Counts:
    return tb.Counts.read(path, counts="train", labels="word")


def test_a_column_of_the_same_file(table: Path) -> None:
    spec = tb.Spec(reference=read(table), samples=20, generations=5, held_out="test", groups="kind")
    program = tb.lower(spec)
    assert program.held_out is not None
    assert program.held_out.tokens.tolist() == [9, 5, 2, 0]  # from common to rare
    assert (program.held_out.total, program.held_out.types) == (17, 4)
    assert program.held_out.squares_outside == 1 / 17**2
    assert program.group_names == ("old", "rest", "new")
    assert np.asarray(program.group).tolist() == [0, 1, 2, 0]


def test_it_is_written_and_read_again(table: Path) -> None:
    spec = tb.Spec(reference=read(table), samples=20, generations=5, held_out="test", groups="kind")
    path = table.parent / "spec.toml"
    spec.to_toml(path)
    assert tb.Spec.from_toml(path) == spec
    short = f'groups = "kind"\n[reference]\nkind = "counts"\npath = "{table}"\ncounts = "train"\n'
    by_hand = tb.Spec.from_toml(short + 'labels = "word"\n[held_out]\ncounts = "test"\n')
    assert by_hand.held_out == spec.held_out
    assert by_hand.groups == spec.groups
    assert spec.replace(groups=None).digest() != spec.digest() != spec.replace(held_out=None).digest()


EMPTY = "0 is every value; give at least one category a positive value"


def test_a_table_held_out_is_named_in_what_is_wrong_with_it(table: Path) -> None:
    """A table that stands alone names no field: what it is for is not known yet."""
    text = "\n".join(f"{line},0" for line in WORDS.splitlines()[1:])
    table.write_text(f"word,kind,train,test,none\n{text}\n", encoding="utf-8")
    tables = {"path": str(table), "counts": "none", "labels": "word"}
    for given in ("none", {"counts": "none"}, tables):
        with pytest.raises(SpecError) as caught:
            tb.Spec.from_dict(
                {"reference": {"kind": "counts", **tables, "counts": "train"}, "held_out": given}
            )
        assert str(caught.value) == f"held_out, {table}, column 'none': {EMPTY}"
    for field in ("reference", "held_out"):
        listed = {
            "reference": {"kind": "uniform", "categories": 2},
            field: {"kind": "counts", "counts": [0, 0]},
        }
        with pytest.raises(SpecError) as caught:
            tb.Spec.from_dict(listed)
        assert str(caught.value) == f"{field}.counts: {EMPTY}"
    with pytest.raises(SpecError) as caught:
        tb.Spec(reference=tb.Uniform(2), held_out=tb.Counts([0, 0]))
    assert str(caught.value) == f"counts: {EMPTY}"


def test_groups_by_mapping_or_list(table: Path) -> None:
    by_column = tb.Spec(reference=read(table), groups="kind").groups
    mapping = {"the": "old", "thou": "old", "you": "new", "lol": "new", "unheard": "new"}
    assert tb.Spec(reference=read(table), groups=mapping).groups == by_column
    listed = ["old", None, "old", "new", "new"]
    assert tb.Spec(reference=read(table), groups=np.array(listed, object)).groups == by_column
    assert tb.Spec(reference=tb.Zipf(3), groups=["a", "b", "a"]).groups is not None


def test_without_labels_rows_are_joined() -> None:
    spec = tb.Spec(reference=tb.Counts([1, 5, 3]), held_out=tb.Counts([0, 2, 1]))
    held_out = tb.lower(spec).held_out
    assert held_out is not None
    assert held_out.tokens.tolist() == [2, 1, 0]


def test_a_run_on_disk_is_the_run(table: Path) -> None:
    spec = tb.Spec(
        reference=read(table), samples=20, generations=5, replicates=3, held_out="test", groups="kind"
    )
    ds = tb.simulate(spec)
    where = tb.write_run(ds, spec, table.parent / "run", picture=False)
    assert tb.read_run(where).identical(ds)


def test_a_sweep_keeps_them(table: Path) -> None:
    base = tb.Spec(reference=read(table), generations=5, replicates=3, held_out="test", groups="kind")
    sweep = tb.Sweep(base, vary={"samples": [10, 20]})
    store = tb.run_sweep(sweep, table.parent / "store")
    ds = tb.open_sweep(store.path)
    alone = tb.simulate(sweep.spec(1))
    for name in ("oov_tokens", "held_out_coverage", "group_mass", "group_survivors"):
        np.testing.assert_array_equal(ds[name].sel(samples=20).values, alone[name].values)


COUNTS = tb.Counts([3, 2, 1], labels=["a", "b", "c"])
BAD = {
    "no label is shared": ({"held_out": tb.Counts([1], labels=["z"])}, "shares no category"),
    "labels of one alone": ({"held_out": tb.Counts([1, 2, 3])}, "only the reference has labels"),
    "not counts": ({"held_out": tb.Uniform(3)}, "is no table of counts"),
    "no file": ({"held_out": "test"}, "is a column of no file"),
    "negative": ({"held_out": {"counts": [1, -1, 2], "labels": ["a", "b", "c"]}}, "held_out.counts[1]: -1"),
    "another kind": ({"held_out": {"kind": "zipf"}}, "held_out.kind"),
    "groups of another length": ({"groups": ["x", "y"]}, "do not match 3 rows"),
    "groups of nothing": ({"groups": {"z": "x"}}, "holds none of the reference's"),
    "a number of groups": ({"groups": 3.5}, "is not a list of groups"),
    "a group that is a number": ({"groups": ["x", 1.5, "y"]}, "groups[1]: 1.5 is not the name of a group"),
    "a column of no file": ({"groups": "kind"}, "is a column of no file"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_one_line(name: str) -> None:
    fields, message = BAD[name]
    with pytest.raises(SpecError) as caught:
        tb.Spec(reference=COUNTS, **fields)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_without_labels_must_match() -> None:
    with pytest.raises(SpecError, match="do not match 2 rows"):
        tb.Spec(reference=tb.Counts([1, 2]), held_out=tb.Counts([1, 2, 3]))


def test_too_many_groups() -> None:
    with pytest.raises(SpecError, match="groups exceed 256"):
        tb.Spec(reference=tb.Uniform(300), groups=list(map(str, range(300))))


@pytest.mark.parametrize("field", ["held_out", "groups"])
def test_families_without_categories_refuse(field: str) -> None:
    with pytest.raises(SpecError, match=f"{field}.*is about categories"):
        tb.Spec(reference=tb.Gaussian(), **{field: "x"})


def test_what_is_not_given_cannot_be_recorded() -> None:
    spec = tb.Spec(reference=tb.Uniform(3))
    with pytest.raises(SpecError, match="cannot be told without held_out"):
        tb.simulate(spec, record=tb.Record(variables=["oov_tokens"]))
    with pytest.raises(SpecError, match="cannot be told without groups"):
        tb.lower(spec, tb.Record(variables=["group_mass"]))


def test_flags(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--samples", "20", "--generations", "40", "--replicates", "3"]
    words = ["--counts", str(table), "--counts-column", "train", "--labels-column", "word", *sizes]
    for held_out in (":test", f"{table}:test"):
        assert main(["run", *words, "--held-out", held_out, "--groups", "kind", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["spec"]["groups"] == "kind"
        assert report["spec"]["held_out"]["counts"] == "test"
        assert len(report["summary"]["judged"]["oov_tokens"]) == 2
        assert report["summary"]["stages"]["late_concentrating"] is not None
    assert main(["run", *words, "--held-out", "nowhere.csv"]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["run", *words, "--groups", "sort"]) == 2
    assert "did you mean" in capsys.readouterr().err

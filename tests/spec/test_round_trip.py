# SPDX-License-Identifier: MIT
"""A Spec is the same in Python, TOML, JSON and a pickle."""

import pickle
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

import tailbiter as tb
from tests.spec.strategies import records, specs


def same(a, b):
    return a == b and hash(a) == hash(b) and a.digest() == b.digest() and a.key == b.key


@given(specs)
def test_toml(spec):
    assert same(tb.Spec.from_toml(spec.to_toml()), spec)


@given(specs)
def test_json_is_stable(spec):
    again = tb.Spec.from_json(spec.to_json())
    assert same(again, spec)
    assert again.to_json() == spec.to_json()


@given(specs)
def test_pickle(spec):
    assert same(pickle.loads(pickle.dumps(spec)), spec)


@given(specs)
def test_what_is_written_is_plain(spec):
    assert same(tb.Spec.from_dict(spec.to_dict()), spec)


@given(specs, specs)
def test_equal_means_equal_content(a, b):
    assert (a == b) == (a.to_json() == b.to_json())


@given(records)
def test_record(record):
    spec = tb.Spec(reference=tb.Uniform(3))
    text = spec.to_toml(record=record)
    assert tb.Record.from_toml(text) == record
    assert tb.Record.from_json(record.to_json()) == record
    assert tb.Spec.from_toml(text) == spec


def test_no_record_is_the_default_one():
    assert tb.Record.from_toml(tb.Spec(reference=tb.Uniform(3)).to_toml()) == tb.Record()


def test_whole_floats_and_sequences_are_normalised():
    a = tb.Spec(reference=tb.Uniform(3), samples=2e5, regime=tb.Anchored(real=[0, 1]))
    b = tb.Spec(reference=tb.Uniform(3.0), samples=200_000, regime=tb.Anchored(real=(0.0, 1.0)))
    assert same(a, b)
    assert hash(tb.Anchored(real=0)) == hash(tb.Anchored(real=-0.0))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "words" / "counts.csv"
    path.parent.mkdir()
    path.write_text("word,train,held\nthe,5,1\na,3,2\nthou,0,1\n", encoding="utf-8")
    return path


def test_a_file_is_named_from_the_folder_of_the_toml_file(table, tmp_path, monkeypatch):
    spec = tb.Spec(reference=tb.Counts.read(table, counts="train", labels="word"))
    spec.to_toml(tmp_path / "spec.toml")
    text = (tmp_path / "spec.toml").read_text(encoding="utf-8")
    assert 'path = "words/counts.csv"' in text
    assert "[5" not in text
    monkeypatch.chdir("/")
    assert same(tb.Spec.from_toml(tmp_path / "spec.toml"), spec)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert same(tb.Spec.from_toml(str(moved / "spec.toml")), spec)


def test_a_file_elsewhere_is_named_in_full(table, tmp_path):
    spec = tb.Spec(reference=tb.Counts.read(table, "held"))
    other = tmp_path / "other"
    other.mkdir()
    spec.to_toml(other / "spec.toml")
    assert f'path = "{table}"' in (other / "spec.toml").read_text(encoding="utf-8")
    assert same(tb.Spec.from_toml(other / "spec.toml"), spec)
    assert same(tb.Spec.from_json(spec.to_json()), spec)


def test_equality_is_by_content(table):
    read = tb.Counts.read(table, "train")
    typed = tb.Counts([5, 3, 0], ["the", "a", "thou"])
    counted = tb.Counts.of(Counter({"the": 5, "a": 3, "thou": 0}))
    assert read == typed == counted
    assert len({read, typed, counted}) == 1
    assert read != tb.Counts([5, 3, 0])
    assert read != tb.Counts.read(table, "held")
    assert tb.Counts([5, 3]) != tb.Probabilities([5, 3])


def test_a_changed_file_is_refused(table):
    text = tb.Spec(reference=tb.Counts.read(table, "train")).to_toml()
    table.write_text("word,train,held\nthe,6,1\na,3,2\nthou,0,1\n", encoding="utf-8")
    with pytest.raises(tb.DataError, match=r"is not the digest .*; restore the table"):
        tb.Spec.from_toml(text)
    without = "\n".join(line for line in text.splitlines() if not line.startswith("digest"))
    assert tb.Spec.from_toml(without).reference.counts.tolist() == [6, 3, 0]


def test_shipped_tables_have_a_name_that_holds_anywhere():
    counts = tb.Counts.read("tailbiter:shakespeare.csv", counts="train")
    assert counts.to_dict()["path"] == "tailbiter:shakespeare.csv"
    assert same(*(tb.Spec.from_dict(tb.Spec(reference=counts).to_dict()), tb.Spec(reference=counts)))


def test_large_tables_may_be_named_by_digest():
    spec = tb.Spec(reference=tb.Counts(range(1, 2000)))
    assert len(spec.to_json(brief=True)) < 1000 < len(spec.to_json())
    with pytest.raises(tb.SpecError, match="categories"):
        tb.Spec.from_json(spec.to_json(brief=True))
    small = tb.Spec(reference=tb.Counts([1, 2]))
    assert small.to_json(brief=True) == small.to_json()


def test_replace_validates_anew():
    spec = tb.Spec(reference=tb.Uniform(3))
    assert spec.replace(samples=1e3).samples == 1000
    with pytest.raises(tb.SpecError):
        spec.replace(samples=-1)
    with pytest.raises(tb.SpecError, match="did you mean 'samples'"):
        spec.replace(sample=5)

# SPDX-License-Identifier: MIT
"""The shipped tables are the documented ones."""

import csv
import hashlib
import re

import pytest

from tailbiter import SpecError, data

README = data.path("shakespeare").with_name("README.md").read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    with data.path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("name", data.NAMES)
def test_checksum_is_the_documented_one(name):
    documented = re.search(rf"`{name}\.csv` .*`([0-9a-f]{{64}})`", README)
    assert documented is not None
    assert hashlib.sha256(data.path(name).read_bytes()).hexdigest() == documented[1]


@pytest.mark.parametrize("name", data.NAMES)
def test_documented_size_and_total(name):
    documented = re.search(rf"`{name}\.csv` \|[^|]*\| ([\d,]+) \| ([\d,]+) \|", README)
    assert documented is not None
    categories, total = (int(number.replace(",", "")) for number in documented.groups())
    numeric = {"shakespeare": slice(1, 3), "languages": slice(2, 3)}[name]
    table = rows(name)[1:]
    assert len(table) == categories
    assert sum(int(cell) for row in table for cell in row[numeric]) == total


@pytest.mark.parametrize("name", data.NAMES)
def test_labels_are_distinct_and_file_is_small(name):
    labels = [row[0] for row in rows(name)[1:]]
    assert len(set(labels)) == len(labels)
    assert data.path(name).stat().st_size < 400_000


def test_shakespeare_columns_and_split():
    header, *table = rows("shakespeare")
    train, heldout = ([int(row[column]) for row in table] for column in (1, 2))
    assert header == ["word", "train", "heldout"]
    assert (sum(train), sum(heldout)) == (684_132, 151_827)
    assert (sum(n > 0 for n in train), sum(n > 0 for n in heldout)) == (23_209, 11_265)
    assert min(a + b for a, b in zip(train, heldout, strict=True)) == 1
    assert all(re.fullmatch(r"[a-z]+(?:'[a-z]+)*", row[0]) for row in table)


def test_languages_columns_and_range():
    header, *table = rows("languages")
    people = [int(row[2]) for row in table]
    assert header == ["code", "language", "people"]
    assert people == sorted(people, reverse=True)
    assert (people[0], people[-1]) == (1_728_003_224, 1)
    assert len({row[1] for row in table}) == len(table)


def test_licence_that_must_go_along_is_there():
    licence = data.path("languages").with_name("LICENSE-UNICODE.md").read_text(encoding="utf-8")
    assert "UNICODE LICENSE V3" in licence
    assert "SPDX-License-Identifier: Unicode-3.0" in licence


def test_unknown_name_names_the_known_ones():
    with pytest.raises(SpecError, match=r"name: 'words' is not .*; known: languages, shakespeare"):
        data.path("words")

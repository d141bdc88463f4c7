# SPDX-License-Identifier: MIT
"""Tables in files: every form that is read, and what is said of those that cannot be."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tailbiter as tb

THE = (["the", "a"], [5, 3])


def read(path, **columns):
    counts = tb.Counts.read(path, **columns)
    return None if counts.labels is None else counts.labels.tolist(), counts.counts.tolist()


TEXTS = {
    "header": ("w.csv", b"word,n\nthe,5\na,3\n", {}, THE),
    "no header": ("w.csv", b"the,5\na,3\n", {}, THE),
    "no last line end": ("w.csv", b"the,5\na,3", {}, THE),
    "Windows line ends": ("w.csv", b"word,n\r\nthe,5\r\na,3\r\n", {}, THE),
    "byte order mark": ("w.csv", b"\xef\xbb\xbfthe,5\na,3\n", {}, THE),
    "byte order mark and header": ("w.csv", b"\xef\xbb\xbfword,n\nthe,5\na,3\n", {"labels": "word"}, THE),
    "numbers first": ("w.csv", b"n,word\n5,the\n3,a\n", {}, THE),
    "semicolons": ("w.csv", b"word;n\nthe;5\na;3\n", {}, THE),
    "tabs by name": ("w.tsv", b"word\tn\nthe\t5\na\t3\n", {}, THE),
    "tabs by sight": ("w.txt", b"the\t5\na\t3\n", {}, THE),
    "commas between tabs": ("w.tsv", b"a,b\t5\nc\t3\n", {}, (["a,b", "c"], [5, 3])),
    "blank lines": ("w.csv", b"\n\nword,n\nthe,5\n\na,3\n\n", {}, THE),
    "spaces": ("w.csv", b"word, n\nthe, 5\na,3 \n", {"counts": "n"}, THE),
    "quotes": ("w.csv", b'w,n\n"a,b",5\n"c ""d""",3\n', {}, (["a,b", 'c "d"'], [5, 3])),
    "a line end in quotes": ("w.csv", b'w,n\n"a\nb",5\nc,3\n', {}, (["a\nb", "c"], [5, 3])),
    "words that look missing": ("w.csv", b"w,n\nnull,5\nnan,3\n", {}, (["null", "nan"], [5, 3])),
    "no labels": ("w.csv", b"5\n3\n", {}, (None, [5, 3])),
    "whole reals": ("w.csv", b"the,5.0\na,3e0\n", {}, THE),
    "plus signs": ("w.csv", b"the,+5\na,3\n", {}, THE),
    "one row": ("w.csv", b"the,5\n", {}, (["the"], [5])),
    "one number": ("w.csv", b"5\n", {}, (None, [5])),
    "by name": ("w.csv", b"word,m,n\nthe,1,5\na,2,3\n", {"counts": "n"}, THE),
    "by number": ("w.csv", b"the,1,5\na,2,3\n", {"counts": 2}, THE),
    "a named label": ("w.csv", b"id,n,word\nx,5,the\ny,3,a\n", {"labels": "word"}, THE),
    "numbers as labels": (
        "w.csv",
        b"year,n\n1990,5\n1991,3\n",
        {"labels": "year"},
        (["1990", "1991"], [5, 3]),
    ),
    "a header of numbers": ("w.csv", b"word,2020\nthe,5\na,3\n", {"counts": "2020"}, THE),
    "a header of numbers by its number": ("w.csv", b"word,2020\nthe,5\na,3\n", {"counts": 2020}, THE),
    "a usual word above the labels": ("w.csv", b"Word,2020\nthe,5\na,3\n", {}, THE),
    "a usual word alone": ("w.csv", b"word,2020\n", {}, (["word"], [2020])),
    "an unusual word above the labels": ("w.csv", b"lion,20\nthe,5\n", {}, (["lion", "the"], [20, 5])),
    "a number in quotes": ("w.csv", b"the,5\na,3\n", {"counts": "1", "labels": "0"}, THE),
    "a number that is data": ("w.csv", b"the,1\na,3\n", {"counts": "1"}, (["the", "a"], [1, 3])),
    "old Macintosh line ends": ("w.csv", b"\rword,n\rthe,5\r\ra,3\r", {}, THE),
    "line ends of other texts": (
        "w.csv",
        "w,n\na\u2028b,5\nc\x0cd\x85,3\n".encode(),
        {},
        (["a\u2028b", "c\x0cd\x85"], [5, 3]),
    ),
    "a header of two lines": ("w.csv", b'"wo\nrd",n\nthe,5\na,3\n', {"labels": "wo\nrd"}, THE),
    "zeros": ("w.csv", b"the,5\na,3\nthou,0\n", {}, (["the", "a", "thou"], [5, 3, 0])),
}


@pytest.mark.parametrize(("name", "content", "columns", "expected"), TEXTS.values(), ids=TEXTS)
def test_text(tmp_path, name, content, columns, expected):
    path = tmp_path / name
    path.write_bytes(content)
    assert read(path, **columns) == expected


def test_compressed_text(tmp_path):
    (tmp_path / "w.tsv.gz").write_bytes(gzip.compress(b"word\tn\nthe\t5\na\t3\n"))
    assert read(tmp_path / "w.tsv.gz") == THE


def test_a_file_longer_than_the_sample(tmp_path):
    words = [f"wört{i}" for i in range(30_000)]
    text = "word,n\n" + "".join(f"{word},{i}\n" for i, word in enumerate(words))
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    assert read(tmp_path / "w.csv") == (words, list(range(30_000)))


def test_lines_in_quotes_beyond_the_parser_s_block(tmp_path):
    words = [f"w{i}\n" + "x" * 1000 for i in range(3000)]
    (tmp_path / "w.csv").write_text("word,n\n" + "".join(f'"{word}",1\n' for word in words))
    assert read(tmp_path / "w.csv") == (words, [1] * 3000)


def test_rows_of_a_file_that_has_gone_are_items(tmp_path):
    (tmp_path / "w.csv").write_text("a,1\nb,1e-30\n")
    values = tb.Probabilities.read(tmp_path / "w.csv")
    (tmp_path / "w.csv").unlink()
    with pytest.raises(tb.SpecError, match=r"w.csv, item 1, column 1: 1e-30 is too small"):
        _ = values.support


def test_parquet(tmp_path):
    path = tmp_path / "w.parquet"
    words = pa.array(["the", "a"]).dictionary_encode()
    pq.write_table(pa.table({"word": words, "n": [5, 3], "m": [0.5, 0.25]}), path)
    assert read(path, counts="n") == THE
    assert read(path, counts=1, labels=0) == THE
    assert tb.Probabilities.read(path, "m").values.tolist() == [0.5, 0.25]


def test_shipped_tables_by_name():
    named = tb.Counts.read("tailbiter:shakespeare", counts="train")
    assert named == tb.Counts.read("tailbiter:shakespeare.csv", counts="train")
    for name in ("../plot.py", "../data/shakespeare", "shakespear", ""):
        with pytest.raises(tb.SpecError, match=r"is not a shipped table; .*known: languages, shakespeare"):
            tb.Counts.read(f"tailbiter:{name}")


def test_a_sum_beyond_half_precision(tmp_path):
    np.save(tmp_path / "w.npy", np.array([60000, 60000, 1], "f2"))
    assert read(tmp_path / "w.npy")[1] == [60000, 60000, 1]
    assert tb.Probabilities.read(tmp_path / "w.npy").support.weights[0] == 60000 * 2**36


@pytest.mark.parametrize("dtype", ["u1", "i4", ">i8", "f2", "f4", "f8"])
def test_npy(tmp_path, dtype):
    np.save(tmp_path / "w.npy", np.array([5, 3], dtype))
    assert read(tmp_path / "w.npy") == (None, [5, 3])


def test_zero_counts_stay_out_but_places_are_known(tmp_path):
    (tmp_path / "w.csv").write_bytes(b"thou,0\nthe,5\nthee,0\na,3\n")
    support = tb.Counts.read(tmp_path / "w.csv").support
    assert support.weights.tolist() == [5, 3]
    assert support.position.tolist() == [1, 3]
    assert support.labels.tolist() == ["the", "a"]


def write(name, content, **columns):
    def attempt(folder):
        (folder / name).write_bytes(content)
        return tb.Counts.read(folder / name, **columns)

    return attempt


def parquet(columns, **chosen):
    def attempt(folder):
        pq.write_table(pa.table(columns), folder / "w.parquet")
        return tb.Counts.read(folder / "w.parquet", **chosen)

    return attempt


def npy(array, **chosen):
    def attempt(folder):
        np.save(folder / "w.npy", array, allow_pickle=True)
        return tb.Counts.read(folder / "w.npy", **chosen)

    return attempt


def directory(folder):
    (folder / "w.csv").mkdir()
    return tb.Counts.read(folder / "w.csv")


BAD = {
    "no file": (lambda folder: tb.Counts.read(folder / "w.csv"), "w.csv: 'w.csv' does not exist; give a CSV"),
    "a long name": (lambda folder: tb.Counts.read(folder / ("w" * 400)), "w' cannot be read (File name too"),
    "a directory": (directory, "w.csv: 'w.csv' is a directory; give a CSV"),
    "empty": (write("w.csv", b""), "w.csv: 'w.csv' is empty; give a table"),
    "blank": (write("w.csv", b"\n\n"), "w.csv: 'w.csv' has no rows; give a row"),
    "header only": (write("w.csv", b"word,n\n", counts="n"), "'w.csv' has a header and no rows; give"),
    "header only, and no column named": (write("w.csv", b"word,n\n"), "has a header and no rows; give a row"),
    "ragged": (
        write("w.csv", b"word,n\nthe,5\na,3,4\n"),
        "w.csv, row 3: 'a,3,4' has 3 columns where 2 were expected; mend",
    ),
    "ragged far down": (
        write("w.csv", b"word,n\n" + b"".join(b"w%d,3\n" % i for i in range(500)) + b"x\n"),
        "w.csv, row 502: 'x' has 1 columns where 2 were expected; mend",
    ),
    "Latin-1": (
        write("w.csv", b"word,n\nth\xe9,5\n"),
        "w.csv, row 2: b'\\xe9,5\\n' is not UTF-8; save the file",
    ),
    "Latin-1 far down": (
        write("w.csv", b"word,n\n" + b"".join(b"w%d,3\n" % i for i in range(20_000)) + b"\xe9,3\n"),
        "w.csv, row 20002: b'\\xe9,3\\n' is not UTF-8; save the file",
    ),
    "UTF-16": (write("w.csv", "word,n\nthe,5\n".encode("utf-16")), "w.csv: 'w.csv' is UTF-16 text; save it"),
    "UTF-16 without a mark": (
        write("w.csv", "word,n\nthe,5\n".encode("utf-16-be")),
        "w.csv: 'w.csv' is UTF-16 text without a mark; save it as UTF-8",
    ),
    "Excel": (write("w.xlsx", b"PK\3\4..."), "w.xlsx: 'w.xlsx' is an Excel workbook; save the sheet as CSV"),
    "numpy's archive": (
        write("w.npz", b"PK\3\4..."),
        "w.npz: 'w.npz' is an archive of numpy arrays; save one array",
    ),
    "ZIP": (write("w.csv", b"PK\3\4..."), "w.csv: 'w.csv' is a ZIP archive; unpack it"),
    "Parquet by another name": (write("w.csv", b"PAR1..."), "'w.csv' is a Parquet file; let its name end in"),
    "JSON": (write("w.json", b'{"the": 5}'), "w.json: 'w.json' is JSON; write a CSV of labels and counts"),
    "JSON in lines": (write("w.json", b'[\n["the", 5]]'), "w.json: 'w.json' is JSON; write a CSV"),
    "bars": (
        write("w.csv", b"word|n\nthe|5\n"),
        "w.csv: 'w.csv' has columns separated by '|'; separate the columns by commas, tabs or semicolons",
    ),
    "spaces for separators": (
        write("w.csv", b"the 5\na 3\n"),
        "w.csv: 'w.csv' has columns separated by spaces; separate the columns by commas",
    ),
    "comment": (
        write("w.csv", b"# made in 2020\nword,n\nthe,5\n"),
        "w.csv, row 2: 'word,n' has 2 columns where 1 were expected; remove the comment",
    ),
    "hexadecimal": (
        write("w.csv", b"word,n\nthe,5\na,0x10\n"),
        "w.csv, row 3, column 'n': '0x10' is not a number; give a number such as 12",
    ),
    "other digits": (
        write("w.csv", "word,n\nthe,5\na,\u0663\n".encode()),
        "w.csv, row 3, column 'n': '\u0663' is not a number; give",
    ),
    "after blank lines": (
        write("w.csv", b"\n\nword,n\n\nthe,5\n\na,x\n"),
        "w.csv, row 7, column 'n': 'x' is not a number; give",
    ),
    "negative after lines in quotes": (
        write("w.csv", b'"wo\nrd",n\r\n"t\n\nhe",5\r\na,-1\r\n'),
        "w.csv, row 6, column 'n': -1 is negative; give 0",
    ),
    "ragged after blank lines far down": (
        write("w.csv", b"word,n\n" + b"".join(b"w%d,3\n\n" % i for i in range(500)) + b"x\n"),
        "w.csv, row 1002: 'x' has 1 columns where 2 were expected; mend",
    ),
    "negative": (write("w.csv", b"word,n\nthe,-5\n"), "w.csv, row 2, column 'n': -5 is negative; give"),
    "NaN": (
        write("w.csv", b"word,n\nthe,nan\na,3\n"),
        "w.csv, row 2, column 'n': 'nan' is not a number; give a number such as 12 (no separators), 0 for",
    ),
    "missing": (write("w.csv", b"word,n\nthe,\na,3\n"), "w.csv, row 2, column 'n': '' is not a number; give"),
    "fractional": (
        write("w.csv", b"the,5\na,1.5\n"),
        "w.csv, row 2, column 1: 1.5 is not a whole number; round",
    ),
    "separators": (
        write("w.csv", b'word,n\nthe,"5,000"\na,3\n'),
        "w.csv, row 2, column 'n': '5,000' is not a number; give a number such as 12",
    ),
    "all zero": (
        write("w.csv", b"word,n\nthe,0\n"),
        "w.csv, column 'n': 0 is every value; give at least one",
    ),
    "too large": (
        write("w.csv", b"the,99999999999999999999\n"),
        "w.csv, row 1, column 1: 1e20 exceeds 2**53;",
    ),
    "duplicate": (
        write("w.csv", b"word,n\nthe,5\na,3\nthe,1\n"),
        "w.csv, row 4, column 'word': 'the' stands twice (first: ",
    ),
    "duplicate columns": (write("w.csv", b"n,n\nthe,3\n"), "w.csv, row 1: 'n' names two columns; give every"),
    "unknown column": (
        write("w.csv", b"word,count\nthe,3\n", counts="cuont"),
        "w.csv: 'cuont' is not a column of it; did you mean 'count'? (known: word, count)",
    ),
    "unknown label column": (
        write("w.csv", b"word,count\nthe,3\n", labels="wrod"),
        "w.csv: 'wrod' is not a column of it; did you mean 'word'?",
    ),
    "column number": (
        write("w.csv", b"the,3\n", counts=2),
        "w.csv: 2 is not a column of it; give a name, or a",
    ),
    "one column for both": (
        write("w.csv", b"the,3\n", counts=1, labels=1),
        "w.csv: 1 is asked for as numbers and as labels; name another",
    ),
    "two columns of counts": (
        write("w.csv", b"word,train,held\nthe,3,4\n"),
        "w.csv: 'w.csv' has 2 columns of numbers where one was expected; name the column of numbers (found:",
    ),
    "words only": (
        write("w.csv", b"the\na\n"),
        "w.csv: 'w.csv' has 0 columns of numbers where one was expected; add a column of counts",
    ),
    "words for counts": (
        write("w.csv", b"word,n\nthe,many\n", counts="n"),
        "w.csv, row 2, column 'n': 'many' is not a number; give",
    ),
    "a picture": (
        write("w.csv", b"\x89PNG\r\n\x1a\n\0\0"),
        "w.csv, row 1: b'\\x89PNG\\r\\n\\x1a\\n' is not UTF-8;",
    ),
    "not gzip": (write("w.csv.gz", b"word,n\n"), "w.csv.gz: 'w.csv.gz' cannot be read ("),
    "not Parquet": (write("w.parquet", b"word,n\n"), "w.parquet: 'w.parquet' is not a Parquet file; give"),
    "Parquet's nulls": (
        parquet({"word": ["the", "a"], "n": [5, None]}),
        "w.parquet, row 1, column 'n': None is missing; give 0",
    ),
    "Parquet's missing label": (
        parquet({"word": ["the", None], "n": [5, 3]}),
        "w.parquet, row 1, column 'word': None is not a label; give",
    ),
    "Parquet's texts": (
        parquet({"word": ["the"], "n": ["5"]}, counts="n"),
        "w.parquet: 'n' is a column of string; name a column of numbers",
    ),
    "Parquet's negative": (parquet({"n": [5, -1]}), "w.parquet, row 1, column 'n': -1 is negative; give"),
    "no rows of Parquet": (
        parquet({"n": pa.array([], pa.int64())}),
        "w.parquet, column 'n': [] is empty; give",
    ),
    "not numpy": (write("w.npy", b"word,n\n"), "w.npy: 'w.npy' is not a numpy array of numbers; save"),
    "pickled numpy": (npy(np.array([{}])), "w.npy: 'w.npy' is not a numpy array of numbers; save"),
    "two-dimensional numpy": (npy(np.ones((2, 2))), "w.npy, counts: (2, 2) is the shape of a table; give"),
    "column of numpy": (
        npy(np.ones(2), counts="n"),
        "w.npy: 'n' is not a column: .npy files hold one array;",
    ),
}


@pytest.mark.parametrize(("attempt", "message"), BAD.values(), ids=BAD)
def test_refused(tmp_path, attempt, message):
    with pytest.raises(tb.DataError) as caught:
        attempt(tmp_path)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert text.startswith(str(tmp_path))
    assert text.endswith(caught.value.remedy)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "w.csv").write_bytes(b"the,5\n")
    monkeypatch.setattr(pa, "input_stream", refuse)  # root may read everything
    with pytest.raises(tb.DataError, match=r"w.csv: 'w.csv' cannot be read \(Permission denied\); give"):
        tb.Counts.read(tmp_path / "w.csv")

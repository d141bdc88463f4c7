# SPDX-License-Identifier: MIT
"""Normal laws: one law, one description; what cannot be one is refused; laws fitted to tables."""

import hashlib
import math
import pickle
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tailbiter as tb
from tailbiter.reference import KINDS
from tests.spec.test_bad_input import check

RNG = np.random.default_rng(5)
MATRIX = [[4.0, 2.0, -1.0], [2.0, 5.0, 0.5], [-1.0, 0.5, 3.0]]


def unpacked(reference):
    factor = np.zeros((reference.size, reference.size))
    factor[np.tril_indices(reference.size)] = reference.factor
    return factor


EQUAL = {
    "scalars": (tb.Gaussian(dimensions=2), tb.Gaussian([0, 0], [[1, 0], [0, 1]])),
    "one dimension": (tb.Gaussian(), tb.Gaussian([0.0], [[1.0]], 1)),
    "equal variances": (tb.Gaussian(1, 4, 3), tb.Gaussian([1, 1, 1], [4, 4, 4])),
    "a diagonal": (tb.Gaussian(covariance=[1, 4]), tb.Gaussian(covariance=np.diag([1, 4]))),
    "arrays": (tb.Gaussian(covariance=MATRIX), tb.Gaussian(np.zeros(3), np.array(MATRIX))),
    "rounding": (
        tb.Gaussian(covariance=[[1, 0.1], [0.1, 1]]),
        tb.Gaussian(covariance=[[1, 0.1 + 2**-56], [0.1, 1]]),
    ),
    "negative zero": (tb.Gaussian(mean=[-0.0, 0]), tb.Gaussian(dimensions=2)),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_one_law_has_one_description(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert one.canonical() == other.canonical()
    assert one.factor.tobytes() == other.factor.tobytes()
    assert tb.Spec(reference=one).key == tb.Spec(reference=other).key


def test_other_laws_are_others():
    laws = [tb.Gaussian(), tb.Gaussian(1), tb.Gaussian(0, 2), tb.Gaussian(dimensions=2), tb.Gaussian([0, 1])]
    laws += [tb.Gaussian(covariance=[1, 2]), tb.Gaussian(covariance=[2, 1]), tb.Gaussian(covariance=MATRIX)]
    specs = [tb.Spec(reference=law) for law in laws]
    assert len({spec.key for spec in specs}) == len({spec.digest() for spec in specs}) == len(laws)


@pytest.mark.parametrize(
    "law",
    [
        tb.Gaussian(),
        tb.Gaussian([1, 2.5], 3),
        tb.Gaussian(covariance=[1, 1e-9]),
        tb.Gaussian(covariance=MATRIX),
    ],
    ids=str,
)
def test_round_trips(law):
    spec = tb.Spec(reference=law, samples=100)
    for again in (
        tb.Spec.from_toml(spec.to_toml()),
        tb.Spec.from_json(spec.to_json()),
        tb.Spec.from_dict(spec.to_dict()),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert again == spec
        assert again.to_json() == spec.to_json()
        assert (again.digest(), again.key) == (spec.digest(), spec.key)
        assert again.reference.factor.tobytes() == law.factor.tobytes()


@pytest.mark.parametrize("d", [1, 2, 3, 17, 200])
def test_factor_is_cholesky(d):
    a = RNG.normal(size=(d, d + 2))
    law = tb.Gaussian(covariance=a @ a.T)
    factor = unpacked(law)
    covariance = np.broadcast_to(np.array(law.covariance), (d, d))
    scale = np.abs(covariance).max()
    assert np.abs(factor @ factor.T - covariance).max() < 1e-14 * d * scale
    assert (np.diagonal(factor) > 0).all()
    assert (law.factor.shape, law.factor.dtype) == ((d * (d + 1) // 2,), np.float64)
    assert law.mean_vector.tolist() == [0.0] * d


def test_factor_in_slow_exact_steps():
    # Every product, difference and root rounded once, as written: the same bits wherever it runs.
    n, left = 3, [row[:] for row in MATRIX]
    out = [[0.0] * n for _ in range(n)]
    for j in range(n):
        for i in range(j, n):
            out[i][j] = left[i][j] / math.sqrt(left[j][j])
        for i in range(j, n):
            for k in range(j, n):
                product = float(Fraction(out[i][j]) * Fraction(out[k][j]))
                left[i][k] = float(Fraction(left[i][k]) - Fraction(product))
    assert tb.Gaussian(covariance=MATRIX).factor.tolist() == [
        out[i][k] for i in range(n) for k in range(i + 1)
    ]


def test_factor_is_the_same_everywhere():
    law = tb.Gaussian(covariance=[[1 / (1 + abs(i - j)) for j in range(9)] for i in range(9)])
    assert hashlib.sha256(law.factor.astype("<f8").tobytes()).hexdigest()[:16] == "446afcd4b1a20fde"


def test_arrays_cannot_be_written_to():
    for array in (tb.Gaussian().factor, tb.Gaussian().mean_vector):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 2


def test_it_has_no_categories():
    law = tb.Gaussian(dimensions=2)
    assert (law.family, tb.Uniform(3).family, tb.Bernoulli(0.5).family) == (
        "gaussian",
        "categorical",
        "categorical",
    )
    check(
        lambda: law.support, "reference: Gaussian(mean=0.0, covariance=1.0, dimensions=2) has no categories; "
    )


def test_large_laws_are_described_briefly():
    assert repr(tb.Gaussian(covariance=np.diag(np.arange(1.0, 6)))) == "<Gaussian: 5 dimensions>"
    assert KINDS["gaussian"] is tb.Gaussian


@pytest.mark.parametrize("p", [0.25, 0.1, 1e-9, 1 - 1e-9])
def test_bernoulli_is_two_categories(p):
    support = tb.Bernoulli(p).support
    assert support.labels.tolist() == ["0", "1"]
    assert support.weights[1] / support.total == pytest.approx(p, rel=1e-6)
    assert tb.Spec.from_toml(tb.Spec(reference=tb.Bernoulli(p)).to_toml()).reference == tb.Bernoulli(p)


REFUSED = {
    "mean in words": (lambda: tb.Gaussian("a"), "reference.mean: 'a' is not a number or a list of numbers; "),
    "mean NaN": (lambda: tb.Gaussian([0, math.nan]), "reference.mean[1]: nan is not finite; give a number"),
    "huge mean": (lambda: tb.Gaussian(1e200), "reference.mean: 1e200 is beyond 1e+150; measure in larger"),
    "a mean too few": (
        lambda: tb.Gaussian([1, 2], dimensions=3),
        "reference.mean: 2 is the number of its entries, where 3 were expected; give a number, or one for ea",
    ),
    "mean of another size": (
        lambda: tb.Gaussian([1, 2], covariance=[1, 1, 1]),
        "reference.mean: 2 is the number of its entries, where 3 were expected",
    ),
    "empty mean": (
        lambda: tb.Gaussian([]),
        "reference.mean: 0 is the number of its entries, where 1 was expected",
    ),
    "no dimensions": (lambda: tb.Gaussian(dimensions=0), "reference.dimensions: 0 is outside 1 to 200; give"),
    "201 dimensions": (lambda: tb.Gaussian(dimensions=201), "reference.dimensions: 201 is outside 1 to 200;"),
    "201 means": (lambda: tb.Gaussian([0.0] * 201), "reference.dimensions: 201 is outside 1 to 200; give"),
    "half a dimension": (
        lambda: tb.Gaussian(dimensions=1.5),
        "reference.dimensions: 1.5 is not a whole number",
    ),
    "no variance": (lambda: tb.Gaussian(covariance=0), "reference.covariance: 0.0 is not positive; give a"),
    "negative variance": (
        lambda: tb.Gaussian(covariance=[1, -2]),
        "reference.covariance[1]: -2.0 is not positive; give a variance above 0",
    ),
    "negative on the diagonal": (
        lambda: tb.Gaussian(covariance=[[1, 0.5], [0.5, -1]]),
        "reference.covariance[1][1]: -1.0 is not positive; give a variance above 0",
    ),
    "tiny variance": (
        lambda: tb.Gaussian(covariance=1e-305),
        "reference.covariance: 1e-305 is outside 1e-300",
    ),
    "infinite covariance": (
        lambda: tb.Gaussian(covariance=[[1, math.inf], [0, 1]]),
        "reference.covariance[0][1]: inf is not finite; give a variance,",
    ),
    "text in a matrix": (
        lambda: tb.Gaussian(covariance=[[1, "x"], [0, 1]]),
        "reference.covariance[0][1]: 'x' is not a number; give",
    ),
    "ragged": (
        lambda: tb.Gaussian(covariance=[[1, 2], [3]]),
        "reference.covariance[1]: 1 is the number of its entries, where 2 were expected",
    ),
    "rows and numbers": (
        lambda: tb.Gaussian(covariance=[[1, 0], 1]),
        "reference.covariance[1]: 1 is not a number or a list of numbers; give a variance",
    ),
    "three axes": (
        lambda: tb.Gaussian(covariance=np.ones((2, 2, 2))),
        "reference.covariance[0][0]: [1.0, 1.0] is not a number; give",
    ),
    "not symmetric": (
        lambda: tb.Gaussian(covariance=[[1, 0.5], [0.4, 1]]),
        "reference.covariance[0][1]: 0.5 differs from [1][0], which is 0.4: the matrix is not symmetric; mak",
    ),
    "indefinite": (
        lambda: tb.Gaussian(covariance=[[1, 2], [2, 1]]),
        "reference.covariance[1][1]: 1.0 is no more than the dimensions before it explain (4): not positive",
    ),
    "singular": (
        lambda: tb.Gaussian(covariance=[[1, 1, 0], [1, 1, 0], [0, 0, 1]]),
        "reference.covariance[1][1]: 1.0 is no more than the dimensions before it explain (1): not positive",
    ),
    "singular but for rounding": (
        lambda: tb.Gaussian(covariance=np.array([[0.1, 0.3], [0.3, 0.9]])),
        "reference.covariance[1][1]: 0.9 is no more than",
    ),
    "unknown key": (
        lambda: tb.Spec.from_toml('[reference]\nkind = "gaussian"\nvariance = 2'),
        "reference: 'variance' is not a known key; did you mean 'covariance'?",
    ),
    "certain": (lambda: tb.Bernoulli(1), "reference.p: 1.0 leaves one category only; give a probability"),
    "impossible": (lambda: tb.Bernoulli(1.5), "reference.p: 1.5 is outside [0, 1]; give a probability"),
    "too rare": (
        lambda: tb.Bernoulli(1e-20).support,
        "reference.p: 1e-20 is too small beside the others: it",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    check(make, message)


# Fitted to tables.

ROWS = RNG.normal(size=(50, 3)) @ [[1, 0.5, 0], [0, 2, 0], [0, 0, 0.1]] + [1, 2, 1e6]


@pytest.mark.parametrize("ddof", [0, 1])
def test_fit_is_mean_and_covariance(ddof):
    law = tb.Gaussian.fit(ROWS, ddof=ddof)
    np.testing.assert_allclose(law.mean_vector, ROWS.mean(axis=0), rtol=1e-15)
    expected = np.cov(ROWS.T, ddof=ddof)
    assert np.abs(np.array(law.covariance) - expected).max() < 1e-13 * expected.max()
    assert law.size == 3


def csv(path):
    lines = ["kind,a,b,c", *(f"x,{a!r},{b!r},{c!r}" for a, b, c in ROWS.tolist())]
    path.write_text("\n".join(lines))


def tsv(path):
    path.write_text("\n".join("\t".join(map(repr, row)) for row in ROWS.tolist()))


def parquet(path):
    names = {name: ROWS[:, index] for index, name in enumerate("abc")}
    pq.write_table(pa.table({"kind": ["x"] * 50, **names}), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.csv", csv), ("t.tsv", tsv), ("t.parquet", parquet), ("t.npy", lambda path: np.save(path, ROWS))],
)
def test_fit_reads_files(tmp_path, name, write):
    write(tmp_path / name)
    assert tb.Gaussian.fit(tmp_path / name) == tb.Gaussian.fit(ROWS)
    chosen = ["c", "a"] if name in ("t.csv", "t.parquet") else [2, 0]
    assert tb.Gaussian.fit(str(tmp_path / name), chosen) == tb.Gaussian.fit(ROWS[:, [2, 0]])
    assert tb.Gaussian.fit(tmp_path / name, chosen[0]) == tb.Gaussian.fit(ROWS[:, 2])


def file(tmp_path, content, name="t.csv"):
    (tmp_path / name).write_text(content)
    return tmp_path / name


GOOD = "a,b\n1,2\n3,4.5\n5,1\n"
TABLES = {
    "no file": (lambda at: tb.Gaussian.fit(at / "none.csv"), "none.csv: 'none.csv' does not exist; give a"),
    "a directory": (tb.Gaussian.fit, "is a directory; give"),
    "a gap": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\n1,2\n3,\n5,1\n")),
        "t.csv, row 3, column 'b': '' is not a number; give a number such as 12 (no separators), leave the r",
    ),
    "NaN": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\n1,2\n3,nan\n5,1\n")),
        "t.csv, row 3, column 'b': 'nan' is not a number; give",
    ),
    "NaN in an array": (
        lambda at: tb.Gaussian.fit([[1, 2], [3, math.nan], [5, 1]]),
        "table[1][1]: nan is not a finite number; leave the row out",
    ),
    "too large for a double": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\n1,2\n3,1e999\n5,1\n")),
        "t.csv, row 3, column 'b': inf is not a finite number; leave the row out",
    ),
    "a constant": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\n1,2\n3,2\n5,2\n")),
        "t.csv: 'b' is a column with the same value in every row; leave the column out",
    ),
    "too few rows": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\n1,2\n3,4\n")),
        "t.csv: 2 rows cannot give a covariance of 2 columns; give at least 3 rows, or fewer columns",
    ),
    "one row": (
        lambda at: tb.Gaussian.fit([[1.0]]),
        "table: 1 row cannot give a covariance of 1 column; give",
    ),
    "a sum of others": (
        lambda at: tb.Gaussian.fit(np.column_stack([ROWS, ROWS[:, 0] - 2 * ROWS[:, 1]])),
        "table: 3 is a column that follows from those before it; leave it out: the covariance would be singu",
    ),
    "unknown column": (
        lambda at: tb.Gaussian.fit(file(at, GOOD), ["a", "bb"]),
        "t.csv: 'bb' is not a column of it; did you mean 'b'?",
    ),
    "twice": (
        lambda at: tb.Gaussian.fit(file(at, GOOD), ["a", 0]),
        "t.csv: 'a' is asked for twice; name each",
    ),
    "no columns": (lambda at: tb.Gaussian.fit(file(at, GOOD), []), "columns: [] is empty; name a column"),
    "a real for a column": (
        lambda at: tb.Gaussian.fit(file(at, GOOD), [1.5]),
        "columns: 1.5 is not the name or number of a column; name",
    ),
    "texts": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\nx,2\ny,4.5\nz,1\n"), "a"),
        "t.csv, row 2, column 'a': 'x' is not a number; give",
    ),
    "no numbers": (
        lambda at: tb.Gaussian.fit(file(at, "a,b\nx,u\ny,v\nz,w\n")),
        "t.csv: 't.csv' has no column of numbers; name",
    ),
    "a cube": (
        lambda at: tb.Gaussian.fit(np.ones((2, 2, 2))),
        "table: (2, 2, 2) is not the shape of rows and",
    ),
    "words": (lambda at: tb.Gaussian.fit([["a"], ["b"]]), "table: 'str32' is not a type of numbers; give"),
    "ragged": (
        lambda at: tb.Gaussian.fit([[1, 2], [3]]),
        "table: [[1, 2], [3]] has rows of different lengths;",
    ),
    "too many columns": (
        lambda at: tb.Gaussian.fit(np.ones((300, 201))),
        "table: 201 columns of numbers exceed 200; name up to 200 of them",
    ),
    "divisor": (lambda at: tb.Gaussian.fit(ROWS, ddof=2), "ddof: 2 is outside 0 to 1; give 0 (maximum"),
}


@pytest.mark.parametrize(("make", "message"), TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_fitted_is_refused(make, message, tmp_path):
    check_anywhere(lambda: make(tmp_path), message, tmp_path)


def check_anywhere(make, message, folder):
    with pytest.raises(tb.SpecError) as caught:
        make()
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert text.endswith(caught.value.remedy)


def test_parquet_that_cannot_be_fitted(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [1.0, None, 3.0], "b": ["x", "y", "z"]}), path)
    check_anywhere(lambda: tb.Gaussian.fit(path, "a"), "row 1, column 'a': None is missing; leave", path)
    check_anywhere(lambda: tb.Gaussian.fit(path, "b"), "t.parquet: 'b' is a column of string; name", path)
    path.write_bytes(b"no table")
    check_anywhere(lambda: tb.Gaussian.fit(path), "is not a Parquet file; give", path)

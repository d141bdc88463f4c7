# SPDX-License-Identifier: MIT
"""Mixtures of normal laws: what cannot be one is refused; round trips; mixtures fitted to tables."""

import math
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture as Yardstick

import tailbiter as tb
from tests.spec.test_bad_input import check

TWO = [0.75, 0.25]
MEANS = [[0.0, 1.0], [5.0, -1.0]]
MATRICES = [[[4.0, 2.0], [2.0, 5.0]], [[1.0, -0.5], [-0.5, 1.0]]]
COVARIANCES = {
    "full": MATRICES,
    "tied": MATRICES[0],
    "diagonal": [[4.0, 1.0], [9.0, 0.25]],
    "spherical": [4.0, 0.25],
}
LAWS = {kind: tb.GaussianMixture(TWO, MEANS, value, kind) for kind, value in COVARIANCES.items()}
FLAT = {kind: [[4.0], [9.0]] if kind == "diagonal" else [4.0, 9.0] for kind in COVARIANCES} | {"tied": [4.0]}
LINES = {kind: tb.GaussianMixture(TWO, [0.0, 5.0], value, kind) for kind, value in FLAT.items()}


def squares(law):
    """Covariances from the factors, by component."""
    d = law.size
    if law.covariance == "spherical":
        return np.array([np.eye(d) * s[0] ** 2 for s in law.factors])
    if law.covariance == "diagonal":
        return np.array([np.diag(s**2) for s in law.factors])
    full = np.zeros((len(law.factors), d, d))
    for out, packed in zip(full, law.factors, strict=True):
        out[np.tril_indices(d)] = packed
    return np.broadcast_to(full @ full.transpose(0, 2, 1), (law.components, d, d))


def matrices(law):
    """Covariances as they were given, by component."""
    values, d = np.array(law.covariances), law.size
    if law.covariance == "spherical":
        return np.array([np.eye(d) * v for v in values])
    if law.covariance == "diagonal":
        return np.array([np.diag(v) for v in values])
    return np.broadcast_to(values, (law.components, d, d))


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("laws", [LAWS, LINES], ids=["plane", "line"])
def test_factors_are_of_the_covariances(laws, kind):
    law = laws[kind]
    np.testing.assert_allclose(squares(law), matrices(law), rtol=1e-15)
    assert not law.factors.flags.writeable
    assert law.mean_matrix.shape == (2, law.size)
    assert law.weight_vector.tolist() == TWO


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("laws", [LAWS, LINES], ids=["plane", "line"])
def test_round_trips(laws, kind):
    spec = tb.Spec(reference=laws[kind], samples=100, estimator=tb.EM(start="kmeans++", iterations=7))
    for again in (
        tb.Spec.from_toml(spec.to_toml()),
        tb.Spec.from_json(spec.to_json()),
        tb.Spec.from_dict(spec.to_dict()),
        pickle.loads(pickle.dumps(spec)),
    ):
        assert again == spec
        assert again.to_json() == spec.to_json()
        assert hash(again.reference) == hash(spec.reference)
        assert (again.digest(), again.key) == (spec.digest(), spec.key)
        assert again.reference.factors.tobytes() == spec.reference.factors.tobytes()


def test_one_law_has_one_description():
    arrays = tb.GaussianMixture(np.array(TWO), np.array(MEANS), np.array(MATRICES))
    parts = tb.GaussianMixture(tuple(TWO), [np.array(mean) for mean in MEANS], [*map(np.array, MATRICES)])
    off = [[[4.0, 2.0 + 2**-51], [2.0, 5.0]], MATRICES[1]]
    rounded = tb.GaussianMixture(TWO, MEANS, off)
    assert arrays == parts == rounded == LAWS["full"]
    nested = tb.GaussianMixture(TWO, [[0.0], [5.0]], [[[4.0]], [[9.0]]])
    assert nested == LINES["full"]


def test_other_laws_are_others():
    laws = [*LAWS.values(), *LINES.values(), tb.GaussianMixture(TWO[::-1], MEANS, MATRICES)]
    specs = [tb.Spec(reference=law) for law in laws]
    assert len({spec.key for spec in specs}) == len({spec.digest() for spec in specs}) == len(laws)


def test_as_people_see_it():
    assert repr(LAWS["full"]).startswith("GaussianMixture([0.75, 0.25], ((0.0, 1.0), (5.0, -1.0)), (((4.0,")
    large = tb.GaussianMixture([1.0], [[0.0] * 9], [1.0], "spherical")
    assert repr(large) == "<GaussianMixture: 1 components, 9 dimensions, spherical>"


def law(**changes):
    fields = {"weights": TWO, "means": MEANS, "covariances": MATRICES} | changes
    return tb.GaussianMixture(**fields)


SQUARE = [[1.0, 0.0], [0.0, 1.0]]
REFUSED = {
    "weights of 1.1": (lambda: law(weights=[0.75, 0.35]), "reference.weights: 1.1 is the sum of the weights"),
    "no weight": (lambda: law(weights=[1.0, 0.0]), "reference.weights[1]: 0.0 is not positive; give"),
    "a negative weight": (lambda: law(weights=[1.5, -0.5]), "reference.weights[1]: -0.5 is not positive; g"),
    "NaN": (lambda: law(weights=[math.nan, 0.5]), "reference.weights[0]: nan is not finite; give a weight"),
    "no weights": (lambda: law(weights=[]), "reference.weights: [] is not a list of 1 to 64 weights; give"),
    "one number": (lambda: law(weights=1), "reference.weights: 1 is not a list of 1 to 64 weights; give"),
    "65 components": (lambda: law(weights=[1 / 65] * 65), "is not a list of 1 to 64 weights; give"),
    "a mean too many": (
        lambda: law(means=[*MEANS, [1, 1]]),
        "reference.means: 3 is the number of its entries, where there are 2 weights; give a mean for",
    ),
    "means of other lengths": (
        lambda: law(means=[[0, 1], [1]]),
        "reference.means[1]: 1 is the number of its entries, where 2 were expected; give a mean",
    ),
    "a mean that is a number": (
        lambda: law(means=[[0, 1], 4.0]),
        "reference.means[1]: 4.0 is not a number or a list of numbers; give a mean",
    ),
    "no dimension": (lambda: law(means=[[], []]), "reference.means[0]: [] is not a list of 1 to 32 numbers;"),
    "33 dimensions": (lambda: law(means=np.zeros((2, 33))), "is not a list of 1 to 32 numbers; give a mean"),
    "an infinite mean": (lambda: law(means=[[0, math.inf], [0, 0]]), "reference.means[0][1]: inf is not fi"),
    "a mean out of sight": (lambda: law(means=[[0, 1], [2e100, 0]]), "reference.means[1][0]: 2e100 is beyo"),
    "a covariance too few": (
        lambda: law(covariances=MATRICES[:1]),
        "reference.covariances: 1 is the number of its entries, where there are 2 weights; give a symmetric",
    ),
    "singular": (
        lambda: law(covariances=[SQUARE, [[1, 1], [1, 1]]]),
        "reference.covariances[1][1][1]: 1.0 is no more than the dimensions before it explain (1): not posit",
    ),
    "indefinite, tied": (
        lambda: law(covariances=[[1, 2], [2, 1]], covariance="tied"),
        "reference.covariances[1][1]: 1.0 is no more than the dimensions before it explain (4): not positive",
    ),
    "not symmetric": (
        lambda: law(covariances=[[[1, 0.5], [0.4, 1]], SQUARE]),
        "reference.covariances[0][0][1]: 0.5 differs from [1][0], which is 0.4: the matrix is not symmetric;",
    ),
    "of another size": (
        lambda: law(covariances=[SQUARE, np.eye(3)]),
        "reference.covariances[1]: 3 is the number of its entries, where 2 were expected; give a symmetric m",
    ),
    "a variance of 0": (
        lambda: law(covariances=[[1, 0], [1, 1]], covariance="diagonal"),
        "reference.covariances[0][1]: 0.0 is not positive; give a variance above 0",
    ),
    "a variance too small": (
        lambda: law(covariances=[1, 1e-20], covariance="spherical"),
        "reference.covariances[1]: 1e-20 is outside 1e-18 to 1e+18; measure in other units",
    ),
    "a matrix for a variance": (
        lambda: law(covariances=MATRICES, covariance="spherical"),
        "reference.covariances[0]: [[4.0, 2.0], [2.0, 5.0]] is not a number; give a variance for each comp",
    ),
    "no such type": (
        lambda: law(covariance="diag"),
        "reference.covariance: 'diag' is not known here; did you mean 'diagonal'? (known: full, tied,",
    ),
    "a key missing": (
        lambda: tb.Spec.from_toml('[reference]\nkind = "gaussian_mixture"\nweights = [1.0]'),
        "lacks the key 'means'; add means = ...",
    ),
    "an unknown key": (
        lambda: tb.Spec.from_toml('[reference]\nkind = "gaussian_mixture"\nweight = [1.0]'),
        "reference: 'weight' is not a known key; did you mean 'weights'?",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(make, message):
    if message.startswith("reference"):
        check(make, message)
    else:
        with pytest.raises(tb.SpecError) as caught:
            make()
        assert message in str(caught.value)


# Fitted to tables.


def clusters(rng, sizes=(60, 30, 10), d=2, apart=40.0):
    """Clusters far apart, large to small, shuffled; and their rows."""
    parts = [rng.normal(size=(n, d)) + apart * k for k, n in enumerate(sizes)]
    return rng.permutation(np.concatenate(parts)), parts


def yardstick(fitted):
    """Scikit-learn's mixture with the same parameters."""
    other = Yardstick(fitted.components)
    other.weights_, other.means_ = fitted.weight_vector, fitted.mean_matrix
    other.covariances_ = matrices(fitted)
    other.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(other.covariances_)).transpose(0, 2, 1)
    return other


@pytest.mark.parametrize("kind", COVARIANCES)
def test_fit_of_clusters_far_apart_is_theirs(kind):
    rows, parts = clusters(np.random.default_rng(8))
    fitted = tb.GaussianMixture.fit(rows, components=3, covariance=kind, floor=1e-18)
    np.testing.assert_allclose(fitted.weight_vector, [0.6, 0.3, 0.1], atol=1e-12)
    np.testing.assert_allclose(fitted.mean_matrix, [part.mean(axis=0) for part in parts], atol=1e-9)
    each = np.array([np.cov(part.T, ddof=0) for part in parts])
    expected = {
        "full": each,
        "tied": [np.average(each, axis=0, weights=[6, 3, 1])] * 3,
        "diagonal": [np.diag(np.diagonal(one)) for one in each],
        "spherical": [np.eye(2) * np.trace(one) / 2 for one in each],
    }[kind]
    np.testing.assert_allclose(matrices(fitted), expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_scikit_learn_finds_no_better_fit_nearby(kind):
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(size=(200, 3)), 1.5 * rng.normal(size=(100, 3)) + 2])
    fitted = tb.GaussianMixture.fit(rows, components=2, covariance="diagonal" if kind == "diag" else kind)
    ours = yardstick(fitted).score(rows)
    inverses = np.linalg.inv(matrices(fitted))
    start = {
        "full": inverses,
        "tied": inverses[0],
        "diag": np.diagonal(inverses, axis1=1, axis2=2),
        "spherical": inverses[:, 0, 0],
    }[kind]
    more = Yardstick(
        2,
        covariance_type=kind,
        weights_init=fitted.weight_vector / fitted.weight_vector.sum(),
        means_init=fitted.mean_matrix,
        precisions_init=start,
        tol=1e-7,
        max_iter=200,
    ).fit(rows)
    assert abs(more.score(rows) - ours) < 1e-3  # 1e-6 an iteration, many of them
    another = Yardstick(2, covariance_type=kind, n_init=2, tol=1e-5, max_iter=200, random_state=0)
    assert another.fit(rows).score(rows) < ours + 1e-3


@pytest.mark.parametrize("kind", COVARIANCES)
def test_bic_chooses(kind):
    rows, _ = clusters(np.random.default_rng(8), sizes=(80, 60, 50), apart=8.0)
    fits = {k: tb.GaussianMixture.fit(rows, components=k, covariance=kind, seed=4) for k in range(1, 6)}
    free = {"full": lambda k: 3 * k, "tied": lambda k: 3, "diagonal": lambda k: 2 * k}
    penalty = {k: (k - 1 + 2 * k + free.get(kind, lambda k: k)(k)) * math.log(len(rows)) for k in fits}
    bic = {k: penalty[k] - 2 * len(rows) * yardstick(one).score(rows) for k, one in fits.items()}
    assert min(bic, key=bic.get) == 3
    assert tb.GaussianMixture.fit(rows, components=[5, 3, 1, 2, 4, 3], covariance=kind, seed=4) == fits[3]
    assert (
        tb.GaussianMixture.fit(rows, components=range(4, 6), covariance=kind, seed=4)
        == fits[min((4, 5), key=bic.get)]
    )


def test_a_floor_of_the_width_of_rounding_keeps_bic_from_what_is_rounded():
    petals = load_iris().data[:, 2:]
    assert tb.GaussianMixture.fit(petals, components=range(1, 9), floor=0.1**2 / 12).components == 3
    assert tb.GaussianMixture.fit(petals, components=range(1, 9)).components == 8


def test_components_come_from_large_to_small():
    rows, parts = clusters(np.random.default_rng(2), sizes=(5, 50, 20), d=1)
    fitted = tb.GaussianMixture.fit(rows, components=3)
    assert list(fitted.weights) == sorted(fitted.weights, reverse=True)
    assert [round(mean[0]) // 40 for mean in fitted.means] == [1, 2, 0]
    np.testing.assert_allclose(np.array(fitted.covariances)[0, 0, 0], parts[1].var() + 1e-6, rtol=1e-9)


def test_one_component_is_the_gaussian():
    rows = np.random.default_rng(1).normal(size=(40, 3)) @ [[1, 0.5, 0], [0, 2, 0], [0, 0, 0.1]]
    one, normal = tb.GaussianMixture.fit(rows, components=1, floor=1e-18), tb.Gaussian.fit(rows)
    np.testing.assert_allclose(one.mean_matrix[0], normal.mean_vector, atol=1e-14)
    np.testing.assert_allclose(one.covariances[0], normal.covariance, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["t.csv", "t.npy", "t.parquet"])
def test_fit_reads_files(tmp_path, name):
    rows, _ = clusters(np.random.default_rng(5), d=3)
    path = tmp_path / name
    if name == "t.csv":
        path.write_text("a,b,c\n" + "\n".join(",".join(map(repr, row)) for row in rows.tolist()))
    elif name == "t.npy":
        np.save(path, rows)
    else:
        pq.write_table(pa.table({c: rows[:, i] for i, c in enumerate("abc")}), path)
    assert tb.GaussianMixture.fit(path, components=3) == tb.GaussianMixture.fit(rows, components=3)
    chosen = [2, 0] if name == "t.npy" else ["c", "a"]
    some = tb.GaussianMixture.fit(rows[:, [2, 0]], components=2, covariance="tied")
    assert tb.GaussianMixture.fit(str(path), chosen, components=2, covariance="tied") == some


ROWS = np.random.default_rng(0).normal(size=(20, 2))


def fit(table=ROWS, **more):
    return tb.GaussianMixture.fit(table, **{"components": 2} | more)


def with_(row, column, value):
    table = ROWS.copy()
    table[row, column] = value
    return table


TABLES = {
    "NaN": (lambda: fit(with_(3, 1, math.nan)), "table[3][1]: nan is not a finite number; leave the row out"),
    "infinite": (lambda: fit(with_(3, 1, math.inf)), "table[3][1]: inf is not a finite number; leave the"),
    "out of sight": (lambda: fit(with_(4, 0, 1e101)), "table[4][0]: 1e101 is beyond 1e+100; leave the row"),
    "a constant": (
        lambda: fit(np.column_stack([ROWS, np.ones(20)])),
        "table: 2 is a column with the same value in every row; leave the column out",
    ),
    "fewer rows": (
        lambda: fit(components=21),
        "table: 20 rows cannot give 21 components; give more rows, or fewer components",
    ),
    "fewer rows than the last": (
        lambda: fit(components=range(1, 65)),
        "table: 20 rows cannot give 64 components; give more",
    ),
    "one row": (lambda: fit([[1.0, 2.0]], components=1), "table: 1 row cannot give 1 component; give"),
    "fewer that differ": (
        lambda: fit(np.repeat(ROWS[:3], 9, axis=0), components=4),
        "table: 3 rows that differ cannot give 4 components; give more rows, or fewer",
    ),
    "33 columns": (
        lambda: fit(np.ones((100, 33))),
        "table: 33 columns of numbers exceed 32; name up to 32 of them",
    ),
    "what follows from others": (
        lambda: fit(1e8 * np.column_stack([ROWS, ROWS[:, 0] - 2 * ROWS[:, 1]])),
        "not positive definite; give fewer components or columns, a larger floor, or other units",
    ),
    "other units": (
        lambda: fit(1e10 * ROWS),
        "in the fit, as covariances[0][0][0], is outside 1e-18 to 1e+18; give fewer components or columns",
    ),
    "no components": (lambda: fit(components=[]), "components: [] is empty; give a number such as 3"),
    "none": (lambda: fit(components=0), "components: 0 is outside 1 to 64; give a number such as 3"),
    "words": (lambda: fit(components="three"), "components: 'three' is not a number; give a number such"),
    "a type": (lambda: fit(covariance="fulls"), "covariance: 'fulls' is not known here; did you mean 'full'"),
    "a seed": (lambda: fit(seed=-1), "seed: -1 is outside 0 to"),
    "starts": (lambda: fit(starts=0), "starts: 0 is outside 1 to 1,000; give a number of seeds such as 10"),
    "a floor": (lambda: fit(floor=0), "floor: 0.0 is outside [1e-18, 1e+18]; give a variance such as 1e-6"),
}


@pytest.mark.parametrize(("make", "message"), TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_fitted_is_refused(make, message):
    check(make, message)


def test_a_gap_in_a_file_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n3,\n5,1\n")
    with pytest.raises(tb.DataError, match=r"t\.csv, row 3, column 'b': '' is not a number; give a number"):
        fit(path)

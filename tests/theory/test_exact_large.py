# SPDX-License-Identifier: MIT
"""Presence at sizes where power sums stand for laws: inside the proved bounds, and these of use."""

import csv
import importlib.resources

import numpy as np
import pytest

from tailbiter.errors import SpecError
from tailbiter.theory import _ancestors, _bernoulli, _chances, _occupancy, exact
from tests.oracles import dual

Q = np.geomspace(1e-6, 0.9, 40)


@pytest.fixture
def concentrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let power sums stand for laws at small sizes too, where whole laws can judge them."""
    monkeypatch.setattr(_ancestors, "TOP", 45)
    monkeypatch.setattr(_ancestors, "FULL", 45)
    monkeypatch.setattr(_ancestors, "FEW", 15.0)
    monkeypatch.setattr(_chances, "_SMALLEST", 0)
    monkeypatch.setattr(_chances, "_WORK", 0.0)


def inside(found: exact.Predicted, truth: np.ndarray, slack: float) -> None:
    """The truth within the error stated, which is at most `slack`."""
    assert found.kind == "bound"
    assert found.error is not None
    assert (np.abs(found.values - truth) <= found.error + 1e-13).all()
    assert found.error.max() <= slack


@pytest.mark.parametrize(("size", "slack"), [(50, 2e-3), (130, 5e-4), (300, 5e-4), (800, 5e-4), (3000, 5e-4)])
@pytest.mark.usefixtures("concentrated")
def test_replace_is_inside_its_bound(size: int, slack: float) -> None:
    """From power sums to laws and on: 15 ancestors are left where laws take over, against 128 in use."""
    at = np.unique(np.geomspace(1, min(size, 300), 25).astype(int))
    truth, law, start = [], np.ones(1), size
    for t in range(1, at[-1] + 1):
        if t > 1:
            law, start = dual.throw(law, start, size)
        if t in at:
            truth.append(dual.absent_by(law, start, Q))
    inside(exact.absence(Q, [size] * at[-1], at), np.array(truth), slack)


@pytest.mark.parametrize("size", [900, 3000])
def test_replace_as_it_is_used(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ancestors, "FULL", _ancestors.TOP)
    at = [2, 5, 20, 60]
    truth = []
    for t in at:
        law, start = dual.ancestors([size] * t)
        truth.append(dual.absent_by(law, start, Q))
    inside(exact.absence(Q, [size] * 60, at), np.array(truth), 5e-7)


@pytest.mark.usefixtures("concentrated")
def test_varying_sizes_are_inside_their_bound() -> None:
    """Up, down, and through a generation so small that many balls fall into few boxes."""
    samples = [120, 150, 40, 300, 280, 500, 30, 30, 900, 1100, 700]
    at = np.arange(1, len(samples) + 1)
    truth = dual.absent(Q, samples)
    inside(exact.absence(Q, samples, at), truth, 2e-3)


@pytest.mark.usefixtures("concentrated")
def test_a_fixed_set_is_inside_its_bound() -> None:
    at = np.array([1, 2, 3, 5, 10, 40, 100])
    inside(exact.absence(Q, [300] * 100, at, kept=9), dual.absent_fixed(Q, [300] * 100, 9)[at - 1], 5e-4)


@pytest.mark.parametrize(("size", "fresh", "slack"), [(300, 1, 1e-3), (300, 9, 1e-4), (400, 200, 1e-6)])
@pytest.mark.usefixtures("concentrated")
def test_fresh_items_are_inside_their_bound(size: int, fresh: int, slack: float) -> None:
    at = np.array([0, 1, 2, 3, 5, 10, 40, 100])
    truth = dual.absent(Q, [size] * 100, [fresh] * 100)
    found = exact.absence(Q, [size] * 100, at, fresh=[fresh] * 100)
    inside(found, np.concatenate([np.zeros((1, len(Q))), truth[at[1:] - 1]]), slack)


@pytest.mark.usefixtures("concentrated")
def test_varying_fresh_items_are_inside_their_bound() -> None:
    samples = [200, 300, 350, 280, 400, 600, 320, 300]
    fresh = [0, 10, 0, 40, 3, 60, 320, 20]
    at = np.arange(1, len(samples) + 1)
    q = np.geomspace(1e-5, 0.5, 60)  # closer than what is followed: most lie between others
    found = exact.absence(q, samples, at, fresh=fresh)
    inside(found, dual.absent(q, samples, fresh), 2e-3)


@pytest.mark.usefixtures("concentrated")
def test_output_is_inside_its_bound() -> None:
    """A batch of n from generation t's model: a training set of n items, none fresh, at t+1."""
    samples, fresh, output = [300] * 30, [15] * 30, [285] * 30
    at = [0, 1, 2, 5, 29]
    found = exact.absence(Q, samples, at, fresh=fresh, output=output)
    truth = [(1 - Q) ** 300]
    for t in at[1:]:
        truth.append(dual.absent(Q, [*samples[:t], 285], [*fresh[:t], 0])[-1])
    inside(found, np.array(truth), 1e-4)


def test_ancestors_are_a_sum_of_independent_bernoulli_variables() -> None:
    """Newton: coefficients of a polynomial with real zeros only are log-concave, with room to spare."""
    law, start = dual.ancestors([40] * 12)
    k = start + np.arange(1, len(law) - 1)
    held = law[1:-1] > 1e-30
    ratio = law[1:-1] ** 2 / (law[:-2] * law[2:])
    least = (1 + 1 / k) * (1 + 1 / (40 - k).clip(min=1))
    assert (ratio[held] >= least[held] * (1 - 1e-9)).all()


def test_power_sums_follow_a_throw() -> None:
    """Against sums found from the exact law's factorial cumulants."""
    size = 400
    law, start = dual.ancestors([size] * 6)
    a = start + np.arange(len(law))
    first, second = law @ a, law @ (a - law @ a) ** 2
    third = law @ (a - first) ** 3
    # Sum of p(1-p)(1-2p) = S1 - 3 S2 + 2 S3.
    expected = first, first - second, (third - first + 3 * (first - second)) / 2
    sums = _bernoulli.certain(np.array(float(size)))
    for _ in range(5):
        sums = _bernoulli.throw(sums, size, size)
    for value, radius, truth in zip(sums[:3], sums[3:], expected, strict=True):
        assert abs(value - truth) <= radius + 1e-9 * truth
        assert radius <= 2e-3 * truth


def test_a_law_that_stands_in_is_as_near_as_it_says() -> None:
    sums = _bernoulli.certain(np.array(300.0))
    for _ in range(10):
        sums = _bernoulli.throw(sums, 300, 300)
    law, start, slack, slope = _occupancy.stand_in(sums)
    truth, begin = dual.ancestors([300] * 11)
    apart = np.abs(dual.absent_by(law, start, Q) - dual.absent_by(truth, begin, Q))
    assert (apart <= np.minimum(slack, slope * Q) + 1e-13).all()
    assert slack < 5e-6
    assert law @ (start + np.arange(len(law))) == pytest.approx(float(sums.first), rel=1e-9)


def test_bounds_of_log_absence_hold_for_any_bernoulli_variables() -> None:
    rng = np.random.default_rng(5)
    z = np.geomspace(1e-9, 0.999, 50)
    for shape in ((0.2, 0.2), (5, 1), (1, 30), (50, 1)):
        p = rng.beta(*shape, 60)
        sums = _bernoulli.Sums(*(np.array(np.sum(p**k)) for k in (1, 2, 3)), *np.zeros((3, 1)))
        low, high = _bernoulli.log_absence(sums, z)
        truth = -np.log1p(-np.outer(p, z)).sum(axis=0)
        assert (low <= truth * (1 + 1e-14)).all()
        assert (truth <= high * (1 + 1e-14)).all()


def shakespeare() -> tuple[np.ndarray, np.ndarray]:
    """Distinct probabilities of the words of the shipped training column, and how many share each."""
    path = importlib.resources.files("tailbiter.data") / "shakespeare.csv"
    with path.open(encoding="utf-8", newline="") as file:
        counts = np.array([int(row["train"]) for row in csv.DictReader(file)])
    each, copies = np.unique(counts[counts > 0], return_counts=True)
    return each / counts.sum(), copies


@pytest.mark.parametrize("size", [200_000, 10**9, 10**12])
def test_real_words_have_errors_far_below_one_word(size: int) -> None:
    q, copies = shakespeare()
    at = np.unique(np.geomspace(1, 2000, 60).astype(int))
    found = exact.expected(q, copies, [np.ones(len(q)), q], np.full(2000, size), at)
    assert found.mean.kind == "bound"
    assert found.mean.error is not None
    assert found.mean.error[:, 0].max() < 1e-4
    assert found.mean.error[:, 1].max() < 1e-7
    first = copies @ -np.expm1(size * np.log1p(-q))
    assert found.mean.values[0, 0] == pytest.approx(first, rel=1e-13)
    # Replace only loses; and over two generations it is the sum over everything the first leaves.
    assert (np.diff(found.mean.values[:, 0]) <= 1e-6).all()


def test_large_sizes_approach_the_branching_limit() -> None:
    """Expected count c << N: present with probability ``1 - exp(-c g_t)``, g_1 = 1, g' = 1 - exp(-g)."""
    size, c = 10**10, np.array([0.3, 3.0, 30.0])
    g = [1.0]
    for _ in range(99):
        g.append(-np.expm1(-g[-1]))
    at = np.array([1, 2, 10, 100])
    found = exact.absence(c / size, np.full(100, size), at)
    limit = np.exp(-np.outer(np.array(g)[at - 1], c))
    np.testing.assert_allclose(found.values, limit, rtol=1e-6)


def test_fresh_items_at_large_sizes_approach_the_branching_limit() -> None:
    """``exp(-N q (1 - f_{t-1}) - m q sum_{s<=t-2} (1 - f_s))``, f_0 = 0, f' = exp((1-alpha)(f-1))."""
    size, share, c = 10**10, 0.05, np.array([0.3, 3.0, 30.0])
    f = [0.0]
    for _ in range(60):
        f.append(np.exp((1 - share) * (f[-1] - 1)))
    at = np.array([1, 2, 3, 10, 60])
    found = exact.absence(c / size, np.full(60, size), at, fresh=np.full(60, size // 20))
    for row, t in zip(found.values, at, strict=True):
        left = np.array(f)
        limit = np.exp(-c * (1 - left[t - 1]) - share * c * np.sum(1 - left[: t - 1]))
        np.testing.assert_allclose(row, limit, rtol=1e-6)


@pytest.mark.usefixtures("concentrated")
def test_spread_from_power_sums_is_a_bound_within_a_few_per_cent() -> None:
    """Against all pairs; at t = 2 by power sums, later by laws that stand in."""
    q = 1.0 / (np.arange(1, 151) + 2.7)
    q /= q.sum()
    samples, at = [400] * 80, [2, 60, 80]
    found = exact.expected(q, np.ones(150), [np.ones(150)], samples, at)
    assert found.mean.kind == "bound"
    assert found.sd is not None
    for r, t in enumerate(at):
        law, start = dual.ancestors(samples[:t])
        mean, variance = dual.survivors(law, start, q, np.ones(150))
        assert found.mean.values[r, 0] == pytest.approx(mean, rel=1e-5)
        assert 1.0 <= found.sd.values[r, 0] / np.sqrt(variance) <= 1.1


@pytest.mark.parametrize(("size", "fresh"), [(100, 6), (200, 6)])
def test_spread_with_fresh_items_is_a_bound_of_use(size: int, fresh: int) -> None:
    q = 1.0 / (np.arange(1, 41) + 2.7)
    q /= q.sum()
    at, counts = [0, 1, 2, 12], ([size] * 12, [fresh] * 12)
    found = exact.expected(q, np.ones(40), [np.ones(40), q], counts[0], at, fresh=counts[1])
    assert found.sd is not None
    assert not found.sd.values[0].any()
    pairs = np.add.outer(q, q)
    alone, both = (dual.absent(x, *counts) for x in (q, pairs.ravel()))
    for row, t in zip(found.sd.values[1:], at[1:], strict=True):
        joint = both[t - 1].reshape(pairs.shape) - np.outer(alone[t - 1], alone[t - 1])
        np.fill_diagonal(joint, alone[t - 1] * (1.0 - alone[t - 1]))
        truth = np.sqrt([joint.sum(), q @ joint @ q])
        assert (row >= truth).all()
        assert (row <= 2.2 * truth).all()


@pytest.mark.usefixtures("concentrated")
def test_many_items_thrown_into_few() -> None:
    """Down to 1, 3, 40 or 600 items and up again: all boxes hit, or nearly, or not."""
    for few in (1, 3, 40, 600):
        for samples in ([700, few, 2000], [700, few, 900, 1500]):
            truth = dual.absent_by(*dual.ancestors(samples), Q)
            found = exact.absence(Q, samples, [len(samples)])
            error = np.zeros(len(Q)) if found.error is None else found.error[0]
            assert (np.abs(found.values[0] - truth) <= error + 1e-13).all()
            assert error.max() < 1e-5


def test_spread_can_be_left_out() -> None:
    for fresh in (None, [0, 1, 1]):
        assert exact.expected([0.5], [2], [[1]], [5, 5, 5], [3], fresh=fresh, spread=False).sd is None


def test_far_too_many_fresh_items_of_a_set_are_refused() -> None:
    samples = np.array([10**9, 10**9, 10**9, 10**9])
    with pytest.raises(SpecError, match="fresh"):
        exact.absence([0.3], samples, [4], fresh=[0, 10**8, 10**7, 0])

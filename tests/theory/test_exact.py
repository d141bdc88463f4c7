# SPDX-License-Identifier: MIT
"""Presence by the ancestral dual: against enumeration, the full chain, and an independent dual."""

from collections.abc import Callable

import numpy as np
import pytest

from tailbiter.errors import SpecError
from tailbiter.theory import exact
from tests.oracles import dual
from tests.oracles.chain import path_law
from tests.oracles.gallery import TINY
from tests.oracles.plan import Plan

NAMED = [name for name in TINY if name.startswith(("replace", "fresh", "fixed", "real-only", "mix-schedule"))]


def absent_by_enumeration(plan: Plan, t: int) -> np.ndarray:
    """Probability that each category is absent from generation t's training set."""
    result = np.zeros(plan.categories)
    for (vector,), p in path_law(plan, (t,)).items():
        result += p * (np.array(vector) == 0)
    return result


@pytest.mark.parametrize("name", NAMED)
def test_absence_is_that_of_enumeration(name: str) -> None:
    plan = TINY[name].plan
    at = range(1, len(plan.samples) + 1)
    fresh = plan.fresh or None
    found = exact.absence(plan.reference, plan.samples, list(at), fresh=fresh, kept=plan.kept)
    assert found.kind == "exact"
    expected = np.array([absent_by_enumeration(plan, t) for t in at])
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMED if not TINY[name].plan.kept])
def test_absence_from_the_output_is_that_of_enumeration(name: str) -> None:
    """The items of generation t+1 that are synthetic are the batch drawn from generation t's model."""
    plan = TINY[name].plan
    steps = range(1, len(plan.samples))
    output = [plan.parts(t + 1)[0] for t in steps]
    if min(output) == 0:
        output = [max(n, 2) for n in output]
    found = exact.absence(
        plan.reference, plan.samples, list(steps), fresh=plan.fresh or None, output=[*output, 1]
    )
    for row, t, n in zip(found.values, steps, output, strict=True):
        expected = np.zeros(plan.categories)
        for (vector,), p in path_law(plan, (t,)).items():
            expected += p * (1.0 - np.array(vector) / sum(vector)) ** n
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMED if TINY[name].plan.kept])
def test_absence_given_the_kept_set(name: str) -> None:
    """Where the kept set holds none: absence over the chance of that. Where it does: never absent."""
    plan = TINY[name].plan
    q, at = np.array(plan.reference), list(range(1, len(plan.samples) + 1))
    none = exact.absence(q, plan.samples, at, kept=plan.kept, held=np.zeros(len(q), dtype=bool)).values
    expected = np.array([absent_by_enumeration(plan, t) for t in at]) / (1 - q) ** plan.kept
    np.testing.assert_allclose(none, expected, rtol=1e-12)
    held = exact.absence(q, plan.samples, at, kept=plan.kept, held=np.ones(len(q), dtype=bool)).values
    assert not held.any()


@pytest.mark.parametrize("name", [name for name in NAMED if not TINY[name].plan.kept])
def test_the_full_chain_is_that_of_enumeration(name: str) -> None:
    plan = TINY[name].plan
    at = list(range(1, len(plan.samples) + 1))
    q, ones = np.array(plan.reference), np.ones(plan.categories)
    found = exact.count_laws(q, plan.samples, at, fresh=plan.fresh or None)
    sums = exact.count_sums(q, ones, plan.samples, at, fresh=plan.fresh or None)
    for r, t in enumerate(at):
        law, means = np.zeros(found[r].shape), np.zeros(3)
        for (vector,), chance in path_law(plan, (t,), view=tuple).items():
            law[np.arange(len(q)), vector] += chance
            p = np.array(vector) / sum(vector)
            held = p > 0
            entropy = -np.sum(p[held] * np.log(p[held]))
            apart = np.abs(p - q).sum() / 2
            means += chance * np.array([entropy, apart, -entropy - p @ np.log(q)])
        np.testing.assert_allclose(found[r], law, atol=1e-12)
        measured = [sums.entropy.values[r], sums.total_variation.values[r], sums.kl.values[r]]
        np.testing.assert_allclose(measured, means, atol=1e-12)


@pytest.mark.parametrize(
    ("samples", "fresh"),
    [
        ([60] * 40, None),
        ([60, 20, 90, 45, 200, 30, 70], None),
        ([80] * 40, [8] * 40),
        ([40, 50, 90, 300, 60], [0, 3, 7, 100, 60]),
        ([50] * 6, [50] * 6),
    ],
)
def test_absence_is_that_of_the_transition_matrix(samples: list[int], fresh: list[int] | None) -> None:
    q = np.array([1e-5, 0.003, 0.02, 0.15, 0.5, 0.93])
    at = np.arange(1, len(samples) + 1)
    laws = exact.count_laws(q, samples, at, fresh=fresh)
    found = exact.absence(q, samples, at, fresh=fresh)
    assert found.kind == "exact"
    np.testing.assert_allclose(found.values, laws[:, :, 0], rtol=0, atol=1e-10)
    if fresh is None:
        ends = np.array([laws[r, :, n] for r, n in enumerate(samples)])
        np.testing.assert_allclose(exact.fixation(q, samples, at).values, ends, rtol=0, atol=1e-10)


def test_transition_matrices_multiply_to_the_laws() -> None:
    one = exact.transition_matrix(30, 30, 0.1, fresh=4)
    start = exact.count_laws([0.1], [30], [1])[0, 0]
    law = exact.count_laws([0.1], [30] * 5, [5], fresh=[4] * 5)[0, 0]
    np.testing.assert_allclose(start @ np.linalg.matrix_power(one, 4), law, atol=1e-13)


@pytest.mark.parametrize("samples", [[700] * 120, [900, *[700] * 30], [300, 900, 650, 1200, 800, 1000]])
def test_absence_is_that_of_an_independent_dual(samples: list[int]) -> None:
    q = np.array([1e-6, 1e-4, 0.003, 0.05, 0.4, 0.9])
    at = np.unique(np.geomspace(1, len(samples), 12).astype(int))
    found = exact.absence(q, samples, at)
    assert found.kind == "exact"
    for row, t in zip(found.values, at, strict=True):
        law, start = dual.ancestors(samples[:t])
        np.testing.assert_allclose(row, dual.absent_by(law, start, q), rtol=1e-11, atol=1e-13)


def test_fixed_and_fresh_sets_are_those_of_an_independent_dual() -> None:
    q = np.array([1e-5, 0.003, 0.05, 0.4, 0.9])
    samples, at = [200] * 60, [1, 2, 7, 60]
    fixed = exact.absence(q, samples, at, kept=20)
    np.testing.assert_allclose(fixed.values, dual.absent_fixed(q, samples, 20)[np.array(at) - 1], atol=1e-13)
    fresh = exact.absence(q, samples, at, fresh=[20] * 60)
    np.testing.assert_allclose(fresh.values, dual.absent(q, samples, [20] * 60)[np.array(at) - 1], atol=1e-13)


def test_survivors_and_their_spread() -> None:
    """The bound of the standard deviation holds, and is within a thousandth of it."""
    value = 1.0 / (np.arange(1, 201) + 2.7)
    q, copies = value / value.sum(), np.ones(200)
    samples, at = [400] * 80, [0, 1, 2, 10, 30, 80]
    found = exact.expected(q, copies, [np.ones(200), q], samples, at)
    assert found.mean.kind == "exact"
    assert found.sd is not None
    np.testing.assert_allclose(found.mean.values[0], [200, 1])
    assert found.sd.values[0] == pytest.approx([0, 0])
    for r, t in enumerate(at[1:], 1):
        law, start = dual.ancestors(samples[:t])
        mean, variance = dual.survivors(law, start, q, copies)
        assert found.mean.values[r, 0] == pytest.approx(mean, rel=1e-12)
        assert found.mean.values[r, 1] == pytest.approx(q @ (1 - dual.absent_by(law, start, q)), rel=1e-12)
        assert 1.0 <= found.sd.values[r, 0] / np.sqrt(variance) <= 1.001


def mandelbrot(k: int) -> np.ndarray:
    """Zipf-Mandelbrot probabilities: exponent 1, shift 2.7, ranks from 1."""
    value = 1.0 / (np.arange(1, k + 1) + 2.7)
    return value / value.sum()


def test_published_share_of_words_present() -> None:
    at = [1, 2, 3, 4, 5, 9, 10]
    q = mandelbrot(1000)
    found = exact.expected(q, np.ones(1000), [np.full(1000, 1e-3)], [1000] * 10, at).mean
    assert found.kind == "exact"
    share = found.values[:, 0]
    known = [0.39007, 0.29259, 0.23941, 0.20469, 0.17983, 0.12393, 0.11541]
    assert share == pytest.approx(known, abs=5.1e-6)
    assert share[[1, 2, 4, 6]] / share[0] == pytest.approx([0.7501, 0.6138, 0.4610, 0.2959], abs=5.1e-5)


@pytest.mark.parametrize(
    ("k", "n", "mean", "sd"),
    [
        (10, 10, 17.50, 10.1),
        (10, 100, 187.43, 107),
        (10, 1000, 1893.5, 1075),
        (2, 100, 136.60, None),
        (100, 100, 196.74, None),
    ],
)
def test_published_generations_until_one_category_is_left(
    k: int, n: int, mean: float, sd: float | None
) -> None:
    found, spread = exact.collapse_time([1 / k], [k], n)
    assert float(found.values) == pytest.approx(mean, rel=3e-5, abs=0.0051)
    assert sd is None or float(spread.values) == pytest.approx(sd, rel=5e-3)


def test_time_of_collapse_is_the_sum_of_its_tail() -> None:
    q, copies = np.array([0.5, 0.125]), np.array([1, 4])
    at = np.arange(1, 1500)
    beyond = 1.0 - exact.collapse(q, copies, [40] * 1500, at).values
    mean, sd = exact.collapse_time(q, copies, 40)
    assert float(mean.values) == pytest.approx(1.0 + beyond.sum(), rel=1e-11)
    square = 1.0 + np.sum((2 * at + 1) * beyond)
    assert float(sd.values) == pytest.approx(np.sqrt(square - float(mean.values) ** 2), rel=1e-9)


def test_far_generations_by_powers() -> None:
    """A category wins with its probability in the reference, however far ahead that is asked."""
    q = np.array([0.1, 0.3, 0.6])
    found = exact.fixation(q, np.full(1_000_000, 50), [1_000_000])
    np.testing.assert_allclose(found.values[0], q, rtol=1e-9)
    fresh = np.full(1_000_000, 60)
    late = exact.absence(q[:1], np.full(1_000_000, 3000), [3000, 1_000_000], fresh=fresh)
    np.testing.assert_allclose(late.values[0], late.values[1], rtol=1e-9)


def test_a_set_of_all_and_of_nothing() -> None:
    for fresh in (None, [0, 2, 2]):
        found = exact.absence([0.0, 1.0], [5, 5, 5], [0, 1, 3], fresh=fresh)
        assert found.values == pytest.approx(np.array([[1.0, 0.0]] * 3))
    assert exact.absence([1.0], [5, 5], [2], kept=2).values == 0.0
    assert exact.absence([0.3], [5, 4], [0], output=[5, 4]).values == pytest.approx(0.7**5)


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("mass", lambda: exact.absence([1.5], [5], [1])),
        ("at", lambda: exact.absence([0.5], [5], [2])),
        ("at", lambda: exact.absence([0.5], [5, 5], [2, 1])),
        ("samples", lambda: exact.absence([0.5], [5, 0], [2])),
        ("samples", lambda: exact.absence([0.5], [5.5], [1])),
        ("samples", lambda: exact.absence([0.5], [], [0])),
        ("fresh", lambda: exact.absence([0.5], [5, 5], [2], fresh=[0, 6])),
        ("fresh", lambda: exact.absence([0.5], [5, 5], [2], fresh=[0])),
        ("kept", lambda: exact.absence([0.5], [5, 3], [2], kept=4)),
        ("kept", lambda: exact.absence([0.5], [5, 5], [2], kept=2, fresh=[0, 1])),
        ("kept", lambda: exact.absence([0.5], [5, 5], [1], kept=2, output=[3, 3])),
        ("held", lambda: exact.absence([0.5], [5, 5], [1], kept=2, held=[True, False])),
        ("mass", lambda: exact.absence([1.0], [5, 5], [1], kept=2, held=[False])),
        ("weights", lambda: exact.expected([0.5], [2], [[1, 1]], [5], [1])),
        ("weights", lambda: exact.expected([0.5], [2], [[-1]], [5], [1])),
        ("size", lambda: exact.collapse_time([0.5], [2], 5000)),
        ("mass", lambda: exact.collapse_time([0.5], [3], 50)),
        ("balls", lambda: exact.occupancy(5, 10_000)),
        ("boxes", lambda: exact.occupancy(5, 10, marked=6)),
        ("samples", lambda: exact.count_laws([0.5], [5000], [1])),
        ("at", lambda: exact.count_laws([0.5], [50], [0, 1])),
        ("fresh", lambda: exact.transition_matrix(5, 5, 0.1, fresh=6)),
    ],
)
def test_what_cannot_be_told_is_refused(field: str, call: Callable[[], object]) -> None:
    with pytest.raises(SpecError) as error:
        call()
    assert error.value.field == field
    assert "\n" not in str(error.value)

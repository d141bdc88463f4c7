# SPDX-License-Identifier: MIT
"""Closed forms of bent models, beside exact laws of few samples and the maps that they solve."""

import math

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.errors import SpecError
from tailbiter.theory import selection, shaping, states

Q = np.array([0.5, 0.3, 0.2])
AT = [0, 1, 2, 5]


def iterated(step: object, last: int, first: np.ndarray = Q) -> np.ndarray:
    rows = [first, first]
    while len(rows) <= last:
        weights = step(rows[-1][None])[0]
        rows.append(weights / weights.sum())
    return np.array(rows)


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.8])
def test_heated_models_have_their_log_odds_multiplied(temperature: float) -> None:
    decoding = tb.Decoding(temperature=temperature)
    want = iterated(lambda p: shaping.decoded(decoding, p, whole=False), 5)[AT]
    np.testing.assert_allclose(selection.heated(Q, temperature, AT).values, want, rtol=1e-12)
    odds = selection.heated(Q, temperature, [1, 2]).values
    assert math.log(odds[1, 0] / odds[1, 1]) == pytest.approx(math.log(5 / 3) / temperature)


def test_preferred_models_are_weighed_by_e_to_the_reward() -> None:
    reward = np.array([0.0, 1.0, -0.5])
    choice = tb.Choice(k=math.inf, reward=reward.tolist())
    want = iterated(lambda p: shaping.curated(choice, reward, p), 5)[AT]
    np.testing.assert_allclose(selection.preferred(Q, reward, AT).values, want, rtol=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.85, 1.0])
def test_the_best_of_the_best_are_the_best_of_all(share: float) -> None:
    """Cuts, one a generation, beside the one cut that the form makes; two categories have one reward."""
    q, reward = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.0, 1.0, 1.0, -2.0])
    best = tb.TopShare(share=share, reward=reward.tolist())
    want = iterated(lambda p: shaping.curated(best, reward, p), 30, q)
    np.testing.assert_allclose(selection.topped(q, reward, share, range(31)).values, want, rtol=1e-12)


@pytest.mark.parametrize(("reward", "order"), [([0.0, 1.0], 1.0), ([1.0, 0.0], 0.5)])
def test_the_best_share_of_many_items_lies_near_its_limit(reward: list[float], order: float) -> None:
    """By every training set: an error of order 1/N; where the share ends with a level, of 1/sqrt(N)."""
    spec = tb.Spec(
        reference=tb.Counts([6, 4]),
        groups=["x", "y"],
        generations=2,
        curation=tb.TopShare(share=0.6, reward=reward),
    )
    limit = selection.topped([6, 4], reward, 0.6, [2]).values[0]
    apart = []
    for samples in (100, 400, 1600):
        th = tb.predict(spec.replace(samples=samples), record=tb.Record(variables=["group_mass"]))
        assert th.group_mass.attrs["kind"] == "exact"
        apart.append(np.abs(th.group_mass.values[2] - limit).max() * samples**order)
    assert max(apart) < 0.7
    assert order == 1.0 or min(apart) > 0.3  # so that the bound is no idle one


def test_rewards_further_apart_than_doubles_go_leave_the_best() -> None:
    found = selection.preferred(Q, [-1.7e308, 1.7e308, 1.7e308], [1, 2, 10**6]).values
    np.testing.assert_allclose(found, [Q, [0, 0.6, 0.4], [0, 0.6, 0.4]], rtol=1e-12)


@pytest.mark.parametrize("top_p", [0.5, 0.83, 0.97])
def test_nucleus_sampling_keeps_no_less_than_is_said(top_p: float) -> None:
    """Of 400 categories by Zipf's law; one step keeps hardly more, so that the form is no idle one."""
    q = 1 / np.arange(1.0, 401.0)
    q /= q.sum()
    rows = iterated(lambda p: shaping.decoded(tb.Decoding(top_p=top_p), p, whole=False), 20, q)
    kept = (rows > 0) @ q
    least = selection.least_kept(top_p, np.arange(21)).values
    assert (kept >= least - 1e-12).all()
    assert kept[2] - least[2] < 0.16


@pytest.mark.parametrize("difference", [-2.0, 0.1, 1.0])
def test_two_candidates_have_a_coefficient_at_every_frequency(difference: float) -> None:
    rewards = np.array([difference, 0.0])
    p = np.array([[0.1, 0.9], [0.5, 0.5], [0.99, 0.01]])
    after = shaping.curated(tb.Choice(k=2, reward=rewards.tolist()), rewards, p)[:, 0]
    found = selection.advantage(difference)
    assert found.kind == "exact"
    np.testing.assert_allclose(after - p[:, 0], found.values * p[:, 0] * p[:, 1], rtol=1e-12)


@pytest.mark.parametrize("candidates", [3, 4, 7])
def test_more_candidates_have_one_for_small_differences_only(candidates: int) -> None:
    p = np.array([[0.3, 0.7]])

    def apart(difference: float) -> float:
        rewards = np.array([difference, 0.0])
        after = shaping.curated(tb.Choice(k=candidates, reward=rewards.tolist()), rewards, p)[0, 0]
        known = float(selection.advantage(difference, candidates).values)
        return abs((after - 0.3) / (0.3 * 0.7) / known - 1)

    assert apart(1e-4) < 1e-4
    assert apart(2.0) > 0.02


def test_fixation_is_near_the_exact_one() -> None:
    """THEORY: N = 100, p = .1, difference .02: .2096 by diffusion, .20948 exactly."""
    rewards = np.array([0.02, 0.0])
    choice = tb.Choice(k=2, reward=rewards.tolist())
    step = states.Step(100, 0, lambda sets: shaping.curated(choice, rewards, sets))
    exact = states.fixation(step)
    shares = np.arange(101) / 100
    coefficient = float(selection.advantage(0.02).values)
    near = selection.fixation(shares, coefficient, 100)
    assert near.kind == "limit"
    assert exact[10] == pytest.approx(0.20948, abs=5e-6)
    assert float(near.values[10]) == pytest.approx(0.2096, abs=5e-5)
    np.testing.assert_allclose(near.values, exact, atol=2e-3)
    np.testing.assert_allclose(selection.fixation(shares, 0.0, 100).values, shares)


@pytest.mark.slow
def test_runs_fix_the_better_category_as_often_as_is_exact() -> None:
    """False alarms 1e-9 (Hoeffding); sees .02: without the reward it would be .1."""
    runs = 40_000
    spec = tb.Spec(
        reference=tb.Counts([9, 1]),
        curation=tb.Choice(k=2, reward=[0.0, 0.2]),
        samples=10,
        generations=300,
        replicates=runs,
        seed=11,
    )
    ds = tb.simulate(
        spec, record=tb.Record(generations=[300], variables=["largest_share", "total_variation"])
    )
    assert (ds.largest_share.values == 1).all()
    won = float((ds.total_variation.values > 0.5).mean())
    rewards = np.array([0.0, 0.2])
    step = states.Step(10, 0, lambda sets: shaping.curated(spec.curation, rewards, sets))
    _, law = states.first(10, np.array([9.0, 1.0]))
    exact = 1 - float(law @ states.fixation(step))
    assert abs(won - exact) < math.sqrt(math.log(2e9) / (2 * runs)) < 0.02
    assert abs(exact - 0.1) > 0.04


@pytest.mark.parametrize(("good", "bad"), [(0.9, 0.2), (0.5, 0.5), (0.4, 0.9), (0.9, 0.81)])
def test_verified_output_has_the_wrong_share_that_its_map_has(good: float, bad: float) -> None:
    e, w, want = 0.1, 0.0, [0.0, 0.0]
    for _ in range(30):
        out = e + (1 - e) * w
        w = bad * out / (bad * out + good * (1 - out))
        want.append(w)
    found = selection.verified(e, good, bad, range(32)).values
    np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-15)
    assert selection.verified(e, good, bad, 10**6).values[0] <= 1.0


def test_what_a_crawl_keeps() -> None:
    detector = tb.Detector(tpr=0.8, fpr=0.25)
    spec = tb.Spec(reference=tb.Uniform(3), regime=tb.Crawl(real=0.4), detector=detector, samples=9)
    th = tb.predict(spec.replace(generations=2), record=tb.Record(generations=[2], variables=["real_share"]))
    known = selection.kept_share(0.4, 0.8, 0.25)
    assert known.kind == "exact"
    assert float(th.real_share[0]) == pytest.approx(float(known.values))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: selection.heated(Q, 0.0, 1),
        lambda: selection.heated([0.5, -0.1], 1.0, 1),
        lambda: selection.least_kept(1.1, 1),
        lambda: selection.least_kept(0.5, [-1]),
        lambda: selection.advantage(1.0, 1),
        lambda: selection.fixation(1.2, 0.1, 10),
        lambda: selection.verified(0.1, 0.0, 0.5, 1),
        lambda: selection.topped([0.5, 0.5], [0.0, 1.0], 0.0, 1),
        lambda: selection.kept_share(0.1, 2, 0),
        lambda: selection.kept_share(2, 0.5, 0),
        lambda: selection.topped([0.5, 0.5], [0.0, float("nan")], 0.5, 2),
        lambda: selection.preferred([0.5, 0.5], [0.0], 2),
        lambda: selection.fixation(0.1, 0.01, -5),
        lambda: selection.advantage(float("nan")),
    ],
)
def test_bad_input_is_one_line(ask: object) -> None:
    with pytest.raises(SpecError) as caught:
        ask()
    assert "\n" not in str(caught.value)


LIMITS = {
    "temperature": {"decoding": tb.Decoding(temperature=0.9)},
    "top-p": {"decoding": tb.Decoding(top_p=0.85)},
    "choice": {"curation": tb.Choice(k=3, reward=[0.0, 0.2, 0.1, 0.5])},
    "best-of": {"curation": tb.BestOf(k=2, reward=[0.0, 0.2, 0.1, 0.5])},
    "top-share": {"curation": tb.TopShare(share=0.95, reward=[0.0, 1.0, 1.0, 0.5])},
    "top-share with errors": {
        "error_rate": 0.03,
        "curation": tb.TopShare(share=0.9, reward=[0.0, 1.0, 1.0, 0.5], wrong=2.0),
    },
    "verifier": {
        "error_rate": 0.1,
        "curation": tb.Verifier(accepts_good=0.9, accepts_bad=0.4, reward=[1.0] * 4),
    },
    "by band": {
        "regime": tb.Crawl(real=0.3),
        "bands": (2e8,),
        "detector": tb.Detector(tpr=(0.2, 0.8), fpr=(0.5, 0.0)),
    },
    "turing, pooled": {"regime": tb.Accumulate(), "estimator": tb.GoodTuring(), "fault": tb.LabelNoise(0.2)},
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_met_by_large_runs(name: str) -> None:
    """With 1e9 samples chance moves shares by some 1e-4; the levers move them by .01 and more."""
    spec = tb.Spec(
        reference=tb.Counts([40, 30, 20, 10]),
        samples=10**9,
        generations=8,
        replicates=4,
        seed=5,
        **LIMITS[name],
    )
    th, ds = tb.predict(spec), tb.simulate(spec)
    names = [str(n) for n in th.data_vars if th[n].attrs.get("kind") == "limit"]
    assert {"entropy", "kl", "total_variation", "largest_share"} <= set(names)
    for one in names:
        np.testing.assert_allclose(ds[one].mean("replicate"), th[one], atol=1e-3, err_msg=one)
    assert float(th.total_variation[-1]) > 0.01 or "error_rate" in LIMITS[name]

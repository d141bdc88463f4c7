# SPDX-License-Identifier: MIT
"""Theory of Poisson and exponential laws, against enumeration, quadrature and what is known elsewhere."""

import json
import math
import sys

import numpy as np
import pytest
from scipy import integrate, stats

import tailbiter as tb
from tailbiter.errors import PredictionError, SpecError
from tailbiter.theory import moments, totals
from tests.totals.gallery import LAWS, REGIMES, spec_of

ALL = tb.Record(generations="all")


@pytest.mark.parametrize("regime", REGIMES)
def test_one_category_is_the_case_of_two_items(regime: str) -> None:
    made = spec_of(regime=REGIMES[regime]).composition
    np.testing.assert_allclose(
        totals.spread(made, "bernoulli").values, moments.identity(made).values, rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("regime", REGIMES)
def test_spread_by_the_weights_of_all_batches(law: str, regime: str) -> None:
    """Every model is a weighted sum of batches' means: covariances of all of them, in one full table."""
    made = spec_of(regime=REGIMES[regime]).composition
    np.testing.assert_allclose(
        totals.spread(made, law).values, full_table(made, totals.CURVATURE[law]), rtol=1e-12
    )


def full_table(made, c):
    """Variances of the models; sources of all generations as rows of one covariance matrix."""
    sizes = made.samples[:-1].astype(int)
    first, kept = int(sizes[0]), int(made.kept)
    # Human items of generation 1 and the kept set one by one: the simplest of all.
    count = max(first, kept)
    cov = np.eye(count)
    model = np.zeros(count)
    model[:first] = 1 / first
    out, batches = [0.0, model @ cov @ model], [(model * first, first)]
    for t in range(1, len(sizes)):
        fresh, old = int(made.fresh[t]), int(made.from_kept[t])
        rest = int(sizes[t]) - fresh - old
        k = len(cov)
        own = (1 + c * (model @ cov @ model)) / rest if rest else 0.0
        grown = np.zeros((k + 2, k + 2))
        grown[:k, :k] = cov
        grown[k, k], grown[k + 1, k + 1] = own, 1 / fresh if fresh else 0.0  # what is new in a batch's mean
        cov = grown
        weight = [1, 1, 1] if made.item_weights is None else made.item_weights[t].astype(float)
        batch = rest * padded(model, k + 2) * weight[0]
        batch[k] = rest * weight[0]
        batch[k + 1] = fresh * weight[1]
        batch[:old] += weight[2] if old else 0.0
        batches.append((batch, np.dot(weight, [rest, fresh, old])))
        ages = [1] * (t + 1) if made.ages.size == 0 else made.ages[: t + 1].tolist()
        used = list(zip(ages, batches[::-1], strict=False))
        model = sum(w * padded(b, k + 2) for w, (b, _) in used) / sum(w * n for w, (_, n) in used)
        out.append(model @ cov @ model)
    return out


def test_replace_in_closed_form() -> None:
    made = spec_of(samples=[7, 3, 5, 10], generations=3).composition
    sizes = np.array([7, 3, 5])
    np.testing.assert_allclose(totals.spread(made, "poisson").values[1:], np.cumsum(1 / sizes), rtol=1e-14)
    expected = np.cumprod(1 + 1 / sizes) - 1
    np.testing.assert_allclose(totals.spread(made, "exponential").values[1:], expected, rtol=1e-13)


def padded(row, length):
    """The row, with what came later at 0."""
    return np.append(row, np.zeros(length - len(row)))


ABSORBING = ["replace", "fresh", "golden", "real only", "accumulate", "fresh and all"]


@pytest.mark.parametrize("regime", ABSORBING)
def test_absorption_by_enumeration(regime: str) -> None:
    """The law of the training set's weighted sum, stepped in full and cut at 1e-16."""
    spec = spec_of(regime=REGIMES[regime], samples=4, generations=4)
    made, rate = spec.composition, 0.4
    found = totals.absorbed(made, rate).values
    law, weight = {(0,): 1.0}, 0.0
    expected = [0.0]
    for t in range(4):
        fresh = int(made.fresh[t])
        rest = int(made.samples[t]) - fresh
        w = (1, 1) if made.item_weights is None else tuple(int(x) for x in made.item_weights[t, :2])
        keep = made.ages.size == 0
        total = w[0] * rest + w[1] * fresh + (weight if keep else 0)
        new: dict[tuple[int], float] = {}
        human = stats.poisson(rate * fresh).pmf(np.arange(26)) if fresh else [1.0]
        for (before,), chance in law.items():
            mean = rate * rest if t == 0 else before / weight * rest
            made_here = stats.poisson(mean).pmf(np.arange(45)) if mean else [1.0]
            for a, pa in enumerate(made_here):
                for b, pb in enumerate(human):
                    p = chance * pa * pb
                    if p > 1e-13:
                        key = (a * w[0] + b * w[1] + (before if keep else 0),)
                        new[key] = new.get(key, 0.0) + p
        law, weight = new, total
        expected.append(law.get((0,), 0.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-9)


def test_absorption_in_long_runs_is_the_branching_limit() -> None:
    made = spec_of(samples=50, generations=2000).composition
    g = [1.0]
    for _ in range(1999):
        g.append(-math.expm1(-g[-1]))
    expected = np.exp(-50 * 0.4 * np.array(g))
    np.testing.assert_allclose(totals.absorbed(made, 0.4).values[1:], expected, rtol=1e-11)


@pytest.mark.parametrize("n", [1, 3, 40, 10**6])
def test_decay_of_the_logarithm(n: int) -> None:
    found = totals.log_scale([n, n], [1, 2])
    law = stats.gamma(n, scale=1 / n)
    low, high = law.ppf(1e-15), law.isf(1e-15)
    mean = integrate.quad(lambda x: np.log(x) * law.pdf(x), low, high, epsabs=1e-14, limit=200)[0]
    square = integrate.quad(lambda x: np.log(x) ** 2 * law.pdf(x), low, high, epsabs=1e-14, limit=200)[0]
    assert found.values[0] == pytest.approx(mean, abs=1e-11)
    assert found.variance[0] == pytest.approx(square - mean**2, rel=1e-6, abs=1e-11)
    assert found.values[1] == pytest.approx(2 * found.values[0], rel=1e-15)


# Beside the simulation.


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("law", LAWS)
def test_agrees(law: str, regime: str) -> None:
    """False alarms: 1e-9 each."""
    found = tb.verify(spec_of(law, REGIMES[regime]), rate=1e-9, replicates=2000)
    assert found.agrees, found.text()
    judged = {row.variable for row in found.rows if row.verdict == "agrees"}
    wanted = {"squared_mean_error", "rate" if law == "poisson" else "scale"}
    if law == "poisson" and regime in ABSORBING:
        wanted.add("absorbed")
    if law == "exponential" and regime == "replace":
        wanted |= {"log_scale", "kl"}
    assert judged == wanted


@pytest.mark.parametrize(
    ("law", "parted"), [("poisson", "absorbed"), ("exponential", "log_scale")], ids=lambda x: x
)
def test_batches_smaller_by_an_item_part(law: str, parted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(spec: tb.Spec, **arguments: object) -> object:
        return tb.simulate(spec.replace(samples=9), **arguments)

    monkeypatch.setattr(sys.modules[tb.verify.__module__], "simulate", wrong)
    found = tb.verify(spec_of(law, samples=10, generations=20), rate=1e-9, replicates=20_000)
    assert parted in {row.variable for row in found.rows if row.verdict == "parts"}


def test_what_is_not_known_says_why() -> None:
    left_out = json.loads(tb.predict(spec_of("exponential", tb.Accumulate())).attrs["left_out"])
    assert left_out["log_scale"].startswith("regime: ")
    assert (
        left_out["mass_above"]
        == "record.variables: 'mass_above' has no known mean; simulate it, or leave it out"
    )
    with pytest.raises(PredictionError, match=r"^regime: 'P\(rate = 0\)' is not known where models share"):
        tb.predict(spec_of(regime=tb.Window(2)), record=tb.Record(variables=["absorbed"]))
    with pytest.raises(SpecError, match=r"^law: 'gauss' is not a law with a quadratic variance"):
        totals.spread(spec_of().composition, "gauss")
    with pytest.raises(SpecError, match=r"^regime: 'Var m_t' is not known where items are drawn"):
        totals.spread(
            tb.Spec(reference=tb.Uniform(2), regime=tb.AccumulateSubsample()).composition, "poisson"
        )

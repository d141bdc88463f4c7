# SPDX-License-Identifier: MIT
"""Families that ship: items have their law, and fits are best; kernel densities against exact moments."""

import numpy as np
import pytest
from scipy import stats

import tailbiter as tb
from tailbiter._core import item as core
from tailbiter.errors import MemoryEstimateError, SpecError
from tailbiter.jit._kernel import KernelModel, Kernels, silverman
from tailbiter.jit._mixture import Law, MixtureModel
from tailbiter.testing import assert_mean, replicates_of
from tests.jit.test_rules import address

N = 40_000
BOUND = np.sqrt(np.log(2 * 10 / 1e-9) / (2 * N))  # Massart's, at 1e-9 over ten tests; sees .0173
SHIPPED = {
    "laplace": (tb.jit.laplace, [1.0, 2.0], stats.laplace(1.0, 2.0)),
    "log_normal": (tb.jit.log_normal, [0.5, 0.8], stats.lognorm(0.8, scale=np.exp(0.5))),
    "student_t": (tb.jit.student_t, [1.0, 2.0, 3.0], stats.t(3.0, 1.0, 2.0)),
}


def model_of(name):
    family, parameters, law = SHIPPED[name]
    return MixtureModel(family, Law(np.ones(1), np.array([parameters])), (1e-18, 1e-10, 200)), law


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_items_have_their_law(name):
    model, law = model_of(name)
    x = model.draw(model.law, address(), N, core.Control())
    assert BOUND < 0.0173
    assert stats.kstest(x, law.cdf).statistic < BOUND
    assert stats.kstest(x * 1.1, law.cdf).statistic > BOUND


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_densities_are_scipys_and_fits_are_best(name):
    """The log-likelihood in the fit is scipy's, and no step of a parameter makes it larger."""
    model, law = model_of(name)
    x, w = law.rvs(500, random_state=3), np.random.default_rng(1).integers(1, 4, 500).astype(float)
    once = MixtureModel(model.family, model.law, (1e-18, 0.0, 1))
    _, how = once.fit(model.law, x, w, "a test", core.Control())
    assert abs(how.log_likelihood - (w * law.logpdf(x)).sum() / w.sum()) < 1e-12
    best, _ = model.fit(model.law, x, w, "a test", core.Control())
    top = once.fit(best, x, w, "a test", core.Control())[1].log_likelihood
    assert top > how.log_likelihood
    for j in range(2):  # the degrees of freedom of t stay as they are
        for step in (1e-3, -1e-3):
            off = best.parameters.copy()
            off[0, j] += step
            other = once.fit(Law(np.ones(1), off), x, w, "a test", core.Control())[1].log_likelihood
            assert other < top


def test_kernel_items_are_points_and_normal_steps():
    """Two points far apart, weights 1 to 3: places by a count, steps by Massart's bound; all at 1e-9."""
    law = Kernels.of(np.array([[0.0], [1000.0]]), np.array([2.0]), np.array([1.0, 3.0]))
    model, control = KernelModel(law, None, 1.0), core.Control()
    x = model.draw(law, address(), N, control)
    far = x[:, 0] > 500
    assert abs(far.mean() - 0.75) < np.sqrt(np.log(2 / 1e-9) / (2 * N))  # Hoeffding; sees .017
    assert stats.kstest((x[:, 0] - 1000 * far) / 2, "norm").statistic < BOUND
    slots = np.array([N - 1, 0, 300], np.uint64)
    assert (model.gather(law, address(), slots, control) == x[slots.astype(int)]).all()


def test_silvermans_rule():
    x = np.random.default_rng(1).normal(size=(200, 3)) * [1.0, 2.0, 5.0]
    assert np.abs(silverman(x, np.ones(200)) / (x.std(axis=0) * (4 / (5 * 200)) ** (1 / 7)) - 1).max() < 1e-13
    twice = np.concatenate([x, x])
    same = silverman(x, np.full(200, 2.0))
    assert np.abs(same / silverman(x, np.ones(200)) - 1).max() < 1e-13
    assert (silverman(twice, np.ones(400)) < same).all()


@pytest.mark.slow
def test_variance_of_fixed_kernels():
    """E V_t = (1 - 1/n) E V_(t-1) + h^2: at 1e-9, an effect of .15; without the 1/n it is off by .18."""
    spec = tb.Spec(reference=tb.KDE([0.0], 1.0), estimator=tb.Smoothing(0.5), samples=20, generations=3)
    variance = replicates_of(spec, lambda ds: ds["variance"].isel(dimension=0))
    right, wrong = [1.0], [1.0]
    for _ in range(3):
        right.append((1 - 1 / 20) * right[-1] + 0.25)
        wrong.append(wrong[-1] + 0.25)
    assert_mean(variance, right, effect=0.15, sd=1.5)
    with pytest.raises(AssertionError):
        assert_mean(variance, wrong, effect=0.15, sd=1.5)


REGIMES = {
    "replace": tb.Replace(),
    "accumulate": tb.Accumulate(),
    "subsample": tb.AccumulateSubsample(draw=40),
    "hoard": tb.Anchored(real=0.25, source="hoard", hoard=50),
    "weighted": tb.Mix((tb.Fresh(share=0.3, weight=0.7), tb.Synthetic(weight=0.3))),
}


@pytest.mark.parametrize("name", REGIMES)
def test_kernel_runs_have_the_same_bits_however_run(name, tmp_path):
    law = tb.KDE([[0.0, 0.0], [1.0, 2.0]], 0.5)
    spec = tb.Spec(reference=law, regime=REGIMES[name], samples=60, generations=6, replicates=4)
    two, one = (tb.simulate(spec, threads=threads) for threads in (2, 1))
    longer = tb.simulate(spec.replace(generations=8, replicates=5), threads=2)
    for variable in two.data_vars:
        assert (two[variable].values == one[variable].values).all()
        assert (two[variable].values == longer[variable].values[:4, :7]).all()
    assert tb.Spec.from_toml(spec.to_toml()) == spec
    assert tb.read_run(tb.write_run(two, spec, tmp_path / "run")).equals(two)
    assert "outside the promise" in two.attrs["bits"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tb.KDE([], 1.0), "reference.points"),
        (lambda: tb.KDE([[0.0], [1.0, 2.0]], 1.0), "reference.points[1]"),
        (lambda: tb.KDE([0.0], -1.0), "reference.bandwidth: -1.0 is outside"),
        (lambda: tb.KDE([0.0], [1.0, 2.0]), "reference.bandwidth"),
        (lambda: tb.Smoothing("scott"), "estimator.bandwidth: 'scott' is not known here"),
        (lambda: tb.Smoothing(scale=-1), "estimator.scale"),
        (
            lambda: tb.Spec(reference=tb.KDE([0.0], 1.0), estimator=tb.EM()),
            "estimator: 'em' does not fit the models of a kde",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_memory_of_models_that_pools_keep():
    law = tb.KDE([0.0], 1.0)
    spec = tb.Spec(reference=law, regime=tb.AccumulateSubsample(), samples=10**7, generations=10**5)
    with pytest.raises(MemoryEstimateError, match="needs"):
        tb.simulate(spec)

# SPDX-License-Identifier: MIT
"""Curation that accepts nothing of what a model puts out: one line, and no results."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tailbiter as tb
from tailbiter.cli import main
from tests.oracles.stat import count_test, require

LINE = (
    "curation: {'accepts_bad': 0.0, 'accepts_good': 0.9} accepts nothing of what the model of generation 1 "
    "of replicate 0 puts out; give both rates above 0"
)


def spec_of(**fields: Any) -> tb.Spec:
    """One item of 50 even categories, of which the last is accepted: seldom drawn, and not by this seed."""
    strict = tb.Verifier(accepts_good=0.9, accepts_bad=0, reward=[0] * 49 + [1])
    base: dict[str, Any] = {"samples": 1, "generations": 4, "replicates": 1, "seed": 1, "curation": strict}
    return tb.Spec(**{"reference": tb.Uniform(50)} | base | fields)


def keep(weights: Any, ranks: Any, others: Any, other: Any, generation: Any) -> Any:
    return other


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_says_which_model_it_was(threads: int) -> None:
    with pytest.raises(tb.SpecError) as caught:
        tb.simulate(spec_of(), threads=threads)
    assert str(caught.value) == LINE
    assert str(pickle.loads(pickle.dumps(caught.value))) == LINE


def test_so_does_one_with_a_rule_of_a_users() -> None:
    with pytest.raises(tb.SpecError) as caught:
        tb.simulate(spec_of(decoding=tb.Decoding(rule=keep)))
    assert str(caught.value) == LINE


def test_any_rate_above_zero_will_do() -> None:
    strict = tb.Verifier(accepts_good=0.9, accepts_bad=5e-324, reward=[0] * 49 + [1])
    ds = tb.simulate(spec_of(curation=strict))
    assert (ds.survivors.values[:, 1:] == 1).all()


@pytest.mark.parametrize("weight", [0.5, None])
def test_what_is_wrong_keeps_its_share_after_nothing_was_right(weight: float | None) -> None:
    """Of what follows half wrong items a share e + (1 - e) / 2 is wrong, whatever the model before.

    False alarm 1e-9; sees a share that is off by .03.
    """
    spec = spec_of(
        reference=tb.Zipf(10),
        samples=4,
        generations=6,
        replicates=10_000,
        curation=None,
        error_rate=0.5,
        decoding=tb.Decoding(top_k=8),
        estimator=tb.Shrinkage(target="previous", weight=weight),
        regime=tb.Anchored(real=[0, 0, 0, 0, 0.5, 0]),
    )
    wrong = tb.simulate(spec, record=tb.Record(generations="all", variables=["wrong_mass"])).wrong_mass.values
    after = wrong[(wrong[:, 4] == 1) & (wrong[:, 5] == 0.5), 6]
    items = round(float(after.sum()) * 4)
    require(count_test(items, 4 * len(after), 0.75), effect=0.03)


@pytest.mark.parametrize("k", [2, 3, float("inf")])
@pytest.mark.parametrize("reward", [(-1e300, 0, 800), (-1.7e308, 0, 1.7e308)])
def test_rewards_may_differ_by_any_amount(k: float, reward: tuple[float, ...]) -> None:
    """The best there is is all that is taken, or nearly; where only the worst is left, it is."""
    choice = tb.Choice(k=k, reward=reward)
    spec = spec_of(reference=tb.Counts([3, 2, 1]), samples=[5, 1000], curation=choice, generations=2)
    ds = tb.simulate(
        spec.replace(replicates=20),
        record=tb.Record(generations=[2], snapshots=[1, 2], variables=["survivors"]),
    )
    best, found = [np.full(20, -1) for _ in range(2)], set()
    rows = (ds[f"snapshot_{name}"].values for name in ("generation", "replicate", "category"))
    for t, r, i in zip(*rows, strict=True):
        best[t - 1][r] = max(best[t - 1][r], i)
        found.add((t, r, i))
    assert set(best[0].tolist()) > {2}
    assert (best[0] == best[1]).all()
    assert k < 10 or all(i == best[0][r] for t, r, i in found if t == 2)


def test_the_command_line_prints_the_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "spec.toml", tmp_path / "out"
    path.write_text(spec_of().to_toml(), encoding="utf-8")
    assert main(["run", str(path), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert LINE in told
    assert not out.exists() or not any(out.iterdir())


def test_in_a_sweep_it_is_a_failed_cell_and_the_others_finish(tmp_path: Path) -> None:
    sweep = tb.Sweep(spec_of(), {"curation.accepts_bad": [0.0, 0.1]})
    store = tb.run_sweep(sweep, tmp_path / "store")
    (failed,) = store.failures().values()
    assert (failed.kind, failed.message) == ("SpecError", LINE)
    assert store.status().done == 1

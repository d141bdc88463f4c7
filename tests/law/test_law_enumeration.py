# SPDX-License-Identifier: MIT
"""The engine against complete enumeration: every regime, K = 2 to 5, whole paths over several generations."""

from collections.abc import Iterable

import pytest

from tests.law.runs import REGIMES, tiny_spec, trainings
from tests.oracles.compare import REPLICATES, compare_paths
from tests.oracles.gallery import TINY
from tests.oracles.stat import require


def test_every_run_of_the_gallery_has_its_spec() -> None:
    assert REGIMES.keys() == TINY.keys()


@pytest.mark.parametrize("name", sorted(TINY))
def test_every_path_has_its_probability(name: str) -> None:
    """False alarms 1e-9 a run; effect: chi-square distance .16 (total variation at most .08)."""
    compare(name, seeds=(1,), effect=0.16)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TINY))
def test_every_path_has_its_probability_five_times_longer(name: str) -> None:
    """As above; chi-square distance .07."""
    compare(name, seeds=range(2, 7), effect=0.07)


@pytest.mark.verification
@pytest.mark.parametrize("name", sorted(TINY))
def test_every_path_has_its_probability_hundred_times_longer(name: str) -> None:
    """As above; chi-square distance .016."""
    compare(name, seeds=range(100, 200), effect=0.016)


def compare(name: str, *, seeds: Iterable[int], effect: float) -> None:
    tiny = TINY[name]
    batches = (trainings(tiny_spec(name, REPLICATES, seed), tiny.at) for seed in seeds)
    for verdict in compare_paths(tiny, batches):
        require(verdict, effect=effect, name=name)

# SPDX-License-Identifier: MIT
"""Of very many distinct probabilities some are followed, the rest held between: within the stated error."""

import numpy as np
import pytest

from tailbiter.theory import _chances, exact

MASS = np.sort(np.concatenate([np.geomspace(1e-7, 0.4, 900), [0.0, 1.0]]))


@pytest.mark.parametrize("order", [1, -1], ids=["ascending", "descending"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"samples": [300] * 200, "at": [0, 1, 2, 17, 200]},
        {"samples": [20_000] * 60, "at": [0, 1, 5, 60]},
        {"samples": [20_000] * 60, "at": [1, 60], "kept": 150},
        {"samples": [5_000] * 30, "at": [0, 1, 30], "output": [70] * 30},
    ],
    ids=["full laws", "power sums", "fixed set", "output"],
)
def test_held_between_within_the_error(arguments: dict, order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mass = MASS[::order]
    each = exact.absence(mass, **arguments)
    monkeypatch.setattr(_chances, "_MANY", 100)
    monkeypatch.setattr(_chances, "_FINE", 0.1)
    held = exact.absence(mass, **arguments)
    assert held.kind == "bound"
    allowed = held.error + (0.0 if each.error is None else each.error)
    assert np.all(np.abs(held.values - each.values) <= allowed + 1e-13)  # rounding of an absence near 1
    present = 1.0 - each.values
    assert np.all(held.error <= 2e-3 * np.maximum(present, 1e-9)), "a bound that says little"
    assert not np.array_equal(held.values, each.values), "each mass was followed after all"


def test_few_nodes_are_no_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chances, "_MANY", 2)
    mass = np.array([0.1, 0.2, 0.7])
    assert exact.absence(mass, [50] * 9, [9]).kind == "exact"

# SPDX-License-Identifier: MIT
"""The Gaussian bench runs, and refuses to time a side that simulates another law."""

import json

import numpy as np
import pytest

from bench import gaussian


def test_a_look_at_all_cases(tmp_path, capsys):
    assert gaussian.main(["--smoke", "--json", str(tmp_path / "report.json")]) == 0
    made = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert made["cases"].keys() == {case.title for case in gaussian.CASES}
    assert "MISSED" not in capsys.readouterr().out


def test_an_unbiased_divisor_is_another_law(monkeypatch):
    case = gaussian.CASES[0]
    gaussian.agree(case)

    def unbiased(case, seed):
        means, factors = right(case, seed)
        steps = np.arange(case.theirs + 1)[:, None, None]
        return means, factors * (case.samples / (case.samples - 1)) ** (steps / 2)

    right = gaussian.their_loop
    monkeypatch.setattr(gaussian, "their_loop", unbiased)
    with pytest.raises(SystemExit, match="numpy leaves"):
        gaussian.agree(case)

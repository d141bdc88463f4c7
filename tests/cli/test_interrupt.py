# SPDX-License-Identifier: MIT
"""Ctrl-C counts even where the exception that it raises is swallowed."""

import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tailbiter._interrupt import check, guarded, held
from tailbiter.reference import Uniform
from tailbiter.run_files import write_run
from tailbiter.simulate import simulate
from tailbiter.spec import Spec

SPEC = Spec(reference=Uniform(categories=8), samples=8, generations=5, replicates=2)


def press_and_swallow() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def finishes() -> int:
    press_and_swallow()
    return 0


def fails() -> int:
    press_and_swallow()
    raise AttributeError("half an import")


@pytest.mark.parametrize("command", [finishes, fails])
def test_a_swallowed_interrupt_counts(command: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(command) == 130
    assert capsys.readouterr().err == "interrupted: nothing was written\n"
    check()  # forgotten once told
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_is_published_after_a_swallowed_interrupt(tmp_path: Path) -> None:
    ds = simulate(SPEC)

    def command() -> int:
        press_and_swallow()
        write_run(ds, SPEC, tmp_path / "run", picture=False)
        return 0

    assert guarded(command) == 130
    assert list(tmp_path.iterdir()) == []


def test_other_failures_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)
    assert guarded(lambda: 2) == 2


def test_a_handler_of_somebody_else_is_left_alone() -> None:
    pressed = []
    before = signal.signal(signal.SIGINT, lambda signum, _: pressed.append(signum))
    try:
        assert guarded(finishes) == 0
        with held("done"):
            signal.raise_signal(signal.SIGINT)
            assert len(pressed) == 1  # the one before
        assert len(pressed) == 2
    finally:
        signal.signal(signal.SIGINT, before)

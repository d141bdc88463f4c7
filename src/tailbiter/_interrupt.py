# SPDX-License-Identifier: MIT
"""Ctrl-C that is not lost: a flag beside the exception, since some libraries swallow the exception.

Arrow, for one, imports pandas while it converts an array and drops whatever that import raises.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["EXIT_STATUS", "check", "guarded", "held", "promise"]

EXIT_STATUS = 130
NOTHING = "nothing was written"


class _State:
    """Of this process, as signal handlers are."""

    pressed = False
    outcome = NOTHING


def _press(_signum: int, _frame: FrameType | None) -> None:
    _State.pressed = True
    raise KeyboardInterrupt


def check() -> None:
    """Stop here if Ctrl-C was pressed, even if the exception that it raised was swallowed.

    Raises
    ------
    KeyboardInterrupt
        If it was pressed inside `guarded`.
    """
    if _State.pressed:
        raise KeyboardInterrupt


def promise(outcome: str) -> None:
    """Say what Ctrl-C will have left behind, from here on.

    Parameters
    ----------
    outcome : str
        For the message.
    """
    _State.outcome = outcome


@contextmanager
def held(outcome: str) -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended, so that what it does is done as a whole.

    Parameters
    ----------
    outcome : str
        What has happened once the block has ended, for the message.

    Raises
    ------
    KeyboardInterrupt
        Before the block, or after it.
    """
    check()
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    late = []
    signal.signal(signal.SIGINT, lambda signum, _: late.append(signum))
    try:
        yield
        _State.outcome = outcome
    finally:
        signal.signal(signal.SIGINT, handler)
    if late:
        handler(late[0], None)


def guarded(main: Callable[[], int]) -> int:
    """Run a command so that Ctrl-C ends it with one line on stderr, whatever happened to the exception.

    Parameters
    ----------
    main : callable
        Returns the exit status.

    Returns
    -------
    int
        What `main` returned, or `EXIT_STATUS`.
    """
    # A shell has its background jobs ignore Ctrl-C; a program that embeds this one may have its own handler.
    own = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    _State.outcome = NOTHING
    try:
        if own:
            signal.signal(signal.SIGINT, _press)
        status = main()
        check()
    except KeyboardInterrupt:
        return _say()
    except Exception:
        # What a swallowed interrupt left half-done may have failed in any way.
        if _State.pressed:
            return _say()
        raise
    finally:
        if own:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _State.pressed = False
    return status


def _say() -> int:
    print(f"interrupted: {_State.outcome}", file=sys.stderr)
    return EXIT_STATUS

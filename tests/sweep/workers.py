# SPDX-License-Identifier: MIT
"""Functions that worker processes run in place of the engine's; imported there by name."""

import os
import signal

from tailbiter.execute import _cells

RUN = _cells.Runner.run


def fail_for_50_samples(runner, batch, control=None):
    """One value of a field fails in whatever runs it."""
    lower = runner.family.lower

    def failing(spec, record):
        if spec.samples == 50:
            raise ArithmeticError("no such luck")
        return lower(spec, record)

    runner.family = type("Failing", (type(runner.family),), {"lower": staticmethod(failing)})()
    return RUN(runner, batch, control)


def die_for_50_samples(runner, batch, control=None):
    """One value of a field takes its process with it."""
    if any(runner.sweep.spec(number).samples == 50 for number in batch.numbers):
        os.kill(os.getpid(), signal.SIGKILL)
    return RUN(runner, batch, control)


def begin_dying() -> None:
    """Initialiser of a worker in which some cells are fatal."""
    from tailbiter.execute import _pools

    _pools._begin_worker()
    _cells.Runner.run = die_for_50_samples

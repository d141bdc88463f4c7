# SPDX-License-Identifier: MIT
"""Settings shared by every test."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests that interrupt a run
# would wait for ever. A handler of our own becomes the default again in every child.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples depend on the test alone: no clock, no database of past failures. What passed once passes again.
settings.register_profile("ci", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("verification", parent=settings.get_profile("ci"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _figures_are_closed() -> Iterator[None]:
    """Matplotlib keeps every figure that is drawn without axes, and warns from the twenty-first on."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module's mark is on all of its tests: one of two tiers would run at full size where time is short."""
    tiers = ("slow", "verification")
    both = [item.nodeid for item in items if all(map(item.get_closest_marker, tiers))]
    if both:
        raise pytest.UsageError(
            f"marked {' and '.join(tiers)}: {', '.join(both)}; move these to a module of their own"
        )
    # Begun last, one of these would keep one processor busy long after the other.
    items.sort(key=lambda item: item.get_closest_marker("long") is None)

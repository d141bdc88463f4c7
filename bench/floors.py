# SPDX-License-Identifier: MIT
"""What no implementation can pass on this machine: random words alone, and gathers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailbiter import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def measure() -> dict[str, float]:
    """Return nanoseconds per element of each floor that this build of the core measures, by name."""
    core: Callable[[], Mapping[str, float]] = getattr(_core, "floors", dict)
    return {name: float(value) for name, value in core().items()}

# SPDX-License-Identifier: MIT
"""What no implementation can pass on this machine: random words alone, and gathers alone."""

from __future__ import annotations

from tailbiter import _core


def measure() -> dict[str, float]:
    """Return nanoseconds per element of each floor that the core measures."""
    return {name: float(value) for name, value in _core.floors().items()}

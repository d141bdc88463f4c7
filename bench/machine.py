# SPDX-License-Identifier: MIT
"""Facts without which a time means nothing."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    families = [
        line.partition(":")[2].strip() for line in lines if line.startswith(("cpu family", "model\t"))
    ]
    return f"{names[0]} (family {families[0]}, model {families[1]})" if names else platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of what is compared, as far as it is installed."""
    found = {}
    for name in ("tailbiter", "numpy", "numba", "xarray", "scikit-learn", "simuPOP"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def facts() -> dict[str, Any]:
    """Return processor, load, instruction sets, compiler, versions, and the floors of this machine."""
    from bench import floors
    from tailbiter import _core

    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions(),
        "isa": _core.isa(),
        "build": _core.build_info(),
        "floors": floors.measure(),
    }

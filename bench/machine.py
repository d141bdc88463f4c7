# SPDX-License-Identifier: MIT
"""Facts without which a time means nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
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


def facts() -> dict[str, Any]:
    """Return processor, load, instruction sets, compiler and versions."""
    from tailbiter import _core

    packages = ("tailbiter", "numpy", "numba", "xarray")
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "isa": _core.isa(),
        "build": _core.build_info(),
    }

# SPDX-License-Identifier: MIT
"""Where a part was made, and by what."""

from __future__ import annotations

import datetime as dt
import platform
from functools import cache
from typing import Any

__all__ = ["provenance"]


def provenance() -> dict[str, Any]:
    """Everything that may explain a difference between two parts, apart from what they hold."""
    return {**_machine(), "written": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}


@cache
def _machine() -> dict[str, Any]:
    import numpy as np

    import tailbiter
    from tailbiter import _core

    return {
        "tailbiter": tailbiter.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "host": platform.node(),
        "isa": _core.isa()["chosen"],
        "build": _core.build_info(),
    }

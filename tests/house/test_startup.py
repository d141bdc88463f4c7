# SPDX-License-Identifier: MIT
"""``import tailbiter`` is light: heavy packages load when they are used."""

import json
import statistics
import subprocess
import sys

HEAVY = ("cyclopts", "matplotlib", "numba", "pandas", "pyarrow", "scipy", "tqdm", "xarray")
# Processor time, not wall time: the test must not depend on what else the machine does.
PROBE = """
import json, sys, time
begun = time.process_time()
import tailbiter
spent = time.process_time() - begun
print(json.dumps([spent, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
# A module loaded later must not take the place of a public name that is spelled like it.
LATER = """
import importlib, pkgutil
import tailbiter
for found in pkgutil.walk_packages(tailbiter.__path__, "tailbiter."):
    importlib.import_module(found.name)
modules = [name for name in tailbiter.__all__ if type(getattr(tailbiter, name)).__name__ == "module"]
print(*modules)
"""


def probe() -> tuple[float, list[str]]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    spent, modules = json.loads(done.stdout)
    return spent, modules


def test_import_loads_nothing_heavy() -> None:
    _, modules = probe()
    assert "tailbiter" in modules
    assert set(HEAVY).isdisjoint(modules)


def test_import_takes_less_than_a_fifth_of_a_second() -> None:
    assert statistics.median(probe()[0] for _ in range(7)) < 0.2


def test_public_names_stay_when_their_modules_load() -> None:
    done = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["jit", "plot", "testing", "theory"]

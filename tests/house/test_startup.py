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

# SPDX-License-Identifier: MIT
"""Other instruction sets, a forked child, and Ctrl-C: each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tailbiter import _core
from tests.bits.gallery import GOLDEN

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("avx512", "avx2", "sse2", "plain")

FORKED = """
import json, os, sys
import tailbiter as tb
from tests.bits.gallery import fingerprint, gallery
spec = gallery()["replace"]
if sys.argv[1] == "after a run":
    tb.simulate(spec, threads=2)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, json.dumps(fingerprint(tb.simulate(spec, threads=2))).encode())
    os._exit(0)
here = fingerprint(tb.simulate(spec, threads=2))
there = json.loads(os.read(read, 65536))
assert os.waitpid(child, 0)[1] == 0
assert there == here, (there, here)
print("same")
"""

LONG = """
import sys
import tailbiter as tb
zipf = tb.Zipf(categories=10**6)
runs = {
    "many categories": dict(reference=zipf, samples=10**6, replicates=64),
    "one lineage": dict(reference=zipf, samples=10**12, replicates=1),
    "many replicates": dict(reference=tb.Uniform(categories=99), samples=10**6, replicates=50_000),
    "accumulate": dict(reference=zipf, regime=tb.Accumulate(), samples=10**6, replicates=8),
    "subsample": dict(reference=zipf, regime=tb.AccumulateSubsample(), samples=10**6, replicates=8),
    "anchored": dict(reference=zipf, regime=tb.Anchored(real=0.5), samples=10**8, replicates=8),
}
spec = tb.Spec(generations=9999, **runs[sys.argv[1]])
record = tb.Record(generations=[spec.generations], variables=["survivors"])
print("go", flush=True)
try:
    tb.simulate(spec, record=record, threads=2)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def python(*arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_this_machine_finds_the_plain_set() -> None:
    assert "plain" in _core.isa()["found"]
    assert _core.isa()["chosen"] in _core.isa()["found"]


@pytest.mark.parametrize("name", NAMES)
def test_every_instruction_set_gives_the_committed_bits(name: str) -> None:
    """Sets that this machine lacks are refused, not replaced by another in silence."""
    if name not in _core.isa()["found"]:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            python("-c", "import tailbiter._core", TAILBITER_ISA=name)
        assert name in refused.value.stderr
        return
    found = json.loads(python("-m", "tests.bits.gallery", TAILBITER_ISA=name))
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("when", ["after import", "after a run"])
def test_a_forked_child_runs_and_gives_the_same_bits(when: str) -> None:
    assert python("-c", FORKED, when) == "same\n"


@pytest.mark.parametrize(
    "name", ["many categories", "one lineage", "many replicates", "accumulate", "subsample", "anchored"]
)
def test_ctrl_c_stops_a_run_within_a_second(name: str) -> None:
    command = [sys.executable, "-c", LONG, name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "go\n"
        time.sleep(0.7)  # well into the run
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        assert process.stdout.readline() == "stopped\n"
        assert time.monotonic() - sent < 1.0
        process.wait(timeout=10)
    assert process.returncode == 0

# SPDX-License-Identifier: MIT
"""The same program gives the same bits, whatever the blocks, order, instruction set and what is recorded."""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tailbiter as tb
from tailbiter._core import gaussian
from tailbiter._core.common import Control, found_isas
from tests.gaussian.programs import EVERY, REGIMES, program, run

GOLDEN = Path(__file__).with_name("golden.json")
ROWS = 19


def digest(out):
    """Hash of every output, by name."""
    state = hashlib.sha256()
    for name in sorted(out.out):
        state.update(name.encode() + out[name].tobytes())
    return state.hexdigest()[:16]


def gallery():
    """Hashes of a few runs of every regime."""
    sizes = [(1, 40, 1), (3, 5, 0), (6, 3, 1), (9, 200, 0)]
    return {
        f"{name}, d={d}, n={n}, ddof={ddof}": digest(run(program(regime, n, 6, d=d, ddof=ddof), ROWS))
        for name, regime in REGIMES.items()
        for d, n, ddof in sizes
        if n > 3 or name not in ("golden", "part of the pool")
    }


def test_golden():
    assert gallery() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("isa", found_isas())
def test_every_instruction_set(isa):
    code = "import json; from tests.gaussian.test_gaussian_bits import gallery; print(json.dumps(gallery()))"
    env = {**os.environ, "TAILBITER_ISA": isa}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("name", REGIMES)
def test_blocks_and_order(name):
    source = program(REGIMES[name], 12, 5, d=3)
    whole = digest(run(source, ROWS))
    assert digest(run(source, ROWS, [(11, 19), (0, 3), (4, 11), (3, 4)])) == whole
    assert digest(run(source, ROWS, [(i, i + 1) for i in reversed(range(ROWS))])) == whole


def test_threads():
    source = program(tb.Window(2), 40, 50, d=4)
    made = gaussian.Engine(source)
    out, control = made.outputs(64), Control()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: made.run(start, start + 4, out, control), range(0, 64, 4)))
    whole = run(source, 64)
    assert all((out[name] == whole[name]).all() for name in EVERY)
    assert control.progress == 64 * 50


def test_length_and_what_is_recorded():
    longer = run(program(tb.Accumulate(), 12, 9, d=3), ROWS)
    shorter = run(program(tb.Accumulate(), 12, 4, d=3, at=[2, 4], variables=("kl", "factor")), ROWS)
    for name in ("kl", "factor"):
        assert (longer[name][:, [2, 4]] == shorter[name]).all()


def test_more_dimensions_extend_fewer():
    """Coordinate i uses the same words whatever comes after it."""
    wide, narrow = np.diag([1.0, 2.0, 3.0]), np.diag([1.0, 2.0])
    a = run(program(samples=9, d=3, law=(np.zeros(3), wide), variables=("factor", "mean")), ROWS)
    b = run(program(samples=9, d=2, law=(np.zeros(2), narrow), variables=("factor", "mean")), ROWS)
    assert (a["mean"][..., :2] == b["mean"]).all()
    assert (a["factor"][..., :3] == b["factor"]).all()


def test_cancel():
    made = gaussian.Engine(program(generations=1000))
    control = Control()
    control.cancel()
    with pytest.raises(KeyboardInterrupt):
        made.run(0, 8, made.outputs(8), control)
    assert control.progress == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ddof": 2}, "ddof"),
        ({"mean": np.array([np.nan, 0.0])}, "not finite"),
        ({"factor": np.array([1.0, 0.0, 0.0])}, "diagonal"),
        ({"factor": np.ones(4)}, "no triangle"),
        ({"at": np.array([2, 1], np.uint32)}, "ascend"),
        ({"at": np.array([9], np.uint32)}, "beyond the end"),
        ({"samples": np.zeros(9, np.uint64)}, "no items"),
        ({"samples": np.full(9, 10**15 + 1, np.uint64)}, "10^15"),
        ({"draw": np.ones(9, np.uint64)}, "not from plain batches"),
        ({"draw": np.full(9, 31, np.uint64), "ages": np.zeros(0, np.uint64)}, "larger than the pool"),
        ({"from_kept": np.array([0, *[5] * 8], np.uint64), "kept": 4}, "kept set"),
        ({"from_kept": np.array([0, *[5] * 8], np.uint64), "kept": 2**40}, "addresses"),
        ({"mean": np.zeros(201), "factor": np.ones(201 * 101)}, "200"),
        ({"fresh": np.zeros(3, np.uint64)}, "fresh"),
    ],
)
def test_refusals(change, words):
    source = program()
    vars(source).update(change)
    with pytest.raises(ValueError, match=words.replace("^", r"\^")):
        gaussian.Engine(source)


def test_arrays_that_do_not_fit():
    made = gaussian.Engine(program())
    out, control = made.outputs(4), Control()
    with pytest.raises(ValueError, match="no range"):
        made.run(3, 3, out, control)
    with pytest.raises(ValueError, match="mean"):
        made.run(0, 5, out, control)
    out["rank"] = out["rank"].astype(np.int64)
    with pytest.raises(ValueError, match="rank"):
        made.run(0, 4, out, control)
    assert made.state_bytes > 1000

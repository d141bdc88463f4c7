# SPDX-License-Identifier: MIT
"""The same program gives the same bits, whatever the blocks, order, instruction set, memory and record."""

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
from tailbiter._core import em, mixture
from tailbiter._core.common import Control, found_isas
from tests.mixture.programs import ALL, REGIMES, program, random_law, run

GOLDEN = Path(__file__).with_name("golden.json")
SHAPES = [(1, 3), (2, 2), (3, 4), (6, 2)]


def digest(out):
    """Hash of every output, by name."""
    state = hashlib.sha256()
    for name in sorted(out):
        state.update(name.encode() + np.ascontiguousarray(out[name]).tobytes())
    return state.hexdigest()[:16]


def law(dimension, components, covariance):
    """A law of whole numbers over powers of two: nothing in it depends on a library's functions."""
    rng = np.random.default_rng([dimension, components])
    shape = em.factor_shape(covariance, components, dimension)
    weights = np.array([*rng.integers(1, 5, components - 1) / 32, 0])
    weights[-1] = 1 - weights.sum()
    factors = rng.integers(1, 8, shape) / 8
    return weights, rng.integers(-40, 40, (components, dimension)) / 4, factors


def gallery():
    """Hashes of a few runs of every regime."""
    out = {}
    for index, (name, regime) in enumerate(REGIMES.items()):
        covariance = em.COVARIANCES[index % 4]
        for d, k in SHAPES:
            for start in mixture.STARTS:
                given = program(law(d, k, covariance), covariance, regime=regime, samples=307, generations=3)
                given.start = start
                out[f"{name}, {covariance}, d={d}, k={k}, {start}"] = digest(run(given, 2))
    return out


def test_golden():
    assert gallery() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("isa", found_isas())
def test_every_instruction_set(isa):
    code = "import json; from tests.mixture.test_mixture_bits import gallery; print(json.dumps(gallery()))"
    env = {**os.environ, "TAILBITER_ISA": isa}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("name", REGIMES)
def test_blocks_order_and_memory(name):
    """Items that are made anew for every pass are those that were held."""
    given = program(law(2, 3, "full"), regime=REGIMES[name], samples=5000, generations=4, iterations=3)
    whole = run(given, 5)
    made = mixture.Engine(given)
    out = made.outputs(5)
    for start, stop in [(4, 5), (0, 2), (3, 4), (2, 3)]:
        made.run(start, stop, out, Control())
    assert digest(out) == digest(whole)
    for memory in (1, 200_000):  # none, and room for two batches
        given.memory = memory
        assert digest(run(given, 5)) == digest(whole)


def test_threads():
    given = program(law(2, 2, "full"), samples=200, generations=20)
    made = mixture.Engine(given)
    out, control = made.outputs(32), Control()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: made.run(start, start + 2, out, control), range(0, 32, 2)))
    assert digest(out) == digest(run(given, 32))
    assert control.progress == 32 * 20


def test_length_and_what_is_recorded():
    reference = law(2, 2, "full")
    longer = run(program(reference, regime=tb.Accumulate(), generations=7), 3)
    shorter = run(
        program(
            reference,
            regime=tb.Accumulate(),
            generations=4,
            at=np.array([2, 4], np.uint32),
            variables=("means", "l2_squared"),
        ),
        3,
    )
    for name in ("means", "l2_squared"):
        assert (longer[name][:, [2, 4]] == shorter[name]).all()
    assert set(longer) == set(ALL)


def test_one_batch_in_other_pieces():
    """Normals are by place: with one component a longer batch continues a shorter one."""
    one = (np.ones(1), np.zeros((1, 3)), np.ones((1, 3)))
    short, _ = mixture.sample(1000, one, "diagonal", 3, 2, 1)
    longer, _ = mixture.sample(4099, one, "diagonal", 3, 2, 1)
    assert (longer[:1000] == short).all()


def test_random_laws_differ():
    rng = np.random.default_rng(1)
    first, second = (run(program(random_law(1, 2, "full", rng))) for _ in range(2))
    assert digest(first) != digest(second)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(gallery(), indent=1) + "\n")

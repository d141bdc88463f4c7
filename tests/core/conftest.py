# SPDX-License-Identifier: MIT
"""The scalar mathematics of the core, compiled by itself and called without the package."""

import ctypes
import os
import shlex
import subprocess
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[2] / "csrc"
SOURCES = [CSRC / name for name in ("fmath.c", "quantile.c", "quantile_exact.c", "quantile_poisson.c")]
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fno-math-errno"]


def compile_c(arguments: list[str]) -> None:
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), *arguments], check=True)


@pytest.fixture(scope="session")
def scalar(tmp_path_factory):
    """A ctypes library with the signatures set."""
    library = tmp_path_factory.mktemp("scalar") / "libscalar.so"
    compile_c([*FLAGS, "-shared", "-fPIC", *map(str, SOURCES), "-o", str(library)])
    functions = ctypes.CDLL(str(library))
    double, word = ctypes.c_double, ctypes.c_uint64
    for name in ("log", "log1p", "exp", "expm1", "erf", "erfc", "stirling_error"):
        function = getattr(functions, f"tb_{name}")
        function.restype, function.argtypes = double, [double]
    functions.tb_pow.restype, functions.tb_pow.argtypes = double, [double, double]
    functions.tb_normal_quantile.restype, functions.tb_normal_quantile.argtypes = double, [word]
    for name in ("quantile", "quantile_half"):
        function = getattr(functions, f"tb_binomial_{name}")
        function.restype, function.argtypes = word, [double, double, word]
    functions.tb_poisson_quantile.restype, functions.tb_poisson_quantile.argtypes = word, [double, word]
    return functions

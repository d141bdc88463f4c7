# SPDX-License-Identifier: MIT
"""Build of the compiled core: everything else about the package is in pyproject.toml.

Switches, by environment: ``TAILBITER_SANITIZE=address,undefined``, ``TAILBITER_COVERAGE=1`` (gcov) and
``TAILBITER_DEBUG=1`` (Cython checks bounds, None and initialisation).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
CORE = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("csrc/*.c"))
HEADERS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("csrc/*.h"))
SANITIZE = os.environ.get("TAILBITER_SANITIZE", "")
COVERAGE = os.environ.get("TAILBITER_COVERAGE", "") == "1"
DEBUG = os.environ.get("TAILBITER_DEBUG", "") == "1"

# The bits of a run depend on these: no contraction, no fast-math. No -m flag either: kernels name their
# instruction set function by function, and one is chosen at import.
FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden"]
WARNINGS = ["-Wall", "-Wextra"]
INSTRUMENT = [f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer", "-g"] if SANITIZE else []
INSTRUMENT += ["--coverage", "-O1"] if COVERAGE else []
# The wrappers only hand pointers over: there is nothing to optimise in them, and it took half of the build
# (two thirds of one under sanitizers). What these report needs line numbers.
WRAPPER = [] if COVERAGE or DEBUG else ["-O1", "-g1" if SANITIZE else "-g0"]
MACROS: list[tuple[str, str | None]] = [("TB_BUILD_FLAGS", '"' + " ".join(FLAGS + INSTRUMENT) + '"')]

# The one list of Cython directives.
DIRECTIVES = {
    "language_level": 3,
    "autotestdict": False,
    "binding": True,
    "cdivision": True,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
}


class BuildCore(build_ext):
    """Compile csrc/ once, in parallel, and link it into every extension. A failed compile is an error."""

    def build_extensions(self) -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = [name for names in pool.map(self._compile, CORE) for name in names]
        for extension in self.extensions:
            extension.extra_objects = objects
        self.parallel = True
        self.force = True  # what an earlier build left may have had other switches
        super().build_extensions()

    def _compile(self, source: str) -> list[str]:
        flags = FLAGS + WARNINGS + INSTRUMENT
        return list(self.compiler.compile([source], self.build_temp, MACROS, ["csrc"], extra_postargs=flags))


def extensions() -> list[Extension]:
    """Every src/tailbiter/_core/*.pyx becomes one module."""
    common = {"include_dirs": ["csrc"], "define_macros": MACROS, "depends": CORE + HEADERS}
    common |= {"extra_compile_args": FLAGS + INSTRUMENT + WRAPPER, "extra_link_args": INSTRUMENT}
    paths = [path.relative_to(ROOT) for path in sorted((ROOT / "src/tailbiter/_core").glob("*.pyx"))]
    return [Extension(f"tailbiter._core.{path.stem}", [path.as_posix()], **common) for path in paths]


modules = cythonize(extensions(), build_dir="build/cython", compiler_directives=DIRECTIVES, force=True)
setup(ext_modules=modules, cmdclass={"build_ext": BuildCore})

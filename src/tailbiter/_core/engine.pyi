# SPDX-License-Identifier: MIT
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from tailbiter._core.common import Control
from tailbiter.program import Program

_Ids: TypeAlias = npt.NDArray[np.uint32]

STREAM_VERSION: int
INTEGERS: frozenset[str]
BANDED: frozenset[str]
GROUPED: frozenset[str]
FLOOR: float

def build_info() -> dict[str, Any]: ...
def fill_words(out: npt.NDArray[np.uint64]) -> None: ...
def gather_floor(table: npt.NDArray[np.float64], index: npt.NDArray[np.uint32]) -> None: ...

class RuleFailed(Exception):
    problem: int
    decoding: bool
    replicate: int
    generation: int
    weight: float
    def __init__(self, failure: dict[str, Any]) -> None: ...

class Engine:
    def __new__(cls, program: Program, rules: tuple[int, int] = (0, 0)) -> Self: ...
    def outputs(self, replicates: int) -> dict[str, npt.NDArray[Any]]: ...
    def run(self, start: int, stop: int, out: dict[str, npt.NDArray[Any]], control: Control) -> None: ...
    def snapshots(
        self, out: dict[str, npt.NDArray[Any]]
    ) -> tuple[_Ids, _Ids, _Ids, npt.NDArray[np.uint64]]: ...
    @property
    def shared_bytes(self) -> int: ...
    @property
    def state_bytes(self) -> int: ...

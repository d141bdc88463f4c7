# SPDX-License-Identifier: MIT
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from tailbiter._core.common import Control

_Words: TypeAlias = npt.NDArray[np.uint64]
_Ids: TypeAlias = npt.NDArray[np.uint32]
_Reals: TypeAlias = npt.NDArray[np.float64]

MOST_COMPONENTS: int
MOST_CATEGORIES: int
MOST_TOKENS: int
MOST_DOCUMENTS: int
VARIABLES: dict[str, str]
KINDS: dict[str, Any]

def fit(
    category: _Ids,
    number: _Ids,
    offset: _Words,
    weights: _Reals,
    probabilities: _Reals,
    *,
    items: _Reals | None = None,
    floor: float = 1e-6,
    tolerance: float = 1e-3,
    iterations: int = 100,
) -> dict[str, Any]: ...

class _Program(Protocol):
    @property
    def key(self) -> int: ...
    @property
    def weights(self) -> _Reals: ...
    @property
    def probabilities(self) -> _Reals: ...
    @property
    def lengths(self) -> _Ids: ...
    @property
    def floor(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def iterations(self) -> int: ...
    @property
    def samples(self) -> _Words: ...
    @property
    def fresh(self) -> _Words: ...
    @property
    def kept(self) -> int: ...
    @property
    def from_kept(self) -> _Words: ...
    @property
    def item_weights(self) -> _Words | None: ...
    @property
    def ages(self) -> _Words: ...
    @property
    def draw(self) -> _Words | None: ...
    @property
    def at(self) -> _Ids: ...
    @property
    def variables(self) -> tuple[str, ...]: ...

class Engine:
    def __new__(cls, program: _Program) -> Self: ...
    def outputs(self, replicates: int) -> dict[str, npt.NDArray[Any]]: ...
    def run(self, start: int, stop: int, out: dict[str, npt.NDArray[Any]], control: Control) -> None: ...
    @property
    def state_bytes(self) -> int: ...

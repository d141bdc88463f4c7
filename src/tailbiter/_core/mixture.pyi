# SPDX-License-Identifier: MIT
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

_Words: TypeAlias = npt.NDArray[np.uint64]
_Reals: TypeAlias = npt.NDArray[np.float64]
_Law: TypeAlias = tuple[_Reals, _Reals, _Reals]

MOST_DIMENSIONS: int
MOST_COMPONENTS: int
COVARIANCES: tuple[str, ...]
STARTS: tuple[str, ...]
PURPOSES: dict[str, int]
VARIABLES: dict[str, str]
KINDS: dict[str, Any]

def check(code: int) -> None: ...
def check_law(
    weights: npt.ArrayLike, means: npt.ArrayLike, factors: npt.ArrayLike, covariance: str
) -> _Law: ...
def choose(
    total: int, some: int, key: int, generation: int, replicate: int, purpose: str
) -> npt.NDArray[np.uint64]: ...
def em_step(
    data: npt.ArrayLike,
    law: _Law,
    covariance: str,
    *,
    items: npt.ArrayLike | None = None,
    floor: float = 1e-6,
) -> dict[str, Any]: ...
def factor_shape(covariance: str, components: int, dimension: int) -> tuple[int, int]: ...
def fit(
    data: npt.ArrayLike,
    law: _Law,
    covariance: str,
    *,
    items: npt.ArrayLike | None = None,
    floor: float = 1e-6,
    tolerance: float = 1e-3,
    iterations: int = 100,
    control: Control | None = None,
) -> dict[str, Any]: ...
def l2_squared(a: _Law, b: _Law, covariance: str) -> float: ...
def pack(data: _Reals) -> _Reals: ...
def sample(
    count: int,
    law: _Law,
    covariance: str,
    key: int,
    generation: int,
    replicate: int,
    purpose: str = "synthetic",
) -> tuple[_Reals, npt.NDArray[np.int64]]: ...

class _Program(Protocol):
    @property
    def key(self) -> int: ...
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
    def at(self) -> npt.NDArray[np.uint32]: ...
    @property
    def variables(self) -> tuple[str, ...]: ...
    @property
    def weights(self) -> _Reals: ...
    @property
    def means(self) -> _Reals: ...
    @property
    def factors(self) -> _Reals: ...
    @property
    def covariance(self) -> str: ...
    @property
    def start(self) -> str: ...
    @property
    def floor(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def iterations(self) -> int: ...
    @property
    def memory(self) -> int: ...

class Control:
    def cancel(self) -> None: ...
    @property
    def progress(self) -> int: ...

class Fitter:
    def __new__(cls, data: npt.ArrayLike, items: npt.ArrayLike | None = None) -> Self: ...
    def fit(
        self,
        law: _Law,
        covariance: str,
        *,
        floor: float = 1e-6,
        tolerance: float = 1e-3,
        iterations: int = 100,
        control: Control | None = None,
    ) -> dict[str, Any]: ...
    def score(self, law: _Law, covariance: str) -> float: ...
    def seed(
        self,
        components: int,
        covariance: str,
        key: int,
        *,
        generation: int = 0,
        replicate: int = 0,
        floor: float = 1e-6,
        control: Control | None = None,
    ) -> _Law: ...
    def check_dimension(self, law: _Law) -> None: ...

class Engine:
    def __new__(cls, program: _Program) -> Self: ...
    def outputs(self, replicates: int) -> dict[str, npt.NDArray[Any]]: ...
    def run(self, start: int, stop: int, out: dict[str, npt.NDArray[Any]], control: Control) -> None: ...
    def check_rows(self, start: int, stop: int, out: dict[str, npt.NDArray[Any]]) -> None: ...
    @property
    def state_bytes(self) -> int: ...

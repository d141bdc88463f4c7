# SPDX-License-Identifier: MIT
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from tailbiter._core.common import Control

_Reals: TypeAlias = npt.NDArray[np.float64]
_Law: TypeAlias = tuple[_Reals, _Reals, _Reals]

MOST_DIMENSIONS: int
MOST_COMPONENTS: int
COVARIANCES: tuple[str, ...]
ROW: int

def check_law(
    weights: npt.ArrayLike, means: npt.ArrayLike, factors: npt.ArrayLike, covariance: str
) -> _Law: ...
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

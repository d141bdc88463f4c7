# SPDX-License-Identifier: MIT
"""What tries to keep synthetic data out of a crawl: it judges where an item comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._checks import SET, Described, as_dict, is_list, with_article, within
from .errors import SpecError

__all__ = ["Detector"]

_RATE = "give a rate such as 0.9, or one for every band"
Rates = float | tuple[float, ...]
Floats = npt.NDArray[np.float64]


class Detector(Described, frozen=True, kw_only=True):
    """A detector of synthetic data, a watermark, or labels of provenance: what they throw out of a crawl.

    Parameters
    ----------
    tpr : float or sequence of float, default 0.0
        Share of synthetic items that is thrown out; one for every band, from rare to common, if several.
    fpr : float or sequence of float, default 0.0
        Share of human items that is thrown out with them, likewise.
    adoption : float, default 1.0
        Share of the synthetic data that carries what the detector looks for, as a watermark: of the rest it
        throws out nothing.
    labelled : float, default 0.0
        Share of all data whose provenance is labelled, and so known without error; with 1 no synthetic item
        is kept.

    Raises
    ------
    SpecError
        For a rate outside [0, 1]; in a Spec, for another number of rates than bands, where the regime is no
        crawl, and where nothing would ever be kept.

    Notes
    -----
    Synthetic items are thrown out at the rate ``l + (1 - l) a tpr`` and human ones at ``(1 - l) fpr``. As the
    crawl goes on until a batch is full, an item that is kept is human with probability
    ``alpha (1 - fpr) / (alpha (1 - fpr) + (1 - alpha)(1 - tpr))``. By band, what is kept has a law in
    proportion to ``alpha q_i (1 - fpr_i) + (1 - alpha) p_i (1 - tpr_i)``: a detector that takes rare human
    items for synthetic reshapes what is human itself. Items outside the reference (`error_rate`) are thrown
    out at the mean rate over the reference.

    Examples
    --------
    >>> Detector(tpr=0.9, fpr=0.05, adoption=0.5).rates()
    (0.45, 0.05)
    """

    tpr: Rates = 0.0
    fpr: Rates = 0.0
    adoption: float = 1.0
    labelled: float = 0.0

    def __post_init__(self) -> None:
        for name in ("tpr", "fpr"):
            SET(self, name, _rates(getattr(self, name), f"detector.{name}"))
        for name in ("adoption", "labelled"):
            SET(self, name, within(getattr(self, name), f"detector.{name}", 0, 1, "give a share such as 0.5"))

    @property
    def by_band(self) -> bool:
        """Whether a rate depends on the band."""
        return isinstance(self.tpr, tuple) or isinstance(self.fpr, tuple)

    def rates(self) -> tuple[Any, Any]:
        """Return the rates at which synthetic and human items are thrown out: numbers, or arrays by band."""
        known = self.labelled
        return known + (1 - known) * self.adoption * _plain(self.tpr), (1 - known) * _plain(self.fpr)

    def canonical(self) -> dict[str, Any] | None:
        """Return plain data; None where nothing is ever thrown out."""
        return None if self == Detector() else as_dict(self, defaults=False)

    def refuse_bands(self, family: str) -> None:
        """Refuse rates by band, where a family of models has no bands."""
        for name in ("tpr", "fpr"):
            if isinstance(rates := getattr(self, name), tuple):
                problem = f"has rates by band, of which {with_article(family)} reference has none"
                raise SpecError(f"detector.{name}", rates, problem, "give one rate")

    def check(self, bands: int) -> None:
        """Refuse another number of rates than bands."""
        for name in ("tpr", "fpr"):
            rates = getattr(self, name)
            if isinstance(rates, tuple) and len(rates) != bands:
                problem = f"has {len(rates)} rates for {bands} bands"
                raise SpecError(f"detector.{name}", rates, problem, "give one rate, or one for every band")


def _rates(value: object, field: str) -> Rates:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if is_list(value):
        if not value:
            raise SpecError(field, value, "is empty", _RATE)
        return tuple(within(rate, f"{field}[{i}]", 0, 1, _RATE) for i, rate in enumerate(value))
    return within(value, field, 0, 1, _RATE)


def _plain(rates: Rates) -> float | Floats:
    return np.array(rates) if isinstance(rates, tuple) else rates

# SPDX-License-Identifier: MIT
"""One bad data set: what is wrong with the human data of generation 1, and of no other."""

from __future__ import annotations

from typing import Any

from ._checks import SET, Described, as_dict, whole, within

__all__ = ["Duplication", "LabelNoise", "Truncation"]

_MOST_COPIES = 10**12


class _Fault(Described, frozen=True, tag_field="kind"):
    """What is wrong with one data set."""

    @property
    def kind(self) -> str:
        """Name of the fault, as TOML has it."""
        return str(self.__struct_config__.tag)

    def canonical(self) -> dict[str, Any]:
        """Return plain data."""
        return as_dict(self, defaults=False)


class LabelNoise(_Fault, frozen=True, tag="label_noise"):
    """A share of generation 1's items is relabelled, each with a category chosen evenly.

    Parameters
    ----------
    share : float
        Probability that an item is, in [0, 1].

    Examples
    --------
    >>> LabelNoise(0.1)
    LabelNoise(share=0.1)
    """

    share: float

    def __post_init__(self) -> None:
        SET(self, "share", within(self.share, "fault.share", 0, 1, "give a share such as 0.1"))


class Truncation(_Fault, frozen=True, tag="truncation"):
    """Categories too rare are missing from generation 1's data.

    Parameters
    ----------
    below : float
        Those of which fewer items are expected in the batch are cut; from 0 to 1e15, and some category must
        be left.

    Examples
    --------
    >>> Truncation(below=5)
    Truncation(below=5.0)
    """

    below: float

    def __post_init__(self) -> None:
        SET(self, "below", within(self.below, "fault.below", 0, 1e15, "give an expected count such as 5"))


class Duplication(_Fault, frozen=True, tag="duplication"):
    """Items of generation 1's data stand in it several times: its size is the same, its information less.

    Parameters
    ----------
    copies : int
        Of every item, at least 1 and at most as many as the batch has items; what its size leaves over is
        filled with single ones.

    Examples
    --------
    >>> Duplication(copies=3)
    Duplication(copies=3)
    """

    copies: int

    def __post_init__(self) -> None:
        SET(self, "copies", whole(self.copies, "fault.copies", 1, _MOST_COPIES, "give a number such as 3"))


Fault = LabelNoise | Truncation | Duplication
FAULTS: dict[str, type[_Fault]] = {
    "label_noise": LabelNoise,
    "truncation": Truncation,
    "duplication": Duplication,
}

# SPDX-License-Identifier: MIT
"""Tables of real counts shipped with the package; `README.md` beside them tells origins and licences."""

import importlib.resources
import pathlib
from typing import Final

from .._checks import nearest
from ..errors import SpecError

__all__ = ["NAMES", "path"]

NAMES: Final = ("languages", "shakespeare")
"""The shipped tables, by the names that `path` takes."""


def path(name: str) -> pathlib.Path:
    """Return where a shipped table lies.

    Parameters
    ----------
    name : str
        One of `NAMES`: ``"shakespeare"`` (columns word, train, heldout: a word's count in plays to train on
        and in plays held out) or ``"languages"`` (columns code, language, people: how many use it).

    Returns
    -------
    pathlib.Path
        A CSV file in UTF-8 with a header.

    Raises
    ------
    SpecError
        No table of this name is shipped.

    Examples
    --------
    >>> from tailbiter import data
    >>> data.path("shakespeare").read_text(encoding="utf-8").splitlines()[:2]
    ['word,train,heldout', 'the,22452,5167']
    """
    if name not in NAMES:
        raise SpecError("name", name, "is not a shipped table", nearest(name, NAMES))
    return pathlib.Path(str(importlib.resources.files(__name__) / f"{name}.csv"))

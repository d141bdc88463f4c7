# SPDX-License-Identifier: MIT
"""One self-contained page: a template, and data that no label can break out of."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import Any

__all__ = ["fill"]

_FIELD = re.compile(r"\{\{(\w+)\}\}")


def fill(*, data: dict[str, Any], facts: list[tuple[str, str]], **texts: str) -> str:
    """Return the page.

    Parameters
    ----------
    data : dict
        For the script, plain data.
    facts : list of (str, str)
        Rows of the table of facts.
    **texts : str
        The template's other fields; escaped.
    """
    folder = files(__package__)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in facts
    )
    values = {
        "style": folder.joinpath("page.css").read_text(encoding="utf-8"),
        "script": folder.joinpath("page.js").read_text(encoding="utf-8"),
        "data": _inside_script(json.dumps(data, separators=(",", ":"), allow_nan=False)),
        "facts": rows,
        **{name: html.escape(text) for name, text in texts.items()},
    }
    template = folder.joinpath("page.html").read_text(encoding="utf-8")
    return _FIELD.sub(lambda match: values[match[1]], template)


def _inside_script(text: str) -> str:
    """JSON in which nothing ends the element that holds it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

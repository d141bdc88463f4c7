# SPDX-License-Identifier: MIT
"""One self-contained page: a template, and data that no label can break out of."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import Any

__all__ = ["fill"]

Rows = list[tuple[str, str]]
_FIELD = re.compile(r"\{\{(\w+)\}\}")


def fill(kind: str, *, data: dict[str, Any], tables: dict[str, Rows], **texts: str) -> str:
    """Return the page.

    Parameters
    ----------
    kind : str
        "run" or "sweep": which body and which script.
    data : dict
        For the script, plain data.
    tables : dict of str to list of (str, str)
        Fields of the template that are rows of a table, of a name and what is said of it.
    **texts : str
        The template's other fields; escaped.
    """
    folder = files(__package__)
    style, common, script, page, body = (
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.css", "common.js", f"{kind}.js", "page.html", f"{kind}.html")
    )
    values = {
        "style": style,
        "script": common + script,
        "data": _inside_script(json.dumps(data, separators=(",", ":"), allow_nan=False)),
        **{name: "".join(_row(*row) for row in rows) for name, rows in tables.items()},
        **{name: html.escape(text) for name, text in texts.items()},
    }
    return _FIELD.sub(lambda match: values[match[1]], page.replace("{{body}}", body))


def _row(name: str, value: str) -> str:
    return f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'


def _inside_script(text: str) -> str:
    """JSON in which nothing ends the element that holds it."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

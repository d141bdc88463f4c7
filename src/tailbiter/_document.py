# SPDX-License-Identifier: MIT
"""Reading and writing of JSON and TOML documents."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from .errors import DataError, SpecError


def write_json(data: object) -> str:
    """Write plain data as JSON with sorted keys and no spaces: one content, one text."""
    return msgspec.json.encode(data, order="sorted").decode()


def read_json(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SpecError("JSON", text, f"cannot be read ({error})", "give a JSON object") from error
    if not isinstance(data, dict):
        raise SpecError("JSON", data, "is not an object", "give a JSON object")
    return data


def write_toml(data: dict[str, Any]) -> str:
    """Write plain data as TOML."""
    import tomli_w

    return tomli_w.dumps(data)


def read_toml(source: str | os.PathLike[str]) -> tuple[dict[str, Any], Path]:
    """Read a TOML file or text; return it with the folder that its relative paths start from.

    A string with a line break or an equals sign is TOML itself, any other is a path.
    """
    if isinstance(source, str) and ("\n" in source or "=" in source):
        return _parse(source, "TOML"), Path.cwd()
    path = Path(source)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except IsADirectoryError as error:
        raise DataError(str(path), str(path), "is a directory", "give a TOML file") from error
    except UnicodeDecodeError as error:
        raise DataError(str(path), str(path), "is not UTF-8 text", "save the file as UTF-8") from error
    except ValueError as error:
        raise DataError(str(path), str(path), "is not a path", "give a TOML file that exists") from error
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or 'unknown').lower()})"
        raise DataError(str(path), str(path), problem, "give a TOML file that exists") from error
    return _parse(text, str(path)), path.resolve().parent


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(name, text[:40], f"is not TOML ({error})", "see the shipped examples") from error

# SPDX-License-Identifier: MIT
"""A Spec as it can be sent: tables by the names of their files, and how to know that a file is the same."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path, PurePosixPath, PureWindowsPath

__all__ = ["base_name", "needed", "portable", "shortened", "without_folders"]

_PATH = re.compile(r'\bpath = ("(?:[^"\\]|\\.)*")')
_SHIPPED = "tailbiter:"
# A browser takes half a minute to lay out ten times as much.
MOST_CHARACTERS = 1_000_000
_TABLE = re.compile(r"^(\w+ = \[\n(?:    .*\n){10})((?:    .*\n)+)", re.M)


def base_name(path: str) -> str:
    """Return the file's own name; of a table that ships with the package, what it is called."""
    if path.startswith(_SHIPPED):
        return path
    return PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name


def portable(toml: str) -> str:
    """Return a Spec's or a sweep's TOML with tables named by file alone: folders are those of one machine.

    Parameters
    ----------
    toml : str
        As `Spec.to_toml` writes it. What stands inside of a label is escaped there, and stays.
    """
    return _PATH.sub(lambda found: found[0].replace(found[1], _quoted(base_name(_read(found[1])))), toml)


def without_folders(message: str, toml: str) -> str:
    """Return a message in which a Spec's tables are named by file alone.

    Parameters
    ----------
    message : str
        An error's, say.
    toml : str
        The Spec's or the sweep's.
    """
    for found in _PATH.finditer(toml):
        path = _read(found[1])
        message = message.replace(path, base_name(path))
    return message


def shortened(toml: str, saved: Path) -> tuple[str, str]:
    """Return a Spec's TOML as it can be shown, its long tables cut short, and what to say of that.

    Parameters
    ----------
    toml : str
        As `portable` returned it.
    saved : Path
        The file that says all.
    """
    if len(toml) <= MOST_CHARACTERS:
        return toml, ""
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    said = f"Tables are cut short here; {saved.name}, whose SHA-256 is {digest}, says all."
    return _TABLE.sub(lambda found: f"{found[1]}    # and {found[2].count(chr(10)):,} more\n", toml), said


def needed(toml: str, folder: Path, *, beside: str) -> str:
    """Return what to say of the files that a Spec reads: which, and their SHA-256 where they are at hand.

    Parameters
    ----------
    toml : str
        As `Spec.to_toml` writes it; its tables are as they were when it ran.
    folder : Path
        Where relative paths start from.
    beside : str
        File in which the Spec will be saved.
    """
    paths = dict.fromkeys(_read(found[1]) for found in _PATH.finditer(toml))
    said = [_about(folder / path, beside) for path in paths if not path.startswith(_SHIPPED)]
    return " ".join(said)


def _about(path: Path, beside: str) -> str:
    name = base_name(str(path))
    start = f"It reads {name}, which is not in this page: put that file beside {beside}."
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return f"{start} Its content is checked against the digest above."
    return f"{start} It is the same file if its SHA-256 is {digest}."


def _read(quoted: str) -> str:
    return str(tomllib.loads(f"path = {quoted}")["path"])


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

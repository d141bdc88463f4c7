# SPDX-License-Identifier: MIT
"""Files that are there whole or not at all, and whose names tell what is in them."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tailbiter.errors import SpecError

__all__ = ["FIELD", "Sealed", "is_intact", "part_name", "publish", "unwritable", "write_sealed"]

FIELD = "out"
PARTIAL = ".partial"
DAMAGED = ".damaged"
_BLOCK = 1 << 20
_CONTENT_DIGITS = 32
_BYTES_DIGITS = 16


class Sealed:
    """A file being written, and the digest of what has been."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()
        self.closed = False

    def write(self, data: Any) -> int:
        """Write, and remember."""
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self.file.flush()

    def close(self) -> None:
        """Leave the file to whoever opened it."""

    def tell(self) -> int:
        """Bytes written."""
        return self.file.tell()

    def readable(self) -> bool:
        """Nothing can be read back."""
        return False

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def seekable(self) -> bool:
        """What was written stays."""
        return False


@contextmanager
def _partial(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A file under a name that nobody reads, gone at the end unless it was renamed."""
    path = folder / f".{secrets.token_hex(8)}{PARTIAL}"
    try:
        with path.open("xb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def publish(path: Path, data: bytes) -> None:
    """Write a small file whole, in the place of any that is there."""
    with _partial(path.parent) as (partial, file):
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        partial.replace(path)
    _settle(path.parent)


def write_sealed(folder: Path, kind: str, content: str, fill: Callable[[Sealed], None]) -> Path:
    """Write a part; its name holds the digest of its content and that of its bytes.

    Parameters
    ----------
    folder : Path
        The store.
    kind : str
        Table that it is a part of.
    content : str
        Digest of what it holds, in hexadecimal.
    fill : callable
        Writes it.

    Returns
    -------
    Path
        Where it is, on the disk for good.
    """
    with _partial(folder) as (partial, file):
        sealed = Sealed(file)
        fill(sealed)
        file.flush()
        os.fsync(file.fileno())
        path = folder / part_name(kind, content, sealed.digest.hexdigest())
        partial.replace(path)
    _settle(folder)
    return path


def _settle(folder: Path) -> None:
    """A rename is on the disk once its directory is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def part_name(kind: str, content: str, data: str) -> str:
    """Name of a part."""
    return f"{kind}-{content[:_CONTENT_DIGITS]}-{data[:_BYTES_DIGITS]}.parquet"


def is_intact(path: Path) -> bool:
    """Whether a part's bytes are those that its name was made from."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except FileNotFoundError:  # set aside or packed anew by another client
        return False
    return path.stem.rpartition("-")[2] == digest.hexdigest()[:_BYTES_DIGITS]


def unwritable(folder: Path, error: OSError) -> SpecError:
    """Say in one line why a directory cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "make room and run the same command again: what is there stays, the rest follows"
        return SpecError(FIELD, str(folder), "is on a disk that is full", remedy)
    problem = f"cannot be written ({(error.strerror or str(error)).lower()})"
    return SpecError(FIELD, str(folder), problem, "name a directory you may write to")

"""The bytes of a file, or of all files of a folder, for whoever tells contents apart by a hash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

_CHUNK = 2**20


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""


def members(place: Path) -> list[tuple[bytes, Path]]:
    """(name as bytes, path) of every file below a folder, in the order of names; of a file, the file itself.

    Raises:
        OSError: a folder can't be read.
    """
    if not place.is_dir():
        return [(b"", place)]
    found = [member for member in place.rglob("*") if member.is_file()]
    return sorted((os.fsencode(member.relative_to(place).as_posix()), member) for member in found)


def read_into(place: Path, digest: Digest) -> int:
    """Read a file into a digest; of a folder, the names, lengths and bytes of all files.

    Returns:
        How many bytes the files have.

    Raises:
        OSError: one can't be read.
    """
    if not place.is_dir():
        return _read(place, digest)
    size = 0
    for name, member in members(place):
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(member.stat().st_size.to_bytes(8, "little"))
        size += _read(member, digest)
    return size


def _read(path: Path, digest: Digest) -> int:
    length = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return length

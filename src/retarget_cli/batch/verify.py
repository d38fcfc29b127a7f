"""What a finished output contains: enough to know it again."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.core.errors import OutputError

_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Content:
    """A file's, or that of a folder's files together.

    Attributes:
        size: bytes.
        sha256: of the bytes; for a folder, of all files' names and bytes, in the order of their names.
    """

    size: int
    sha256: str


def content_of(path: Path) -> Content:
    """Read all of a finished output.

    Raises:
        OutputError: it is not there, is neither file nor folder, or can't be read.
    """
    digest = hashlib.sha256()
    try:
        if not path.is_dir():
            size = _add(path, digest)
            return Content(size, digest.hexdigest())
        size = 0
        for name, member in _members(path):
            digest.update(len(name).to_bytes(8, "little") + name)
            digest.update(member.stat().st_size.to_bytes(8, "little"))
            size += _add(member, digest)
    except OSError as error:
        raise OutputError(f"can't read {path}: {error.strerror or error}", "check the output folder") from error
    return Content(size, digest.hexdigest())


def is_whole(path: Path, size: int, sha256: str) -> bool:
    """Whether an output is there and still what it was. Sizes are compared first, which finds most damage at once.

    Args:
        path: of the output.
        size: bytes that it had when it was finished.
        sha256: of its content then; empty: unknown.
    """
    try:
        is_same_size = sha256 != "" and _size_of(path) == size
        return is_same_size and content_of(path).sha256 == sha256
    except (OSError, ValueError, OutputError):
        return False


def _size_of(path: Path) -> int:
    """Bytes of a file, or of a folder's files together."""
    if path.is_dir():
        return sum(member.stat().st_size for _, member in _members(path))
    return path.stat().st_size


def _members(folder: Path) -> list[tuple[bytes, Path]]:
    """(name as bytes, path) of every file below a folder, in order."""
    members = [member for member in folder.rglob("*") if member.is_file()]
    return sorted((os.fsencode(member.relative_to(folder).as_posix()), member) for member in members)


def _add(path: Path, digest: hashlib._Hash) -> int:
    """Read a file into a digest; returns its length."""
    length = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return length

"""What a finished output contains: enough to know it again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.core.content import members, read_into
from retarget_cli.core.errors import OutputError


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
        return Content(read_into(path, digest), digest.hexdigest())
    except OSError as error:
        raise OutputError(f"can't read {path}: {error.strerror or error}", "check the output folder") from error


def is_whole(path: Path, size: int, sha256: str) -> bool:
    """Whether an output is there and still what it was. Sizes are compared first, which finds most damage at once.

    Args:
        path: of the output.
        size: bytes that it had when it was finished.
        sha256: of its content then; empty: unknown.
    """
    try:
        is_same_size = sha256 != "" and sum(member.stat().st_size for _, member in members(path)) == size
        return is_same_size and content_of(path).sha256 == sha256
    except (OSError, ValueError, OutputError):
        return False

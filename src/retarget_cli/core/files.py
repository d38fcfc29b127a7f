"""Files that appear whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

from retarget_cli.core.errors import OutputError


def partial_path(path: Path, suffix: str = "") -> Path:
    """The hidden name beside `path` that a file or folder has while it is being written."""
    return path.with_name(f".{path.name}.{os.getpid()}.part{suffix}")


def replace_file(path: Path, save: Callable[[io.BufferedWriter], object], hint: str = "check the folder") -> None:
    """Write a small file by way of a hidden partial one beside it.

    Raises:
        OutputError: the file can't be written; nothing is left behind.
    """
    partial = partial_path(path)
    try:
        with partial.open("wb") as file:
            save(file)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror or error}", hint) from error
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes, hint: str = "choose another folder") -> Path:
    """A small file, and its folder where there is none yet.

    Returns:
        The path.

    Raises:
        OutputError: it can't be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make {path.parent}: {error.strerror or error}", hint) from error
    replace_file(path, lambda file: file.write(content), hint)
    return path

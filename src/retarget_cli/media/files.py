"""Paths as plain files: checks before reading, and names that no library can take for something else."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

from retarget_cli.core.errors import InputError, OutputError


def check_readable_file(path: Path, expected: str) -> None:
    """Refuse what can't be opened, with a reason that names it.

    Args:
        path: what the user gave.
        expected: what the file should be, such as "a video or a picture".

    Raises:
        InputError: there is no such file, it is a folder or empty, or it can't be opened.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"{path} is a folder, expected {expected}", "name one file inside it")
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected {expected}", "check the spelling") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read: {error}", "check its permissions") from error
    if size == 0:
        raise InputError(f"{path} is empty (0 bytes), expected {expected}", "copy or download it again")


def av_url(path: Path) -> str:
    """The name to hand to FFmpeg: never a URL, a pattern or an option, whatever characters it holds."""
    return "file:" + os.path.abspath(path)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which `frame10` comes after `frame9`."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


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

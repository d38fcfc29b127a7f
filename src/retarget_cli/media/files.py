"""Paths as plain files: checks before reading, and names that no library can take for something else."""

import os
import re
from pathlib import Path

from retarget_cli.core.errors import InputError
from retarget_cli.core.files import partial_path, replace_file, write_whole

__all__ = ["av_url", "check_readable_file", "natural_key", "partial_path", "replace_file", "write_whole"]


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

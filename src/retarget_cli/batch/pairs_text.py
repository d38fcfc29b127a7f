"""The lines of a pairs file, and the names of its columns, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from retarget_cli.batch.columns import column_name
from retarget_cli.core.errors import InputError, UsageError

LONGEST_LINE = 64 << 10

Cells = dict[str, list[str]]
"""A row as it was read: column -> what stands in it."""


def new_name(path: Path, number: int, written: str, cells: Cells) -> str:
    """The column that is meant, which the row must not have yet.

    Raises:
        UsageError: it has, or there is no such column.
    """
    name = named(path, number, written)
    if name in cells:
        raise UsageError(f"{at(path, number)}, column {name}: stands there twice", "leave one out")
    return name


def named(path: Path, number: int, written: str) -> str:
    """The column that is meant.

    Raises:
        UsageError: there is no such column.
    """
    try:
        return column_name(written)
    except UsageError as error:
        raise UsageError(f"{at(path, number)}, {error.message}", error.hint) from error


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends; each is checked before the next is read.

    Raises:
        InputError: the file can't be read, is no UTF-8, or has a line that is too long.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                yield number, _decoded(path, number, line)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", "check the name and its permissions") from error


def _decoded(path: Path, number: int, line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        raise InputError(f"{at(path, number)}: is longer than {LONGEST_LINE} bytes", "is this a pairs file?")
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in line or (number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise InputError(f"{at(path, number)}: holds NUL bytes or UTF-16", "save the file as plain text in UTF-8")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{at(path, number)}, byte {error.start + 1}: 0x{line[error.start]:02x} is no UTF-8",
            "save the file in UTF-8",
        ) from error


def at(path: Path, number: int) -> str:
    """Where something stands, for people."""
    return f"{path}, line {number}"

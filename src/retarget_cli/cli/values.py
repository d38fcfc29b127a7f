"""What users write on the command line, as values; what typer is told where they are none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import typer

from retarget_cli.core.errors import UsageError
from retarget_cli.core.reading import Who, read_person, read_rate, read_setting, read_time

Value = TypeVar("Value")


def parse_rate(text: str) -> Fraction:
    """See `read_rate`.

    Raises:
        typer.BadParameter: no rate, or out of (0, 1000].
    """
    return _read(read_rate, text)


def parse_time(text: str) -> Fraction:
    """See `read_time`.

    Raises:
        typer.BadParameter: no time.
    """
    return _read(read_time, text)


def parse_person(text: str) -> Who:
    """See `read_person`.

    Raises:
        typer.BadParameter: nobody.
    """
    return _read(read_person, text)


def parse_setting(text: str) -> tuple[str, str]:
    """`name=value`.

    Raises:
        typer.BadParameter: there is no name or no `=`.
    """
    return _read(read_setting, text)


def parse_box(text: str) -> tuple[int, int]:
    """(height, width) of a box: `256` or `WIDTHxHEIGHT`.

    Raises:
        UsageError: neither, or out of bounds.
    """
    from retarget_cli.workflows.canvas import parse_size

    asked = parse_size(text)
    return asked.exact or (asked.longest, asked.longest)


def _read(reader: Callable[[str], Value], text: str) -> Value:
    try:
        return reader(text)
    except UsageError as error:
        raise typer.BadParameter(error.line) from error

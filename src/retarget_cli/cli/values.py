"""What users write for rates, times, people and settings, as values."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from retarget_cli.perception.persons import Choice

# Rates that people write with two or three decimals mean n * 1000 / 1001.
_NTSC = tuple(Fraction(nominal * 1000, 1001) for nominal in (24, 30, 48, 60, 120))
_NTSC_TOLERANCE = Fraction(1, 200)
_FASTEST = 1000


def parse_rate(text: str) -> Fraction:
    """`30`, `30000/1001`, or `29.97`, which is taken for 30000/1001; never a rounded rate.

    Raises:
        typer.BadParameter: no rate, or out of (0, 1000].
    """
    try:
        rate = Fraction(text.strip())
    except (ValueError, ZeroDivisionError) as error:
        raise typer.BadParameter(f"{text!r} is no rate; write 30, 29.97 or 30000/1001") from error
    if not 0 < rate <= _FASTEST:
        raise typer.BadParameter(f"{text} is out of bounds; expected more than 0 and at most {_FASTEST}")
    if "." in text:
        nearest = min(_NTSC, key=lambda candidate: abs(candidate - rate))
        if abs(nearest - rate) < _NTSC_TOLERANCE:
            return nearest
    return rate


def parse_time(text: str) -> Fraction:
    """Seconds (`83.5`), minutes (`1:23.5`) or hours (`1:02:03`), exactly.

    Raises:
        typer.BadParameter: none of these, or minutes or seconds of 60 and more behind a colon.
    """
    if re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?", text.strip()) is None:
        raise typer.BadParameter(f"{text!r} is no time; write seconds or m:ss, for example 83.5 or 1:23.5")
    parts = [Fraction(part) for part in text.strip().rstrip(".").split(":")]
    if any(part >= 60 for part in parts[1:]):
        raise typer.BadParameter(f"{text!r}: behind a colon only 0 to 59 can stand")
    seconds = Fraction(0)
    for part in parts:
        seconds = seconds * 60 + part
    return seconds


def parse_person(text: str) -> Choice:
    """`largest`, `left`, `right`, `center`, or a number counted from the left, from 1.

    Raises:
        typer.BadParameter: none of these.
    """
    word = text.strip().lower()
    if word == "largest":
        return "largest"
    if word == "left":
        return "left"
    if word == "right":
        return "right"
    if word in ("center", "centre"):
        return "center"
    if word.isdecimal() and int(word) >= 1:
        return int(word)
    raise typer.BadParameter(f"{text!r}: expected largest, left, right, center or a number from 1")


def parse_setting(text: str) -> tuple[str, str]:
    """`name=value`.

    Raises:
        typer.BadParameter: there is no name or no `=`.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise typer.BadParameter(f"{text!r}: expected name=value")
    return name.strip(), value.strip()


def parse_box(text: str) -> tuple[int, int]:
    """(height, width) of a box: `256` or `WIDTHxHEIGHT`.

    Raises:
        UsageError: neither, or out of bounds.
    """
    from retarget_cli.workflows.canvas import parse_size

    asked = parse_size(text)
    return asked.exact or (asked.longest, asked.longest)

"""What users write for rates, times, people, sizes and settings, as exact values.

The command line and the columns of a pairs file are read by these. Messages begin with what was written; whoever
calls puts the name of the option or column before it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from retarget_cli.core.errors import UsageError

Who = Literal["largest", "left", "right", "center"] | int

SMALLEST_SIDE, LARGEST_SIDE = 16, 8192
# Rates that people write with two or three decimals mean n * 1000 / 1001.
_NTSC = tuple(Fraction(nominal * 1000, 1001) for nominal in (24, 30, 48, 60, 120))
_NTSC_TOLERANCE = Fraction(1, 200)
_FASTEST = 1000
# Longer ones are no numbers that anybody means, and reading them takes a while.
_LONGEST_NUMBER = 60


def read_rate(text: str) -> Fraction:
    """`30`, `30000/1001`, or `29.97`, which is taken for 30000/1001; never a rounded rate.

    Raises:
        UsageError: no rate, or out of (0, 1000].
    """
    try:
        rate = Fraction(text.strip()) if len(text) <= _LONGEST_NUMBER and "e" not in text.lower() else None
    except (ValueError, ZeroDivisionError):
        rate = None
    if rate is None:
        raise UsageError(f"{shortened(text)} is no rate; write 30, 29.97 or 30000/1001")
    if not 0 < rate <= _FASTEST:
        raise UsageError(f"{text} is out of bounds; expected more than 0 and at most {_FASTEST}")
    if "." in text:
        nearest = min(_NTSC, key=lambda candidate: abs(candidate - rate))
        if abs(nearest - rate) < _NTSC_TOLERANCE:
            return nearest
    return rate


def read_time(text: str) -> Fraction:
    """Seconds (`83.5`), minutes (`1:23.5`) or hours (`1:02:03`), exactly.

    Raises:
        UsageError: none of these, or minutes or seconds of 60 and more behind a colon.
    """
    is_time = len(text) <= _LONGEST_NUMBER and re.fullmatch(r"([0-9]+:){0,2}[0-9]+(\.[0-9]*)?", text.strip())
    if not is_time:
        raise UsageError(f"{shortened(text)} is no time; write seconds or m:ss, for example 83.5 or 1:23.5")
    parts = [Fraction(part) for part in text.strip().rstrip(".").split(":")]
    if any(part >= 60 for part in parts[1:]):
        raise UsageError(f"{text!r}: behind a colon only 0 to 59 can stand")
    seconds = Fraction(0)
    for part in parts:
        seconds = seconds * 60 + part
    return seconds


def read_person(text: str) -> Who:
    """`largest`, `left`, `right`, `center`, or a number counted from the left, from 1.

    Raises:
        UsageError: none of these.
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
    if word.isdecimal() and len(word) <= _LONGEST_NUMBER and int(word) >= 1:
        return int(word)
    raise UsageError(f"{shortened(text)}: expected largest, left, right, center or a number from 1")


def read_setting(text: str) -> tuple[str, str]:
    """`name=value`.

    Raises:
        UsageError: there is no name or no `=`.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError(f"{shortened(text)}: expected name=value")
    return name.strip(), value.strip()


def read_sides(text: str) -> tuple[int, ...]:
    """`720`: the longer side; `1280x720`: width and height; in pixels.

    Raises:
        UsageError: neither, or out of bounds.
    """
    match = re.fullmatch(r"([0-9]{1,9})(?:[xX]([0-9]{1,9}))?", text.strip())
    if match is None:
        raise UsageError(f"{text}: expected a number or WIDTHxHEIGHT", "for example 720 or 1280x720")
    sides = tuple(int(side) for side in match.groups() if side is not None)
    if min(sides) < SMALLEST_SIDE or max(sides) > LARGEST_SIDE:
        raise UsageError(
            f"{text}: out of bounds", f"each side between {SMALLEST_SIDE} and {LARGEST_SIDE} pixels"
        )
    return sides


def read_crop(text: str) -> tuple[int, int, int, int] | Literal["none", "auto"]:
    """`none`, `auto`, or `X,Y,WIDTHxHEIGHT`: the left upper corner and the sides, in pixels.

    Raises:
        UsageError: none of these, or a side is too small.
    """
    word = text.strip().lower()
    if word == "none":
        return "none"
    if word == "auto":
        return "auto"
    match = re.fullmatch(r"([0-9]{1,6}), *([0-9]{1,6}), *([0-9]{1,6})x([0-9]{1,6})", word)
    if match is None:
        raise UsageError(
            f"{shortened(text)}: expected none, auto or X,Y,WIDTHxHEIGHT", "for example 40,0,256x256"
        )
    x, y, width, height = (int(number) for number in match.groups())
    if min(width, height) < SMALLEST_SIDE:
        raise UsageError(f"{text}: too small", f"each side at least {SMALLEST_SIDE} pixels")
    return x, y, width, height


def shortened(text: str) -> str:
    """A value for a message: quoted, so that what can't be seen is seen, and not longer than a line."""
    return repr(text if len(text) <= 80 else text[:77] + "...")

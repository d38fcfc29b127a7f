"""What users write for viewpoints, as degrees."""

from __future__ import annotations

import re
from fractions import Fraction

import typer

MOST_VIEWS = 100_000
# A hundred turns; more than that is a slip of the finger.
LARGEST = 36_000
FULL_TURN = 360

_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})")


def parse_angles(text: str) -> tuple[float, ...]:
    """Degrees: a number, a list `0,45,90`, or `start:stop:step`.

    `stop` is one of them, unless the way from `start` to it is a full turn (or several): then it would be the first
    view once more.

    Raises:
        typer.BadParameter: none of these, a step of 0 or away from stop, out of bounds, or too many.
    """
    if ":" in text:
        return _range(text)
    return tuple(float(_angle(part, text)) for part in text.split(","))


def parse_elevation(text: str) -> tuple[float, ...]:
    """As `parse_angles`, within [-90, 90].

    Raises:
        typer.BadParameter: as there, or beyond straight up or down.
    """
    angles = parse_angles(text)
    if max(map(abs, angles)) > 90:
        raise typer.BadParameter(f"{text!r}: expected -90 (from below) to 90 (from above) degrees")
    return angles


def _range(text: str) -> tuple[float, ...]:
    parts = text.split(":")
    if len(parts) != 3:
        raise typer.BadParameter(f"{text!r}: write a range as start:stop:step, for example 0:360:5")
    start, stop, step = (_angle(part, text) for part in parts)
    if step == 0:
        raise typer.BadParameter(f"{text!r}: a step of 0 degrees gets nowhere; for example 0:360:5")
    if (stop - start) * step < 0:
        raise typer.BadParameter(f"{text!r}: from {start} a step of {step} leads away from {stop}")
    steps = (stop - start) / step
    is_round = stop != start and (stop - start) % FULL_TURN == 0
    count = -(-steps.numerator // steps.denominator) if is_round else int(steps) + 1
    if count > MOST_VIEWS:
        raise typer.BadParameter(f"{text!r} is {count} views, expected at most {MOST_VIEWS}; choose a larger step")
    return tuple(float(start + i * step) for i in range(count))


def _angle(part: str, text: str) -> Fraction:
    if _NUMBER.fullmatch(part.strip()) is None:
        raise typer.BadParameter(f"{text!r}: expected degrees: a number, a list 0,45,90, or start:stop:step")
    angle = Fraction(part.strip())
    if abs(angle) > LARGEST:
        raise typer.BadParameter(f"{text!r} is out of bounds; expected -{LARGEST} to {LARGEST} degrees")
    return angle

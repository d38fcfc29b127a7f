"""The networks' form, from the words that weights carry about it."""

from __future__ import annotations

from collections.abc import Mapping

from retarget_cli.backends.bottleneck.design import DRIVEN, BottleneckDesign, Driven
from retarget_cli.backends.bottleneck.options import (
    BACKGROUND,
    CHANNELS,
    DRIVEN_BY,
    LEVELS,
    NO,
    PHOTO,
    RESOLUTION,
    SKIPS,
    WIDTH,
    YES,
)

# Beyond these nothing fits into a machine; a file that tells of more is damaged.
_MOST = {RESOLUTION: 1024, WIDTH: 1024, CHANNELS: 256, LEVELS: 3}


def design_of(words: Mapping[str, str]) -> BottleneckDesign:
    """The form that words tell.

    Raises:
        ValueError, UsageError: they tell nonsense.
        KeyError: they are silent about something.
    """
    driven_by: Driven | None = next((each for each in DRIVEN if each == words[DRIVEN_BY]), None)
    if driven_by is None:
        raise ValueError(f"{DRIVEN_BY}={words[DRIVEN_BY][:20]}, expected one of {', '.join(DRIVEN)}")
    return BottleneckDesign(
        resolution=_number(words, RESOLUTION),
        width=_number(words, WIDTH),
        channels=_number(words, CHANNELS),
        levels=_number(words, LEVELS),
        skips=_is_so(words, SKIPS),
        driven_by=driven_by,
        background=_is_so(words, BACKGROUND),
        photo=_is_so(words, PHOTO),
    )


def _number(words: Mapping[str, str], name: str) -> int:
    text = words[name]
    if not text.isdecimal() or not 0 < int(text) <= _MOST[name]:
        raise ValueError(f"{name}={text[:20]}, expected 1 to {_MOST[name]}")
    return int(text)


def _is_so(words: Mapping[str, str], name: str) -> bool:
    if words[name] not in (YES, NO):
        raise ValueError(f"{name}={words[name][:20]}, expected {YES} or {NO}")
    return words[name] == YES

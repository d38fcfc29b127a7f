"""The networks' form, from the words that weights carry about it."""

from __future__ import annotations

from retarget_cli.backends.bottleneck.design import DRIVEN, BottleneckDesign
from retarget_cli.backends.bottleneck.options import (
    BACKGROUND,
    CHANNELS,
    DRIVEN_BY,
    LEVELS,
    MOST,
    PHOTO,
    RESOLUTION,
    SKIPS,
    WIDTH,
)
from retarget_cli.backends.words import Words, choice, is_so, number


def design_of(words: Words) -> BottleneckDesign:
    """The form that words tell.

    Raises:
        ValueError, UsageError: they tell nonsense.
        KeyError: they are silent about something.
    """
    driven_by, numbers = choice(words, DRIVEN_BY, DRIVEN), {name: number(words, name, 1, MOST[name]) for name in MOST}
    return BottleneckDesign(
        resolution=numbers[RESOLUTION],
        width=numbers[WIDTH],
        channels=numbers[CHANNELS],
        levels=numbers[LEVELS],
        skips=is_so(words, SKIPS),
        driven_by=driven_by,
        background=is_so(words, BACKGROUND),
        photo=is_so(words, PHOTO),
    )

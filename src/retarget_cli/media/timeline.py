"""Times of frames: which source frame to show at each tick of another rate.

Convention:
    Times are exact fractions of a second. Frame i is on the screen from its own time until the next
    frame's. At tick k, output time k / rate after the first source time, the frame on the screen then
    is shown. So nothing drifts: output k is never further from its source than one source frame.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

Item = TypeVar("Item")


def resample(
    timed: Iterable[tuple[Fraction, Item]], rate: Fraction, *, last_duration: Fraction | None = None
) -> Iterator[tuple[Fraction, Item]]:
    """Show timed items at a constant rate, repeating or leaving out as needed.

    Reads one item ahead and keeps no more, so that it works on streams of any length.

    Args:
        timed: (time, item) with rising times, in seconds.
        rate: ticks a second, > 0.
        last_duration: how long the last item stays, in seconds; by default as long as the one before
            it did, and one tick when there is only one.

    Yields:
        (k / rate, item) for k = 0, 1, ...: time since the first item, and what is on the screen.

    Raises:
        ValueError: the rate is not positive, or times do not rise.
    """
    if rate <= 0:
        raise ValueError(f"rate is {rate}, expected > 0")
    source = iter(timed)
    first = next(source, None)
    if first is None:
        return
    origin, item = first
    shown_at, gap, tick = Fraction(0), 1 / rate, 0
    for absolute, following in source:
        time = absolute - origin
        if time <= shown_at:
            raise ValueError(f"time {absolute} s follows {shown_at + origin} s, expected rising times")
        gap = time - shown_at
        while tick / rate < time:
            yield tick / rate, item
            tick += 1
        shown_at, item = time, following
    end = shown_at + (gap if last_duration is None else last_duration)
    # A single item is shown at least once, even where it is gone before the next tick.
    while tick / rate < end or tick == 0:
        yield tick / rate, item
        tick += 1


def resample_indices(
    times: Iterable[Fraction], rate: Fraction, *, last_duration: Fraction | None = None
) -> list[int]:
    """For each output tick, the index of the source frame on the screen; see `resample`."""
    numbered = ((time, index) for index, time in enumerate(times))
    return [index for _, index in resample(numbered, rate, last_duration=last_duration)]

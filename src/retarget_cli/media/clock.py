"""The clock of a video stream: its rate, whether frames are even, and exact times from its ticks."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_SCANNED = 600
_REORDERED = 16
_DEFAULT_RATE = Fraction(25)
_SLOWEST, _FASTEST = Fraction(1, 60), Fraction(480)


@dataclass(frozen=True, slots=True)
class Clock:
    """How a stream counts time.

    Attributes:
        rate: nominal frames a second.
        time_base: one tick, in seconds.
        start: when the first frame is shown, in seconds on the file's clock.
        variable: whether frames are unevenly spaced.
        rounds: whether the container rounded the times of an even rate to its coarse ticks, so that
            the exact ones (frame number / rate) can be had back.
    """

    rate: Fraction
    time_base: Fraction
    start: Fraction
    variable: bool = False
    rounds: bool = False

    def exact(self, time: Fraction) -> Fraction:
        """The time that was meant, before the container rounded it to a tick."""
        if not self.rounds:
            return time
        number = round(time * self.rate)
        return number / self.rate if abs(number / self.rate - time) <= self.time_base else time


def read_clock(stream: VideoStream, scan: InputContainer) -> Clock:
    """Find out how a stream counts time.

    Args:
        stream: what will be decoded.
        scan: the same file, opened once more; packets are read from it.
    """
    tick = stream.time_base or Fraction(1, 90000)
    times = _first_times(stream, scan, tick)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    variable = _is_uneven(gaps, tick)
    rate = _rate(stream, gaps, variable)
    start = (stream.start_time or 0) * tick
    coarse = tick.denominator % rate.numerator != 0
    rounds = coarse and all(_is_on_grid(time - start, rate, tick) for time in times)
    return Clock(rate, tick, start, variable, rounds)


def frame_time(frame: VideoFrame) -> Fraction | None:
    """When the frame is shown, in seconds on the file's clock; None where the file does not say."""
    ticks = frame.pts if frame.pts is not None else frame.dts
    return None if ticks is None or frame.time_base is None else ticks * frame.time_base


def _first_times(stream: VideoStream, scan: InputContainer, tick: Fraction) -> list[Fraction]:
    """Times of the first frames, rising; from the file's index where it has one, else from its packets."""
    # An index of decoding times is as good for spacing, and saves reading the file.
    indexed = [entry.timestamp for entry in itertools.islice(stream.index_entries, _SCANNED)]
    if len(indexed) >= min(stream.frames, _SCANNED) > 1:
        shift = (stream.start_time or 0) - indexed[0]
        return [(ticks + shift) * tick for ticks in sorted(set(indexed))]
    packets = itertools.islice(scan.demux(scan.streams[stream.index]), _SCANNED)
    try:
        found = sorted({packet.pts for packet in packets if packet.pts is not None})
    except FFmpegError:
        return []  # damage is met, and reported, when the frames are decoded
    # A scan that stops inside a group misses some of its frames, which looks like a gap.
    whole = found[:-_REORDERED] if len(found) >= _SCANNED - 1 else found
    return [ticks * tick for ticks in whole]


def _is_uneven(gaps: list[Fraction], tick: Fraction) -> bool:
    if not gaps:
        return False
    return max(gaps) - min(gaps) > max(2 * tick, min(gaps) / 50)


def _is_on_grid(time: Fraction, rate: Fraction, tick: Fraction) -> bool:
    return abs(round(time * rate) / rate - time) <= tick


def _rate(stream: VideoStream, gaps: list[Fraction], variable: bool) -> Fraction:
    mean = stream.average_rate
    standard = stream.base_rate
    if mean and standard and not variable and abs(standard / mean - 1) < Fraction(1, 2000):
        return standard  # the mean suffers from a last frame of another length
    measured = len(gaps) / sum(gaps, Fraction(0)) if gaps else None
    for candidate in (mean, measured, stream.guessed_rate):
        if candidate and _SLOWEST <= candidate <= _FASTEST:
            return candidate.limit_denominator(1_000_000)
    return _DEFAULT_RATE

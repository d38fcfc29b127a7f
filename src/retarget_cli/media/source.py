"""What every source of frames looks like, and which of its frames are asked for."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.images import Pixels

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a moving source.

    Attributes:
        index: 0 for the first frame that the source yields, then 1, 2, ... without gaps.
        time: when it is shown, in seconds since the first frame of the *file* (see `FrameSource`).
        rgb: (H, W, 3) uint8, upright, square pixels, sRGB/BT.709.
    """

    index: int
    time: Fraction
    rgb: Pixels


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a source that is asked for.

    Attributes:
        start, end: seconds on the source's time line; start <= time < end. None is no limit.
        max_frames: how many frames at most, or None.

    Raises:
        UsageError: start is negative, end is not after start, or max_frames is below 1.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        begin = self.start or Fraction(0)
        if begin < 0:
            raise UsageError(f"start is {float(begin):g} s, expected 0 or more", "give a later start")
        if self.end is not None and self.end <= begin:
            message = f"end is {float(self.end):g} s, expected more than start, {float(begin):g} s"
            raise UsageError(message, "give a later end")
        if self.max_frames is not None and self.max_frames < 1:
            raise UsageError(f"max-frames is {self.max_frames}, expected 1 or more", "leave it out for all")

    def select(self, timed: Iterable[tuple[Fraction, Payload]]) -> Iterator[tuple[Fraction, Payload]]:
        """The timed items inside the window; reads nothing behind its end."""
        taken = 0
        for time, payload in timed:
            if self.end is not None and time >= self.end:
                return
            if self.start is None or time >= self.start:
                yield time, payload
                taken += 1
                if taken == self.max_frames:
                    return

    def count(self, total: int | None, rate: Fraction) -> int | None:
        """How many of `total` frames lie inside, about; None where that can't be known."""
        counts = []
        if total is not None:
            counts.append(max(1, total - int((self.start or 0) * rate)))
        if self.end is not None:
            # One less than a whole tick still holds the frame at its start.
            counts.append(max(1, -int(-(self.end - (self.start or 0)) * rate // 1)))
        if self.max_frames is not None:
            counts.append(self.max_frames)
        # Without a total, the limits are only an upper bound, but the best there is.
        return min(counts) if counts else None


@dataclass(slots=True)
class Facts:
    """What is known of a source when it is opened; see the attributes of `FrameSource`."""

    path: Path
    kind: str
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    frame_count: int | None = None
    variable: bool = False
    has_audio: bool = False
    origin: Fraction = Fraction(0)
    notes: list[str] = field(default_factory=list)


class FrameSource(Closing):
    """Frames in order of time, once; use it as a context manager.

    Convention:
        `Frame.time` counts from the first frame of the file: presentation time minus the start of the
        video stream. It is exact, and the same whatever `start` is: with start=2 the first frame that
        comes has time 2 or a little more. `start` and `end` are on that line; frames with
        start <= time < end come. `origin` is where the first yielded frame lies on the *file's* own
        clock, which the sound shares, so audio at `origin` belongs to the first frame.

    Attributes:
        path: what was opened.
        kind: "video", "animation", "picture" or "folder".
        size: (height, width) of every frame.
        rate: nominal frames a second, exact (30000/1001); the mean where the rate is variable.
        time_base: the unit of the source's clock in seconds.
        frame_count: how many frames will come, about; None where that is unknown.
        variable: whether frames are known to be unevenly spaced.
        has_audio: whether the file has sound.
        origin: time of the first yielded frame on the file's clock, in seconds.
        notes: what the user should know about the file, complete after the last frame.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._started = False
        self.path = facts.path
        self.kind = facts.kind
        self.size = facts.size
        self.rate = facts.rate
        self.time_base = facts.time_base
        self.frame_count = facts.frame_count
        self.variable = facts.variable
        self.has_audio = facts.has_audio
        self.origin = facts.origin
        self.notes = facts.notes

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; a second call is a programmer's error.

        Raises:
            RuntimeError: it was iterated before.
            InputError: the file turned out to be unusable.
        """
        if self._started:
            raise RuntimeError("a FrameSource can be iterated once; open it again")
        self._started = True
        return self._frames()

    def audio_track(self) -> AudioTrack | None:
        """The sound that belongs to the frames, to be handed to `open_writer`; None without sound."""
        return AudioTrack(self.path, start=self.origin) if self.has_audio else None

    @abstractmethod
    def _frames(self) -> Iterator[Frame]:
        """Yield the frames inside the window."""

    def close(self) -> None:
        """Let go of the file; safe to call twice. Most sources hold nothing open."""


def nothing_in_window(path: Path, window: Window, last: Fraction | None) -> InputError:
    """The error for a source that has frames, but none between start and end."""
    asked = f"from {float(window.start or 0):g} s"
    if window.end is not None:
        asked += f" to {float(window.end):g} s"
    known = "" if last is None else f"; the last frame is at {float(last):.3f} s"
    return InputError(f"{path} has no frame {asked}{known}", "choose another --start or --end")


def fitted_size(height: int, width: int, aspect: Fraction, long_side: int | None) -> tuple[int, int]:
    """Size with square pixels inside `long_side`, never enlarged by it.

    Args:
        height, width: as stored, in pixels.
        aspect: width of one stored pixel divided by its height.
        long_side: limit of the longer side, or None.

    Returns:
        (height, width), each at least 1.
    """
    tall = height / aspect if aspect < 1 else Fraction(height)
    wide = width * aspect if aspect > 1 else Fraction(width)
    longest = max(tall, wide)
    scale = Fraction(1) if long_side is None or longest <= long_side else long_side / longest
    return max(1, round(tall * scale)), max(1, round(wide * scale))

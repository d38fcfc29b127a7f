"""The sound of a driving clip: which part of which file goes with a video."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """Sound to put under a video.

    Attributes:
        path: the file that has the sound.
        start: time on the file's own clock, in seconds, that falls on the video's first moment
            (`FrameSource.origin`, when the frames come from the same file).
        end: where on that clock the sound stops at the latest, or None: with the video's last frame.
    """

    path: Path
    start: Fraction = Fraction(0)
    end: Fraction | None = None

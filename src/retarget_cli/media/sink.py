"""What every output for frames looks like."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from retarget_cli.core.errors import OutputError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.images import Pixels
from retarget_cli.media.target import Target, unwritable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked of `open_writer`; see there.

    Attributes:
        is_steady: the same frames become the same bytes whatever the machine; slower.
    """

    path: Path
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction | None = None
    alpha: bool = False
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    audio: AudioTrack | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    overwrite: bool = False
    loop: int = 0
    is_steady: bool = False


class Writer(ABC):
    """Takes frames in order of time; use it as a context manager.

    Convention:
        The time of the first written frame becomes 0 in the output, whatever it is, and the first moment
        of `AudioTrack.start`. So `write(picture, frame.time)` with the times of a `FrameSource`, and
        `FrameSource.audio_track()` for the sound, are in step for any start and any number of frames.

    Attributes:
        path: the output's name, where it appears when the context is left without an exception.
        codec_used: what the frames were encoded with.
        notes: what the user should know, such as "no sound: ..."; complete when the context is left.
        frames_written: how many frames were taken.
    """

    def __init__(self, order: Order, codec_used: str, *, frame_names: str = "") -> None:
        self.path = order.path
        self.codec_used = codec_used
        self.notes: list[str] = []
        self.frames_written = 0
        self._order = order
        self._origin: Fraction | None = None
        self._last_time = Fraction(-1)
        self._is_open = True
        self._target = Target(order.path, frame_names=frame_names, overwrite=order.overwrite)

    def write(self, pixels: Pixels, time: Fraction) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) or (H, W, 4) uint8 of the size that was announced. Where transparency is not
                kept, the fourth channel is dropped; where it is kept and missing, the frame is opaque.
            time: when it is shown, in seconds, later than the one before.

        Raises:
            ValueError: a wrong shape, or times that do not rise.
            OutputError: it can't be written.
        """
        if not self._is_open:
            raise ValueError(f"{self.path} is closed")
        if pixels.shape[:2] != self._order.size or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
            raise ValueError(f"frame is {pixels.shape}, expected {(*self._order.size, '3 or 4')}")
        self._origin = time if self._origin is None else self._origin
        since_start = time - self._origin
        if since_start <= self._last_time:
            raise ValueError(f"time {time} s does not follow {self._last_time + self._origin} s")
        self._last_time = since_start
        try:
            self._put(self._channels(pixels), since_start)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.frames_written += 1

    def close(self) -> None:
        """Complete the output and let it appear under its name.

        Raises:
            OutputError: no frame was written, or it can't be completed; nothing is left then.
        """
        if not self._is_open:
            return
        try:
            if not self.frames_written:
                raise OutputError(f"{self.path}: no frame was written", "check the driving clip's range")
            self._complete()
        except OSError as error:
            self.abort()
            raise unwritable(self.path, error) from error
        except BaseException:
            self.abort()
            raise
        self._is_open = False
        self._target.finish()
        for note in self.notes:
            log.info("%s: %s", self.path, note)

    def abort(self) -> None:
        """Throw away what was written; nothing remains."""
        if self._is_open:
            self._is_open = False
            self._release()
            self._target.discard()

    @abstractmethod
    def _put(self, pixels: Pixels, time: Fraction) -> None:
        """Encode one frame, `time` seconds after the first; may raise OSError."""

    @abstractmethod
    def _complete(self) -> None:
        """Write what is missing to `self._target.partial` and close it; may raise OSError."""

    @abstractmethod
    def _release(self) -> None:
        """Close what is open without completing it; must not raise."""

    def _channels(self, pixels: Pixels) -> Pixels:
        if not self._order.alpha:
            return np.ascontiguousarray(pixels[..., :3])
        if pixels.shape[2] == 4:
            return np.ascontiguousarray(pixels)
        opaque = np.full((*pixels.shape[:2], 1), 255, dtype=np.uint8)
        return np.concatenate([pixels, opaque], axis=2)

    def _no_sound(self) -> None:
        """Say that this kind of file can't have the sound that was asked for."""
        if self._order.audio is not None:
            self.notes.append(f"no sound: {self.path.name} can't hold any")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

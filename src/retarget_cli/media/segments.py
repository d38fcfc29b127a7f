"""A film that is made in closed segments and joined in the end without being encoded anew.

    FOLDER/000003.mkv    frames of one segment, encoded by an encoder of their own
    FOLDER/000003.json   written last: the segment is closed
    FOLDER/000003.lock   held by the process that is making it

The same frames become the same packets in every process and on every machine with the same libraries, so that a film
whose segments were made in several runs equals one made at a stretch. Outputs that are no films (animations, pictures,
folders) are kept in lossless segments meanwhile.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from filelock import FileLock, Timeout

from retarget_cli.core.errors import OutputError
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.codecs import CODECS, FILM_KINDS, choose_codec, encoder_options
from retarget_cli.media.images import Pixels
from retarget_cli.media.joined_film import join_frames, join_packets
from retarget_cli.media.kinds import names_frames
from retarget_cli.media.segment_file import Segment, clock_of, close_segment, read_segment, record_of
from retarget_cli.media.sink import Order
from retarget_cli.media.target import remove_remains, unwritable
from retarget_cli.media.video_writer import VideoWriter
from retarget_cli.media.writer import SYNTHETIC, open_writer, writer_of

_LOSSLESS = "ffv1"


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """How the finished output is to be encoded; fields as of `open_writer`."""

    path: Path
    rate: Fraction
    time_base: Fraction | None = None
    alpha: bool = False
    codec: str | None = None
    crf: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """A finished output.

    Attributes:
        path: its name.
        frames: how many it has.
        size: (height, width) of the frames that were written.
        notes: what the user should know.
        codec: what the frames were encoded with.
    """

    path: Path
    frames: int
    size: tuple[int, int]
    notes: tuple[str, ...]
    codec: str


class Segments:
    """The closed segments of one film that is still being made.

    Attributes:
        folder: where they are.
        plan: the finished film.
    """

    def __init__(self, folder: Path, plan: FilmPlan) -> None:
        """Check the plan; nothing is written yet.

        Args:
            folder: where the segments are, or will be.
            plan: the finished film.

        Raises:
            UsageError: the output's kind or its codec is impossible.
        """
        self.folder = folder
        self.plan = plan
        self._is_film = plan.path.suffix.lower() in FILM_KINDS
        writer_of(plan.path, plan.codec)  # wrong names end here
        self._codec = choose_codec(plan.path, plan.codec, alpha=plan.alpha) if self._is_film else _LOSSLESS
        self._crf = plan.crf if self._is_film else None
        encoder_options(CODECS[self._codec], self._crf, None, alpha=plan.alpha)  # wrong values end here

    def is_closed(self, number: int) -> bool:
        """Whether a segment is complete."""
        return os.path.isfile(record_of(self._film(number)))  # False where that can't be seen

    @contextmanager
    def claimed(self, number: int) -> Iterator[bool]:
        """Whether this process may make a segment now: it is not closed, and no other process is at it.

        The claim ends with the block, and with the process, however that ends.

        Raises:
            OutputError: the folder can't be written.
        """
        film = self._film(number)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(film.with_suffix(".lock"), thread_local=False)  # freed in another thread than it was taken
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        except (OSError, NotImplementedError) as error:
            raise unwritable(film, error) from error
        try:
            is_free = not self.is_closed(number)
            if is_free:
                self._remove_remains(number)
            yield is_free
        finally:
            lock.release()

    def write(self, number: int, frames: Iterable[tuple[Fraction, Pixels]]) -> int:
        """Make one segment, which is closed when this returns.

        Args:
            number: from 0.
            frames: (time, (H, W, 3) or (H, W, 4) uint8), times rising; as for `Writer.write`.

        Returns:
            How many frames it has.

        Raises:
            ValueError: a wrong shape, or times that do not rise.
            OutputError: it can't be written; nothing is left of it.
        """
        film, clock = self._film(number), clock_of(self.plan.rate)
        numbered = enumerate(frames)
        first = next(numbered, None)
        if first is None:
            raise OutputError(f"{film}: no frame was written", "check the driving clip's range")
        height, width = first[1][1].shape[:2]
        order = Order(
            film, (height, width), clock, self.plan.time_base, self.plan.alpha, self._codec, self._crf,
            overwrite=True, is_steady=True,
        )  # fmt: skip
        times: list[Fraction] = []
        self._reopen(film)
        with VideoWriter(order) as writer:
            for index, (time, pixels) in itertools.chain([first], numbered):
                if times and time <= times[-1]:
                    raise ValueError(f"time {time} s does not follow {times[-1]} s")
                writer.write(pixels, index / clock)
                times.append(time)
        close_segment(film, writer.codec_used, order.size, tuple(times), clock, tuple(writer.notes))
        return len(times)

    def join(self, count: int, audio: Callable[[Fraction], AudioTrack | None]) -> Joined:
        """Make the output out of the segments 0 to `count` - 1, which stay; only one process may be at this.

        Args:
            count: how many there are.
            audio: gives the sound to put under it, and is told the time of the first frame.

        Raises:
            OutputError: a segment is missing, damaged or of another encoder, or the output can't be written; nothing
                is left of it then.
        """
        if count < 1:
            raise OutputError(f"{self.plan.path}: no frame was written", "check the driving clip's range")
        first = self._read(0)
        notes: dict[str, None] = {}
        frames, latest = 0, None
        for number in range(count):
            segment = self._read(number)
            self._check_same_kind(first, segment, number)
            if latest is not None and segment.times[0] <= latest:
                raise self._misfit(number, f"begins at {segment.times[0]} s, before the one before has ended")
            latest = segment.times[-1]
            frames += len(segment.times)
            notes |= dict.fromkeys(segment.notes)
        self._remove_remains_of_output()
        told, codec = self._joined(first, count, audio(first.times[0]))
        return Joined(self.plan.path, frames, first.size, (*notes, *told), codec)

    def _joined(self, first: Segment, count: int, audio: AudioTrack | None) -> tuple[tuple[str, ...], str]:
        """(notes, codec) of the output."""
        plan = self.plan
        tags = {"comment": SYNTHETIC, **plan.metadata}

        def segments() -> Iterator[Segment]:
            return (self._read(number) for number in range(count))

        if self._is_film:
            order = Order(
                plan.path, first.size, plan.rate, plan.time_base, plan.alpha, first.codec, plan.crf,
                audio=audio, metadata=tags, overwrite=plan.overwrite, is_steady=True,
            )  # fmt: skip
            return join_packets(order, segments), first.codec
        writer = open_writer(
            plan.path, size=first.size, rate=plan.rate, time_base=plan.time_base, alpha=plan.alpha, crf=plan.crf,
            audio=audio, metadata=tags, overwrite=plan.overwrite,
        )  # fmt: skip
        return join_frames(writer, segments(), alpha=plan.alpha), writer.codec_used

    def _read(self, number: int) -> Segment:
        if not self.is_closed(number):
            message = f"segment {number} of {self.plan.path} is missing"
            raise OutputError(message, "start the same command again: it goes on")
        return read_segment(self._film(number))

    def _check_same_kind(self, first: Segment, segment: Segment, number: int) -> None:
        if segment.kind == first.kind:
            return
        if segment.codec != first.codec:
            raise self._misfit(number, f"was encoded as {segment.codec}, the first as {first.codec}")
        if segment.size != first.size:
            (height, width), (tall, wide) = segment.size, first.size
            raise self._misfit(number, f"is {width}x{height}, the first {wide}x{tall}")
        raise self._misfit(number, f"was made by another encoder for {segment.codec} than the first")

    def _misfit(self, number: int, fault: str) -> OutputError:
        message = f"segment {number} of {self.plan.path} {fault}"
        return OutputError(message, f"remove {self.folder}, and begin anew")

    def _film(self, number: int) -> Path:
        return self.folder / f"{number:06d}.mkv"

    def _reopen(self, film: Path) -> None:
        """A segment that is made again is not closed meanwhile."""
        try:
            record_of(film).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(film, error) from error

    def _remove_remains_of_output(self) -> None:
        path = self.plan.path
        if names_frames(path):
            remove_remains(path.parent, "")
        else:
            remove_remains(path, path.suffix)

    def _remove_remains(self, number: int) -> None:
        """What killed processes left of a segment; only for whoever has claimed it."""
        film = self._film(number)
        remove_remains(film, film.suffix)
        remove_remains(record_of(film), "")

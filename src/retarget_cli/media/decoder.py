"""A video stream decoded one frame after the other, past damage, with exact and rising times."""

import logging
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from retarget_cli.core.errors import InputError
from retarget_cli.media.clock import Clock, frame_time, read_clock
from retarget_cli.media.files import av_url
from retarget_cli.media.limits import MAX_FILM_PIXELS, check_film_size, check_gap, input_options

log = logging.getLogger(__name__)

EXPECTED = "a video, an animation, a picture or a folder of frames"

_MOST_BAD_READS = 100
_MOST_THREADS = 4


class Decoder:
    """The film in a file.

    Attributes:
        stream: the video stream, for what its header says.
        clock: how it counts time.
        damaged: times, on the source's time line, near which something could not be decoded.
        last_time: time of the latest decoded frame, or None before the first.
        has_audio: whether the file has sound.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            InputError: it holds no film that can be decoded.
        """
        self.path = path
        self.damaged: list[Fraction] = []
        self.last_time: Fraction | None = None
        self._container = open_container(path)
        try:
            self.stream = _film_stream(path, self._container)
            self.clock = _clock(path, self.stream)
        except BaseException:
            self._container.close()
            raise
        self.has_audio = bool(self._container.streams.audio)

    @property
    def duration(self) -> Fraction | None:
        """How long the film says it is, in seconds."""
        if self.stream.duration and self.stream.time_base:
            return self.stream.duration * self.stream.time_base
        return Fraction(self._container.duration, 1_000_000) if self._container.duration else None

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._container.close()

    def frames(self, start: Fraction | None = None) -> Iterator[tuple[Fraction, VideoFrame]]:
        """Decode from a point at or before `start`, or from the beginning.

        Yields:
            (time, frame): time since the first frame of the file, in seconds; it always rises.
        """
        self.last_time = None
        sought = bool(start) and self._seek(start or Fraction(0))
        origin = self.clock.start
        for frame in self._decoded():
            time = frame_time(frame)
            if self.last_time is None and not sought:
                # Nothing may lie before zero, whatever the header says of the start.
                origin = min(origin, time) if time is not None else origin
            yield self._rising(None if time is None else self.clock.exact(time - origin)), frame

    def restart(self) -> None:
        """Go back to the beginning by opening the file again."""
        self._container.close()
        self._container = open_container(self.path)
        self.stream = _film_stream(self.path, self._container)

    def _seek(self, start: Fraction) -> bool:
        try:
            tick = self.clock.time_base
            self._container.seek(int((start + self.clock.start) / tick), stream=self.stream)
        except FFmpegError as error:
            log.debug("%s: can't seek (%s), reading from the start", self.path, error)
            self.restart()
            return False
        return True

    def _rising(self, time: Fraction | None) -> Fraction:
        """The frame's time, or one tick of the rate after the last where it is missing or falls back."""
        if self.last_time is None:
            self.last_time = Fraction(0) if time is None else time
        elif time is None or time <= self.last_time:
            self.last_time += 1 / self.clock.rate
        else:
            check_gap(self.path, self.last_time, time)
            self.last_time = time
        return self.last_time

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except EndOfFile:
                return
            except FFmpegError as error:
                self._note_damage(error)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._note_damage("corrupt frame")
                else:
                    yield frame

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        """The stream's packets; a failed read is tried again behind it, as long as that gets further."""
        bad_reads = 0
        while bad_reads < _MOST_BAD_READS:
            try:
                yield from self._container.demux(self.stream)
                return
            except EndOfFile:
                return
            except FFmpegError as error:
                bad_reads += 1
                self._note_damage(error)

    def _note_damage(self, reason: object) -> None:
        time = Fraction(0) if self.last_time is None else self.last_time
        self.damaged.append(time)
        log.debug("%s: damage near %.3f s: %s", self.path, float(time), reason)


def open_container(path: Path) -> InputContainer:
    """Open a media file as a plain local file.

    Raises:
        InputError: it is no media file, or cut short so that it can't be opened.
    """
    try:
        return av.open(av_url(path), "r", options=input_options(), metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        message = f"{path} is not {EXPECTED}, or is cut short or damaged"
        raise InputError(message, "play it to check, then copy or export it again") from error


def _film_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream to show; cover pictures of music files don't count."""
    films = [
        stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
    ]
    if not films:
        found = "sound but no pictures" if container.streams.audio else "no pictures"
        raise InputError(f"{path} holds {found}, expected {EXPECTED}", "give the file that has the film")
    decodable = [film for film in films if film.codec_context is not None and film.width and film.height]
    if not decodable:
        message = f"{path} holds a film that can't be decoded here, or whose frames are too large"
        raise InputError(message, "convert it to H.264, at most 67 megapixels a frame")
    stream = max(decodable, key=_prominence)
    check_film_size(path, stream)
    stream.codec_context.options = {"max_pixels": str(MAX_FILM_PIXELS)}
    stream.thread_type = "AUTO"
    stream.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)
    return stream


def _prominence(film: VideoStream) -> tuple[int, int]:
    """What the file calls its main film comes first, then the largest."""
    return int(film.disposition & Disposition.default), film.width * film.height


def _clock(path: Path, stream: VideoStream) -> Clock:
    scan = open_container(path)
    try:
        return read_clock(stream, scan)
    finally:
        scan.close()

"""One closed segment of a film: a .mkv, and beside it a record that is written last.

    000003.mkv    its packets; frame i stands at i / `clock_of(rate)`, wherever it belongs in the film
    000003.json   when its frames are shown, as exact fractions, and what is needed to join it with others
"""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from retarget_cli.core.errors import OutputError
from retarget_cli.media.files import av_url, replace_file
from retarget_cli.media.images import Pixels

_FORMAT = "retarget-segment 1"
# .mkv counts in milliseconds; faster films stand in their segments as if they were slow.
_FASTEST, _SLOW = Fraction(500), Fraction(25)


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of a closed segment.

    Attributes:
        film: its .mkv.
        codec: key in `CODECS` of what made it.
        size: (height, width) of its frames before they were made even.
        times: when its frames are shown, in seconds, rising.
        delay: by how many places a packet comes, at most, later in the file than its frame is shown.
        head: what a decoder must know before the first packet.
        notes: what the user should know of the encoder.
    """

    film: Path
    codec: str
    size: tuple[int, int]
    times: tuple[Fraction, ...]
    delay: int
    head: bytes
    notes: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, tuple[int, int], bytes]:
        """What all segments of one film have in common."""
        return self.codec, self.size, self.head


def clock_of(rate: Fraction) -> Fraction:
    """Frames a second inside the segments of a film."""
    return rate if rate <= _FASTEST else _SLOW


def record_of(film: Path) -> Path:
    """The record beside a segment's .mkv."""
    return film.with_suffix(".json")


def close_segment(
    film: Path, codec: str, size: tuple[int, int], times: tuple[Fraction, ...], clock: Fraction, notes: tuple[str, ...]
) -> Segment:
    """Look through a .mkv that was just written, and put its record beside it.

    Raises:
        OutputError: not every frame came out of the encoder, or the record can't be written.
    """
    try:
        delay = max(place - index for place, (index, _) in enumerate(packets(film, len(times), clock)))
        with _opened(film) as container:
            head = container.streams.video[0].codec_context.extradata or b""
    except (FFmpegError, OSError, ValueError) as error:
        raise damaged(film, str(error)) from error
    segment = Segment(film, codec, size, times, delay, head, notes)
    told = asdict(segment) | {"film": film.name, "times": [str(time) for time in times], "head": head.hex()}
    content = json.dumps({"format": _FORMAT, "bytes": film.stat().st_size, **told}).encode()

    def save(file: io.BufferedWriter) -> None:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

    replace_file(record_of(film), save, "make room")
    return segment


def read_segment(film: Path) -> Segment:
    """What the record says.

    Raises:
        OutputError: it can't be read, or does not go with the .mkv; it will count as not closed.
    """
    try:
        told: dict[str, Any] = json.loads(record_of(film).read_bytes())
        if told["format"] != _FORMAT or told["bytes"] != film.stat().st_size:
            raise ValueError("its record is of something else")
        return Segment(
            film, told["codec"], (told["size"][0], told["size"][1]), tuple(Fraction(time) for time in told["times"]),
            told["delay"], bytes.fromhex(told["head"]), tuple(told["notes"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise damaged(film, str(error)) from error


def packets(film: Path, count: int, clock: Fraction) -> "Iterator[tuple[int, Packet[VideoStream]]]":
    """(which frame, packet) in the order of the file.

    Raises:
        OutputError: these are not the packets of so many frames; the segment will count as not closed.
    """
    seen = bytearray(count)
    begin: int | None = None
    try:
        with _opened(film) as container:
            for packet in container.demux(container.streams.video[0]):
                if not packet.size or packet.pts is None:
                    continue
                begin = packet.pts if begin is None else begin
                index = round((packet.pts - begin) * packet.time_base * clock)
                if not 0 <= index < count or seen[index] or packet.is_corrupt:
                    raise damaged(film, f"it holds what is no frame {index} of {count}")
                seen[index] = True
                yield index, packet
    except (FFmpegError, OSError, ValueError) as error:
        raise damaged(film, str(error)) from error
    if not all(seen):
        raise damaged(film, f"it holds {sum(seen)} of {count} frames")


def pictures(segment: Segment, *, alpha: bool) -> Iterator[tuple[Fraction, Pixels]]:
    """(time, (H, W, 3) or (H, W, 4)) of a lossless segment.

    Raises:
        OutputError: these are not its frames; the segment will count as not closed.
    """
    count = 0
    try:
        with _opened(segment.film) as container:
            for frame in container.decode(container.streams.video[0]):
                count += 1
                if count <= len(segment.times):
                    pixels = frame.to_ndarray(format="rgba" if alpha else "rgb24")
                    yield segment.times[count - 1], np.asarray(pixels, dtype=np.uint8)
    except (FFmpegError, OSError, ValueError) as error:
        raise damaged(segment.film, str(error)) from error
    if count != len(segment.times):
        raise damaged(segment.film, f"it holds {count} of {len(segment.times)} frames")


def damaged(film: Path, reason: str) -> OutputError:
    """The error for a segment that is not what its record says; without its record it is made anew next time."""
    with contextlib.suppress(OSError):
        record_of(film).unlink(missing_ok=True)
    return OutputError(f"{film} is damaged: {reason}", "start the same command again: it is made anew")


@contextmanager
def _opened(film: Path) -> Iterator[InputContainer]:
    with av.open(av_url(film), "r", format="matroska", options={"protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            raise ValueError("it holds no pictures")
        yield container

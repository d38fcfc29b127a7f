"""Closed segments made into one output: films by copying their packets, everything else from their frames."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from retarget_cli.media.codecs import CODECS
from retarget_cli.media.film_file import FilmFile, frame_ticks
from retarget_cli.media.segment_file import Segment, clock_of, packets, pictures
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.target import Target, unwritable


@dataclass(slots=True)
class Timetable:
    """When each frame of a film is shown, in ticks since the first.

    Attributes:
        tick: seconds.
        ticks: of every frame, rising.
        last: how long the last one stays.
    """

    tick: Fraction
    last: int
    ticks: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, time: Fraction) -> None:
        """One more frame, so many seconds since the first."""
        ticks = round(time / self.tick)
        self.ticks.append(max(ticks, self.ticks[-1] + 1) if self.ticks else ticks)

    def shown(self, index: int) -> int:
        """When a frame is shown; before the first, as if frames had come at the film's rate."""
        return self.ticks[index] if index >= 0 else index * self.last

    def duration(self, index: int) -> int:
        """How long a frame stays."""
        return self.ticks[index + 1] - self.ticks[index] if index + 1 < len(self.ticks) else self.last

    @property
    def end(self) -> int:
        """When the last frame goes."""
        return self.ticks[-1] + self.last


def join_packets(order: Order, segments: Callable[[], Iterable[Segment]]) -> tuple[str, ...]:
    """Copy the packets of all segments into one film, each at its frame's time.

    Args:
        order: the film.
        segments: reads them, in order; asked twice, so that never more than one is held.

    Returns:
        What the user should know.

    Raises:
        OutputError: a segment is damaged, or the film can't be written; nothing is left then.
    """
    target = Target(order.path, overwrite=order.overwrite)
    film: FilmFile | None = None
    try:
        film = FilmFile(target.partial, order)
        _copy(film, order, segments)
    except (FFmpegError, OSError) as error:
        _discard(film, target)
        raise unwritable(order.path, error) from error
    except BaseException:
        _discard(film, target)
        raise
    target.finish()
    return tuple(film.notes)


def _copy(film: FilmFile, order: Order, segments: Callable[[], Iterable[Segment]]) -> None:
    table = Timetable(film.tick, frame_ticks(order.rate, film.tick))
    first: Segment | None = None
    delay = 0
    for segment in segments():
        first = first or segment
        delay = max(delay, segment.delay)
        for time in segment.times:
            table.add(time - first.times[0])
    assert first is not None
    stream = film.add_copied(CODECS[first.codec], first.head)
    film.begin()
    for place, (index, packet) in enumerate(_numbered(segments(), clock_of(order.rate))):
        packet.stream = stream
        packet.time_base = film.tick
        packet.pts = table.shown(index)
        packet.dts = table.shown(place - delay)
        packet.duration = table.duration(index)
        film.put(packet)
        film.advance(table.shown(place))
    film.finish(table.end)


def _numbered(segments: Iterable[Segment], clock: Fraction) -> "Iterator[tuple[int, Packet[VideoStream]]]":
    """(which frame of the film, packet), in decoding order."""
    before = 0
    for segment in segments:
        for index, packet in packets(segment.film, len(segment.times), clock):
            yield before + index, packet
        before += len(segment.times)


def _discard(film: FilmFile | None, target: Target) -> None:
    if film is not None:
        film.release()
    target.discard()


def join_frames(writer: Writer, segments: Iterable[Segment], *, alpha: bool) -> tuple[str, ...]:
    """Decode lossless segments into an output of another kind.

    Args:
        writer: of the output, just opened.
        segments: in order.
        alpha: whether their frames have transparency.

    Returns:
        What the user should know.

    Raises:
        OutputError: a segment is damaged, or the output can't be written; nothing is left then.
    """
    with writer:
        for segment in segments:
            for time, pixels in pictures(segment, alpha=alpha):
                writer.write(pixels, time)
    return tuple(writer.notes)

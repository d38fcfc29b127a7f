"""The file of a film while it is being written: its head, the stream of pictures, and sound in step with it."""

import contextlib
import logging
import math
import os
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from retarget_cli.media.audio_input import NoSoundError
from retarget_cli.media.codecs import CODECS, Codec, encoder_options
from retarget_cli.media.files import av_url
from retarget_cli.media.sink import Order
from retarget_cli.media.sound import Sound, open_sound

log = logging.getLogger(__name__)

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_CONTAINER_OPTIONS = {kind: {"movflags": "+faststart"} for kind in (".mp4", ".m4v", ".mov")}
_KEEPS_ALPHA_BESIDE = (".webm", ".mkv")
# mp4 counts in at most 2^31; this leaves room for hours.
_FINEST = 1_000_000
_COARSEST = 10_000


class FilmFile:
    """An open file; first `add_pictures` and `begin`, then packets, then `finish`.

    Attributes:
        tick: the unit of its pictures' times, in seconds.
        notes: what the user should know of its sound.
    """

    def __init__(self, partial: Path, order: Order) -> None:
        """Open the file; nothing is written yet.

        Args:
            partial: what to write into.
            order: what was asked for.

        Raises:
            FFmpegError, OSError: it can't be opened.
        """
        self.tick = output_tick(order.rate, order.time_base)
        self.notes: list[str] = []
        self._order = order
        self._kind = order.path.suffix.lower()
        self._sound: Sound | None = None
        self._container = av.open(
            av_url(partial),
            "w",
            format=_FORMATS[self._kind],
            container_options=_CONTAINER_OPTIONS.get(self._kind, {}),
        )
        self._container.metadata.update(_tags(order.metadata))

    def add_pictures(self, codec: Codec) -> VideoStream:
        """A stream with its encoder opened.

        Raises:
            FFmpegError, ValueError: the encoder is not there, or can't do this.
        """
        order = self._order
        # SVT-AV1 talks to stderr on its own; this is the only way to make it silent.
        os.environ.setdefault("SVT_LOG", "1")
        options = encoder_options(codec, order.crf, order.preset, alpha=order.alpha, is_steady=order.is_steady)
        stream: VideoStream = self._container.add_stream(  # type: ignore[assignment]
            codec.encoder, rate=order.rate, options=options
        )
        height, width = (even(side) if codec.needs_even else side for side in order.size)
        stream.height, stream.width = height, width
        pixel_format = codec.alpha_format if order.alpha else codec.pixel_format
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = self.tick
        if order.is_steady:
            context.thread_count = 1
        if pixel_format is not None and pixel_format.startswith("yuv"):
            context.color_range = ColorRange.MPEG
            context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        if order.alpha and self._kind in _KEEPS_ALPHA_BESIDE:
            stream.metadata["alpha_mode"] = "1"
        context.open()
        return stream

    def add_copied(self, codec: Codec, head: bytes) -> VideoStream:
        """A stream for packets that are encoded already.

        Its encoder is opened all the same: so the file's head says what it would say of a film encoded at once.

        Args:
            codec: what made the packets; where it needs a GPU, the one without stands for it.
            head: what a decoder must know before the first packet, in the form that goes with the packets.

        Raises:
            FFmpegError, ValueError: the encoder is not there, or can't do this.
        """
        stream = self.add_pictures(CODECS[codec.fallback] if codec.fallback else codec)
        # Some codecs need none; a .mkv has a mark of its own there for ProRes.
        if stream.codec_context.extradata:
            stream.codec_context.extradata = head
        return stream

    def begin(self) -> None:
        """Add the sound that was asked for, and write the head.

        Raises:
            FFmpegError, OSError: it can't be written.
        """
        if self._order.audio is not None:
            try:
                self._sound = open_sound(self._order.audio, self._container, self._kind)
            except NoSoundError as error:
                self._note(f"no sound: {error}")
        self._container.start_encoding()

    def put(self, packet: "Packet[VideoStream]") -> None:
        """Write a packet of pictures."""
        self._container.mux_one(packet)

    def advance(self, ticks: int) -> None:
        """Write the sound up to a time, in ticks since the first frame."""
        if self._sound is not None:
            self._sound.advance(ticks * self.tick)

    def finish(self, end: int) -> None:
        """Write the rest of the sound, up to the film's end in ticks, and close the file.

        Raises:
            FFmpegError, OSError: it can't be written.
        """
        if self._sound is not None:
            self._sound.finish(end * self.tick)
            if self._sound.note:
                self._note(self._sound.note)
        self._container.close()

    def release(self) -> None:
        """Let go of a file that is thrown away, whatever it complains about; safe to call twice."""
        if self._sound is not None:
            self._sound.close()
        with contextlib.suppress(FFmpegError, OSError, ValueError):
            self._container.close()

    def _note(self, text: str) -> None:
        self.notes.append(text)
        log.warning("%s", text)


def output_tick(rate: Fraction, time_base: Fraction | None) -> Fraction:
    """A unit of time in which frames at multiples of 1/rate, and of the source's unit, are exact.

    Args:
        rate: frames a second.
        time_base: the source's unit in seconds, or None.

    Returns:
        Seconds; 0.1 ms or finer, and 1 us or coarser wherever that can hold both.
    """
    per_second = rate.numerator
    if time_base is not None and time_base > 0:
        both = math.lcm(per_second, time_base.denominator)
        per_second = both if both <= _FINEST else per_second
    if per_second < _COARSEST:
        per_second *= -(-_COARSEST // per_second)
    return Fraction(1, per_second)


def frame_ticks(rate: Fraction, tick: Fraction) -> int:
    """How long the last frame stays, in ticks."""
    return max(1, round(1 / rate / tick))


def even(side: int) -> int:
    """The side, or one more."""
    return side + side % 2


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    comment = metadata.get("comment", "")
    return {"description": comment, **metadata} if comment else dict(metadata)

"""Films: mp4, mov, mkv, webm, with sound."""

import contextlib
import logging
import math
import os
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from retarget_cli.core.errors import OutputError
from retarget_cli.media.audio_input import NoSoundError
from retarget_cli.media.codecs import CODECS, Codec, choose_codec, encoder_options
from retarget_cli.media.files import av_url
from retarget_cli.media.images import Pixels
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.sound import Sound, open_sound
from retarget_cli.media.target import unwritable

log = logging.getLogger(__name__)

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_CONTAINER_OPTIONS = {kind: {"movflags": "+faststart"} for kind in (".mp4", ".m4v", ".mov")}
# mp4 counts in at most 2^31; this leaves room for hours.
_FINEST = 1_000_000
_COARSEST = 10_000


class VideoWriter(Writer):
    """A film with exact times; see `open_writer`."""

    def __init__(self, order: Order) -> None:
        """Open the encoder and write the file's head.

        Raises:
            UsageError: the codec is unknown or does not fit.
            OutputError: the file can't be written, or the encoder can't be opened.
        """
        key = choose_codec(order.path, order.codec, alpha=order.alpha)
        encoder_options(CODECS[key], order.crf, order.preset, alpha=order.alpha)  # wrong values end here
        super().__init__(order, key)
        self._kind = order.path.suffix.lower()
        self._tick = output_tick(order.rate, order.time_base)
        self._scaler = VideoReformatter()
        self._pending: tuple[VideoFrame, int] | None = None
        self._durations: dict[int, int] = {}
        self._sound: Sound | None = None
        try:
            self._container, self._stream = self._open_first_that_works(key)
            self._add_sound()
            self._container.start_encoding()
        except (FFmpegError, OSError) as error:
            self.abort()
            raise unwritable(order.path, error) from error
        except BaseException:
            self.abort()
            raise

    def _open_first_that_works(self, key: str) -> tuple[OutputContainer, VideoStream]:
        while True:
            codec = CODECS[key]
            container = av.open(
                av_url(self._target.partial),
                "w",
                format=_FORMATS[self._kind],
                container_options=_CONTAINER_OPTIONS.get(self._kind, {}),
            )
            self._container = container
            container.metadata.update(_tags(self._order.metadata))
            try:
                stream = self._add_film(container, codec)
            except (FFmpegError, ValueError) as error:
                container.close()
                if codec.fallback is None:
                    height, width = self._order.size
                    message = f"{key} can't encode {width}x{height} to {self._kind}: {_reason(error)}"
                    raise OutputError(message, "choose another --codec or --size") from error
                self.notes.append(f"{key} can't be used here ({_reason(error)}), {codec.fallback} is used")
                key = codec.fallback
                continue
            self.codec_used = key
            self._codec = codec
            return container, stream

    def _add_film(self, container: OutputContainer, codec: Codec) -> VideoStream:
        # SVT-AV1 talks to stderr on its own; this is the only way to make it silent.
        os.environ.setdefault("SVT_LOG", "1")
        options = encoder_options(codec, self._order.crf, self._order.preset, alpha=self._order.alpha)
        stream: VideoStream = container.add_stream(codec.encoder, rate=self._order.rate, options=options)  # type: ignore[assignment]
        height, width = (even(side) if codec.needs_even else side for side in self._order.size)
        stream.height, stream.width = height, width
        pixel_format = codec.alpha_format if self._order.alpha else codec.pixel_format
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.time_base = self._tick
        if pixel_format is not None and pixel_format.startswith("yuv"):
            context.color_range = ColorRange.MPEG
            context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        if self._order.alpha and self._kind in (".webm", ".mkv"):
            stream.metadata["alpha_mode"] = "1"
        context.open()
        return stream

    def _add_sound(self) -> None:
        if self._order.audio is None:
            return
        try:
            self._sound = open_sound(self._order.audio, self._container, self._kind)
        except NoSoundError as error:
            self.notes.append(f"no sound: {error}")
            log.warning("no sound: %s", error)

    def _put(self, pixels: Pixels, time: Fraction) -> None:
        ticks = round(time / self._tick)
        try:
            if self._pending is not None:
                ticks = max(ticks, self._pending[1] + 1)
                self._encode_pending(ticks)
            self._pending = (self._converted(pixels), ticks)
        except FFmpegError as error:
            raise unwritable(self.path, error) from error

    def _encode_pending(self, until: int) -> None:
        """Encode the pending frame, which stays till the given tick."""
        assert self._pending is not None
        frame, ticks = self._pending
        self._pending = None
        frame.pts = ticks
        frame.time_base = self._tick
        self._durations[ticks] = until - ticks
        self._mux(frame)
        if self._sound is not None:
            self._sound.advance(ticks * self._tick)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            if packet.pts is not None and packet.time_base == self._tick:
                packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux_one(packet)

    def _converted(self, pixels: Pixels) -> VideoFrame:
        """The frame in the encoder's pixel format: BT.709 matrix, limited range."""
        if self._codec.needs_even:
            pixels = padded_to_even(pixels)
        frame = VideoFrame.from_ndarray(pixels, format="rgba" if self._order.alpha else "rgb24")
        converted = self._scaler.reformat(
            frame,
            format=self._stream.pix_fmt,
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        converted.color_primaries = ColorPrimaries.BT709
        converted.color_trc = ColorTrc.BT709
        return converted

    def _complete(self) -> None:
        assert self._pending is not None
        end = self._pending[1] + max(1, round(1 / self._order.rate / self._tick))
        try:
            self._encode_pending(end)
            self._mux(None)
            if self._sound is not None:
                self._sound.finish(end * self._tick)
                if self._sound.note:
                    self.notes.append(self._sound.note)
                    log.warning("%s", self._sound.note)
            self._container.close()
        except FFmpegError as error:
            raise unwritable(self.path, error) from error

    def _release(self) -> None:
        if self._sound is not None:
            self._sound.close()
        container = getattr(self, "_container", None)
        if container is not None:
            # What it complains about is thrown away anyway.
            with contextlib.suppress(FFmpegError, OSError, ValueError):
                container.close()


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


def even(side: int) -> int:
    """The side, or one more."""
    return side + side % 2


def padded_to_even(pixels: Pixels) -> Pixels:
    """Odd sides get one more row or column, a copy of the last: (H, W, C) -> (even, even, C)."""
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    comment = metadata.get("comment", "")
    return {"description": comment, **metadata} if comment else dict(metadata)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

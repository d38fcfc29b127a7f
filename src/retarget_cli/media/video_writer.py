"""Films: mp4, mov, mkv, webm, with sound."""

from fractions import Fraction

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

from retarget_cli.core.errors import OutputError
from retarget_cli.media.codecs import CODECS, choose_codec, encoder_options
from retarget_cli.media.film_file import FilmFile, frame_ticks
from retarget_cli.media.images import Pixels
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.target import unwritable


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
        self._scaler = VideoReformatter()
        self._pending: tuple[VideoFrame, int] | None = None
        self._durations: dict[int, int] = {}
        self._file: FilmFile | None = None
        try:
            self._film, self._stream = self._open_first_that_works(key)
            self._film.begin()
        except (FFmpegError, OSError) as error:
            self.abort()
            raise unwritable(order.path, error) from error
        except BaseException:
            self.abort()
            raise
        self._tick = self._film.tick

    def _open_first_that_works(self, key: str) -> tuple[FilmFile, VideoStream]:
        while True:
            codec = CODECS[key]
            film = self._file = FilmFile(self._target.partial, self._order)
            try:
                stream = film.add_pictures(codec)
            except (FFmpegError, ValueError) as error:
                film.release()
                if codec.fallback is None:
                    height, width = self._order.size
                    kind = self._order.path.suffix.lower()
                    message = f"{key} can't encode {width}x{height} to {kind}: {_reason(error)}"
                    raise OutputError(message, "choose another --codec or --size") from error
                self.notes.append(f"{key} can't be used here ({_reason(error)}), {codec.fallback} is used")
                key = codec.fallback
                continue
            self.codec_used = key
            self._codec = codec
            return film, stream

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
        self._film.advance(ticks)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            if packet.pts is not None and packet.time_base == self._tick:
                packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._film.put(packet)

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
        end = self._pending[1] + frame_ticks(self._order.rate, self._tick)
        try:
            self._encode_pending(end)
            self._mux(None)
            self._film.finish(end)
        except FFmpegError as error:
            raise unwritable(self.path, error) from error
        self.notes += self._film.notes

    def _release(self) -> None:
        if self._file is not None:
            self._file.release()


def padded_to_even(pixels: Pixels) -> Pixels:
    """Odd sides get one more row or column, a copy of the last: (H, W, C) -> (even, even, C)."""
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

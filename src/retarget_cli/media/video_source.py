"""Frames of a video file: what is known of it, and its decoded frames made into upright RGB."""

import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from av.error import FFmpegError
from av.video.frame import VideoFrame

from retarget_cli.core.errors import InputError
from retarget_cli.media.colour import RgbConverter, has_wide_gamut, is_hdr
from retarget_cli.media.decoder import EXPECTED, Decoder
from retarget_cli.media.orientation import orientation_of
from retarget_cli.media.source import Facts, Frame, FrameSource, Window, fitted_size, nothing_in_window
from retarget_cli.media.tonemap import HLG, PQ, ToneMap, peak_luminance, tone_map_for

log = logging.getLogger(__name__)

Timed = tuple[Fraction, VideoFrame]

_PEAK_SAMPLES = 5


class VideoSource(FrameSource):
    """A video file, decoded up to its first wanted frame when opened; see `FrameSource` for times."""

    def __init__(self, path: Path, window: Window, long_side: int | None = None) -> None:
        """Open a video.

        Args:
            path: the file.
            window: the wanted part.
            long_side: shrink frames to this longer side, in pixels.

        Raises:
            InputError: it can't be decoded, or has no frame inside the window.
        """
        self._window = window
        self._decoder = Decoder(path)
        try:
            first, self._rest = _first_and_rest(self._decoder, window)
            self._orientation = orientation_of(first[1])
            stored = _stored_size(self._decoder, first[1], long_side)
            self._converter = RgbConverter(stored, _tone_map(self._decoder, first[1], stored))
            super().__init__(_facts(self._decoder, window, first[0], self._orientation.size(*stored)))
        except FFmpegError as error:
            self.close()
            raise InputError(f"{path} can't be decoded: {error}", "convert it to H.264") from error
        except BaseException:
            self.close()
            raise
        self._first: Timed | None = first

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._decoder.close()

    def _frames(self) -> Iterator[Frame]:
        count = 0
        first, self._first = self._first, None  # not held longer than it is needed
        assert first is not None
        for time, decoded in itertools.chain([first], self._rest):
            rgb = self._orientation.applied(self._converter.rgb(decoded))
            yield Frame(count, time, rgb)
            count += 1
        self._report(count)

    def _report(self, count: int) -> None:
        """Put into words what was wrong with the file, once all that is wanted has been read."""
        damaged = self._decoder.damaged
        if damaged:
            places = "1 damaged place" if len(damaged) == 1 else f"{len(damaged)} damaged places"
            self.notes.append(f"{self.path}: {places} skipped, the first near {float(damaged[0]):.2f} s")
        promised = self._decoder.stream.frames
        if self._window == Window() and count < promised * 0.95 - 2:
            readable = f"{count} of {promised} frames could be read"
            self.notes.append(f"{self.path} is cut short or damaged: {readable}")
        for note in self.notes:
            log.warning("%s", note)


def _first_and_rest(decoder: Decoder, window: Window) -> tuple[Timed, Iterator[Timed]]:
    """The first wanted frame, and an iterator over those behind it."""
    wanted = window.select(decoder.frames(window.start))
    first = next(wanted, None)
    if window.start:
        late = first is None or first[0] > window.start + 2 / decoder.clock.rate
        if late:
            # An index may lie. A seek that may have gone too far is undone by reading from the start.
            decoder.restart()
            wanted = window.select(decoder.frames())
            first = next(wanted, None)
    if first is None:
        if decoder.last_time is None:
            message = f"{decoder.path} has no frame that can be decoded, expected {EXPECTED}"
            raise InputError(message, "play it to check, then copy or export it again")
        raise nothing_in_window(decoder.path, window, decoder.last_time)
    return first, wanted


def _stored_size(decoder: Decoder, frame: VideoFrame, long_side: int | None) -> tuple[int, int]:
    """(height, width) with square pixels and inside the limit, before it is turned upright."""
    aspect = decoder.stream.sample_aspect_ratio
    usable = aspect is not None and Fraction(1, 8) <= aspect <= 8
    return fitted_size(frame.height, frame.width, aspect if aspect and usable else Fraction(1), long_side)


def _facts(decoder: Decoder, window: Window, first_time: Fraction, size: tuple[int, int]) -> Facts:
    clock = decoder.clock
    total = decoder.stream.frames or None
    if total is None and decoder.duration:
        total = max(1, round(decoder.duration * clock.rate))
    return Facts(
        path=decoder.path,
        kind="video",
        size=size,
        rate=clock.rate,
        time_base=clock.time_base,
        frame_count=window.count(total, clock.rate),
        variable=clock.variable,
        has_audio=decoder.has_audio,
        origin=clock.start + first_time,
    )


def _tone_map(decoder: Decoder, frame: VideoFrame, size: tuple[int, int]) -> ToneMap | None:
    """None for SDR; else chosen by how bright the clip gets, which its tags often don't say."""
    if not is_hdr(frame):
        return None
    transfer = int(frame.color_trc)
    peak = 0.0 if transfer == HLG else _peak(decoder, frame, size)
    return tone_map_for(transfer, peak, wide_gamut=has_wide_gamut(frame))


def _peak(decoder: Decoder, frame: VideoFrame, size: tuple[int, int]) -> float:
    """Brightest of a few frames spread over the clip, in nit."""
    height, width = size
    shrink = max(1, max(size) // 480)
    converter = RgbConverter((max(1, height // shrink), max(1, width // shrink)))
    peaks = [peak_luminance(converter.deep_rgb(frame))]
    duration = decoder.duration or Fraction(0)
    probe = Decoder(decoder.path)
    try:
        for step in range(1, _PEAK_SAMPLES if duration > 1 else 1):
            sample = next(probe.frames(duration * step / _PEAK_SAMPLES), None)
            if sample is not None and int(sample[1].color_trc) == PQ:
                peaks.append(peak_luminance(converter.deep_rgb(sample[1])))
    finally:
        probe.close()
    return max(peaks)

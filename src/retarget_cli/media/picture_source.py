"""Frames that come as pictures: one still, an animation, a folder."""

import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.media.files import natural_key
from retarget_cli.media.images import (
    Pixels,
    first_frame_index,
    opened_image,
    over_white,
    read_picture,
    to_picture,
)
from retarget_cli.media.kinds import PICTURES
from retarget_cli.media.limits import check_frame_count, check_gap
from retarget_cli.media.source import Facts, Frame, FrameSource, Window, fitted_size, nothing_in_window

log = logging.getLogger(__name__)

DEFAULT_RATE = Fraction(25)
_MILLISECOND = Fraction(1, 1000)
# GIF rounds to hundredths of a second, so delays of an even rate differ by one.
_EVEN = Fraction(12, 1000)
# What browsers do with delays that are too short to be meant.
_SHORTEST_DELAY, _DEFAULT_DELAY = 10, 100


class FolderSource(FrameSource):
    """The pictures of a folder in natural order (frame9 before frame10), at a constant rate.

    All must have the size of the first. A damaged one is left out; the others keep their times.
    """

    def __init__(
        self, path: Path, window: Window, long_side: int | None = None, rate: Fraction | None = None
    ) -> None:
        """Open a folder.

        Raises:
            InputError: no pictures in it, or none inside the window.
            UsageError: the rate is not positive.
        """
        self._long_side = long_side
        self._rate = DEFAULT_RATE if rate is None else rate
        if self._rate <= 0:
            raise UsageError(f"frame rate is {self._rate}, expected more than 0", "leave it out for 25")
        files = pictures_in(path)
        timed = ((index / self._rate, file) for index, file in enumerate(files))
        self._wanted = list(window.select(timed))
        if not self._wanted:
            raise nothing_in_window(path, window, (len(files) - 1) / self._rate)
        first = _shrunk(over_white(read_picture(self._wanted[0][1])), long_side)
        super().__init__(
            Facts(
                path=path,
                kind="folder",
                size=(first.shape[0], first.shape[1]),
                rate=self._rate,
                time_base=1 / self._rate,
                frame_count=len(self._wanted),
                origin=self._wanted[0][0],
            )
        )

    def _frames(self) -> Iterator[Frame]:
        index = 0
        for time, file in self._wanted:
            try:
                rgb = _shrunk(over_white(read_picture(file)), self._long_side)
            except InputError as error:
                self.notes.append(f"frame skipped: {error}")
                log.warning("frame skipped: %s", error)
                continue
            if rgb.shape[:2] != self.size:
                found = f"{rgb.shape[1]}x{rgb.shape[0]}"
                wanted = f"{self.size[1]}x{self.size[0]}"
                hint = "put frames of one clip into a folder of their own"
                raise InputError(f"{file} is {found}, expected {wanted} like the first frame", hint)
            yield Frame(index, time, rgb)
            index += 1


class AnimationSource(FrameSource):
    """An animated GIF, WebP, PNG or AVIF, or a still picture as a source of one frame.

    Transparent places are shown on white. Delays of 10 ms or less count as 100 ms, as in browsers.
    """

    def __init__(self, path: Path, window: Window, long_side: int | None = None) -> None:
        """Open an animation or a picture.

        Raises:
            InputError: it can't be decoded, or has no frame inside the window.
        """
        self._long_side = long_side
        with opened_image(path) as image:
            times, rate, variable = _schedule(path, image)
            skipped = first_frame_index(image)
            numbered = [(time, skipped + number) for number, time in enumerate(times)]
            self._wanted = list(window.select(numbered))
            if not self._wanted:
                raise nothing_in_window(path, window, times[-1])
            image.seek(self._wanted[0][1])
            first = _shrunk(over_white(to_picture(image)), long_side)
        super().__init__(
            Facts(
                path=path,
                kind="animation" if len(times) > 1 else "picture",
                size=(first.shape[0], first.shape[1]),
                rate=rate,
                time_base=_MILLISECOND,
                frame_count=len(self._wanted),
                variable=variable,
                origin=self._wanted[0][0],
            )
        )

    def _frames(self) -> Iterator[Frame]:
        with opened_image(self.path) as image:
            for index, (time, number) in enumerate(self._wanted):
                image.seek(number)
                rgb = _shrunk(over_white(to_picture(image)), self._long_side)
                if rgb.shape[:2] != self.size:
                    raise InputError(f"{self.path} has frames of different sizes", "convert it to a video")
                yield Frame(index, time, rgb)


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder in natural order, by their names' endings; hidden ones don't count.

    Raises:
        InputError: there are none, or the folder can't be read.
    """
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    except OSError as error:
        raise InputError(f"{folder} can't be read: {error.strerror}", "check its permissions") from error
    wanted = [n for n in names if Path(n).suffix.lower() in PICTURES and not n.startswith(".")]
    if not wanted:
        message = f"{folder} holds no pictures, expected frames such as 000000.png"
        raise InputError(message, "check the folder")
    return [folder / name for name in sorted(wanted, key=lambda name: (natural_key(name), name))]


def _schedule(path: Path, image: Image.Image) -> tuple[list[Fraction], Fraction, bool]:
    """Times of an animation's frames in seconds, its rate, and whether the delays differ."""
    count = 1 if image.format in ("TIFF", "MPO") else getattr(image, "n_frames", 1)
    check_frame_count(path, count)
    first = first_frame_index(image)
    if count - first < 2:
        return [Fraction(0)], DEFAULT_RATE, False
    delays = []
    for number in range(first, count):
        image.seek(number)
        if image.format in ("WEBP", "AVIF"):
            image.load()  # these learn the delay only by decoding
        delays.append(_delay(image.info.get("duration", 0)))
        check_gap(path, Fraction(0), delays[-1])
    times = list(itertools.accumulate(delays[:-1], initial=Fraction(0)))
    # The last delay has no say in the rate: it is often a pause before the loop starts again.
    rate = (len(times) - 1) / times[-1]
    return times, rate, max(delays[:-1]) - min(delays[:-1]) > _EVEN


def _delay(milliseconds: float) -> Fraction:
    meant = milliseconds if milliseconds > _SHORTEST_DELAY else _DEFAULT_DELAY
    # APNG delays are fractions that Pillow gives as floats: 33.333... ms was 1/30 s.
    return (Fraction(meant) / 1000).limit_denominator(100_000)


def _shrunk(rgb: Pixels, long_side: int | None) -> Pixels:
    height, width = fitted_size(rgb.shape[0], rgb.shape[1], Fraction(1), long_side)
    if (height, width) == rgb.shape[:2]:
        return rgb
    resized: Pixels = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(resized)

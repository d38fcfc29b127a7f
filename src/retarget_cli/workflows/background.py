"""What stands behind the person."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.images import is_picture, over_white, read_picture
from retarget_cli.media.reader import FrameSource, open_frames
from retarget_cli.perception.motion_file import is_motion_file
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.plate import median_plate

TRANSPARENT = "transparent"
# Frames of the driving clip that its clean plate is made of.
PLATE_FRAMES = 25


def parse_color(text: str) -> tuple[int, int, int] | None:
    """`#rgb` or `#rrggbb` as numbers; None when it is no colour.

    Raises:
        UsageError: it starts with # and is not one.
    """
    if not text.startswith("#"):
        return None
    digits = text[1:]
    if re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits) is None:
        raise UsageError(f"--background {text}: not a colour", "write it as #rrggbb, for example #00ff00")
    wide = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return int(wide[:2], 16), int(wide[2:4], 16), int(wide[4:], 16)


class Background(ABC):
    """Gives the picture behind each frame."""

    @abstractmethod
    def at(self, time: Fraction) -> Image | None:
        """(H, W, 3) for the frame at `time` seconds since the result's first; None is transparent."""


class Still(Background):
    """The same picture throughout, or nothing."""

    def __init__(self, plate: Image | None) -> None:
        self._plate = plate

    def at(self, time: Fraction) -> Image | None:
        return self._plate


class Film(Background):
    """A clip that runs beside the result; its last frame stays."""

    def __init__(self, source: FrameSource, size: tuple[int, int], *, whole: bool = False) -> None:
        self._frames = iter(source)
        self._size, self._whole = size, whole
        self._shown = next(self._frames)
        self._start = self._shown.time
        self._following = next(self._frames, None)
        self._plate = covering(self._shown.rgb, size, whole=whole)

    def at(self, time: Fraction) -> Image:
        has_changed = False
        while self._following is not None and self._following.time - self._start <= time:
            self._shown, self._following = self._following, next(self._frames, None)
            has_changed = True
        if has_changed:
            self._plate = covering(self._shown.rgb, self._size, whole=self._whole)
        return self._plate


def check_background(name: str, driving: Path | None) -> None:
    """Find out without any work whether a background's name can mean something.

    Raises:
        UsageError: no colour, or the driving clip's where there is none, or a motion file.
        InputError: a path of nothing.
    """
    if name in ("source", TRANSPARENT) or parse_color(name) is not None:
        return
    if name == "driving":
        if driving is None:
            raise UsageError("--background driving: there is no driving clip", "source, or the path of a picture")
        if driving.is_file() and is_motion_file(driving):
            raise UsageError("--background driving: a motion file holds no pictures", "give the clip itself")
    elif not os.path.exists(name):  # False for names that are too long
        raise InputError(
            f"--background {name}: there is no such file",
            "source, driving, transparent, #rrggbb, or the path of a picture or clip",
        )


@contextmanager
def open_background(name: str, subject: Subject, driving: Path | None, choice: Choice) -> Iterator[Background]:
    """The background of a name: source, driving, transparent, a colour, or the path of a picture or clip.

    Raises:
        UsageError, InputError: the name means nothing, or its file can't be read.
    """
    check_background(name, driving)
    color = parse_color(name)
    if name == TRANSPARENT:
        yield Still(None)
    elif name == "source":
        yield Still(subject.plate)
    elif color is not None:
        yield Still(np.full((*subject.size, 3), color, np.uint8))
    elif name == "driving" and driving is not None:
        plate = driving_plate(driving, choice, max(subject.size))
        yield Still(covering(plate, subject.size, whole=True))
    else:
        path = Path(name)
        if path.is_file() and is_picture(path):
            yield Still(covering(over_white(read_picture(path)), subject.size))
            return
        with open_frames(path, long_side=2 * max(subject.size)) as source:
            yield Film(source, subject.size)


def driving_plate(path: Path, choice: Choice, longest: int) -> Image:
    """The driving clip's background, as the median of frames without the person."""
    with open_frames(path, long_side=longest) as source:
        stride = max(1, (source.frame_count or 1) // PLATE_FRAMES)
        spread = (frame.rgb for frame in source if frame.index % stride == 0)
        frames = list(islice(spread, 2 * PLATE_FRAMES))
    masks = []
    with PersonTracker(choice, video=False, with_mask=True) as tracker:
        for frame in frames:
            finding = tracker.find(frame)
            mask = None if finding is None else finding.soft_mask
            masks.append(np.zeros(frame.shape[:2], np.float32) if mask is None else mask)
    return median_plate(frames, masks)


def covering(image: Image, size: tuple[int, int], *, whole: bool = False) -> Image:
    """A picture scaled to cover (height, width) and cut about its middle.

    With `whole` it is laid in whole and centred, as the absolute path of motion is, and its border continued.
    """
    height, width = size
    pick = min if whole else max
    factor = pick(height / image.shape[0], width / image.shape[1])
    scaled = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    large = cv2.resize(image, scaled, interpolation=way)
    top, left = max(0, (height - scaled[1]) // 2), max(0, (width - scaled[0]) // 2)
    bottom, right = max(0, height - scaled[1] - top), max(0, width - scaled[0] - left)
    large = cv2.copyMakeBorder(large, top, bottom, left, right, cv2.BORDER_REPLICATE)
    y, x = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[y : y + height, x : x + width])

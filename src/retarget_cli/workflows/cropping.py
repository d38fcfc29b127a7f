"""Rectangles of pictures: what a user writes for one, how it is laid about a thing, and its way back into the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.reading import read_crop
from retarget_cli.core.subject import Image

Size = tuple[int, int]
WHOLE: Final = "none"
FOUND: Final = "auto"
# Room that is left around what was found, and the width of the seam, as shares of the sides.
_ROOM = 0.15
_SEAM = 1 / 12


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; (x, y) is its first one."""

    x: int
    y: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        """(height, width)."""
        return self.height, self.width

    def of(self, image: Image) -> Image:
        """What lies in it: (height, width, ...)."""
        return np.ascontiguousarray(image[self.y : self.y + self.height, self.x : self.x + self.width])

    def scaled(self, size: Size, new: Size) -> Box:
        """The same part of a picture of (height, width) `size` that was brought to the size `new`."""
        across, down = new[1] / size[1], new[0] / size[0]
        return spanned(
            self.x * across, self.y * down, (self.x + self.width) * across, (self.y + self.height) * down, new
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of the pictures of a clip.

    Attributes:
        box: in pixels of the clip.
        size: (height, width) of its pictures.
    """

    box: Box
    size: Size

    def of(self, picture: Image) -> Image:
        """The part of a frame, which may have been shrunk."""
        return self.box.scaled(self.size, (picture.shape[0], picture.shape[1])).of(picture)

    def long_side(self, wanted: int) -> int:
        """The longer side of whole pictures whose part has a longer side of `wanted`."""
        return -(-wanted * max(self.size) // max(self.box.size))


Crop = Box | Literal["none", "auto"]
"""What a user wants of a picture: the box, all of it, or what is found in it."""


def parse_crop(option: str, text: str) -> Crop:
    """`none`, `auto`, or a rectangle.

    Raises:
        UsageError: none of these; `option` is named.
    """
    try:
        found = read_crop(text)
    except UsageError as error:
        raise UsageError(f"{option} {error.message}", error.hint) from error
    return found if isinstance(found, str) else Box(*found)


def check_inside(box: Box, size: Size, what: str) -> Box:
    """The box.

    Raises:
        InputError: it reaches beyond a picture of (height, width) `size`; `what` names option and file.
    """
    if box.x + box.width > size[1] or box.y + box.height > size[0]:
        raise InputError(
            f"{what}: {box.x},{box.y},{box.width}x{box.height} reaches beyond the picture's {size[1]}x{size[0]}",
            "written as X,Y,WIDTHxHEIGHT, in pixels of the upright picture",
        )
    return box


def spanned(left: float, top: float, right: float, bottom: float, size: Size) -> Box:
    """The pixels between two corners, inside a picture of (height, width) `size`; at least one."""
    x = int(np.clip(round(left), 0, size[1] - 1))
    y = int(np.clip(round(top), 0, size[0] - 1))
    return Box(x, y, int(np.clip(round(right), x + 1, size[1])) - x, int(np.clip(round(bottom), y + 1, size[0])) - y)


def about(thing: Box, size: Size, aspect: float) -> Box:
    """A box with room around a thing, of width / height `aspect` as far as the picture's (height, width) allows."""
    width, height = thing.width * (1 + 2 * _ROOM), thing.height * (1 + 2 * _ROOM)
    width, height = max(width, height * aspect), max(height, width / aspect)
    width, height = min(width, size[1]), min(height, size[0])
    x = np.clip(thing.x + (thing.width - width) / 2, 0, size[1] - width)
    y = np.clip(thing.y + (thing.height - height) / 2, 0, size[0] - height)
    return spanned(x, y, x + width, y + height, size)


def seam(box: Box, size: Size) -> FloatArray:
    """(height, width) of the box: 1 inside, falling towards those of its sides behind which the picture goes on."""
    width = max(1.0, _SEAM * min(box.size))
    rows = _slope(box.height, width, box.y > 0, box.y + box.height < size[0])
    columns = _slope(box.width, width, box.x > 0, box.x + box.width < size[1])
    return np.minimum(rows[:, None], columns[None]).astype(np.float32)


def _slope(length: int, width: float, falls_first: bool, falls_last: bool) -> FloatArray:
    place = np.arange(length, dtype=np.float32) + 0.5
    first = place / width if falls_first else np.ones_like(place)
    last = (length - place) / width if falls_last else np.ones_like(place)
    level = np.clip(np.minimum(first, last), 0, 1)
    return np.asarray(level * level * (3 - 2 * level), np.float32)

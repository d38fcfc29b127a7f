"""Green screens: whether a clip was filmed before one, and what of a frame stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

# The border that is looked at, as a share of the shorter side; a person may stand out of the picture somewhere.
_BORDER = 0.06
# A screen's green is so many levels above its red and blue, ...
_GREEN = 40
# ... most of a border is no farther from it in chroma, and so in most of the frames.
_ALIKE, _OF_BORDER, _OF_FRAMES = 26.0, 0.7, 0.8
# Chroma distances at which a pixel is wholly screen, and wholly something else.
_LEAST, _SPREADS, _WIDTH = 10.0, 3.0, 26.0
# How far beyond the landmarks somebody reaches, as a share of their box's longer side.
_ROOM = 0.3
_SEEN = 0.3


@dataclass(frozen=True, slots=True)
class Screen:
    """A green screen.

    Attributes:
        red, blue: its chroma (Cr, Cb of YCbCr), levels.
        spread: by which most of it differs from that.
    """

    red: float
    blue: float
    spread: float


def find_screen(pictures: Sequence[Image]) -> Screen | None:
    """The screen behind the frames (H, W, 3) of one clip; None where there is none."""
    borders = [_border(picture) for picture in pictures]
    middle = np.median(np.concatenate(borders), 0)
    if middle[1] - max(middle[0], middle[2]) < _GREEN:
        return None
    red, blue = (float(each) for each in _chroma(middle[None, None].astype(np.uint8))[0, 0])
    screen = Screen(red, blue, 0.0)
    apart = [_apart(border[None], screen)[0] for border in borders]
    is_green = [float((each < _ALIKE).mean()) > _OF_BORDER for each in apart]
    if np.mean(is_green) < _OF_FRAMES:
        return None
    near = np.concatenate([each[each < _ALIKE] for each in apart])
    return Screen(red, blue, float(np.quantile(near, 0.9)))


def keyed(picture: Image, screen: Screen, pose: FloatArray) -> FloatArray:
    """(H, W) in [0, 1]: the person before a screen; whatever else stands about is left out.

    Args:
        picture: (H, W, 3).
        screen: behind it.
        pose: (33, 3) of the person: x, y in pixels, confidence.
    """
    least = max(_LEAST, _SPREADS * screen.spread)
    alpha = np.clip((_apart(picture, screen) - least) / _WIDTH, 0, 1).astype(np.float32)
    seen = pose[pose[:, 2] > _SEEN, :2]
    if not len(seen):
        return np.zeros_like(alpha)
    low, high = seen.min(0), seen.max(0)
    room = _ROOM * float((high - low).max())
    alpha[~_inside(alpha.shape, low - room, high + room)] = 0
    return _attached(alpha, seen)


def without_spill(picture: Image, mask: FloatArray) -> Image:
    """The picture with no green shine on the person's outline: there green is at most as much as red or blue."""
    most = np.maximum(picture[..., 0], picture[..., 2])
    is_outline = (mask < 1) & (picture[..., 1] > most)
    made = picture.copy()
    made[..., 1][is_outline] = most[is_outline]
    return made


def _border(picture: Image) -> Image:
    """(N, 3): pixels of the left, right and upper border; people stand on the lower one."""
    width = max(1, round(_BORDER * min(picture.shape[:2])))
    parts = picture[:, :width], picture[:, -width:], picture[:width]
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def _chroma(picture: Image) -> FloatArray:
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)


def _apart(picture: Image, screen: Screen) -> FloatArray:
    """(H, W): how far every pixel's chroma is from the screen's."""
    found = np.linalg.norm(_chroma(picture) - np.array([screen.red, screen.blue], np.float32), axis=-1)
    return np.asarray(found, np.float32)


def _inside(shape: tuple[int, ...], low: FloatArray, high: FloatArray) -> np.ndarray:  # type: ignore[type-arg]
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))


def _attached(alpha: FloatArray, seen: FloatArray) -> FloatArray:
    """Without the parts in which no landmark lies."""
    count, labels = cv2.connectedComponents((alpha > 0.05).astype(np.uint8))
    columns, rows = np.clip(seen.round().astype(int), 0, np.array(alpha.shape[::-1]) - 1).T
    kept = np.zeros(count, bool)
    kept[np.unique(labels[rows, columns])] = True
    kept[0] = False
    return np.where(kept[labels], alpha, 0).astype(np.float32)

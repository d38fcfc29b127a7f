"""A square about the person, cut out of pictures and everything that is measured in their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, View

# Landmarks lie inside the person: hair, hands and feet reach beyond them by about this share of his height.
_MARGIN = 0.08
_LEAST = 0.3


@dataclass(frozen=True, slots=True)
class Window:
    """A square of `side` pixels with its corner at (x, y), brought to `size` pixels.

    Convention: a point p of the picture goes to (p - (x, y)) * size / side; what lies outside the picture
    continues its border.
    """

    x: int
    y: int
    side: int
    size: int

    @property
    def scale(self) -> float:
        return self.size / self.side

    def points(self, points: FloatArray) -> FloatArray:
        """(..., 3): x, y in pixels, and a third number that stays."""
        moved = np.array(points, np.float32)
        moved[..., :2] = (points[..., :2] - (self.x, self.y)) * self.scale
        return moved

    def camera(self, camera: FloatArray) -> FloatArray:
        """(3,): scale, tx, ty."""
        scale, right, down = (float(number) for number in camera)
        moved = [scale * self.scale, (right - self.x) * self.scale, (down - self.y) * self.scale]
        return np.array(moved, np.float32)

    def picture(self, picture: NDArray[np.uint8]) -> Image:
        """(H, W, 3), its border continued."""
        return self._cut(picture, cv2.BORDER_REPLICATE)

    def mask(self, mask: FloatArray) -> FloatArray:
        """(H, W) in [0, 1]; nobody is outside."""
        return np.clip(self._cut(mask, cv2.BORDER_CONSTANT), 0, 1)

    def view(self, view: View) -> View:
        """A view with all its parts."""
        return replace(
            view,
            image=self.picture(view.image),
            mask=self.mask(view.mask),
            pose=self.points(view.pose),
            camera=self.camera(view.camera),
        )

    def _cut(self, array: np.ndarray, border: int) -> np.ndarray:  # type: ignore[type-arg]
        height, width = array.shape[:2]
        left, top = max(0, -self.x), max(0, -self.y)
        right, bottom = max(0, self.x + self.side - width), max(0, self.y + self.side - height)
        if left or top or right or bottom:
            array = cv2.copyMakeBorder(array, top, bottom, left, right, border)
        cut = array[self.y + top : self.y + top + self.side, self.x + left : self.x + left + self.side]
        if self.side == self.size:
            return np.ascontiguousarray(cut)
        way = cv2.INTER_AREA if self.size < self.side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(cut, (self.size, self.size), interpolation=way), array.dtype)


def draw_window(
    rng: np.random.Generator, poses: Sequence[FloatArray], shape: tuple[int, int], size: int, zoom: float
) -> Window:
    """A square that holds the person of all pictures, as far as the picture reaches; any, where nobody is known.

    Args:
        poses: (33, 3) landmarks of each picture.
        shape: (height, width) of the pictures.
        size: of the result in pixels.
        zoom: how much smaller than the picture's longer side the square may be, in [0, 1); 0 takes all of it.
    """
    low, high = _extent(poses, shape)
    longest, shortest = max(shape), min(shape)
    needed = float((high - low).max())
    # Beyond the shorter side the border must be continued: only where the person needs it.
    usual = max(shortest, min(needed, longest))
    least = max(needed, (1 - zoom) * usual, _LEAST * shortest)
    side = round(float(rng.uniform(min(least, usual), usual)))
    corner = [
        _place(rng, float(low[axis]), float(high[axis]), side, length, zoom > 0)
        for axis, length in ((0, shape[1]), (1, shape[0]))
    ]
    return Window(corner[0], corner[1], side, size)


def _extent(poses: Sequence[FloatArray], shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Corners of the box about the person of all pictures, in the picture; its middle twice, where nobody is known."""
    points = np.concatenate([pose[:, :2] for pose in poses])
    limit = np.array([shape[1], shape[0]], np.float32)
    if not any(pose[:, 2].any() for pose in poses):
        return limit / 2, limit / 2
    low, high = points.min(0), points.max(0)
    margin = _MARGIN * float((high - low).max())
    return np.clip(low - margin, 0, limit), np.clip(high + margin, 0, limit)


def _place(rng: np.random.Generator, low: float, high: float, side: int, length: int, may_move: bool) -> int:
    """Where the square begins: it holds [low, high] and stays inside the picture where it can."""
    share = float(rng.uniform()) if may_move else 0.5
    first, last = min(high - side, low), max(high - side, low)
    if side >= length:
        return round((length - side) / 2)
    return round(min(max(first + share * (last - first), 0), length - side))

"""The picture that a network sees: the person's hips in its middle, the same metres across whoever stands wherever.

It reaches REACH metres from the hips upwards and down. A square one reaches as far to the sides: with the axis into the
depth it is the cube [-1, 1]^3 in which volumes and poses live: x right, y down, z away, one unit REACH metres.

Both ways, canvas to frame and back, are a scale and a shift, so rows and columns are resampled one after the other, by
tents as wide as the larger of both pixels: linear interpolation where a picture grows, a mean where it shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor

from retarget_cli.core.motion import FloatArray

Size = tuple[int, int]

REACH = 1.25
"""Metres from the hips to the frame's upper and lower border: arms stretched upwards are in it."""

# Half a height or width in canvas pixels, at least; what stands farther away is nothing but a dot.
_SMALLEST = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a canvas that is one person's picture.

    Attributes:
        x, y: the hips, in canvas pixels; pixel (0, 0) has its centre at (0.5, 0.5).
        half: half of its height and half of its width, in canvas pixels.
        size: (h, w), its own pixels.
    """

    x: float
    y: float
    half: tuple[float, float]
    size: Size

    @classmethod
    def of(cls, camera: FloatArray, size: Size, aside: float = 0.0) -> Frame:
        """About a person seen by a camera (3,): scale (pixels a metre), tx, ty.

        Args:
            camera: (3,).
            size: (h, w).
            aside: metres from the hips to the left and right border; 0: as many as make pixels square.
        """
        reach = REACH, aside or REACH * size[1] / size[0]
        tall, wide = (max(each * float(camera[0]), _SMALLEST) for each in reach)
        return cls(float(camera[1]), float(camera[2]), (tall, wide), size)

    def cut(self, canvas: Tensor) -> Tensor:
        """(C, h, w) out of (C, H, W); 0 where the frame leaves the canvas."""
        rows, columns = (
            _Taps.of(range(count), middle - half, 2 * half / count, length)
            for count, middle, half, length in zip(
                self.size, (self.y, self.x), self.half, canvas.shape[1:], strict=True
            )
        )
        return columns.across(rows.down(canvas))

    def laid(self, picture: Tensor, size: Size) -> Tensor:
        """(C, h, w) back on a canvas (C, H, W) of `size`; 0 around it."""
        rows, columns = (self._covered(axis, count) for axis, count in enumerate(size))
        canvas = picture.new_zeros(len(picture), *size)
        if rows and columns:
            filled = self._back(0, rows).down(self._back(1, columns).across(picture))
            canvas[:, rows.start : rows.stop, columns.start : columns.stop] = filled
        return canvas

    def _covered(self, axis: int, count: int) -> range:
        """Rows or columns of the canvas that the frame, and half a pixel around it, may touch."""
        middle, half = (self.y, self.x)[axis], self.half[axis]
        room = max(1.0, half / self.size[axis]) + 1
        first = min(max(floor(middle - half - room), 0), count)
        return range(first, max(min(ceil(middle + half + room), count), first))

    def _back(self, axis: int, where: range) -> _Taps:
        middle, half, count = (self.y, self.x)[axis], self.half[axis], self.size[axis]
        return _Taps.of(where, (1 - middle / half) * count / 2, count / (2 * half), count)


@dataclass(frozen=True, slots=True)
class _Taps:
    """Which pixels of a row go into each pixel of another.

    Attributes:
        index: (T, n) int64, inside the row.
        weights: (T, n), of sum 1 over T; 0 for what lies outside of the row.
    """

    index: Tensor
    weights: Tensor

    @classmethod
    def of(cls, where: range, offset: float, step: float, length: int) -> _Taps:
        """The pixels of `where`, whose centres k + 0.5 lie at `offset` + `step` (k + 0.5) in a row of `length`."""
        width = max(1.0, step)
        places = offset + step * (torch.arange(where.start, where.stop, dtype=torch.float64) + 0.5)
        reach = ceil(width)
        taps = (places - 0.5).floor() + torch.arange(1 - reach, reach + 1, dtype=torch.float64)[:, None]
        tents = (1 - (places - taps - 0.5).abs() / width).clamp_min(0)
        weights = tents / tents.sum(0) * ((taps >= 0) & (taps < length))
        return cls(taps.clamp(0, length - 1).long(), weights.float())

    def down(self, picture: Tensor) -> Tensor:
        """A picture (C, H, W) with other rows."""
        index, weights = self.index.to(picture.device), self.weights.to(picture)[..., None]
        made = picture.index_select(1, index[0]).mul_(weights[0])
        for tap, weight in zip(index[1:], weights[1:], strict=True):
            made.addcmul_(picture.index_select(1, tap), weight)
        return made

    def across(self, picture: Tensor) -> Tensor:
        """A picture with other columns; whole rows are five times as quick to gather."""
        return self.down(picture.transpose(1, 2).contiguous()).transpose(1, 2).contiguous()


def steps(length: int, like: Tensor) -> Tensor:
    """(length): the centres of so many pixels, or voxels, between -1 and 1."""
    return (2 * torch.arange(length, device=like.device, dtype=torch.float32) + 1) / length - 1

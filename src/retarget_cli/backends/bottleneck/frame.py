"""The square that the network sees: the person's hips in its middle, the same metres across whoever stands wherever.

A picture of S x S pixels reaches REACH metres from the hips to every side. With the axis into the depth it is the cube
[-1, 1]^3 in which volumes and poses live: x right, y down, z away, one unit REACH metres.

Both ways, canvas to square and back, are a scale and a shift, so rows and columns are resampled one after the other, by
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
"""Metres from the hips to the side of the square: arms stretched upwards are in it."""

# Half a side in canvas pixels, at least; what stands farther away is nothing but a dot.
_SMALLEST = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The square of one picture.

    Attributes:
        x, y: the hips, in canvas pixels; pixel (0, 0) has its centre at (0.5, 0.5).
        half: half a side, in canvas pixels.
        side: S, its own pixels.
    """

    x: float
    y: float
    half: float
    side: int

    @classmethod
    def of(cls, camera: FloatArray, side: int) -> Frame:
        """About a person seen by a camera (3,): scale (pixels a metre), tx, ty."""
        return cls(float(camera[1]), float(camera[2]), max(REACH * float(camera[0]), _SMALLEST), side)

    def cut(self, canvas: Tensor) -> Tensor:
        """(C, S, S) out of (C, H, W); 0 where the square leaves the canvas."""
        step = 2 * self.half / self.side
        rows = _Taps.of(range(self.side), self.y - self.half, step, canvas.shape[1])
        columns = _Taps.of(range(self.side), self.x - self.half, step, canvas.shape[2])
        return columns.across(rows.down(canvas))

    def laid(self, picture: Tensor, size: Size) -> Tensor:
        """(C, S, S) back on a canvas (C, H, W) of `size`; 0 around it."""
        rows, columns = (self._covered(middle, count) for middle, count in zip((self.y, self.x), size, strict=True))
        canvas = picture.new_zeros(len(picture), *size)
        if rows and columns:
            filled = self._back(self.y, rows).down(self._back(self.x, columns).across(picture))
            canvas[:, rows.start : rows.stop, columns.start : columns.stop] = filled
        return canvas

    def _covered(self, middle: float, count: int) -> range:
        """Rows or columns of the canvas that the square, and half a pixel around it, may touch."""
        room = max(1.0, self.half / self.side) + 1
        first = min(max(floor(middle - self.half - room), 0), count)
        return range(first, max(min(ceil(middle + self.half + room), count), first))

    def _back(self, middle: float, where: range) -> _Taps:
        step = self.side / (2 * self.half)
        return _Taps.of(where, (1 - middle / self.half) * self.side / 2, step, self.side)


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

"""Rotation and mirroring that a film's display matrix asks for.

Convention:
    The matrix (a b u c d v x y w) sends a stored point (column p, row q) to the displayed point
    (a p + c q, b p + d q), y down. Only the eight symmetries of the square occur in practice; any
    other angle is taken to the nearest of them.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from retarget_cli.media.images import Pixels


@dataclass(frozen=True, slots=True)
class Orientation:
    """First swap the axes, then flip the columns, then the rows."""

    swaps_axes: bool = False
    flips_columns: bool = False
    flips_rows: bool = False

    def applied(self, pixels: Pixels) -> Pixels:
        """The picture as it is to be seen: (H, W, C) -> (H', W', C), contiguous."""
        if self == Orientation():
            return pixels
        turned = pixels.transpose(1, 0, 2) if self.swaps_axes else pixels
        rows = slice(None, None, -1 if self.flips_rows else 1)
        columns = slice(None, None, -1 if self.flips_columns else 1)
        return np.ascontiguousarray(turned[rows, columns])

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) as seen."""
        return (width, height) if self.swaps_axes else (height, width)


def orientation_of(frame: VideoFrame) -> Orientation:
    """What the frame's display matrix asks for; none without one."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None or matrix.buffer_size < 36:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, flips_columns=a < 0, flips_rows=d < 0)
    return Orientation(True, flips_columns=c < 0, flips_rows=b < 0)

"""A z-buffer on one CPU core, on NumPy arrays. The conventions are those of `interface`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Buffers:
    """What is seen at each pixel, as arrays; give one back to `rasterize` to use its memory again.

    Attributes:
        face_index: (H, W) int32; -1 where there is nothing.
        barycentric: (H, W, 3) float32; 0 where nothing is.
        depth: (H, W) float32; +inf where nothing is.
    """

    face_index: NDArray[np.int32]
    barycentric: FloatArray
    depth: FloatArray


def make_buffers(height: int, width: int) -> Buffers:
    """Buffers to draw into; they need no clearing before or between frames."""
    return Buffers(
        np.empty((height, width), np.int32),
        np.empty((height, width, 3), np.float32),
        np.empty((height, width), np.float32),
    )


def rasterize(
    vertices_px: FloatArray,
    faces: NDArray[np.int32] | NDArray[np.int64],
    height: int,
    width: int,
    *,
    cull: bool = False,
    out: Buffers | None = None,
) -> Buffers:
    """Draw a mesh's triangles into a depth buffer. Releases the interpreter lock.

    Args:
        vertices_px: (V, 3) float32, x, y in pixels, z depth (smaller = nearer).
        faces: (F, 3), quickest as int32.
        height: rows.
        width: columns.
        cull: leave out triangles that face away (positive signed area).
        out: buffers of (height, width) to overwrite; None makes new ones.

    Returns:
        `out`, or the new buffers.

    Raises:
        ValueError: shapes do not fit, or a face names a vertex that there is not.
    """
    from retarget_cli.body.raster.numba_kernel import draw, faces_are_valid

    buffers = out if out is not None else make_buffers(height, width)
    if buffers.face_index.shape != (height, width):
        raise ValueError(f"out is {buffers.face_index.shape}, the picture is {(height, width)}")
    points = np.ascontiguousarray(vertices_px, dtype=np.float32)
    triangles = np.ascontiguousarray(faces, dtype=np.int32)
    if points.ndim != 2 or points.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"expected (V, 3) and (F, 3), got {points.shape} and {triangles.shape}")
    if not faces_are_valid(triangles, len(points)):
        raise ValueError(f"faces name vertices outside [0, {len(points)})")
    draw(points, triangles, cull, buffers.face_index, buffers.barycentric, buffers.depth)
    return buffers


def interpolate(fragments: Buffers, faces: NDArray[np.int32], values: FloatArray) -> FloatArray:
    """(H, W, C): per-vertex values (V, C) at each fragment; zero where there is none."""
    hit = fragments.face_index >= 0
    out = np.zeros((*hit.shape, values.shape[1]), np.float32)
    corners = faces[fragments.face_index[hit]]
    out[hit] = np.einsum("nk,nkc->nc", fragments.barycentric[hit], values[corners])
    return out

"""The compiled part of `numba_zbuffer`; importing this imports numba.

Compiled once per machine (about 3 s) and kept in the package's `__pycache__`, or in the user's cache folder
where the package can't be written to, or in $NUMBA_CACHE_DIR. Where none of them can be written to, every
process compiles for itself.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

SUBPIXELS = 256
HALF = SUBPIXELS // 2
SHIFT = 8
FARTHEST = 2.0**20
FAR_AWAY = np.int64(2**62)
"""Stands for a corner that is not to be drawn."""

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    """Compile when first called, and keep the machine code on disk where there is a place to keep it."""
    return _jit(function, "never")


def _inlined(function: F) -> F:
    """Compile as a part of the function that calls it."""
    return _jit(function, "always")


def _jit(function: F, inline: str) -> F:
    try:
        made = numba.njit(function, cache=True, nogil=True, error_model="numpy", inline=inline)
    except RuntimeError:
        # Neither the package nor the home folder can be written to: numba has nowhere to put a cache.
        logger.info("no folder for numba's cache: compiling anew; NUMBA_CACHE_DIR names one")
        made = numba.njit(function, nogil=True, error_model="numpy", inline=inline)
    return cast(F, made)


@_compiled
def faces_are_valid(faces: Any, count: int) -> bool:
    """Whether every index lies in [0, count)."""
    low, high = 0, -1
    for face in range(faces.shape[0]):
        for corner in range(3):
            index = faces[face, corner]
            low = min(low, index)
            high = max(high, index)
    return low >= 0 and high < count


@_compiled
def draw(points: Any, faces: Any, cull: bool, face_index: Any, barycentric: Any, depth: Any) -> None:
    """Fill the buffers. Shapes: (V, 3), (F, 3), -, (H, W), (H, W, 3), (H, W); all contiguous."""
    face_index[:] = -1
    barycentric[:] = 0.0
    depth[:] = np.inf
    snapped = _snap(points)
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ax, ay = snapped[a, 0], snapped[a, 1]
        bx, by = snapped[b, 0], snapped[b, 1]
        cx, cy = snapped[c, 0], snapped[c, 1]
        if max(ax, bx, cx) == FAR_AWAY:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or (cull and area > 0):
            continue
        # Pixels whose centre, (column + 1/2) * 256, lies in the bounding box.
        left = max((min(ax, bx, cx) + HALF - 1) >> SHIFT, 0)
        right = min((max(ax, bx, cx) - HALF) >> SHIFT, face_index.shape[1] - 1)
        top = max((min(ay, by, cy) + HALF - 1) >> SHIFT, 0)
        bottom = min((max(ay, by, cy) - HALF) >> SHIFT, face_index.shape[0] - 1)
        if left > right or top > bottom:
            continue
        az, bz, cz = points[a, 2], points[b, 2], points[c, 2]
        if area > 0:
            _fill(ax, ay, bx, by, cx, cy, az, bz, cz, area, left, right, top, bottom, face,
                  1, 2, face_index, barycentric, depth)  # fmt: skip
        else:
            _fill(ax, ay, cx, cy, bx, by, az, cz, bz, -area, left, right, top, bottom, face,
                  2, 1, face_index, barycentric, depth)  # fmt: skip


@_compiled
def _snap(points: Any) -> Any:
    """(V, 3) pixels -> (V, 2) int64 in 1/256 pixel; FAR_AWAY where a corner can't be drawn."""
    snapped = np.empty((points.shape[0], 2), np.int64)
    for vertex in range(points.shape[0]):
        x, y, z = points[vertex, 0], points[vertex, 1], points[vertex, 2]
        # Written so that a NaN fails it.
        if abs(x) <= FARTHEST and abs(y) <= FARTHEST and abs(z) < np.inf:
            snapped[vertex, 0] = np.int64(math.floor(x * np.float32(SUBPIXELS) + np.float32(0.5)))
            snapped[vertex, 1] = np.int64(math.floor(y * np.float32(SUBPIXELS) + np.float32(0.5)))
        else:
            snapped[vertex, 0] = FAR_AWAY
    return snapped


@_inlined
def _owns_edge(dx: Any, dy: Any) -> Any:
    """0 for an edge whose pixels belong to the triangle (a top or a left edge), else 1.

    The interior is where dx * (y - y0) - dy * (x - x0) > 0. On a left edge that grows with x (dy < 0), on a
    top edge with y (dy = 0, dx > 0).
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else 1


@_inlined
def _fill(
    ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any, az: Any, bz: Any, cz: Any, area: Any,
    left: Any, right: Any, top: Any, bottom: Any, face: Any, slot_b: Any, slot_c: Any,
    face_index: Any, barycentric: Any, depth: Any,
) -> None:  # fmt: skip
    """One triangle of positive area: step its edge functions over the bounding box, in whole numbers."""
    bcx, bcy = cx - bx, cy - by
    cax, cay = ax - cx, ay - cy
    abx, aby = bx - ax, by - ay
    px, py = (left << SHIFT) + HALF, (top << SHIFT) + HALF
    edge_b = cax * (py - cy) - cay * (px - cx) - _owns_edge(cax, cay)
    edge_c = abx * (py - ay) - aby * (px - ax) - _owns_edge(abx, aby)
    edge_a = bcx * (py - by) - bcy * (px - bx) - _owns_edge(bcx, bcy)
    inverse = 1.0 / area
    for row in range(top, bottom + 1):
        at_a, at_b, at_c = edge_a, edge_b, edge_c
        for column in range(left, right + 1):
            if (at_a | at_b | at_c) >= 0:
                weight_b = (at_b + _owns_edge(cax, cay)) * inverse
                weight_c = (at_c + _owns_edge(abx, aby)) * inverse
                z = np.float32(az + weight_b * (bz - az) + weight_c * (cz - az))
                if z < depth[row, column]:
                    depth[row, column] = z
                    face_index[row, column] = face
                    barycentric[row, column, 0] = 1.0 - weight_b - weight_c
                    barycentric[row, column, slot_b] = weight_b
                    barycentric[row, column, slot_c] = weight_c
            at_a -= bcy << SHIFT
            at_b -= cay << SHIFT
            at_c -= aby << SHIFT
        edge_a += bcx << SHIFT
        edge_b += cax << SHIFT
        edge_c += abx << SHIFT

"""Kernels that run once a frame: move the sheets' points, and colour the fragments."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def move(
    points: FloatArray,
    joints: NDArray[np.int32],
    weights: FloatArray,
    transforms: FloatArray,
    camera: FloatArray,
    out: FloatArray,
) -> None:
    """Linear blend skinning and weak perspective in one pass.

    Args:
        points: (N, 3) metres, as they stand in the source's picture.
        joints, weights: (N, K) the joints that move each point, and their shares.
        transforms: (24, 3, 4) from the source's pose to the frame's, metres.
        camera: (3,) scale, tx, ty.
        out: (N, 3) x, y, z in pixels; written.
    """
    scale, tx, ty = camera[0], camera[1], camera[2]
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        a = b = c = np.float32(0)
        for k in range(joints.shape[1]):
            w = weights[i, k]
            if w == 0:
                continue
            m = transforms[joints[i, k]]
            a += w * (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3])
            b += w * (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])
            c += w * (m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3])
        out[i, 0] = scale * a + tx
        out[i, 1] = scale * b + ty
        out[i, 2] = scale * c


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def shade(
    face_index: NDArray[np.int32],
    barycentric: FloatArray,
    uv: FloatArray,
    atlas: NDArray[np.uint8],
    samples: int,
    out: FloatArray,
) -> None:
    """Colour each fragment from the atlas and average samples x samples of them into a pixel.

    Args:
        face_index: (H * samples, W * samples), -1 = nothing.
        barycentric: (H * samples, W * samples, 3).
        uv: (F, 3, 2) corners in pixels of the atlas.
        atlas: (A, B, 3) uint8.
        out: (4, H, W) RGBA in [0, 1], straight alpha; written.
    """
    rows, columns = out.shape[1], out.shape[2]
    last_row, last_column = atlas.shape[0] - 1, atlas.shape[1] - 1
    full = np.float32(1 / (samples * samples))
    for i in range(rows):
        for j in range(columns):
            red = green = blue = np.float32(0)
            count = 0
            for di in range(samples):
                for dj in range(samples):
                    y, x = i * samples + di, j * samples + dj
                    face = face_index[y, x]
                    if face < 0:
                        continue
                    b0, b1, b2 = barycentric[y, x, 0], barycentric[y, x, 1], barycentric[y, x, 2]
                    u = b0 * uv[face, 0, 0] + b1 * uv[face, 1, 0] + b2 * uv[face, 2, 0] - np.float32(0.5)
                    v = b0 * uv[face, 0, 1] + b1 * uv[face, 1, 1] + b2 * uv[face, 2, 1] - np.float32(0.5)
                    u = min(max(u, np.float32(0)), np.float32(last_column))
                    v = min(max(v, np.float32(0)), np.float32(last_row))
                    u0, v0 = int(u), int(v)
                    u1, v1 = min(u0 + 1, last_column), min(v0 + 1, last_row)
                    fu, fv = u - u0, v - v0
                    w00, w01 = (1 - fu) * (1 - fv), fu * (1 - fv)
                    w10, w11 = (1 - fu) * fv, fu * fv
                    red += w00 * atlas[v0, u0, 0] + w01 * atlas[v0, u1, 0]
                    red += w10 * atlas[v1, u0, 0] + w11 * atlas[v1, u1, 0]
                    green += w00 * atlas[v0, u0, 1] + w01 * atlas[v0, u1, 1]
                    green += w10 * atlas[v1, u0, 1] + w11 * atlas[v1, u1, 1]
                    blue += w00 * atlas[v0, u0, 2] + w01 * atlas[v0, u1, 2]
                    blue += w10 * atlas[v1, u0, 2] + w11 * atlas[v1, u1, 2]
                    count += 1
            if count == 0:
                out[0, i, j] = out[1, i, j] = out[2, i, j] = out[3, i, j] = 0
                continue
            per = np.float32(1 / (255.0 * count))
            out[0, i, j], out[1, i, j], out[2, i, j] = red * per, green * per, blue * per
            out[3, i, j] = count * full

"""The rendered person over a background."""

from __future__ import annotations

import numba
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def over(rendered: FloatArray, plate: Image, out: Image) -> None:
    """Lay a straight-alpha RGBA (4, H, W) in [0, 1] over a plate (H, W, 3) uint8; `out` (H, W, 3) is written."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            a = rendered[3, i, j]
            for c in range(3):
                if a <= 0:
                    out[i, j, c] = plate[i, j, c]
                else:
                    value = rendered[c, i, j] * 255 * a + plate[i, j, c] * (1 - a)
                    out[i, j, c] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cut_out(rendered: FloatArray, out: Image) -> None:
    """A straight-alpha RGBA (4, H, W) in [0, 1] as `out` (H, W, 4) uint8; written."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for c in range(4):
                value = rendered[c, i, j] * 255 + np.float32(0.5)
                out[i, j, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))

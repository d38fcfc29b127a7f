"""Structural similarity and its contrast part, at every pixel, in windows of Gaussian weight.

torchmetrics has the same measures with a two-dimensional window, at a tenth of the speed; tests hold the two together,
its borders included: pictures go on beyond their borders as in a mirror.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray

# Wang et al., 2004: window, and the constants that keep quotients of nothing tame; pixels in [0, 1].
SIDE, SIGMA = 11, 1.5
EDGE = SIDE // 2
C1, C2 = 0.01**2, 0.03**2
MIDDLE = np.float32(0.5)
# Wang et al., 2003: the scales' exponents.
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Below this the coarsest scale is smaller than a window.
LEAST_MULTISCALE_SIDE = SIDE * 2 ** (len(SCALES) - 1)


def similarity(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Index and contrast part, each (H, W, 3).

    Args:
        first, second: (H, W, 3) float32 in [0, 1], sides of 11 and more.
    """
    # Variances do not care where zero is, and single precision loses less of them about the middle.
    low: FloatArray = first - MIDDLE
    high: FloatArray = second - MIDDLE
    one, other = _weighted(low), _weighted(high)
    # The two variances are needed as a sum only: four windows' means instead of five.
    spread = _weighted(low * low + high * high) - one * one - other * other
    contrast = (2 * (_weighted(low * high) - one * other) + C2) / (spread + C2)
    one += MIDDLE
    other += MIDDLE
    index = (2 * one * other + C1) / (one * one + other * other + C1) * contrast
    return np.asarray(index, np.float32), np.asarray(contrast, np.float32)


def multiscale(first: FloatArray, second: FloatArray) -> float:
    """Multi-scale index of pictures as above; sides of `LEAST_MULTISCALE_SIDE` and more."""
    total = 1.0
    for number, exponent in enumerate(SCALES):
        if number:
            first, second = _halved(first), _halved(second)
        index, contrast = similarity(first, second)
        part = index if number == len(SCALES) - 1 else contrast[EDGE:-EDGE, EDGE:-EDGE]
        total *= max(0.0, float(part.mean())) ** exponent
    return total


def _weighted(picture: FloatArray) -> FloatArray:
    """Means in windows."""
    return np.asarray(cv2.GaussianBlur(picture, (SIDE, SIDE), SIGMA, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _halved(picture: FloatArray) -> FloatArray:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    height, width = (side // 2 for side in picture.shape[:2])
    even = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float32)

"""A source picture taken apart: the person, continued a little beyond the outline, and the background without."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray

BoolArray = NDArray[np.bool_]

# Sides of square kernels, of a picture of 256 pixels.
CONFIDENT, PADDED, BACKGROUND = 3, 9, 11
# How many points of the outline a pixel beyond it is painted from.
NEAREST = 3


def kernel_of(side: int, scale: float) -> int:
    """The side of a kernel for a picture `scale` times as large, odd."""
    return max(1, 2 * round((side * scale - 1) / 2) + 1)


def eroded(region: BoolArray, side: int) -> BoolArray:
    """A region less a rim; the picture's border takes nothing away."""
    kernel = np.ones((side, side), np.uint8)
    shrunk = cv2.erode(region.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(shrunk > 0)


def dilated(region: BoolArray, side: int) -> BoolArray:
    """A region and a rim around it."""
    kernel = np.ones((side, side), np.uint8)
    return np.asarray(cv2.dilate(region.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0)


def outline(region: BoolArray) -> BoolArray:
    """Pixels of the region that touch its outside."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return region & ~(cv2.erode(region.astype(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0)


def continued(picture: FloatArray, person: BoolArray, mesh: BoolArray, confident: int, padded: int) -> FloatArray:
    """(H, W, 3): the person alone, 0 far from it, colours of the outline in a band around it.

    The band reaches as far as the fitted body does, so that its surface finds a colour wherever the outline and the
    body disagree. A pixel takes from the nearest points of the outline, weighted by the SQUARE of their distance, as
    in the released code.

    Args:
        picture: (H, W, 3).
        person, mesh: (H, W) outline of the person, and of the body fitted to it.
        confident, padded: sides of the kernels that the person is made smaller and larger by.
    """
    from scipy.spatial import cKDTree

    sure = eroded(person, confident)
    reach = dilated(person | mesh, padded)
    shown = np.where(sure[..., None], picture, 0).astype(np.float32)
    points = np.argwhere(outline(sure))
    if not len(points):
        return shown
    band = np.argwhere(reach & ~sure)
    distance, chosen = cKDTree(points).query(band, k=min(NEAREST, len(points)))
    weights = np.maximum(np.reshape(distance, (len(band), -1)), 1e-3) ** 2
    weights = weights / weights.sum(1, keepdims=True)
    colours = picture[tuple(points.T)][np.reshape(chosen, weights.shape)]
    shown[tuple(band.T)] = (weights[..., None] * colours).sum(1)
    return shown


def masked_background(picture: FloatArray, person: BoolArray, side: int) -> FloatArray:
    """(H, W, 4): the background, 0 where the person is, and where it is believed."""
    behind = eroded(~person, side).astype(np.float32)[..., None]
    return np.concatenate([picture * behind, behind], -1)

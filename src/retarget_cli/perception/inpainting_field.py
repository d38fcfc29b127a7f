"""Nearest-neighbour fields: which known patch stands for each patch that touches the hole."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from retarget_cli.core.motion import FloatArray
from retarget_cli.perception.inpainting_kernel import peel
from retarget_cli.perception.inpainting_level import Level

# (H, W, 2) row and column of the source's centre, -1 where there is none.
Field = NDArray[np.int32]

# About so many pairs of patches are compared at the coarsest level at most: 0.3 s.
_PAIRS = 4_000_000


def first_field(level: Level, picture: FloatArray, rise: float) -> Field:
    """Fill the hole of `picture` layer by layer from its border inwards, and say where each pixel came from.

    A smooth fill would make EM settle on smooth patches; this keeps edges and lines (the onion peel of Newson et
    al. 2014, section 3.5).
    """
    field = np.full((*level.hole.shape, 2), -1, np.int32)
    depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 5)
    inwards = np.argsort(depth[level.hole], kind="stable")
    places = np.argwhere(level.source)
    stride = math.ceil(math.sqrt(len(places) * len(inwards) / _PAIRS))
    grid = places[(places % stride == stride // 2).all(1)] if stride > 1 else places
    if not len(grid):
        grid, stride = places, 1
    peel(picture, ~level.hole, level.source, grid, stride, level.pixels[inwards], field, rise)
    return _completed(level, field)


def finer_field(level: Level, coarse: Field) -> Field:
    """The field of half the size, at the size of `level`: the picture's detail is looked up, not blown up."""
    height, width = level.hole.shape
    rows, columns = np.mgrid[:height, :width]
    small = coarse[rows // 2, columns // 2]
    fine = np.stack([2 * small[..., 0] + rows % 2, 2 * small[..., 1] + columns % 2], axis=-1)
    return _completed(level, np.where(small >= 0, fine, -1).astype(np.int32))


def _completed(level: Level, field: Field) -> Field:
    """Give every target a source: its own, else that beside its nearest neighbour's, moved to where one may be."""
    y, x = level.targets.T
    owner = ndimage.distance_transform_edt(field[..., 0] < 0, return_distances=False, return_indices=True)
    oy, ox = owner[0][y, x], owner[1][y, x]
    sy = np.clip(field[oy, ox, 0] + y - oy, 0, level.hole.shape[0] - 1)
    sx = np.clip(field[oy, ox, 1] + x - ox, 0, level.hole.shape[1] - 1)
    legal = ndimage.distance_transform_edt(~level.source, return_distances=False, return_indices=True)
    out = np.full_like(field, -1)
    out[y, x, 0], out[y, x, 1] = legal[0][sy, sx], legal[1][sy, sx]
    return out

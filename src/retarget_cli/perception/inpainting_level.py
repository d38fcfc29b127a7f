"""One size of a picture with a hole, and the pyramid of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.inpainting_kernel import REACH, SIDE

Region = NDArray[np.bool_]
Places = NDArray[np.int64]

# The pyramid ends where no pixel of the hole is farther from its border than this: a patch and a bit.
_DEEPEST = 8.0
# Fewer pixels on the shorter side, or fewer patches to copy, say too little.
_SHORTEST = 24
_FEWEST = 50
# By so much a patch is trusted less for each pixel that its centre lies deeper in the hole (Wexler et al., Space-Time
# Completion of Video, PAMI 2007, section 3.2), down to where float32 still tells weights apart.
_TRUST = 1.3
_TRUSTED_DEPTH = 60.0
# How much a level of mean slope counts beside a level of colour, and the steepest slope that is texture, not an edge.
_TEXTURE = 7.0
_STEEPEST = 40.0
_TEXTURE_SIDE = 15


@dataclass(frozen=True, slots=True)
class Level:
    """A picture of one size.

    Attributes:
        picture: (H, W, 4) float32, colour and texture; the hole's pixels mean nothing.
        hole: (H, W) bool.
        source: (H, W) bool, centres of the patches that may be copied.
        targets: (N, 2) rows and columns of the centres of patches that touch the hole, row by row.
        pixels: (M, 2) the hole's pixels, row by row.
        trust: (H, W) float32, the weight of a target by its depth in the hole.
    """

    picture: FloatArray
    hole: Region
    source: Region
    targets: Places
    pixels: Places
    trust: FloatArray

    @property
    def usable(self) -> bool:
        """Whether there is something to fill and something to fill it with."""
        return len(self.targets) > 0 and bool(self.source.any())


def levels_of(image: Image, hole: Region) -> list[Level]:
    """The pyramid, finest first; (H, W, 3) uint8 and (H, W) bool."""
    picture = np.dstack([image.astype(np.float32), _texture(image, hole)])
    levels = [_level(picture, hole)]
    while _depth(hole).max() > _DEEPEST and min(hole.shape) // 2 >= _SHORTEST:
        picture, hole = _halved(picture, hole)
        level = _level(picture, hole)
        if not level.usable or level.source.sum() < _FEWEST:
            break
        levels.append(level)
    return levels


def _level(picture: FloatArray, hole: Region) -> Level:
    height, width = hole.shape
    touches = _dilated(hole, SIDE)
    inside = np.zeros_like(hole)
    inside[REACH : height - REACH, REACH : width - REACH] = True
    # A source also gives the step from its last column and row to the next, so it needs one pixel more.
    whole = inside.copy()
    whole[height - REACH - 1 :] = False
    whole[:, width - REACH - 1 :] = False
    trust = np.power(_TRUST, -np.minimum(_depth(hole), _TRUSTED_DEPTH)).astype(np.float32)
    return Level(
        np.ascontiguousarray(picture, np.float32),
        hole,
        whole & ~_dilated(hole, SIDE + 2),
        np.argwhere(inside & touches),
        np.argwhere(hole),
        trust,
    )


def _halved(picture: FloatArray, hole: Region) -> tuple[FloatArray, Region]:
    """Half the size; colours of the known pixels alone, so that nothing of the person leaks out."""
    size = ((hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2)
    known = (~hole).astype(np.float32)
    total = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    return np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32), np.asarray(share < 0.5)


def _texture(image: Image, hole: Region) -> FloatArray:
    """(H, W) the mean slope about each pixel, as far as it is known.

    Coarse levels cannot tell grass from a lawn-coloured wall: this can (Newson et al., Video Inpainting of Complex
    Scenes, SIAM J. Imaging Sciences 2014, section 3.3).
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, scale=0.25) for dx in (1, 0))
    known = (~_dilated(hole, 3)).astype(np.float32)
    slope = np.minimum(np.hypot(across, down), _STEEPEST) * known
    box = (_TEXTURE_SIDE, _TEXTURE_SIDE)
    return np.asarray(_TEXTURE * cv2.blur(slope, box) / np.maximum(cv2.blur(known, box), 1e-3), np.float32)


def _depth(hole: Region) -> FloatArray:
    return np.asarray(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _dilated(region: Region, side: int) -> Region:
    return np.asarray(cv2.dilate(region.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)

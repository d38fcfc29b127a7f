"""Which body part each pixel of the photo belongs to.

The fitted body says where the parts are to within a few pixels; the photo says where their borders run. Cores of
the projected parts flood the mask as a watershed, so that the border between an arm and the trunk follows the
edge in the picture and not the outline of a naked body.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.limbs import dense_weights
from retarget_cli.body.model import Body
from retarget_cli.body.raster.numba_zbuffer import interpolate, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.regions import BoolArray, nearest_value

# A part reaches as far as this much of the body moves with it: parts overlap where the body bends between them.
OVERLAP = 0.12
# Its depth is read off a larger piece, so that front and back are both there wherever the part reaches.
TRACE = 0.004
# Half the uncertainty of a projected border, as a share of the person's height.
BORDER = 0.012


class Part(IntEnum):
    """What moves as one piece enough to be cut from the rest."""

    TRUNK = 0
    LEFT_ARM = 1
    RIGHT_ARM = 2
    LEFT_LEG = 3
    RIGHT_LEG = 4


PART_OF_JOINT = np.array(
    [0, 3, 4, 0, 3, 4, 0, 3, 4, 0, 3, 4, 0, 0, 0, 0, 1, 2, 1, 2, 1, 2, 1, 2], dtype=np.int64
)
WRISTS = {Part.LEFT_ARM: (20, 22), Part.RIGHT_ARM: (21, 23)}


@dataclass(frozen=True, slots=True)
class PosedBody:
    """The fitted body as it stands in the photo.

    Attributes:
        vertices: (V, 3) float32: x, y in pixels, z in pixels too, smaller is nearer.
        faces: (F, 3).
        weights: (V, 24) dense skinning weights.
        shares: (V, 5) how much of each vertex belongs to each part.
        height: of the person in pixels.
        size: (height, width) of the picture.
    """

    vertices: FloatArray
    faces: NDArray[np.int32]
    weights: FloatArray
    shares: FloatArray
    height: float
    size: tuple[int, int]

    @classmethod
    def of(
        cls, body: Body, vertices: FloatArray, height: float, size: tuple[int, int], unseen: list[int]
    ) -> PosedBody:
        """Gather what the parts need of a body whose posed vertices are given in pixels.

        Joints that the photo does not show (`unseen`) do not move on their own: they follow the hips.
        """
        weights = dense_weights(body)
        weights[:, 0] += weights[:, unseen].sum(1)
        weights[:, unseen] = 0
        shares = np.stack([weights[:, part == PART_OF_JOINT].sum(1) for part in Part], 1)
        return cls(vertices, body.faces.numpy().astype(np.int32), weights, shares, height, size)

    def faces_of(self, part: Part, least: float) -> NDArray[np.int32]:
        """The triangles with a corner that moves with a part by more than `least`."""
        return np.ascontiguousarray(self.faces[(self.shares[self.faces, part] > least).any(1)])


@dataclass(frozen=True, slots=True)
class PartMap:
    """Pixels of the photo sorted into parts.

    Attributes:
        labels: (H, W) int32: a `Part`, -1 outside the person.
        guess: (H, W) int32: the part of the projected body that is nearest to the viewer, -1 off the body.
        shares: (H, W, 5) shares of the body surface seen at each pixel; zero off the body.
    """

    labels: NDArray[np.int32]
    guess: NDArray[np.int32]
    shares: FloatArray

    def visible(self, part: Part) -> BoolArray:
        """(H, W): where the photo shows this part, the overlap with its neighbours included.

        The overlap counts only where photo and body agree on the part: elsewhere the body lies beside its place.
        """
        agreed = (self.labels >= 0) & (self.labels == self.guess)
        return (self.labels == part) | (agreed & (self.shares[..., part] > OVERLAP))


def map_parts(image: Image, mask: BoolArray, body: PosedBody) -> PartMap:
    """Sort the pixels of the mask (H, W) into parts."""
    height, width = mask.shape
    fragments = rasterize(body.vertices, body.faces, height, width)
    shares = interpolate(fragments, body.faces, body.shares)
    hit = fragments.face_index >= 0
    guess = np.where(hit, shares.argmax(-1), -1).astype(np.int32)
    labels = _flood(image, mask, guess, max(1.0, BORDER * body.height))
    return PartMap(_even(labels, max(0.7, 0.3 * BORDER * body.height)), guess, shares)


def _flood(image: Image, mask: BoolArray, guess: NDArray[np.int32], border: float) -> NDArray[np.int32]:
    markers = np.zeros(mask.shape, np.int32)
    for part in Part:
        others = np.isin(guess, cut_from(part))
        away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5)
        core = (guess == part) & mask & (away > border)
        if not core.any():  # a thin part in front of another: its middle line
            core = (guess == part) & mask & (away > 0.5 * away[guess == part].max(initial=0.0))
        markers[core] = part + 1
    if not markers.any():
        return np.where(mask, int(Part.TRUNK), -1).astype(np.int32)
    outside = len(Part) + 1
    markers[~mask] = outside
    smooth = cv2.bilateralFilter(image, 5, 30, 5)
    flooded = cv2.watershed(np.ascontiguousarray(smooth), markers.copy())
    labels = np.where((flooded > 0) & (flooded < outside), flooded - 1, -1).astype(np.int32)
    return _grow(labels, mask)


def cut_from(part: Part) -> list[Part]:
    """Parts whose border with this one shows in a photo. Trunk and legs go over into each other without one."""
    arms, legs = [Part.LEFT_ARM, Part.RIGHT_ARM], [Part.LEFT_LEG, Part.RIGHT_LEG]
    if part is Part.TRUNK:
        return arms
    return [other for other in (Part if part in arms else [*arms, *legs]) if other != part]


def _even(labels: NDArray[np.int32], sigma: float) -> NDArray[np.int32]:
    """Borders without teeth: each pixel of the person goes to the part that prevails around it."""
    votes = [cv2.GaussianBlur((labels == part).astype(np.float32), (0, 0), sigma) for part in Part]
    return np.where(labels >= 0, np.argmax(votes, 0), -1).astype(np.int32)


def _grow(labels: NDArray[np.int32], mask: BoolArray) -> NDArray[np.int32]:
    """Give every pixel of the mask without a label (watershed lines, lone islands) that of the nearest one."""
    return np.where(mask, nearest_value(labels, labels >= 0), -1).astype(np.int32)

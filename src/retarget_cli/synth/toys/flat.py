"""Toys cut out of paper: painted parts that lie one on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.toys.paint import Patch, Piece, Style, paint_part
from retarget_cli.synth.toys.rig import Bone
from retarget_cli.synth.toys.toy import Drawn, Mark, Toy

# Patches have so many pixels for each of the picture's.
SHARP = 1.25
# A part's label is where it covers at least so much of the pixel.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Design:
    """A flat toy before it is painted.

    Attributes:
        bones: its parts; one without pieces only carries others.
        pieces: of each part by its name, from back to front.
        order: names of parts from the back to the front.
        marks: points that can be found again.
    """

    bones: tuple[Bone, ...]
    pieces: Mapping[str, Sequence[Piece]]
    order: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A patch, the place of its bone, and the depth of its layer."""

    patch: Patch
    row: int
    depth: float
    corners: FloatArray = field(repr=False)


class FlatToy(Toy):
    """An instance, painted at a resolution.

    Args:
        design: what it is.
        style: how it is drawn.
        fine: pixels of the picture a unit.
    """

    near = deep = 0.5

    def __init__(self, design: Design, style: Style, fine: float) -> None:
        self.bones, self.marks = design.bones, design.marks
        self._design, self._style = design, style
        self._sheets = self._painted(fine)

    def sharpened(self, fine: float) -> FlatToy:
        """The same, painted for another size."""
        return FlatToy(self._design, self._style, fine)

    def _painted(self, fine: float) -> list[_Sheet]:
        sheets = []
        for layer, name in enumerate(self._design.order):
            row = self.part_names.index(name)
            patch = paint_part(self._design.pieces[name], self._style, SHARP * fine, row)
            height, width = patch.pixels.shape[:2]
            right, bottom = patch.left + width / patch.fine, patch.top + height / patch.fine
            corners = [(x, y, 0, 1) for x in (patch.left, right) for y in (patch.top, bottom)]
            sheets.append(_Sheet(patch, row, -float(layer), np.array(corners, np.float32)))
        return sheets

    def bounds(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `Toy`."""
        found = [np.einsum("tij,kj->tki", places[:, sheet.row, :2], sheet.corners) for sheet in self._sheets]
        every = np.concatenate([points.reshape(-1, 2) for points in found])
        return every.min(0), every.max(0)

    def draw(self, places: FloatArray, size: tuple[int, int]) -> Drawn:
        """See `Toy`."""
        canvas = np.zeros((*size, 4), np.float32)
        parts = np.zeros(size, np.uint8)
        for sheet in self._sheets:
            _lay(sheet, places[sheet.row], canvas, parts)
        depth = np.full(size, np.inf, np.float32)
        layers = np.full(len(self.bones) + 1, np.inf, np.float32)
        ways = np.zeros((len(self.bones) + 1, 2, 3), np.float32)
        for sheet in self._sheets:
            layers[sheet.row + 1] = sheet.depth
            ways[sheet.row + 1] = _back(places[sheet.row])
        local = np.zeros((*size, 3), np.float32)
        y, x = np.nonzero(parts)
        labels = parts[y, x]
        depth[y, x] = layers[labels]
        way = ways[labels]
        for axis in (0, 1):
            local[y, x, axis] = way[:, axis, 0] * (x + 0.5) + way[:, axis, 1] * (y + 0.5) + way[:, axis, 2]
        return Drawn(canvas[..., :3], canvas[..., 3], parts, local, depth)

    def onto(self, places: FloatArray, scale: float, right: float, down: float) -> FloatArray:
        """See `Toy`; what is in front is a matter of layers, not of space."""
        out = super().onto(places, scale, right, down)
        out[..., 2, :] = 0
        for sheet in self._sheets:
            out[..., sheet.row, 2, 3] = sheet.depth
        return out


def _back(place: FloatArray) -> FloatArray:
    """(2, 3) from pixels to a flat part's own axes."""
    matrix = np.array(place[:2, [0, 1, 3]], np.float64)
    (a, b), (c, d) = matrix[:, :2]
    area = a * d - b * c
    if abs(area) < 1e-6:  # seen from its edge
        return np.zeros((2, 3), np.float32)
    way = np.array([[d, -b], [-c, a]]) / area
    return np.hstack([way, -way @ matrix[:, 2:]]).astype(np.float32)


def _lay(sheet: _Sheet, place: FloatArray, canvas: FloatArray, parts: np.ndarray) -> None:  # type: ignore[type-arg]
    """Put a part on the picture; `canvas` and `parts` are changed."""
    height, width = parts.shape
    reach = sheet.corners @ place[:2].T
    left, top = np.floor(reach.min(0)).astype(int).clip(0, (width, height))
    right, bottom = np.ceil(reach.max(0)).astype(int).clip(0, (width, height))
    way = _back(place)
    if right <= left or bottom <= top or not way.any():
        return
    patch = sheet.patch
    # Pixels have their middles at halves for us, at whole numbers for OpenCV.
    matrix = way.astype(np.float64) * patch.fine
    matrix[:, 2] += matrix[:, :2] @ (left + 0.5, top + 0.5) - np.array([patch.left, patch.top]) * patch.fine - 0.5
    window = (slice(top, bottom), slice(left, right))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(patch.pixels, matrix, (int(right - left), int(bottom - top)), flags=flags)
    below = canvas[window]
    alpha = laid[..., 3]
    below *= (1 - alpha)[..., None]
    below += laid
    parts[window][alpha >= _HALF] = sheet.row + 1

"""What is true about a drawn frame: where each point was in another picture, and what is seen of the joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.raster.numba_zbuffer import Buffers, rasterize
from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.camera import View
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.render import blend, projected

BoolArray = NDArray[np.bool_]

# A source is looked up in a depth map so much finer than the picture, to this many metres.
FINER, NEAR = 4, 0.012
# Metres that a landmark may lie behind the surface in front of it and still count as seen.
_DEEP = 0.13
_SHALLOW = 0.075
CONFIDENCE = (0.0, 0.35, 1.0)  # outside the picture, hidden by the body, seen


@dataclass(frozen=True, slots=True)
class Origin:
    """A picture that flow leads to.

    Attributes:
        points: (V, 3) of the same figure there: x, y in pixels, z in metres.
        depth: (FINER * H, FINER * W) metres: the farthest of each fine pixel and its neighbours to the right and
            below, so that edges hide nothing beside them; inf off the person.
        faces_us: (F,) whether a triangle is turned to the viewer there.
        view: of the room behind.
    """

    points: FloatArray
    depth: FloatArray
    faces_us: BoolArray
    view: View


def origin_of(figure: Figure, points: FloatArray, camera: FloatArray, view: View, size: tuple[int, int]) -> Origin:
    """A picture of size (height, width) that shows posed points (V, 3) by a camera (3,)."""
    height, width = size
    fine = rasterize(projected(points, camera, FINER), figure.faces, height * FINER, width * FINER, cull=True)
    seen = projected(points, camera)
    a, b, c = seen[figure.faces, :2].swapaxes(0, 1)
    area: FloatArray = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    depth = fine.depth
    depth[:, :-1] = np.maximum(depth[:, :-1], depth[:, 1:])
    depth[:-1] = np.maximum(depth[:-1], depth[1:])
    return Origin(seen, depth, area < 0, view)


def flow_to(origin: Origin, figure: Figure, surface: Buffers, view: View) -> tuple[FloatArray, BoolArray]:
    """`flow_driving_to_source` of a frame.

    Args:
        origin: the source picture.
        figure: who is seen in both.
        surface: what is seen at the frame's pixels.
        view: of the room in the frame.

    Returns:
        (H, W, 2) from each pixel's middle to where the same point is in the source: right, down, in pixels, on
        the person and on the room; and (H, W) whether it is seen there.
    """
    height, width = surface.face_index.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    there = origin.view.of_room(view.to_room(np.stack([x, y], -1)))
    depth = np.full((height, width), np.inf, np.float32)
    hit = surface.face_index >= 0
    faces, share = surface.face_index[hit], surface.barycentric[hit]
    corners = figure.faces[faces]
    points = blend(share, corners, origin.points)
    there[hit], depth[hit] = points[:, :2], points[:, 2]
    inside = (there >= 0).all(-1) & (there[..., 0] < width) & (there[..., 1] < height)
    # The point lies between the middles of this fine pixel and of its neighbours.
    column = (there[..., 0] * FINER - 0.5).clip(0, FINER * width - 1).astype(np.int64)
    row = (there[..., 1] * FINER - 0.5).clip(0, FINER * height - 1).astype(np.int64)
    front = origin.depth[row, column]
    # The room is behind everybody; a point of the person is seen when nothing is clearly before it.
    seen = np.where(hit, depth <= front + NEAR, np.isinf(front))
    seen[hit] &= origin.faces_us[faces]
    return np.stack([there[..., 0] - x, there[..., 1] - y], -1), inside & seen


def confidences(landmarks: FloatArray, camera: FloatArray, surface: Buffers) -> FloatArray:
    """(33,): 1 where a landmark (33, 3) is seen, less where the body hides it, 0 outside the picture."""
    height, width = surface.depth.shape
    seen = projected(landmarks, camera)
    inside = (seen[:, :2] >= 0).all(1) & (seen[:, 0] < width) & (seen[:, 1] < height)
    column, row = (seen[:, axis].clip(0, side - 1).astype(np.int64) for axis, side in ((0, width), (1, height)))
    # Shoulders and hips lie deeper in the flesh than the points of the face, of hands and of feet.
    allowed = np.full(len(landmarks), _SHALLOW)
    allowed[[11, 12, 23, 24, 25, 26]] = _DEEP
    hidden = seen[:, 2] - surface.depth[row, column] > allowed
    return np.select([~inside, hidden], CONFIDENCE[:2], CONFIDENCE[2]).astype(np.float32)

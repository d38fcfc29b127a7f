"""The mesh of one part: the photo's own pixels as a grid, a front and a back, joined at the edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.backends.avatar.parts import Part, PosedBody
from retarget_cli.backends.avatar.relief import Lattice, edge_distance, relieve
from retarget_cli.core.motion import FloatArray
from retarget_cli.perception.regions import BoolArray


@dataclass(frozen=True, slots=True)
class Sheet:
    """A closed mesh in the source's picture.

    Attributes:
        points: (N, 3) x, y, z in pixels; the first half is the front, the second the back.
        faces: (F, 3) int32; front faces wind so that they face the viewer in the photo.
        is_back: (F,) bool.
        weights: (N, 24) skinning weights.
    """

    points: FloatArray
    faces: NDArray[np.int32]
    is_back: BoolArray
    weights: FloatArray


def build_sheet(body: PosedBody, part: Part, domain: BoolArray, step: float) -> Sheet | None:
    """Mesh the domain (H, W) of one part; None when it covers no node.

    Border nodes are moved onto the domain's edge, which makes the outline smooth whatever the step.
    """
    lattice = Lattice.over(domain.shape[0], domain.shape[1], step)
    inset, slope = edge_distance(domain, lattice)
    inside = inset > 0
    cells = _cells(inside)
    if not len(cells):
        return None
    used = np.zeros(inside.size, bool)
    used[cells.ravel()] = True
    relief = relieve(body, part, lattice, used.reshape(inside.shape), inset)
    points = lattice.points()
    rim = used.reshape(inside.shape) & ~inside
    points[rim] -= (inset[..., None] * slope / np.maximum((slope**2).sum(-1, keepdims=True), 0.25))[rim]
    thickness = np.where(rim, 0, relief.thickness)
    front = np.concatenate([points, (relief.middle - thickness)[..., None]], -1).reshape(-1, 3)[used]
    back = np.concatenate([points, (relief.middle + thickness)[..., None]], -1).reshape(-1, 3)[used]
    number = np.cumsum(used) - 1
    faces = number[cells].astype(np.int32)
    weights = [side.reshape(-1, side.shape[-1])[used] for side in (relief.front, relief.back)]
    return Sheet(
        np.concatenate([front, back]).astype(np.float32),
        np.concatenate([faces, faces[:, ::-1] + len(front)]).astype(np.int32),
        np.repeat([False, True], len(faces)),
        np.concatenate(weights).astype(np.float32),
    )


def _cells(inside: BoolArray) -> NDArray[np.int64]:
    """Triangles (F, 3) of flat node numbers that have a corner inside.

    Convention: counter-clockwise on the screen (y down), as the body's faces that are turned to the viewer.
    """
    rows, columns = inside.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    # Diagonals alternate, so that no direction is preferred.
    even = ((np.arange(rows - 1)[:, None] + np.arange(columns - 1)[None]) % 2 == 0)[..., None]
    first = np.where(even, np.stack([a, c, d], -1), np.stack([a, c, b], -1)).reshape(-1, 3)
    second = np.where(even, np.stack([a, d, b], -1), np.stack([b, c, d], -1)).reshape(-1, 3)
    triangles = np.concatenate([first, second])
    return np.asarray(triangles[inside.ravel()[triangles].any(1)], np.int64)

"""What is the same for every picture of one body model: faces, their place in the texture, their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body
from retarget_cli.body.raster.numba_zbuffer import rasterize
from retarget_cli.core.motion import FloatArray

Indices = NDArray[np.int64]

HEAD, TORSO, LEFT_LEG, RIGHT_LEG, LEFT_ARM, RIGHT_ARM, LEFT_FOOT, RIGHT_FOOT, LEFT_HAND, RIGHT_HAND = range(10)
# The part that each of SMPL's 24 joints moves.
PART_OF_JOINT = (
    TORSO, LEFT_LEG, RIGHT_LEG, TORSO, LEFT_LEG, RIGHT_LEG, TORSO, LEFT_FOOT, RIGHT_FOOT, TORSO, LEFT_FOOT, RIGHT_FOOT,
    HEAD, TORSO, TORSO, HEAD, LEFT_ARM, RIGHT_ARM, LEFT_ARM, RIGHT_ARM, LEFT_HAND, RIGHT_HAND, LEFT_HAND, RIGHT_HAND,
)  # fmt: skip
# A face keeps its place in a source where it, or one of so many nearest faces of its part, is seen; it is one of them.
NEIGHBOURS = 3


@dataclass(frozen=True, slots=True)
class Topology:
    """A mesh's faces, without their places.

    Attributes:
        faces: (F, 3) int64.
        uv: (F, 3, 2) each face's corners in the texture, [-1, 1]: u right, v down.
        labels: (F, 2) one texture point a face, the middle of its first edge: what the condition map shows.
        near: (F, 3) nearest faces of the same part by `labels`, itself among them.
        parts: (F,) part of each face.
    """

    faces: Tensor
    uv: Tensor
    labels: Tensor
    near: Tensor
    parts: Tensor

    def to(self, device: torch.device) -> Topology:
        """The same on another device."""
        return Topology(*(getattr(self, name).to(device) for name in self.__slots__))


def topology(faces: Indices, uv: FloatArray, uv_faces: Indices, parts: Indices) -> Topology:
    """Put one together.

    Args:
        faces: (F, 3).
        uv: (U, 2) in [0, 1], u right, v down.
        uv_faces: (F, 3) into `uv`.
        parts: (F,).
    """
    corners = 2 * uv[uv_faces].astype(np.float32) - 1
    labels = (corners[:, 0] + corners[:, 1]) / 2
    arrays = (faces.astype(np.int64), corners, labels, _nearest(labels, parts), parts.astype(np.int64))
    return Topology(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


def _nearest(labels: FloatArray, parts: Indices) -> Indices:
    from scipy.spatial import cKDTree

    near = np.empty((len(labels), NEIGHBOURS), np.int64)
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        near[rows] = rows[cKDTree(labels[rows]).query(labels[rows], k=NEIGHBOURS)[1]]
    return near


@lru_cache(maxsize=2)
def topology_of(body: str) -> Topology:
    """A body model's, by its name."""
    model = load_body(body)
    return topology(
        model.faces.numpy(), model.uv.numpy(), model.uv_faces.numpy(), face_parts(model)
    )


def face_parts(body: Body) -> Indices:
    """(F,): the part of each face, that of its corner which is moved by the lowest joint."""
    joints = body.weights_index[:, 0][body.faces].amax(1)
    return np.asarray(PART_OF_JOINT, np.int64)[joints.numpy()]


@dataclass(frozen=True, slots=True)
class Chart:
    """The texture as a picture: which face lies at each of its pixels.

    Attributes:
        face_index: (S, S) int64; -1 between the charts.
        weights: (S, S, 3).
    """

    face_index: Tensor
    weights: Tensor


@lru_cache(maxsize=4)
def chart_of(body: str, side: int) -> Chart:
    """A body's chart, `side` pixels wide and high."""
    return chart(topology_of(body), side)


def chart(mesh: Topology, side: int) -> Chart:
    """Draw the texture's faces into a square."""
    points = torch.cat([(mesh.uv.flatten(0, 1) + 1) * (side / 2), torch.ones(3 * len(mesh.faces), 1)], 1).numpy()
    drawn = rasterize(points, np.arange(len(points), dtype=np.int32).reshape(-1, 3), side, side)
    return Chart(torch.from_numpy(drawn.face_index.astype(np.int64)), torch.from_numpy(drawn.barycentric))

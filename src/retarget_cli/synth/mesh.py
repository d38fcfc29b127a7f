"""Pieces of surface that are skinned to the 24 joints, and what can be done to them at rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray

Faces = NDArray[np.int32]
# Any precision, where it does not matter.
Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of surface at rest.

    Attributes:
        vertices: (V, 3) metres, the body's axes.
        faces: (F, 3); outward by the right-hand rule, as those of a `Body`.
        weights: (V, 24) shares of the joints that move each vertex.
        fields: (V, 8) what `paint` and `parts` need; see `figure.Figure`.
    """

    vertices: FloatArray
    faces: Faces
    weights: FloatArray
    fields: FloatArray


def vertex_normals(vertices: FloatArray, faces: NDArray[np.integer[Any]]) -> FloatArray:
    """(V, 3) unit normals, outward, each the mean of its triangles' by area."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, corner], normal[:, axis], len(vertices)).astype(np.float32)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def compact(sheet: Sheet) -> Sheet:
    """Without the vertices that no face names."""
    used, faces = np.unique(sheet.faces, return_inverse=True)
    return Sheet(
        sheet.vertices[used],
        faces.reshape(-1, 3).astype(np.int32),
        sheet.weights[used],
        sheet.fields[used],
    )


def clip(sheet: Sheet, height: FloatArray) -> Sheet:
    """The part where a function of the vertices (V,) is positive, cut straight through the triangles."""
    inside = height > 0
    count = inside[sheet.faces].sum(1)
    whole = sheet.faces[count == 3]
    # Turn each cut triangle so that the corner that is alone on its side comes first.
    lone, pair = _alone_first(sheet.faces[count == 1], inside), _alone_first(sheet.faces[count == 2], ~inside)
    cut = np.concatenate([lone[:, [0, 1]], lone[:, [0, 2]], pair[:, [0, 1]], pair[:, [0, 2]]])
    start, end = height[cut[:, 0]], height[cut[:, 1]]
    share = (start / np.where(start == end, 1, start - end)).astype(np.float32)[:, None]
    base, ones, twos = len(sheet.vertices), len(lone), len(pair)
    new = base + np.arange(len(cut))
    a, b = new[:ones], new[ones : 2 * ones]
    c, d = new[2 * ones : 2 * ones + twos], new[2 * ones + twos :]
    faces = np.concatenate([
        whole,
        np.stack([lone[:, 0], a, b], 1),
        np.stack([c, pair[:, 1], pair[:, 2]], 1),
        np.stack([c, pair[:, 2], d], 1),
    ])  # fmt: skip

    def grown(values: FloatArray) -> FloatArray:
        return np.concatenate([values, (1 - share) * values[cut[:, 0]] + share * values[cut[:, 1]]])

    return compact(
        Sheet(grown(sheet.vertices), faces.astype(np.int32), grown(sheet.weights), grown(sheet.fields))
    )


def _alone_first(faces: Faces, marked: NDArray[np.bool_]) -> Faces:
    """Faces with one marked corner, turned so that it is the first."""
    first = marked[faces].argmax(1)
    order = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(faces, order, 1)


def grid_faces(rows: int, columns: int, is_ring: bool) -> Faces:
    """Triangles of a grid of vertices, row by row; the last column meets the first in a ring."""
    row, column = np.mgrid[: rows - 1, : columns if is_ring else columns - 1]
    beside = (column + 1) % columns
    a, b = row * columns + column, row * columns + beside
    c, d = a + columns, b + columns
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return faces.astype(np.int32)

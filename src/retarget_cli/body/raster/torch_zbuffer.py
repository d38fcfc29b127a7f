"""A z-buffer in plain torch, for any device. The conventions are those of `interface`.

Triangles are sorted into groups by the size of their bounding box; each group tests a square of pixels per
triangle at once, in pieces that keep memory bounded; only what is covered (16 bytes a pixel and triangle)
outlives its piece. The depth test is two scatters with a minimum: the depth, then of the faces at that depth
the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.body.raster.interface import FARTHEST, SUBPIXELS, Fragments

_TILES = (4, 8, 16, 32)
_AT_ONCE = 1 << 21
"""Pixel tests in flight; about 100 bytes each."""


@dataclass(frozen=True, slots=True)
class _Triangles:
    """N triangles that may be seen, wound to a positive area, whole numbers of 1/256 pixel.

    corners (N, 3, 2); z (N, 3); area (N,); face (N,); low, high (N, 2): columns and rows, inclusive.
    """

    corners: Tensor
    z: Tensor
    area: Tensor
    face: Tensor
    low: Tensor
    high: Tensor

    def take(self, rows: Tensor) -> _Triangles:
        return _Triangles(
            self.corners[rows],
            self.z[rows],
            self.area[rows],
            self.face[rows],
            self.low[rows],
            self.high[rows],
        )


def rasterize(
    vertices_px: Tensor, faces: Tensor, height: int, width: int, *, cull: bool = False
) -> Fragments:
    """See `interface.rasterize`."""
    vertices = vertices_px.detach().float()
    faces = faces.to(vertices.device, torch.int64)
    triangles = _visible(vertices, faces, height, width, cull)
    depth = torch.full((height * width,), torch.inf, device=vertices.device)
    index = torch.full((height * width,), len(faces), dtype=torch.int32, device=vertices.device)
    covered = [_covered(piece, size, offset, width) for piece, size, offset in _pieces(triangles)]
    for pixel, z, _ in covered:
        depth.scatter_reduce_(0, pixel, z, "amin")
    for pixel, z, face in covered:
        is_nearest = z == depth[pixel]
        index.scatter_reduce_(0, pixel[is_nearest], face[is_nearest], "amin")
    index = torch.where(index == len(faces), -1, index).view(height, width)
    weights = _barycentric(vertices, faces, index)
    return Fragments(index, weights, depth.view(height, width))


def _visible(vertices: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> _Triangles:
    """Snap, drop what can't be seen, wind what is left to a positive area."""
    corners, good = _snapped(vertices)
    keep = good[faces].all(-1)
    face = torch.arange(len(faces), device=faces.device)[keep]
    corner, z = corners[faces[face]], vertices[:, 2][faces[face]]
    area = _cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    half = SUBPIXELS // 2
    low = _floor_divide(corner.amin(1) + half - 1).clamp(min=0)
    limit = torch.tensor([width - 1, height - 1], device=faces.device)
    high = torch.minimum(_floor_divide(corner.amax(1) - half), limit)
    seen = (low <= high).all(-1) & (area < 0 if cull else area != 0)
    flipped = torch.tensor([0, 2, 1], device=faces.device)
    is_turned = (area < 0)[:, None]
    corner = torch.where(is_turned[..., None], corner[:, flipped], corner)
    z = torch.where(is_turned, z[:, flipped], z)
    return _Triangles(corner, z, area.abs(), face, low, high).take(seen)


def _snapped(vertices: Tensor) -> tuple[Tensor, Tensor]:
    """(V, 2) int64 in 1/256 pixel, and (V,) bool: may be drawn."""
    good = (vertices[:, :2].abs() <= FARTHEST).all(-1) & vertices[:, 2].isfinite()
    safe = torch.where(good[:, None], vertices[:, :2], 0.0)
    return (safe * SUBPIXELS + 0.5).floor().long(), good


def _pieces(triangles: _Triangles) -> list[tuple[_Triangles, int, tuple[int, int]]]:
    """(triangles, tile size, tile's offset in the bounding box), of at most `_AT_ONCE` pixel tests each."""
    pieces = []
    extent = (triangles.high - triangles.low).amax(-1) + 1
    smallest = 0
    for size in _TILES:
        last = size == _TILES[-1]
        rows = ((extent > smallest) & ((extent <= size) | last)).nonzero()[:, 0]
        smallest = size
        if len(rows) == 0:
            continue
        tiles = -(-int(extent[rows].amax()) // size)
        for down in range(tiles):
            for across in range(tiles):
                offset = torch.tensor([across * size, down * size], device=rows.device)
                reach = triangles.high[rows] - triangles.low[rows]
                here = rows if tiles == 1 else rows[(reach >= offset).all(-1)]
                for part in torch.split(here, max(1, _AT_ONCE // size**2)):
                    pieces.append((triangles.take(part), size, (across * size, down * size)))
    return pieces


def _covered(
    piece: _Triangles, size: int, offset: tuple[int, int], width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Which of a size x size square of pixels per triangle are inside.

    Returns:
        (M,) int64 flat pixel, (M,) float32 depth, (M,) int32 face.
    """
    step = torch.arange(size, device=piece.face.device)
    column = (piece.low[:, 0, None, None] + offset[0] + step[None, None, :]).expand(-1, size, size)
    row = (piece.low[:, 1, None, None] + offset[1] + step[None, :, None]).expand(-1, size, size)
    centre = torch.stack([column, row], -1) * SUBPIXELS + SUBPIXELS // 2
    inside = (column <= piece.high[:, 0, None, None]) & (row <= piece.high[:, 1, None, None])
    edges = []
    for first, second in ((1, 2), (2, 0), (0, 1)):
        start = piece.corners[:, first, None, None]
        along = piece.corners[:, second, None, None] - start
        value = _cross(along, centre - start)
        owns = (along[..., 1] < 0) | ((along[..., 1] == 0) & (along[..., 0] > 0))
        inside = inside & ((value > 0) | ((value == 0) & owns))
        edges.append(value)
    which, at_row, at_column = inside.nonzero(as_tuple=True)
    z = _depth(piece, which, edges[1][which, at_row, at_column], edges[2][which, at_row, at_column])
    pixel = row[which, at_row, at_column] * width + column[which, at_row, at_column]
    return pixel, z, piece.face[which].int()


def _depth(piece: _Triangles, which: Tensor, edge_b: Tensor, edge_c: Tensor) -> Tensor:
    """Depth at points given by two edge values; in the same order of operations as the compiled kernel."""
    real = torch.float32 if piece.area.device.type == "mps" else torch.float64
    inverse = 1.0 / piece.area[which].to(real)
    z = piece.z[which].to(real)
    slope_b, slope_c = (piece.z[which, 1:] - piece.z[which, :1]).to(real).unbind(-1)
    return (z[:, 0] + edge_b.to(real) * inverse * slope_b + edge_c.to(real) * inverse * slope_c).float()


def _barycentric(vertices: Tensor, faces: Tensor, index: Tensor) -> Tensor:
    """(H, W, 3) weights at the pixel centres for a given (H, W) face index; zero where it is -1."""
    is_seen = index >= 0
    row, column = is_seen.nonzero(as_tuple=True)
    corners, _ = _snapped(vertices)
    corner = corners[faces[index[row, column]]]
    centre = torch.stack([column, row], -1) * SUBPIXELS + SUBPIXELS // 2
    real = torch.float32 if vertices.device.type == "mps" else torch.float64
    area = _cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]).to(real)
    second = _cross(corner[:, 0] - corner[:, 2], centre - corner[:, 2]).to(real) / area
    third = _cross(corner[:, 1] - corner[:, 0], centre - corner[:, 0]).to(real) / area
    weights = torch.zeros(*index.shape, 3, device=vertices.device)
    weights[row, column] = torch.stack([1 - second - third, second, third], -1).float()
    return weights


def _cross(first: Tensor, second: Tensor) -> Tensor:
    """z of the cross product of (..., 2) vectors."""
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def _floor_divide(value: Tensor) -> Tensor:
    return torch.div(value, SUBPIXELS, rounding_mode="floor")

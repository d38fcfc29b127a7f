"""Flow composition: Algorithm 1, from meshes to the transformation flow, and what is made of it.

Convention: places are (x, y) in [-1, 1] over the picture's width and height, y down, half-pixel centres; a flow that
    leads nowhere is (-2, -2), which zero padding turns into 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.liquid_warp.topology import Chart, Topology
from retarget_cli.body.raster.interface import rasterize

NOWHERE = -2.0
# A source's visible texture is grown by this many pixels at 256, against the gaps between faces (square kernel).
TEXTURE_MARGIN = 13


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Which point of the mesh is seen at each pixel: the maps C and W of Algorithm 1.

    Attributes:
        face_index: (B, H, W) int64; -1 where there is nothing.
        weights: (B, H, W, 3) of the face's corners, in the picture's plane; sum to 1, 0 where there is nothing.
    """

    face_index: Tensor
    weights: Tensor

    @property
    def hit(self) -> Tensor:
        """(B, H, W): where the mesh is seen."""
        return self.face_index >= 0


def correspond(places: Tensor, faces: Tensor, height: int, width: int) -> Correspondence:
    """Draw meshes.

    Args:
        places: (B, V, 3): x, y in [-1, 1]; z grows away from the viewer and is linear over the screen.
        faces: (F, 3).
    """
    half = places.new_tensor([width / 2, height / 2, 1.0])
    pixels = (places + places.new_tensor([1.0, 1.0, 0.0])) * half
    drawn = [rasterize(one, faces, height, width, cull=True).face_index.long() for one in pixels]
    index = torch.stack(drawn)
    corners = pixels[..., :2]
    return Correspondence(index, barycentric(index, corners, faces))


def barycentric(index: Tensor, corners: Tensor, faces: Tensor) -> Tensor:
    """(B, H, W, 3): exact weights of the pixels' middles, kept inside [0, 1].

    Args:
        index: (B, H, W) faces.
        corners: (B, V, 2) pixels.
        faces: (F, 3).
    """
    weights = corners.new_zeros((*index.shape, 3))
    batch, row, column = torch.nonzero(index >= 0, as_tuple=True)
    points = corners[batch[:, None], faces[index[batch, row, column]]].double()
    here = torch.stack([column, row], 1).double() + 0.5
    a, b, c = (points - here[:, None]).unbind(1)
    areas = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], 1)
    shares = (areas / areas.sum(1, keepdim=True)).clamp(0, 1)
    weights[batch, row, column] = (shares / shares.sum(1, keepdim=True)).to(weights.dtype)
    return weights


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def visible_faces(index: Tensor, mesh: Topology) -> Tensor:
    """(S, F) bool: faces that are seen in each source (S, H, W), and the nearest ones around them (lines 3 to 6)."""
    seen = torch.zeros(len(index), len(mesh.faces) + 1, dtype=torch.bool, device=index.device)
    seen.scatter_(1, index.flatten(1) + 1, True)
    seen = seen[:, 1:]
    grown = seen.clone()
    for source, row in enumerate(seen):
        grown[source, mesh.near[row].flatten()] = True
    return grown


def source_corners(places: Tensor, mesh: Topology, visible: Tensor | None = None) -> Tensor:
    """(S, F, 3, 2): the sources' face corners in the picture plane (lines 1 and 2).

    Args:
        places: (S, V, 3) as for `correspond`.
        visible: (S, F); the corners of the others lead nowhere. None: all keep theirs, as in the released code.
    """
    corners = places[:, mesh.faces][..., :2]
    if visible is None:
        return corners
    return torch.where(visible[..., None, None], corners, NOWHERE)


def interpolated(values: Tensor, seen: Correspondence, elsewhere: float) -> Tensor:
    """(B, H, W, K): values given at the faces' corners (F, 3, K), at the points that are seen (lines 8 to 13)."""
    found = values.new_full((*seen.face_index.shape, values.shape[-1]), elsewhere)
    hit = seen.hit
    found[hit] = (seen.weights[hit][..., None] * values[seen.face_index[hit]]).sum(-2)
    return found


def transformation_flow(corners: Tensor, target: Correspondence) -> Tensor:
    """(B, S, H, W, 2): from every pixel of the targets to the sources whose corners (S, F, 3, 2) are given."""
    joined = corners.permute(1, 2, 0, 3).flatten(2)
    found = interpolated(joined, target, NOWHERE)
    return found.reshape(*found.shape[:3], len(corners), 2).permute(0, 3, 1, 2, 4)


def condition(seen: Correspondence, mesh: Topology) -> Tensor:
    """(B, 3, H, W): each face's texture point, constant over the face; (0, 0, 1) where nothing is."""
    hit = seen.hit
    shown = mesh.labels.new_zeros((*hit.shape, 3))
    shown[..., 2] = (~hit).to(shown.dtype)
    shown[hit] = functional.pad(mesh.labels[seen.face_index[hit]], (0, 1))
    return shown.permute(0, 3, 1, 2)


def merged_texture(pictures: Tensor, corners: Tensor, visible: Tensor, chart: Chart, margin: int) -> Tensor:
    """(3, U, U): all sources in one texture.

    The first source wins where it is seen; elsewhere the mean of the others that are seen; else the first again.

    Args:
        pictures: (S, 3, H, W).
        corners: (S, F, 3, 2) of all faces.
        visible: (S, F).
        chart: of the body's texture.
        margin: side of the square that visibility is grown by, odd.
    """
    flat = Correspondence(chart.face_index[None], chart.weights[None])
    flow = transformation_flow(corners, flat)[0]
    textures = functional.grid_sample(pictures, flow, align_corners=False)
    inside = (chart.face_index >= 0) & visible[:, chart.face_index.clamp_min(0)]
    seen = functional.max_pool2d(inside.to(pictures.dtype)[:, None], margin, 1, margin // 2)
    first, others, shown = textures[0], textures[1:], seen[1:]
    count = shown.sum(0)
    mean = (others * shown).sum(0) / count.clamp_min(1)
    return torch.where((seen[0] > 0) | (count == 0), first, mean)


def textured(texture: Tensor, seen: Correspondence, mesh: Topology) -> Tensor:
    """(B, 3, H, W): a texture (3, U, U) on the meshes that are seen; 0 elsewhere."""
    places = interpolated(mesh.uv, seen, NOWHERE)
    return functional.grid_sample(texture.expand(len(places), -1, -1, -1), places, align_corners=False)

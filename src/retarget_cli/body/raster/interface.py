"""The one interface to rasterize with, on tensors of any device.

Convention: pixel (column 0, row 0) has its centre at (0.5, 0.5); y is down; a smaller z is nearer. The
    projection is the caller's: z is interpolated linearly over the screen, which is exact under weak
    perspective. A triangle owns a pixel when the pixel's centre is inside, or on an edge that is a top or a
    left edge of it; so two triangles that share an edge never both own a pixel and never leave one out.
    Corners are rounded to 1/256 of a pixel first, after which all is decided in whole numbers: every
    implementation owns the same pixels. Of several triangles the nearest is drawn; at exactly the same depth,
    the one that comes first in `faces`. A triangle with a corner that is not finite, or that is more than
    2^20 pixels away from the origin, is not drawn: set a corner to NaN to hide what is behind a camera. With
    `cull`, only triangles of negative signed area are drawn: the ones of a `Body` that face the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.errors import BackendError

Rasterizer = Literal["numba", "torch", "pytorch3d"]

SUBPIXELS = 256
"""Corners are rounded to this fraction of a pixel."""

FARTHEST = 2.0**20
"""Pixels from the origin beyond which a corner is not trusted; keeps products inside 64 bits."""


@dataclass(frozen=True, slots=True)
class Fragments:
    """What is seen at each pixel.

    Attributes:
        face_index: (H, W) int32; -1 where there is nothing.
        barycentric: (H, W, 3) float32, weights of the face's corners in the order of `faces`; 0 where nothing
            is.
        depth: (H, W) float32, in the unit of z; +inf where nothing is.
    """

    face_index: Tensor
    barycentric: Tensor
    depth: Tensor


def choose_rasterizer(device: torch.device | str) -> Rasterizer:
    """numba on the CPU; on CUDA PyTorch3D where it is installed; torch's own elsewhere."""
    kind = torch.device(device).type
    if kind == "cpu":
        return "numba"
    if kind == "cuda" and find_spec("pytorch3d") is not None:
        return "pytorch3d"
    return "torch"


def rasterize(
    vertices_px: Tensor,
    faces: Tensor,
    height: int,
    width: int,
    *,
    cull: bool = False,
    name: Rasterizer | None = None,
) -> Fragments:
    """Draw a mesh's triangles into a depth buffer; not differentiable (recompute barycentrics for gradients).

    Args:
        vertices_px: (V, 3) x, y in pixels, z depth.
        faces: (F, 3) integers.
        height: rows of the picture.
        width: columns of the picture.
        cull: leave out triangles that face away.
        name: an implementation; None chooses by the tensors' device.

    Returns:
        Fragments on the device of `vertices_px`.

    Raises:
        BackendError: `name` is not an implementation, or can't run on this device.
    """
    chosen = name or choose_rasterizer(vertices_px.device)
    if chosen == "numba":
        return _rasterize_numba(vertices_px, faces, height, width, cull)
    if chosen == "torch":
        from retarget_cli.body.raster import torch_zbuffer

        return torch_zbuffer.rasterize(vertices_px, faces, height, width, cull=cull)
    if chosen == "pytorch3d":
        from retarget_cli.body.raster import pytorch3d_raster

        return pytorch3d_raster.rasterize(vertices_px, faces, height, width, cull=cull)
    raise BackendError(f"no rasterizer is called {chosen!r}", f"one of {', '.join(get_args(Rasterizer))}")


def _rasterize_numba(vertices_px: Tensor, faces: Tensor, height: int, width: int, cull: bool) -> Fragments:
    from retarget_cli.body.raster import numba_zbuffer

    arrays = numba_zbuffer.rasterize(
        vertices_px.detach().cpu().numpy().astype(np.float32, copy=False),
        faces.detach().cpu().numpy(),
        height,
        width,
        cull=cull,
    )
    device = vertices_px.device
    return Fragments(
        torch.from_numpy(arrays.face_index).to(device),
        torch.from_numpy(arrays.barycentric).to(device),
        torch.from_numpy(arrays.depth).to(device),
    )

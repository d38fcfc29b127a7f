"""PyTorch3D's rasterizer on CUDA, brought to the conventions of `interface`.

Convention: PyTorch3D's normalised axes point left and up, span [-1, 1] over the shorter side, and pixel
    centres are at half pixels too. Its rule for pixels exactly on an edge is not the top-left one, and
    corners are not rounded, so it may differ from the other two on edges.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.body.raster.interface import Fragments
from retarget_cli.core.errors import BackendError


def rasterize(
    vertices_px: Tensor, faces: Tensor, height: int, width: int, *, cull: bool = False
) -> Fragments:
    """See `interface.rasterize`.

    Raises:
        BackendError: PyTorch3D is not installed, or the tensors are not on CUDA (its CPU path takes seconds a
            frame).
    """
    if vertices_px.device.type != "cuda":
        raise BackendError(
            f"the pytorch3d rasterizer needs CUDA, the mesh is on {vertices_px.device}",
            "use the numba rasterizer on the CPU and torch elsewhere",
        )
    try:
        from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
        from pytorch3d.structures import Meshes
    except ImportError as error:
        raise BackendError("PyTorch3D can't be imported", "build it from source or use torch") from error
    vertices = vertices_px.detach().float()
    kept = _drawable(vertices, faces.to(vertices.device, torch.int64), cull)
    chosen = faces.to(vertices.device, torch.int64)[kept]
    meshes = Meshes([normalised(vertices, height, width).nan_to_num()], [chosen])
    index, depth, weights, _ = rasterize_meshes(
        meshes, image_size=(height, width), blur_radius=0.0, faces_per_pixel=1, perspective_correct=False,
        cull_backfaces=False,
    )  # fmt: skip
    index, depth, weights = index[0, ..., 0], depth[0, ..., 0], weights[0, ..., 0, :]
    is_seen = index >= 0
    shifted = (
        vertices[:, 2][vertices[:, 2].isfinite()].amin() - 1.0 if len(vertices) else vertices.new_zeros(())
    )
    return Fragments(
        torch.where(is_seen, kept[index.clamp(min=0)] if len(kept) else index, -1).int(),
        torch.where(is_seen[..., None], weights, 0.0),
        torch.where(is_seen, depth + shifted, torch.inf),
    )


def normalised(vertices_px: Tensor, height: int, width: int) -> Tensor:
    """(V, 3) pixels -> PyTorch3D's normalised axes; depths start at 1, for it drops what is behind 0."""
    scale = 2.0 / min(height, width)
    x = (0.5 * width - vertices_px[:, 0]) * scale
    y = (0.5 * height - vertices_px[:, 1]) * scale
    z = vertices_px[:, 2]
    return torch.stack([x, y, z - z[z.isfinite()].amin() + 1.0 if len(z) else z], -1)


def _drawable(vertices: Tensor, faces: Tensor, cull: bool) -> Tensor:
    """(K,) indices of the faces that have finite corners and, with `cull`, face the viewer."""
    corner = vertices[faces]
    first, second = (corner[:, 1] - corner[:, 0]), (corner[:, 2] - corner[:, 0])
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    keep = corner.isfinite().flatten(1).all(-1)
    if cull:
        keep &= area < 0
    return keep.nonzero()[:, 0]

"""What `draw` does, on tensors of any device: for CUDA and MPS."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from retarget_cli.backends.avatar.figure import Figure
from retarget_cli.body.raster import rasterize


@dataclass(frozen=True, slots=True)
class FigureTensors:
    """A figure on a device; the fields are those of `Figure`, with dense weights (N, 24)."""

    points: Tensor
    weights: Tensor
    faces: Tensor
    uv: Tensor
    atlas: Tensor

    @classmethod
    def of(cls, figure: Figure, device: torch.device) -> FigureTensors:
        """Copy a figure to a device."""
        joints = torch.from_numpy(figure.joints).long()
        shares = torch.from_numpy(figure.weights)
        dense = torch.zeros(len(shares), 24).scatter_add(1, joints, shares)
        return cls(
            torch.from_numpy(figure.points).to(device),
            dense.to(device),
            torch.from_numpy(figure.faces).to(device),
            torch.from_numpy(figure.uv).to(device),
            torch.from_numpy(figure.atlas).to(device),
        )


def draw(figure: FigureTensors, transforms: Tensor, camera: Tensor, size: tuple[int, int], samples: int) -> Tensor:
    """One frame, (4, H, W) RGBA in [0, 1], straight alpha.

    Args:
        figure: on the device.
        transforms: (24, 3, 4) from the source's pose to the frame's, metres.
        camera: (3,) scale, tx, ty, in pixels of `size`.
        size: (height, width).
        samples: samples a pixel in each direction.
    """
    blended = (figure.weights @ transforms.flatten(1)).reshape(-1, 3, 4)
    placed = (blended[..., :3] @ figure.points[..., None])[..., 0] + blended[..., 3]
    lens = camera * samples
    shift = torch.stack([lens[1], lens[2], torch.zeros_like(lens[0])])
    height, width = size[0] * samples, size[1] * samples
    fragments = rasterize(placed * lens[0] + shift, figure.faces, height, width, cull=True)
    hit = fragments.face_index >= 0
    corners = figure.uv[fragments.face_index.clamp_min(0).long()]
    uv = (fragments.barycentric[..., None] * corners).sum(2)
    color = bilinear(figure.atlas, uv) * hit[..., None]
    premultiplied = torch.cat([color, hit[..., None].float()], -1).permute(2, 0, 1)
    mean = avg_pool2d(premultiplied[None], samples)[0] if samples > 1 else premultiplied
    return torch.cat([mean[:3] / mean[3:].clamp_min(1e-6), mean[3:]])


def bilinear(picture: Tensor, points: Tensor) -> Tensor:
    """(H, W, 3) in [0, 1]: a picture (A, B, 3) uint8 at pixels x, y (H, W, 2); its border goes on beyond it."""
    rows, columns = picture.shape[:2]
    x = (points[..., 0] - 0.5).clamp(0, columns - 1)
    y = (points[..., 1] - 0.5).clamp(0, rows - 1)
    x0, y0 = x.floor().long(), y.floor().long()
    x1, y1 = (x0 + 1).clamp_max(columns - 1), (y0 + 1).clamp_max(rows - 1)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = picture[y0, x0] * (1 - fx) + picture[y0, x1] * fx
    below = picture[y1, x0] * (1 - fx) + picture[y1, x1] * fx
    return (top * (1 - fy) + below * fy) / 255

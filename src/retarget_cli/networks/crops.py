"""Parts of pictures in boxes, brought to one size; differentiable."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cropped(pictures: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """(B, C, height, width): what lies in the boxes, bilinear.

    The corner pixels of a box become the corner pixels of the crop (align_corners). A box is moved into the picture,
    and one without pixels is taken for the one at its first corner.

    Args:
        pictures: (B, C, H, W).
        boxes: (B, 4) whole numbers x0, x1, y0, y1; x1 and y1 are the first pixels outside.
    """
    columns = _positions(boxes[:, 0], boxes[:, 1], pictures.shape[3], width)
    rows = _positions(boxes[:, 2], boxes[:, 3], pictures.shape[2], height)
    across = columns[:, None, :].expand(-1, height, -1)
    down = rows[:, :, None].expand(-1, -1, width)
    grid = torch.stack([across, down], -1)
    return functional.grid_sample(pictures, grid.to(pictures.dtype), padding_mode="border", align_corners=True)


def _positions(first: Tensor, end: Tensor, length: int, count: int) -> Tensor:
    """(B, count) in [-1, 1], from the middle of the first pixel to that of the last one."""
    low = first.clamp(0, length - 1).double()
    high = (end - 1).clamp(0, length - 1).double().maximum(low)
    steps = torch.linspace(0, 1, count, dtype=torch.float64, device=first.device)
    pixel = low[:, None] + (high - low)[:, None] * steps
    return (2 * pixel / max(length - 1, 1) - 1).float()


def resized(pictures: Tensor, height: int, width: int) -> Tensor:
    """(B, C, height, width), bilinear, corner pixels on corner pixels; the same tensor where the size is right."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    return functional.interpolate(pictures, (height, width), mode="bilinear", align_corners=True)

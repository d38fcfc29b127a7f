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
    # A product with weights of rows and of columns: boxes of a batch may differ, none has to leave the device, and
    # positions keep their precision, of which a sampling grid in [-1, 1] loses some.
    across = _weights(boxes[:, 0], boxes[:, 1], pictures.shape[3], width)
    down = _weights(boxes[:, 2], boxes[:, 3], pictures.shape[2], height)
    with torch.autocast(pictures.device.type, enabled=False):
        return down[:, None] @ (pictures.float() @ across[:, None].transpose(-1, -2))


def _weights(first: Tensor, end: Tensor, length: int, count: int) -> Tensor:
    """(B, count, length): how much of each pixel there is in each of the crop, from the first pixel to the last."""
    low = first.clamp(0, length - 1).float()
    high = (end - 1).clamp(0, length - 1).float().maximum(low)
    # In single precision and from the box's own corner, as torch's `interpolate` has it of a slice.
    position = torch.arange(count, device=first.device) * ((high - low) / max(count - 1, 1))[:, None]
    pixels = torch.arange(length, device=first.device) - low[:, None]
    return (1 - (position[..., None] - pixels[:, None]).abs()).clamp_min(0)


def resized(pictures: Tensor, height: int, width: int) -> Tensor:
    """(B, C, height, width), bilinear, corner pixels on corner pixels; the same tensor where the size is right."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    return functional.interpolate(pictures, (height, width), mode="bilinear", align_corners=True)

"""The frame before, moved to where a flow says that its pixels are now.

Wang et al., Video-to-video synthesis (vid2vid), 2018, equation 4; REMOT, equation 2c.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def moved_by(picture: Tensor, flow: Tensor, align_corners: bool = True) -> Tensor:
    """(B, C, H, W): at every pixel p the picture at p + flow(p), bilinear; beyond the border, the border.

    Args:
        picture: (B, C, H, W).
        flow: (B, 2, H, W) in pixels, to the right and down.
        align_corners: whether the samples lie where the flow says, as when the published weights were made. Without,
            they are drawn towards the middle, by half a pixel at the border: so the published code does with newer
            versions of torch.
    """
    height, width = flow.shape[-2:]
    down = torch.linspace(-1, 1, height, device=flow.device)[:, None].expand(height, width)
    across = torch.linspace(-1, 1, width, device=flow.device)[None].expand(height, width)
    to_right, to_below = flow.float().unbind(1)
    places = torch.stack([across + to_right * 2 / max(width - 1, 1), down + to_below * 2 / max(height - 1, 1)], -1)
    moved = functional.grid_sample(picture.float(), places, padding_mode="border", align_corners=align_corners)
    return moved.to(picture.dtype)

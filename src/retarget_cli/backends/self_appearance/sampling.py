"""Places in a picture, and pictures read at places.

Convention: a place is (x, y), -1 and 1 being the first and the last pixel of a row or column, as `coordinates` has it.
    A flow (B, h, w, 2) says for every pixel of the driving picture where in the source it comes from. Pictures are read
    there with zeros outside, under one of two readings of -1 and 1:

    align_corners=True   the centres of the border's pixels: staying in place changes nothing
    align_corners=False  the border's outer edge: staying in place enlarges by S / (S - 1) and blurs a little

    Weights keep the reading that they were trained with: FIRST_ORDER and ARTICULATED are those of the released ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

# torch 1.0 read grids so by default, which the first order model was trained with; 1.4, of articulated animation, not.
FIRST_ORDER_ALIGN_CORNERS = True
ARTICULATED_ALIGN_CORNERS = False

Padding = Literal["zeros", "reflection"]
Read = Callable[[Tensor, Tensor, bool], Tensor]
"""Features read where a flow says, as `warped` does it."""


def steps(length: int, like: Tensor) -> Tensor:
    """(length): from -1 to 1, both included; 0 alone where there is one."""
    if length == 1:
        return like.new_zeros(1)
    return torch.linspace(-1, 1, length, device=like.device, dtype=like.dtype)


def coordinates(height: int, width: int, like: Tensor) -> Tensor:
    """(height, width, 2): every pixel's own place, of the type and on the device of `like`."""
    down, across = torch.meshgrid(steps(height, like), steps(width, like), indexing="ij")
    return torch.stack([across, down], -1)


def warped(features: Tensor, flow: Tensor, align_corners: bool, padding: Padding = "zeros") -> Tensor:
    """(B, C, H, W): features read where the flow says, which is brought to their size first.

    Args:
        features: (B, C, H, W), or (1, C, H, W) for all of a batch.
        flow: (B, h, w, 2).
        align_corners: see above.
        padding: what is outside.
    """
    flow = resized_flow(flow, features.shape[2], features.shape[3])
    features = features.expand(flow.shape[0], -1, -1, -1)
    return functional.grid_sample(features, flow, padding_mode=padding, align_corners=align_corners)


def warped_each(features: Tensor, flows: Tensor, align_corners: bool) -> Tensor:
    """(B, N, C, h, w): the same features read by each of several flows.

    Args:
        features: (B, C, H, W), or (1, C, H, W) for all of a batch.
        flows: (B, N, h, w, 2).
        align_corners: see above.
    """
    batch, count, height, width, _ = flows.shape
    # The flows one below the other: the features need no copies.
    read = functional.grid_sample(
        features.expand(batch, -1, -1, -1),
        flows.reshape(batch, count * height, width, 2),
        padding_mode="zeros",
        align_corners=align_corners,
    )
    return read.reshape(batch, -1, count, height, width).transpose(1, 2)


def resized_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """(B, height, width, 2) from (B, h, w, 2).

    As the released networks have it: places at the border are repeated where it grows, so that a flow that leads
    nowhere else bends there by up to half a pixel of the coarse one.
    """
    if flow.shape[1:3] == (height, width):
        return flow
    return resized(flow.permute(0, 3, 1, 2), height, width).permute(0, 2, 3, 1)


def resized(maps: Tensor, height: int, width: int) -> Tensor:
    """(B, C, height, width), bilinear between pixels' centres, under either reading."""
    if maps.shape[-2:] == (height, width):
        return maps
    return functional.interpolate(maps, (height, width), mode="bilinear", align_corners=False)

"""Features read where a motion says, as sums of rows: what `sampling.warped` makes with zeros outside.

Reading at a place is a mean of the four pixels around it, with weights that all channels share. With channels last a
pixel's channels lie side by side, a row of a table; so nothing is fetched channel by channel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.self_appearance.sampling import resized_flow, warped

# Rows must be worth the way to them.
_LEAST_CHANNELS = 8


def gathered(features: Tensor, flow: Tensor, align_corners: bool) -> Tensor:
    """As `sampling.warped`; (B, C, H, W) channels last, from the same. On a CPU, and of many channels, alone."""
    if features.device.type != "cpu" or features.shape[1] < _LEAST_CHANNELS:
        return warped(features, flow, align_corners)
    height, width = features.shape[-2:]
    flow = resized_flow(flow, height, width)
    rows, weights = _taps(flow, height, width, align_corners)
    if len(features) > 1:
        rows = rows + torch.arange(len(flow), dtype=rows.dtype)[:, None, None, None] * (height * width)
    table = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    summed = functional.embedding_bag(rows.reshape(-1, 4), table, mode="sum", per_sample_weights=weights.reshape(-1, 4))
    return summed.reshape(*flow.shape[:3], -1).permute(0, 3, 1, 2)


def _taps(flow: Tensor, height: int, width: int, align_corners: bool) -> tuple[Tensor, Tensor]:
    """(B, h, w, 4): the pixels about every place, and how much of each is taken; nothing of those outside."""
    (left, right), (nearer, farther) = _along(flow[..., 0], width, align_corners)
    (above, below), (upper, lower) = _along(flow[..., 1], height, align_corners)
    rows = torch.stack([above * width + left, above * width + right, below * width + left, below * width + right], -1)
    weights = torch.stack([upper * nearer, upper * farther, lower * nearer, lower * farther], -1)
    return rows, weights


def _along(place: Tensor, count: int, align_corners: bool) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Of one direction: the pixels before and after, and their shares."""
    at = (place + 1) * ((count - 1) / 2) if align_corners else ((place + 1) * count - 1) / 2
    # Kept near the picture, so that no place is too large for a whole number; all beyond its edge is 0 anyway.
    at = at.clamp(-2, count + 1)
    low = at.floor()
    share = at - low
    # A place that is no number is outside too.
    first = torch.where((low >= 0) & (low < count), 1 - share, 0)
    second = torch.where((low >= -1) & (low < count - 1), share, 0)
    before = low.nan_to_num().int()
    return (before.clamp(0, count - 1), (before + 1).clamp(0, count - 1)), (first, second)

"""Liquid warping blocks: how features of the sources get into the transfer stream (paper, 3.3, 5.3; Algorithm 2).

Every block takes the transfer feature x (B, C, h, w) and the sources' features, already warped to the target
(B, S, C, h, w), and returns a feature of x's shape. The number of sources is free at run time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional


class LiquidWarpingBlock(nn.Module, ABC):
    """Blends warped source features into the transfer stream."""

    @abstractmethod
    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """(B, C, h, w) from x of that shape and `warped` (B, S, C, h, w)."""


class AddBlock(LiquidWarpingBlock):
    """Equation 2: the sum."""

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """See `LiquidWarpingBlock`."""
        return x + warped.sum(1)


class MeanBlock(LiquidWarpingBlock):
    """Equation 9; the transfer feature counts as one of them."""

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """See `LiquidWarpingBlock`."""
        return (x + warped.sum(1)) / (warped.shape[1] + 1)


class GatedBlock(LiquidWarpingBlock):
    """Equations 10 and 11: a gate g(x) in [0, 1] weighs the sum, or the mean, of the warped features.

    Args:
        channels: of x.
        is_mean: the mean instead of the sum.
    """

    def __init__(self, channels: int, is_mean: bool) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.Sigmoid(),
        )
        self.is_mean = is_mean

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """See `LiquidWarpingBlock`."""
        return x + self.gate(x) * (warped.mean(1) if self.is_mean else warped.sum(1))


class AttentionBlock(LiquidWarpingBlock):
    """Algorithm 2: attention over the sources at every pixel, then SPADE of x by what was attended to.

    Args:
        channels: of x and of the sources' features.
        hidden: channels inside SPADE.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.spade = Spade(channels, hidden)

    def forward(self, x: Tensor, warped: Tensor) -> Tensor:
        """See `LiquidWarpingBlock`; lines 2 to 6."""
        return self.spade(x, self.attended(x, warped))

    def attended(self, x: Tensor, warped: Tensor) -> Tensor:
        """(B, C, h, w): the fused source features, lines 2 to 5."""
        count = warped.shape[1]
        flat = warped.flatten(0, 1)
        value: Tensor = self.value(flat).reshape(-1, count, *x.shape[1:])
        if count == 1:  # the softmax over one source is 1
            return value[:, 0]
        key: Tensor = self.key(flat).reshape(-1, count, *x.shape[1:])
        likeness = (self.query(x)[:, None] * key).sum(2, keepdim=True) / x.shape[1] ** 0.5
        return (torch.softmax(likeness, 1) * value).sum(1)


class Spade(nn.Module):
    """Spatially adaptive normalization: the condition scales and shifts the instance-normalized feature.

    Args:
        channels: of the feature and of the condition.
        hidden: channels between.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(channels, hidden, 3, padding=1)
        self.scale = nn.Conv2d(hidden, channels, 3, padding=1)
        self.shift = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """IN(x) (1 + scale) + shift."""
        hidden = functional.relu(self.shared(condition))
        return functional.instance_norm(x) * (1 + self.scale(hidden)) + self.shift(hidden)

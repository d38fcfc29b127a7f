"""What the networks are made of: the units of transformable bottleneck networks, in two dimensions and in three."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Dimensions = Literal[2, 3]
Norm = Literal["instance", "batch"]


def convolution(
    dimensions: Dimensions, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, is_biased: bool = True
) -> nn.Module:
    """A convolution with zeros around, (kernel - 1) // 2 of them."""
    kind = nn.Conv2d if dimensions == 2 else SpaceConvolution
    return kind(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=is_biased)


class SpaceConvolution(nn.Conv3d):
    """A convolution whose weights learn right in half precision, too.

    Of two planes with zeros around, torch's CPU kernels for bf16 give the weights gradients that are not even finite
    (torch 2.13, oneDNN). With the zeros before and behind put there by hand they are right.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(B, outputs, ...) from (B, inputs, ...)."""
        if input.shape[2] != 2 or self.padding != (1, 1, 1) or not torch.is_grad_enabled():
            found: Tensor = super().forward(input)
            return found
        thicker = functional.pad(input, (0, 0, 0, 0, 1, 1))
        return functional.conv3d(thicker, self.weight, self.bias, self.stride, (0, 1, 1))


def normalization(dimensions: Dimensions, channels: int, norm: Norm) -> nn.Module:
    """With a learned scale and shift."""
    if norm == "batch":
        return nn.BatchNorm2d(channels) if dimensions == 2 else nn.BatchNorm3d(channels)
    kind = nn.InstanceNorm2d if dimensions == 2 else nn.InstanceNorm3d
    return kind(channels, affine=True)


class Unit(nn.Module):
    """Convolution, normalization, ELU.

    Args:
        dimensions: of what comes in.
        inputs, outputs: channels.
        kernel: its side; of an even one with stride 2 voxels keep their places in the cube.
        stride: 1 or 2.
        norm: which normalization; behind an instance's a bias would do nothing, so that there is none.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        norm: Norm = "instance",
    ) -> None:
        super().__init__()
        self.conv = convolution(dimensions, inputs, outputs, kernel, stride, is_biased=norm == "batch")
        self.norm = normalization(dimensions, outputs, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, ...) from (B, inputs, ...)."""
        return functional.elu(self.norm(self.conv(x)))


class Residual(nn.Module):
    """Two units and a convolution to four times the channels, beside a shortcut; one normalization of the sum.

    Args:
        inputs: channels of what comes in.
        width: channels between; 4 `width` come out.
        stride: 1 or 2.
        norm: which normalization.
    """

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm) -> None:
        super().__init__()
        is_biased = norm == "batch"
        self.first = Unit(2, inputs, width, 1, norm=norm)
        self.second = Unit(2, width, width, 3, stride, norm)
        self.third = convolution(2, width, 4 * width, 1, is_biased=is_biased)
        self.shortcut = convolution(2, inputs, 4 * width, 1, stride, is_biased=is_biased)
        self.norm = normalization(2, 4 * width, norm)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 4 width, h / stride, w / stride) from (B, inputs, h, w)."""
        return functional.elu(self.norm(self.third(self.second(self.first(x))) + self.shortcut(x)))


class Hourglass(nn.Module):
    """Three halvings by residuals, and back, with what was there before each put beside.

    Args:
        inputs: channels of what comes in; its sides are multiples of 8.
        width: channels of the first residuals; twice as many every time, and four times as many come out of them.
        outputs: channels of what comes out, at the same size.
        norm: which normalization.
    """

    def __init__(self, inputs: int, width: int, outputs: int, norm: Norm = "instance") -> None:
        super().__init__()
        beside = (inputs, 4 * width, 8 * width)
        made = (outputs, 4 * width, 8 * width)
        below = (4 * width, 8 * width, 16 * width)
        self.downs = nn.ModuleList(
            nn.Sequential(Residual(beside[i], width << i, 2, norm), Residual(below[i], width << i, 1, norm))
            for i in range(3)
        )
        self.ups = nn.ModuleList(Unit(2, below[i], made[i], norm=norm) for i in range(3))
        self.merges = nn.ModuleList(Unit(2, made[i] + beside[i], made[i], norm=norm) for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, h, w) from (B, inputs, h, w)."""
        found = [x]
        for down in self.downs:
            found.append(down(found[-1]))
        made = found.pop()
        for up, merge, beside in zip(reversed(self.ups), reversed(self.merges), reversed(found), strict=True):
            made = merge(torch.cat([up(doubled(made)), beside], 1))
        return made


def doubled(x: Tensor) -> Tensor:
    """Twice the size: every pixel, or voxel, is repeated."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def chain(dimensions: Dimensions, channels: Sequence[int], norm: Norm = "instance") -> nn.Sequential:
    """Units from each of these numbers of channels to the next."""
    return nn.Sequential(*(Unit(dimensions, a, b, norm=norm) for a, b in pairwise(channels)))


def initialize(network: nn.Module) -> None:
    """Weights of convolutions by Xavier's rule, uniform; biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def silence(layer: nn.Module) -> None:
    """Make a convolution say nothing at first."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)

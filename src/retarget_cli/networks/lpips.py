"""LPIPS: distance of two pictures by weighed differences of features (Zhang et al., CVPR 2018, equation 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retarget_cli.networks.classic import Tapped

ALEXNET_CHANNELS = (64, 192, 384, 256, 256)
VGG_CHANNELS = (64, 128, 256, 512, 512)

# The original's own scaling of RGB in [-1, 1]: ImageNet's mean and deviation, carried over from [0, 1] and rounded.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-8


class _Head(nn.Module):
    """Weights of one tap's channels; the dropout keeps the key as it is in the files, `model.1.weight`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Dropout(), nn.Conv2d(channels, 1, 1, bias=False))

    def forward(self, differences: Tensor) -> Tensor:
        found: Tensor = self.model(differences)
        return found


class LpipsHeads(nn.Module):
    """The learned part: five weighings of channels; keys `lin0` to `lin4`."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        for index, count in enumerate(channels):
            self.add_module(f"lin{index}", _Head(count))
        self.count = len(channels)

    def forward(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        """Two lists of maps (N, C, H, W) -> (N,)."""
        found = torch.zeros(len(first[0]), device=first[0].device)
        for index, (one, other) in enumerate(zip(first, second, strict=True)):
            weighed = self.get_submodule(f"lin{index}")((_unit(one) - _unit(other)).square())
            found = found + weighed.mean(dim=(1, 2, 3))
        return found


class Lpips(nn.Module):
    """Backbone and heads together.

    Args:
        backbone: taps of the channels that the heads weigh.
        heads: learned for this backbone.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, backbone: Tapped, heads: LpipsHeads) -> None:
        super().__init__()
        self.backbone, self.heads = backbone, heads
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None], persistent=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(N, 3, H, W) RGB in [-1, 1], twice -> (N,); 0 for equal pictures."""
        distance: Tensor = self.heads(self._features(first), self._features(second))
        return distance

    def _features(self, pictures: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.backbone((pictures - self.shift) / self.scale)
        return found


def _unit(features: Tensor) -> Tensor:
    """Every pixel's channels, brought to unit length."""
    return features / (features.square().sum(dim=1, keepdim=True) + _EPSILON).sqrt()

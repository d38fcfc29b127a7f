"""Where in a volume somebody is: Dec_occ of equation 8.

Every voxel has a density. What is seen of it is what a ray through all its planes would meet, 1 - exp(-sum), so that
the mask says something of the volume itself and no weights are spent on the depth.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.blocks import Unit, convolution

# Channels between.
_HIDDEN = 8


class OccupancyDecoder(nn.Module):
    """Of one resolution.

    Args:
        channels: of the volume.
        depth: its planes.
    """

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.hidden = Unit(3, channels, _HIDDEN)
        self.density = convolution(3, _HIDDEN, 1)
        self._depth = depth

    def begin(self) -> None:
        """Start where a ray meets as much as not; else masks would be full and say nothing of the way to go."""
        bias = self.density.bias
        assert isinstance(bias, Tensor)
        nn.init.constant_(bias, math.log(math.expm1(math.log(2) / self._depth)))

    def forward(self, volume: Tensor) -> Tensor:
        """(B, 1, D, H, W): densities, through `occupancy` or `mask`, from (B, channels, D, H, W)."""
        found: Tensor = self.density(self.hidden(volume)).float()
        return found


def occupancy(density: Tensor) -> Tensor:
    """(B, 1, D, H, W) in [0, 1]: what one voxel keeps of a ray."""
    return torch.sigmoid(density)


def mask(density: Tensor) -> Tensor:
    """(B, 1, H, W) in [0, 1]: what all planes together keep; 1 - exp(-softplus) is the sigmoid."""
    return -torch.expm1(-functional.softplus(density).sum(2))

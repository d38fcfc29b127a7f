"""From a picture to volumes: Enc_2D and Enc_3D of equation 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from retarget_cli.backends.bottleneck.blocks import Hourglass, Norm, Unit, chain


class Encoder2D(nn.Module):
    """A quarter of the picture's size, with a look at the whole.

    Args:
        inputs: channels of the picture.
        width: channels after the first unit.
        outputs: channels that come out.
        norm: which normalization.
    """

    def __init__(self, inputs: int, width: int, outputs: int, norm: Norm = "instance") -> None:
        super().__init__()
        self.first = Unit(2, inputs, width, 4, 2, norm)
        self.second = Unit(2, width, 2 * width, 7, 2, norm)
        self.hourglass = Hourglass(2 * width, width, outputs, norm)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, outputs, H / 4, W / 4) from (B, inputs, H, W), sides being multiples of 32."""
        found: Tensor = self.hourglass(self.second(self.first(picture)))
        return found


class Encoder3D(nn.Module):
    """Volumes at m resolutions from the lifted features.

    Args:
        channels: of the lifted features, and of the finest volume; twice as many at every further one.
        levels: m.
        beside: channels that are put beside the features.
    """

    def __init__(self, channels: int, levels: int, beside: int) -> None:
        super().__init__()
        self.enter = chain(3, (channels + beside, channels, channels))
        widths = [channels << level for level in range(levels)]
        # Of even sides with stride 2, so that coarse voxels lie in the middle of those that they are made of.
        self.downs = nn.ModuleList(
            nn.Sequential(Unit(3, fine, 2 * fine, 4, 2), Unit(3, 2 * fine, 2 * fine)) for fine in widths[:-1]
        )

    def forward(self, features: Tensor, beside: Tensor | None) -> tuple[Tensor, ...]:
        """f_1 ... f_m, the finest first, from (B, channels, D, H, W) and (B, beside, D, H, W)."""
        found = [self.enter(features if beside is None else torch.cat([features, beside], 1))]
        for down in self.downs:
            found.append(down(found[-1]))
        return tuple(found)

"""What is behind the person: G_bg of equation 3."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.bottleneck.decoder import Enlarger
from retarget_cli.backends.bottleneck.encoder import Encoder2D

# Sides are brought to multiples of the one, and to no less than the other, which a normalization needs.
_STEP, _LEAST = 32, 64


class BackgroundNetwork(nn.Module):
    """Fills the place where somebody was; what is seen stays as it is.

    Args:
        width: channels at full size.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = Encoder2D(4, width, 2 * width)
        self.enlarger = Enlarger(width, 3)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1].

        Args:
            picture: (B, 4, H, W), any size: colours in [-1, 1], and in [0, 1] where the person was; nothing is taken
                of the colours there.
        """
        height, width = picture.shape[-2:]
        colours, hole = picture[:, :3], picture[:, 3:]
        margin = (0, _missing(width), 0, _missing(height))
        given = functional.pad(torch.cat([colours * (1 - hole), hole], 1), margin, mode="replicate")
        painted = torch.tanh(self.enlarger(self.encoder(given)).float())[..., :height, :width]
        return torch.lerp(colours, painted.to(colours.dtype), hole)


def _missing(side: int) -> int:
    return max(-(-side // _STEP) * _STEP, _LEAST) - side

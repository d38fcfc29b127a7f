"""A discriminator that judges overlapping patches: strided convolutions down to a map of scores.

Isola et al., Image-to-image translation with conditional adversarial networks, 2017.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.networks.normalization import Norm, normalization

# Wider than eight times the first layer, patches stop getting better (Isola et al., appendix).
MOST = 8


class PatchDiscriminator(nn.Module):
    """4 x 4 convolutions: `depth` of stride 2, one of stride 1, and one of stride 1 down to one channel.

    A normalization stands before every LeakyReLU but the first.

    Args:
        channels: of what is judged, conditions included.
        width: channels after the first layer; doubled with every layer up to eight times.
        depth: layers of stride 2.
        slope: of LeakyReLU below zero.
        padding: 1, or 2 as in pix2pixHD, where scores reach over the border.
        norm: which normalization.
        is_widened: whether the layer of stride 1 doubles the channels too.
    """

    def __init__(
        self,
        channels: int,
        width: int = 64,
        depth: int = 4,
        slope: float = 0.2,
        padding: int = 1,
        norm: Norm = "instance",
        is_widened: bool = False,
    ) -> None:
        super().__init__()
        self.slope, self.padding = slope, padding
        widths = [channels, *(width * min(2**level, MOST) for level in range(depth + 1))]
        if not is_widened:
            widths[-1] = widths[-2]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2 if level < depth else 1, padding=padding)
            for level, (before, after) in enumerate(pairwise(widths))
        )
        self.norms = nn.ModuleList(normalization(norm, after) for after in widths[2:])
        self.score = nn.Conv2d(widths[-1], 1, 4, padding=padding)

    @property
    def least_side(self) -> int:
        """The smallest height and width.

        With padding 1 there are 3 pixels before the last two layers, doubled by every layer of stride 2; with padding 2
        nothing gets smaller than 2 pixels, and a normalization needs more than one.
        """
        return 2 if self.padding > 1 else 3 * 2 ** (len(self.layers) - 1)

    def features(self, x: Tensor) -> list[Tensor]:
        """Maps after every activation, the finest first."""
        found = []
        for level, layer in enumerate(self.layers):
            x = layer(x)
            if level:
                x = self.norms[level - 1](x)
            x = functional.leaky_relu(x, self.slope)
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Scores (B, 1, h, w) of (B, channels, H, W); 14 x 14 of 256 x 256 at depth 4."""
        score: Tensor = self.score(self.features(x)[-1])
        return score

"""From volumes to a picture: Dec_3D and Dec_2D of equation 1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retarget_cli.backends.bottleneck.blocks import Hourglass, Norm, Unit, chain, convolution, doubled


class Decoder3D(nn.Module):
    """One volume out of all: the coarsest, enlarged step by step, each finer one put beside it.

    Args:
        channels: of the finest volume.
        levels: m.
        beside: channels that are put beside the features at every resolution.
        has_skips: whether the finer volumes take part.
    """

    def __init__(self, channels: int, levels: int, beside: int, *, has_skips: bool) -> None:
        super().__init__()
        self.has_skips = has_skips
        widths = [channels << level for level in range(levels)]
        self.enter = chain(3, (widths[-1] + beside, widths[-1], widths[-1]))
        # Narrowed before it is enlarged, which costs an eighth.
        self.narrow = nn.ModuleList(convolution(3, 2 * fine, fine, 1) for fine in widths[:-1])
        self.merges = nn.ModuleList(Unit(3, (2 if has_skips else 1) * fine + beside, fine) for fine in widths[:-1])

    def forward(self, levels: Sequence[Tensor], beside: Sequence[Tensor]) -> Tensor:
        """(B, channels, D, H, W).

        Args:
            levels: f_1 ... f_m, the finest first; without skips the last one alone is looked at.
            beside: (B, beside, D, H, W) of every resolution, the finest first; or none.
        """
        volume: Tensor = self.enter(torch.cat([levels[-1], *beside[-1:]], 1))
        for level in reversed(range(len(self.merges))):
            parts = [doubled(self.narrow[level](volume)), *beside[level : level + 1]]
            if self.has_skips:
                parts.append(levels[level])
            volume = self.merges[level](torch.cat(parts, 1))
        return volume


class Enlarger(nn.Module):
    """A picture of four times the size.

    Args:
        width: half the channels of what comes in.
        outputs: channels of the picture.
        norm: which normalization.
    """

    def __init__(self, width: int, outputs: int, norm: Norm = "instance", beside: int = 0) -> None:
        super().__init__()
        self.narrow = Unit(2, 2 * width, width, norm=norm)
        self.smooth = Unit(2, width, width, norm=norm)
        self.last = Unit(2, width + beside, width, norm=norm)
        self.picture = convolution(2, width + beside, outputs)

    def forward(self, features: Tensor, photo: Tensor | None = None) -> Tensor:
        """(B, outputs, 4 h, 4 w) from (B, 2 width, h, w), of any value."""
        half = self.smooth(self.narrow(doubled(features)))
        seen = [] if photo is None else [photo]
        made: Tensor = self.picture(torch.cat([self.last(torch.cat([doubled(half), *seen], 1)), *seen], 1))
        return made


class Decoder2D(nn.Module):
    """A picture from features at a quarter of its size.

    Args:
        inputs: channels of the features.
        width: channels at full size.
        outputs: channels of the picture.
        norm: which normalization.
    """

    def __init__(self, inputs: int, width: int, outputs: int, norm: Norm = "instance", beside: int = 0) -> None:
        super().__init__()
        self.hourglass = Hourglass(inputs, width, 2 * width, norm)
        self.enlarger = Enlarger(width, outputs, norm, beside)

    def forward(self, features: Tensor, photo: Tensor | None = None) -> Tensor:
        """(B, outputs, 4 h, 4 w) from (B, inputs, h, w), of any value."""
        made: Tensor = self.enlarger(self.hourglass(features), photo)
        return made

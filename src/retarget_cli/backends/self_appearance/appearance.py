"""Self-appearance (paper, 3.2, eq. 5): what a motion leaves missing is borrowed from elsewhere in the same features.

F_A sees the features that the dense motion has moved, and says for every place where among them to look. The paper
leaves its layers open; here they are an hourglass, whose last layer begins at zero: untrained, every place looks at
itself, and what is borrowed changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Hourglass, Same
from retarget_cli.backends.self_appearance.sampling import Read, coordinates, warped

_KERNEL = 7


@dataclass(frozen=True, slots=True)
class AppearanceDesign:
    """What the form of F_A depends on.

    Attributes:
        width, levels, most: of its hourglass.
    """

    width: int = 32
    levels: int = 4
    most: int = 256


class Appearance(nn.Module):
    """F_A, and what it finds brought together with what was there.

    Args:
        channels: of the features.
        design: its form.
        align_corners: how features are read, see `sampling`.
    """

    def __init__(self, channels: int, design: AppearanceDesign, align_corners: bool) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.read: Read = warped
        self.reduce = Same(channels, design.width, 1)
        self.hourglass = Hourglass(design.width, design.width, design.levels, design.most)
        self.flow = nn.Conv2d(self.hourglass.outputs, 2, _KERNEL, padding=_KERNEL // 2)
        nn.init.zeros_(self.flow.weight)
        nn.init.zeros_(self.flow.bias)  # type: ignore[arg-type]
        self.merge = nn.Conv2d(2 * channels, channels, 1)
        with torch.no_grad():  # the mean of both, which are the same at first
            self.merge.weight.copy_(torch.eye(channels).repeat(1, 2)[..., None, None] / 2)
        nn.init.zeros_(self.merge.bias)  # type: ignore[arg-type]

    def borrowed(self, moved: Tensor) -> Tensor:
        """F_App: features (B, C, h, w), read where F_A says."""
        offset = self.flow(self.hourglass(self.reduce(moved))).permute(0, 2, 3, 1)
        return self.read(moved, coordinates(moved.shape[2], moved.shape[3], moved) + offset, self.align_corners)

    def merged(self, borrowed: Tensor, moved: Tensor) -> Tensor:
        """(B, C, h, w): both, side by side, made as many channels as the decoder takes."""
        found: Tensor = self.merge(torch.cat([borrowed, moved], 1))
        return found

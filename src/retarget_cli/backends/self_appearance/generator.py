"""The generator of the first order model: the source's features are moved where the driving picture has them.

It comes in two halves: `encode` sees the source alone, once; `decode` makes B pictures from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Down, Residual, Same, Size, Up, channels
from retarget_cli.backends.self_appearance.dense_motion import Motion
from retarget_cli.backends.self_appearance.keypoints import COLOURS
from retarget_cli.backends.self_appearance.sampling import resized, warped

_KERNEL = 7


@dataclass(frozen=True, slots=True)
class GeneratorDesign:
    """What the generators' form depends on.

    Attributes:
        width: channels at full size; doubled with every halving.
        most: channels at most.
        levels: halvings.
        depth: residual blocks at the smallest size.
    """

    width: int = 64
    most: int = 512
    levels: int = 2
    depth: int = 6


@dataclass(frozen=True, slots=True)
class Encoded:
    """A source, as a generator keeps it.

    Attributes:
        picture: (1 or B, 3, H, W) in [0, 1].
        levels: features that `decode` needs, the finest first.
        sizes: of all levels, the finest first.
    """

    picture: Tensor
    levels: tuple[Tensor, ...]
    sizes: tuple[Size, ...]


class Backbone(nn.Module):
    """The layers that both generators have.

    Args:
        design: their form.
        align_corners: how features are read, see `sampling`.
    """

    def __init__(self, design: GeneratorDesign, align_corners: bool) -> None:
        super().__init__()
        self.design, self.align_corners = design, align_corners
        widths = [channels(design.width, level, design.most) for level in range(design.levels + 1)]
        rows = range(design.levels)
        self.first = Same(COLOURS, widths[0], _KERNEL)
        self.down = nn.ModuleList(Down(widths[row], widths[row + 1]) for row in rows)
        self.residual = nn.ModuleList(Residual(widths[-1]) for _ in range(design.depth))
        self.up = nn.ModuleList(Up(widths[row + 1], widths[row]) for row in reversed(rows))
        self.colour = nn.Conv2d(widths[0], COLOURS, _KERNEL, padding=_KERNEL // 2)

    def features(self, picture: Tensor) -> list[Tensor]:
        """Of every level, the finest first."""
        found = [self.first(picture)]
        for layer in self.down:
            found.append(layer(found[-1]))
        return found


class Generator(Backbone):
    """The features of the smallest level are moved, masked, and made a picture of."""

    def encode(self, picture: Tensor) -> Encoded:
        """Once a source (1 or B, 3, H, W) in [0, 1]."""
        found = self.features(picture)
        return Encoded(picture, (found[-1],), tuple((level.shape[-2], level.shape[-1]) for level in found))

    def decode(self, source: Encoded, motion: Motion) -> Tensor:
        """(B, 3, H, W) in [0, 1]."""
        return self.finish(self.moved(source, motion), source.sizes)

    def moved(self, source: Encoded, motion: Motion) -> Tensor:
        """(B, C, h, w): the source's features in the driving pose, nothing where it does not show them."""
        found = warped(source.levels[-1], motion.flow, self.align_corners)
        return found if motion.occlusion is None else found * resized(motion.occlusion, *source.sizes[-1])

    def finish(self, features: Tensor, sizes: tuple[Size, ...]) -> Tensor:
        """(B, 3, H, W) in [0, 1] from features of the smallest level, `sizes` being those of all levels."""
        for layer in self.residual:
            features = layer(features)
        for layer, size in zip(self.up, reversed(sizes[:-1]), strict=True):
            features = layer(features, size)
        return torch.sigmoid(self.colour(features))

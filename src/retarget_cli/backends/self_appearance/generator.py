"""The generator of the first order model: the source's features are moved where the driving picture has them.

It comes in two halves: `encode` sees the source alone, once; `decode` makes B pictures from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.blocks import Down, Residual, Same, Size, Up, channels
from retarget_cli.backends.self_appearance.dense_motion import Motion
from retarget_cli.backends.self_appearance.keypoints import COLOURS
from retarget_cli.backends.self_appearance.sampling import Read, resized, warped

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


@dataclass(frozen=True, slots=True)
class Moved:
    """What a motion makes of a source, or the mean of what motions make of several views.

    Attributes:
        levels: features in the driving pose, the finest first; with those of a skip generator, the picture before them.
        shown: (B, 1, h, w): 1 where the source shows what is wanted; None where nothing says so, or where it is worked
            into the features.
    """

    levels: tuple[Tensor, ...]
    shown: Tensor | None = None


class Backbone(nn.Module, ABC):
    """The layers that both generators have.

    Args:
        design: their form.
        align_corners: how features are read, see `sampling`.
    """

    def __init__(self, design: GeneratorDesign, align_corners: bool) -> None:
        super().__init__()
        self.design, self.align_corners = design, align_corners
        self.read: Read = warped
        widths = [channels(design.width, level, design.most) for level in range(design.levels + 1)]
        rows = range(design.levels)
        self.first = Same(COLOURS, widths[0], _KERNEL)
        self.down = nn.ModuleList(Down(widths[row], widths[row + 1]) for row in rows)
        self.residual = nn.ModuleList(Residual(widths[-1]) for _ in range(design.depth))
        self.up = nn.ModuleList(Up(widths[row + 1], widths[row]) for row in reversed(rows))
        self.colour = nn.Conv2d(widths[0], COLOURS, _KERNEL, padding=_KERNEL // 2)

    @abstractmethod
    def encode(self, picture: Tensor) -> Encoded:
        """Once a source (1 or B, 3, H, W) in [0, 1]."""

    @abstractmethod
    def moved(self, source: Encoded, motion: Motion) -> Moved:
        """The source's features in the driving pose."""

    @abstractmethod
    def finish(self, moved: Moved, sizes: tuple[Size, ...]) -> Tensor:
        """(B, 3, H, W) in [0, 1] from what was moved, `sizes` being those of all levels, the finest first."""

    def decode(self, source: Encoded, motion: Motion) -> Tensor:
        """(B, 3, H, W) in [0, 1]."""
        return self.finish(self.moved(source, motion), source.sizes)

    def features(self, picture: Tensor) -> list[Tensor]:
        """Of every level, the finest first."""
        found = [self.first(picture)]
        for layer in self.down:
            found.append(layer(found[-1]))
        return found


class Generator(Backbone):
    """The features of the smallest level are moved, masked, and made a picture of."""

    def encode(self, picture: Tensor) -> Encoded:
        """See `Backbone`."""
        found = self.features(picture)
        return Encoded(picture, (found[-1],), sizes_of(found))

    def moved(self, source: Encoded, motion: Motion) -> Moved:
        """See `Backbone`; nothing is left where the source does not show what is wanted."""
        found = self.read(source.levels[-1], motion.flow, self.align_corners)
        shown = motion.occlusion
        return Moved((found if shown is None else found * resized(shown, *source.sizes[-1]),))

    def finish(self, moved: Moved, sizes: tuple[Size, ...]) -> Tensor:
        """See `Backbone`."""
        x = moved.levels[-1]
        for layer in self.residual:
            x = layer(x)
        for layer, size in zip(self.up, reversed(sizes[:-1]), strict=True):
            x = layer(x, size)
        return torch.sigmoid(self.colour(x))


def sizes_of(levels: Sequence[Tensor]) -> tuple[Size, ...]:
    """(height, width) of features (B, C, height, width)."""
    return tuple((level.shape[-2], level.shape[-1]) for level in levels)

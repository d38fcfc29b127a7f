"""The generator of articulated animation: features of every level, and the picture itself, are moved.

Written from descriptions of it and recordings of what it gives.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.self_appearance.blocks import Size
from retarget_cli.backends.self_appearance.dense_motion import Motion
from retarget_cli.backends.self_appearance.generator import Backbone, Encoded, Moved, sizes_of
from retarget_cli.backends.self_appearance.sampling import resized


class SkipGenerator(Backbone):
    """What is moved replaces what was made, wherever the source shows what is wanted."""

    def encode(self, picture: Tensor) -> Encoded:
        """See `Backbone`."""
        found = self.features(picture)
        return Encoded(picture, tuple(found), sizes_of(found))

    def moved(self, source: Encoded, motion: Motion) -> Moved:
        """See `Backbone`: the picture, and every level."""
        levels = (source.picture, *source.levels)
        return Moved(tuple(self.read(level, motion.flow, self.align_corners) for level in levels), motion.occlusion)

    def finish(self, moved: Moved, sizes: tuple[Size, ...]) -> Tensor:
        """See `Backbone`."""
        picture, *finer, smallest = moved.levels
        x = replaced(None, smallest, moved.shown)
        for layer in self.residual:
            x = layer(x)
        x = replaced(x, smallest, moved.shown)
        for layer, level, size in zip(self.up, reversed(finer), reversed(sizes[:-1]), strict=True):
            x = replaced(layer(x, size), level, moved.shown)
        return replaced(torch.sigmoid(self.colour(x)), picture, moved.shown)


def replaced(made: Tensor | None, moved: Tensor, shown: Tensor | None) -> Tensor:
    """What was made, or nothing, with what was moved where the source shows what is wanted."""
    if shown is None:
        return moved
    share = resized(shown, moved.shape[-2], moved.shape[-1])
    return moved * share if made is None else torch.lerp(made.to(moved), moved, share.to(moved))

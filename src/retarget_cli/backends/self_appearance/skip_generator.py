"""The generator of articulated animation: features of every level, and the picture itself, are moved.

Written from descriptions of it and recordings of what it gives.
"""

from __future__ import annotations

import torch
from torch import Tensor

from retarget_cli.backends.self_appearance.dense_motion import Motion
from retarget_cli.backends.self_appearance.generator import Backbone, Encoded
from retarget_cli.backends.self_appearance.sampling import resized, warped


class SkipGenerator(Backbone):
    """What is moved replaces what was made, wherever the source shows what is wanted."""

    def encode(self, picture: Tensor) -> Encoded:
        """Once a source (1 or B, 3, H, W) in [0, 1]."""
        found = self.features(picture)
        return Encoded(picture, tuple(found), tuple((level.shape[-2], level.shape[-1]) for level in found))

    def decode(self, source: Encoded, motion: Motion) -> Tensor:
        """(B, 3, H, W) in [0, 1]."""
        *finer, smallest = source.levels
        x = self._replaced(None, smallest, motion)
        for layer in self.residual:
            x = layer(x)
        x = self._replaced(x, smallest, motion)
        for layer, level in zip(self.up, reversed(finer), strict=True):
            x = self._replaced(layer(x, level.shape[-2:]), level, motion)
        return self._replaced(torch.sigmoid(self.colour(x)), source.picture, motion)

    def _replaced(self, made: Tensor | None, level: Tensor, motion: Motion) -> Tensor:
        """What was made, or nothing, with the level's features where the source shows what is wanted."""
        moved = warped(level, motion.flow, self.align_corners)
        if motion.occlusion is None:
            return moved
        shown = resized(motion.occlusion, level.shape[-2], level.shape[-1])
        return moved * shown if made is None else moved * shown + made * (1 - shown)

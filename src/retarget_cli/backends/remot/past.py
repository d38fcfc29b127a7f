"""What a film's next frame is made with of the two before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from retarget_cli.networks.composite_generator import EMPTY


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame as it was made.

    Attributes:
        pose: (B, 3, H, W) in [-1, 1].
        layout: (B, 6, H, W) in [0, 1]; 0 everywhere before the first frame.
        parts: (B, 5, 3, H, W) in [-1, 1], the regions.
        person: (B, 3, H, W) in [-1, 1], on black.
        outside: (B, 1, H, W) in [0, 1], of the background.
    """

    pose: Tensor
    layout: Tensor
    parts: Tensor
    person: Tensor
    outside: Tensor

    def remembered(self) -> Moment:
        """From which nothing is learned any more; what is blacker than black, or whiter than white, is not kept."""
        parts, person = (each.detach().clamp(-1, 1) for each in (self.parts, self.person))
        return Moment(self.pose, self.layout.detach(), parts, person, self.outside.detach().clamp(0, 1))


@dataclass(frozen=True, slots=True)
class Past:
    """The two frames before, the older first.

    Attributes:
        older, newer: made frames, or stand-ins where the film has only begun: nothing but black.
        is_known: whether there is a frame before at all; flow begins with the second.
    """

    older: Moment
    newer: Moment
    is_known: bool

    @classmethod
    def before(cls, pose: Tensor, classes: int, regions: int) -> Past:
        """Of a film's first frame, with its pose (B, 3, H, W): somebody stood still whom nobody saw."""
        batch, _, height, width = pose.shape
        nothing = Moment(
            pose,
            pose.new_zeros(batch, classes, height, width),
            pose.new_full((batch, regions, 3, height, width), EMPTY),
            pose.new_full((batch, 3, height, width), EMPTY),
            pose.new_ones(batch, 1, height, width),
        )
        return cls(nothing, nothing, is_known=False)

    def then(self, made: Moment) -> Past:
        """One frame later."""
        return Past(self.newer, made, is_known=True)

    def poses(self, now: Tensor) -> Tensor:
        """(B, 9, H, W): of t-2, t-1 and t."""
        return torch.cat([self.older.pose, self.newer.pose, now], 1)

    @property
    def layouts(self) -> Tensor:
        """(B, 12, H, W): of t-2 and t-1."""
        return torch.cat([self.older.layout, self.newer.layout], 1)

    @property
    def persons(self) -> Tensor:
        """(B, 6, H, W): of t-2 and t-1."""
        return torch.cat([self.older.person, self.newer.person], 1)

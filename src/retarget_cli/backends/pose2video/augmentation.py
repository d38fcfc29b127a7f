"""Poses made worse on purpose (paper, 3.1): so that what a detector gets wrong does no harm later.

    limbs left out          each in 5 of 100 frames, and each in 2 of 100 examples from first to last
    joints moved            by 1.5 cm, standard deviation, each frame anew
    longer, shorter limbs   each in 3 of 10 examples, by up to a quarter; what hangs on a limb goes along with it

The paper names the kinds and no numbers. Random numbers are torch's own, so that a run which goes on draws as one
that was never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p

import torch
from torch import Tensor

from retarget_cli.backends.pose2video.skeleton import POINTS, disturbed
from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.limbs import LIMBS


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much poses are disturbed.

    Attributes:
        flicker: chance of every limb to be left out of a frame.
        loss: chance of every limb to be left out of all frames of an example.
        shift: metres, standard deviation, of every point in every frame.
        stretched: chance of every limb to have another length in an example.
        stretch: by which share at most.
    """

    flicker: float = 0.05
    loss: float = 0.02
    shift: float = 0.015
    stretched: float = 0.3
    stretch: float = 0.25


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to B examples of R frames.

    Attributes:
        lengths: (B, 1, L) factors.
        moved: (B, R, P, 3) in units of the cube.
        kept: (B, R, L), 1 or 0.
    """

    lengths: Tensor
    moved: Tensor
    kept: Tensor

    def bent(self, trees: Tensor) -> Tensor:
        """(B, R, P, 3)."""
        return disturbed(trees, self.lengths, self.moved)

    def drawn(self, maps: Tensor) -> Tensor:
        """(B, R, L, h, w) without the limbs that are left out."""
        return maps * self.kept[..., None, None]


def draw_disturbance(trees: Tensor, strengths: Strengths) -> Disturbance:
    """Draw what happens to trees (B, R, P, 3); numbers come from the CPU, alike on every device."""
    batch, frames = trees.shape[:2]
    is_changed = (torch.rand(batch, 1, LIMBS) < strengths.stretched).float()
    powers = (torch.rand(batch, 1, LIMBS) * 2 - 1) * log1p(strengths.stretch)
    moved = torch.randn(batch, frames, POINTS, 3) * (strengths.shift / REACH)
    flickers = torch.rand(batch, frames, LIMBS) < strengths.flicker
    losses = torch.rand(batch, 1, LIMBS) < strengths.loss
    return Disturbance((is_changed * powers).exp().to(trees), moved.to(trees), (~(flickers | losses)).to(trees))

"""The generators' opponents (paper, 3.1 to 3.3 and figure 3b): three for each stage, at two scales each.

    paired      what the stage was given, and a frame: the frame's pose maps, or 2K + 1 frames of stage I    equation 1
    temporal    M consecutive frames, nothing else                                                           equation 2
    unpaired    pose maps and a frame, of whomever's pose                                                    equation 3
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from retarget_cli.backends.pose2video.design import Design
from retarget_cli.backends.pose2video.examples import FRAMES
from retarget_cli.backends.pose2video.model import COLOURS
from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.networks.multiscale_discriminator import Judgement, MultiscaleDiscriminator, ScaleDiscriminator


class Opponents(nn.Module):
    """Of one stage.

    Args:
        given: channels of what the paired one is told.
        width: channels after the first layer; 64 as in pix2pixHD.
        has_unpaired: whether frames in others' poses are judged.
    """

    def __init__(self, given: int, width: int = 64, *, has_unpaired: bool = True) -> None:
        super().__init__()
        self.paired = MultiscaleDiscriminator(given + COLOURS, width=width)
        self.temporal = MultiscaleDiscriminator(FRAMES * COLOURS, width=width)
        self.unpaired = MultiscaleDiscriminator(LIMBS + COLOURS, width=width) if has_unpaired else None

    def of_pairs(self, given: Tensor, frames: Tensor) -> list[Judgement]:
        """Of frames (B, 3, h, w), and what they were made from (B, given, h, w)."""
        judged: list[Judgement] = self.paired(torch.cat([given, frames.float()], 1))
        return judged

    def of_films(self, frames: Tensor) -> list[Judgement]:
        """Of (B * M, 3, h, w), M consecutive frames each."""
        judged: list[Judgement] = self.temporal(frames.float().reshape(-1, FRAMES * COLOURS, *frames.shape[-2:]))
        return judged

    def of_others(self, poses: Tensor, frames: Tensor) -> list[Judgement]:
        """Of frames (B, 3, h, w) and their pose maps (B, L, h, w)."""
        if self.unpaired is None:
            raise ValueError("there is no opponent for this")
        judged: list[Judgement] = self.unpaired(torch.cat([poses, frames.float()], 1))
        return judged


class FaceOpponent(nn.Module):
    """Of what is added to heads, at one scale and with batch normalization, as published (Everybody Dance Now).

    Args:
        width: channels after the first layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.scale = ScaleDiscriminator(LIMBS + COLOURS, width, norm="batch")

    def of_faces(self, poses: Tensor, faces: Tensor) -> list[Judgement]:
        """Of parts of frames (B, 3, h, w) and of their pose maps (B, L, h, w)."""
        return [self.scale.judged(torch.cat([poses, faces.float()], 1))]


def all_opponents(design: Design, width: int, *, has_unpaired: bool) -> nn.ModuleList:
    """Of every stage, the first one's first; that of the face last."""
    given: Sequence[int] = (LIMBS, design.seen * COLOURS)
    found = [Opponents(given[number], width, has_unpaired=has_unpaired) for number in range(design.stages)]
    return nn.ModuleList([*found, *([FaceOpponent(width)] if design.has_face else [])])

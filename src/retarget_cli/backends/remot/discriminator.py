"""The generators' opponents: patch discriminators that see the condition beside what they judge.

    layout   the three poses, and a layout                  as in the works that eq. 2 comes from
    region   a region's mask, and its picture               eq. 8, all five by the same
    whole    the layout, and the picture                    eq. 8 of the whole
    face     the pose about the head, and the head's picture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from retarget_cli.backends.remot.design import BEFORE, CLASSES, COLOURS
from retarget_cli.networks.crops import cropped
from retarget_cli.networks.multiscale_discriminator import Judgement, MultiscaleDiscriminator, ScaleDiscriminator

SCALES = 2
# Side of the pictures of heads, as in C2F-FWN.
FACE_SIDE = 32


@dataclass(frozen=True, slots=True)
class Judged:
    """A player's picture, real or made, and what is told beside it.

    Attributes:
        condition, shown: (B, channels, H, W).
    """

    condition: Tensor
    shown: Tensor

    def head(self, boxes: Tensor) -> Judged:
        """What lies in boxes (B, 4) of x0, x1, y0, y1."""
        parts = (cropped(each, boxes, FACE_SIDE, FACE_SIDE) for each in (self.condition, self.shown))
        return Judged(*parts)

    def detached(self) -> Judged:
        """From which nothing is learned."""
        return Judged(self.condition.detach(), self.shown.detach())


class Opponents(nn.Module):
    """All the opponents of a training.

    Args:
        width: channels after the first layer; 64 as published for pix2pixHD.
        has_whole: whether whole pictures and faces are judged.
    """

    def __init__(self, width: int = 64, *, has_whole: bool = True) -> None:
        super().__init__()
        self.layout = MultiscaleDiscriminator((BEFORE + 1) * COLOURS + CLASSES, SCALES, width)
        self.region = MultiscaleDiscriminator(1 + COLOURS, SCALES, width)
        self.whole = MultiscaleDiscriminator(CLASSES + COLOURS, SCALES, width) if has_whole else None
        self.face = ScaleDiscriminator(2 * COLOURS, width) if has_whole else None

    def judged(self, name: str, what: Judged) -> Sequence[Judgement]:
        """What the opponent of that name says."""
        opponent = getattr(self, name)
        pair = torch.cat([what.condition.float(), what.shown.float()], 1)
        if isinstance(opponent, ScaleDiscriminator):
            return [opponent.judged(pair)]
        assert isinstance(opponent, MultiscaleDiscriminator)
        found: list[Judgement] = opponent(pair)
        return found

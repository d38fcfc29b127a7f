"""What is added to a frame where the head is (Chan et al., Everybody Dance Now, 2019: face GAN).

A generator of its own sees the head's part of the pose maps and of the frame, and makes what is added there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn

from retarget_cli.backends.pose2video.design import ASIDE
from retarget_cli.backends.stage.frame import REACH, Size
from retarget_cli.backends.stage.limbs import BODY
from retarget_cli.body.skeleton import JOINT
from retarget_cli.networks.residual_generator import ResidualGenerator, TrunkDesign

# Metres a side: as much of a person as 128 pixels of the published frames, which are 512 high.
SIDE = 0.5
# As published the size is halved three times; blocks need more than one pixel after that.
LEVELS, BLOCKS = 3, 5
_STEP, _LEAST = 2**LEVELS, 2 * 2**LEVELS
_HEAD = [(limb.bone, limb.child) for limb in BODY].index((JOINT["head"], None))
_SKULL = [limb.child for limb in BODY].index(JOINT["head"])


@dataclass(frozen=True, slots=True)
class Boxes:
    """Parts of B pictures, all of one size.

    Attributes:
        top, left: (B,) whole numbers, the first row and column inside.
        size: (h, w) of the parts.
    """

    top: Tensor
    left: Tensor
    size: Size

    def cut(self, pictures: Tensor) -> Tensor:
        """(B, C, h, w) out of (B, C, H, W)."""
        return pictures.movedim(1, -1)[self._places()].movedim(-1, 1)

    def filled(self, pictures: Tensor, parts: Tensor) -> Tensor:
        """(B, C, H, W): others with parts (B, C, h, w) in place of what was inside."""
        return pictures.movedim(1, -1).index_put(self._places(), parts.movedim(1, -1)).movedim(-1, 1)

    def _places(self) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns = (
            first[:, None] + torch.arange(count, device=first.device)
            for first, count in zip((self.top, self.left), self.size, strict=True)
        )
        numbers = torch.arange(len(rows), device=rows.device)
        return numbers[:, None, None], rows[:, :, None], columns[:, None, :]


class Face(nn.Module):
    """Makes frames better in a box.

    Args:
        poses: channels of what tells the pose.
        colours: channels of the frames.
        width: channels of the generator at full size; 64 as published.
    """

    def __init__(self, poses: int, colours: int, width: int = 64) -> None:
        super().__init__()
        trunk = TrunkDesign(width, LEVELS, before=0, after=BLOCKS)
        self.generator = ResidualGenerator(poses + colours, colours, trunk)

    def forward(self, frames: Tensor, poses: Tensor, boxes: Boxes) -> Tensor:
        """(B, C, H, W) of frames (B, C, H, W) in poses (B, L, H, W): the same outside of the boxes."""
        inside = boxes.cut(frames)
        added: Tensor = self.generator(torch.cat([boxes.cut(poses), inside], 1))
        return boxes.filled(frames, inside + added.to(inside))


def head_boxes(tree: Tensor, size: Size) -> Boxes:
    """Half a metre a side about the middle of the head; moved into the picture where it leaves it.

    Args:
        tree: (B, P, 3), see `skeleton.points`.
        size: (h, w) of the pictures.
    """
    middle = (tree[:, _SKULL + 1, :2] + tree[:, _HEAD + 1, :2]) / 2
    sides = box_size(size)
    top, left = (
        ((place / reach + 1) / 2 * whole - side / 2).round().clamp(0, whole - side).long()
        for place, reach, whole, side in zip(middle.unbind(1)[::-1], (1, ASIDE / REACH), size, sides, strict=True)
    )
    return Boxes(top, left, sides)


def box_size(size: Size) -> Size:
    """(h, w) of the part of pictures (h, w) that shows the head: multiples of what the generator can halve."""
    high, wide = (
        max(_LEAST, _STEP * ceil(whole * SIDE / (2 * reach) / _STEP))
        for whole, reach in zip(size, (REACH, ASIDE), strict=True)
    )
    return high, wide
